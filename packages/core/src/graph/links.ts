/** The neighbours of each task in both directions, every list by task id and without doubles. */
import type { TaskId } from "../domain/identifiers.ts"
import type { GraphEdge } from "./Graph.ts"

export interface Links {
  readonly blockersOf: (taskId: TaskId) => ReadonlyArray<TaskId>
  readonly waitersOf: (taskId: TaskId) => ReadonlyArray<TaskId>
}

const add = (lists: Map<TaskId, Array<TaskId>>, key: TaskId, value: TaskId): void => {
  const list = lists.get(key)
  if (list === undefined) lists.set(key, [value])
  // A subtask may be its parent's blocker too: two edges, one neighbour, and they come one after the other.
  else if (list.at(-1) !== value) list.push(value)
}

/** Of edges in the order of a graph. */
export const linksOf = (edges: ReadonlyArray<GraphEdge>): Links => {
  const blockers = new Map<TaskId, Array<TaskId>>()
  const waiters = new Map<TaskId, Array<TaskId>>()
  for (const { blocked, blocker } of edges) {
    add(blockers, blocked, blocker)
    add(waiters, blocker, blocked)
  }
  return { blockersOf: (taskId) => blockers.get(taskId) ?? [], waitersOf: (taskId) => waiters.get(taskId) ?? [] }
}
