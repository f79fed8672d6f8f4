/** Forecasts side by side as JSON. What is named here stays. */
import { timestampOf } from "@tinyscheduler/core/domain/time"
import { endsOf } from "@tinyscheduler/core/forecast/compareForecasts"
import type { Column } from "./comparisonText.ts"

const columnJson = ({ made, name, samples, warnings }: Column) => ({
  name,
  makespanMs: made.makespanMs,
  samples: samples === null ? null : { runs: samples.runs, seed: samples.seed, makespanMs: samples.makespanMs },
  agents: made.agents,
  never: made.never.map(({ taskId }) => taskId),
  outside: made.outside,
  starving: made.starving,
  warnings
})

/** Of each task its end in each column, in their order; null = it never ends there, or is not there. */
export const comparisonJson = (columns: ReadonlyArray<Column>, titles: ReadonlyMap<number, string>, nowMs: number) => {
  const ends = columns.map(({ made }) => endsOf(made))
  const tasks = [...new Set(ends.flatMap((ofOne) => [...ofOne.keys()]))].sort((left, right) => left - right)
  return {
    version: 1,
    now: timestampOf(nowMs),
    columns: columns.map(columnJson),
    tasks: tasks.map((taskId) => ({
      task: taskId,
      title: titles.get(taskId) ?? null,
      ends: ends.map((ofOne) => {
        const endMs = ofOne.get(taskId) ?? null
        return endMs === null ? null : timestampOf(nowMs + endMs)
      })
    }))
  }
}
