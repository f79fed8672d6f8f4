/** `apply FILE`: carries a kept plan out, once, while all that it rests on is as it was; else says what is not. */
import { resolve } from "node:path"
import { applyApproved } from "@tinyscheduler/core/pass/applyApproved"
import { makePassMemory } from "@tinyscheduler/core/pass/memory"
import { errorsOf } from "@tinyscheduler/core/pass/pass"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { Refused } from "../asking/Refused.ts"
import { exitCodes, ExitWith } from "../exits.ts"
import { configuration } from "../flags.ts"
import { layerPorts } from "../layers.ts"
import { escapeText } from "../output/escape.ts"
import { layerLogging } from "../output/logging.ts"
import { makeNarrator, summaryOf, summaryText } from "../output/narration.ts"
import { print, printJson } from "../output/print.ts"
import { readPlanFile } from "../planning/planFile.ts"
import { holdLock, startTroubles, tellNotices } from "../scheduling/lock.ts"
import type { Configuration } from "../settings/Configuration.ts"
import { ConfigurationError } from "../settings/ConfigurationError.ts"

/** So many differences are told one by one. */
const shownMax = 40

const refusal = (file: string, differences: ReadonlyArray<string>): string =>
  [
    `the plan in ${file} holds no more: nothing was done; make another with tinyscheduler plan -o`,
    ...differences.slice(0, shownMax),
    ...(differences.length > shownMax ? [`and ${differences.length - shownMax} more`] : [])
  ]
    .map(escapeText)
    .join("\n  ")

const carryOut = Effect.fn("apply.carryOut")(function* (config: Configuration, file: string, json: boolean) {
  const read = readPlanFile(resolve(file))
  if (Result.isFailure(read)) return yield* new Refused({ reason: read.failure })
  yield* tellNotices(config)
  const input = yield* holdLock(config, makeNarrator("once"), yield* makePassMemory)
  const done = yield* applyApproved(input, read.success.subject)
  if (done._tag === "Stale") {
    yield* json
      ? printJson({ version: 1, applied: false, differences: done.differences })
      : Effect.sync(() => process.stderr.write(`${refusal(file, done.differences)}\n`))
    return yield* Effect.fail(new ExitWith(exitCodes.passHadErrors))
  }
  const errors = [...startTroubles(input), ...errorsOf(done.round, input.startsOffReason)]
  for (const error of errors) yield* Effect.logError(error)
  const summary = summaryOf({ rounds: [done.round], errors })
  yield* json
    ? printJson({ version: 1, applied: true, ...summary, plan: done.round.plan })
    : print(summaryText(summary))
  if (errors.length > 0) return yield* Effect.fail(new ExitWith(exitCodes.passHadErrors))
})

export const applyCommand = Command.make(
  "apply",
  {
    file: Argument.String("file").pipe(Argument.withDescription("What tinyscheduler plan -o wrote")),
    json: Flag.Boolean("json").pipe(Flag.withDescription("Print what came of it as JSON"), Flag.withDefault(false))
  },
  Effect.fn("cli.apply")(function* ({ file, json }) {
    const config = yield* configuration
    if (config.settings.dryRun) {
      return yield* new ConfigurationError({
        faults: ["apply carries a plan out, and a dry run does nothing: tinyscheduler plan shows what a pass would do"]
      })
    }
    yield* Effect.scoped(carryOut(config, file, json)).pipe(
      Effect.provide([layerPorts(config, "writes"), layerLogging(() => config.settings, config.paths.logs)])
    )
  })
).pipe(Command.withDescription("Carry out a kept plan, if all is as it was"))
