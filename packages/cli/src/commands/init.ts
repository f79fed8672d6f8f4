/** `init`: a base path to begin with. Asks on a terminal, or takes flags; writes everything at the end, or nothing. */
import { existsSync } from "node:fs"
import { join, resolve } from "node:path"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Prompt from "effect/cli/Prompt"
import { StateUnwritable } from "@tinyscheduler/core/ports/StateError"
import { exitCodes, ExitWith } from "../exits.ts"
import { loadedSettings, root } from "../flags.ts"
import { escapeText } from "../output/escape.ts"
import { print, printJson } from "../output/print.ts"
import { findControlFile } from "../settings/Configuration.ts"
import { ConfigurationError } from "../settings/ConfigurationError.ts"
import type { LoadedSettings } from "../settings/loadSettings.ts"
import { basePathOf } from "../settings/places.ts"
import { settingKeys } from "../settings/settingTable.ts"
import type { SettingKey } from "../settings/settingTable.ts"
import { ask } from "../starter/ask.ts"
import { makeAll } from "../starter/newFiles.ts"
import type { NewFile } from "../starter/newFiles.ts"
import { controlFileText, dotEnvText, recipeFiles, recipeWanted, shownFrom } from "../starter/starterFiles.ts"
import { nextSteps } from "../starter/nextSteps.ts"
import { wishesOf } from "../starter/Wishes.ts"
import type { GivenFlags, Wishes } from "../starter/Wishes.ts"

/** Where each file goes. */
interface Places {
  readonly base: string
  readonly dotEnv: string
  readonly control: string
  readonly recipes: string
}

const placesOf = (loaded: LoadedSettings): Places => {
  const base = basePathOf(loaded, process.cwd())
  const control = findControlFile(loaded.settings, base).path ?? join(base, "agent-control.json")
  return { base, dotEnv: join(base, ".env"), control, recipes: resolve(base, loaded.settings.recipesDir) }
}

const refuseExisting = (paths: ReadonlyArray<string>): Effect.Effect<void, ConfigurationError> => {
  const there = paths.filter((path) => existsSync(path))
  return there.length === 0
    ? Effect.void
    : new ConfigurationError({
        faults: [
          `init overwrites nothing, and ${there.join(", ")} ${there.length === 1 ? "is" : "are"} there already; ` +
            "move that away, or begin elsewhere with --base-path"
        ]
      })
}

const filesOf = Effect.fnUntraced(function* (places: Places, { agents, values }: Wishes) {
  const endpoint = { mcpEndpoint: values.get("mcpEndpoint") ?? "" }
  const files: ReadonlyArray<NewFile> = [
    // It may hold a token.
    { path: places.dotEnv, text: dotEnvText(values), mode: 0o600 },
    { path: places.control, text: controlFileText(agents), mode: 0o644 },
    ...(yield* recipeFiles(recipeWanted(places.recipes, agents), endpoint))
  ]
  return files
})

const write = Effect.fnUntraced(function* (files: ReadonlyArray<NewFile>) {
  const made = makeAll(files)
  if (Result.isSuccess(made)) return made.success
  const { exists, path, reason } = made.failure
  if (exists) yield* refuseExisting([path])
  return yield* new StateUnwritable({ path, reason })
})

const isTerminal = (): boolean => process.stdin.isTTY && process.stdout.isTTY

const needed = new ConfigurationError({
  faults: [
    "init has no terminal to ask its questions on: give at least one --agent name=queue, " +
      "or --yes for one Goose agent, vaela, on the queue dev"
  ]
})

const askAll = Effect.fnUntraced(function* (flags: GivenFlags, yes: boolean) {
  if (flags.agents.length > 0 || yes) return yield* wishesOf(flags)
  return isTerminal() ? yield* ask(flags) : yield* needed
})

const left = new ExitWith(exitCodes.interrupted)

/** Whoever is at a terminal sees what will be written before it is. */
const confirm = Effect.fnUntraced(function* (places: Places, files: ReadonlyArray<NewFile>) {
  const names = files.map(({ path }) => shownFrom(places.base, path)).join(", ")
  const agreed = yield* Prompt.Confirm({ message: `Write ${names} in ${places.base}`, initial: true })
  if (agreed) return
  yield* Effect.sync(() => process.stderr.write("Nothing was written.\n"))
  return yield* Effect.fail(new ExitWith(exitCodes.done))
})

/** With a dry run nothing is made. */
interface Done {
  readonly made: ReadonlyArray<string>
  readonly wouldMake: ReadonlyArray<string>
  readonly next: ReadonlyArray<string>
}

const doneText = (base: string, { made, next, wouldMake }: Done): ReadonlyArray<string> => [
  ...wouldMake.map((path) => `would make ${escapeText(path)}`),
  ...made.map((path) => `made ${escapeText(path)}`),
  ...(next.length === 0 ? [] : ["", process.cwd() === base ? "Next:" : `Next, in ${escapeText(base)}:`]),
  ...next.map((command) => `  ${escapeText(command)}`)
]

const typedSettings = Effect.map(
  root,
  (input): ReadonlyMap<SettingKey, string> =>
    new Map(
      settingKeys.flatMap((key) => Option.match(input[key], { onNone: () => [], onSome: (text) => [[key, text]] }))
    )
)

export const initCommand = Command.make(
  "init",
  {
    agents: Flag.String("agent").pipe(
      Flag.withDescription(
        "An agent, its queues, and its program (goose, claude, codex, gemini, opencode); repeatable"
      ),
      Flag.withMetavar("name=queue[,queue][:program]"),
      Flag.atLeast(0)
    ),
    embedded: Flag.Boolean("embedded").pipe(
      Flag.withDescription("Tinytask is our own, run by tinyscheduler up"),
      Flag.withDefault(false)
    ),
    yes: Flag.Boolean("yes").pipe(
      Flag.withDescription("Ask nothing: what no flag says is as usual"),
      Flag.withDefault(false)
    ),
    json: Flag.Boolean("json").pipe(Flag.withDescription("Print JSON"), Flag.withDefault(false))
  },
  Effect.fn("cli.init")(function* ({ agents, embedded, json, yes }) {
    const loaded = yield* loadedSettings
    const places = placesOf(loaded)
    yield* refuseExisting([places.dotEnv, places.control])
    const program = Effect.gen(function* () {
      const flags: GivenFlags = { agents, embedded, typed: yield* typedSettings, loaded }
      const wishes = yield* askAll(flags, yes)
      const files = yield* filesOf(places, wishes)
      yield* refuseExisting(files.map(({ path }) => path))
      if (loaded.settings.dryRun) return { made: [], wouldMake: files.map(({ path }) => path), next: [] }
      if (isTerminal() && !yes) yield* confirm(places, files)
      return { made: yield* write(files), wouldMake: [], next: nextSteps(wishes) }
    })
    const done: Done = yield* program.pipe(
      Effect.catchTag("QuitError", () =>
        Effect.andThen(
          Effect.sync(() => process.stderr.write("\nNothing was written.\n")),
          Effect.fail(left)
        )
      )
    )
    yield* json
      ? printJson({ version: 1, directory: places.base, ...done })
      : print(doneText(places.base, done).join("\n"))
  })
).pipe(Command.withDescription("Write the settings, agents and recipes of a new base path"))
