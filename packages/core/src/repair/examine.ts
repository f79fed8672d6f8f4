/** The sight of a repair put together by task: files, task, history, and what a pass would say of it. */
import type { HistoryLine } from "../domain/Attempts.ts"
import type { DesiredState } from "../domain/DesiredState.ts"
import type { TaskId } from "../domain/identifiers.ts"
import type { Verdict } from "../domain/Plan.ts"
import type { Task } from "../domain/Task.ts"
import { isOpen } from "../domain/Task.ts"
import type { TaskRecord } from "../domain/TaskRecord.ts"
import type { UnreadableFile } from "../ports/StateInventory.ts"
import { attemptView } from "../reconcile/attemptView.ts"
import type { AttemptView } from "../reconcile/attemptView.ts"
import { reconcile } from "../reconcile/reconcile.ts"
import { makeUnaccounted } from "./hindrance.ts"
import type { RepairSight } from "./RepairSight.ts"

/** Everything about one number: files, task, history, and what a pass would say of it. */
export interface Case {
  readonly taskId: TaskId
  readonly record: TaskRecord | null
  readonly view: AttemptView
  readonly task: Task | null
  readonly lines: ReadonlyArray<HistoryLine>
  readonly verdict: Verdict | null
}

export interface Examination {
  readonly sight: RepairSight
  readonly desired: DesiredState
  readonly unaccounted: ReadonlyArray<number>
  /** Files that can't be read, by path. */
  readonly unreadable: ReadonlyMap<string, UnreadableFile>
  /** Paths of files that others may write. They may be as good as they were, and are not replaced behind their owner's back. */
  readonly untrusted: ReadonlySet<string>
  /** By task id. */
  readonly cases: ReadonlyArray<Case>
}

const groupByTask = <A extends { readonly taskId: TaskId }>(
  items: ReadonlyArray<A>
): ReadonlyMap<TaskId, ReadonlyArray<A>> => {
  const groups = new Map<TaskId, Array<A>>()
  for (const item of items) {
    const group = groups.get(item.taskId)
    if (group === undefined) groups.set(item.taskId, [item])
    else group.push(item)
  }
  return groups
}

export const examine = (sight: RepairSight, desired: DesiredState): Examination => {
  const { observed } = sight
  const plan = reconcile(observed, desired)
  const tasks = observed.tinytask._tag === "Read" ? observed.tinytask.tasks.filter(isOpen) : []
  const taskOf = new Map(tasks.map((task) => [task.id, task] as const))
  const recordOf = new Map(observed.records.map((record) => [record.taskId, record] as const))
  const verdictOf = new Map(plan.verdicts.map((verdict) => [verdict.taskId, verdict] as const))
  const linesOf = groupByTask(sight.inventory.history)
  const cases = [...new Set([...recordOf.keys(), ...taskOf.keys()])]
    .sort((left, right) => left - right)
    .map((taskId): Case => {
      const record = recordOf.get(taskId) ?? null
      return {
        taskId,
        record,
        view: record === null ? { _tag: "Nothing" } : attemptView(record),
        task: taskOf.get(taskId) ?? null,
        lines: linesOf.get(taskId) ?? [],
        verdict: verdictOf.get(taskId) ?? null
      }
    })
  return {
    sight,
    desired,
    unaccounted: makeUnaccounted(sight),
    unreadable: new Map(sight.inventory.unreadable.map((file) => [file.path, file] as const)),
    untrusted: new Set(sight.inventory.odd.flatMap((file) => (file._tag === "Untrusted" ? [file.path] : []))),
    cases
  }
}
