/**
 * The end of an attempt (protocol, section 7, steps 8 to 10): outcome and counts in one write, comment, task, history,
 * deletion. Each step is idempotent, and a crash begins again at the first: a recorded outcome is carried out, never
 * judged a second time. Tinytask down = the lease stays and the next pass goes on.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Ref from "effect/Ref"
import { attemptOfCgroup } from "../domain/attemptCgroup.ts"
import { newAttempts } from "../domain/Attempts.ts"
import type { Attempts } from "../domain/Attempts.ts"
import type { AgentExit } from "../domain/Lease.ts"
import { legacyToken } from "../domain/legacyToken.ts"
import { outcomeRules } from "../domain/Outcome.ts"
import type { Outcome } from "../domain/Outcome.ts"
import type { Action } from "../domain/Plan.ts"
import type { TaskDetails } from "../domain/Task.ts"
import { timestampOf } from "../domain/time.ts"
import { AttemptHistory } from "../ports/AttemptHistory.ts"
import { Cgroups } from "../ports/Cgroups.ts"
import { LeaseStore } from "../ports/LeaseStore.ts"
import type { StoredTask } from "../ports/LeaseStore.ts"
import { ProcessTable } from "../ports/ProcessTable.ts"
import { SchedulerLock } from "../ports/SchedulerLock.ts"
import { TaskQueue } from "../ports/TaskQueue.ts"
import { endingComment, tellsOf } from "../reconcile/endingComment.ts"
import { judgeEnding } from "../reconcile/judgeEnding.ts"
import { recordEnding } from "../reconcile/recordEnding.ts"
import { taskChangeOf } from "../reconcile/taskChange.ts"
import { applied, skipped } from "./ActionResult.ts"
import type { ApplyContext } from "./applyStart.ts"
import { forgetFault, forgetStop } from "./memory.ts"
import { isSameAttempt } from "./sameAttempt.ts"

export type EndAction = Extract<Action, { readonly _tag: "End" }>

const exitOf = (stored: StoredTask): AgentExit | null =>
  stored.lease._tag === "Read" && stored.lease.lease.phase === "finished" ? stored.lease.lease.exit : null

/** Shuts a late supervisor out. False when it claimed first: then the claim is judged, by the next observation. */
const shutOut = Effect.fnUntraced(function* (action: EndAction) {
  const leases = yield* LeaseStore
  const processes = yield* ProcessTable
  const { here, pid, pidStart } = yield* processes.ourselves
  const { agent, epoch, taskId, token } = action.attempt
  const linked = yield* leases.tombstone({
    kind: "tombstone",
    taskId,
    epoch,
    token,
    agentName: agent,
    host: here.host,
    bootId: here.bootId,
    pidNs: here.pidNs,
    pid,
    pidStart,
    log: "",
    version: 1
  })
  if (linked === "won") return true
  const claim = (yield* leases.read(taskId)).claims.find((sight) => sight.epoch === epoch)
  return claim?._tag === "Read" && claim.claim.kind === "tombstone"
})

/** The attempts file as far as it is known; an attempt whose file was lost begins a new one. */
const attemptsOf = (action: EndAction, attempts: Attempts | null, endpoint: string, now: string): Attempts =>
  attempts ?? newAttempts({ taskId: action.attempt.taskId, endpoint, taskCreatedAt: action.taskCreatedAt ?? now })

