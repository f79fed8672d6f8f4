/**
 * One pass: observe, reconcile, check, apply; and again while it freed something, at most three rounds, so that what
 * its own endings freed is used at once. The caller holds the lock. The dry run is the same without apply.
 */
import * as Effect from "effect/Effect"
import * as Ref from "effect/Ref"
import type { DesiredState } from "../domain/DesiredState.ts"
import type { Term } from "../domain/identifiers.ts"
import type { ObservedState } from "../domain/ObservedState.ts"
import type { Action, Plan } from "../domain/Plan.ts"
import type { ApplyRequest, Request } from "../domain/Request.ts"
import type { Situation } from "../domain/Situation.ts"
import { reconcile } from "../reconcile/reconcile.ts"
import { afterRequests } from "../requests/afterRequests.ts"
import type { Violation } from "../reconcile/invariants/Violation.ts"
import type { ActionResult } from "./ActionResult.ts"
import { apply } from "./apply.ts"
import { answerApprovals, isApproved, withheldOf } from "./approval.ts"
import type { NeedsApproval } from "./approval.ts"
import type { PassMemory } from "./memory.ts"
import { observe } from "./observe.ts"
import { describeSurvivors } from "./survivors.ts"
import { requestsNow, takeRequests } from "./takeRequests.ts"
import type { TakenRequests } from "./takeRequests.ts"

/** The most rounds of one pass. */
export const roundsMax = 3

/** What was decided in a round, and what of it waits for somebody's yes. */
export interface Decided extends Situation {
  readonly plan: Plan
  readonly withheld: ReadonlyArray<Action>
}

/** One observe, reconcile, check, apply. */
export interface Round extends Decided {
  readonly violations: ReadonlyArray<Violation>
  readonly results: ReadonlyArray<ActionResult>
  /** What of the requests of commands could not be carried out, one sentence each. */
  readonly requestErrors: ReadonlyArray<string>
}

/** What a pass did. */
export interface PassReport {
  readonly rounds: ReadonlyArray<Round>
  /** One sentence each; a pass with any exits 1. */
  readonly errors: ReadonlyArray<string>
}

/** What a pass needs beside its ports. */
export interface PassInput {
  readonly desired: DesiredState
  readonly memory: PassMemory
  /** Of the lock that is held; null = it could not be raised, so that nothing is written. */
  readonly term: Term | null
  /** Why nothing is to be started, for people; null = nothing speaks against it. */
  readonly startsOffReason: string | null
  /** What the paths of logs in leases begin with. */
  readonly logDirectory: string
  /** What is carried out only when a kept plan with it is applied; absent = all is carried out. */
  readonly needsApproval?: ReadonlyArray<NeedsApproval>
  /** Told of each round as soon as its plan stands, and again when it was applied. */
  readonly onPlan: (decided: Decided) => Effect.Effect<void>
  readonly onResults: (results: ReadonlyArray<ActionResult>) => Effect.Effect<void>
}

/** What a look needs: no lock, and nothing to tell anybody. */
export type LookInput = Pick<PassInput, "desired" | "memory" | "startsOffReason">

const look = Effect.fnUntraced(function* (input: LookInput, requests: ReadonlyArray<Request>) {
  return yield* observe({
    desired: input.desired,
    startFaults: yield* Ref.get(input.memory.startFaults),
    startsOffReason: input.startsOffReason,
    stops: yield* Ref.get(input.memory.stops),
    requests
  })
})

/**
 * What is seen and what would be done, without doing it. Writes nothing, takes no lock. What commands have asked for
 * counts as carried out, as the next pass begins with it.
 */
export const plan = Effect.fn("pass.plan")(function* (input: LookInput) {
  const observed = afterRequests(yield* look(input, yield* requestsNow()))
  return { observed, plan: reconcile(observed, input.desired) }
})

const noRequests: TakenRequests = { left: [], errors: [] }

export interface PreparedRound {
  readonly observed: ObservedState
  readonly plan: Plan
  readonly requestErrors: ReadonlyArray<string>
  /** Kept plans that are to be carried out if this is the one. */
  readonly approvals: ReadonlyArray<ApplyRequest>
}

