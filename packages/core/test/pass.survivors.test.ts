/** What outlives SIGKILL keeps its slot, and every pass tells which process it is, why it lives and what to do about it. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { crash, exitsWith, World } from "../src/simulation/api.ts"
import {
  agent,
  desiredWith,
  passes,
  passThatCrashes,
  processOf,
  outcomes,
  runningLease,
  startScheduler,
  later,
  verdictsOf
} from "./passHarness.ts"

/** A finished agent left a process behind that no signal ends; a second task waits for the slot. */
const heldWorld = Effect.fnUntraced(function* (state: string, carriesToken = true) {
  const world = new World()
  const id = world.addTask()
  world.addTask()
  world.script = () => exitsWith(0, 60_000)
  const scheduler = yield* startScheduler(world)
  yield* scheduler.pass()
  yield* later(world, 1)
  const agent = processOf(world, id, "agent")
  const left = world.machine.spawn({
    parent: 1,
    token: carriesToken ? runningLease(world, id).token : null,
    group: agent.group,
    session: agent.session,
    onSignal: () => undefined
  })
  left.state = state
  yield* later(world, 60)
  return { world, left, ...scheduler }
})

describe("a process that outlives SIGKILL", () => {
  it.effect("is told in every pass from then on, and holds its slot", () =>
    Effect.gen(function* () {
      const { left, pass, world } = yield* heldWorld("D")
      assert.deepStrictEqual((yield* pass()).errors, [])
      yield* passes(world, { pass }, 1, 5)
      assert.deepStrictEqual((yield* pass()).errors, [])
      const told = [
        `task 1: process ${left.pid} (process) is left of epoch 1 and holds its slot: the kernel does not let go of it (state D), mostly for a disk or a network file system; bring that back, or restart the machine`
      ]
      // Also by a pass at which no rung is due.
      for (const seconds of [1, 1, 60, 3600]) {
        yield* later(world, seconds)
        const report = yield* pass()
        assert.deepStrictEqual(report.errors, told)
        assert.match(verdictsOf(report).join("\n"), /wait task 2: no free slot: queue dev 1\/1/)
      }
      world.machine.end(left)
      assert.deepStrictEqual((yield* pass()).errors, [])
      assert.deepStrictEqual(outcomes(world), ["unreported"])
    })
  )

  it.effect("is told with what holds it, where that is not known", () =>
    Effect.gen(function* () {
      const { left, pass, world } = yield* heldWorld("S")
      yield* passes(world, { pass }, 4, 5)
      assert.deepStrictEqual((yield* pass()).errors, [
        `task 1: process ${left.pid} (process) is left of epoch 1 and holds its slot: it was not ended by SIGKILL; see what holds it: cat /proc/${left.pid}/status`
      ])
    })
  )

  it.effect("is told too when it got no signal, since nobody can say whose it is", () =>
    Effect.gen(function* () {
      const { left, pass, world } = yield* heldWorld("S", false)
      yield* passes(world, { pass }, 4, 5)
      assert.deepStrictEqual(world.machine.signals, [])
      assert.deepStrictEqual((yield* pass()).errors, [
        `task 1: process ${left.pid} (process) is left of epoch 1 and holds its slot: nobody can say whether it is the attempt's, so it gets no signal; if it is, end it: kill ${left.pid}`
      ])
    })
  )

  it.effect(
    "what the SIGKILL of this very pass ended is none, however long ago a pass that died meant to send it",
    () =>
      Effect.gen(function* () {
        const world = new World()
        const id = world.addTask()
        world.script = () => exitsWith(0, 1e9, { obeys: [] })
        const desired = desiredWith({ agents: [agent("vaela", { maxRuntimeSec: 60, stopGraceSec: 10 })] })
        const begun = yield* startScheduler(world, { desired })
        yield* begun.pass()
        yield* later(world, 61)
        yield* begun.pass()
        yield* later(world, 10)
        yield* begun.pass()
        yield* begun.end
        yield* later(world, 5)
        const faults = (call: string) => (call === "ProcessTable.signal" ? crash : null)
        assert.isTrue(yield* passThatCrashes(world, { desired, faults }))
        assert.strictEqual(world.files.stops.of(id)[0]?.[1].rung, "kill")
        yield* later(world, 60)
        const { pass } = yield* startScheduler(world, { desired })
        assert.deepStrictEqual((yield* pass()).errors, [])
        yield* later(world, 1)
        yield* pass()
        assert.deepStrictEqual(outcomes(world), ["timed-out"])
      })
  )

  it.effect(
    "a supervisor that can't write how its agent ended is told as that, not as one that withstood a signal",
    () =>
      Effect.gen(function* () {
        const world = new World()
        const id = world.addTask()
        world.script = () => exitsWith(0, 1e9, { obeys: [] })
        const { pass } = yield* startScheduler(world, {
          desired: desiredWith({ agents: [agent("vaela", { maxRuntimeSec: 60, stopGraceSec: 30 })] })
        })
        yield* pass()
        yield* later(world, 61)
        world.files.unwritable = "ENOSPC: no space left on device"
        // Its agent obeys the last signal only.
        yield* passes(world, { pass }, 5, 15)
        const { pid } = processOf(world, id, "supervisor")
        const told = (yield* pass()).errors.filter((error) => error.includes("holds its slot"))
        assert.deepStrictEqual(told, [
          `task 1: process ${pid} (supervisor) is left of epoch 1 and holds its slot: its agent has ended and it has not written how, perhaps since it can't: look whether the state directory takes writes, then what holds it: cat /proc/${pid}/status`
        ])
      })
  )
})
