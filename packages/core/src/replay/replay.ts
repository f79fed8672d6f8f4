/** Replay: the plan of a recorded round made once more, by the same reconcile, and compared with the recorded one to the byte. */
import * as Result from "effect/Result"
import type { Plan } from "../domain/Plan.ts"
import type { Situation } from "../domain/Situation.ts"
import { firstDifference, planTextOf } from "../record/planText.ts"
import { planParts } from "../record/Parts.ts"
import type { RecordId } from "../record/RecordLine.ts"
import type { SituationReader } from "../record/situationOf.ts"
import { reconcile } from "../reconcile/reconcile.ts"
import type { RecordedRound } from "./walk.ts"

/** What became of one record. */
export interface Replayed {
  readonly id: RecordId
  readonly at: string
  readonly result:
    | { readonly _tag: "Same" }
    | { readonly _tag: "Differs"; readonly key: string; readonly recorded: string | null; readonly made: string | null }
    /** The record can't be understood. */
    | { readonly _tag: "Odd"; readonly problem: string }
  /** The plan that was carried out was another than that of what is recorded. */
  readonly wasAnother: boolean
  readonly situation: Situation | null
  /** What is planned now. */
  readonly plan: Plan | null
}

/** Supposes something about what a plan was made of: other settings, say. */
export type Suppose = (situation: Situation) => Situation

const asItWas: Suppose = (situation) => situation

/**
 * Plans a recorded round once more, and compares to the byte. `suppose` changes what it is planned from; then any
 * difference is its doing.
 */
export const replay = ({ line, parts }: RecordedRound, read: SituationReader, suppose: Suppose = asItWas): Replayed => {
  const head = { id: line.id, at: line.at, wasAnother: line.differs === true }
  const odd = (problem: string): Replayed => ({
    ...head,
    situation: null,
    plan: null,
    result: { _tag: "Odd", problem }
  })
  const found = read(parts)
  if (Result.isFailure(found)) return odd(found.failure.message)
  const recorded = planTextOf(parts)
  if (Result.isFailure(recorded)) return odd(recorded.failure)
  const situation = suppose(found.success)
  const plan = reconcile(situation.observed, situation.desired)
  const text = JSON.stringify(plan)
  const difference = text === recorded.success ? null : firstDifference(parts, planParts(plan))
  if (difference !== null) return { ...head, situation, plan, result: { _tag: "Differs", ...difference } }
  // Every part the same, and yet another text: then the order of a plan's fields has changed.
  const result: Replayed["result"] =
    text === recorded.success
      ? { _tag: "Same" }
      : { _tag: "Differs", key: "the order of its fields", recorded: recorded.success, made: text }
  return { ...head, situation, plan, result }
}
