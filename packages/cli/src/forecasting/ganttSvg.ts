/** A forecast as an SVG: one bar per task, one colour per agent, titles as tooltips. Needs no font and no script. */
import { describeDuration } from "@tinyscheduler/core/forecast/durationText"
import { escapeShort } from "../output/escape.ts"
import type { Bar } from "./gantt.ts"

const rowHeight = 20
const labelWidth = 260
const chartWidth = 720
const top = 30
const rowsMax = 2000
const colours = ["#3b7dd8", "#d8843b", "#3ba55d", "#a04bc4", "#c43b57", "#2a9d9d", "#8a7a2f", "#6b6f76"]

const markup: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" }
const text = (raw: string, width: number): string =>
  escapeShort(raw, width).replace(/[&<>"']/g, (character) => markup[character] ?? "")

export const ganttSvg = (bars: ReadonlyArray<Bar>, titles: ReadonlyMap<number, string>): string => {
  const shown = bars.slice(0, rowsMax)
  const longestMs = Math.max(1, ...bars.map(({ endMs }) => endMs))
  const agents = [...new Set(bars.map(({ agent }) => agent))].sort()
  const left = (ms: number): number => Math.round((labelWidth + (ms / longestMs) * chartWidth) * 10) / 10
  const width = labelWidth + chartWidth + 20
  const height = top + shown.length * rowHeight + 10
  const lines = [0, 1, 2, 3, 4].flatMap((quarter) => {
    const ms = (longestMs * quarter) / 4
    const x = left(ms)
    return [
      `<line x1="${x}" y1="${top - 6}" x2="${x}" y2="${height - 6}" stroke="#ccc"/>`,
      `<text x="${x}" y="${top - 12}" text-anchor="middle">${quarter === 0 ? "now" : describeDuration(ms)}</text>`
    ]
  })
  const rows = shown.flatMap(({ agent, endMs, found, startMs, taskId }, at) => {
    const y = top + at * rowHeight
    const title = titles.get(taskId) ?? ""
    const colour = colours[agents.indexOf(agent) % colours.length] ?? "#6b6f76"
    const bar = Math.max(1, Math.round((left(endMs) - left(startMs)) * 10) / 10)
    return [
      `<text x="4" y="${y + 14}">${text(`${taskId} ${title}`, 36)}</text>`,
      `<rect x="${left(startMs)}" y="${y + 3}" width="${bar}" height="${rowHeight - 6}" fill="${colour}"${found ? ' opacity="0.6"' : ""}>`,
      `<title>${text(`${taskId} ${title} (${agent})`, 200)}</title></rect>`
    ]
  })
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="sans-serif" font-size="11">`,
    `<rect width="100%" height="100%" fill="#fff"/>`,
    ...lines,
    ...rows,
    "</svg>",
    ""
  ].join("\n")
}
