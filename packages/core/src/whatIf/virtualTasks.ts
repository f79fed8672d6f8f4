/** The list of open tasks as Tinytask would show it after changes that did not happen: what an end unblocks, and what parents become. */
import type { TaskId } from "../domain/identifiers.ts"
import { isOpen } from "../domain/Task.ts"
import type { Task } from "../domain/Task.ts"

export interface VirtualTasks {
  readonly all: () => ReadonlyArray<Task>
  readonly get: (taskId: TaskId) => Task | undefined
  readonly change: (taskId: TaskId, fields: Pick<Partial<Task>, "status" | "assignee">) => void
  /** The task leaves the list. Answers what is complete now: the task, and the parents that the server completes with it. */
  readonly complete: (taskId: TaskId) => ReadonlyArray<Task>
}

const groupBy = (tasks: Iterable<Task>, key: (task: Task) => TaskId | null): ReadonlyMap<TaskId, Set<TaskId>> => {
  const groups = new Map<TaskId, Set<TaskId>>()
  for (const task of tasks) {
    const of = key(task)
    if (of === null) continue
    const group = groups.get(of)
    if (group === undefined) groups.set(of, new Set([task.id]))
    else group.add(task.id)
  }
  return groups
}

/**
 * Whoever is blocked by a task that is complete is free, and a parent's status follows its subtasks: complete with the
 * last of them, `working` while one is. Both are the server's doing, and no decision of ours.
 */
export const makeVirtualTasks = (listed: ReadonlyArray<Task>): VirtualTasks => {
  const byId = new Map(listed.filter(isOpen).map((task) => [task.id, task] as const))
  const blockedBy = groupBy(byId.values(), (task) => task.blockedBy)
  const subtasks = groupBy(byId.values(), (task) => task.parent)

  /** From a task whose status changed upwards. A list may hold parents in a circle: it ends where nothing changes. */
  const follow = (parent: TaskId | null): ReadonlyArray<Task> => {
    const task = parent === null ? undefined : byId.get(parent)
    if (task === undefined) return []
    const open = [...(subtasks.get(task.id) ?? [])].flatMap((id) => byId.get(id) ?? [])
    if (open.length === 0) return complete(task.id)
    const status = open.some((subtask) => subtask.status === "working") ? "working" : "idle"
    if (status === task.status) return []
    byId.set(task.id, { ...task, status })
    return follow(task.parent === task.id ? null : task.parent)
  }

  const complete = (taskId: TaskId): ReadonlyArray<Task> => {
    const task = byId.get(taskId)
    if (task === undefined) return []
    byId.delete(taskId)
    for (const id of blockedBy.get(taskId) ?? []) {
      const waiting = byId.get(id)
      if (waiting !== undefined) byId.set(id, { ...waiting, blocked: false })
    }
    if (task.parent !== null) subtasks.get(task.parent)?.delete(taskId)
    return [{ ...task, status: "complete" }, ...follow(task.parent)]
  }

  return {
    all: () => [...byId.values()],
    get: (taskId) => byId.get(taskId),
    change: (taskId, fields) => {
      const task = byId.get(taskId)
      if (task === undefined) return
      byId.set(taskId, { ...task, ...fields })
      follow(task.parent)
    },
    complete
  }
}
