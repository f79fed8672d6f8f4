/** The loop around the pass, on a virtual clock: when it passes, what wakes it, and what ends it. */
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Queue from "effect/Queue"
import * as TestClock from "effect/testing/TestClock"
import {
  makeWakeUps,
  passSpacingMs,
  pauseAfterFailures,
  runDaemon,
  sleepAfter,
  withJitter
} from "../src/pass/daemon.ts"
import { runPass } from "../src/pass/pass.ts"
import { completesAfter, exitsWith, World } from "../src/simulation/api.ts"
import { agent, desiredWith, later, outcomes, processesLeft, startScheduler, statuses, taskOf } from "./passHarness.ts"
import type { SchedulerOptions } from "./passHarness.ts"

/** A daemon over a world, and when it passed, in seconds. */
const startDaemon = Effect.fnUntraced(function* (world: World, options: SchedulerOptions = {}, intervalMs = 60_000) {
  const { context, inputWith } = yield* startScheduler(world, options)
  const wakeUps = yield* makeWakeUps
  const passedAt: Array<number> = []
  const failures: Array<string> = []
  const control = { endAfter: Infinity, intervalMs, desired: options.desired ?? desiredWith(), pass: runPass }
  const fiber = yield* runDaemon({
    pass: Effect.suspend(() => control.pass(inputWith(control.desired))),
    intervalMs: Effect.sync(() => control.intervalMs),
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
      yield* TestClock.adjust("700 seconds")
      assert.strictEqual(passedAt[0], 0)
      const gaps = gapsOf(passedAt)
      assert.isAtLeast(gaps.length, 10)
      for (const gap of gaps) assert.isTrue(gap >= 54 && gap <= 66.1, `${gap} s`)
      assert.isAbove(new Set(gaps).size, 1, "chance moves each pass a little")
    })
  )

  it.effect("at another interval from the pass on that took it", () =>
    Effect.gen(function* () {
      const { control, passedAt, wake } = yield* startDaemon(new World())
      yield* TestClock.adjust("1 second")
      control.intervalMs = 10_000
      yield* wake
      yield* TestClock.adjust("34 seconds")
      assert.strictEqual(passedAt.length, 5)
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
      3001
    )
    assert.strictEqual(
      sleepAfter({ nextMonoMs: 5000, nextWallMs: 3009 }, { nowMs: 9, monoMs: 1000, intervalMs: 1000 }),
      1000
    )
    return Effect.void
  })
})

/** Seconds between passes. */
const gapsOf = (passedAt: ReadonlyArray<number>): ReadonlyArray<number> =>
  passedAt.slice(1).map((at, index) => at - (passedAt[index] ?? 0))

describe("the pause after failures", () => {
  it("is short at first, doubles, and ends at the interval or a minute, whichever is longer", () => {
    const pauses = (intervalMs: number) =>
      [1, 2, 3, 6, 7, 8, 9, 40, 5000].map((failures) => pauseAfterFailures(failures, intervalMs) / 1000)
    assert.deepStrictEqual(pauses(60_000), [1, 2, 4, 32, 60, 60, 60, 60, 60])
    assert.deepStrictEqual(pauses(1000), [1, 2, 4, 32, 60, 60, 60, 60, 60])
    assert.deepStrictEqual(pauses(200_000), [1, 2, 4, 32, 64, 128, 200, 200, 200])
  })

  it("is moved by chance by a tenth at most", () => {
    assert.deepStrictEqual(
      [0, 0.5, 1].map((draw) => withJitter(60_000, draw)),
      [54_000, 60_000, 66_000]
    )
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
      assert.deepStrictEqual([...new Set(failures)], ["state can't be read: input/output error"])
      assert.deepStrictEqual(passedAt, [])
      blind = false
      yield* TestClock.adjust("70 seconds")
      yield* TestClock.adjust("70 seconds")
      assert.deepStrictEqual(statuses(world), ["complete"])
    })
  )

  it.effect("after a pass that hit a fault of ours", () =>
    Effect.gen(function* () {
      const world = new World()
      world.addTask()
      const { control, failures } = yield* startDaemon(world, {}, 60_000)
      control.pass = () => Effect.die(new TypeError("x is not a function"))
      yield* TestClock.adjust("70 seconds")
      assert.deepStrictEqual(
        [...new Set(failures)],
        ["this is a fault of TinyScheduler, please report it: x is not a function"]
      )
      control.pass = runPass
      yield* TestClock.adjust("70 seconds")
      yield* TestClock.adjust("70 seconds")
      assert.deepStrictEqual(statuses(world), ["complete"])
    })
  )

  it.effect("while Tinytask is down, asking soon at first and then more and more seldom", () =>
    Effect.gen(function* () {
      const world = new World()
      world.addTask()
      world.tinytask.down = "connection refused"
      const { passedAt } = yield* startDaemon(world, {}, 1000)
      yield* TestClock.adjust("600 seconds")
      const gaps = gapsOf(passedAt)
      assert.isAtLeast(gaps.length, 10)
      for (const [index, gap] of gaps.entries()) {
        const due = Math.min(2 ** index, 60)
        assert.isTrue(gap >= 0.9 * due && gap <= 1.1 * due + 0.1, `pause ${index + 1} took ${gap} s`)
      }
      world.tinytask.down = null
      yield* TestClock.adjust("70 seconds")
      const passes = passedAt.length
      yield* TestClock.adjust("10 seconds")
      assert.isAtLeast(passedAt.length - passes, 8)
      assert.deepStrictEqual(statuses(world), ["complete"])
    })
  )

  it.effect("while Tinytask is down, with the ladders it has begun", () =>
    Effect.gen(function* () {
      const world = new World()
      world.addTask()
      world.script = () => completesAfter(1e9, { obeys: [] })
      const desired = desiredWith({ agents: [agent("vaela", { maxRuntimeSec: 60 })] })
      const { wake } = yield* startDaemon(world, { desired }, 3600_000)
      yield* TestClock.adjust("1 second")
      yield* wake
      yield* TestClock.adjust("40 seconds")
      world.tinytask.down = "connection refused"
      yield* TestClock.adjust("41 seconds")
      assert.strictEqual(processesLeft(world), 0)
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
      yield* TestClock.adjust("70 seconds")
      const error = yield* Effect.flip(Fiber.join(fiber))
      assert.strictEqual(error._tag, "LockLost")
      assert.deepStrictEqual(outcomes(world), [])
    })
  )

  it.effect("when whoever is told of a pass says so", () =>
    Effect.gen(function* () {
      const { control, fiber, passedAt } = yield* startDaemon(new World())
      control.endAfter = 2
      yield* TestClock.adjust("70 seconds")
      yield* TestClock.adjust("70 seconds")
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
