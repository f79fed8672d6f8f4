/** How one plan differs from another: per task, in the order of tasks. Numbers that only tell how full things are don't count. */
import type { TaskId } from "../domain/identifiers.ts"
import type { Plan, Verdict } from "../domain/Plan.ts"
import { describeVerdict } from "../reconcile/describe.ts"

export interface VerdictDifference {
  readonly taskId: TaskId
  /** Null = the plan has no verdict on this task. */
  readonly before: Verdict | null
  readonly after: Verdict | null
}

const byTask = (plan: Pick<Plan, "verdicts">): ReadonlyMap<TaskId, Verdict> =>
  new Map(plan.verdicts.map((verdict) => [verdict.taskId, verdict] as const))

const isSame = (left: Verdict | undefined, right: Verdict | undefined): boolean =>
  left === undefined || right === undefined ? left === right : describeVerdict(left) === describeVerdict(right)

/** The tasks on which two plans say something else, by number. */
export const planDifference = (
  before: Pick<Plan, "verdicts">,
  after: Pick<Plan, "verdicts">
): ReadonlyArray<VerdictDifference> => {
  const old = byTask(before)
  const now = byTask(after)
  return [...new Set([...old.keys(), ...now.keys()])]
    .sort((left, right) => left - right)
    .filter((taskId) => !isSame(old.get(taskId), now.get(taskId)))
    .map((taskId) => ({ taskId, before: old.get(taskId) ?? null, after: now.get(taskId) ?? null }))
}
