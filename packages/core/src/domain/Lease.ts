/**
 * The lease: the claim of one attempt at one task, and the source of truth for what runs. The file's field names are the
 * user's (snake_case, the first six as they always were); inside, ours. A union on `phase`.
 *
 * Beside it stands the claim, made by link(2): who won an epoch. Kind "claim" is a supervisor's, "tombstone" the
 * scheduler's, by which it shuts a supervisor out that has not claimed yet.
 */
import * as Schema from "effect/Schema"
import { attemptOfCgroup } from "./attemptCgroup.ts"
import { SuccessPolicy } from "./DesiredState.ts"
import { AgentName, Epoch, Pid, Seconds, TaskId, Term, Timestamp, Token } from "./identifiers.ts"
import { TaskPrior } from "./Task.ts"

const Prior = TaskPrior.pipe(Schema.encodeKeys({ assignee: "assigned_to" }))

/** The agent's own process: leader of its session and group. */
export const AgentProcess = Schema.Struct({ pid: Pid, pidStart: Schema.Int, group: Pid })
export type AgentProcess = typeof AgentProcess.Type
const AgentProcessFile = AgentProcess.pipe(Schema.encodeKeys({ pidStart: "pid_start", group: "pgid" }))

/** What the agent's own events said last of how its run went (protocol/agentEvents). */
export const StreamResult = Schema.Struct({
  says: Schema.Literals(["completed", "failed", "rate-limited", "auth"]),
  /** Its words, shortened, for people. */
  detail: Schema.String,
  /** When the limit resets, where that was stated. */
  resetsAt: Schema.NullOr(Timestamp)
})
export type StreamResult = typeof StreamResult.Type

/** How the agent ended, as its supervisor saw it. */
export const AgentExit = Schema.Struct({
  code: Schema.NullOr(Schema.Int),
  signal: Schema.NullOr(Schema.String),
  /** Why the agent could not be started; null when it was. */
  error: Schema.NullOr(Schema.String),
  at: Timestamp,
  /** The end of its output, at most 8 KiB. */
  tail: Schema.String,
  /** The signal by which its supervisor was asked to end while the agent ran; absent = by none. */
  asked: Schema.optionalKey(Schema.String),
  /** Absent where the output is no stream of events, or said nothing of its end. */
  stream: Schema.optionalKey(StreamResult.pipe(Schema.encodeKeys({ resetsAt: "resets_at" })))
})
export type AgentExit = typeof AgentExit.Type

/** The longest tail of output kept in a lease, in bytes of UTF-8. */
export const exitTailMaxBytes = 8 * 1024

/** The largest lease file that is read or written, in bytes. */
export const leaseMaxBytes = 64 * 1024

/** Written out plainly, and of an attempt's name: a lease never names a cgroup that may be somebody else's. */
const CgroupDirectory = Schema.String.check(
  Schema.makeFilter((path) => (attemptOfCgroup(path) === null ? "the path of an attempt's cgroup" : undefined))
)

const common = {
  taskId: TaskId,
  agentName: AgentName,
  startTime: Timestamp,
  maxRuntimeSec: Seconds,
  host: Schema.String,
  bootId: Schema.String,
  pidNs: Schema.Int,
  token: Token,
  epoch: Epoch,
  term: Term,
  /** For people: counted failures + 1. */
  attempt: Schema.Int,
  recipe: Schema.NullOr(Schema.String),
  queue: Schema.NullOr(Schema.String),
  endpoint: Schema.String,
  taskCreatedAt: Timestamp,
  prior: Prior,
  /** When the scheduler wrote the intent, on the monotonic clock of the boot. */
  startMonoMs: Schema.Finite,
  log: Schema.String,
  /** How often its supervisor beats: by this it is judged, whatever the scheduler's setting has become. */
  heartbeatSec: Schema.optionalKey(Seconds),
  /** The longest silence of its agent, as its entry said at the start; absent = any. */
  idleTimeoutSec: Schema.optionalKey(Seconds),
  /** The directory of its cgroup, where its agent is to run in one of its own. */
  cgroup: Schema.optionalKey(CgroupDirectory),
  /** By what its end is judged, should its agent leave the control file. */
  success: Schema.optionalKey(SuccessPolicy),
  version: Schema.Literal(1)
}

