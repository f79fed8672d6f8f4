/**
 * Random histories with repairs in their midst: a repair never frees or doubles anything that lives, and when the faults
 * stop, passes and repairs alone bring everything to rest, with nothing left to mend.
 */
import { assert, it } from "@effect/vitest"
import * as fc from "fast-check"
import { history, stepsMax } from "./passHistory.ts"
import { runRepairedHistory } from "./repairHistory.ts"

const runs = Number(process.env["RUNS"] ?? 150)
const seed = Number(process.env["SEED"] ?? 20_261_124)

it(
  "a repair breaks no promise, and leads to rest with nothing left to mend",
  () => {
    let mended = 0
    const repairs = fc.uniqueArray(fc.nat({ max: stepsMax }), { maxLength: 6 })
    fc.assert(
      fc.property(history, repairs, (drawn, after) => {
        const run = runRepairedHistory(drawn, new Set(after))
        mended += run.mended
        assert.deepStrictEqual(run.wrongs, [])
      }),
      { seed, numRuns: runs }
    )
    console.log(`seed ${seed}: ${runs} histories, ${mended} findings mended`)
    assert.isAbove(mended, 0)
  },
  Math.max(300_000, runs * 2000)
)
