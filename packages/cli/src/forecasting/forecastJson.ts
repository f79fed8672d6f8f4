/** A forecast as JSON. What is named here stays. */
import { timestampOf } from "@tinyscheduler/core/domain/time"
import type { sourcesOf, Told } from "./forecastText.ts"

export const forecastJson = ({ made, samples, titles, warnings }: Told, sources: ReturnType<typeof sourcesOf>) => ({
  version: 1,
  now: timestampOf(made.nowMs),
  makespanMs: made.makespanMs,
  tasks: made.attempts.map(({ agent, end, endMs, found, overdue, queue, startMs, taskId }) => ({
    task: taskId,
    title: titles.get(taskId) ?? null,
    agent,
    queue,
    start: timestampOf(startMs),
    end: timestampOf(endMs),
    running: found,
    stopping: end === "stopped",
    overdue
  })),
  parents: made.parents.map(({ endMs, taskId }) => ({ task: taskId, end: timestampOf(endMs) })),
  never: made.never.map(({ reasons, taskId }) => ({ task: taskId, reasons })),
  outside: made.outside,
  agents: made.agents,
  starving: made.starving,
  durations: Object.fromEntries(sources),
  samples,
  warnings
})
