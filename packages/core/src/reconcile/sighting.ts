/**
 * What must be seen twice before it counts: a beat that stands still, a liveness that stays unknown, a task that is
 * complete while its agent runs. Ages are on the monotonic clock of one boot, so a resume from sleep, a step of the wall
 * clock or a full disk makes nobody look dead.
 */
import type { Sighting } from "../domain/Attempts.ts"
import type { Epoch } from "../domain/identifiers.ts"
import type { Policy } from "../domain/DesiredState.ts"
import type { Liveness } from "../domain/ProcessIdentity.ts"

export interface SightingInput {
  readonly epoch: Epoch
  readonly bootId: string
  readonly monoMs: number
  readonly supervisor: Liveness
  /** The last beat, or the start while there is none. */
  readonly beatMonoMs: number
  readonly starting: boolean
  /** How often this supervisor beats; null where its lease does not say. */
  readonly heartbeatSec: number | null
  readonly taskComplete: boolean
  readonly stored: Sighting | null
  readonly policy: Policy
}

export interface SightingResult {
  /** What is to be remembered; null = nothing out of the ordinary. */
  readonly sighting: Sighting | null
  readonly changed: boolean
  readonly hung: boolean
  readonly unknownTooLong: boolean
  readonly completeTooLong: boolean
}

/** A beat is overdue after three intervals; a supervisor that has only claimed gets the start's grace at least. */
const overdueAfterMs = (policy: Policy, heartbeatSec: number, starting: boolean): number =>
  Math.max(3 * heartbeatSec, starting ? policy.startGraceSec : 0) * 1000

/**
 * heartbeat 15 s: a beat of 0 s seen at 50 s is overdue; seen unchanged at 80 s or later, the supervisor is hung.
 */
export const lookAgain = (input: SightingInput): SightingResult => {
  const { beatMonoMs, bootId, epoch, monoMs, policy, supervisor } = input
  const stored = input.stored?.epoch === epoch && input.stored.bootId === bootId ? input.stored : null
  const heartbeatSec = Math.max(policy.heartbeatSec, input.heartbeatSec ?? 0)
  const beatStands = stored !== null && stored.hungBeatMonoMs === beatMonoMs
  const overdue = supervisor === "alive" && monoMs - beatMonoMs > overdueAfterMs(policy, heartbeatSec, input.starting)
  const unknown = supervisor === "unknown"
  const hungSinceMonoMs = overdue ? (beatStands ? (stored.hungSinceMonoMs ?? monoMs) : monoMs) : null
  const unknownSinceMonoMs = unknown ? (beatStands ? (stored.unknownSinceMonoMs ?? monoMs) : monoMs) : null
  const completeSinceMonoMs = input.taskComplete ? (stored?.completeSinceMonoMs ?? monoMs) : null
  const ordinary = hungSinceMonoMs === null && unknownSinceMonoMs === null && completeSinceMonoMs === null
  const sighting: Sighting | null = ordinary
    ? null
    : {
        epoch,
        bootId,
        hungBeatMonoMs: overdue || unknown ? beatMonoMs : null,
        hungSinceMonoMs,
        unknownSinceMonoMs,
        completeSinceMonoMs
      }
  return {
    sighting,
    changed: !sameSighting(sighting, stored),
    hung: hungSinceMonoMs !== null && monoMs - hungSinceMonoMs >= 2 * heartbeatSec * 1000 && beatStands,
    unknownTooLong:
      policy.unknownLostSec > 0 &&
      unknownSinceMonoMs !== null &&
      beatStands &&
      monoMs - unknownSinceMonoMs >= policy.unknownLostSec * 1000,
    completeTooLong:
      completeSinceMonoMs !== null &&
      stored?.completeSinceMonoMs !== undefined &&
      monoMs - completeSinceMonoMs >= policy.completeGraceSec * 1000
  }
}

const sameSighting = (left: Sighting | null, right: Sighting | null): boolean =>
  left === right ||
  (left !== null &&
    right !== null &&
    left.hungBeatMonoMs === right.hungBeatMonoMs &&
    left.hungSinceMonoMs === right.hungSinceMonoMs &&
    left.unknownSinceMonoMs === right.unknownSinceMonoMs &&
    left.completeSinceMonoMs === right.completeSinceMonoMs)
