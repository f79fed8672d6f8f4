/** What became of one action of a plan. */
import type { Action } from "../domain/Plan.ts"
import type { Outcome } from "../domain/Outcome.ts"

/** What became of one action of a plan. */
export type ActionResult =
  | {
      readonly _tag: "Applied"
      readonly action: Action
      readonly note: string | null
      readonly outcome: Outcome | null
    }
  /** The files no longer say what the plan saw: the next observation judges anew. */
  | { readonly _tag: "Skipped"; readonly action: Action; readonly why: string }
  /** It failed, and the next pass tries again or goes on from where it stopped. */
  | { readonly _tag: "Failed"; readonly action: Action; readonly error: string }

export const applied = (action: Action, note: string | null = null, outcome: Outcome | null = null): ActionResult => ({
  _tag: "Applied",
  action,
  note,
  outcome
})
export const skipped = (action: Action, why: string): ActionResult => ({ _tag: "Skipped", action, why })
export const failed = (action: Action, error: string): ActionResult => ({ _tag: "Failed", action, error })
