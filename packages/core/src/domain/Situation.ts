/** All that a plan is made of: reconcile is a function of this and of nothing else. What is recorded, replayed and supposed. */
import type { DesiredState } from "./DesiredState.ts"
import type { ObservedState } from "./ObservedState.ts"

/** What was observed and what is desired: all that a plan is made of. */
export interface Situation {
  readonly observed: ObservedState
  readonly desired: DesiredState
}
