/** The actions that keep the state true and touch neither task nor process: note, rebuild, sweep. */
import * as Effect from "effect/Effect"
import { newAttempts } from "../domain/Attempts.ts"
import type { StartingLease } from "../domain/Lease.ts"
import type { Action } from "../domain/Plan.ts"
import { AttemptHistory } from "../ports/AttemptHistory.ts"
import { LeaseStore } from "../ports/LeaseStore.ts"
import { applied, skipped } from "./ActionResult.ts"
import type { ApplyContext } from "./applyStart.ts"
import { isSameAttempt } from "./sameAttempt.ts"

/** Keeps a sighting in the attempts file, for the look that comes after it. */
export const applyNote = Effect.fn("apply.note")(function* (
  action: Extract<Action, { readonly _tag: "Note" }>,
  context: ApplyContext
) {
  const history = yield* AttemptHistory
  const { sighting, taskCreatedAt } = action
  const { taskId } = action.attempt
  const { attempts } = yield* history.read(taskId)
  const { endpoint } = context.desired
  const known = attempts ?? (taskCreatedAt === null ? null : newAttempts({ taskId, endpoint, taskCreatedAt }))
  if (known === null) return skipped(action, "the attempts file is gone")
  yield* history.write({ ...known, observed: sighting })
  return applied(action)
})

/** Makes a lost or unreadable lease anew from its claim, as an intent: its agent is found by the token. */
export const applyRebuild = Effect.fn("apply.rebuild")(function* (
  action: Extract<Action, { readonly _tag: "Rebuild" }>,
  context: ApplyContext
) {
  const leases = yield* LeaseStore
  const history = yield* AttemptHistory
  const { epoch, taskId } = action.attempt
  const stored = yield* leases.read(taskId)
  if (!isSameAttempt(action.attempt, stored)) return skipped(action, "the attempt moved on meanwhile")
  const sight = stored.claims.find((claim) => claim.epoch === epoch)
  const { attempts } = yield* history.read(taskId)
  const last = attempts?.last ?? null
  if (sight?._tag !== "Read" || attempts === null || last === null || last.epoch !== epoch) {
    return skipped(action, "claim or attempts file no longer say how")
  }
  const { claim } = sight
  const lease: StartingLease = {
    taskId,
    agentName: claim.agentName,
    pid: null,
    startTime: last.startedAt,
    lastHeartbeat: null,
    maxRuntimeSec: 0,
    phase: "starting",
    host: claim.host,
    bootId: claim.bootId,
    pidNs: claim.pidNs,
    pidStart: null,
    token: claim.token,
    epoch,
    term: context.term,
    attempt: attempts.counts.failures + 1,
    recipe: null,
    queue: last.queue,
    endpoint: attempts.endpoint,
    taskCreatedAt: attempts.taskCreatedAt,
    prior: last.prior,
    startMonoMs: last.startMonoMs,
    beatMonoMs: null,
    agent: null,
    lastOutput: null,
    log: claim.log,
    version: 1
  }
  if (stored.lease._tag !== "Missing") yield* leases.setLeaseAside(taskId)
  yield* leases.create(lease)
  return applied(action)
})

/** Removes claims whose endings are recorded; never below a lease that still needs them. */
export const applySweep = Effect.fn("apply.sweep")(function* (action: Extract<Action, { readonly _tag: "Sweep" }>) {
  const leases = yield* LeaseStore
  const { lease } = yield* leases.read(action.taskId)
  const isNeeded = lease._tag === "Unreadable" || (lease._tag === "Read" && lease.lease.epoch <= action.epoch)
  if (isNeeded) return skipped(action, "there is a lease by now")
  yield* leases.removeClaims(action.taskId, action.epoch)
  return applied(action)
})
