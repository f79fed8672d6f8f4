/** One fill for each state, the same in every picture; dark text is readable on all of them. */
import type { GraphState } from "./Graph.ts"

export const stateColours: { readonly [K in GraphState]: string } = {
  start: "#cfe8fc",
  running: "#c8e6c9",
  finish: "#dcedc8",
  stop: "#ffe0b2",
  reclaim: "#ffccbc",
  waiting: "#f5f5f5",
  ignored: "#e1d5e7",
  unlisted: "#fff3b0"
}

/** The border of what is in a cycle. */
export const cycleColour = "#c62828"
