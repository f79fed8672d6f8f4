/** `validate-config`: whether everything is in place for a first pass; `--fix` makes the directories. */
import * as Effect from "effect/Effect"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { layerTinytask } from "@tinyscheduler/adapters-tinytask/TinytaskClient"
import { exitCodes, ExitWith } from "../exits.ts"
import { configuration } from "../flags.ts"
import { tinytaskOptions } from "../layers.ts"
import { escapeText } from "../output/escape.ts"
import { layerLogging } from "../output/logging.ts"
import { print, printJson } from "../output/print.ts"
import { StateUnwritable } from "@tinyscheduler/core/ports/StateError"
import { makeDirectories } from "../stateDirectories.ts"
import { validate } from "../validation.ts"

export const validateCommand = Command.make(
  "validate-config",
  {
    fix: Flag.Boolean("fix").pipe(Flag.withDescription("Make the missing directories (0700)"), Flag.withDefault(false)),
    json: Flag.Boolean("json").pipe(Flag.withDescription("Print JSON"), Flag.withDefault(false))
  },
  Effect.fn("cli.validate")(function* ({ fix, json }) {
    const config = yield* configuration
    const made = fix
      ? yield* Effect.try({
          try: () => makeDirectories(config),
          catch: (error) =>
            new StateUnwritable({
              path: config.paths.state,
              reason: error instanceof Error ? error.message : String(error)
            })
        })
      : []
    const checks = yield* validate(config).pipe(
      Effect.provide([layerTinytask(tinytaskOptions(config.settings)), layerLogging(() => config.settings, null)])
    )
    yield* json
      ? printJson({ version: 1, made, checks })
      : print(
          [
            ...made.map((path) => `made     ${path}`),
            ...checks.map(({ level, says, what }) => `${level.padEnd(8)} ${escapeText(what)}: ${escapeText(says)}`)
          ].join("\n")
        )
    if (checks.some(({ level }) => level === "error")) return yield* Effect.fail(new ExitWith(exitCodes.usage))
  })
).pipe(Command.withDescription("Check settings, directories, agents, recipes, programs and Tinytask"))
