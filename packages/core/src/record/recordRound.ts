/** Whether a round is worth a record, and the line that tells of it. Pure: who keeps the lines is another's matter. */
import type { Action, Plan } from "../domain/Plan.ts"
import type { Situation } from "../domain/Situation.ts"
import { timestampOf } from "../domain/time.ts"
import { reconcile } from "../reconcile/reconcile.ts"
import { partsOf } from "./Parts.ts"
import type { Parts } from "./Parts.ts"
import { lineOf, nextId } from "./RecordLine.ts"
import type { RecordId } from "./RecordLine.ts"
import { withoutSecrets } from "./withoutSecrets.ts"

/** The round that was recorded last. */
export interface Recorded {
  readonly id: RecordId
  readonly parts: Parts
}

const nothing: ReadonlyArray<Action> = []

const verdictKey = "verdict/"

const verdictCount = (parts: Parts): number => {
  let count = 0
  for (const key of parts.keys()) if (key.startsWith(verdictKey)) count += 1
  return count
}

/** A round that does nothing and says of each task what the one before said, or of none at all, has decided nothing. */
export const decidesSomething = (
  plan: Plan,
  before: Recorded | null,
  withheld: ReadonlyArray<Action> = nothing
): boolean => {
  if (plan.actions.length > withheld.length) return true
  if (before === null) return plan.verdicts.length > 0
  return (
    verdictCount(before.parts) !== plan.verdicts.length ||
    plan.verdicts.some((verdict) => before.parts.get(`${verdictKey}${verdict.taskId}`) !== JSON.stringify(verdict))
  )
}

/** A round that was just recorded, with the line to append. */
export interface NewRecord extends Recorded {
  /** The line, without its line break. */
  readonly line: string
}

/**
 * The record of a round. What is recorded as its plan is what reconcile makes of what is recorded, so that a replay can be
 * exact; where that is not the plan that is carried out, the line says so.
 */
export const recordRound = (
  round: Situation,
  plan: Plan,
  before: { readonly id: RecordId | null; readonly parts: Parts | null },
  withheld: ReadonlyArray<Action> = nothing
): NewRecord => {
  const bare = withoutSecrets(round)
  const barePlan = bare === round ? plan : reconcile(bare.observed, bare.desired)
  const differs = bare !== round && JSON.stringify(barePlan) !== JSON.stringify(plan)
  const parts = partsOf(bare, barePlan)
  const id = nextId(before.id, plan.nowMs)
  const places = plan.actions.flatMap((action, place) => (withheld.includes(action) ? [place] : []))
  return {
    id,
    parts,
    line: lineOf(before.parts, parts, { id, at: timestampOf(plan.nowMs), differs, withheld: places })
  }
}
