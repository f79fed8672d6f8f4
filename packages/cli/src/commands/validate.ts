/** `validate-config`: whether everything is in place for a first pass; `--fix` makes what is missing. */
import * as Effect from "effect/Effect"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { exitCodes, ExitWith } from "../exits.ts"
import { loadedSettings } from "../flags.ts"
import { layerLogging } from "../output/logging.ts"
import { print, printJson } from "../output/print.ts"
import { mend } from "../starter/mend.ts"
import type { Mended } from "../starter/mend.ts"
import { examine } from "../validation/examine.ts"
import { reportOf, reportText } from "../validation/report.ts"
import type { ValidationReport } from "../validation/report.ts"
import { brokenSettings } from "../validation/settingsChecks.ts"
import { validate } from "../validation/validate.ts"

const nothingMended: Mended = { made: [], closed: [], failed: [] }

const makeReport = Effect.fnUntraced(function* (fix: boolean) {
  const loaded = yield* loadedSettings
  const look = Effect.suspend(() => examine(loaded, process.cwd()))
  const mended = fix && !loaded.settings.dryRun ? yield* Effect.flatMap(look, mend) : nothingMended
  const checks = yield* validate(yield* look).pipe(Effect.provide(layerLogging(() => loaded.settings, null)))
  return reportOf(mended, checks)
})

const tell = (report: ValidationReport, json: boolean) => (json ? printJson(report) : print(reportText(report)))

export const validateCommand = Command.make(
  "validate-config",
  {
    fix: Flag.Boolean("fix").pipe(
      Flag.withDescription(
        "Make what is missing (directories, a control file and recipes to begin with), overwrite nothing"
      ),
      Flag.withDefault(false)
    ),
    json: Flag.Boolean("json").pipe(Flag.withDescription("Print JSON"), Flag.withDefault(false))
  },
  Effect.fn("cli.validate")(function* ({ fix, json }) {
    const report = yield* makeReport(fix).pipe(
      Effect.catchTag("ConfigurationError", ({ faults }) =>
        Effect.succeed(reportOf(nothingMended, brokenSettings(faults)))
      )
    )
    yield* tell(report, json)
    if (report.errors > 0) return yield* Effect.fail(new ExitWith(exitCodes.usage))
  })
).pipe(Command.withDescription("Check settings, directories, agents, recipes, programs and Tinytask"))
