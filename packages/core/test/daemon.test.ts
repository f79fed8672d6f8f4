/** The loop around the pass, on a virtual clock: when it passes, what wakes it, and what ends it. */
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Queue from "effect/Queue"
import * as TestClock from "effect/testing/TestClock"
import { makeWakeUps, passSpacingMs, runDaemon, sleepAfter } from "../src/pass/daemon.ts"
import { completesAfter, exitsWith, World } from "../src/simulation/api.ts"
import { agent, desiredWith, later, outcomes, processesLeft, startScheduler, statuses, taskOf } from "./passHarness.ts"
import type { SchedulerOptions } from "./passHarness.ts"

/** A daemon over a world, and when it passed, in seconds. */
const startDaemon = Effect.fnUntraced(function* (world: World, options: SchedulerOptions = {}, intervalMs = 60_000) {
  const { context, inputWith } = yield* startScheduler(world, options)
  const wakeUps = yield* makeWakeUps
  const passedAt: Array<number> = []
  const failures: Array<string> = []
  const control = { endAfter: Infinity }
  const fiber = yield* runDaemon({
    input: Effect.sync(() => inputWith(options.desired ?? desiredWith())),
    intervalMs,
    wakeUps,
    onPass: () =>
      Effect.map(Clock.currentTimeMillis, (nowMs) => {
        passedAt.push(nowMs / 1000)
        return passedAt.length >= control.endAfter
      }),
    onFailure: (message) => Effect.sync(() => failures.push(message))
  }).pipe(Effect.provide(context), Effect.forkChild)
  yield* TestClock.adjust(0)
  return { fiber, wakeUps, passedAt, failures, control, wake: Queue.offer(wakeUps, undefined) }
})

describe("the daemon passes", () => {
  it.effect("at once, and then at every interval", () =>
    Effect.gen(function* () {
      const { passedAt } = yield* startDaemon(new World())
      yield* TestClock.adjust("130 seconds")
      assert.deepStrictEqual(
        passedAt.map((at) => Math.floor(at)),
        [0, 60, 120]
      )
    })
  )

  it.effect("when it is woken, and as often as it is woken", () =>
    Effect.gen(function* () {
      const { passedAt, wake } = yield* startDaemon(new World())
      yield* TestClock.adjust("10 seconds")
      yield* wake
      yield* TestClock.adjust("1 second")
      yield* wake
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(passedAt, [0, 10, 11])
    })
  )

  it.effect("once for any number of wake-ups that come together", () =>
    Effect.gen(function* () {
      const { passedAt, wake } = yield* startDaemon(new World())
      yield* TestClock.adjust("10 seconds")
      for (let time = 0; time < 100; time += 1) yield* wake
      yield* TestClock.adjust("5 seconds")
      assert.deepStrictEqual(passedAt, [0, 10])
    })
  )

  it.effect("once more for any number of wake-ups that come while it passes, and not before the spacing is over", () =>
    Effect.gen(function* () {
      let wakeDuringPass: () => unknown = () => undefined
      const { passedAt, wake, wakeUps } = yield* startDaemon(new World(), {
        faults: (call, moment) => {
          if (call === "LeaseStore.scan" && moment === "before") wakeDuringPass()
          return null
        }
      })
      wakeDuringPass = () => [Queue.offerUnsafe(wakeUps, undefined), Queue.offerUnsafe(wakeUps, undefined)]
      yield* TestClock.adjust("10 seconds")
      yield* wake
      yield* TestClock.adjust(0)
      assert.deepStrictEqual(passedAt, [0, 10])
      wakeDuringPass = () => undefined
      yield* TestClock.adjust(passSpacingMs - 1)
      assert.deepStrictEqual(passedAt, [0, 10])
      yield* TestClock.adjust("5 seconds")
      assert.deepStrictEqual(passedAt, [0, 10, 10 + passSpacingMs / 1000])
    })
  )

  it.effect("when a rung of a ladder is due, long before the interval is over", () =>
    Effect.gen(function* () {
      const world = new World()
      world.addTask()
      world.script = () => completesAfter(1e9, { obeys: [] })
      const desired = desiredWith({ agents: [agent("vaela", { maxRuntimeSec: 60 })] })
      const { wake } = yield* startDaemon(world, { desired }, 3600_000)
      yield* TestClock.adjust("1 second")
      // As the watcher does when the phase of a lease changed.
      yield* wake
      yield* TestClock.adjust("60 seconds")
      assert.strictEqual(world.machine.signals.length, 2)
      yield* TestClock.adjust("10 seconds")
      yield* TestClock.adjust("5 seconds")
      yield* TestClock.adjust("6 seconds")
      assert.deepStrictEqual(outcomes(world), ["timed-out"])
      assert.strictEqual(processesLeft(world), 0)
    })
  )

  it.effect("when a backoff is over", () =>
    Effect.gen(function* () {
      const world = new World()
      const id = world.addTask()
      world.script = (lease) => (lease.epoch === 1 ? exitsWith(1, 1000) : completesAfter(1000))
      const { wake } = yield* startDaemon(world, {}, 3600_000)
      yield* TestClock.adjust("2 seconds")
      yield* wake
      yield* TestClock.adjust("31 seconds")
      assert.strictEqual(world.supervision.runs.length, 2)
      yield* wake
      yield* TestClock.adjust("1 second")
      assert.strictEqual(taskOf(world, id).status, "complete")
    })
  )

  it.effect("no two passes closer together than the spacing, even with a due time that stays in the past", () => {
    assert.strictEqual(sleepAfter(null, { nowMs: 0, monoMs: 0, intervalMs: 60_000 }), 60_000)
    assert.strictEqual(
      sleepAfter({ nextMonoMs: 500, nextWallMs: null }, { nowMs: 9, monoMs: 1000, intervalMs: 60_000 }),
      passSpacingMs
    )
    assert.strictEqual(
      sleepAfter({ nextMonoMs: 5000, nextWallMs: 3009 }, { nowMs: 9, monoMs: 1000, intervalMs: 60_000 }),
      3000
    )
    assert.strictEqual(
      sleepAfter({ nextMonoMs: 5000, nextWallMs: 3009 }, { nowMs: 9, monoMs: 1000, intervalMs: 1000 }),
      1000
    )
    return Effect.void
  })
})

