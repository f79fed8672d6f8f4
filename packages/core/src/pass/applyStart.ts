/**
 * Start (protocol, section 4): attempts file, lease, Tinytask, launch, in this order. Whatever goes wrong after the lease
 * stands is remembered as a fault; the next observation undoes it through a tombstone. Nothing is undone here.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { Agent, DesiredState } from "../domain/DesiredState.ts"
import { Token } from "../domain/identifiers.ts"
import type { Term } from "../domain/identifiers.ts"
import type { StartingLease } from "../domain/Lease.ts"
import type { TaskDetails } from "../domain/Task.ts"
import { timestampOf } from "../domain/time.ts"
import { AgentLauncher } from "../ports/AgentLauncher.ts"
import { AttemptHistory } from "../ports/AttemptHistory.ts"
import { Cgroups } from "../ports/Cgroups.ts"
import { LeaseStore } from "../ports/LeaseStore.ts"
import { ProcessTable } from "../ports/ProcessTable.ts"
import { SchedulerLock } from "../ports/SchedulerLock.ts"
import { TaskQueue } from "../ports/TaskQueue.ts"
import { attemptLogPath } from "../protocol/layout.ts"
import type { StartAction } from "../reconcile/assign.ts"
import { recordStart } from "../reconcile/recordStart.ts"
import { applied, skipped } from "./ActionResult.ts"
import { rememberFault } from "./memory.ts"
import type { PassMemory } from "./memory.ts"
import { epochMaxOf } from "./observe.ts"

export interface ApplyContext {
  readonly desired: DesiredState
  readonly memory: PassMemory
  readonly term: Term
  /** False while the term could not be raised: then only signals are sent, and nothing is written. */
  readonly hasTerm: boolean
  /** Where attempt logs stand, as the lease shows it to people: "state/logs". */
  readonly logDirectory: string
}

/** Where the attempt's cgroup is to be, if its agent asks for one: decided once, and written into the lease. */
const cgroupOf = Effect.fnUntraced(function* (action: StartAction, agent: Agent | undefined, token: Token) {
  if (agent?.isolation !== "cgroup") return {}
  const { placeFor } = yield* Cgroups
  const place = yield* placeFor({ taskId: action.taskId, epoch: action.epoch, token })
  if (place._tag === "Place") return { cgroup: place.directory }
  yield* Effect.logWarning(
    `task ${action.taskId} starts without a cgroup, though agent ${agent.name} asks for one: ${place.why}; what the attempt starts is found by looking through all processes`
  )
  return {}
})

/** The intent as a lease, and what is written before it. */
const intentOf = Effect.fnUntraced(function* (action: StartAction, context: ApplyContext) {
  const processes = yield* ProcessTable
  const launcher = yield* AgentLauncher
  const { here } = yield* processes.ourselves
  const startTime = timestampOf(yield* Clock.currentTimeMillis)
  const startMonoMs = yield* processes.monotonicMs
  const token = Token.make(yield* launcher.drawToken)
  const agent = context.desired.agents.find(({ name }) => name === action.agent)
  const lease: StartingLease = {
    taskId: action.taskId,
    agentName: action.agent,
    pid: null,
    startTime,
    lastHeartbeat: null,
    maxRuntimeSec: action.maxRuntimeSec,
    phase: "starting",
    host: here.host,
    bootId: here.bootId,
    pidNs: here.pidNs,
    pidStart: null,
    token,
    epoch: action.epoch,
    term: context.term,
    attempt: action.attempt,
    recipe: action.recipe,
    queue: action.queue,
    endpoint: context.desired.endpoint,
    taskCreatedAt: action.taskCreatedAt,
    prior: action.prior,
    startMonoMs,
    beatMonoMs: null,
    agent: null,
    lastOutput: null,
    log: `${context.logDirectory}/${attemptLogPath(action.taskId, action.epoch)}`,
    heartbeatSec: context.desired.policy.heartbeatSec,
    ...(yield* cgroupOf(action, agent, token)),
    ...(agent?.idleTimeoutSec === undefined ? {} : { idleTimeoutSec: agent.idleTimeoutSec }),
    ...(agent === undefined ? {} : { success: agent.success }),
    version: 1
  }
  return lease
})

