/**
 * An attempts file made anew from everything else that knows of a task's attempts: its lease, its claims, the history,
 * the names of its logs. Above all no epoch may be used twice; then counts, backoff and parking are what the history
 * says. What only the lost file knew, a release by hand for one, is not known any more: the rebuilt one is the stricter.
 */
import { sha256 } from "@noble/hashes/sha2.js"
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js"
import { newAttempts, outcomesKept } from "../domain/Attempts.ts"
import type { Attempts, HistoryLine, RecordedOutcome } from "../domain/Attempts.ts"
import type { DesiredState } from "../domain/DesiredState.ts"
import { Epoch, epochMax, Token } from "../domain/identifiers.ts"
import type { TaskId } from "../domain/identifiers.ts"
import type { HostIdentity } from "../domain/ProcessIdentity.ts"
import type { Task, TaskPrior } from "../domain/Task.ts"
import type { TaskRecord } from "../domain/TaskRecord.ts"
import { millisOf, timestampOf } from "../domain/time.ts"
import { recordEnding } from "../reconcile/recordEnding.ts"

export interface RebuildInput {
  readonly taskId: TaskId
  /** The open task of that number; null when Tinytask has none. */
  readonly task: Task | null
  readonly record: TaskRecord | null
  /** The history's lines about this number. */
  readonly lines: ReadonlyArray<HistoryLine>
  /** Tokens of our comments on the task. */
  readonly marks: ReadonlySet<string>
  /** The largest epoch of which anything else is known, an unreadable file for one. */
  readonly epochSeen: number
  readonly desired: DesiredState
  readonly here: HostIdentity
  readonly nowMs: number
  readonly monoMs: number
}

type LastStart = NonNullable<Attempts["last"]>

/** The token of an attempt of which only its epoch is known. Derived, so that a repair that is begun again finds it. */
export const standInToken = (taskId: TaskId, epoch: number): Token => {
  const hex = bytesToHex(sha256(utf8ToBytes(JSON.stringify(["repair", taskId, epoch]))))
  return Token.make([8, 12, 16, 20, 32].map((end, part) => hex.slice([0, 8, 12, 16, 20][part], end)).join("-"))
}

/** No task was ever created then: of such a file only the epochs count. */
const noTime = timestampOf(0)

const unassigned: TaskPrior = { status: "idle", assignee: null }

/** What a task is set back to whose state before its start is not known any more. */
const priorOf = ({ desired, task }: RebuildInput, agent: string): TaskPrior =>
  desired.mode === "legacy" || (task !== null && task.queue === null) ? { ...unassigned, assignee: agent } : unassigned

const fromLease = ({ record }: RebuildInput): LastStart | null => {
  if (record?.lease._tag !== "Read") return null
  const { agentName, bootId, epoch, prior, queue, startMonoMs, startTime, token } = record.lease.lease
  return { epoch, token, agentName, queue, prior, startedAt: startTime, startMonoMs, bootId }
}

/** The start that the latest claim tells of, where the history does not tell its end. */
const fromClaim = (input: RebuildInput): LastStart | null => {
  const top = input.record?.claims.at(-1)
  if (top?._tag !== "Read" || input.lines.some(({ epoch }) => epoch >= top.epoch)) return null
  const { agentName, bootId, epoch, token } = top.claim
  return {
    epoch,
    token,
    agentName,
    queue: input.task?.queue ?? null,
    prior: priorOf(input, agentName),
    startedAt: timestampOf(input.nowMs),
    startMonoMs: input.monoMs,
    bootId
  }
}

const byEpoch = (left: HistoryLine, right: HistoryLine): number => left.epoch - right.epoch

/** The latest start of the history, where a comment on the task proves that its attempts were at this very task. */
const fromHistory = (input: RebuildInput): LastStart | null => {
  const latest = [...input.lines].sort(byEpoch).at(-1)
  if (latest === undefined || !input.lines.some(({ token }) => input.marks.has(token))) return null
  const { agentName, epoch, queue, startedAt, token } = latest
  return {
    epoch,
    token,
    agentName,
    queue,
    prior: priorOf(input, agentName),
    startedAt,
    startMonoMs: input.monoMs,
    bootId: input.here.bootId
  }
}

const laterOf = (left: LastStart | null, right: LastStart | null): LastStart | null =>
  left === null || (right !== null && right.epoch > left.epoch) ? right : left

/** The largest epoch that an attempts file shows. */
export const epochsCovered = (attempts: Attempts | null): number =>
  Math.max(0, attempts?.last?.epoch ?? 0, ...(attempts?.outcomes.map(({ epoch }) => epoch) ?? []))

/** The same file, in which an epoch counts as used: nothing is known of that attempt but that it was. */
export const withEpochUsed = (attempts: Attempts, epoch: number, nowMs: number): Attempts => {
  if (epoch <= epochsCovered(attempts) || epoch > epochMax) return attempts
  const lost: RecordedOutcome = {
    epoch: Epoch.make(epoch),
    token: standInToken(attempts.taskId, epoch),
    outcome: "lost",
    at: timestampOf(nowMs),
    detail: "its files could not be read"
  }
  return { ...attempts, outcomes: [...attempts.outcomes, lost].slice(-outcomesKept) }
}

export const rebuildAttempts = (input: RebuildInput): Attempts => {
  const { desired, nowMs, record, task, taskId } = input
  const lease = record?.lease._tag === "Read" ? record.lease.lease : null
  const last = laterOf(laterOf(fromLease(input), fromClaim(input)), fromHistory(input))
  // A lease of an earlier start may be of another task under this number.
  const ownLease = lease !== null && lease.epoch === last?.epoch ? lease : null
  const endpoint = lease?.endpoint ?? desired.endpoint
  const taskCreatedAt = ownLease?.taskCreatedAt ?? task?.createdAt ?? lease?.taskCreatedAt ?? noTime
  const lines = [...input.lines].sort(byEpoch)
  const counted = lines
    .filter(({ startedAt }) => millisOf(startedAt) >= millisOf(taskCreatedAt))
    .reduce(
      (attempts, line) => recordEnding(attempts, { ...line, nowMs: millisOf(line.endedAt) }, desired.policy),
      newAttempts({ taskId, endpoint, taskCreatedAt })
    )
  const told = lines.map(({ detail, endedAt, epoch, outcome, token }): RecordedOutcome => ({
    epoch,
    token,
    outcome,
    at: endedAt,
    detail
  }))
  const outcomes = [...new Map(told.map((outcome) => [outcome.epoch, outcome])).values()].slice(-outcomesKept)
  return withEpochUsed({ ...counted, last, outcomes }, Math.max(record?.epochMax ?? 0, input.epochSeen), nowMs)
}
