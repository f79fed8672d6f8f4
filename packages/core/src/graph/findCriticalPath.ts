/**
 * The longest chain of tasks of which each waits for the one before: no number of slots lets the last of them end earlier.
 * What is in a cycle, or waits for one, never ends by itself and is in no chain. Linear, and without recursion.
 *
 * Of chains of one length: 1 the one of more tasks, 2 the one whose last has the smaller number, and so on towards its first.
 */
import type { TaskId } from "../domain/identifiers.ts"
import type { CriticalPath } from "./Graph.ts"
import type { Links } from "./links.ts"

/** How long a task takes, in any unit; not negative. */
export type TaskWeight = (taskId: TaskId) => number

interface Chain {
  readonly last: TaskId
  readonly before: Chain | null
  readonly count: number
  readonly length: number
}

const isLonger = (chain: Chain, than: Chain | undefined): boolean =>
  than === undefined ||
  chain.length > than.length ||
  (chain.length === than.length && (chain.count > than.count || (chain.count === than.count && chain.last < than.last)))

const membersOf = (chain: Chain | undefined): ReadonlyArray<TaskId> => {
  const members: Array<TaskId> = []
  for (let at: Chain | null = chain ?? null; at !== null; at = at.before) members.push(at.last)
  return members.toReversed()
}

/** Takes tasks whose blockers have all been taken, from those without any. */
export const findCriticalPath = (
  taskIds: ReadonlyArray<TaskId>,
  links: Links,
  durationOf: TaskWeight
): CriticalPath => {
  const open = new Map(taskIds.map((taskId) => [taskId, links.blockersOf(taskId).length] as const))
  const takeable = taskIds.filter((taskId) => open.get(taskId) === 0)
  const longestBefore = new Map<TaskId, Chain>()
  let longest: Chain | undefined
  // Grows while it is read.
  for (const taskId of takeable) {
    const before = longestBefore.get(taskId) ?? null
    const chain: Chain = {
      last: taskId,
      before,
      count: (before?.count ?? 0) + 1,
      length: (before?.length ?? 0) + durationOf(taskId)
    }
    if (isLonger(chain, longest)) longest = chain
    for (const waiter of links.waitersOf(taskId)) {
      if (isLonger(chain, longestBefore.get(waiter))) longestBefore.set(waiter, chain)
      const left = (open.get(waiter) ?? 0) - 1
      open.set(waiter, left)
      if (left === 0) takeable.push(waiter)
    }
  }
  return { taskIds: membersOf(longest), length: longest?.length ?? 0 }
}
