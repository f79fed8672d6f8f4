/**
 * One round, of a plan that somebody has approved: carried out only while all that it rests on is as it was. What is
 * carried out is the plan made now, never the one that was kept. The caller holds the lock.
 */
import * as Effect from "effect/Effect"
import type { ObservedState } from "../domain/ObservedState.ts"
import type { Plan } from "../domain/Plan.ts"
import type { PlanSubject } from "../domain/PlanSubject.ts"
import { preconditionSubjectOf } from "../reconcile/precondition.ts"
import { subjectDifference } from "../reconcile/subjectDifference.ts"
import { carryOutRound, plan, prepareRound } from "./pass.ts"
import type { LookInput, PassInput, Round } from "./pass.ts"

/** Refused, with one sentence for each difference and nothing done; or carried out. */
export type Approved =
  | { readonly _tag: "Stale"; readonly differences: ReadonlyArray<string> }
  | { readonly _tag: "CarriedOut"; readonly round: Round }

const differences = (
  approved: PlanSubject,
  { desired }: LookInput,
  sight: { readonly observed: ObservedState; readonly plan: Plan }
): ReadonlyArray<string> => subjectDifference(approved, preconditionSubjectOf(sight.observed, desired, sight.plan))

/** In what the plan that would be made now differs from the approved one, in sentences; none while it holds. Writes nothing. */
export const staleness = Effect.fn("pass.staleness")(function* (input: LookInput, approved: PlanSubject) {
  return differences(approved, input, yield* plan(input))
})

const stale = (found: ReadonlyArray<string>): Approved => ({ _tag: "Stale", differences: found })

/** A round, if what is planned now rests on what the approved plan rested on. Fails as `runPass` does. */
export const applyApproved = Effect.fn("pass.applyApproved")(function* (input: PassInput, approved: PlanSubject) {
  // A look first: a plan that is refused leaves everything as it was, what commands have asked for too.
  const before = yield* staleness(input, approved)
  if (before.length > 0) return stale(before)
  const prepared = yield* prepareRound(input)
  const now = differences(approved, input, prepared)
  if (now.length > 0) return stale(now)
  const done: Approved = { _tag: "CarriedOut", round: yield* carryOutRound(input, prepared, []) }
  return done
})
