/** Step 2, stale, for what attempts leave that have ended: claims that nobody needs once nothing of them lives. */
import type { DesiredState } from "../domain/DesiredState.ts"
import type { ObservedState } from "../domain/ObservedState.ts"
import type { Action, Verdict } from "../domain/Plan.ts"
import type { TaskRecord } from "../domain/TaskRecord.ts"
import type { AttemptView } from "./attemptView.ts"
import type { Judgement } from "./judgement.ts"
import { lookAgain } from "./sighting.ts"

type RemainsJudgement = Omit<Judgement, "verdict"> & { readonly verdict: Verdict | null }

/**
 * Swept once they are proven dead. A claim that came late from where nobody can look (another host, another pid
 * namespace) would hold its task for ever: like an attempt, it is given up when it stayed unknown for too long. Its
 * supervisor found no lease of its own and started nothing.
 */
export const judgeRemains = (
  view: Extract<AttemptView, { readonly _tag: "Remains" }>,
  record: TaskRecord,
  observed: ObservedState,
  { policy }: DesiredState
): RemainsJudgement => {
  const { taskId } = record
  const { liveness, reference } = view
  const { epoch } = reference
  const sweep = (withoutProof: boolean): Action => ({ _tag: "Sweep", taskId, epoch, withoutProof })
  const wait: Verdict = { _tag: "Wait", taskId, reasons: [{ _tag: "EarlierAttempt", epoch, liveness }] }
  if (liveness === "dead") return { verdict: view.holds ? wait : null, actions: [sweep(false)], nextMonoMs: null }
  // A claim that can't be read may be anybody's: only a person can tell.
  const isUnknown = liveness === "unknown" && record.claims.every(({ _tag }) => _tag === "Read")
  const look = lookAgain({
    epoch,
    bootId: observed.here.bootId,
    monoMs: observed.monoMs,
    supervisor: isUnknown ? "unknown" : "dead",
    beatMonoMs: 0,
    heartbeatSec: null,
    starting: true,
    taskComplete: false,
    stored: record.attempts?.observed ?? null,
    policy
  })
  // Its slot is free once it is gone, not in the plan that removes it.
  if (look.unknownTooLong) return { verdict: wait, actions: [sweep(true)], nextMonoMs: null }
  const since = look.sighting?.unknownSinceMonoMs ?? null
  const note: Action = { _tag: "Note", attempt: reference, sighting: look.sighting, taskCreatedAt: null }
  return {
    verdict: wait,
    actions: look.changed && record.attempts !== null ? [note] : [],
    nextMonoMs: since === null || policy.unknownLostSec === 0 ? null : since + policy.unknownLostSec * 1000
  }
}
