/** The flags that every command shares, made from the table of settings: before or after the subcommand, one reading. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Struct from "effect/Struct"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { configurationOf } from "./settings/Configuration.ts"
import { ConfigurationError } from "./settings/ConfigurationError.ts"
import { loadSettings } from "./settings/loadSettings.ts"
import type { SettingFlags } from "./settings/loadSettings.ts"
import { placeFaults } from "./settings/places.ts"
import { nameOf, settingKeys, settingTable } from "./settings/settingTable.ts"
import type { Setting } from "./settings/settingTable.ts"

const described = (setting: Setting<unknown>): string => {
  const standard = Option.getOrElse(setting.standard, () => "")
  const about = [
    nameOf(setting),
    ...(setting.kind === "text" ? [setting.form] : []),
    ...(standard === "" ? [] : [`default ${standard}`])
  ]
  return `${setting.description} [${about.join("; ")}]`
}

const flagOf = (setting: Setting<unknown>): Flag.Flag<Option.Option<string>> =>
  setting.kind === "truth"
    ? Flag.Boolean(setting.flag).pipe(
        Flag.withDescription(described(setting)),
        Flag.map((value) => String(value)),
        Flag.optional
      )
    : Flag.String(setting.flag).pipe(
        Flag.withDescription(described(setting)),
        Flag.withMetavar(setting.kind === "path" ? "path" : "value"),
        Flag.optional
      )

interface ToFlag extends Struct.Lambda {
  (setting: Setting<unknown>): Flag.Flag<Option.Option<string>>
  readonly "~lambda.out": Flag.Flag<Option.Option<string>>
}
const settingFlags = Struct.map(settingTable, Struct.lambda<ToFlag>(flagOf))

/** The root: shows help by itself, and holds what all subcommands share. */
export const root = Command.make("tinyscheduler").pipe(
  Command.withSharedFlags({
    ...settingFlags,
    agentLimitPairs: Flag.String("agent-limit").pipe(
      Flag.withDescription("Slots of one agent, as name=number; repeatable, wins over --agent-limits"),
      Flag.withMetavar("name=number"),
      Flag.atLeast(0)
    ),
    envFile: Flag.String("env-file").pipe(
      Flag.withDescription("File of variables (default: .env in the working directory, if there is one)"),
      Flag.withMetavar("path"),
      Flag.optional
    )
  }),
  Command.withDescription("A reconciliation control plane for headless AI agents on one machine")
)

const typed = Effect.map(root, (input): SettingFlags => {
  const texts = new Map<string, string>()
  for (const key of settingKeys) {
    const value = input[key]
    if (Option.isSome(value)) texts.set(settingTable[key].flag, value.value)
  }
  return { texts, agentLimitPairs: input.agentLimitPairs, envFile: Option.getOrNull(input.envFile) }
})

const load = (flags: SettingFlags) => loadSettings({ flags, environment: process.env, workingDirectory: process.cwd() })

/** The settings of this command line, wherever they lead: without a look at the control file or at any directory. */
export const loadedSettings = Effect.flatMap(typed, load)

/** The same for commands that need the directories: what stands in their places is a fault. */
export const placedSettings = Effect.tap(loadedSettings, (loaded) => {
  const faults = placeFaults(loaded, process.cwd())
  return faults.length === 0 ? Effect.void : Effect.fail(new ConfigurationError({ faults }))
})

/** The whole configuration of this command line. */
export const configuration = Effect.flatMap(placedSettings, (loaded) => configurationOf(loaded, process.cwd()))

/** Reads the configuration of this command line once more, as often as it is run: same flags, other files. */
export const reloadable = Effect.map(typed, (flags) =>
  Effect.flatMap(load(flags), (loaded) => configurationOf(loaded, process.cwd()))
)
