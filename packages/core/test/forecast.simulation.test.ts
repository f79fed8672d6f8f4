/** The forecast beside the simulated machine: what is predicted before the first pass is what passes then do. */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { policyDefaults } from "../src/domain/DesiredState.ts"
import type { DesiredState } from "../src/domain/DesiredState.ts"
import { forecast } from "../src/forecast/forecast.ts"
import { makePassMemory } from "../src/pass/memory.ts"
import { plan, runPass } from "../src/pass/pass.ts"
import { SchedulerLock } from "../src/ports/SchedulerLock.ts"
import { completesAfter, layerSimulation, World } from "../src/simulation/api.ts"
import { agent } from "./builders.ts"

const hour = 3_600_000

const desired: DesiredState = {
  mode: "queues",
  endpoint: "simulated",
  agents: [agent("vaela", { slots: 2, success: "tinytask" })],
  queueLimits: [],
  maxConcurrent: null,
  policy: policyDefaults
}

it.effect("ten tasks of an hour on two slots: the same five hours, and each task in the same hour", () => {
  const world = new World()
  world.script = () => completesAfter(59 * 60_000)
  for (let count = 0; count < 10; count += 1) world.addTask({ queue: "dev" })
  return Effect.gen(function* () {
    const memory = yield* makePassMemory
    const { observed } = yield* plan({ desired, memory, startsOffReason: null })
    const predicted = forecast({ observed, desired }, () => hour)
    const { term } = yield* Effect.flatMap(SchedulerLock, (lock) => lock.acquire)
    const nothing = () => Effect.void
    let hours = 0
    while ([...world.tinytask.tasks.values()].some(({ task }) => task.status !== "complete")) {
      yield* runPass({
        desired,
        memory,
        term,
        startsOffReason: null,
        logDirectory: "logs",
        onPlan: nothing,
        onResults: nothing
      })
      yield* TestClock.adjust("1 hour")
      world.settle(world.machine.nowMs + hour)
      hours += 1
    }
    assert.strictEqual(predicted.makespanMs, hours * hour)
    const began = world.supervision.runs.map(({ startMs, taskId }) => [
      taskId,
      Math.floor((startMs - observed.nowMs) / hour)
    ])
    assert.deepStrictEqual(
      predicted.attempts.map(({ startMs, taskId }) => [taskId, (startMs - observed.nowMs) / hour]),
      began
    )
  }).pipe(Effect.scoped, Effect.provide(layerSimulation(world)))
})