/** Step 8a: outcome by epoch and counts, in one write, once. */
const recordOnce = Effect.fnUntraced(function* (
  action: EndAction,
  stored: StoredTask,
  details: TaskDetails | null,
  context: ApplyContext
) {
  const history = yield* AttemptHistory
  const nowMs = yield* Clock.currentTimeMillis
  const unwritten = (yield* Ref.get(context.memory.stops)).get(action.attempt.token)
  const remembered = yield* history.read(action.attempt.taskId)
  const attempts = attemptsOf(action, remembered.attempts, context.desired.endpoint, timestampOf(nowMs))
  const recorded = attempts.outcomes.find(({ epoch }) => epoch === action.attempt.epoch)
  if (recorded !== undefined) return { attempts, outcome: recorded.outcome, detail: recorded.detail, at: recorded.at }
  const ending =
    action.judgeBy === null
      ? { outcome: action.outcome, detail: action.detail, resetsAt: null }
      : judgeEnding({
          agent: action.attempt.agent,
          queue: action.queue,
          taskCreatedAt: action.taskCreatedAt,
          task: details?.task ?? null,
          openSubtasks: action.judgeBy.openSubtasks,
          exit: exitOf(stored),
          stop: (stored.stops.find(({ epoch }) => epoch === action.attempt.epoch) ?? unwritten)?.reason ?? null,
          success: action.judgeBy.success
        })
  const written = recordEnding(
    attempts,
    { epoch: action.attempt.epoch, token: action.attempt.token, ...ending, nowMs },
    context.desired.policy
  )
  yield* history.write(written)
  return { attempts: written, ...ending, at: timestampOf(nowMs) }
})

/**
 * Steps 8b and 8c: the comment, once, and the task's fields where they are still ours. Of an ending that was recorded
 * before, this would be the first write: the lock is confirmed here as before every other.
 */
const tellTinytask = Effect.fnUntraced(function* (
  action: EndAction,
  stored: StoredTask,
  details: TaskDetails | null,
  ended: { readonly attempts: Attempts; readonly outcome: Outcome; readonly detail: string }
) {
  const queue = yield* TaskQueue
  const lock = yield* SchedulerLock
  yield* lock.confirm
  const { agent, epoch, taskId, token } = action.attempt
  const isOurs = details !== null && (action.taskCreatedAt === null || details.task.createdAt === action.taskCreatedAt)
  // A start that was written down and never begun has left no mark on its task.
  if (!isOurs || (action.attempt.phase === "none" && ended.outcome === "start-failed")) return
  const told = details.comments.some((comment) => tellsOf(token, comment))
  if (outcomeRules[ended.outcome].comment && !told) {
    const comment = endingComment({
      taskId,
      token,
      agent,
      attempt: stored.lease._tag === "Read" ? stored.lease.lease.attempt : epoch,
      outcome: ended.outcome,
      detail: ended.detail,
      tail: exitOf(stored)?.tail ?? null,
      parked: ended.attempts.parked !== null,
      notBefore: ended.attempts.notBefore
    })
    // A task that takes no comment must still be given back.
    yield* queue
      .comment(taskId, comment)
      .pipe(
        Effect.catchTag("TaskQueueRejected", (error) =>
          Effect.logWarning(`task ${taskId}: the comment on its ending was refused: ${error.reason}`)
        )
      )
  }
  const change = taskChangeOf(ended.outcome, details.task, {
    agent,
    queue: action.queue,
    prior: action.prior,
    taskCreatedAt: action.taskCreatedAt
  })
  if (change !== null) yield* queue.update(taskId, change)
})

/** Before the lease, which alone says where it is. */
const removeCgroup = Effect.fnUntraced(function* ({ attempt }: EndAction, { lease }: StoredTask) {
  const directory = lease._tag === "Read" ? lease.lease.cgroup : undefined
  if (directory === undefined || attemptOfCgroup(directory)?.token !== attempt.token) return
  yield* (yield* Cgroups).remove(directory)
})

/** Step 10, in the order of deletion: lease, stop record, claims and tombstones of epochs up to this one. */
const removeFiles = Effect.fnUntraced(function* (action: EndAction) {
  const leases = yield* LeaseStore
  const { epoch, taskId } = action.attempt
  if (action.withoutProof) yield* leases.setClaimAside(taskId, epoch)
  const { lease } = yield* leases.read(taskId)
  if (lease._tag === "Unreadable") yield* leases.setLeaseAside(taskId)
  else if (lease._tag === "Read" && lease.lease.epoch <= epoch) {
    yield* leases.removeLease(taskId, lease.lease.token)
  }
  if (lease._tag !== "Read" || lease.lease.epoch <= epoch) yield* leases.removeClaims(taskId, epoch)
})

