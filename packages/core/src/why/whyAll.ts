/** All waiting tasks by the kinds of reason for which they wait. */
import type { TaskId } from "../domain/identifiers.ts"
import type { Plan, WaitReason } from "../domain/Plan.ts"

/** The tasks that wait for one kind of reason. */
export interface WaitingGroup {
  readonly reason: WaitReason["_tag"]
  /** A task with several reasons stands in several groups. */
  readonly waiting: ReadonlyArray<{ readonly taskId: TaskId; readonly reason: WaitReason }>
}

/** The largest group first. */
export const whyAll = (plan: Pick<Plan, "verdicts">): ReadonlyArray<WaitingGroup> => {
  const groups = new Map<WaitReason["_tag"], Map<TaskId, WaitReason>>()
  for (const verdict of plan.verdicts) {
    if (verdict._tag !== "Wait") continue
    for (const reason of verdict.reasons) {
      const group = groups.get(reason._tag) ?? new Map<TaskId, WaitReason>()
      groups.set(reason._tag, group)
      // Of several agents that are paused, the first is enough to stand in the list.
      if (!group.has(verdict.taskId)) group.set(verdict.taskId, reason)
    }
  }
  return [...groups]
    .map(([reason, tasks]) => ({ reason, waiting: [...tasks].map(([taskId, first]) => ({ taskId, reason: first })) }))
    .sort((left, right) => right.waiting.length - left.waiting.length || (left.reason < right.reason ? -1 : 1))
}
