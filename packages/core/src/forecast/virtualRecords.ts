/** The files of attempts as they stand in virtual time: what a supervisor would have written, and what its processes would show. */
import { newAttempts } from "../domain/Attempts.ts"
import type { Attempts } from "../domain/Attempts.ts"
import { Term, Token } from "../domain/identifiers.ts"
import type { AgentName, Epoch, TaskId } from "../domain/identifiers.ts"
import type { RunningLease } from "../domain/Lease.ts"
import type { HostIdentity } from "../domain/ProcessIdentity.ts"
import type { TaskPrior } from "../domain/Task.ts"
import type { Evidence, TaskRecord } from "../domain/TaskRecord.ts"
import { timestampOf } from "../domain/time.ts"
import { recordStart } from "../reconcile/recordStart.ts"

/** One moment on both clocks. */
export interface Moment {
  readonly nowMs: number
  readonly monoMs: number
}

export interface LivingAttempt {
  readonly taskId: TaskId
  readonly agent: AgentName
  readonly epoch: Epoch
  readonly attempt: number
  readonly recipe: string | null
  readonly queue: string | null
  readonly prior: TaskPrior
  readonly taskCreatedAt: string
  readonly endpoint: string
  readonly here: HostIdentity
  /** What is remembered of earlier ones. */
  readonly attempts: Attempts | null
}

/** No lock is taken. */
const noTerm = Term.make(0)

const alive: Evidence = { supervisor: "alive", agent: "alive", others: [], scanned: false }
const dead: Evidence = { supervisor: "dead", agent: "dead", others: [], scanned: true }

/** Of its attempt alone, whatever happened before: no chance is needed where nothing is launched. */
const virtualToken = (taskId: number, epoch: number): Token => {
  const digits = `${taskId.toString(16).padStart(16, "0")}${epoch.toString(16).padStart(16, "0")}`
  return Token.make(digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5"))
}

/**
 * An attempt under a healthy supervisor. It bears no limit of time or silence: how long it runs is for the forecast to
 * say, which tells of a duration beyond the limit.
 */
export const livingRecord = (living: LivingAttempt, { monoMs, nowMs }: Moment): TaskRecord => {
  const { agent, attempts, epoch, here, taskId } = living
  const startTime = timestampOf(nowMs)
  const token = virtualToken(taskId, epoch)
  const log = `logs/tasks/${taskId}/${epoch}.log`
  const process = { pid: 1, pidStart: 0 }
  const lease: RunningLease = {
    ...here,
    ...process,
    taskId,
    agentName: agent,
    startTime,
    maxRuntimeSec: 0,
    token,
    epoch,
    term: noTerm,
    attempt: living.attempt,
    recipe: living.recipe,
    queue: living.queue,
    endpoint: living.endpoint,
    taskCreatedAt: living.taskCreatedAt,
    prior: living.prior,
    startMonoMs: monoMs,
    log,
    version: 1,
    phase: "running",
    lastHeartbeat: startTime,
    beatMonoMs: monoMs,
    lastOutput: null,
    agent: { ...process, group: 1 }
  }
  return {
    taskId,
    lease: { _tag: "Read", lease, evidence: alive },
    claims: [
      {
        _tag: "Read",
        epoch,
        claim: { kind: "claim", ...here, ...process, taskId, epoch, token, agentName: agent, log, version: 1 },
        evidence: alive
      }
    ],
    stop: null,
    attempts: recordStart(attempts, lease),
    attemptsProblem: null,
    openStart: null,
    epochMax: epoch
  }
}

/** The same once the ladder has done its work: nothing of it lives any more. */
export const deadRecord = (record: TaskRecord): TaskRecord => ({
  ...record,
  lease: record.lease._tag === "Read" ? { ...record.lease, evidence: dead } : record.lease,
  claims: record.claims.map((sight) => (sight._tag === "Read" ? { ...sight, evidence: dead } : sight))
})

/** What is left once an ending was carried out: what is remembered. */
export const endedRecord = (record: TaskRecord, epoch: Epoch, attempts: Attempts): TaskRecord => ({
  taskId: record.taskId,
  lease: { _tag: "Missing" },
  claims: [],
  stop: null,
  attempts,
  attemptsProblem: null,
  openStart: null,
  epochMax: Math.max(record.epochMax, epoch)
})

/** What is remembered of a task, or the beginning of it. */
export const attemptsOf = (record: TaskRecord, endpoint: string, taskCreatedAt: string): Attempts =>
  record.attempts ?? newAttempts({ taskId: record.taskId, endpoint, taskCreatedAt })
