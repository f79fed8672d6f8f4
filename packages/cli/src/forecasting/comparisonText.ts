/** Forecasts side by side: one column for how it is, one for each setting that it is compared with. */
import { compareForecasts } from "@tinyscheduler/core/forecast/compareForecasts"
import type { TaskShift } from "@tinyscheduler/core/forecast/compareForecasts"
import { describeDuration } from "@tinyscheduler/core/domain/durationText"
import type { Forecast } from "@tinyscheduler/core/forecast/forecast"
import type { Samples } from "@tinyscheduler/core/forecast/sampleRuns"
import { escapeShort } from "../output/escape.ts"
import { table } from "../output/table.ts"

export interface Column {
  /** "as it is", or what is supposed in this one. */
  readonly name: string
  readonly made: Forecast
  readonly samples: Samples | null
  readonly warnings: ReadonlyArray<string>
}

const nameMax = 60
const titleMax = 40
const shiftsMax = 20

const lengthOf = (ms: number | null): string => (ms === null ? "never" : describeDuration(ms))

/** Negative = sooner. What never ends is later than anything. */
const shiftMs = ({ afterMs, beforeMs }: TaskShift): number =>
  (afterMs ?? Number.MAX_SAFE_INTEGER) - (beforeMs ?? Number.MAX_SAFE_INTEGER)

const shiftText = (shift: TaskShift): string => {
  const ms = shiftMs(shift)
  if (shift.afterMs === null || shift.beforeMs === null) return ms < 0 ? "at last" : "no more"
  return `${describeDuration(Math.abs(ms))} ${ms < 0 ? "sooner" : "later"}`
}

const useOf = ({ made }: Column, agent: string): string => {
  const use = made.agents.find((one) => one.agent === agent)
  if (use === undefined) return ""
  return `${use.slots} slot${use.slots === 1 ? "" : "s"}${use.share === null ? "" : `, ${Math.round(use.share * 100)} %`}`
}

const summary = (columns: ReadonlyArray<Column>): string => {
  const row = (head: string, cell: (column: Column) => string): ReadonlyArray<string> => [head, ...columns.map(cell)]
  const runs = columns[0]?.samples?.runs ?? 0
  const chance = (share: "p50" | "p90") => (column: Column) => lengthOf(column.samples?.makespanMs[share] ?? null)
  const agents = [...new Set(columns.flatMap(({ made }) => made.agents.map(({ agent }) => agent)))].sort()
  return table(
    ["", ...columns.map(({ name }) => escapeShort(name, nameMax))],
    [
      row("all done in", ({ made }) => (made.attempts.length === 0 ? "nothing starts" : lengthOf(made.makespanMs))),
      ...(runs === 0
        ? []
        : [row(`half of ${runs} by chance within`, chance("p50")), row("nine of ten within", chance("p90"))]),
      ...agents.map((agent) => row(`busy: ${agent}`, (column) => useOf(column, agent))),
      row("never start", ({ made }) => String(made.never.length)),
      row("starve", ({ made }) => String(made.starving.length))
    ]
  )
}

const movesText = (base: Column, other: Column, titles: ReadonlyMap<number, string>): ReadonlyArray<string> => {
  const { shifts } = compareForecasts(base.made, other.made)
  const sooner = shifts.filter((shift) => shiftMs(shift) < 0).length
  const largest = shifts.toSorted((left, right) => Math.abs(shiftMs(right)) - Math.abs(shiftMs(left)))
  const rows = largest
    .slice(0, shiftsMax)
    .map((shift) => [
      String(shift.taskId),
      escapeShort(titles.get(shift.taskId) ?? "", titleMax),
      lengthOf(shift.beforeMs),
      lengthOf(shift.afterMs),
      shiftText(shift)
    ])
  const name = escapeShort(other.name, nameMax)
  if (shifts.length === 0) return ["", `with ${name} every task ends when it would anyway`]
  return [
    "",
    `with ${name} ${sooner} end sooner, ${shifts.length - sooner} later:`,
    table(["task", "title", escapeShort(base.name, nameMax), "then", ""], rows),
    ...(shifts.length > rows.length ? [`… and ${shifts.length - rows.length} more, which move less`] : [])
  ]
}

/** A warning that every column has is said once. */
const warningsText = (columns: ReadonlyArray<Column>): ReadonlyArray<string> =>
  [...new Set(columns.flatMap(({ warnings }) => warnings))].map((warning) => {
    const having = columns.filter(({ warnings }) => warnings.includes(warning))
    const where =
      having.length === columns.length ? "" : ` (${having.map(({ name }) => escapeShort(name, nameMax)).join("; ")})`
    return `warning: ${warning}${where}`
  })

export const comparisonText = (
  base: Column,
  others: ReadonlyArray<Column>,
  titles: ReadonlyMap<number, string>
): string =>
  [
    summary([base, ...others]),
    ...others.flatMap((other) => movesText(base, other, titles)),
    ...warningsText([base, ...others])
  ].join("\n")
