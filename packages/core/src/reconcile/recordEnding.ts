/** What is remembered of an ending: of the task, whose budgets it uses up, and of the agent, whose starts may keep failing. */
import { outcomesKept } from "../domain/Attempts.ts"
import type { AgentRecord, Attempts } from "../domain/Attempts.ts"
import type { Policy } from "../domain/DesiredState.ts"
import type { Epoch, Token } from "../domain/identifiers.ts"
import { outcomeRules } from "../domain/Outcome.ts"
import type { Outcome } from "../domain/Outcome.ts"
import { millisOf, timestampOf } from "../domain/time.ts"
import { backoffMs, limitMs } from "./backoff.ts"

/** The longest detail that is kept: files that hold it have a greatest size, and an ending must always be writable. */
const detailMax = 500

export interface EndedAttempt {
  readonly epoch: Epoch
  readonly token: Token
  readonly outcome: Outcome
  readonly detail: string
  /** When the limit that it ran into resets. */
  readonly resetsAt?: string | null
  readonly nowMs: number
}

/** The attempts file after an ending was judged: outcome, counts, backoff and parking in one value, written at once. */
export const recordEnding = (attempts: Attempts, ended: EndedAttempt, policy: Policy): Attempts => {
  if (attempts.outcomes.some((recorded) => recorded.epoch === ended.epoch)) return attempts
  const at = timestampOf(ended.nowMs)
  const recorded = {
    epoch: ended.epoch,
    token: ended.token,
    outcome: ended.outcome,
    at,
    detail: ended.detail.slice(0, detailMax)
  }
  const after = { ...attempts, outcomes: [...attempts.outcomes, recorded].slice(-outcomesKept), observed: null }
  const { budget } = outcomeRules[ended.outcome]
  switch (budget) {
    case "none":
      return after
    case "reset":
      return { ...after, counts: { failures: 0, losses: 0 }, notBefore: null, parked: null }
    case "park":
      return { ...after, notBefore: null, parked: { since: at, outcome: ended.outcome, count: 0 } }
    case "failures":
    case "losses": {
      const counts = { ...attempts.counts, [budget]: attempts.counts[budget] + 1 }
      const count = counts[budget]
      const isSpent = count >= (budget === "failures" ? policy.maxAttempts : policy.maxLost)
      const delayMs = delayOf(attempts.taskId, ended, count, policy)
      return {
        ...after,
        counts,
        notBefore: delayMs === 0 ? null : timestampOf(ended.nowMs + delayMs),
        parked: isSpent ? { since: at, outcome: ended.outcome, count } : null
      }
    }
  }
}

const delayOf = (taskId: number, ended: EndedAttempt, count: number, policy: Policy): number => {
  const options = {
    count,
    baseSec: policy.backoffBaseSec,
    maxSec: policy.backoffMaxSec,
    taskId,
    attempt: ended.epoch
  }
  if (outcomeRules[ended.outcome].wait !== "reset") return backoffMs(options)
  const { nowMs, resetsAt = null } = ended
  return limitMs({ ...options, resetsInMs: resetsAt === null ? null : millisOf(resetsAt) - nowMs })
}

/** How many starts in a row must fail before an agent is set aside. */
export const startFailuresMax = 3

/** An agent's record after one of its attempts ended: failed starts in a row set it aside for a while. */
export const recordAgentEnding = (
  record: AgentRecord,
  outcome: Outcome,
  at: { readonly nowMs: number; readonly taskId: number },
  policy: Policy
): AgentRecord => {
  if (outcome === "void") return record
  if (outcome !== "start-failed") return { ...record, startFailures: 0, setAsideUntil: null }
  const startFailures = record.startFailures + 1
  if (startFailures < startFailuresMax) return { ...record, startFailures }
  const delayMs = backoffMs({
    count: startFailures - startFailuresMax + 1,
    baseSec: policy.backoffBaseSec,
    maxSec: policy.backoffMaxSec,
    taskId: at.taskId,
    attempt: startFailures
  })
  const until = at.nowMs + delayMs
  return { ...record, startFailures, setAsideUntil: delayMs === 0 ? null : timestampOf(until) }
}
