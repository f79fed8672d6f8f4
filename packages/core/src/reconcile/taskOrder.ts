/** The one order in which ready tasks compete for slots; the last criterion is unique, so the order of input never matters. */
import type { Policy } from "../domain/DesiredState.ts"
import type { Task } from "../domain/Task.ts"
import type { BlockingWeb } from "./blocking.ts"

interface Keyed {
  readonly task: Task
  readonly waiting: number
  readonly age: string
}

/** Text whose order is that of the moments: 10:00:00Z comes before 10:00:00.500Z, and is the same as 10:00:00.000Z. */
const ageOf = (createdAt: string): string =>
  createdAt.endsWith(".000Z")
    ? createdAt.slice(0, -5)
    : createdAt.includes(".")
      ? createdAt.replace(/\.?0*Z$/, "")
      : createdAt.slice(0, -1)

const byAgeThenId = (left: Keyed, right: Keyed): number =>
  left.age < right.age ? -1 : left.age > right.age ? 1 : left.task.id - right.task.id

/**
 * `blockers`: 1 tasks that more others wait for, 2 higher priority, 3 older, 4 id. `priority`: 2, 1, 3, 4.
 * With blocking disabled, the server's order: 2, 3, 4.
 */
export const sortTasks = (tasks: ReadonlyArray<Task>, web: BlockingWeb, policy: Policy): ReadonlyArray<Task> => {
  const keyed = tasks.map((task): Keyed => ({
    task,
    waiting: policy.disableBlocking ? 0 : web.waitingOn(task.id),
    age: ageOf(task.createdAt)
  }))
  const compare =
    policy.order === "blockers"
      ? (left: Keyed, right: Keyed) =>
          right.waiting - left.waiting || right.task.priority - left.task.priority || byAgeThenId(left, right)
      : (left: Keyed, right: Keyed) =>
          right.task.priority - left.task.priority || right.waiting - left.waiting || byAgeThenId(left, right)
  return keyed.sort(compare).map(({ task }) => task)
}
