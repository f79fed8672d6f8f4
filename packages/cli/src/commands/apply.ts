/** `apply FILE`: has a kept plan carried out, once, while all that it rests on is as it was; else says what is not. */
import { resolve } from "node:path"
import { applyApproved, staleness } from "@tinyscheduler/core/pass/applyApproved"
import { makePassMemory } from "@tinyscheduler/core/pass/memory"
import { errorsOf } from "@tinyscheduler/core/pass/pass"
import { Requests } from "@tinyscheduler/core/ports/Requests"
import type { LockHeld } from "@tinyscheduler/core/ports/SchedulerLock"
import type { ApplyRequest } from "@tinyscheduler/core/domain/Request"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import { standsAnyway } from "../asking/askAndTell.ts"
import type { AskOptions } from "../asking/askAndTell.ts"
import { json, waitFlags } from "../asking/askFlags.ts"
import { awaitAnswer } from "../asking/deliver.ts"
import { newRequest } from "../asking/newRequest.ts"
import { Refused } from "../asking/Refused.ts"
import { acceptedBy, tellAnswer } from "../asking/tellAnswer.ts"
import { exitCodes, ExitWith } from "../exits.ts"
import { configuration } from "../flags.ts"
import { layerPorts } from "../layers.ts"
import { escapeText } from "../output/escape.ts"
import { layerLogging } from "../output/logging.ts"
import { makeNarrator, summaryOf, summaryText } from "../output/narration.ts"
import { print, printJson } from "../output/print.ts"
import { readPlanFile } from "../planning/planFile.ts"
import type { PlanFile } from "../planning/planFile.ts"
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

const refuse = Effect.fnUntraced(function* (file: string, differences: ReadonlyArray<string>, options: AskOptions) {
  yield* options.json
    ? printJson({ version: 1, applied: false, differences })
    : Effect.sync(() => process.stderr.write(`${refusal(file, differences)}\n`))
  return yield* Effect.fail(new ExitWith(exitCodes.passHadErrors))
})

/** Nobody schedules: this process carries it out. */
const carryOutHere = Effect.fn("apply.here")(function* (
  config: Configuration,
  file: string,
  { subject }: PlanFile,
  options: AskOptions
) {
  const input = yield* holdLock(config, makeNarrator("once"), yield* makePassMemory)
  const done = yield* applyApproved(input, subject)
  if (done._tag === "Stale") return yield* refuse(file, done.differences, options)
  const errors = [...startTroubles(input), ...errorsOf(done.round, input.startsOffReason)]
  for (const error of errors) yield* Effect.logError(error)
  const summary = summaryOf({ rounds: [done.round], errors })
  yield* options.json
    ? printJson({ version: 1, applied: true, ...summary, plan: done.round.plan })
    : print(summaryText(summary))
  if (errors.length > 0) return yield* Effect.fail(new ExitWith(exitCodes.passHadErrors))
})

/** Another process schedules: its next pass carries the plan out, if that is the plan which it makes. */
const carryOutThere = Effect.fn("apply.there")(function* (
  config: Configuration,
  { precondition }: PlanFile,
  { holder }: LockHeld,
  options: AskOptions
) {
  const requests = yield* Requests
  const request: ApplyRequest = { ...(yield* newRequest), kind: "apply", precondition }
  yield* requests.submit(request)
  const about = { kind: "apply", precondition, uuid: request.uuid }
  const says = acceptedBy(holder)
  if (!options.wait)
    return yield* tellAnswer({ result: "accepted", says, about: { applied: false, ...about } }, options)
  const answer = yield* awaitAnswer(config, request, options.waitTimeout * 1000).pipe(
    standsAnyway(`The request stands: ${says}.`)
  )
  const result = answer?.result ?? "waiting"
  yield* tellAnswer({ result, says: answer?.says ?? says, about: { applied: result === "done", ...about } }, options)
})

const applyFile = Effect.fn("apply")(function* (config: Configuration, file: string, options: AskOptions) {
  const read = readPlanFile(resolve(file))
  if (Result.isFailure(read)) return yield* new Refused({ reason: read.failure })
  yield* tellNotices(config)
  // A plan that holds no more needs no lock to be refused, and leaves no trace.
  const look = { desired: config.desired, memory: yield* makePassMemory, startsOffReason: null }
  const stale = yield* staleness(look, read.success.subject)
  if (stale.length > 0) return yield* refuse(file, stale, options)
  yield* carryOutHere(config, file, read.success, options).pipe(
    Effect.catchTag("LockHeld", (held) => carryOutThere(config, read.success, held, options))
  )
})

export const applyCommand = Command.make(
  "apply",
  {
    file: Argument.String("file").pipe(Argument.withDescription("What tinyscheduler plan -o wrote")),
    json,
    ...waitFlags("the scheduler that runs has carried it out")
  },
  Effect.fn("cli.apply")(function* ({ file, ...options }) {
    const config = yield* configuration
    if (config.settings.dryRun) {
      return yield* new ConfigurationError({
        faults: ["apply carries a plan out, and a dry run does nothing: tinyscheduler plan shows what a pass would do"]
      })
    }
    yield* Effect.scoped(applyFile(config, file, options)).pipe(
      Effect.provide([layerPorts(config, "writes"), layerLogging(() => config.settings, config.paths)])
    )
  })
).pipe(Command.withDescription("Carry out a kept plan, if all is as it was"))