const keys = {
  taskId: "task_id",
  agentName: "agent_name",
  startTime: "start_time",
  lastHeartbeat: "last_heartbeat",
  maxRuntimeSec: "max_runtime_sec",
  bootId: "boot_id",
  pidNs: "pid_ns",
  pidStart: "pid_start",
  taskCreatedAt: "task_created_at",
  startMonoMs: "start_mono_ms",
  beatMonoMs: "beat_mono_ms",
  lastOutput: "last_output",
  heartbeatSec: "heartbeat_sec",
  idleTimeoutSec: "idle_timeout_sec",
  silentMs: "silent_ms"
} as const

/** A lease as the scheduler writes it before the launch: an intent that nobody has claimed yet. */
export const StartingLease = Schema.Struct({
  ...common,
  phase: Schema.Literal("starting"),
  pid: Schema.Null,
  pidStart: Schema.Null,
  lastHeartbeat: Schema.Null,
  beatMonoMs: Schema.Null,
  agent: Schema.Null,
  lastOutput: Schema.Null
})
export type StartingLease = typeof StartingLease.Type

const claimed = {
  ...common,
  /** The supervisor. */
  pid: Pid,
  pidStart: Schema.Int,
  lastHeartbeat: Timestamp,
  beatMonoMs: Schema.Finite,
  lastOutput: Schema.NullOr(Timestamp),
  /**
   * For how long its supervisor has watched the agent say nothing. Time in which the supervisor did not run does not
   * count: a machine that slept or was paused has stalled nobody.
   */
  silentMs: Schema.optionalKey(Schema.Finite)
}

/** A lease as its supervisor keeps it while the agent runs. */
export const RunningLease = Schema.Struct({ ...claimed, phase: Schema.Literal("running"), agent: AgentProcessFile })
export type RunningLease = typeof RunningLease.Type

/** A lease after its agent's end, for the next pass to judge. */
export const FinishedLease = Schema.Struct({
  ...claimed,
  phase: Schema.Literal("finished"),
  /** Null when the agent could not be started. */
  agent: Schema.NullOr(AgentProcessFile),
  exit: AgentExit
})
export type FinishedLease = typeof FinishedLease.Type

/** The lease as values. */
export type Lease = StartingLease | RunningLease | FinishedLease

/** The lease as it stands in its file. */
export const LeaseFile = Schema.Union([
  StartingLease.pipe(Schema.encodeKeys(keys)),
  RunningLease.pipe(Schema.encodeKeys(keys)),
  FinishedLease.pipe(Schema.encodeKeys(keys))
])

/** A lease of before: of the Python version, in either of its two forms. It has a bare pid and no epoch. */
export const LegacyLease = Schema.Struct({
  taskId: TaskId,
  agentName: AgentName,
  pid: Pid,
  /** Null when the file did not say or not readably. */
  startTime: Schema.NullOr(Timestamp),
  /** The last beat of its wrapper; null like the start. */
  lastHeartbeat: Schema.NullOr(Timestamp),
  /** Null when the file does not name a host: then it counts as this one. */
  host: Schema.NullOr(Schema.String)
})
export type LegacyLease = typeof LegacyLease.Type

/** `state/claims/<id>.<epoch>`: who won the epoch. */
export const Claim = Schema.Struct({
  kind: Schema.Literals(["claim", "tombstone"]),
  taskId: TaskId,
  epoch: Epoch,
  token: Token,
  agentName: AgentName,
  host: Schema.String,
  bootId: Schema.String,
  pidNs: Schema.Int,
  pid: Pid,
  pidStart: Schema.Int,
  log: Schema.String,
  version: Schema.Literal(1)
})
export type Claim = typeof Claim.Type
export const ClaimFile = Claim.pipe(
  Schema.encodeKeys({
    taskId: "task_id",
    agentName: "agent_name",
    bootId: "boot_id",
    pidNs: "pid_ns",
    pidStart: "pid_start"
  })
)
