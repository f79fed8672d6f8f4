/**
 * Step 2, stale, for a lease of the old form, which has a bare pid and no epoch. While its process lives it is left
 * alone, whatever limits say; when it is dead the task is given back; when its liveness stays unknown it is given up by
 * the clock like any attempt.
 */
import type { Sighting } from "../domain/Attempts.ts"
import type { DesiredState } from "../domain/DesiredState.ts"
import type { ObservedState } from "../domain/ObservedState.ts"
import type { Action } from "../domain/Plan.ts"
import type { TaskRecord } from "../domain/TaskRecord.ts"
import { Epoch, epochMax } from "../domain/identifiers.ts"
import { legacyToken } from "../domain/legacyToken.ts"
import { millisOf } from "../domain/time.ts"
import type { TaskSight } from "./attemptFacts.ts"
import type { AttemptView } from "./attemptView.ts"
import { waitForReading } from "./judgement.ts"
import type { Judgement } from "./judgement.ts"
import { lookAgain } from "./sighting.ts"
import type { SightingResult } from "./sighting.ts"

type LegacyView = Extract<AttemptView, { readonly _tag: "Legacy" }>

interface LegacyContext {
  readonly view: LegacyView
  readonly record: TaskRecord
  readonly sight: TaskSight
  readonly observed: ObservedState
  readonly desired: DesiredState
}

export const judgeLegacy = (context: LegacyContext): Judgement => {
  if (context.view.liveness === "dead") return ended(context, "dead")
  const look = lookAtBeat(context)
  return look.unknownTooLong ? ended(context, "unknown-too-long") : kept(context, look)
}

/** The epoch as which its ending, and until then what was seen of it, is written down. */
const epochOf = ({ record }: LegacyContext): Epoch => Epoch.make(Math.min(record.epochMax, epochMax) + 1)

/** Its beat was written by the clock of whoever runs it: only whether it moves counts, and that on ours. */
const lookAtBeat = (context: LegacyContext): SightingResult => {
  const { desired, observed, record, view } = context
  return lookAgain({
    epoch: epochOf(context),
    bootId: observed.here.bootId,
    monoMs: observed.monoMs,
    supervisor: view.liveness === "unknown" ? "unknown" : "dead",
    beatMonoMs: millisOf(view.lease.lastHeartbeat ?? view.lease.startTime ?? ""),
    heartbeatSec: null,
    starting: false,
    taskComplete: false,
    stored: record.attempts?.observed ?? null,
    policy: desired.policy
  })
}

const kept = (context: LegacyContext, { changed, sighting }: SightingResult): Judgement => {
  const { desired, record, view } = context
  const { unknownLostSec } = desired.policy
  const since = sighting?.unknownSinceMonoMs ?? null
  return {
    verdict: {
      _tag: "Running",
      taskId: record.taskId,
      agent: view.lease.agentName,
      epoch: view.epoch,
      detail: view.liveness === "alive" ? "legacy" : "liveness-unknown"
    },
    actions: changed ? noteOf(context, sighting) : [],
    nextMonoMs: since === null || unknownLostSec === 0 ? null : since + unknownLostSec * 1000
  }
}

/** There is no attempts file of a task that we never started; one is begun, if Tinytask tells which task it is about. */
const noteOf = (context: LegacyContext, sighting: Sighting | null): ReadonlyArray<Action> => {
  const { record, sight, view } = context
  const taskCreatedAt = record.attempts === null && sight._tag === "Found" ? sight.task.createdAt : null
  if (record.attemptsProblem !== null || (record.attempts === null && taskCreatedAt === null)) return []
  const { agentName: agent, taskId } = view.lease
  const attempt = { taskId, epoch: epochOf(context), token: legacyToken(view.lease), agent, phase: "none" } as const
  return [{ _tag: "Note", attempt, sighting, taskCreatedAt }]
}

const ended = (context: LegacyContext, reason: "dead" | "unknown-too-long"): Judgement => {
  const { record, sight, view } = context
  if (sight._tag === "Unread" || record.attemptsProblem !== null || record.epochMax > epochMax)
    return waitForReading(record, sight)
  const { agentName: agent, pid, taskId } = view.lease
  const outcome = sight._tag === "Found" && sight.task.status === "complete" ? "done" : "lost"
  const epoch = epochOf(context)
  const withoutProof = reason !== "dead"
  return {
    verdict: { _tag: "Reclaim", taskId, agent, epoch, reason, outcome },
    actions: [{ _tag: "EndLegacy", taskId, epoch, agent, pid, withoutProof, path: view.path }],
    nextMonoMs: null
  }
}