export const applyEnd = Effect.fn("apply.end")(function* (action: EndAction, context: ApplyContext) {
  const leases = yield* LeaseStore
  const history = yield* AttemptHistory
  const queue = yield* TaskQueue
  const { agent, epoch, taskId, token } = action.attempt
  const stored = yield* leases.read(taskId)
  if (!isSameAttempt(action.attempt, stored)) return skipped(action, "the attempt moved on meanwhile")
  if (action.tombstone && !(yield* shutOut(action))) return skipped(action, "its supervisor claimed it meanwhile")
  const details = yield* queue.get(taskId)
  const ended = yield* recordOnce(action, stored, details, context)
  yield* tellTinytask(action, stored, details, ended)
  yield* history.append({
    version: 1,
    taskId,
    epoch,
    token,
    agentName: agent,
    queue: action.queue,
    startedAt:
      stored.lease._tag === "Read" ? stored.lease.lease.startTime : (ended.attempts.last?.startedAt ?? ended.at),
    endedAt: ended.at,
    outcome: ended.outcome,
    detail: ended.detail
  })
  yield* removeCgroup(action, stored)
  yield* removeFiles(action)
  yield* forgetFault(context.memory, token)
  yield* forgetStop(context.memory, token)
  return applied(action, ended.detail, ended.outcome)
})

/** An old lease form: recorded as an attempt of ours that was lost, then removed. */
export const applyEndLegacy = Effect.fn("apply.endLegacy")(function* (
  action: Extract<Action, { readonly _tag: "EndLegacy" }>,
  context: ApplyContext
) {
  const leases = yield* LeaseStore
  const history = yield* AttemptHistory
  const queue = yield* TaskQueue
  const { agent, taskId } = action
  const stored = yield* leases.read(taskId)
  if (stored.lease._tag !== "Legacy") return skipped(action, "the old lease is gone")
  if (stored.lease.lease.pid !== action.pid) return skipped(action, "the old lease was replaced meanwhile")
  const token = legacyToken(stored.lease.lease)
  const { attempts } = yield* history.read(taskId)
  const epoch = attempts?.outcomes.find((recorded) => recorded.token === token)?.epoch ?? action.epoch
  const details = yield* queue.get(taskId)
  const outcome: Outcome = details?.task.status === "complete" ? "done" : "lost"
  const detail = action.withoutProof
    ? "a lease of the old form whose process could not be seen for too long"
    : "a lease of the old form whose process is gone"
  const nowMs = yield* Clock.currentTimeMillis
  const prior = {
    status: "idle" as const,
    assignee:
      context.desired.mode === "legacy" || details?.task.queue === null ? (details?.task.assignee ?? null) : null
  }
  const end: EndAction = {
    _tag: "End",
    attempt: { taskId, epoch, token, agent, phase: "none" },
    outcome,
    detail,
    tombstone: false,
    withoutProof: false,
    prior,
    queue: details?.task.queue ?? null,
    taskCreatedAt: details?.task.createdAt ?? null,
    judgeBy: null
  }
  const ended = yield* recordOnce(end, stored, details, context)
  yield* tellTinytask(end, stored, details, ended)
  const startedAt = stored.lease.lease.startTime ?? timestampOf(nowMs)
  yield* history.append({
    version: 1,
    taskId,
    epoch,
    token,
    agentName: agent,
    queue: end.queue,
    startedAt,
    endedAt: ended.at,
    outcome: ended.outcome,
    detail
  })
  yield* leases.removeLegacyLease(taskId)
  return applied(action, detail, ended.outcome)
})
