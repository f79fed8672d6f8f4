/**
 * How long attempts take: what was given, else what the history of done attempts shows of the same agent and queue, of
 * the queue, of the agent, of all; else ten minutes. A forecast says which it went by.
 */
import type { HistoryLine } from "../domain/Attempts.ts"
import type { TaskId } from "../domain/identifiers.ts"
import { millisOf } from "../domain/time.ts"
import { chanceOf } from "./chance.ts"
import type { GivenDuration } from "../domain/durationText.ts"
import type { DurationAsk, DurationOf } from "./VirtualMachine.ts"

/** Where nothing is given and nothing has ended yet. */
export const defaultDurationMs = 600_000

/** Fewer done attempts than this say too little of an agent or a queue; of all together one is better than none. */
const samplesMin = 3

/** No attempt takes no time: a start and an end of one second have one length at least. */
const leastMs = 1000

/** What a duration was taken from, the first that says anything. */
export type DurationSource = "given" | "agent and queue" | "queue" | "agent" | "all" | "default"

/** Durations that somebody gives, which count before any history. */
export interface GivenDurations {
  readonly ofTask: ReadonlyMap<TaskId, GivenDuration>
  /** By the name of an agent or a queue; an agent's counts before a queue's. */
  readonly byName: ReadonlyMap<string, GivenDuration>
  readonly ofAll: GivenDuration | null
}

export const noDurationsGiven: GivenDurations = { ofTask: new Map(), byName: new Map(), ofAll: null }

type Known =
  | { readonly source: "given"; readonly given: GivenDuration }
  | {
      readonly source: Exclude<DurationSource, "given" | "default">
      /** In order. */
      readonly samples: ReadonlyArray<number>
    }
  | { readonly source: "default" }

/** How long attempts take, in milliseconds: `forecast` takes `middle`, `sampleRuns` draws. */
export interface DurationModel {
  readonly sourceOf: (ask: DurationAsk) => DurationSource
  /** The middle: what was given, or the median of the samples. */
  readonly middle: DurationOf
  /** One throw: uniform within the spread, or one of the samples. The same for the same seed, run and task. */
  readonly drawn: (seed: number, run: number) => DurationOf
}

/** How long the done attempts of a history took. */
const doneLengths = (history: ReadonlyArray<HistoryLine>) =>
  history
    .filter(({ outcome }) => outcome === "done")
    .map(({ agentName, endedAt, queue, startedAt }) => ({
      agent: agentName,
      queue,
      ms: Math.max(leastMs, millisOf(endedAt) - millisOf(startedAt))
    }))

const keyOf = (agent: string | null, queue: string | null): string => JSON.stringify([agent, queue])

const samplesByKey = (history: ReadonlyArray<HistoryLine>): ReadonlyMap<string, ReadonlyArray<number>> => {
  const samples = new Map<string, Array<number>>()
  for (const { agent, ms, queue } of doneLengths(history)) {
    for (const key of new Set([keyOf(agent, queue), keyOf(null, queue), keyOf(agent, null), "all"])) {
      const known = samples.get(key)
      if (known === undefined) samples.set(key, [ms])
      else known.push(ms)
    }
  }
  for (const list of samples.values()) list.sort((left, right) => left - right)
  return samples
}

/** Of numbers in order, the one below which such a share of them lies; 0 of none. */
export const quantile = (ordered: ReadonlyArray<number>, share: number): number =>
  ordered[Math.min(ordered.length - 1, Math.max(0, Math.ceil(share * ordered.length) - 1))] ?? 0

/** A model of the history of attempts; of an empty one, ten minutes each. */
export const makeDurationModel = (
  history: ReadonlyArray<HistoryLine>,
  given: GivenDurations = noDurationsGiven
): DurationModel => {
  const samples = samplesByKey(history)
  const find = ({ agent, queue, taskId }: DurationAsk): Known => {
    const said =
      given.ofTask.get(taskId) ??
      given.byName.get(agent) ??
      (queue === null ? undefined : given.byName.get(queue)) ??
      given.ofAll
    if (said !== null) return { source: "given", given: said }
    const levels = [
      ["agent and queue", keyOf(agent, queue), samplesMin],
      ["queue", keyOf(null, queue), samplesMin],
      ["agent", keyOf(agent, null), samplesMin],
      ["all", "all", 1]
    ] as const
    for (const [source, key, least] of levels) {
      const found = samples.get(key)
      if (found !== undefined && found.length >= least) return { source, samples: found }
    }
    return { source: "default" }
  }
  return {
    sourceOf: (ask) => find(ask).source,
    middle: (ask) => {
      const known = find(ask)
      if (known.source === "default") return defaultDurationMs
      return known.source === "given" ? known.given.ms : quantile(known.samples, 0.5)
    },
    drawn: (seed, run) => (ask) => {
      const known = find(ask)
      if (known.source === "default") return defaultDurationMs
      const chance = chanceOf(seed, run, ask.taskId)
      if (known.source === "given") {
        return Math.round(known.given.ms + (2 * chance - 1) * known.given.spreadMs)
      }
      return known.samples[Math.floor(chance * known.samples.length)] ?? defaultDurationMs
    }
  }
}
