/** `run --once` and `run --daemon`, and both as a dry run. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { runOnce } from "@tinyscheduler/core/pass/daemon"
import { makePassMemory } from "@tinyscheduler/core/pass/memory"
import { plan } from "@tinyscheduler/core/pass/pass"
import { exitCodes, ExitWith } from "../exits.ts"
import { configuration, reloadable } from "../flags.ts"
import { endsWhenAsked } from "../interruption.ts"
import { layerPorts } from "../layers.ts"
import { keepLogsHourly } from "../logKeeping.ts"
import { layerLogging } from "../output/logging.ts"
import { makeNarrator, summaryOf, summaryText } from "../output/narration.ts"
import { planText } from "../output/planText.ts"
import { print, printJson } from "../output/print.ts"
import { daemon } from "../scheduling/daemon.ts"
import { fixedConfiguration, liveConfiguration } from "../scheduling/liveConfiguration.ts"
import type { LiveConfiguration } from "../scheduling/liveConfiguration.ts"
import { holdLock, startTroubles, tellNotices } from "../scheduling/lock.ts"
import type { Configuration } from "../settings/Configuration.ts"
import { ConfigurationError } from "../settings/ConfigurationError.ts"

interface RunOptions {
  readonly json: boolean
  readonly stopWaitSec: number
}

/** Observe and reconcile without apply: no lock, no file, no directory. */
const dryRun = Effect.fn("run.dryRun")(function* (config: Configuration, { json }: RunOptions) {
  yield* tellNotices(config)
  const { observed, plan: made } = yield* plan({
    desired: config.desired,
    memory: yield* makePassMemory,
    startsOffReason: null
  })
  yield* json ? printJson(made) : print(planText(observed, made))
  if (made.tinytask._tag === "Unread") {
    yield* Effect.logError(made.tinytask.reason)
    return yield* Effect.fail(new ExitWith(exitCodes.passHadErrors))
  }
})

const once = Effect.fn("run.once")(function* (config: Configuration, { json, stopWaitSec }: RunOptions) {
  yield* tellNotices(config)
  const input = yield* holdLock(config, makeNarrator("once"), yield* makePassMemory)
  const report = yield* runOnce(input, stopWaitSec * 1000)
  yield* keepLogsHourly(config)
  const errors = [...startTroubles(input), ...report.errors]
  for (const error of errors) yield* Effect.logError(error)
  const summary = summaryOf({ ...report, errors })
  yield* json ? printJson({ ...summary, plans: report.rounds.map((round) => round.plan) }) : print(summaryText(summary))
  if (errors.length > 0) return yield* Effect.fail(new ExitWith(exitCodes.passHadErrors))
})

const forever = Effect.fn("run.daemon")(function* (live: LiveConfiguration) {
  yield* endsWhenAsked
  // Compiled decoders read leases three times as fast; one pass by itself would not earn their making.
  yield* Effect.promise(() => import("effect/schema/SchemaJITCompiler/enable"))
  yield* tellNotices(live.current())
  yield* daemon({ live, narrator: makeNarrator("daemon") })
})

export const runCommand = Command.make(
  "run",
  {
    once: Flag.Boolean("once").pipe(Flag.withDescription("One pass"), Flag.withDefault(false)),
    daemon: Flag.Boolean("daemon").pipe(Flag.withDescription("Passes until asked to end"), Flag.withDefault(false)),
    json: Flag.Boolean("json").pipe(
      Flag.withDescription("Print the plan and what came of it as JSON"),
      Flag.withDefault(false)
    ),
    stopWait: Flag.Int("stop-wait").pipe(
      Flag.withSchema(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 86_400 }))),
      Flag.withDescription("With --once: how many seconds to go on with agents that are being stopped"),
      Flag.withDefault(30)
    )
  },
  Effect.fn("cli.run")(function* (flags) {
    if (flags.once === flags.daemon) {
      return yield* new ConfigurationError({
        faults: ["run needs exactly one of --once (one pass) and --daemon (passes until asked to end)"]
      })
    }
    const config = yield* configuration
    const options = { json: flags.json, stopWaitSec: flags.stopWait }
    const looks = config.settings.dryRun
    const live = looks || flags.once ? fixedConfiguration(config) : liveConfiguration(config, yield* reloadable)
    const program = looks ? dryRun(config, options) : flags.once ? once(config, options) : forever(live)
    yield* Effect.scoped(program).pipe(
      Effect.provide([
        layerPorts(config, looks ? "looks" : "writes", live.current),
        layerLogging(() => live.current().settings, looks ? null : config.paths)
      ])
    )
  })
).pipe(Command.withDescription("Observe, decide, and start, finish or stop agents"))
