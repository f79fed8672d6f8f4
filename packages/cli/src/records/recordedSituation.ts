/** One recorded pass as what a plan is made of, for commands that answer live otherwise. */
import { actionTaskId } from "@tinyscheduler/core/reconcile/actionTaskId"
import { reconcile } from "@tinyscheduler/core/reconcile/reconcile"
import { makeSituationReader } from "@tinyscheduler/core/record/situationOf"
import type { RecordedRound } from "@tinyscheduler/core/replay/walk"
import * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import * as Result from "effect/Result"
import { Refused } from "../asking/Refused.ts"
import { eachRecordOfSome, recordsOf } from "./eachRecord.ts"
import { passOf } from "./selection.ts"

export const recordedSituation = Effect.fn("records.situation")(function* (pass: string, file: Option.Option<string>) {
  const { paths, source } = yield* recordsOf(file)
  const rounds: Array<RecordedRound> = []
  const { odd } = yield* eachRecordOfSome(source, yield* passOf(pass), (round) => void rounds.push(round))
  const [round] = rounds
  if (round === undefined) {
    const first = odd[0]
    return yield* new Refused({ reason: `${first?.path ?? ""} holds what is no record: ${first?.problem ?? ""}` })
  }
  const situation = makeSituationReader()(round.parts)
  if (Result.isFailure(situation))
    return yield* new Refused({ reason: `${round.line.id}: ${situation.failure.message}` })
  const { desired, observed } = situation.success
  const plan = reconcile(observed, desired)
  const withheld = new Set(round.line.withheld)
  return {
    /** Where logs are, if the record is of this scheduler. */
    logs: paths?.logs ?? "",
    record: { id: round.line.id, at: round.line.at },
    situation: situation.success,
    plan,
    /** The tasks of which an action waited for approval. */
    awaitingApproval: plan.actions.filter((_action, place) => withheld.has(place)).map(actionTaskId)
  }
})
