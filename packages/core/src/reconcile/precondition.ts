/** What a plan rests on, and its hash: a saved plan is applied only while both are as they were. */
import { sha256 } from "@noble/hashes/sha2.js"
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js"
import type { DesiredState, Policy } from "../domain/DesiredState.ts"
import type { ObservedState } from "../domain/ObservedState.ts"
import type { Action, AttemptReference, Plan } from "../domain/Plan.ts"
import type { PlanSubject, SubjectAction } from "../domain/PlanSubject.ts"
import { isOpen } from "../domain/Task.ts"
import type { Task } from "../domain/Task.ts"
import { pauseHolds } from "../requests/pause.ts"
import { actionTaskId } from "./actionTaskId.ts"
import { backoffUntilMs } from "./backoff.ts"

/**
 * Covers (task, epoch, token, phase) of the leases; identity, status, assignee, queue and blocker of the tasks that
 * actions touch; effective limits and pauses; the earliest time at which a verdict would change; and what is to be done.
 * A deadline on the monotonic clock moves with every beat: that it has passed shows as another action.
 */
export const preconditionSubjectOf = (
  observed: ObservedState,
  desired: DesiredState,
  plan: Pick<Plan, "actions" | "nextWallMs">
): PlanSubject => {
  const touched = new Set<number>(plan.actions.map(actionTaskId))
  return {
    leases: leasesOf(observed),
    tasks: knownTasks(observed)
      .filter((task) => touched.has(task.id))
      .map((task) => ({
        taskId: task.id,
        createdAt: task.createdAt,
        status: task.status,
        assignee: task.assignee,
        queue: task.queue,
        blockedBy: task.blocked ? task.blockedBy : null
      }))
      .sort(byTask),
    agents: desired.agents
      .map(({ enabled, name, queues, recipe, slots }) => ({ name, slots, enabled, queues: [...queues].sort(), recipe }))
      .sort((left, right) => byText(left.name, right.name)),
    pauses: pausesOf(observed, desired.policy),
    queueLimits: desired.queueLimits
      .map(({ limit, queue }) => ({ queue, limit }))
      .sort((left, right) => byText(left.queue, right.queue)),
    maxConcurrent: desired.maxConcurrent,
    starts: observed.startsOffReason === null ? desired.policy.starts : "observe-only",
    order: desired.policy.order,
    parents: desired.policy.parents,
    disableBlocking: desired.policy.disableBlocking,
    stops: observed.requests.flatMap((request) => (request.kind === "stop" ? [request.token] : [])).sort(),
    tinytask: observed.tinytask._tag,
    nextWallMs: plan.nextWallMs,
    actions: plan.actions.map(essenceOf)
  }
}

/** SHA-256 over the subject. */
export const preconditionOf = (subject: PlanSubject): string => bytesToHex(sha256(utf8ToBytes(JSON.stringify(subject))))

const byText = (left: string, right: string): number => (left < right ? -1 : left > right ? 1 : 0)
const byTask = (left: { readonly taskId: number }, right: { readonly taskId: number }): number =>
  left.taskId - right.taskId

const knownTasks = ({ tinytask }: ObservedState): ReadonlyArray<Task> =>
  tinytask._tag === "Unread"
    ? []
    : [...tinytask.tasks, ...tinytask.lookedUp.flatMap(({ task }) => (task === null || isOpen(task) ? [] : [task]))]

const leasesOf = ({ records }: ObservedState): PlanSubject["leases"] =>
  records
    .map(({ epochMax, lease, taskId }) =>
      lease._tag === "Read"
        ? { taskId, epoch: lease.lease.epoch, token: lease.lease.token, state: lease.lease.phase }
        : { taskId, epoch: epochMax, token: null, state: lease._tag }
    )
    .sort(byTask)

/** Those that hold: one whose end is past changes nothing any more. */
const pausesOf = ({ agents, nowMs, paused }: ObservedState, policy: Policy): PlanSubject["pauses"] => {
  const own = agents.flatMap(({ agentName, pausedBy, pausedUntil, setAsideUntil }) => {
    const pause = pausedBy === null ? null : { by: pausedBy, until: pausedUntil }
    const held = pauseHolds(pause, nowMs) ? pause : { by: null, until: null }
    const aside = backoffUntilMs(setAsideUntil, nowMs, policy) === null ? null : setAsideUntil
    return held.by === null && aside === null ? [] : [{ agent: agentName, ...held, setAsideUntil: aside }]
  })
  return [
    ...(pauseHolds(paused, nowMs) ? [{ agent: null, by: paused.by, until: paused.until, setAsideUntil: null }] : []),
    ...own.sort((left, right) => byText(left.agent, right.agent))
  ]
}

const essenceOf = (action: Action): SubjectAction => {
  const kind = action._tag
  switch (action._tag) {
    case "Note":
    case "Rebuild":
      return { kind, ...attemptOf(action), detail: null }
    case "Stop":
      return { kind, ...attemptOf(action), detail: action.record.rung }
    case "End":
      return { kind, ...attemptOf(action), detail: action.outcome }
    case "EndLegacy":
      return { kind, taskId: action.taskId, epoch: action.epoch, agent: action.agent, detail: null }
    case "Sweep":
      return { kind, taskId: action.taskId, epoch: action.epoch, agent: null, detail: null }
    case "Start":
      return { kind, taskId: action.taskId, epoch: action.epoch, agent: action.agent, detail: action.recipe }
  }
}

const attemptOf = ({ attempt }: Extract<Action, { readonly attempt: AttemptReference }>) => ({
  taskId: attempt.taskId,
  epoch: attempt.epoch,
  agent: attempt.agent
})
