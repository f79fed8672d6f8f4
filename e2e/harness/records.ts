/** What agents themselves wrote down: every run with its start and its end, and what follows from them. */
import { existsSync, readFileSync } from "node:fs"

export interface RecordLine {
  readonly what: string
  readonly task: number
  readonly agent: string
  readonly epoch: number
  readonly pid: number
  readonly at: number
  readonly note?: unknown
}

export interface Run {
  readonly task: number
  readonly agent: string
  readonly epoch: number
  readonly pid: number
  readonly startMs: number
  /** Infinite while it runs, and for one that was killed. */
  readonly endMs: number
}

export const readRecord = (file: string): ReadonlyArray<RecordLine> =>
  existsSync(file)
    ? readFileSync(file, "utf8")
        .split("\n")
        .filter((line) => line.endsWith("}"))
        .map((line): RecordLine => JSON.parse(line))
    : []

/** A run is one process: its start and its end bear the same task, epoch and pid. */
export const runsOf = (lines: ReadonlyArray<RecordLine>): ReadonlyArray<Run> =>
  lines
    .filter(({ what }) => what === "start")
    .map(({ agent, at, epoch, pid, task }) => {
      const end = lines.find(
        (line) => line.what === "end" && line.task === task && line.pid === pid && line.epoch === epoch
      )
      return { task, agent, epoch, pid, startMs: at, endMs: end?.at ?? Number.POSITIVE_INFINITY }
    })
    .sort((left, right) => left.startMs - right.startMs)

/** The most runs at the same time; one that ends in the millisecond in which another starts does not overlap it. */
export const mostAtOnce = (runs: ReadonlyArray<Run>): number =>
  Math.max(0, ...runs.map(({ startMs }) => runs.filter((run) => run.startMs <= startMs && startMs < run.endMs).length))

/** By agent: the most at once. */
export const mostByAgent = (runs: ReadonlyArray<Run>): Readonly<Record<string, number>> =>
  Object.fromEntries(
    [...new Set(runs.map(({ agent }) => agent))]
      .sort()
      .map((agent) => [agent, mostAtOnce(runs.filter((run) => run.agent === agent))])
  )

/** Runs of one task that overlap in time. */
export const overlaps = (runs: ReadonlyArray<Run>): ReadonlyArray<readonly [Run, Run]> =>
  runs.flatMap((run, index) =>
    runs
      .slice(index + 1)
      .filter((other) => other.task === run.task && other.startMs < run.endMs && run.startMs < other.endMs)
      .map((other) => [run, other] as const)
  )
