/** What Tinytask says of the tasks that records are about. A number alone identifies no task: endpoint and creation belong to it. */
import type { TaskId } from "../domain/identifiers.ts"
import type { ObservedState } from "../domain/ObservedState.ts"
import type { Task } from "../domain/Task.ts"
import type { TaskRecord } from "../domain/TaskRecord.ts"
import type { TaskSight } from "./attemptFacts.ts"

/** How many open subtasks each parent has. */
export const countSubtasks = (tasks: ReadonlyArray<Task>): ReadonlyMap<TaskId, number> => {
  const counts = new Map<TaskId, number>()
  for (const { parent } of tasks) if (parent !== null) counts.set(parent, (counts.get(parent) ?? 0) + 1)
  return counts
}

/** The task that a record is about: endpoint, number and creation identify it. */
const identityOf = ({
  attempts,
  lease
}: TaskRecord): { readonly endpoint: string; readonly createdAt: string } | null => {
  if (lease._tag === "Read") return { endpoint: lease.lease.endpoint, createdAt: lease.lease.taskCreatedAt }
  return attempts === null ? null : { endpoint: attempts.endpoint, createdAt: attempts.taskCreatedAt }
}

/** Whether two spellings lead to the same Tinytask. */
export const isSameEndpoint = (left: string, right: string): boolean => bareEndpoint(left) === bareEndpoint(right)

/** One spelling of those that lead to the same. */
export const bareEndpoint = (endpoint: string): string => endpoint.replace(/\/(?:mcp\/?)?$/, "").toLowerCase()

/** What Tinytask says of the task of a record: from the list, else from the look-up. */
export const taskSights = (
  observed: ObservedState,
  endpoint: string,
  tasks: ReadonlyArray<Task>,
  openSubtasks: ReadonlyMap<TaskId, number>
): ((record: TaskRecord) => TaskSight) => {
  const { tinytask } = observed
  if (tinytask._tag === "Unread") return () => tinytask
  const listed = new Map(tasks.map((task) => [task.id, task] as const))
  const lookedUp = new Map(tinytask.lookedUp.map(({ task, taskId }) => [taskId, task] as const))
  return (record) => {
    const { taskId } = record
    const task = listed.get(taskId) ?? lookedUp.get(taskId)
    if (task === undefined) return { _tag: "Unread", reason: "the task was not looked up" }
    const own = identityOf(record)
    // Another server has other tasks under the same numbers: what it says of ours is nothing.
    if (own !== null && task?.createdAt !== own.createdAt && !isSameEndpoint(own.endpoint, endpoint)) {
      return { _tag: "Unread", reason: `its task is in the Tinytask at ${own.endpoint}` }
    }
    return task === null ? { _tag: "Gone" } : { _tag: "Found", task, openSubtasks: openSubtasks.get(taskId) ?? 0 }
  }
}
