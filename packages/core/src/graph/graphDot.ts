/**
 * The graph as DOT, for Graphviz. Labels hold no quotation mark at all, and backslashes only in pairs, so that no title can
 * end its label; entities are written out, since Graphviz reads them within labels too.
 */
import { criticalEdge } from "./criticalEdge.ts"
import type { BlockingGraph, GraphEdge, GraphNode } from "./Graph.ts"
import { shownTitle } from "./shownTitle.ts"
import { cycleColour, stateColours } from "./stateColours.ts"

/** Ampersands first: the other two make some. */
export const dotText = (text: string): string =>
  text
    .replaceAll("&", "&amp;")
    .replaceAll('"', "&quot;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll("\\", "\\\\")

const nodeLine = ({ state, taskId, title }: GraphNode, inCycle: boolean): string => {
  const label = dotText(`${taskId} ${shownTitle(title)}`.trim())
  const border = inCycle ? `, color="${cycleColour}", penwidth=3` : ""
  return `  ${taskId} [label="${label}\\n${state}", fillcolor="${stateColours[state]}"${border}]`
}

const edgeLine = ({ blocked, blocker, kind }: GraphEdge, isCritical: boolean): string => {
  const looks = [...(kind === "subtask" ? ["style=dashed"] : []), ...(isCritical ? ["penwidth=3"] : [])]
  return `  ${blocker} -> ${blocked}${looks.length === 0 ? "" : ` [${looks.join(", ")}]`}`
}

/** Thick arrows are the critical path, dashed ones lead from subtasks to their parents, red borders are cycles. */
export const graphDot = (graph: BlockingGraph): string => {
  const isCritical = criticalEdge(graph.criticalPath)
  const inCycles = new Set(graph.cycles.flatMap(({ members }) => members))
  return [
    "digraph blocking {",
    "  rankdir=LR",
    '  node [shape=box, style="rounded,filled", fontname="Helvetica"]',
    ...graph.nodes.map((node) => nodeLine(node, inCycles.has(node.taskId))),
    ...graph.edges.map((edge) => edgeLine(edge, isCritical(edge))),
    "}"
  ].join("\n")
}
