/** How an attempt ended, and what each ending does: to the task, to its budgets, and to the time of the next attempt. */
import * as Schema from "effect/Schema"

/** How an attempt ended: a closed list. docs/outcomes.md says how it is judged and what follows. */
export const Outcome = Schema.Literals([
  "done",
  "failed",
  "unreported",
  "timed-out",
  "stalled",
  "rate-limited",
  "auth",
  "handed-over",
  "void",
  "stopped",
  "lost",
  "start-failed"
])
export type Outcome = typeof Outcome.Type

/** Which budget an outcome uses up. "park" parks the task at once; "reset" clears all counts; "none" leaves them. */
export type Budget = "failures" | "losses" | "park" | "reset" | "none"

/**
 * What becomes of the task in Tinytask, where its fields still hold our values. "give-back": the status and assignee that
 * it had before the attempt.
 */
export type TaskFate = "complete" | "give-back" | "leave"

/** How long no further attempt begins. "reset": until the limit's stated reset, else as "backoff". */
export type Wait = "backoff" | "reset" | "none"

/** Who has to move next for the task to go on. */
export type NextMover = "nobody" | "the scheduler" | "a person" | "whoever has the task now"

export interface OutcomeRule {
  readonly budget: Budget
  readonly task: TaskFate
  readonly wait: Wait
  /** Whether a comment tells the task of it. */
  readonly comment: boolean
  readonly next: NextMover
}

const failure: OutcomeRule = {
  budget: "failures",
  task: "give-back",
  wait: "backoff",
  comment: true,
  next: "the scheduler"
}
const loss: OutcomeRule = { ...failure, budget: "losses" }

/** One row per outcome. */
export const outcomeRules: { readonly [K in Outcome]: OutcomeRule } = {
  done: { budget: "reset", task: "complete", wait: "none", comment: false, next: "nobody" },
  failed: failure,
  unreported: failure,
  "timed-out": failure,
  stalled: failure,
  "rate-limited": { ...loss, wait: "reset" },
  auth: { budget: "park", task: "give-back", wait: "none", comment: true, next: "a person" },
  "handed-over": { budget: "reset", task: "leave", wait: "none", comment: false, next: "whoever has the task now" },
  void: { budget: "none", task: "give-back", wait: "none", comment: false, next: "the scheduler" },
  stopped: loss,
  lost: loss,
  "start-failed": loss
}
