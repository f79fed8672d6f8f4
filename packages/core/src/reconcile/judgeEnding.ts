/** The ending of an attempt of which nothing lives, by the table. */
import type { Agent, SuccessPolicy } from "../domain/DesiredState.ts"
import type { Outcome } from "../domain/Outcome.ts"
import { endingRules } from "./endingRules.ts"
import type { EndingEvidence } from "./endingRules.ts"

export interface Ending {
  readonly outcome: Outcome
  /** One line for people. */
  readonly detail: string
  /** When the limit that it ran into resets; null where that was not said, or it ended otherwise. */
  readonly resetsAt: string | null
}

export const judgeEnding = (evidence: EndingEvidence): Ending => {
  const rule = endingRules.find(({ matches }) => matches(evidence))
  if (rule === undefined) return { outcome: "failed", detail: "no rule matched", resetsAt: null }
  const resetsAt = rule.outcome === "rate-limited" ? (evidence.exit?.stream?.resetsAt ?? null) : null
  return { outcome: rule.outcome, detail: rule.detail(evidence), resetsAt }
}

/**
 * The agent's own policy; of one that left the control file, what its lease says. A lease that says nothing is judged by
 * Tinytask: an exit code of which nobody knows what it means must complete no task.
 */
export const successPolicyOf = (agent: Agent | undefined, leased: SuccessPolicy | undefined): SuccessPolicy =>
  agent?.success ?? leased ?? "tinytask"
