/**
 * What must hold of every forecast, tried on whole random worlds: at each of its moments the plan keeps the invariants,
 * and what comes out names each task once, in an order that blocking allows. RUNS and SEED as for plans.
 */
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { isOpen } from "../src/domain/Task.ts"
import { chanceOf } from "../src/forecast/chance.ts"
import { forecast } from "../src/forecast/forecast.ts"
import type { Forecast } from "../src/forecast/forecast.ts"
import { rollForward } from "../src/forecast/rollForward.ts"
import type { DurationOf } from "../src/forecast/VirtualMachine.ts"
import { violationsOf } from "../src/reconcile/invariants/invariants.ts"
import type { World } from "./builders.ts"
import { shuffledWorlds, worlds } from "./worlds.ts"

const parameters = {
  numRuns: Number(process.env["RUNS"] ?? 200),
  seed: Number(process.env["SEED"] ?? 20_261_123)
}

/** From ten seconds to twenty minutes, by task. */
const durations: DurationOf = ({ taskId }) => 10_000 + Math.floor(chanceOf(taskId) * 1_190_000)

const openTasks = ({ observed }: World) =>
  observed.tinytask._tag === "Read" ? observed.tinytask.tasks.filter(isOpen) : []

/** Each task that a forecast tells of, as often as it does. A parent may be completed while it never started. */
const told = (made: Forecast): ReadonlyArray<number> =>
  [
    ...made.attempts.map(({ taskId }) => taskId),
    ...made.parents.map(({ taskId }) => taskId),
    ...made.never.map(({ taskId }) => taskId),
    ...made.outside
  ].sort((left, right) => left - right)

describe("a forecast of any world", () => {
  it("keeps the invariants at each of its moments: no limit is exceeded, nothing blocked or paused starts", () => {
    fc.assert(
      fc.property(worlds(), (world) => {
        for (const { observed, plan } of rollForward(world, durations, 500)) {
          expect(violationsOf(observed, world.desired, plan)).toEqual([])
        }
      }),
      parameters
    )
  })

  it("never has more of an agent's attempts beside each other than it has slots", () => {
    fc.assert(
      fc.property(worlds(), (world) => {
        const { attempts } = forecast(world, durations)
        const slots = new Map<string, number>(world.desired.agents.map((agent) => [agent.name, agent.slots]))
        for (const { agent, found, startMs } of attempts) {
          if (found) continue
          const beside = attempts.filter(
            (other) => other.agent === agent && other.startMs <= startMs && other.endMs > startMs
          )
          expect(beside.length).toBeLessThanOrEqual(slots.get(agent) ?? 0)
        }
      }),
      parameters
    )
  })

  it("comes to an end, and tells of each open task", () => {
    fc.assert(
      fc.property(worlds(), (world) => {
        const made = forecast(world, durations)
        expect(made.whole).toBe(true)
        const names = new Set(told(made))
        for (const { id } of openTasks(world)) expect(names).toContain(id)
        const once = made.attempts.map(({ taskId }) => taskId)
        expect(new Set(once).size).toBe(once.length)
      }),
      parameters
    )
  })

  it("starts no task before its blocker has ended", () => {
    fc.assert(
      fc.property(worlds(), (world) => {
        if (world.desired.policy.disableBlocking) return
        const made = forecast(world, durations)
        const ends = new Map([...made.parents, ...made.attempts].map(({ endMs, taskId }) => [taskId, endMs]))
        const blockers = new Map(
          openTasks(world).flatMap(({ blocked, blockedBy, id }) =>
            blocked && blockedBy !== null ? [[id, blockedBy]] : []
          )
        )
        for (const { found, startMs, taskId } of made.attempts) {
          const blocker = blockers.get(taskId)
          if (found || blocker === undefined) continue
          expect(startMs).toBeGreaterThanOrEqual(ends.get(blocker) ?? Number.POSITIVE_INFINITY)
        }
      }),
      parameters
    )
  })

  it("is the same again, and for any order of its input", () => {
    fc.assert(
      fc.property(shuffledWorlds(), ([world, shuffled]) => {
        expect(forecast(shuffled, durations)).toEqual(forecast(world, durations))
      }),
      parameters
    )
  })
})
