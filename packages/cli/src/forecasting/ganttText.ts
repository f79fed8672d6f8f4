/** A forecast as a picture of characters: one line per task, time to the right. */
import { describeDuration } from "@tinyscheduler/core/domain/durationText"
import { escapeShort } from "../output/escape.ts"
import type { Bar } from "./gantt.ts"

const rowsMax = 200
const labelMax = 24
/** A picture narrower than this shows nothing. */
const chartLeast = 10

/** `█` is an attempt, `▓` one that runs already; the last line is the scale. */
export const ganttText = (bars: ReadonlyArray<Bar>, width: number): string => {
  const shown = bars.slice(0, rowsMax)
  const labels = shown.map(({ agent, taskId }) => escapeShort(`${taskId} ${agent}`, labelMax))
  const labelWidth = Math.max(0, ...labels.map((label) => label.length))
  const chart = Math.max(chartLeast, width - labelWidth - 3)
  const longestMs = Math.max(1, ...bars.map(({ endMs }) => endMs))
  const column = (ms: number): number => Math.round((ms / longestMs) * chart)
  const rows = shown.map(({ endMs, found, startMs }, at) => {
    const from = Math.min(column(startMs), chart - 1)
    const length = Math.max(1, column(endMs) - from)
    const bar = `${" ".repeat(from)}${(found ? "▓" : "█").repeat(length)}`
    return `${(labels[at] ?? "").padEnd(labelWidth)} |${bar.padEnd(chart)}|`
  })
  const end = describeDuration(longestMs)
  const scale = `${" ".repeat(labelWidth)}  now${end.padStart(Math.max(end.length + 1, chart - 3))}`
  const left = bars.length - shown.length
  return [...rows, ...(left > 0 ? [`… and ${left} more`] : []), scale].join("\n")
}
