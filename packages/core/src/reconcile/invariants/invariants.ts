/**
 * What must hold of every plan, written without a look at how plans are made: from the observation alone, naively.
 * Property tests, the simulation and `apply` use the same predicates; apply drops the starts of a plan that breaks one.
 */
import type { DesiredState } from "../../domain/DesiredState.ts"
import type { ObservedState } from "../../domain/ObservedState.ts"
import type { Plan } from "../../domain/Plan.ts"
import { actionTaskId } from "../actionTaskId.ts"
import { deathIsProven } from "./endings.ts"
import { epochsGrow, noIdleSlot, oncePerTask, onlyTheReady, withinLimits } from "./starts.ts"
import { isUnderWay, openTasks } from "./underWay.ts"
import type { Check, InvariantId, Violation } from "./Violation.ts"

/** (g) Each open task and each lease has exactly one verdict. */
const oneVerdictEach: Check = (observed, _desired, plan) => {
  const counts = new Map<number, number>()
  for (const { taskId } of plan.verdicts) counts.set(taskId, (counts.get(taskId) ?? 0) + 1)
  const expected = new Set<number>([
    ...openTasks(observed).keys(),
    ...observed.records.filter(isUnderWay).map(({ taskId }) => taskId as number)
  ])
  return [
    ...[...expected].filter((taskId) => !counts.has(taskId)).map((taskId) => `task ${taskId} has no verdict`),
    ...[...counts].filter(([, count]) => count > 1).map(([taskId, count]) => `task ${taskId} has ${count} verdicts`),
    ...plan.actions.flatMap((action) =>
      action._tag !== "Sweep" && !counts.has(actionTaskId(action))
        ? [`task ${actionTaskId(action)} is acted on without a verdict`]
        : []
    )
  ]
}

/** The invariants that one plan can break. */
export const planInvariants: ReadonlyArray<{ readonly id: InvariantId; readonly check: Check }> = [
  { id: "a", check: withinLimits },
  { id: "b", check: oncePerTask },
  { id: "c", check: onlyTheReady },
  { id: "d", check: deathIsProven },
  { id: "g", check: oneVerdictEach },
  { id: "h", check: epochsGrow },
  { id: "i", check: noIdleSlot }
]

/** Every way in which a plan breaks an invariant; empty for a good one. */
export const violationsOf = (observed: ObservedState, desired: DesiredState, plan: Plan): ReadonlyArray<Violation> =>
  planInvariants.flatMap(({ check, id }) =>
    check(observed, desired, plan).map((message): Violation => ({ invariant: id, message }))
  )
