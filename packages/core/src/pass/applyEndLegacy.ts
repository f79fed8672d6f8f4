/**
 * The end of an old lease: recorded as an attempt of ours that was lost, then removed. Its token follows from its content,
 * so that a crash in between repeats nothing.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { legacyToken } from "../domain/legacyToken.ts"
import type { Outcome } from "../domain/Outcome.ts"
import type { Action } from "../domain/Plan.ts"
import { timestampOf } from "../domain/time.ts"
import { AttemptHistory } from "../ports/AttemptHistory.ts"
import { LeaseStore } from "../ports/LeaseStore.ts"
import { TaskQueue } from "../ports/TaskQueue.ts"
import { applied, skipped } from "./ActionResult.ts"
import type { ApplyContext } from "./applyStart.ts"
import { recordOnce, tellTinytask } from "./endSteps.ts"
import type { EndAction } from "./endSteps.ts"

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
