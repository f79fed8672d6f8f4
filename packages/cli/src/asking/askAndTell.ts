/** The course of a request that is answered by being carried out: retry, pause, resume. */
import * as Effect from "effect/Effect"
import type { Request } from "@tinyscheduler/core/domain/Request"
import { Requests } from "@tinyscheduler/core/ports/Requests"
import type { CarriedOut } from "@tinyscheduler/core/requests/carryOut"
import type { Configuration } from "../settings/Configuration.ts"
import { awaitAnswer, deliver } from "./deliver.ts"
import { acceptedBy, tellAnswer } from "./tellAnswer.ts"
import type { Told } from "./tellAnswer.ts"

export interface AskOptions {
  readonly json: boolean
  readonly wait: boolean
  readonly waitTimeout: number
}

/** Said before a wait to a person at a terminal, who would else see nothing; programs have the answer. */
export const sayToPerson = (says: string): Effect.Effect<void> =>
  Effect.sync(() => {
    if (process.stderr.isTTY) process.stderr.write(`${says}\n`)
  })

/** What is left of a wait when it is cut short: the request. */
export const standsAnyway = (says: string) =>
  Effect.onInterrupt(() => Effect.sync(() => process.stderr.write(`${says}\n`)))

/** Brings the request there, and answers what came of it. */
export const ask = Effect.fn("ask")(function* (
  config: Configuration,
  request: Request,
  about: Told["about"],
  options: AskOptions
) {
  const delivered = yield* deliver(config, request)
  const named = { ...about, uuid: request.uuid }
  if (delivered._tag === "Answered") return { ...delivered.answer, about: named } satisfies Told
  const accepted: Told = { result: "accepted", says: acceptedBy(delivered.holder), about: named }
  if (!options.wait) return accepted
  yield* sayToPerson(`${accepted.says}; waiting for ${options.waitTimeout} s at most`)
  const answer = yield* awaitAnswer(config, request, options.waitTimeout * 1000).pipe(
    standsAnyway(`The request stands: ${accepted.says}.`)
  )
  return answer === null
    ? ({ ...accepted, result: "waiting" } satisfies Told)
    : ({ result: answer.result, says: answer.says, about: named } satisfies Told)
})

/** What others asked for before may yet change what this comes to. */
const nobodyAsked = Effect.gen(function* () {
  const requests = yield* Requests
  return (yield* requests.pending).length === 0
})

/** The same, told; where nothing would come of it nobody is asked. */
export const askAndTell = Effect.fn("askAndTell")(function* (
  config: Configuration,
  request: Request,
  expected: CarriedOut,
  about: Told["about"],
  options: AskOptions
) {
  const { dryRun } = config.settings
  if (expected._tag === "Answered" && (dryRun || (expected.result !== "done" && (yield* nobodyAsked)))) {
    return yield* tellAnswer({ ...expected, about }, { json: options.json, dryRun })
  }
  yield* tellAnswer(yield* ask(config, request, about, options), options)
})
