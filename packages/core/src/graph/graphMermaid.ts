/**
 * The graph as Mermaid. A title can't end its label nor begin anything else: all but letters, digits and a few marks is
 * written as a number, since Mermaid looks for directives, comments and links within quotation marks too.
 */
import { criticalEdge } from "./criticalEdge.ts"
import type { BlockingGraph, GraphEdge } from "./Graph.ts"
import { shownTitle } from "./shownTitle.ts"
import { cycleColour, stateColours } from "./stateColours.ts"

/** `#34;` is Mermaid's way to write a quotation mark. */
export const mermaidText = (text: string): string =>
  text.replace(/[^\p{L}\p{M}\p{N} .,_()…-]/gu, (character) => `#${character.codePointAt(0) ?? 0};`)

const arrowOf = (kind: GraphEdge["kind"], isCritical: boolean): string =>
  isCritical ? "==>" : kind === "subtask" ? "-.->" : "-->"

/** Thick arrows are the critical path, dotted ones lead from subtasks to their parents, red borders are cycles. */
export const graphMermaid = (graph: BlockingGraph): string => {
  const isCritical = criticalEdge(graph.criticalPath)
  const used = new Set(graph.nodes.map(({ state }) => state))
  const inCycles = graph.cycles.flatMap(({ members }) => members)
  return [
    "graph LR",
    ...graph.nodes.map(
      ({ state, taskId, title }) => `  t${taskId}["${mermaidText(`${taskId} ${shownTitle(title)}`.trim())}"]:::${state}`
    ),
    ...graph.edges.map((edge) => `  t${edge.blocker} ${arrowOf(edge.kind, isCritical(edge))} t${edge.blocked}`),
    ...[...used].sort().map((state) => `  classDef ${state} fill:${stateColours[state]},stroke:#555,color:#222`),
    ...(inCycles.length === 0
      ? []
      : [
          `  classDef cycle stroke:${cycleColour},stroke-width:3px`,
          ...inCycles.map((taskId) => `  class t${taskId} cycle`)
        ])
  ].join("\n")
}