type Readiness = { readonly _tag: "Ready" | "Ours" } | { readonly _tag: "Changed"; readonly why: string }

/** Whether the task is still what the plan saw, read anew right before it is claimed. */
export const readinessOf = (action: StartAction, details: TaskDetails | null, desired: DesiredState): Readiness => {
  if (details === null) return { _tag: "Changed", why: "the task is gone" }
  const { task } = details
  if (task.createdAt !== action.taskCreatedAt) return { _tag: "Changed", why: "its number belongs to another task now" }
  if (task.archived) return { _tag: "Changed", why: "the task is archived" }
  if (task.status === "complete") return { _tag: "Changed", why: "the task is complete" }
  if (task.queue !== action.queue) return { _tag: "Changed", why: "the task is in another queue" }
  if (task.blocked && !desired.policy.disableBlocking) return { _tag: "Changed", why: "the task is blocked" }
  if (task.status === "working") {
    return task.assignee === action.agent
      ? { _tag: "Ours" }
      : { _tag: "Changed", why: "somebody else works on the task" }
  }
  return task.assignee === action.prior.assignee
    ? { _tag: "Ready" }
    : task.assignee === action.agent
      ? { _tag: "Ready" }
      : { _tag: "Changed", why: "the task was assigned to somebody else" }
}

/** Sets assignee and `working`. A write whose answer was lost is re-read: if it happened, it is done. */
const claimTask = Effect.fnUntraced(function* (action: StartAction) {
  const queue = yield* TaskQueue
  const written = yield* Effect.result(queue.update(action.taskId, { status: "working", assignee: action.agent }))
  if (Result.isSuccess(written)) return
  const reread = yield* queue.get(action.taskId)
  if (reread?.task.status === "working" && reread.task.assignee === action.agent) return
  return yield* written.failure
})

export const applyStart = Effect.fn("apply.start")(function* (action: StartAction, context: ApplyContext) {
  const leases = yield* LeaseStore
  const history = yield* AttemptHistory
  const queue = yield* TaskQueue
  const launcher = yield* AgentLauncher
  const lock = yield* SchedulerLock
  const stored = yield* leases.read(action.taskId)
  const remembered = yield* history.read(action.taskId)
  if (stored.lease._tag !== "Missing") return skipped(action, "there is a lease by now")
  if (remembered.problem !== null) return skipped(action, `attempts unreadable: ${remembered.problem}`)
  if (epochMaxOf(stored, remembered) >= action.epoch) return skipped(action, "its epoch was used meanwhile")

  const lease = yield* intentOf(action, context)
  yield* history.write(recordStart(remembered.attempts, lease))
  yield* leases.create(lease)

  const fault = (kind: "void" | "failed", reason: string) =>
    rememberFault(context.memory, { taskId: action.taskId, token: lease.token, kind, reason })
  const begun = Effect.gen(function* () {
    const details = yield* queue.get(action.taskId)
    const readiness = readinessOf(action, details, context.desired)
    if (readiness._tag === "Changed" || details === null) {
      const why = readiness._tag === "Changed" ? readiness.why : "the task is gone"
      yield* fault("void", why)
      return skipped(action, why)
    }
    // A paused machine may have slept over Tinytask's answer, and another scheduler have done the task since.
    yield* lock.confirm
    if (readiness._tag === "Ready") {
      yield* claimTask(action)
      yield* lock.confirm
    }
    yield* launcher.launch({ lease, title: details.task.title, description: details.description })
    return applied(action)
  })
  return yield* begun.pipe(
    Effect.catchTag(["TaskQueueUnreachable", "TaskQueueRejected", "LaunchFailed"], (error) =>
      Effect.andThen(fault("failed", error.message), Effect.fail(error))
    )
  )
})
