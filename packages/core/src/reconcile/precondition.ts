/** The hash of what a plan was computed from: a saved plan is applied only while it still holds. */
import { sha256 } from "@noble/hashes/sha2.js"
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js"
import type { DesiredState } from "../domain/DesiredState.ts"
import type { ObservedState } from "../domain/ObservedState.ts"
import type { Plan } from "../domain/Plan.ts"
import { isOpen } from "../domain/Task.ts"
import type { Task } from "../domain/Task.ts"
import { actionTaskId } from "./actionTaskId.ts"

/**
 * Covers (task, epoch, token, phase) of the leases; status, assignee, queue and blocker of the tasks that actions touch;
 * effective limits and pauses; and the earliest time at which a verdict would change. Not beats, not now.
 */
export const preconditionOf = (
  observed: ObservedState,
  desired: DesiredState,
  plan: Pick<Plan, "actions" | "nextMonoMs" | "nextWallMs">
): string => {
  const touched = new Set<number>(plan.actions.map(actionTaskId))
  const tasks: ReadonlyArray<Task> =
    observed.tinytask._tag === "Read"
      ? [
          ...observed.tinytask.tasks,
          ...observed.tinytask.lookedUp.flatMap(({ task }) => (task === null || isOpen(task) ? [] : [task]))
        ]
      : []
  const subject = {
    leases: observed.records
      .map((record) => {
        if (record.lease._tag !== "Read") return [record.taskId, record.lease._tag, record.epochMax]
        const { epoch, phase, token } = record.lease.lease
        return [record.taskId, epoch, token, phase]
      })
      .sort((left, right) => Number(left[0]) - Number(right[0])),
    tasks: tasks
      .filter((task) => touched.has(task.id))
      .map((task) => [task.id, task.status, task.assignee, task.queue, task.blocked ? task.blockedBy : null])
      .sort((left, right) => Number(left[0]) - Number(right[0])),
    agents: desired.agents
      .map((agent) => [agent.name, agent.slots, agent.enabled, [...agent.queues].sort(), agent.recipe])
      .sort(byText),
    pauses: observed.agents
      .map((agent) => [agent.agentName, agent.pausedBy, agent.pausedUntil, agent.setAsideUntil])
      .sort(byText),
    queueLimits: desired.queueLimits.map(({ limit, queue }) => [queue, limit]).sort(byText),
    maxConcurrent: desired.maxConcurrent,
    starts: observed.startsOffReason === null ? desired.policy.starts : "observe-only",
    paused: observed.paused === null ? null : [observed.paused.by, observed.paused.until],
    stops: stopsAskedFor(observed),
    policy: [desired.policy.order, desired.policy.parents, desired.policy.disableBlocking],
    tinytask: observed.tinytask._tag,
    next: [plan.nextWallMs, plan.nextMonoMs]
  }
  return bytesToHex(sha256(utf8ToBytes(JSON.stringify(subject))))
}

/** Stops that were asked for: a rung may be due because of them. */
const stopsAskedFor = ({ requests }: ObservedState): ReadonlyArray<string> =>
  requests.flatMap((request) => (request.kind === "stop" ? [request.token] : [])).sort()

const byText = (left: ReadonlyArray<unknown>, right: ReadonlyArray<unknown>): number =>
  String(left[0]) < String(right[0]) ? -1 : 1
