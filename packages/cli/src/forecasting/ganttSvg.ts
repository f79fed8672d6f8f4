/** A forecast as an SVG: one bar per task with its agent's name and colour, titles as tooltips. Needs no font and no script. */
import { describeDuration } from "@tinyscheduler/core/domain/durationText"
import { escapeShort } from "../output/escape.ts"
import type { Bar } from "./gantt.ts"

const rowHeight = 20
const labelWidth = 260
const chartWidth = 720
const rightWidth = 40
const top = 30
const rowsMax = 2000
/** Dark enough for white letters. */
const colours = ["#2f6fc9", "#b8651b", "#2d8a4e", "#a04bc4", "#c43b57", "#1f8585", "#7d6e24", "#6b6f76"]

const markup: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" }
const text = (raw: string, width: number): string =>
  escapeShort(raw, width).replace(/[&<>"']/g, (character) => markup[character] ?? "")

/** About what a character of this size takes; fonts differ. */
const characterWidth = 6.5

const second = 1000
const minute = 60 * second
const hour = 60 * minute
const day = 24 * hour
const steps = [
  ...[1, 2, 5, 10, 15, 30].flatMap((count) => [count * second, count * minute]),
  ...[1, 2, 3, 6, 12, 24, 48, 7 * 24].map((count) => count * hour)
].sort((left, right) => left - right)
const ticksMax = 8

/** Round moments, at most eight after now. */
const ticksOf = (longestMs: number): ReadonlyArray<number> => {
  const fitting = steps.find((step) => longestMs / step <= ticksMax)
  const stepMs = fitting ?? Math.ceil(longestMs / ticksMax / (7 * day)) * 7 * day
  return Array.from({ length: Math.floor(longestMs / stepMs) + 1 }, (_, nth) => nth * stepMs)
}

const rounded = (value: number): number => Math.round(value * 10) / 10

/** Inside the bar where it has room, else after it, else before it. */
const nameBeside = (name: string, from: number, to: number, y: number): string => {
  const width = characterWidth * name.length + 8
  if (width <= to - from) return `<text x="${rounded(from + 4)}" y="${y}" fill="#fff">${name}</text>`
  return to + width <= labelWidth + chartWidth + rightWidth
    ? `<text x="${rounded(to + 4)}" y="${y}">${name}</text>`
    : `<text x="${rounded(from - 4)}" y="${y}" text-anchor="end">${name}</text>`
}

export const ganttSvg = (bars: ReadonlyArray<Bar>, titles: ReadonlyMap<number, string>): string => {
  const shown = bars.slice(0, rowsMax)
  const longestMs = Math.max(1, ...bars.map(({ endMs }) => endMs))
  const agents = [...new Set(bars.map(({ agent }) => agent))].sort()
  const left = (ms: number): number => rounded(labelWidth + (ms / longestMs) * chartWidth)
  const width = labelWidth + chartWidth + rightWidth
  const height = top + shown.length * rowHeight + 10
  const lines = ticksOf(longestMs).flatMap((ms) => {
    const x = left(ms)
    return [
      `<line x1="${x}" y1="${top - 6}" x2="${x}" y2="${height - 6}" stroke="#ccc"/>`,
      `<text x="${x}" y="${top - 12}" text-anchor="middle">${ms === 0 ? "now" : describeDuration(ms)}</text>`
    ]
  })
  const rows = shown.flatMap(({ agent, endMs, found, startMs, taskId }, at) => {
    const y = top + at * rowHeight
    const title = titles.get(taskId) ?? ""
    const colour = colours[agents.indexOf(agent) % colours.length] ?? "#000"
    const from = left(startMs)
    const bar = Math.max(1, rounded(left(endMs) - from))
    return [
      `<text x="4" y="${y + 14}">${text(`${taskId} ${title}`, 36)}</text>`,
      `<rect x="${from}" y="${y + 3}" width="${bar}" height="${rowHeight - 6}" fill="${colour}"${found ? ' opacity="0.6"' : ""}>`,
      `<title>${text(`${taskId} ${title} (${agent})`, 200)}</title></rect>`,
      nameBeside(text(agent, 20), from, rounded(from + bar), y + 14)
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
