/** Less than the whole graph: what is linked at all, or what has to do with one task. */
import type { TaskId } from "../domain/identifiers.ts"
import type { BlockingGraph } from "./Graph.ts"
import { drawnOf } from "./blockingGraph.ts"
import type { TaskWeight } from "./findCriticalPath.ts"
import { linksOf } from "./links.ts"

const partOf = (graph: BlockingGraph, kept: ReadonlySet<TaskId>, durationOf?: TaskWeight): BlockingGraph =>
  drawnOf(
    {
      ...graph,
      nodes: graph.nodes.filter(({ taskId }) => kept.has(taskId)),
      edges: graph.edges.filter(({ blocked, blocker }) => kept.has(blocked) && kept.has(blocker))
    },
    durationOf
  )

/** Only tasks that block or are blocked. */
export const linkedPart = (graph: BlockingGraph, durationOf?: TaskWeight): BlockingGraph =>
  partOf(graph, new Set(graph.edges.flatMap(({ blocked, blocker }) => [blocked, blocker])), durationOf)

const reachedFrom = (start: TaskId, next: (taskId: TaskId) => ReadonlyArray<TaskId>): ReadonlySet<TaskId> => {
  const reached = new Set([start])
  // Grows while it is read.
  for (const taskId of reached) for (const neighbour of next(taskId)) reached.add(neighbour)
  return reached
}

/** One task, all that it waits for and all that waits for it; null where the graph does not have it. */
export const partAround = (graph: BlockingGraph, taskId: TaskId, durationOf?: TaskWeight): BlockingGraph | null => {
  if (!graph.nodes.some((node) => node.taskId === taskId)) return null
  const { blockersOf, waitersOf } = linksOf(graph.edges)
  return partOf(graph, new Set([...reachedFrom(taskId, blockersOf), ...reachedFrom(taskId, waitersOf)]), durationOf)
}
