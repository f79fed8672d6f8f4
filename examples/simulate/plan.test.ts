/** A plan in a test: whole days of passes on a machine in memory, with a virtual clock and no side effect. */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { AgentName, makePassMemory, policyDefaults, QueueName, runPass, SchedulerLock } from "@tinyscheduler/core"
import type { DesiredState } from "@tinyscheduler/core"
import { completesAfter, layerSimulation, World } from "@tinyscheduler/core/simulation"

const twoSlots: DesiredState = {
  mode: "queues",
  endpoint: "simulated",
  agents: [
    {
      name: AgentName.make("vaela"),
      queues: [QueueName.make("dev")],
      slots: 2,
      enabled: true,
      recipe: null,
      success: "tinytask",
      maxRuntimeSec: 3600,
      stopGraceSec: 10,
      stopSignal: "SIGINT"
    }
  ],
  queueLimits: [],
  maxConcurrent: null,
  policy: policyDefaults
}

it.effect("ten tasks of an hour each take two slots five hours, and no third ever runs beside them", () => {
  const world = new World()
  world.script = () => completesAfter(59 * 60_000)
  for (let count = 0; count < 10; count += 1) world.addTask({ queue: "dev" })
  return Effect.gen(function* () {
    const { term } = yield* Effect.flatMap(SchedulerLock, (lock) => lock.acquire)
    const memory = yield* makePassMemory
    let hours = 0
    while ([...world.tinytask.tasks.values()].some(({ task }) => task.status !== "complete")) {
      const nothing = () => Effect.void
      yield* runPass({
        desired: twoSlots,
        memory,
        term,
        startsOffReason: null,
        logDirectory: "logs",
        onPlan: nothing,
        onResults: nothing
      })
      assert.isAtMost(world.supervision.runs.filter(({ endMs }) => endMs === null).length, 2)
      yield* TestClock.adjust("1 hour")
      world.settle(world.machine.nowMs + 3_600_000)
      hours += 1
    }
    assert.strictEqual(hours, 5)
  }).pipe(Effect.scoped, Effect.provide(layerSimulation(world)))
})
