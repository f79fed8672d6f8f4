/** What both pictures of a forecast show: one bar per attempt, in the order of their starts. */
import type { Forecast } from "@tinyscheduler/core/forecast/forecast"

export interface Bar {
  readonly taskId: number
  readonly agent: string
  /** From the forecast's now on; what ran before begins at 0. */
  readonly startMs: number
  readonly endMs: number
  readonly found: boolean
}

export const barsOf = ({ attempts, nowMs }: Forecast): ReadonlyArray<Bar> =>
  attempts.map(({ agent, endMs, found, startMs, taskId }) => ({
    taskId,
    agent,
    startMs: Math.max(0, startMs - nowMs),
    endMs: endMs - nowMs,
    found
  }))
