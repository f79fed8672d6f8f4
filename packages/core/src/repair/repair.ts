/**
 * A repair: look, find, mend, and look again, until nothing is left that it may mend. The caller holds the lock. One
 * finding at a time of each task: what is mended first may change what is found of the same task next.
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { Finding } from "./Finding.ts"
import { careOf, keyOf } from "./Finding.ts"
import { findings } from "./findings.ts"
import { look } from "./look.ts"
import type { LookInput } from "./look.ts"
import { mend } from "./mend.ts"

/** What was found and what came of it. */
export interface RepairReport {
  readonly mended: ReadonlyArray<Finding>
  /** What could not be mended, each with why. */
  readonly failed: ReadonlyArray<{ readonly finding: Finding; readonly error: string }>
  /** What a person has to see to, and what nobody has to. */
  readonly left: ReadonlyArray<Finding>
  /** Why Tinytask could not be read, so that its tasks were not looked at; null when it could. */
  readonly tinytaskProblem: string | null
}

/** More rounds are never needed: a task has at most its attempts, its claims, its lease and itself to mend. */
const roundsMax = 20

/** Leftovers are swept by whoever takes the lock: those that are left now, by the next one. */
const isSwept = ({ _tag }: Finding): boolean => _tag === "Litter"

/** What is found, without mending anything. */
export const lookAndFind = Effect.fn("repair.lookAndFind")(function* (input: LookInput) {
  const sight = yield* look(input)
  const { tinytask } = sight.observed
  return {
    found: findings(sight, input.desired),
    tinytaskProblem: tinytask._tag === "Unread" ? tinytask.reason : null
  }
})

export const repair = Effect.fn("repair.run")(function* (input: LookInput) {
  const mended = new Map<string, Finding>()
  const failed = new Map<string, RepairReport["failed"][number]>()
  for (let round = 0; ; round += 1) {
    const { found, tinytaskProblem } = yield* lookAndFind(input)
    const open = found.filter(
      (finding) => careOf(finding) === "mend" && !isSwept(finding) && !failed.has(keyOf(finding))
    )
    if (open.length === 0 || round === roundsMax) {
      const left = found.filter((finding) => careOf(finding) !== "mend" || isSwept(finding))
      const stillThere = new Set(found.map(keyOf))
      return {
        mended: [...mended.values()],
        failed: [...failed].filter(([key]) => stillThere.has(key)).map(([, failure]) => failure),
        left,
        tinytaskProblem
      } satisfies RepairReport
    }
    const touched = new Set<number>()
    for (const finding of open) {
      if ("taskId" in finding) {
        if (touched.has(finding.taskId)) continue
        touched.add(finding.taskId)
      }
      const key = keyOf(finding)
      // What is found again although it was mended is told, and not mended for ever.
      if (mended.delete(key)) {
        failed.set(key, { finding, error: "it was mended, and is there again" })
        continue
      }
      const result = yield* mend(finding).pipe(Effect.uninterruptible, Effect.result)
      if (Result.isSuccess(result)) {
        if (result.success === null) mended.set(key, finding)
        else failed.set(key, { finding, error: result.success })
      } else {
        // Another scheduler may be writing: nothing more is touched.
        if (result.failure._tag === "LockLost") return yield* result.failure
        failed.set(key, { finding, error: result.failure.message })
      }
    }
  }
})
