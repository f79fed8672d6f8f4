/**
 * What the scheduler remembers of a task's attempts (`state/attempts/task_<id>.json`), of its agents
 * (`state/agents.json`), of an attempt that it is stopping (`state/stops/<id>.<epoch>.json`), and of what has ended
 * (`state/history/YYYYMM.jsonl`). One writer: the scheduler that holds the lock.
 */
import * as Schema from "effect/Schema"
import { AgentName, Epoch, Pid, TaskId, Timestamp, Token } from "./identifiers.ts"
import { Outcome } from "./Outcome.ts"
import { TaskPrior } from "./Task.ts"

const Prior = TaskPrior.pipe(Schema.encodeKeys({ assignee: "assigned_to" }))

/** The latest start: written before the lease, so that no epoch is ever used twice. */
const LastStart = Schema.Struct({
  epoch: Epoch,
  token: Token,
  agentName: AgentName,
  queue: Schema.NullOr(Schema.String),
  prior: Prior,
  startedAt: Timestamp,
  startMonoMs: Schema.Finite,
  bootId: Schema.String
}).pipe(
  Schema.encodeKeys({
    agentName: "agent_name",
    startedAt: "started_at",
    startMonoMs: "start_mono_ms",
    bootId: "boot_id"
  })
)

export type LastStart = typeof LastStart.Type

/** How one attempt ended, as its task remembers it. */
export const RecordedOutcome = Schema.Struct({
  epoch: Epoch,
  token: Token,
  outcome: Outcome,
  at: Timestamp,
  /** One line for people: "exit 3", "its process is gone". */
  detail: Schema.String
})
export type RecordedOutcome = typeof RecordedOutcome.Type

/** What was seen at one moment and must be seen again before it counts. Monotonic times of this boot. */
export const Sighting = Schema.Struct({
  epoch: Epoch,
  bootId: Schema.String,
  /** The overdue beat that was seen, and when: hung needs a second look that finds the same beat. */
  hungBeatMonoMs: Schema.NullOr(Schema.Finite),
  hungSinceMonoMs: Schema.NullOr(Schema.Finite),
  unknownSinceMonoMs: Schema.NullOr(Schema.Finite),
  /** Since when the task is seen as complete although its agent runs. */
  completeSinceMonoMs: Schema.NullOr(Schema.Finite)
}).pipe(
  Schema.encodeKeys({
    bootId: "boot_id",
    hungBeatMonoMs: "hung_beat",
    hungSinceMonoMs: "hung_since",
    unknownSinceMonoMs: "unknown_since",
    completeSinceMonoMs: "complete_since"
  })
)
export type Sighting = typeof Sighting.Type

/** How many recorded outcomes of a task are kept; older ones stand in the history. */
export const outcomesKept = 50

/** What is remembered of the attempts at one task: the latest start, outcomes, counts, backoff, parking. */
export const Attempts = Schema.Struct({
  version: Schema.Literal(1),
  taskId: TaskId,
  endpoint: Schema.String,
  taskCreatedAt: Timestamp,
  last: Schema.NullOr(LastStart),
  outcomes: Schema.Array(RecordedOutcome),
  counts: Schema.Struct({ failures: Schema.Int, losses: Schema.Int }),
  /** No start before this moment. */
  notBefore: Schema.NullOr(Timestamp),
  parked: Schema.NullOr(Schema.Struct({ since: Timestamp, outcome: Outcome, count: Schema.Int })),
  observed: Schema.NullOr(Sighting)
})
export type Attempts = typeof Attempts.Type

/** The latest start while no ending of it is recorded; null when there is none. */
export const unendedStart = (attempts: Attempts | null): LastStart | null => {
  const last = attempts?.last ?? null
  return attempts?.outcomes.some(({ epoch }) => epoch === last?.epoch) === true ? null : last
}

/** What is known of a task of which nothing has been written yet. */
export const newAttempts = (task: Pick<Attempts, "taskId" | "endpoint" | "taskCreatedAt">): Attempts => ({
  version: 1,
  ...task,
  last: null,
  outcomes: [],
  counts: { failures: 0, losses: 0 },
  notBefore: null,
  parked: null,
  observed: null
})

export const AttemptsFile = Attempts.pipe(
  Schema.encodeKeys({ taskId: "task_id", taskCreatedAt: "task_created_at", notBefore: "not_before" })
)

