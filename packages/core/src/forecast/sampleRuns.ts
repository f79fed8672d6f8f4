/** Many forecasts with durations drawn by chance: when half of them, and when nine of ten, have a task started and ended. */
import type { TaskId } from "../domain/identifiers.ts"
import type { Situation } from "../domain/Situation.ts"
import { quantile } from "./DurationModel.ts"
import type { DurationModel } from "./DurationModel.ts"
import { forecast } from "./forecast.ts"
import type { ForecastOptions } from "./forecast.ts"

/** Half of the runs stay below the one, nine of ten below the other. Milliseconds. */
export interface Quantiles {
  readonly p50: number
  readonly p90: number
}

/** One task over all runs in which it starts. Moments are milliseconds since 1970 UTC. */
export interface SampledTask {
  readonly taskId: TaskId
  /** In how many of the runs it starts. */
  readonly runs: number
  readonly startMs: Quantiles
  readonly endMs: Quantiles
}

/** What many forecasts say together. */
export interface Samples {
  readonly runs: number
  readonly seed: number
  readonly makespanMs: Quantiles
  readonly tasks: ReadonlyArray<SampledTask>
}

const quantilesOf = (values: ReadonlyArray<number>): Quantiles => {
  const ordered = [...values].sort((left, right) => left - right)
  return { p50: quantile(ordered, 0.5), p90: quantile(ordered, 0.9) }
}

/** So many forecasts with drawn durations; the same seed draws the same. */
export const sampleRuns = (
  situation: Situation,
  model: DurationModel,
  options: ForecastOptions & { readonly runs: number; readonly seed: number }
): Samples => {
  const { runs, seed } = options
  const makespans: Array<number> = []
  const times = new Map<TaskId, { readonly starts: Array<number>; readonly ends: Array<number> }>()
  for (let run = 0; run < runs; run += 1) {
    const made = forecast(situation, model.drawn(seed, run), options)
    makespans.push(made.makespanMs)
    for (const { endMs, startMs, taskId } of made.attempts) {
      const known = times.get(taskId) ?? { starts: [], ends: [] }
      known.starts.push(startMs)
      known.ends.push(endMs)
      times.set(taskId, known)
    }
  }
  return {
    runs,
    seed,
    makespanMs: quantilesOf(makespans),
    tasks: [...times]
      .map(([taskId, { ends, starts }]) => ({
        taskId,
        runs: starts.length,
        startMs: quantilesOf(starts),
        endMs: quantilesOf(ends)
      }))
      .sort((left, right) => left.taskId - right.taskId)
  }
}
