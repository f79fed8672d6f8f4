/** What a broken invariant is told as, and what a check of one plan is. */
import type { DesiredState } from "../../domain/DesiredState.ts"
import type { ObservedState } from "../../domain/ObservedState.ts"
import type { Plan } from "../../domain/Plan.ts"

/** By what letter ARCHITECTURE.md lists an invariant. */
export type InvariantId = "a" | "b" | "c" | "d" | "e" | "f" | "g" | "h" | "i"

/** One way in which a plan, or several, break an invariant, in a sentence. */
export interface Violation {
  readonly invariant: InvariantId
  readonly message: string
}

/** What of one plan breaks an invariant, a sentence each. */
export type Check = (observed: ObservedState, desired: DesiredState, plan: Plan) => ReadonlyArray<string>
