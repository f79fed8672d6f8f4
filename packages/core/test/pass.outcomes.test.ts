/** Endings that are no success, through real passes and crashes: told once, counted once, and tried again when they should be. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { Outcome } from "../src/domain/Outcome.ts"
import { millisOf, timestampOf } from "../src/domain/time.ts"
import { completesAfter, crash, exitsWith, World } from "../src/simulation/api.ts"
import type { AgentScript, FaultHook } from "../src/simulation/api.ts"
import {
  agent,
  desiredWith,
  filesLeft,
  later,
  outcomes,
  passThatCrashes,
  processOf,
  setWall,
  startScheduler,
  taskOf,
  verdictsOf
} from "./passHarness.ts"

const saying = (says: "rate-limited" | "auth" | "failed", resetsAt: string | null = null): AgentScript =>
  exitsWith(0, 1000, { exit: { code: 0, signal: null, stream: { says, detail: says, resetsAt } } })

/** Ends its scheduler at its n-th call, before or after that happened. */
const atTheCall = (nth: number, moment: "before" | "after"): FaultHook => {
  let seen = 0
  return (_call, when) => {
    if (when === "before") seen += 1
    return when === moment && seen === nth ? crash : null
  }
}

describe("an ending that is no success", () => {
  const endings: ReadonlyArray<readonly [Outcome, AgentScript]> = [
    ["failed", exitsWith(3, 1000, { tail: "no such branch" })],
    ["unreported", exitsWith(0, 1000)],
    ["rate-limited", saying("rate-limited", timestampOf(1_800_000))],
    ["auth", saying("auth")],
    ["start-failed", completesAfter(0, { startError: "no such file" })]
  ]
  it.effect.each(endings)("is told once and counted once, wherever its scheduler crashes: %s", ([outcome, script]) =>
    Effect.gen(function* () {
      let crashes = 0
      for (let nth = 1, isWithin = true; isWithin; nth += 1) {
        for (const moment of ["before", "after"] as const) {
          const world = new World()
          const id = world.addTask()
          world.script = () => script
          const first = yield* startScheduler(world)
          yield* first.pass()
          yield* first.end
          yield* later(world, 2)
          isWithin = yield* passThatCrashes(world, { faults: atTheCall(nth, moment) })
          crashes += Number(isWithin)
          const second = yield* startScheduler(world)
          yield* second.pass()
          yield* second.end
          const where = `call ${nth}, ${moment}`
          const { comments, status } = taskOf(world, id)
          assert.strictEqual(comments.length, 1, where)
          assert.include(comments[0], `: ${outcome} (`, where)
          assert.strictEqual(status, "idle", where)
          const attempts = world.files.attempts.get(id)
          assert.deepStrictEqual(
            attempts?.outcomes.map((recorded) => recorded.outcome),
            [outcome],
            where
          )
          const counted = (attempts?.counts.failures ?? 0) + (attempts?.counts.losses ?? 0)
          assert.strictEqual(counted, outcome === "auth" ? 0 : 1, where)
          assert.strictEqual(filesLeft(world), 0, where)
        }
      }
      assert.isAbove(crashes, 30)
    })
  )

  it.effect("is told although a person quoted the mark, and not again where its comment stands", () =>
    Effect.gen(function* () {
      const world = new World()
      const id = world.addTask()
      world.script = () => exitsWith(3, 1000)
      const { pass } = yield* startScheduler(world)
      yield* pass()
      yield* later(world, 0.5)
      const token = world.files.leaseToken(id)
      world.tinytask.tasks.get(id)?.comments.push(`> [tinyscheduler ${token}] what is this?`)
      yield* later(world, 1)
      yield* pass()
      assert.strictEqual(taskOf(world, id).comments.length, 2)
    })
  )
})

