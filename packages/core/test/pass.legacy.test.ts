/** A lease of the Python version: kept while anything of it may live, never signalled, and ended once. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { AgentName } from "../src/domain/identifiers.ts"
import type { LegacyLease } from "../src/domain/Lease.ts"
import type { TaskId } from "../src/domain/identifiers.ts"
import { timestampOf } from "../src/domain/time.ts"
import { crash, World } from "../src/simulation/api.ts"
import { atCall, filesLeft, later, outcomes, startScheduler, taskOf, verdictsOf } from "./passHarness.ts"

describe("a lease of the old form", () => {
  const legacy = (world: World, id: TaskId, pid: number, startMs: number, rest: Partial<LegacyLease> = {}) => {
    world.files.leases.set(id, {
      _tag: "Legacy",
      path: `state/running/task_${id}.json`,
      lease: {
        taskId: id,
        agentName: AgentName.make("vaela"),
        pid,
        startTime: timestampOf(startMs),
        lastHeartbeat: null,
        host: null,
        ...rest
      }
    })
  }
  const idle = { token: null, onSignal: () => undefined }

  it.effect("whose process lives is left alone, never signalled, and holds its agent's slot", () =>
    Effect.gen(function* () {
      const world = new World()
      const id = world.addTask({ status: "working", assignee: "vaela" })
      world.addTask()
      const old = world.machine.spawn({ ...idle, parent: 1 })
      legacy(world, id, old.pid, 0)
      const { pass } = yield* startScheduler(world)
      assert.deepStrictEqual(verdictsOf(yield* pass()), [
        "running task 1 on vaela (epoch 0): a lease of the old form, alive and left alone",
        "wait task 2: no free slot: queue dev 1/1"
      ])
      assert.deepStrictEqual(world.machine.signals, [])
      world.machine.end(old)
      yield* pass()
      assert.deepStrictEqual(outcomes(world), ["lost"])
      assert.strictEqual(taskOf(world, id).status, "idle")
    })
  )

  it.effect("whose pid is a younger process's is dead", () =>
    Effect.gen(function* () {
      const world = new World()
      const id = world.addTask({ status: "working", assignee: "vaela" })
      yield* later(world, 100)
      const young = world.machine.spawn({ ...idle, parent: 1 })
      legacy(world, id, young.pid, 50_000)
      const { pass } = yield* startScheduler(world)
      yield* pass()
      assert.deepStrictEqual(outcomes(world), ["lost"])
      assert.deepStrictEqual(world.machine.signals, [])
    })
  )

  it.effect("whose process is younger than its start but not than its last beat lives: somebody set the clock", () =>
    Effect.gen(function* () {
      const world = new World()
      const id = world.addTask({ status: "working", assignee: "vaela" })
      yield* later(world, 100)
      const old = world.machine.spawn({ ...idle, parent: 1 })
      legacy(world, id, old.pid, 50_000, { lastHeartbeat: timestampOf(world.machine.nowMs) })
      const { pass } = yield* startScheduler(world)
      assert.match(verdictsOf(yield* pass())[0] ?? "", /alive and left alone$/)
    })
  )

  for (const how of ["gone", "a zombie"]) {
    it.effect(`whose process is ${how}: what it left in its session still counts, and is never signalled`, () =>
      Effect.gen(function* () {
        const world = new World()
        const id = world.addTask({ status: "working", assignee: "vaela" })
        const careless = world.machine.spawn({ ...idle, parent: 1 })
        careless.reaps = how === "gone"
        const wrapper = world.machine.spawn({ ...idle, parent: careless.pid })
        const left = world.machine.spawn({ ...idle, parent: wrapper.pid, group: wrapper.pid, session: wrapper.pid })
        legacy(world, id, wrapper.pid, 0)
        world.machine.end(wrapper)
        const { pass } = yield* startScheduler(world)
        assert.match(verdictsOf(yield* pass())[0] ?? "", /alive and left alone$/)
        assert.deepStrictEqual(outcomes(world), [])
        world.machine.end(left)
        yield* pass()
        assert.deepStrictEqual(outcomes(world), ["lost"])
        assert.deepStrictEqual(world.machine.signals, [])
      })
    )
  }

  it.effect("of another host is held; the beat that moves keeps it, the one that stands gives it up by the clock", () =>
    Effect.gen(function* () {
      const world = new World()
      const id = world.addTask({ status: "working", assignee: "vaela" })
      legacy(world, id, 4711, 0, { host: "elsewhere", lastHeartbeat: timestampOf(1000) })
      const first = yield* startScheduler(world)
      const held = "running task 1 on vaela (epoch 0): liveness unknown, its slot is held"
      assert.deepStrictEqual(verdictsOf(yield* first.pass()), [held])
      yield* first.end
      yield* later(world, 299)
      legacy(world, id, 4711, 0, { host: "elsewhere", lastHeartbeat: timestampOf(2000) })
      // Another process, as under cron: what was seen stands in the attempts file.
      const second = yield* startScheduler(world)
      assert.deepStrictEqual(verdictsOf(yield* second.pass()), [held])
      yield* later(world, 299)
      assert.deepStrictEqual(verdictsOf(yield* second.pass()), [held])
      assert.deepStrictEqual(outcomes(world), [])
      yield* later(world, 1)
      yield* second.pass()
      assert.deepStrictEqual(outcomes(world), ["lost"])
      assert.strictEqual(taskOf(world, id).status, "idle")
      assert.strictEqual(filesLeft(world), 0)
    })
  )

  it.effect("whose process is dead: a completed task is done, another is given back and commented", () =>
    Effect.gen(function* () {
      const world = new World()
      const done = world.addTask({ status: "complete", assignee: "vaela" })
      const lost = world.addTask({ status: "working", assignee: "vaela" })
      legacy(world, done, 4711, 0)
      legacy(world, lost, 4712, 0)
      const { pass } = yield* startScheduler(world)
      yield* pass()
      assert.deepStrictEqual(outcomes(world), ["done", "lost"])
      const { assignee, comments, status } = taskOf(world, lost)
      assert.deepStrictEqual(
        { assignee, comments: comments.length, status },
        { assignee: null, comments: 1, status: "idle" }
      )
      assert.strictEqual(filesLeft(world), 0)
    })
  )

  for (const call of ["AttemptHistory.write", "TaskQueue.comment", "TaskQueue.update", "AttemptHistory.append"]) {
    it.effect(`is ended once, also after a crash right after ${call}`, () =>
      Effect.gen(function* () {
        const world = new World()
        const id = world.addTask({ status: "working", assignee: "vaela" })
        legacy(world, id, 4711, 0)
        const first = yield* startScheduler(world, { faults: atCall(call, "after", () => crash) })
        yield* Effect.exit(first.pass())
        yield* first.end
        const second = yield* startScheduler(world)
        yield* second.pass()
        assert.deepStrictEqual(world.files.attempts.get(id)?.counts, { failures: 0, losses: 1 })
        assert.strictEqual(taskOf(world, id).comments.length, 1)
        assert.strictEqual(new Set(world.files.history.map(({ token }) => token)).size, 1)
        assert.strictEqual(filesLeft(world), 0)
      })
    )
  }
})