/** The first half of a round: what commands asked for is carried out, then observe and reconcile. */
export const prepareRound = Effect.fn("pass.prepare")(function* (input: PassInput) {
  const requests = input.term === null ? noRequests : yield* takeRequests(input.desired)
  const observed = yield* look(input, requests.left)
  const made = reconcile(observed, input.desired)
  return {
    observed,
    plan: made,
    requestErrors: requests.errors,
    approvals: requests.left.filter((request) => request.kind === "apply")
  } satisfies PreparedRound
})

/** The second half: apply, but for what is withheld. */
export const carryOutRound = Effect.fn("pass.carryOut")(function* (
  input: PassInput,
  prepared: PreparedRound,
  withheld: ReadonlyArray<Action>
) {
  const { approvals, observed, plan: made, requestErrors } = prepared
  const decided: Decided = { observed, desired: input.desired, plan: made, withheld }
  yield* input.onPlan(decided)
  const { results, violations } = yield* apply({
    ...decided,
    memory: input.memory,
    term: input.term,
    logDirectory: input.logDirectory
  })
  yield* input.onResults(results)
  const untold = yield* answerApprovals(approvals, made, results.filter(({ _tag }) => _tag !== "Applied").length)
  return { ...decided, violations, results, requestErrors: [...requestErrors, ...untold] } satisfies Round
})

/** One round: what commands asked for is carried out, then observe, reconcile, apply. */
export const runRound = Effect.fn("pass.round")(function* (input: PassInput) {
  const prepared = yield* prepareRound(input)
  const needs = isApproved(prepared.approvals, prepared.plan) ? [] : (input.needsApproval ?? [])
  return yield* carryOutRound(input, prepared, withheldOf(needs, prepared.observed, prepared.plan))
})

/** Whether a round may have freed or undone something that the next observation should see at once. */
const callsForAnother = (results: ReadonlyArray<ActionResult>): boolean =>
  results.some(({ _tag, action }) =>
    action._tag === "Start"
      ? _tag !== "Applied"
      : _tag === "Applied" && action._tag !== "Note" && action._tag !== "Stop"
  )

/** One sentence each. */
export const errorsOf = (
  { observed, plan, requestErrors, results, violations }: Round,
  expectedReason: string | null
): ReadonlyArray<string> => [
  ...(observed.startsOffReason === null || observed.startsOffReason === expectedReason
    ? []
    : [`nothing is started: ${observed.startsOffReason}`]),
  ...(plan.tinytask._tag === "Unread" ? [plan.tinytask.reason] : []),
  ...requestErrors,
  ...violations.map(
    ({ invariant, message }) => `the plan breaks invariant (${invariant}), its starts were dropped: ${message}`
  ),
  ...results.flatMap((result) => (result._tag === "Failed" ? [result.error] : [])),
  ...plan.verdicts.flatMap((verdict) =>
    verdict._tag === "Wait"
      ? verdict.reasons.flatMap((reason) =>
          reason._tag === "LeaseUnreadable"
            ? [
                `the lease of task ${verdict.taskId} can't be read (${reason.path}: ${reason.problem}); the task is held`
              ]
            : reason._tag === "AttemptsUnreadable"
              ? [`the attempts file of task ${verdict.taskId} can't be read (${reason.problem}); the task is held`]
              : []
        )
      : []
  )
]

/**
 * A pass. The caller holds the lock. Fails only when it can't look at all, or the lock is lost: errors of single
 * actions stand in the report.
 */
export const runPass = Effect.fn("pass.run")(function* (input: PassInput) {
  const rounds: Array<Round> = []
  const survivors: Array<string> = []
  for (let round = 0; round < roundsMax; round += 1) {
    const made = yield* runRound(input)
    rounds.push(made)
    survivors.push(...(yield* describeSurvivors(made.observed, made.plan)))
    if (!callsForAnother(made.results)) break
  }
  const errors = [...new Set([...rounds.flatMap((round) => errorsOf(round, input.startsOffReason)), ...survivors])]
  const report: PassReport = { rounds, errors }
  return report
})
