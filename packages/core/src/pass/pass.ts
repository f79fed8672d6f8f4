/**
 * One pass: observe, reconcile, check, apply; and again while it freed something, at most three rounds, so that what
 * its own endings freed is used at once. The caller holds the lock. The dry run is the same without apply.
 */
import * as Effect from "effect/Effect"
import * as Ref from "effect/Ref"
import type { DesiredState } from "../domain/DesiredState.ts"
import type { Term } from "../domain/identifiers.ts"
import type { ObservedState } from "../domain/ObservedState.ts"
import type { Plan } from "../domain/Plan.ts"
import { reconcile } from "../reconcile/reconcile.ts"
import type { Violation } from "../reconcile/invariants.ts"
import type { ActionResult } from "./ActionResult.ts"
import { apply } from "./apply.ts"
import type { PassMemory } from "./memory.ts"
import { observe } from "./observe.ts"

/** The most rounds of one pass. */
export const roundsMax = 3

export interface Round {
  readonly observed: ObservedState
  readonly plan: Plan
  readonly violations: ReadonlyArray<Violation>
  readonly results: ReadonlyArray<ActionResult>
}

export interface PassReport {
  readonly rounds: ReadonlyArray<Round>
  /** One sentence each; a pass with any exits 1. */
  readonly errors: ReadonlyArray<string>
}

export interface PassInput {
  readonly desired: DesiredState
  readonly memory: PassMemory
  readonly term: Term | null
  readonly startsOffReason: string | null
  readonly logDirectory: string
  /** Told of each round as soon as its plan stands, and again when it was applied. */
  readonly onPlan: (observed: ObservedState, plan: Plan) => Effect.Effect<void>
  readonly onResults: (results: ReadonlyArray<ActionResult>) => Effect.Effect<void>
}

/** What is seen and what would be done, without doing it. Writes nothing, takes no lock. */
export const plan = Effect.fn("pass.plan")(function* (
  input: Pick<PassInput, "desired" | "memory" | "startsOffReason">
) {
  const observed = yield* observe({
    desired: input.desired,
    startFaults: yield* Ref.get(input.memory.startFaults),
    startsOffReason: input.startsOffReason,
    stops: yield* Ref.get(input.memory.stops)
  })
  return { observed, plan: reconcile(observed, input.desired) }
})

/** Whether a round may have freed or undone something that the next observation should see at once. */
const callsForAnother = (results: ReadonlyArray<ActionResult>): boolean =>
  results.some(({ _tag, action }) =>
    action._tag === "Start"
      ? _tag !== "Applied"
      : _tag === "Applied" && action._tag !== "Note" && action._tag !== "Stop"
  )

const errorsOf = (
  { observed, plan, results, violations }: Round,
  expectedReason: string | null
): ReadonlyArray<string> => [
  ...(observed.startsOffReason === null || observed.startsOffReason === expectedReason
    ? []
    : [`nothing is started: ${observed.startsOffReason}`]),
  ...(plan.tinytask._tag === "Unread" ? [plan.tinytask.reason] : []),
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

export const runPass = Effect.fn("pass.run")(function* (input: PassInput) {
  const rounds: Array<Round> = []
  for (let round = 0; round < roundsMax; round += 1) {
    const { observed, plan: made } = yield* plan(input)
    yield* input.onPlan(observed, made)
    const { results, violations } = yield* apply({
      observed,
      desired: input.desired,
      plan: made,
      memory: input.memory,
      term: input.term,
      logDirectory: input.logDirectory
    })
    yield* input.onResults(results)
    rounds.push({ observed, plan: made, violations, results })
    if (!callsForAnother(results)) break
  }
  return {
    rounds,
    errors: [...new Set(rounds.flatMap((round) => errorsOf(round, input.startsOffReason)))]
  } satisfies PassReport
})
