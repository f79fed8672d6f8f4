/** How an attempt ended, and what each ending counts towards. */
import * as Schema from "effect/Schema"

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

/** One row per outcome: the budget it uses, and whether the task goes back to what it was before the attempt. */
export const outcomeRules: {
  readonly [K in Outcome]: { readonly budget: Budget; readonly requeue: boolean; readonly comment: boolean }
} = {
  done: { budget: "reset", requeue: false, comment: false },
  failed: { budget: "failures", requeue: true, comment: true },
  unreported: { budget: "failures", requeue: true, comment: true },
  "timed-out": { budget: "failures", requeue: true, comment: true },
  stalled: { budget: "failures", requeue: true, comment: true },
  "rate-limited": { budget: "losses", requeue: true, comment: true },
  auth: { budget: "park", requeue: true, comment: true },
  "handed-over": { budget: "reset", requeue: false, comment: false },
  void: { budget: "none", requeue: true, comment: false },
  stopped: { budget: "losses", requeue: true, comment: true },
  lost: { budget: "losses", requeue: true, comment: true },
  "start-failed": { budget: "losses", requeue: true, comment: true }
}
