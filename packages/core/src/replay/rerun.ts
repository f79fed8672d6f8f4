/**
 * History under other settings: which plans of recorded rounds would have been others, and which attempts would have
 * started when. Each round is decided by itself, from what was seen then: what would have followed from another plan is
 * not supposed.
 */
import type { Plan } from "../domain/Plan.ts"
import type { Situation } from "../domain/Situation.ts"
import { reconcile } from "../reconcile/reconcile.ts"
import type { RecordId } from "../record/RecordLine.ts"
import { planDifference } from "../whatIf/planDifference.ts"
import type { VerdictDifference } from "../whatIf/planDifference.ts"
import type { Suppose } from "./replay.ts"

export interface ChangedRound {
  readonly id: RecordId
  readonly at: string
  readonly differences: ReadonlyArray<VerdictDifference>
}

/** How many attempts an agent started, and how many it would have. */
export interface AgentStarts {
  readonly agent: string
  readonly recorded: number
  readonly supposed: number
}

/** How many attempts, and the median of by how much. */
export interface Shift {
  readonly count: number
  readonly medianMs: number
}

export interface Rerun {
  readonly rounds: number
  readonly changed: number
  /** The first rounds that would have been planned otherwise. */
  readonly first: ReadonlyArray<ChangedRound>
  readonly agents: ReadonlyArray<AgentStarts>
  readonly sooner: Shift
  readonly later: Shift
  /** Started then, and under the supposition in no recorded round. */
  readonly notThen: number
  /** Would have started, and did in no recorded round. */
  readonly onlyThen: number
}

interface Started {
  readonly agent: string
  readonly atMs: number
}

/** The first start of each attempt: one that a pass could not carry out is planned again, under another epoch or the same. */
type Starts = Map<string, Started>

const note = (starts: Starts, { nowMs, verdicts }: Plan): void => {
  for (const verdict of verdicts) {
    if (verdict._tag !== "Start") continue
    const attempt = `${verdict.taskId}.${verdict.epoch}`
    if (!starts.has(attempt)) starts.set(attempt, { agent: verdict.agent, atMs: nowMs })
  }
}

const countBy = (starts: Starts): ReadonlyMap<string, number> => {
  const counts = new Map<string, number>()
  for (const { agent } of starts.values()) counts.set(agent, (counts.get(agent) ?? 0) + 1)
  return counts
}

const agentStarts = (recorded: Starts, supposed: Starts): ReadonlyArray<AgentStarts> => {
  const before = countBy(recorded)
  const after = countBy(supposed)
  return [...new Set([...before.keys(), ...after.keys()])]
    .sort()
    .map((agent) => ({ agent, recorded: before.get(agent) ?? 0, supposed: after.get(agent) ?? 0 }))
}

const shiftOf = (lengths: ReadonlyArray<number>): Shift => {
  const sorted = [...lengths].sort((left, right) => left - right)
  return { count: sorted.length, medianMs: sorted[Math.floor(sorted.length / 2)] ?? 0 }
}

export interface Rerunning {
  readonly add: (round: { readonly id: RecordId; readonly at: string }, situation: Situation) => void
  readonly result: () => Rerun
}

/** Told of each round in turn; `firstMax` of those that would have been others are kept to be shown. */
export const makeRerun = (suppose: Suppose, firstMax: number): Rerunning => {
  const recorded: Starts = new Map()
  const supposed: Starts = new Map()
  const first: Array<ChangedRound> = []
  let rounds = 0
  let changed = 0
  return {
    add: ({ at, id }, situation) => {
      const plan = reconcile(situation.observed, situation.desired)
      const other = suppose(situation)
      const otherPlan = other === situation ? plan : reconcile(other.observed, other.desired)
      rounds += 1
      note(recorded, plan)
      note(supposed, otherPlan)
      const differences = planDifference(plan, otherPlan)
      if (differences.length === 0) return
      changed += 1
      if (first.length < firstMax) first.push({ id, at, differences })
    },
    result: () => {
      const both = [...recorded].flatMap(([attempt, { atMs }]) => {
        const other = supposed.get(attempt)
        return other === undefined ? [] : [other.atMs - atMs]
      })
      return {
        rounds,
        changed,
        first,
        agents: agentStarts(recorded, supposed),
        sooner: shiftOf(both.filter((ms) => ms < 0).map((ms) => -ms)),
        later: shiftOf(both.filter((ms) => ms > 0)),
        notThen: recorded.size - both.length,
        onlyThen: supposed.size - both.length
      }
    }
  }
}
