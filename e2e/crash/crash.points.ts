/**
 * Real processes of the built program die before every effect of theirs that reaches a file of the state, another process or
 * Tinytask; recovery follows, and nothing may be lost, doubled, torn or left.
 */
import { availableParallelism } from "node:os"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { explore } from "./explore.ts"
import { scenarios } from "./scenarios.ts"
import { Stage } from "./Stage.ts"
import { whyUntraceable } from "./tracing.ts"

const untraceable = whyUntraceable()
if (untraceable !== null) console.log(`no process is killed at its effects: ${untraceable}`)

/** Half of a history's time is waiting. */
const lanes = Number(process.env["CRASH_LANES"] ?? 2 * availableParallelism())
const repeats = Number(process.env["CRASH_REPEATS"] ?? 1)
/** The least that a pass and a supervisor do. */
const leastPoints = { pass: 30, supervisor: 15 } as const

describe.skipIf(untraceable !== null)("killed before every effect", () => {
  let stages: ReadonlyArray<Stage> = []
  const rows: Array<string> = []
  const totals = { points: 0, histories: 0, violations: 0 }

  beforeAll(async () => {
    stages = await Promise.all(Array.from({ length: lanes }, () => Stage.open()))
  })
  afterAll(async () => {
    await Promise.all(stages.map((stage) => stage.close()))
    console.log(
      [
        ...rows,
        `${totals.points} crash points, ${totals.histories} histories with a recovery, ${totals.violations} violations`
      ].join("\n")
    )
  })

  for (const scenario of scenarios) {
    const title = `${scenario.name}: the ${scenario.victim}`
    it(title, async () => {
      const began = performance.now()
      for (let repeat = 0; repeat < repeats; repeat += 1) {
        const { histories, missed, points, violations } = await explore(stages, scenario)
        const seconds = ((performance.now() - began) / 1000).toFixed(1)
        rows.push(`${String(points).padStart(5)} points, ${histories} histories, ${seconds} s  ${title}`)
        totals.points += points
        totals.histories += histories
        totals.violations += violations.length
        expect({ violations, missed }).toEqual({ violations: [], missed: [] })
        expect(points).toBeGreaterThanOrEqual(leastPoints[scenario.victim])
      }
    })
  }
})
