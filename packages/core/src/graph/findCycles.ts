/**
 * Which tasks wait for each other. A task has one blocker and any number of subtasks, so that cycles may share tasks:
 * their number can be exponential. Hence one cycle for each strongly connected part, with all of that part's members.
 * Linear, and without recursion: a chain may be as long as the queue.
 */
import type { TaskId } from "../domain/identifiers.ts"
import type { GraphCycle } from "./Graph.ts"
import type { Links } from "./links.ts"

type Next = (taskId: TaskId) => ReadonlyArray<TaskId>

/** Every task after all that can be reached from it, as far as no cycle forbids that. */
const inFinishOrder = (taskIds: ReadonlyArray<TaskId>, next: Next): ReadonlyArray<TaskId> => {
  const seen = new Set<TaskId>()
  const finished: Array<TaskId> = []
  for (const start of taskIds) {
    if (seen.has(start)) continue
    seen.add(start)
    const path = [{ taskId: start, at: 0 }]
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const neighbour = next(top.taskId)[top.at]
      top.at += 1
      if (neighbour === undefined) {
        finished.push(top.taskId)
        path.pop()
      } else if (!seen.has(neighbour)) {
        seen.add(neighbour)
        path.push({ taskId: neighbour, at: 0 })
      }
    }
  }
  return finished
}

/** Strongly connected parts: forwards in any order, then backwards from whatever was finished last (Kosaraju). */
const connectedParts = (taskIds: ReadonlyArray<TaskId>, links: Links): ReadonlyArray<ReadonlyArray<TaskId>> => {
  const seen = new Set<TaskId>()
  const parts: Array<ReadonlyArray<TaskId>> = []
  for (const start of inFinishOrder(taskIds, links.waitersOf).toReversed()) {
    if (seen.has(start)) continue
    seen.add(start)
    const part = [start]
    // Grows while it is read.
    for (const taskId of part) {
      for (const blocker of links.blockersOf(taskId)) {
        if (seen.has(blocker)) continue
        seen.add(blocker)
        part.push(blocker)
      }
    }
    parts.push(part)
  }
  return parts
}

/** The shortest way from a task along its blockers, within a part, back to itself. */
const wayRound = (start: TaskId, members: ReadonlySet<TaskId>, blockersOf: Next): ReadonlyArray<TaskId> => {
  const cameFrom = new Map<TaskId, TaskId>()
  const reached = [start]
  for (const taskId of reached) {
    for (const blocker of blockersOf(taskId)) {
      if (blocker === start) {
        const path: Array<TaskId> = []
        for (let at: TaskId | undefined = taskId; at !== undefined; at = cameFrom.get(at)) path.push(at)
        return path.toReversed()
      }
      if (!members.has(blocker) || cameFrom.has(blocker)) continue
      cameFrom.set(blocker, taskId)
      reached.push(blocker)
    }
  }
  return [start]
}

/** All cycles, by their smallest member. */
export const findCycles = (taskIds: ReadonlyArray<TaskId>, links: Links): ReadonlyArray<GraphCycle> =>
  connectedParts(taskIds, links)
    .filter((part) => part.length > 1 || part.some((taskId) => links.blockersOf(taskId).includes(taskId)))
    .map((part) => part.toSorted((left, right) => left - right))
    .flatMap((members): ReadonlyArray<GraphCycle> => {
      const [smallest] = members
      return smallest === undefined ? [] : [{ path: wayRound(smallest, new Set(members), links.blockersOf), members }]
    })
    .sort((left, right) => (left.path[0] ?? 0) - (right.path[0] ?? 0))
