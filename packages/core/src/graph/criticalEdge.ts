/** Which edges lie on the critical path: those between two tasks that follow each other on it. */
import type { CriticalPath, GraphEdge } from "./Graph.ts"

export const criticalEdge = ({ taskIds }: CriticalPath): ((edge: GraphEdge) => boolean) => {
  const place = new Map(taskIds.map((taskId, index) => [taskId, index] as const))
  return ({ blocked, blocker }) => {
    const at = place.get(blocker)
    return at !== undefined && place.get(blocked) === at + 1
  }
}
