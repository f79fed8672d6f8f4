/**
 * What the rules about an attempt ask: facts that are derived from the observation once, and small questions about them.
 * Nothing here decides.
 */
import type { Agent, DesiredState } from "../domain/DesiredState.ts"
import type { ObservedState, StartFault } from "../domain/ObservedState.ts"
import { reach } from "../domain/ProcessIdentity.ts"
import type { Task } from "../domain/Task.ts"
import { isProvenDead, nothingLeft } from "../domain/TaskRecord.ts"
import type { TaskRecord } from "../domain/TaskRecord.ts"
import type { AttemptFiles } from "./attemptView.ts"
import { lookAgain } from "./sighting.ts"
import type { SightingResult } from "./sighting.ts"

/** What Tinytask says of the task of an attempt. */
export type TaskSight =
  | { readonly _tag: "Unread"; readonly reason: string }
  | { readonly _tag: "Gone" }
  | { readonly _tag: "Found"; readonly task: Task; readonly openSubtasks: number }

/** One attempt, and what of the observation concerns it. */
export interface AttemptContext {
  readonly view: AttemptFiles
  readonly record: TaskRecord
  readonly sight: TaskSight
  readonly agent: Agent | undefined
  readonly fault: StartFault | null
  readonly observed: ObservedState
  readonly desired: DesiredState
}

/** The same with what follows from it. */
export interface Facts extends AttemptContext {
  readonly dead: boolean
  /** Nothing of it is known to live, and not everything is known to be dead. */
  readonly unknown: boolean
  readonly look: SightingResult
  readonly startMonoMs: number
}

/** From where an intent is of which no claim is known; null for whatever is no such intent. */
export const unclaimedFrom = ({ observed, view }: AttemptContext): "here" | "earlier-boot" | "elsewhere" | null =>
  view.lease?.phase === "starting" && view.claim === "none" ? reach(view.lease, observed.here) : null

/** Its task is gone, archived, another one, or somebody else's. */
export const takenAway = ({ sight, view }: Facts): boolean => {
  if (sight._tag === "Gone") return true
  if (sight._tag === "Unread") return false
  const { task } = sight
  if (view.taskCreatedAt !== null && task.createdAt !== view.taskCreatedAt) return true
  if (task.archived && task.status !== "complete") return true
  return task.assignee !== null && task.assignee !== view.reference.agent && task.status !== "complete"
}

/** A command asked for the stop of this very attempt. */
export const askedToStop = ({ observed, view }: Facts): boolean =>
  observed.requests.some(
    (request) =>
      request.kind === "stop" && request.epoch === view.reference.epoch && request.token === view.reference.token
  )

/** It runs for longer than its lease allows. */
export const tooLong = (facts: Facts): boolean => {
  const maxRuntimeSec = facts.view.lease?.maxRuntimeSec ?? 0
  return maxRuntimeSec > 0 && facts.observed.monoMs - facts.startMonoMs >= maxRuntimeSec * 1000
}

/** How much longer its agent may be silent, as of its last beat; null = for ever. */
export const silenceLeftMs = ({ view }: Facts): number | null => {
  const lease = view.lease
  if (lease?.phase !== "running" || lease.idleTimeoutSec === undefined || lease.silentMs === undefined) return null
  return lease.idleTimeoutSec * 1000 - lease.silentMs
}

/** Its agent has said nothing for longer than its lease allows, though its supervisor beats. */
export const silentTooLong = (facts: Facts): boolean => {
  const left = silenceLeftMs(facts)
  return left !== null && left <= 0
}

/** Its epoch's claim has another token than its lease. */
export const isClaimedByAnother = ({ record, view }: AttemptContext): boolean =>
  view.claim === "none" && record.claims.some(({ epoch }) => epoch === view.reference.epoch)

/** Something of it lives beside its supervisor. */
export const othersLive = ({ view }: AttemptContext): boolean =>
  view.evidence.others.length > 0 || view.evidence.agent === "alive"

const isUnknown = (context: AttemptContext): boolean => {
  const { agent, supervisor } = context.view.evidence
  if (othersLive(context) || supervisor === "alive") return false
  // An intent that nobody has claimed has no process whose silence could count.
  const from = unclaimedFrom(context)
  if (from !== null) return from === "elsewhere"
  return supervisor === "unknown" || agent === "unknown"
}

/** Its ending is written and nothing of it is left but, perhaps, its supervisor. */
export const isFinishedAndGone = ({ view }: Facts): boolean =>
  view.lease?.phase === "finished" && nothingLeft(view.evidence)

/** Its loss was recorded by the clock, and nothing has shown since that it lives. */
export const isGivenUp = ({ unknown, view }: Facts): boolean => unknown && view.recorded?.outcome === "lost"

/**
 * A tombstone won its epoch before it began; where a lease went further, the tombstone came when its claim was missing.
 * Nothing is undone while the supervisor of a lease that contradicts it may live.
 */
export const isUndone = ({ view }: AttemptContext): boolean =>
  view.claim === "tombstone" && (view.lease === null || view.lease.phase === "starting") && isProvenDead(view.evidence)

/**
 * Its claim says what its lease did, and so can be asked for its ending. A lease that contradicts it is set aside by that:
 * not before nothing of it lives, for only it tells of its agent.
 */
export const isRebuildable = ({ dead, view }: Facts): boolean =>
  view.lease === null &&
  view.claim === "claim" &&
  view.taskCreatedAt !== null &&
  view.evidence.supervisor === "dead" &&
  (view.leaseFault !== "lease-contradicts-claim" || dead)

/** Everything the rules ask about one attempt. */
export const factsOf = (context: AttemptContext): Facts => {
  const { desired, observed, record, sight, view } = context
  const lease = view.lease
  const sameBoot = lease === null || lease.bootId === observed.here.bootId
  const startMonoMs = lease !== null && sameBoot ? lease.startMonoMs : observed.monoMs
  const unknown = isUnknown(context)
  return {
    ...context,
    dead: isProvenDead(view.evidence),
    unknown,
    startMonoMs,
    look: lookAgain({
      epoch: view.reference.epoch,
      bootId: observed.here.bootId,
      monoMs: observed.monoMs,
      // Where there is no lease there is no beat that could be overdue.
      supervisor: unknown ? "unknown" : lease !== null && view.evidence.supervisor === "alive" ? "alive" : "dead",
      beatMonoMs: lease?.beatMonoMs ?? lease?.startMonoMs ?? 0,
      heartbeatSec: lease?.heartbeatSec ?? null,
      starting: lease === null || lease.phase === "starting",
      taskComplete:
        sight._tag === "Found" && sight.task.status === "complete" && lease !== null && lease.phase !== "finished",
      stored: record.attempts?.observed ?? null,
      policy: desired.policy
    })
  }
}
