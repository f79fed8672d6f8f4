/**
 * Apply: carry out a plan, action by action, each only while the files still say what the plan saw. It decides nothing.
 * A plan that breaks an invariant loses its starts; one failed action never keeps the others from happening.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { newAgentRecord } from "../domain/Attempts.ts"
import type { AgentRecord } from "../domain/Attempts.ts"
import type { DesiredState } from "../domain/DesiredState.ts"
import { Term as TermSchema } from "../domain/identifiers.ts"
import type { Term } from "../domain/identifiers.ts"
import type { ObservedState } from "../domain/ObservedState.ts"
import type { Action, Plan } from "../domain/Plan.ts"
import { timestampOf } from "../domain/time.ts"
import { AttemptHistory } from "../ports/AttemptHistory.ts"
import { recordAgentEnding } from "../reconcile/recordEnding.ts"
import { planInvariants, violationsOf } from "../reconcile/invariants/invariants.ts"
import type { Violation } from "../reconcile/invariants/Violation.ts"
import { failed, skipped } from "./ActionResult.ts"
import type { ActionResult } from "./ActionResult.ts"
import { applyEnd } from "./applyEnd.ts"
import { applyEndLegacy } from "./applyEndLegacy.ts"
import { applyNote, applyRebuild, applySweep } from "./applySmall.ts"
import { applyStart } from "./applyStart.ts"
import type { ApplyContext } from "./applyStart.ts"
import { applyStop } from "./applyStop.ts"
import type { PassMemory } from "./memory.ts"
import { sweepCgroups } from "./sweepCgroups.ts"

export interface ApplyInput {
  readonly observed: ObservedState
  readonly desired: DesiredState
  readonly plan: Plan
  /** Actions of the plan that somebody has to approve first. */
  readonly withheld: ReadonlyArray<Action>
  readonly memory: PassMemory
  /** Null when the term could not be raised: then only signals are sent. */
  readonly term: Term | null
  readonly logDirectory: string
}

export interface Applied {
  readonly violations: ReadonlyArray<Violation>
  readonly results: ReadonlyArray<ActionResult>
}

/** What of a plan may be carried out: all of it, or without starts and without endings that themselves break an invariant. */
const permitted = (input: ApplyInput, violations: ReadonlyArray<Violation>): ReadonlyArray<Action> => {
  const { desired, observed, plan, term, withheld } = input
  const without = new Set(withheld)
  const actions = plan.actions.filter((action) => !without.has(action))
  if (term === null) return actions.filter(({ _tag }) => _tag === "Stop")
  if (violations.length === 0) return actions
  const deathIsProven = planInvariants.find(({ id }) => id === "d")?.check
  return actions.filter(
    (action) =>
      action._tag !== "Start" && deathIsProven?.(observed, desired, { ...plan, actions: [action] }).length === 0
  )
}

const applyOne = Effect.fnUntraced(function* (action: Action, context: ApplyContext) {
  switch (action._tag) {
    case "Note":
      return yield* applyNote(action, context)
    case "Rebuild":
      return yield* applyRebuild(action, context)
    case "Stop":
      return yield* applyStop(action, context)
    case "End":
      return yield* applyEnd(action, context)
    case "EndLegacy":
      return yield* applyEndLegacy(action, context)
    case "Sweep":
      return yield* applySweep(action)
    case "Start":
      return yield* applyStart(action, context)
  }
})

/** Actions that would each wait for a server which has just failed to answer, one after another. */
const asksTinytask = (action: Action): boolean =>
  action._tag === "Start" || action._tag === "End" || action._tag === "EndLegacy"

const noTerm: Term = TermSchema.make(0)

/** What starts and endings change in the agents' records: last use, failed starts in a row. */
const agentRecordsAfter = (
  agents: ReadonlyArray<AgentRecord>,
  results: ReadonlyArray<ActionResult>,
  desired: DesiredState,
  nowMs: number
): ReadonlyArray<AgentRecord> => {
  const records = new Map<string, AgentRecord>(agents.map((record) => [record.agentName, record]))
  for (const result of results) {
    if (result._tag !== "Applied") continue
    const { action, outcome } = result
    if (action._tag === "Start") {
      const record = records.get(action.agent) ?? newAgentRecord(action.agent)
      records.set(action.agent, { ...record, lastStart: timestampOf(nowMs) })
    }
    if (action._tag === "End" && outcome !== null) {
      const { agent, taskId } = action.attempt
      const record = records.get(agent) ?? newAgentRecord(agent)
      records.set(agent, recordAgentEnding(record, outcome, { nowMs, taskId }, desired.policy))
    }
  }
  return [...records.values()].sort((left, right) => (left.agentName < right.agentName ? -1 : 1))
}

const writeAgents = Effect.fnUntraced(function* (input: ApplyInput, results: ReadonlyArray<ActionResult>) {
  const history = yield* AttemptHistory
  const touched = results.some(
    ({ _tag, action }) => _tag === "Applied" && (action._tag === "Start" || action._tag === "End")
  )
  if (!touched) return
  const { agents, paused } = yield* history.readAgents
  const nowMs = yield* Clock.currentTimeMillis
  yield* history.writeAgents({ agents: agentRecordsAfter(agents, results, input.desired, nowMs), paused })
})

export const apply = Effect.fn("apply")(function* (input: ApplyInput) {
  const violations = violationsOf(input.observed, input.desired, input.plan)
  const context: ApplyContext = {
    desired: input.desired,
    memory: input.memory,
    // Without a term only stops pass `permitted`, and a stop carries none.
    term: input.term ?? noTerm,
    hasTerm: input.term !== null,
    logDirectory: input.logDirectory
  }
  const results: Array<ActionResult> = []
  let tinytaskLost = false
  for (const action of permitted(input, violations)) {
    if (tinytaskLost && asksTinytask(action)) {
      results.push(skipped(action, "Tinytask went out of reach"))
      continue
    }
    // An action is one piece: a pass that is interrupted ends between two, and leaves nothing half done.
    const result = yield* applyOne(action, context).pipe(Effect.uninterruptible, Effect.result)
    if (Result.isSuccess(result)) results.push(result.success)
    else {
      // A lost lock ends everything: from here on another scheduler may be writing.
      if (result.failure._tag === "LockLost") return yield* result.failure
      tinytaskLost ||= result.failure._tag === "TaskQueueUnreachable"
      results.push(failed(action, result.failure.message))
    }
  }
  if (input.term !== null) yield* sweepCgroups(input.observed)
  const written = yield* Effect.result(writeAgents(input, results))
  if (Result.isFailure(written)) {
    if (written.failure._tag === "LockLost") return yield* written.failure
    yield* Effect.logWarning(`the agents' records were not kept: ${written.failure.message}`)
  }
  return { violations, results } satisfies Applied
})
