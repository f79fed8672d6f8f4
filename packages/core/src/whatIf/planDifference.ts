/** How one plan differs from another: per task, in the order of tasks. Numbers that only tell how full things are don't count. */
import type { TaskId } from "../domain/identifiers.ts"
import type { Plan, Verdict, WaitReason } from "../domain/Plan.ts"
import { describeReason, describeVerdict } from "../reconcile/describe.ts"

/** What two plans say of one task. */
export interface VerdictDifference {
  readonly taskId: TaskId
  /** Null = the plan has no verdict on this task. */
  readonly before: Verdict | null
  readonly after: Verdict | null
}

const byTask = (plan: Pick<Plan, "verdicts">): ReadonlyMap<TaskId, Verdict> =>
  new Map(plan.verdicts.map((verdict) => [verdict.taskId, verdict] as const))

/** A reason without how full something is: with one more slot every task that still waits would seem to have changed. */
const sayReason = (reason: WaitReason): string => {
  if (reason._tag === "NoFreeSlot") return `${reason._tag} ${reason.agents}`
  if (reason._tag === "QueueLimit") return `${reason._tag} ${reason.queue}`
  return reason._tag === "GlobalLimit" ? reason._tag : describeReason(reason)
}

const say = (verdict: Verdict): string =>
  verdict._tag === "Wait" ? JSON.stringify(verdict.reasons.map(sayReason)) : describeVerdict(verdict)

const isSame = (left: Verdict | undefined, right: Verdict | undefined): boolean =>
  left === undefined || right === undefined ? left === right : say(left) === say(right)

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
