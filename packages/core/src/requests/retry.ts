/** `retry`: a task is released, as if none of its attempts had failed. Its epochs go on growing. */
import type { Attempts } from "../domain/Attempts.ts"
import type { Epoch, Token } from "../domain/identifiers.ts"
import type { RetryRequest } from "../domain/Request.ts"
import { millisOf } from "../domain/time.ts"
import { done, nothing, refused } from "./answers.ts"
import type { CarriedOut, RequestSight } from "./carryOut.ts"

/** The latest attempt that is remembered; null when none is. A lease of the Python version ends without a start of ours. */
export const latestAttempt = (
  attempts: Attempts | null
): { readonly epoch: Epoch; readonly token: Token; readonly ended: boolean } | null => {
  if (attempts === null) return null
  const { last, outcomes } = attempts
  const ending = [...outcomes].sort((left, right) => left.epoch - right.epoch).at(-1) ?? null
  if (last !== null && (ending === null || ending.epoch < last.epoch)) return { ...last, ended: false }
  return ending === null ? null : { epoch: ending.epoch, token: ending.token, ended: true }
}

/** What held the task back, in words; null when nothing did. */
const heldBackBy = ({ counts, notBefore, parked }: Attempts, nowMs: number): string | null => {
  if (parked !== null) return `it was parked after ${parked.count} (${parked.outcome})`
  if (notBefore !== null && millisOf(notBefore) > nowMs) return `it was waiting until ${notBefore}`
  return counts.failures + counts.losses === 0
    ? null
    : `${counts.failures + counts.losses} of its attempts counted against it`
}

export const carryOutRetry = (
  request: RetryRequest,
  { attempts, attemptsProblem, nowMs }: RequestSight
): CarriedOut => {
  const task = `task ${request.taskId}`
  if (attemptsProblem !== null) {
    return refused(`${task} can't be released while its attempts file can't be read: ${attemptsProblem}`)
  }
  const latest = latestAttempt(attempts)
  if (attempts === null || latest === null)
    return refused(`nothing is remembered of ${task}: there is nothing to release`)
  if (latest.epoch !== request.epoch || latest.token !== request.token) {
    return refused(`${task} has gone on to attempt ${latest.epoch} since: nothing was changed`)
  }
  if (!latest.ended) return nothing(`${task} is at work (attempt ${latest.epoch}): there is nothing to release`)
  const why = heldBackBy(attempts, nowMs)
  if (why === null) return nothing(`${task} is neither parked nor waiting after a failure: there is nothing to release`)
  return done(`${task} is released: ${why}; its counts begin anew`, {
    _tag: "WriteAttempts",
    attempts: { ...attempts, parked: null, notBefore: null, counts: { failures: 0, losses: 0 } }
  })
}
