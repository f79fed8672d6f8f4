/**
 * The end of an attempt (protocol, section 7, steps 8 to 10): outcome and counts in one write, comment, task, history,
 * deletion. Each step is idempotent, and a crash begins again at the first: a recorded outcome is carried out, never
 * judged a second time. Tinytask down = the lease stays and the next pass goes on.
 */
import * as Effect from "effect/Effect"
import { attemptOfCgroup } from "../domain/attemptCgroup.ts"
import { AttemptHistory } from "../ports/AttemptHistory.ts"
import { Cgroups } from "../ports/Cgroups.ts"
import { LeaseStore } from "../ports/LeaseStore.ts"
import type { StoredTask } from "../ports/LeaseStore.ts"
import { ProcessTable } from "../ports/ProcessTable.ts"
import { TaskQueue } from "../ports/TaskQueue.ts"
import { applied, skipped } from "./ActionResult.ts"
import type { ApplyContext } from "./applyStart.ts"
import { recordOnce, tellTinytask } from "./endSteps.ts"
import type { EndAction } from "./endSteps.ts"
import { forgetFault, forgetStop } from "./memory.ts"
import { isSameAttempt } from "./sameAttempt.ts"

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