describe("the next attempt", () => {
  const limited = (resetsAtMs: number) => {
    const world = new World()
    const id = world.addTask()
    let isLimited = true
    world.script = () => {
      const script = isLimited ? saying("rate-limited", timestampOf(resetsAtMs)) : completesAfter(1000)
      isLimited = false
      return script
    }
    return { id, world }
  }

  it.effect("after a rate limit begins after the reset that was told, and not before", () =>
    Effect.gen(function* () {
      const { id, world } = limited(1_800_000)
      const { pass } = yield* startScheduler(world)
      yield* pass()
      yield* later(world, 2)
      yield* pass()
      assert.deepStrictEqual(world.files.attempts.get(id)?.counts, { failures: 0, losses: 1 })
      yield* later(world, 1790)
      assert.match(verdictsOf(yield* pass())[0] ?? "", /^wait task 1: backoff until 1970-01-01T00:30:/)
      yield* later(world, 40)
      yield* pass()
      yield* later(world, 2)
      yield* pass()
      assert.deepStrictEqual(outcomes(world), ["rate-limited", "done"])
    })
  )

  it.effect(
    "after a rate limit that resets in days, or on a clock that was set back, begins within the longest backoff",
    () =>
      Effect.gen(function* () {
        for (const setBack of [0, 86_400]) {
          const { world } = limited(7 * 86_400_000)
          const { end, pass } = yield* startScheduler(world)
          yield* pass()
          yield* later(world, 2)
          yield* pass()
          if (setBack > 0) yield* setWall(world, -setBack)
          yield* later(world, 3601)
          yield* pass()
          yield* later(world, 2)
          yield* pass()
          assert.deepStrictEqual(outcomes(world), ["rate-limited", "done"])
          yield* end
          if (setBack > 0) yield* setWall(world, setBack)
        }
      })
  )

  it.effect("after refused credentials begins when somebody releases it", () =>
    Effect.gen(function* () {
      const world = new World()
      const id = world.addTask()
      world.script = () => saying("auth")
      const { pass } = yield* startScheduler(world)
      yield* pass()
      yield* later(world, 2)
      yield* pass()
      yield* later(world, 100_000)
      assert.match(verdictsOf(yield* pass())[0] ?? "", /^wait task 1: parked/)
      assert.match(
        taskOf(world, id).comments[0] ?? "",
        /It is parked: no further attempt until `tinyscheduler retry 1`/
      )
    })
  )

  it.effect(
    "of a task that was reopened while its agent was stopped for having completed it: it is not set complete again",
    () =>
      Effect.gen(function* () {
        const world = new World()
        const id = world.addTask()
        world.script = () => completesAfter(1e9, { obeys: ["SIGTERM"] })
        const { pass } = yield* startScheduler(world)
        yield* pass()
        yield* later(world, 1)
        world.tinytask.change(id, { status: "complete" })
        yield* pass()
        yield* later(world, 120)
        yield* pass()
        world.tinytask.change(id, { status: "working" })
        yield* later(world, 11)
        yield* pass()
        yield* pass()
        assert.deepStrictEqual(outcomes(world), ["stopped"])
        assert.deepStrictEqual(world.files.attempts.get(id)?.counts, { failures: 0, losses: 1 })
        assert.strictEqual(taskOf(world, id).status, "idle")
      })
  )

  it.effect("after SIGTERM to its supervisor is no further failure, although the agent obeyed with exit 0", () =>
    Effect.gen(function* () {
      const world = new World()
      const id = world.addTask()
      world.script = () => completesAfter(1e9)
      const desired = desiredWith({ agents: [agent("vaela", { success: "exit" })] })
      const { pass } = yield* startScheduler(world, { desired })
      yield* pass()
      yield* later(world, 1)
      processOf(world, id, "supervisor").onSignal("SIGTERM")
      yield* later(world, 1)
      yield* pass()
      assert.deepStrictEqual(outcomes(world), ["lost"])
      assert.isBelow(millisOf(world.files.attempts.get(id)?.notBefore ?? ""), 60_000)
    })
  )
})
