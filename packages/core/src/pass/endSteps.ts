/**
 * The steps of an ending that all kinds of leases share (protocol, section 7, steps 8a to 8c): what was judged is recorded
 * once, and Tinytask is told of what was recorded.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Ref from "effect/Ref"
import { newAttempts } from "../domain/Attempts.ts"
import type { Attempts } from "../domain/Attempts.ts"
import type { AgentExit } from "../domain/Lease.ts"
import { outcomeRules } from "../domain/Outcome.ts"
import type { Outcome } from "../domain/Outcome.ts"
import type { Action } from "../domain/Plan.ts"
import type { TaskDetails } from "../domain/Task.ts"
import { timestampOf } from "../domain/time.ts"
import { AttemptHistory } from "../ports/AttemptHistory.ts"
import type { StoredTask } from "../ports/LeaseStore.ts"
import { SchedulerLock } from "../ports/SchedulerLock.ts"
import { TaskQueue } from "../ports/TaskQueue.ts"
import { endingComment, tellsOf } from "../reconcile/endingComment.ts"
import { judgeEnding } from "../reconcile/judgeEnding.ts"
import { recordEnding } from "../reconcile/recordEnding.ts"
import { taskChangeOf } from "../reconcile/taskChange.ts"
import type { ApplyContext } from "./applyStart.ts"

export type EndAction = Extract<Action, { readonly _tag: "End" }>

const exitOf = (stored: StoredTask): AgentExit | null =>
  stored.lease._tag === "Read" && stored.lease.lease.phase === "finished" ? stored.lease.lease.exit : null

/** The attempts file as far as it is known; an attempt whose file was lost begins a new one. */
const attemptsOf = (action: EndAction, attempts: Attempts | null, endpoint: string, now: string): Attempts =>
  attempts ?? newAttempts({ taskId: action.attempt.taskId, endpoint, taskCreatedAt: action.taskCreatedAt ?? now })

/** Step 8a: outcome by epoch and counts, in one write, once. */
export const recordOnce = Effect.fnUntraced(function* (
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
export const tellTinytask = Effect.fnUntraced(function* (
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
  if (change === null) return
  yield* lock.confirm
  yield* queue.update(taskId, change)
})
