/**
 * The forecast: virtual time from one situation on, told per task and per agent. Who starts next is reconcile's word at
 * each moment; the only thing supposed is how long attempts take, and that each ends with its task done.
 */
import type { AgentName, TaskId } from "../domain/identifiers.ts"
import type { Plan, WaitReason } from "../domain/Plan.ts"
import type { Situation } from "../domain/Situation.ts"
import { rollForward } from "./rollForward.ts"
import { makeWaits } from "./starvation.ts"
import type { StarvedTask } from "./starvation.ts"
import type { DurationOf, VirtualAttempt } from "./VirtualMachine.ts"

/** How far `forecast` goes. */
export interface ForecastOptions {
  /** At most so many looks of virtual time; what is left then is told as waiting. */
  readonly looksMax?: number
}

/** A task that waits when everything has come to rest. */
export interface NeverStarts {
  readonly taskId: TaskId
  /** As the last plan has them. */
  readonly reasons: ReadonlyArray<WaitReason>
}

/** How busy an agent is until the last end. */
export interface AgentUse {
  readonly agent: AgentName
  readonly slots: number
  /** Slot time that is used within the makespan. */
  readonly busyMs: number
  /** Its share of all slot time; null where there is none. */
  readonly share: number | null
}

/** What will run when, in milliseconds: moments since 1970 UTC, lengths as such. */
export interface Forecast {
  readonly nowMs: number
  /** From now to the last end; 0 when nothing runs and nothing starts. */
  readonly makespanMs: number
  /** In the order of their starts: what runs and what will, of each task its last attempt. */
  readonly attempts: ReadonlyArray<VirtualAttempt>
  /** Parents that never start: the server completes them with their last subtask. */
  readonly parents: ReadonlyArray<{ readonly taskId: TaskId; readonly endMs: number }>
  readonly never: ReadonlyArray<NeverStarts>
  /** Somebody works on them outside: nobody can say until when. */
  readonly outside: ReadonlyArray<TaskId>
  readonly agents: ReadonlyArray<AgentUse>
  readonly starving: ReadonlyArray<StarvedTask>
  /** Whether it came to its end, and not to `looksMax`. */
  readonly whole: boolean
}

/** Each start and each end is a look, and some for what was under way. */
const looksFor = ({ observed }: Situation): number => {
  const tasks = observed.tinytask._tag === "Read" ? observed.tinytask.tasks.length : 0
  return 1000 + 4 * (tasks + observed.records.length + observed.agents.length)
}

/** Rolls a situation forward until nothing runs and nothing changes by itself. `durationOf` answers in milliseconds. */
export const forecast = (situation: Situation, durationOf: DurationOf, options: ForecastOptions = {}): Forecast => {
  const { nowMs } = situation.observed
  const looksMax = options.looksMax ?? looksFor(situation)
  const attempts = new Map<TaskId, VirtualAttempt>()
  const all: Array<VirtualAttempt> = []
  const parents = new Map<TaskId, number>()
  const waits = makeWaits()
  let last: Plan["verdicts"] = []
  let looks = 0
  for (const step of rollForward(situation, durationOf, looksMax)) {
    looks += 1
    last = step.plan.verdicts
    waits.see(step)
    for (const attempt of step.begun) {
      all.push(attempt)
      attempts.set(attempt.taskId, attempt)
    }
    for (const { endMs, taskId } of step.completed) parents.set(taskId, endMs)
  }
  const makespanMs = all.reduce((longest, { endMs }) => Math.max(longest, endMs - nowMs), 0)
  return {
    nowMs,
    makespanMs,
    attempts: [...attempts.values()].sort(byStart),
    parents: [...parents]
      .filter(([taskId]) => !attempts.has(taskId))
      .map(([taskId, endMs]) => ({ taskId, endMs }))
      .sort((left, right) => left.taskId - right.taskId),
    never: last.flatMap((verdict) =>
      verdict._tag === "Wait" ? [{ taskId: verdict.taskId, reasons: verdict.reasons }] : []
    ),
    outside: last.flatMap((verdict) => (verdict._tag === "Ignore" ? [verdict.taskId] : [])),
    agents: useOf(situation, all, makespanMs),
    starving: waits.starving(),
    whole: looks < looksMax
  }
}

const byStart = (left: VirtualAttempt, right: VirtualAttempt): number =>
  left.startMs - right.startMs || left.taskId - right.taskId

const useOf = (
  { desired, observed }: Situation,
  attempts: ReadonlyArray<VirtualAttempt>,
  makespanMs: number
): ReadonlyArray<AgentUse> => {
  const busy = new Map<string, number>()
  for (const { agent, endMs, startMs } of attempts) {
    busy.set(agent, (busy.get(agent) ?? 0) + endMs - Math.max(startMs, observed.nowMs))
  }
  return desired.agents
    .map(({ name, slots }) => {
      const busyMs = busy.get(name) ?? 0
      const allMs = slots * makespanMs
      return { agent: name, slots, busyMs, share: allMs === 0 ? null : busyMs / allMs }
    })
    .sort((left, right) => (left.agent < right.agent ? -1 : 1))
}
