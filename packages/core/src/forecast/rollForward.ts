/** Virtual time: reconcile, carry out, go on to the next moment at which anything happens, until nothing does. */
import type { ObservedState } from "../domain/ObservedState.ts"
import type { Plan } from "../domain/Plan.ts"
import type { Situation } from "../domain/Situation.ts"
import { reconcile } from "../reconcile/reconcile.ts"
import { VirtualMachine } from "./VirtualMachine.ts"
import type { DurationOf, Happenings } from "./VirtualMachine.ts"

/** One look of virtual time: what was seen, what was decided, and what came of it. */
export interface Step extends Happenings {
  readonly observed: ObservedState
  readonly plan: Plan
}

/**
 * Every look of virtual time, in order. Ends when nothing runs and nothing changes by itself any more, or after
 * `looksMax` looks. What ends at one moment is carried out together, and its slots are used at that moment: passes take
 * no time here, as those of a daemon that is woken by each ending.
 */
export function* rollForward(situation: Situation, durationOf: DurationOf, looksMax: number): Generator<Step, void> {
  const machine = new VirtualMachine(situation, durationOf)
  for (let looks = 0; looks < looksMax; looks += 1) {
    const observed = machine.observe()
    const plan = reconcile(observed, situation.desired)
    const again = machine.apply(plan)
    const goesOn = again || machine.advance(plan.nextWallMs)
    yield { observed, plan, ...machine.takeHappenings() }
    if (!goesOn) return
  }
}