describe("the daemon goes on", () => {
  it.effect("after a pass that failed, and tells of it", () =>
    Effect.gen(function* () {
      const world = new World()
      world.addTask()
      let blind = true
      const { failures, passedAt } = yield* startDaemon(world, {
        faults: (call) => (blind && call === "LeaseStore.scan" ? "input/output error" : null)
      })
      yield* TestClock.adjust("61 seconds")
      assert.deepStrictEqual(failures, [
        "state can't be read: input/output error",
        "state can't be read: input/output error"
      ])
      assert.deepStrictEqual(passedAt, [])
      blind = false
      yield* TestClock.adjust("60 seconds")
      yield* TestClock.adjust("60 seconds")
      assert.strictEqual(passedAt.length, 2)
      assert.deepStrictEqual(statuses(world), ["complete"])
    })
  )

  it.effect("while Tinytask is down", () =>
    Effect.gen(function* () {
      const world = new World()
      world.addTask()
      world.tinytask.down = "connection refused"
      const { passedAt } = yield* startDaemon(world)
      yield* TestClock.adjust("130 seconds")
      assert.strictEqual(passedAt.length, 3)
      world.tinytask.down = null
      yield* TestClock.adjust("120 seconds")
      assert.deepStrictEqual(statuses(world), ["complete"])
    })
  )
})

describe("the daemon ends", () => {
  it.effect("when its lock is lost", () =>
    Effect.gen(function* () {
      const world = new World()
      world.addTask()
      world.script = () => completesAfter(1000)
      const { fiber } = yield* startDaemon(world)
      yield* TestClock.adjust("2 seconds")
      world.files.lockHolder = null
      yield* TestClock.adjust("60 seconds")
      const error = yield* Effect.flip(Fiber.join(fiber))
      assert.strictEqual(error._tag, "LockLost")
      assert.deepStrictEqual(outcomes(world), [])
    })
  )

  it.effect("when whoever is told of a pass says so", () =>
    Effect.gen(function* () {
      const { control, fiber, passedAt } = yield* startDaemon(new World())
      control.endAfter = 2
      yield* TestClock.adjust("60 seconds")
      yield* TestClock.adjust("60 seconds")
      yield* Fiber.join(fiber)
      assert.strictEqual(passedAt.length, 2)
    })
  )

  it.effect("when it is interrupted while it sleeps: at once", () =>
    Effect.gen(function* () {
      const { fiber, passedAt } = yield* startDaemon(new World())
      yield* TestClock.adjust("10 seconds")
      yield* Fiber.interrupt(fiber)
      assert.strictEqual(passedAt.length, 1)
    })
  )

  it.effect("when it is interrupted in the middle of a pass: after that pass", () =>
    Effect.gen(function* () {
      const world = new World()
      world.addTask()
      world.addTask()
      let interrupt = (): void => undefined
      const calls: Array<string> = []
      const { fiber, wake } = yield* startDaemon(world, {
        desired: desiredWith({ agents: [agent("vaela", { slots: 2 })] }),
        faults: (call, moment) => {
          if (moment === "before") calls.push(call)
          if (call === "LeaseStore.create" && moment === "after") interrupt()
          return null
        }
      })
      yield* TestClock.adjust("2 seconds")
      world.addTask()
      interrupt = () => fiber.interruptUnsafe()
      calls.length = 0
      yield* wake
      yield* TestClock.adjust("1 second")
      yield* Fiber.await(fiber)
      assert.deepStrictEqual(statuses(world), ["complete", "complete", "working"])
      assert.include(calls, "AgentLauncher.launch")
      assert.strictEqual(calls.at(-1), "AttemptHistory.writeAgents")
      yield* later(world, 120)
      assert.strictEqual(world.supervision.runs.length, 3)
      // Its agent went on by itself; the daemon made no further pass.
      assert.strictEqual(world.files.leases.size, 1)
    })
  )
})
