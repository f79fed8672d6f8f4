/**
 * Random histories over real passes: what must never happen doesn't, plans keep their invariants, passes at one moment
 * come to rest (e), and when the faults stop everything comes to its end. RUNS and SEED choose how many and which;
 * `pnpm simulate` tells a history that goes wrong step by step.
 */
import { assert, describe, it } from "@effect/vitest"
import { cases } from "./passHistoryCases.ts"
import { checkHistories, summaryOf } from "./passHistoryCheck.ts"
import { runHistory } from "./passHistoryRun.ts"

const runs = Number(process.env["RUNS"] ?? 2000)
/** The same ones each time: whether a change is good is no matter of luck. `pnpm soak` and `pnpm simulate` draw others. */
const seed = Number(process.env["SEED"] ?? 20_261_123)
/** A slow machine makes fifteen histories a second. */
const timeoutMs = Math.max(300_000, runs * 70)

describe("a machine with all its faults", () => {
  for (const [name, history] of Object.entries(cases)) {
    it(name, () => {
      assert.deepStrictEqual(runHistory(history).wrongs, [])
    })
  }

  it(
    "never runs a task twice at once, frees nothing that lives, and comes to its end when the faults stop",
    async () => {
      const checked = await checkHistories({ seed, runs, seconds: null, path: null })
      console.log(`seed ${seed}: ${summaryOf(checked)}`)
      const { violation } = checked
      const replay = violation === null ? null : `pnpm simulate --seed ${seed} --path ${violation.path}`
      assert.isNull(replay)
    },
    timeoutMs
  )
})