/** What is remembered of an agent: its pause, its latest start, whether its starts keep failing. */
export const AgentRecord = Schema.Struct({
  agentName: AgentName,
  pausedBy: Schema.NullOr(Schema.String),
  /** Null while pausedBy is set: until resumed. */
  pausedUntil: Schema.NullOr(Timestamp),
  lastStart: Schema.NullOr(Timestamp),
  /** Starts in a row that failed. */
  startFailures: Schema.Int,
  setAsideUntil: Schema.NullOr(Timestamp)
})
export type AgentRecord = typeof AgentRecord.Type

/** What is known of an agent of which nothing has been written yet. */
export const newAgentRecord = (agentName: AgentName): AgentRecord => ({
  agentName,
  pausedBy: null,
  pausedUntil: null,
  lastStart: null,
  startFailures: 0,
  setAsideUntil: null
})

/** Somebody wants nothing new started; `until` null: until it is resumed. */
export const Pause = Schema.Struct({ by: Schema.String, until: Schema.NullOr(Timestamp) })
export type Pause = typeof Pause.Type

/** The agents' records, and the pause of all of them together. */
export interface AgentRecords {
  readonly agents: ReadonlyArray<AgentRecord>
  readonly paused: Pause | null
}

export const AgentsFile = Schema.Struct({
  version: Schema.Literal(1),
  /** The pause of all together; absent = none. */
  paused: Schema.optionalKey(Schema.NullOr(Pause)),
  agents: Schema.Array(
    AgentRecord.pipe(
      Schema.encodeKeys({
        agentName: "agent_name",
        pausedBy: "paused_by",
        pausedUntil: "paused_until",
        lastStart: "last_start",
        startFailures: "start_failures",
        setAsideUntil: "set_aside_until"
      })
    )
  )
})
export type AgentsFile = typeof AgentsFile.Type

/** Why an attempt is being stopped. */
export const StopReason = Schema.Literals([
  "max-runtime",
  "idle",
  "hung-supervisor",
  "orphaned-agent",
  "leftovers",
  "task-complete",
  "task-taken-away",
  "requested"
])
export type StopReason = typeof StopReason.Type

/** The rungs of the ladder, in order; the last is repeated until nothing lives. */
export const StopRung = Schema.Literals(["interrupt", "terminate", "kill"])
export type StopRung = typeof StopRung.Type

/** A stop under way: its reason, the rung that was climbed, and when the next one is due. */
export const StopRecord = Schema.Struct({
  version: Schema.Literal(1),
  taskId: TaskId,
  epoch: Epoch,
  token: Token,
  reason: StopReason,
  since: Timestamp,
  bootId: Schema.String,
  rung: StopRung,
  /** When the first rung was climbed, and when the next one is due, on the monotonic clock. */
  sinceMonoMs: Schema.Finite,
  nextMonoMs: Schema.Finite,
  /** When SIGKILL was sent first; absent before. */
  killedMonoMs: Schema.optionalKey(Schema.Finite),
  /** Since when nothing but the supervisor lived; null while something else does. */
  aloneSinceMonoMs: Schema.NullOr(Schema.Finite),
  /** What was listed before the signals: after them a process may have lost its parent. */
  targets: Schema.Array(Schema.Struct({ pid: Pid, pidStart: Schema.Int }))
})
export type StopRecord = typeof StopRecord.Type
export const StopFile = StopRecord.pipe(
  Schema.encodeKeys({
    taskId: "task_id",
    bootId: "boot_id",
    sinceMonoMs: "since_mono_ms",
    nextMonoMs: "next_mono_ms",
    killedMonoMs: "killed_mono_ms",
    aloneSinceMonoMs: "alone_since_mono_ms"
  })
)

/** One line of the history: one ended attempt, keyed by token; of two lines with one token the later counts. */
export const HistoryLine = Schema.Struct({
  version: Schema.Literal(1),
  taskId: TaskId,
  epoch: Epoch,
  token: Token,
  agentName: AgentName,
  queue: Schema.NullOr(Schema.String),
  startedAt: Timestamp,
  endedAt: Timestamp,
  outcome: Outcome,
  detail: Schema.String
})
export type HistoryLine = typeof HistoryLine.Type
export const HistoryLineFile = HistoryLine.pipe(
  Schema.encodeKeys({
    taskId: "task_id",
    agentName: "agent_name",
    startedAt: "started_at",
    endedAt: "ended_at"
  })
)
