/** A repair that a command asked of the scheduler that holds the lock: the same one, with its report as an answer. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { DesiredState } from "../domain/DesiredState.ts"
import { StateInventory } from "../ports/StateInventory.ts"
import { done, nothing, refused } from "../requests/answers.ts"
import { describeFinding } from "./describeFinding.ts"
import { careOf } from "./Finding.ts"
import { repair } from "./repair.ts"
import type { RepairReport } from "./repair.ts"

/** What was mended, and how much is left; what is left `repair --dry-run` tells whole. */
const answerOf = ({ failed, left, mended }: RepairReport) => {
  const person = left.filter((finding) => careOf(finding) === "person").length + failed.length
  const leftText = person === 0 ? "" : `; ${person} left for a person`
  if (mended.length === 0) return nothing(`nothing to mend${leftText}`)
  return done(
    `${mended.length} mended: ${mended.map((finding) => describeFinding(finding).found).join("; ")}${leftText}`
  )
}

/** Refused by a host whose ports can't look at its files as a repair has to. */
export const repairAsAsked = Effect.fn("repair.asAsked")(function* (desired: DesiredState, purge: boolean) {
  const inventory = yield* Effect.serviceOption(StateInventory)
  if (Option.isNone(inventory)) return refused("this scheduler can't repair: it has no port to the files of its state")
  const report = yield* repair({ desired, purge }).pipe(Effect.provideService(StateInventory, inventory.value))
  return answerOf(report)
})
