/**
 * Two forecasts beside each other. What is supposed and is the case already changes nothing; and where it is a theorem,
 * more slots never make all of it take longer. In general they may: `compareForecasts.test` shows one.
 */
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { policyDefaults } from "../src/domain/DesiredState.ts"
import type { Situation } from "../src/domain/Situation.ts"
import { chanceOf } from "../src/forecast/chance.ts"
import { compareForecasts } from "../src/forecast/compareForecasts.ts"
import { forecast } from "../src/forecast/forecast.ts"
import type { DurationOf } from "../src/forecast/VirtualMachine.ts"
import { suppose } from "../src/whatIf/suppose.ts"
import type { Supposition } from "../src/whatIf/Supposition.ts"
import { agent, agentName, queueName, task, world } from "./builders.ts"
import { worlds } from "./worlds.ts"

const parameters = {
  numRuns: Number(process.env["RUNS"] ?? 200),
  seed: Number(process.env["SEED"] ?? 20_261_123)
}

const durations: DurationOf = ({ taskId }) => 10_000 + Math.floor(chanceOf(taskId) * 1_190_000)

/** Everything that a setting can say, as it is. */
const asItIs = ({ desired }: Situation): ReadonlyArray<Supposition> => [
  ...desired.agents.flatMap(({ enabled, name, slots }): ReadonlyArray<Supposition> => [
    { _tag: "AgentSlots", agent: name, slots },
    { _tag: "AgentEnabled", agent: name, enabled }
  ]),
  ...desired.queueLimits.map(({ limit, queue }): Supposition => ({ _tag: "QueueLimit", queue, limit })),
  { _tag: "MaxConcurrent", limit: desired.maxConcurrent },
  { _tag: "Policy", policy: desired.policy }
]

describe("two forecasts of any world", () => {
  it("are the same where what is supposed is the case already, or nothing is supposed", () => {
    fc.assert(
      fc.property(worlds(), (situation) => {
        const today = forecast(situation, durations)
        for (const suppositions of [[], asItIs(situation)]) {
          const then = forecast(suppose(situation, suppositions), durations)
          expect(then).toEqual(today)
          expect(compareForecasts(today, then)).toEqual({ makespanMs: 0, shifts: [] })
        }
      }),
      parameters
    )
  })

  it("differ by the same the other way round", () => {
    fc.assert(
      fc.property(worlds(), fc.nat({ max: 5 }), (situation, limit) => {
        const today = forecast(situation, durations)
        const then = forecast(suppose(situation, [{ _tag: "MaxConcurrent", limit }]), durations)
        const there = compareForecasts(today, then)
        const back = compareForecasts(then, today)
        expect(back.makespanMs).toBe(0 - there.makespanMs)
        expect(back.shifts).toEqual(
          there.shifts.map(({ afterMs, beforeMs, taskId }) => ({ taskId, beforeMs: afterMs, afterMs: beforeMs }))
        )
      }),
      parameters
    )
  })
})

const hour = 3_600_000
const queues = ["dev", "qa", "docs"] as const

interface Pool {
  readonly tasks: number
  /** Of each of its agents, which serve no other queue. */
  readonly slots: ReadonlyArray<number>
  readonly limit: number | null
}

const pools: fc.Arbitrary<ReadonlyArray<Pool>> = fc.array(
  fc.record({
    tasks: fc.nat({ max: 14 }),
    slots: fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 3 }),
    limit: fc.option(fc.integer({ min: 1, max: 6 }))
  }),
  { minLength: 1, maxLength: queues.length }
)

/** An idle machine on which nothing waits for anything but a slot. */
const idle = (made: ReadonlyArray<Pool>): Situation => {
  const { observed } = world().build()
  const tasks = made.flatMap(({ tasks: count }, at) =>
    Array.from({ length: count }, (_, nth) => task(100 * (at + 1) + nth, { queue: queues[at] ?? "dev" }))
  )
  return {
    observed: { ...observed, tinytask: { _tag: "Read", tasks, lookedUp: [] } },
    desired: {
      mode: "queues",
      endpoint: "http://localhost:3000",
      agents: made.flatMap(({ slots }, at) =>
        slots.map((count, nth) =>
          agent(`agent_${at}_${nth}`, { queues: [queueName(queues[at] ?? "dev")], slots: count })
        )
      ),
      queueLimits: made.flatMap(({ limit }, at) =>
        limit === null ? [] : [{ queue: queueName(queues[at] ?? "dev"), limit }]
      ),
      maxConcurrent: null,
      policy: policyDefaults
    }
  }
}

/** Tasks of one length on like slots: as many rounds as there are slots full of them. */
const rounds = ({ limit, slots, tasks }: Pool): number => {
  const all = slots.reduce((sum, count) => sum + count, 0)
  return Math.ceil(tasks / Math.min(all, limit ?? all))
}

describe("tasks of one length that nothing blocks, each queue with agents of its own", () => {
  it("take as many rounds as there are slots full of them, and never longer with more slots", () => {
    fc.assert(
      fc.property(pools, fc.nat(), fc.integer({ min: 1, max: 4 }), (made, pick, more) => {
        const situation = idle(made)
        const today = forecast(situation, () => hour)
        expect(today.makespanMs).toBe(hour * Math.max(...made.map(rounds)))
        const chosen = situation.desired.agents[pick % situation.desired.agents.length]
        const slots = (chosen?.slots ?? 0) + more
        const supposition: Supposition = { _tag: "AgentSlots", agent: chosen?.name ?? agentName("nobody"), slots }
        const then = forecast(suppose(situation, [supposition]), () => hour)
        const { makespanMs, shifts } = compareForecasts(today, then)
        expect(makespanMs).toBeLessThanOrEqual(0)
        expect(shifts.filter(({ afterMs, beforeMs }) => (afterMs ?? 0) > (beforeMs ?? 0))).toEqual([])
      }),
      parameters
    )
  })
})
