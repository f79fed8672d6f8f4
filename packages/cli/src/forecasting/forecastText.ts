/** A forecast in words: who starts when, how long it all takes, how busy agents are, and what is odd. */
import type { DesiredState } from "@tinyscheduler/core/domain/DesiredState"
import type { DurationModel, DurationSource } from "@tinyscheduler/core/forecast/DurationModel"
import { describeDuration } from "@tinyscheduler/core/domain/durationText"
import type { Forecast } from "@tinyscheduler/core/forecast/forecast"
import type { Samples } from "@tinyscheduler/core/forecast/sampleRuns"
import { starvedTimes } from "@tinyscheduler/core/forecast/starvation"
import { describeReason } from "@tinyscheduler/core/reconcile/describe"
import { escapeShort, escapeText } from "../output/escape.ts"
import { table } from "../output/table.ts"

const listedMax = 20

/** How many attempts went by which knowledge of their duration. */
export const sourcesOf = (made: Forecast, model: DurationModel): ReadonlyMap<DurationSource, number> => {
  const counts = new Map<DurationSource, number>()
  for (const attempt of made.attempts) {
    const source = model.sourceOf(attempt)
    counts.set(source, (counts.get(source) ?? 0) + 1)
  }
  return counts
}

/** What a person should know before believing the numbers. */
export const warningsOf = (made: Forecast, model: DurationModel, { agents }: DesiredState): ReadonlyArray<string> => {
  const limits = new Map<string, number>(agents.map(({ maxRuntimeSec, name }) => [name, maxRuntimeSec * 1000]))
  const tooLong = made.attempts.filter(({ agent, endMs, startMs }) => {
    const limit = limits.get(agent) ?? 0
    return limit > 0 && endMs - startMs > limit
  })
  const assumed = sourcesOf(made, model).get("default") ?? 0
  const overdue = made.attempts.filter((attempt) => attempt.overdue)
  const ids = (list: ReadonlyArray<{ readonly taskId: number }>): string =>
    `${list
      .slice(0, listedMax)
      .map(({ taskId }) => taskId)
      .join(" ")}${list.length > listedMax ? ` … (${list.length})` : ""}`
  return [
    ...(assumed === 0
      ? []
      : [`nothing is known of how long ${assumed} of them take: 10m each are assumed (--duration says better)`]),
    ...(overdue.length === 0 ? [] : [`run for longer than expected, a rest is assumed: ${ids(overdue)}`]),
    ...(tooLong.length === 0
      ? []
      : [`would be stopped at their agent's maxRuntimeSec before they end: ${ids(tooLong)}`]),
    ...made.starving.map(
      ({ medianMs, taskId, waitMs }) =>
        `task ${taskId} starves: ready for ${describeDuration(waitMs)} before it starts, more than ${starvedTimes} times the usual ${describeDuration(medianMs)}`
    ),
    ...(made.whole ? [] : ["it went on for too long and was cut off: what comes later is missing"])
  ]
}

const neverText = ({ never }: Forecast): ReadonlyArray<string> => {
  const groups = new Map<string, Array<number>>()
  for (const { reasons, taskId } of never) {
    const reason = escapeText(reasons.map(describeReason).join("; "))
    const group = groups.get(reason)
    if (group === undefined) groups.set(reason, [taskId])
    else group.push(taskId)
  }
  return [...groups].map(([reason, ids]) => {
    const rest = ids.length > listedMax ? ` … (${ids.length})` : ""
    return `never starts, ${reason}: ${ids.slice(0, listedMax).join(" ")}${rest}`
  })
}

export interface Told {
  readonly made: Forecast
  readonly samples: Samples | null
  readonly titles: ReadonlyMap<number, string>
  readonly warnings: ReadonlyArray<string>
}

const when = (ms: number): string => (ms <= 0 ? "now" : `+${describeDuration(ms)}`)

export const forecastText = ({ made, samples, titles, warnings }: Told): string => {
  const sampled = new Map(samples?.tasks.map((task) => [task.taskId, task]))
  const head = ["task", "title", "agent", "start", "end", ...(samples === null ? [] : ["end p50", "end p90"])]
  const rows = made.attempts.map(({ agent, end, endMs, found, startMs, taskId }) => {
    const luck = sampled.get(taskId)
    const quantiles =
      luck === undefined ? ["", ""] : [luck.endMs.p50, luck.endMs.p90].map((ms) => when(ms - made.nowMs))
    return [
      String(taskId),
      escapeShort(titles.get(taskId) ?? "", 40),
      agent,
      found ? (end === "stopped" ? "stopping" : "runs") : when(startMs - made.nowMs),
      when(endMs - made.nowMs),
      ...(samples === null ? [] : quantiles)
    ]
  })
  const use = made.agents.map(({ agent, share, slots }) => [
    agent,
    String(slots),
    share === null ? "" : `${Math.round(share * 100)} %`
  ])
  return [
    ...(rows.length === 0 ? ["nothing runs, and nothing will start"] : [table(head, rows)]),
    "",
    `all done in: ${describeDuration(made.makespanMs)}`,
    ...(samples === null
      ? []
      : [
          `by chance (${samples.runs} runs, seed ${samples.seed}): half of them within ${describeDuration(samples.makespanMs.p50)}, nine of ten within ${describeDuration(samples.makespanMs.p90)}`
        ]),
    "",
    table(["agent", "slots", "busy"], use),
    ...made.parents.map(
      ({ endMs, taskId }) => `task ${taskId} is complete with its last subtask: ${when(endMs - made.nowMs)}`
    ),
    ...(made.outside.length === 0 ? [] : [`worked on outside, no end is known: ${made.outside.join(" ")}`]),
    ...neverText(made),
    ...warnings.map((warning) => `warning: ${warning}`)
  ].join("\n")
}
