/**
 * Random histories over real passes: what must never happen doesn't, plans keep their invariants, passes at one moment
 * come to rest (e), and when the faults stop everything comes to its end. RUNS and SEED choose how many and which.
 */
import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { history } from "./passHistory.ts"
import { HistoryRun } from "./passHistoryRun.ts"

const numRuns = Number(process.env["RUNS"] ?? 400)
const seed = process.env["SEED"] === undefined ? {} : { seed: Number(process.env["SEED"]) }

describe("a machine with all its faults", () => {
  it("never runs a task twice at once, frees nothing that lives, and comes to its end when the faults stop", () => {
    let passes = 0
    let plans = 0
    const began = performance.now()
    fc.assert(
      fc.property(history(50), (drawn) => {
        const run = HistoryRun.of(drawn)
        passes += run.passes
        plans += run.plans
        assert.deepStrictEqual(run.wrongs, [])
      }),
      { numRuns, ...seed }
    )
    const seconds = (performance.now() - began) / 1000
    console.log(`${passes} passes, ${plans} plans in ${seconds.toFixed(1)} s: ${Math.round(passes / seconds)} passes/s`)
  })
})
