/** The one order in which ready tasks compete for slots; the last criterion is unique, so the order of input never matters. */
import type { Policy } from "../domain/DesiredState.ts"
import type { Task } from "../domain/Task.ts"
import type { BlockingWeb } from "./blocking.ts"

interface Keyed {
  readonly task: Task
  readonly waiting: number
}

const byAgeThenId = (left: Task, right: Task): number =>
  left.createdAt < right.createdAt ? -1 : left.createdAt > right.createdAt ? 1 : left.id - right.id

/**
 * `blockers`: 1 tasks that more others wait for, 2 higher priority, 3 older, 4 id. `priority`: 2, 1, 3, 4.
 * With blocking disabled, the server's order: 2, 3, 4.
 */
export const sortTasks = (tasks: ReadonlyArray<Task>, web: BlockingWeb, policy: Policy): ReadonlyArray<Task> => {
  const keyed = tasks.map((task): Keyed => ({ task, waiting: policy.disableBlocking ? 0 : web.waitingOn(task.id) }))
  const compare =
    policy.order === "blockers"
      ? (left: Keyed, right: Keyed) =>
          right.waiting - left.waiting || right.task.priority - left.task.priority || byAgeThenId(left.task, right.task)
      : (left: Keyed, right: Keyed) =>
          right.task.priority - left.task.priority || right.waiting - left.waiting || byAgeThenId(left.task, right.task)
  return keyed.sort(compare).map(({ task }) => task)
}
