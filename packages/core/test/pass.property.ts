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
const stepsMax = 50
/** A slow machine makes fifteen histories a second. */
const timeoutMs = Math.max(300_000, numRuns * 70)

const breathe = () => new Promise((resolve) => setImmediate(resolve))

describe("a machine with all its faults", () => {
  it(
    "never runs a task twice at once, frees nothing that lives, and comes to its end when the faults stop",
    async () => {
      let passes = 0
      let histories = 0
      const began = performance.now()
      await fc.assert(
        fc.asyncProperty(history(stepsMax), async (drawn) => {
          const run = HistoryRun.of(drawn)
          passes += run.passes
          histories += 1
          if (histories % 20 === 0) await breathe()
          assert.deepStrictEqual(run.wrongs, [])
        }),
        { numRuns, ...seed }
      )
      const seconds = (performance.now() - began) / 1000
      console.log(
        `${histories} histories, ${passes} passes in ${seconds.toFixed(1)} s: ${Math.round(passes / seconds)} a second`
      )
    },
    timeoutMs
  )
})
