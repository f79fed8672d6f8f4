import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { completesAfter, World } from "../src/simulation/api.ts"
import { filesLeft, later, outcomes, startScheduler, statuses } from "./passHarness.ts"

describe("a pass", () => {
  it.effect("starts what is ready, and finishes it when its agent has completed it", () =>
    Effect.gen(function* () {
      const world = new World()
      world.addTask()
      world.addTask()
      world.script = () => completesAfter(5000)
      const { pass } = yield* startScheduler(world)
      yield* pass()
      assert.deepStrictEqual(statuses(world), ["working", "idle"])
      yield* later(world, 6)
      const report = yield* pass()
      assert.deepStrictEqual(report.errors, [])
      assert.deepStrictEqual(statuses(world), ["complete", "working"])
      yield* later(world, 6)
      yield* pass()
      assert.deepStrictEqual(statuses(world), ["complete", "complete"])
      assert.strictEqual(filesLeft(world), 0)
      assert.deepStrictEqual(outcomes(world), ["done", "done"])
    })
  )
})
