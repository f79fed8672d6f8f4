/**
 * What of a plan waits for somebody's yes, on sites that want to be asked. The plan itself is the same for all: it says what
 * is right to do, and a kept plan is approved as a whole.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { ObservedState } from "../domain/ObservedState.ts"
import type { Action, Plan } from "../domain/Plan.ts"
import type { ApplyRequest } from "../domain/Request.ts"
import { timestampOf } from "../domain/time.ts"
import { Requests } from "../ports/Requests.ts"

/** The kinds of actions that may need approval: new attempts, and the first rung of a stop. */
export type NeedsApproval = "starts" | "stops"

/** A stop that somebody asked for is approved by that; one that was begun goes on, or its agent would be left half ended. */
const isNewStop = (action: Extract<Action, { readonly _tag: "Stop" }>, observed: ObservedState): boolean =>
  action.record.reason !== "requested" && !observed.records.some(({ stop }) => stop?.token === action.attempt.token)

const needsApproval = (needs: ReadonlyArray<NeedsApproval>, observed: ObservedState, action: Action): boolean => {
  if (action._tag === "Start") return needs.includes("starts")
  return action._tag === "Stop" && needs.includes("stops") && isNewStop(action, observed)
}

/** The actions of a plan that are not carried out until a kept plan with them is applied. */
export const withheldOf = (
  needs: ReadonlyArray<NeedsApproval>,
  observed: ObservedState,
  plan: Plan
): ReadonlyArray<Action> =>
  needs.length === 0 ? [] : plan.actions.filter((action) => needsApproval(needs, observed, action))

/** Whether a plan that somebody kept and approved is the one that was made now. */
export const isApproved = (requests: ReadonlyArray<ApplyRequest>, plan: Plan): boolean =>
  requests.some(({ precondition }) => precondition === plan.precondition)

const answersOf = (plan: Plan, failures: number) => (request: ApplyRequest) => {
  if (request.precondition !== plan.precondition) {
    // After a crash it may be that a pass before has carried it out: then there is nothing left of it to do.
    const says = "the plan holds no more: this pass did nothing of it; make another with tinyscheduler plan -o"
    return { result: "refused", says } as const
  }
  const count = plan.actions.length
  const failed = failures === 0 ? "" : `; ${failures} of them failed, as the log says`
  return { result: "done", says: `carried out: ${count} ${count === 1 ? "action" : "actions"}${failed}` } as const
}

/**
 * Tells everybody who asked for a plan to be applied what came of it, after it happened. A crash before that loses no more
 * than the answer: the leases of what was begun are part of what a plan rests on, so that none is carried out twice. What
 * could not be told is an error of the pass, one sentence each.
 */
export const answerApprovals = Effect.fn("pass.answerApprovals")(function* (
  asked: ReadonlyArray<ApplyRequest>,
  plan: Plan,
  failures: number
) {
  const requests = yield* Requests
  const at = timestampOf(yield* Clock.currentTimeMillis)
  const answerOf = answersOf(plan, failures)
  const errors: Array<string> = []
  for (const request of asked) {
    const answer = answerOf(request)
    const told = yield* requests
      .answer({ version: 1, uuid: request.uuid, at, ...answer })
      .pipe(Effect.andThen(requests.remove(request)), Effect.uninterruptible, Effect.result)
    if (Result.isFailure(told)) {
      if (told.failure._tag === "LockLost") return yield* told.failure
      errors.push(`what came of a kept plan could not be told: ${told.failure.message}`)
    }
    yield* Effect.logInfo(`a kept plan, asked for by ${request.by}: ${answer.says}`)
  }
  return errors
})
