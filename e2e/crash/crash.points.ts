/**
 * Real processes of the built program die before every effect of theirs that reaches a file of the state, another process or
 * Tinytask; recovery follows, and nothing may be lost, doubled, torn or left. CRASH_SECONDS bounds the time: on a machine
 * that is too slow for all points, chance decides which are visited, and says by which seed. CRASH_ONLY names a scenario.
 */
import { availableParallelism } from "node:os"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { randomOf } from "../harness/crowd.ts"
import { type Found, find, visit } from "./explore.ts"
import { type Scenario, scenarios as allScenarios } from "./scenarios.ts"
import { Stage } from "./Stage.ts"
import { whyUntraceable } from "./tracing.ts"

const untraceable = whyUntraceable()
if (untraceable !== null) console.log(`no process is killed at its effects: ${untraceable}`)

/** Half of a history's time is waiting. */
const lanes = Number(process.env["CRASH_LANES"] ?? 2 * availableParallelism())
const seconds = Number(process.env["CRASH_SECONDS"] ?? 330)
const repeats = Number(process.env["CRASH_REPEATS"] ?? 1)
const seed = Number(process.env["CRASH_SEED"] ?? Date.now() % 1_000_000)
/** The least that a pass and a supervisor do. */
const leastPoints = { pass: 30, supervisor: 15 } as const

const titleOf = ({ name, victim }: Scenario): string => `${name}: the ${victim}`
const scenarios = allScenarios.filter((scenario) => titleOf(scenario).startsWith(process.env["CRASH_ONLY"] ?? ""))

describe.skipIf(untraceable !== null)("killed before every effect", () => {
  const random = randomOf(seed)
  const endMs = performance.now() + seconds * 1000
  const found = new Map<Scenario, Found>()
  const totals = { points: 0, visited: 0, histories: 0, violations: 0 }
  const rows: Array<string> = []
  let stages: ReadonlyArray<Stage> = []

  beforeAll(async () => {
    stages = await Promise.all(Array.from({ length: lanes }, () => Stage.open()))
    const left = [...scenarios]
    const work = async (stage: Stage): Promise<void> => {
      for (let next = left.shift(); next !== undefined; next = left.shift()) {
        found.set(next, await find(stage, next))
      }
    }
    await Promise.all(stages.map(work))
  })
  afterAll(async () => {
    await Promise.all(stages.map((stage) => stage.close()))
    const { histories, points, violations, visited } = totals
    const rest = visited === points ? "" : `; the rest was left for lack of time, pnpm soak:crash visits all`
    console.log(
      [
        ...rows,
        `seed ${seed}: ${visited} of ${points} crash points in ${histories} histories, ${violations} violations${rest}`
      ].join("\n")
    )
  })

  /** A share of the time that is left, by the points that are left. */
  const shareEndMs = (index: number): number => {
    const left = scenarios.slice(index).map((scenario) => found.get(scenario)?.points.length ?? 0)
    const now = performance.now()
    const share = (left[0] ?? 0) / left.reduce((sum, points) => sum + points, 0)
    return endMs === Number.POSITIVE_INFINITY ? endMs : now + (endMs - now) * share
  }

  it.each(scenarios.map((scenario, index) => ({ title: titleOf(scenario), scenario, index })))(
    "$title",
    async ({ index, scenario, title }) => {
      const its = found.get(scenario)
      if (its === undefined) throw new Error("its points were not found")
      for (let repeat = 0; repeat < repeats; repeat += 1) {
        const began = performance.now()
        const visited = await visit(stages, its, { random, untilMs: shareEndMs(index) })
        const violations = [...its.violations, ...visited.violations]
        const took = ((performance.now() - began) / 1000).toFixed(1)
        rows.push(
          `${visited.points} of ${its.points.length} points, ${visited.histories} histories, ${took} s  ${title}`
        )
        totals.points += its.points.length
        totals.visited += visited.points
        totals.histories += visited.histories
        totals.violations += violations.length
        // With a bound on its time a run leaves points anyway; what is tried in vain is counted with them.
        const missed = seconds === Number.POSITIVE_INFINITY ? visited.missed : []
        expect({ violations, missed }).toEqual({ violations: [], missed: [] })
        expect(its.points.length).toBeGreaterThanOrEqual(leastPoints[scenario.victim])
        // A name with a date or a pid in it comes in no second run, and hides all that follow it.
        expect(its.points.map(({ name }) => name).filter((name) => /\d{5}/.test(name))).toEqual([])
      }
    }
  )
})
