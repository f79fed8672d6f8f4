/** Two forecasts beside each other: how much sooner or later all is done, and which tasks end at another time. */
import type { TaskId } from "../domain/identifiers.ts"
import type { Forecast } from "./forecast.ts"

/** A task that ends at another time. Milliseconds. */
export interface TaskShift {
  readonly taskId: TaskId
  /** From the forecast's now on; null = it never ends, or nobody can say when. */
  readonly beforeMs: number | null
  readonly afterMs: number | null
}

/** What two forecasts from the same moment on say otherwise. Milliseconds. */
export interface ForecastDifference {
  /** Less than 0 = all is done sooner. */
  readonly makespanMs: number
  /** Of the tasks that both tell of, those that end at another time; in the order of tasks. */
  readonly shifts: ReadonlyArray<TaskShift>
}

/** When each task ends that a forecast tells of. */
export const endsOf = (made: Forecast): ReadonlyMap<TaskId, number | null> => {
  const ends = new Map<TaskId, number | null>()
  for (const { end, endMs, taskId } of made.attempts) ends.set(taskId, end === "done" ? endMs - made.nowMs : null)
  for (const taskId of [...made.never.map((task) => task.taskId), ...made.outside]) ends.set(taskId, null)
  for (const { endMs, taskId } of made.parents) ends.set(taskId, endMs - made.nowMs)
  return ends
}

/** A task that is in one of them only (done, or added) has no shift: it is part of what was supposed. */
export const compareForecasts = (before: Forecast, after: Forecast): ForecastDifference => {
  const then = endsOf(after)
  return {
    makespanMs: after.makespanMs - before.makespanMs,
    shifts: [...endsOf(before)]
      .flatMap(([taskId, beforeMs]) => {
        const afterMs = then.get(taskId)
        return afterMs === undefined || afterMs === beforeMs ? [] : [{ taskId, beforeMs, afterMs }]
      })
      .sort((left, right) => left.taskId - right.taskId)
  }
}
