/** Ports that fail: Tinytask down or its answers lost, a disk that takes nothing, files that can't be read. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { TaskId } from "../src/domain/identifiers.ts"
import { completesAfter, exitsWith, World } from "../src/simulation/api.ts"
import {
  agent,
  atCall,
  desiredWith,
  filesLeft,
  later,
  outcomes,
  passes,
  processesLeft,
  processOf,
  snapshot,
  startScheduler,
  statuses,
  taskOf,
  verdictsOf
} from "./passHarness.ts"

const twoSlots = desiredWith({ agents: [agent("vaela", { slots: 2 })] })

describe("Tinytask is down", () => {
  it.effect(
    "nothing is freed and nothing started, stops go on, the pass says why, and all goes on when it is back",
    () =>
      Effect.gen(function* () {
        const world = new World()
        const ends = world.addTask()
        const overdue = world.addTask()
        world.addTask()
        world.script = (lease) => completesAfter(lease.taskId === overdue ? 1e9 : 1000)
        const { pass } = yield* startScheduler(world, {
          desired: desiredWith({ agents: [agent("vaela", { slots: 2, maxRuntimeSec: 60 })] })
        })
        yield* pass()
        yield* later(world, 2)
        world.tinytask.down = "connection refused"
        yield* later(world, 60)
        const report = yield* pass()
        assert.deepStrictEqual(report.errors, ["Tinytask at simulated can't be used: connection refused"])
        assert.deepStrictEqual(
          world.machine.signals.map(({ signal }) => signal),
          ["SIGINT"]
        )
        yield* later(world, 60)
        assert.deepStrictEqual(verdictsOf(yield* pass()), [
          "wait task 1: Tinytask could not be read",
          "wait task 2: Tinytask could not be read"
        ])
        assert.strictEqual(world.files.leases.size, 2)
        assert.strictEqual(world.supervision.runs.length, 2)
        world.tinytask.down = null
        yield* pass()
        assert.deepStrictEqual(outcomes(world), ["done", "timed-out"])
        assert.strictEqual(taskOf(world, ends).status, "complete")
        yield* later(world, 1)
        assert.strictEqual(world.supervision.runs.length, 3)
      })
  )

  it.effect(
    "between any two calls of an ending: the lease stays, and the next pass goes on without repeating anything",
    () =>
      Effect.gen(function* () {
        for (const call of ["TaskQueue.get", "TaskQueue.comment", "TaskQueue.update"]) {
          for (const moment of ["before", "after"] as const) {
            const world = new World()
            const id = world.addTask()
            world.script = () => exitsWith(1, 1000)
            const { end, pass } = yield* startScheduler(world, {
              faults: atCall(call, moment, () => "timed out", call === "TaskQueue.comment" ? 1 : 2)
            })
            yield* pass()
            yield* later(world, 2)
            const report = yield* pass()
            assert.isAtLeast(report.errors.length, 1, `${moment} ${call}`)
            assert.strictEqual(world.files.leases.size, 1, `${moment} ${call}`)
            yield* pass()
            const { comments, status, transitions } = taskOf(world, id)
            assert.deepStrictEqual(
              { comments: comments.length, status, transitions, counts: world.files.attempts.get(id)?.counts },
              {
                comments: 1,
                status: "idle",
                transitions: ["idle", "working", "idle"],
                counts: { failures: 1, losses: 0 }
              },
              `${moment} ${call}`
            )
            assert.deepStrictEqual(
              new Set(world.files.history.map(({ token }) => token)).size + filesLeft(world),
              1,
              `${moment} ${call}`
            )
            yield* end
          }
        }
      })
  )

  it.effect("a claim of a task whose answer was lost is re-read: it happened, and the agent starts", () =>
    Effect.gen(function* () {
      const world = new World()
      const id = world.addTask()
      const { pass } = yield* startScheduler(world, { faults: atCall("TaskQueue.update", "after", () => "timed out") })
      const report = yield* pass()
      assert.deepStrictEqual(report.errors, [])
      yield* later(world, 2)
      yield* pass()
      assert.deepStrictEqual(outcomes(world), ["done"])
      assert.deepStrictEqual(taskOf(world, id).transitions, ["idle", "working", "complete"])
    })
  )

  it.effect("a claim of a task that did not happen is undone at once, and the task tried again later", () =>
    Effect.gen(function* () {
      const world = new World()
      const id = world.addTask()
      const { pass } = yield* startScheduler(world, { faults: atCall("TaskQueue.update", "before", () => "timed out") })
      const report = yield* pass()
      assert.match(report.errors.join(), /timed out/)
      assert.deepStrictEqual(outcomes(world), ["start-failed"])
      assert.deepStrictEqual(taskOf(world, id).transitions, ["idle"])
      assert.strictEqual(filesLeft(world), 0)
      yield* passes(world, { pass }, 2, 31)
      assert.strictEqual(taskOf(world, id).status, "complete")
    })
  )

  it.effect("a launch that failed is undone at once; one that only says so has started nobody twice", () =>
    Effect.gen(function* () {
      for (const moment of ["before", "after"] as const) {
        const world = new World()
        const id = world.addTask()
        const { end, pass } = yield* startScheduler(world, {
          faults: atCall("AgentLauncher.launch", moment, () => "no processes left")
        })
        yield* pass()
        assert.deepStrictEqual(outcomes(world), ["start-failed"], moment)
        assert.strictEqual(taskOf(world, id).status, "idle", moment)
        yield* later(world, 1)
        assert.deepStrictEqual(world.supervision.runs, [], moment)
        yield* passes(world, { pass }, 3, 31)
        assert.strictEqual(taskOf(world, id).status, "complete", moment)
        assert.strictEqual(world.supervision.runs.length, 1, moment)
        yield* end
      }
    })
  )
})

describe("state that can't be written or read", () => {
  it.effect("an intent that can't be written starts nothing, and the pass goes on to the next task", () =>
    Effect.gen(function* () {
      for (const call of ["AttemptHistory.write", "LeaseStore.create"]) {
        for (const moment of ["before", "after"] as const) {
          const world = new World()
          world.addTask({ priority: 5 })
          world.addTask()
          const { end, pass } = yield* startScheduler(world, {
            desired: twoSlots,
            faults: atCall(call, moment, () => "no space left")
          })
          const report = yield* pass()
          assert.match(report.errors.join(), /no space left/)
          yield* later(world, 0.5)
          assert.include(
            world.supervision.runs.map(({ taskId }) => Number(taskId)),
            2,
            `${moment} ${call}`
          )
          yield* passes(world, { pass }, 6, 31)
          assert.deepStrictEqual(statuses(world), ["complete", "complete"], `${moment} ${call}`)
          assert.strictEqual(world.supervision.runs.length, 2, `${moment} ${call}`)
          assert.deepStrictEqual(world.supervision.overlaps, [])
          yield* end
        }
      }
    })
  )

  it.effect("a disk that takes nothing at all: nothing starts, nothing ends, and each pass says so", () =>
    Effect.gen(function* () {
      const world = new World()
      world.addTask()
      world.addTask()
      const { pass } = yield* startScheduler(world)
      yield* pass()
      yield* later(world, 2)
      world.files.unwritable = "no space left"
      for (let look = 0; look < 3; look += 1) {
        const report = yield* pass()
        assert.match(report.errors.join(), /no space left/)
        assert.deepStrictEqual(outcomes(world), [])
        assert.strictEqual(world.supervision.runs.length, 1)
      }
      world.files.unwritable = null
      yield* pass()
      assert.deepStrictEqual(outcomes(world), ["done"])
    })
  )

  const blind: ReadonlyArray<readonly [string, string]> = [
    ["LeaseStore.scan", "StateUnreadable"],
    ["AttemptHistory.scan", "StateUnreadable"],
    ["ProcessTable.look", "ProcessesUnreadable"],
    ["ProcessTable.scan", "ProcessesUnreadable"],
    ["ProcessTable.ourselves", "HostUnidentified"]
  ]
  for (const [call, tag] of blind) {
    it.effect(`a pass that can't see (${call}) changes nothing and fails with one sentence`, () =>
      Effect.gen(function* () {
        const world = new World()
        world.addTask()
        world.addTask()
        let isBlind = false
        const { pass } = yield* startScheduler(world, {
          faults: (name) => (isBlind && name === call ? "input/output error" : null)
        })
        yield* pass()
        yield* later(world, 2)
        isBlind = true
        const before = snapshot(world)
        const error = yield* Effect.flip(pass())
        assert.strictEqual(error._tag, tag)
        assert.match(error.message, /input\/output error/)
        assert.strictEqual(snapshot(world), before)
        isBlind = false
        yield* pass()
        assert.deepStrictEqual(outcomes(world), ["done"])
      })
    )
  }

  it.effect("agents' records that can't be read start nothing, for a pause must not be forgotten", () =>
    Effect.gen(function* () {
      const world = new World()
      world.addTask()
      const { pass } = yield* startScheduler(world, {
        faults: (call) => (call === "AttemptHistory.readAgents" ? "it is torn" : null)
      })
      assert.match(verdictsOf(yield* pass())[0] ?? "", /^wait task 1: starts are off: observe-only \(.*it is torn/)
      assert.strictEqual(world.files.leases.size, 0)
    })
  )

  it.effect("an attempts file that can't be read holds its task and is told of each pass; others go on", () =>
    Effect.gen(function* () {
      const world = new World()
      const torn = world.addTask()
      world.addTask()
      world.files.attemptsProblems.set(torn, "it is torn")
      const { pass } = yield* startScheduler(world)
      for (let look = 0; look < 2; look += 1) {
        const report = yield* pass()
        assert.match(report.errors.join(), /attempts file of task 1 can't be read \(it is torn\)/)
        yield* later(world, 2)
      }
      yield* pass()
      assert.deepStrictEqual(statuses(world), ["idle", "complete"])
    })
  )

  it.effect("an attempts file that is torn while its agent runs ends nothing, and is told of", () =>
    Effect.gen(function* () {
      const world = new World()
      const id = world.addTask()
      const { pass } = yield* startScheduler(world)
      yield* pass()
      yield* later(world, 2)
      world.files.attemptsProblems.set(id, "it is torn")
      const report = yield* pass()
      assert.match(report.errors.join(), /can't be read/)
      assert.deepStrictEqual(outcomes(world), [])
      world.files.attemptsProblems.delete(id)
      yield* pass()
      assert.deepStrictEqual(outcomes(world), ["done"])
    })
  )
})

describe("odd leases", () => {
  it.effect(
    "an unreadable lease without a claim is held with its agent's slot and told of each pass; others go on",
    () =>
      Effect.gen(function* () {
        const world = new World()
        const odd = world.addTask()
        world.addTask()
        world.addTask()
        world.files.tearLease(odd, "vaela")
        const { pass } = yield* startScheduler(world, { desired: twoSlots })
        for (let look = 0; look < 3; look += 1) {
          const report = yield* pass()
          assert.match(report.errors.join(), /the lease of task 1 can't be read .* the task is held/)
          assert.isAtMost(world.files.leases.size, 2)
          yield* later(world, 2)
        }
        assert.deepStrictEqual(statuses(world), ["idle", "complete", "complete"])
      })
  )

  it.effect("an unreadable claim of an unclaimed intent is held", () =>
    Effect.gen(function* () {
      const world = new World()
      const id = world.addTask()
      world.script = () => completesAfter(1000, { claimAfterMs: null })
      const { pass } = yield* startScheduler(world)
      yield* pass()
      const stored = world.files.leases.get(id)
      if (stored?._tag === "Read") world.files.claims.set(id, stored.lease.epoch, null)
      yield* later(world, 100)
      const report = yield* pass()
      assert.match(report.errors.join(), /state\/claims\/1\.1/)
      assert.strictEqual(world.files.leases.size, 1)
      assert.deepStrictEqual(outcomes(world), [])
    })
  )

  it.effect("a torn lease is written anew by its living supervisor", () =>
    Effect.gen(function* () {
      const world = new World()
      const id = world.addTask()
      world.script = () => completesAfter(30_000)
      const { pass } = yield* startScheduler(world)
      yield* pass()
      yield* later(world, 1)
      world.files.tearLease(id, null)
      assert.deepStrictEqual(verdictsOf(yield* pass()), [
        "running task 1 on vaela (epoch 1): its lease is unreadable, its claim stands"
      ])
      yield* later(world, 15)
      assert.deepStrictEqual(verdictsOf(yield* pass()), ["running task 1 on vaela (epoch 1): running"])
      yield* later(world, 15)
      yield* pass()
      assert.deepStrictEqual(outcomes(world), ["done"])
    })
  )

  const losses: ReadonlyArray<readonly [string, (world: World, id: TaskId) => void]> = [
    ["missing", (world, id) => void world.files.leases.delete(id)],
    ["torn", (world, id) => world.files.tearLease(id, null)]
  ]
  for (const [how, lose] of losses) {
    it.effect(
      `a lease that is ${how} and whose supervisor is dead is rebuilt from its claim; its agent is found and stopped`,
      () =>
        Effect.gen(function* () {
          const world = new World()
          const id = world.addTask({ assignee: "vaela" })
          world.script = () => completesAfter(1e9, { obeys: ["SIGTERM"] })
          const { pass } = yield* startScheduler(world)
          yield* pass()
          yield* later(world, 1)
          world.machine.kill(processOf(world, id, "supervisor"))
          lose(world, id)
          assert.match(verdictsOf(yield* pass())[0] ?? "", /^stop task 1 .*orphaned-agent/)
          assert.strictEqual(world.files.aside.length, how === "torn" ? 1 : 0)
          yield* later(world, 10)
          yield* pass()
          yield* later(world, 5)
          yield* pass()
          assert.deepStrictEqual(outcomes(world), ["lost"])
          assert.strictEqual(processesLeft(world) + filesLeft(world), 0)
          const { assignee, status } = taskOf(world, id)
          assert.deepStrictEqual({ assignee, status }, { assignee: "vaela", status: "idle" })
        })
    )
  }
})
