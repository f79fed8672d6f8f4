/** `repair`: finds what people broke by hand, and mends what can be proven dead. With `--dry-run` it only tells. */
import * as Effect from "effect/Effect"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { makePassMemory } from "@tinyscheduler/core/pass/memory"
import { lookAndFind, repair } from "@tinyscheduler/core/repair/repair"
import { exitCodes, ExitWith } from "../exits.ts"
import { configuration } from "../flags.ts"
import { layerPorts } from "../layers.ts"
import { layerLogging } from "../output/logging.ts"
import { makeNarrator } from "../output/narration.ts"
import { print, printJson } from "../output/print.ts"
import { isUnfinished, outputOfFound, outputOfReport, repairText } from "../output/repairText.ts"
import { holdLock, startTroubles, tellNotices } from "../scheduling/lock.ts"
import type { Configuration } from "../settings/Configuration.ts"

const find = Effect.fn("repair.find")(function* (config: Configuration, purge: boolean) {
  const { found, tinytaskProblem } = yield* lookAndFind({ desired: config.desired, purge })
  return outputOfFound(found, tinytaskProblem)
})

const findAndMend = Effect.fn("repair.findAndMend")(function* (config: Configuration, purge: boolean) {
  const { desired } = config
  // Whoever takes the lock sweeps leftovers: they are told too.
  const before = yield* lookAndFind({ desired, purge })
  const input = yield* holdLock(config, makeNarrator("once"), yield* makePassMemory)
  for (const trouble of startTroubles(input)) yield* Effect.logError(trouble)
  const report = yield* repair({ desired, purge })
  const litter = before.found.filter(({ _tag }) => _tag === "Litter")
  const isLeft = [...report.left, ...report.failed.map(({ finding }) => finding)].some(({ _tag }) => _tag === "Litter")
  return outputOfReport(isLeft ? report : { ...report, mended: [...litter, ...report.mended] })
})

export const repairCommand = Command.make(
  "repair",
  {
    purge: Flag.Boolean("purge").pipe(
      Flag.withDescription("Remove what was set aside, by passes and by repairs"),
      Flag.withDefault(false)
    ),
    json: Flag.Boolean("json").pipe(Flag.withDescription("Print JSON"), Flag.withDefault(false))
  },
  Effect.fn("cli.repair")(function* ({ json, purge }) {
    const config = yield* configuration
    const looks = config.settings.dryRun
    const program = Effect.gen(function* () {
      yield* tellNotices(config)
      const output = yield* (looks ? find : findAndMend)(config, purge)
      yield* json ? printJson(output) : print(repairText(output))
      if (output.tinytaskProblem !== null) {
        yield* Effect.logError(`${output.tinytaskProblem}; its tasks were not looked at`)
      }
      if (isUnfinished(output)) return yield* Effect.fail(new ExitWith(exitCodes.passHadErrors))
    })
    yield* Effect.scoped(program).pipe(
      Effect.provide([
        layerPorts(config, looks ? "looks" : "writes"),
        layerLogging(() => config.settings, looks ? null : config.paths.logs)
      ])
    )
  })
).pipe(Command.withDescription("Find what was broken by hand, and mend what can be proven dead"))
