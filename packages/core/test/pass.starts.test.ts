/** Starts: their order and limits, and what a start leaves behind when its scheduler ends between any two steps of it. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { QueueName } from "../src/domain/identifiers.ts"
import type { TaskId } from "../src/domain/identifiers.ts"
import { completesAfter, crash, World } from "../src/simulation/api.ts"
import {
  agent,
  atCall,
  desiredWith,
  filesLeft,
  later,
  outcomes,
  passes,
  passThatCrashes,
  startScheduler,
  statuses,
  taskOf,
  verdictsOf
} from "./passHarness.ts"

const runsOf = (world: World): ReadonlyArray<number> => world.supervision.runs.map(({ taskId }) => Number(taskId))

describe("what starts", () => {
  it.effect("tasks start in their one order: who blocks others first, then priority, then age", () =>
    Effect.gen(function* () {
      const world = new World()
      const plain = world.addTask()
      yield* later(world, 2)
      const younger = world.addTask()
      const important = world.addTask({ priority: 5 })
      const blocker = world.addTask()
      const blocked = world.addTask({ priority: 9, blockedBy: blocker })
      const { pass } = yield* startScheduler(world)
      yield* passes(world, { pass }, 6, 2)
      assert.deepStrictEqual(
        runsOf(world),
        [blocker, blocked, important, plain, younger].map((id) => Number(id))
      )
    })
  )

  it.effect("a thousand blocked tasks of high priority do not keep one ready task of low priority from starting", () =>
    Effect.gen(function* () {
      const world = new World()
      const stuck = world.addTask({ queue: "elsewhere" })
      for (let made = 0; made < 1000; made += 1) world.addTask({ priority: 100, blockedBy: stuck })
      const ready = world.addTask({ priority: -1 })
      const { pass } = yield* startScheduler(world)
      yield* pass()
      yield* later(world, 0.5)
      assert.deepStrictEqual(runsOf(world), [Number(ready)])
    })
  )

  it.effect("nothing is killed and nothing is started when a limit is lowered below what runs", () =>
    Effect.gen(function* () {
      const world = new World()
      for (let made = 0; made < 4; made += 1) world.addTask()
      world.script = () => completesAfter(60_000)
      const { pass } = yield* startScheduler(world, {
        desired: desiredWith({ agents: [agent("vaela", { slots: 3 })] })
      })
      yield* pass()
      yield* later(world, 1)
      assert.strictEqual(world.supervision.runs.length, 3)
      const lowered = desiredWith({ agents: [agent("vaela", { slots: 1 })] })
      const report = yield* pass(lowered)
      assert.deepStrictEqual(report.errors, [])
      assert.include(verdictsOf(report), "wait task 4: no free slot: queue dev 3/1")
      assert.deepStrictEqual(world.machine.signals, [])
      yield* later(world, 60)
      yield* pass(lowered)
      yield* later(world, 1)
      assert.deepStrictEqual(statuses(world), ["complete", "complete", "complete", "working"])
    })
  )

  it.effect("limits of a queue and of the whole hold across rounds and passes", () =>
    Effect.gen(function* () {
      const world = new World()
      for (let made = 0; made < 4; made += 1) world.addTask()
      for (let made = 0; made < 4; made += 1) world.addTask({ queue: "ops" })
      world.script = () => completesAfter(10_000)
      const { pass } = yield* startScheduler(world, {
        desired: desiredWith({
          agents: [agent("vaela", { slots: 9, queues: [QueueName.make("dev"), QueueName.make("ops")] })],
          queueLimits: [{ queue: QueueName.make("ops"), limit: 1 }],
          maxConcurrent: 3
        })
      })
      for (let made = 0; made < 30; made += 1) {
        yield* pass()
        yield* later(world, 1)
        const working = [...world.tinytask.tasks.values()].filter(({ task }) => task.status === "working")
        assert.isAtMost(working.length, 3)
        assert.isAtMost(working.filter(({ task }) => task.queue === "ops").length, 1)
      }
      yield* passes(world, { pass }, 4, 11)
      assert.deepStrictEqual(new Set(statuses(world)), new Set(["complete"]))
    })
  )

  it.effect("the bound of one pass is said, and the rest starts in the next", () =>
    Effect.gen(function* () {
      const world = new World()
      for (let made = 0; made < 3; made += 1) world.addTask()
      const { pass } = yield* startScheduler(world, {
        desired: desiredWith({ agents: [agent("vaela", { slots: 9 })], policy: { startsMax: 2 } })
      })
      const first = yield* pass()
      assert.strictEqual(first.rounds[0]?.plan.leftByBound, 1)
      assert.include(verdictsOf(first), "wait task 3: start bound of this pass reached: 2")
      yield* later(world, 0.5)
      yield* pass()
      yield* later(world, 0.5)
      assert.strictEqual(world.supervision.runs.length, 3)
    })
  )

  it.effect("a task that changed since the observation is not taken: void, uncounted, and left as it is", () =>
    Effect.gen(function* () {
      const changes: ReadonlyArray<readonly [string, (world: World, id: TaskId) => void]> = [
        ["completed", (world, id) => world.tinytask.change(id, { status: "complete" })],
        ["deleted", (world, id) => world.tinytask.remove(id)],
        ["archived", (world, id) => world.tinytask.change(id, { archived: true })],
        ["taken by another", (world, id) => world.tinytask.change(id, { status: "working", assignee: "a person" })],
        ["assigned to another", (world, id) => world.tinytask.change(id, { assignee: "a person" })],
        ["moved to another queue", (world, id) => world.tinytask.change(id, { queue: "elsewhere" })],
        ["blocked", (world, id) => world.tinytask.change(id, { blockedBy: world.addTask({ queue: "elsewhere" }) })]
      ]
      for (const [how, change] of changes) {
        const world = new World()
        const id = world.addTask()
        let shown = ""
        const { pass, end } = yield* startScheduler(world, {
          faults: atCall("LeaseStore.create", "after", () => {
            change(world, id)
            shown = JSON.stringify(world.tinytask.read(id))
            return null
          })
        })
        yield* pass()
        yield* later(world, 1)
        yield* pass()
        assert.deepStrictEqual(outcomes(world), ["void"], how)
        assert.strictEqual(JSON.stringify(world.tinytask.read(id)), shown, how)
        assert.deepStrictEqual(world.files.attempts.get(id)?.counts, { failures: 0, losses: 0 }, how)
        assert.strictEqual(world.supervision.runs.length + filesLeft(world), 0, how)
        yield* end
      }
    })
  )
})

describe("a scheduler ends in the middle of a start", () => {
  /** The calls of one undisturbed start, in their order. */
  const steps = [
    ["AttemptHistory.write", "before"],
    ["AttemptHistory.write", "after"],
    ["LeaseStore.create", "before"],
    ["LeaseStore.create", "after"],
    ["TaskQueue.update", "before"],
    ["TaskQueue.update", "after"],
    ["AgentLauncher.launch", "before"],
    ["AgentLauncher.launch", "after"]
  ] as const

  for (const [call, moment] of steps) {
    it.effect(`${moment} ${call}: the next scheduler undoes it or carries on, and the task is done once`, () =>
      Effect.gen(function* () {
        const world = new World()
        const id = world.addTask()
        world.script = () => completesAfter(5000)
        assert.isTrue(yield* passThatCrashes(world, { faults: atCall(call, moment, () => crash) }))
        const { pass } = yield* startScheduler(world)
        yield* passes(world, { pass }, 16, 5)
        assert.strictEqual(taskOf(world, id).status, "complete")
        assert.deepStrictEqual(world.supervision.overlaps, [])
        assert.strictEqual(world.supervision.runs.length, 1)
        assert.strictEqual(filesLeft(world), 0)
        const attempts = world.files.attempts.get(id)
        assert.strictEqual(attempts?.outcomes.at(-1)?.outcome, "done")
        assert.deepStrictEqual(attempts?.counts, { failures: 0, losses: 0 })
        assert.isAtMost(taskOf(world, id).comments.length, 1)
      })
    )
  }

  it.effect(
    "a start that only stands in the attempts file holds its task until a scan finds nothing, then is closed",
    () =>
      Effect.gen(function* () {
        const world = new World()
        const id = world.addTask()
        yield* passThatCrashes(world, { faults: atCall("LeaseStore.create", "before", () => crash) })
        const { pass } = yield* startScheduler(world)
        yield* pass()
        assert.deepStrictEqual(outcomes(world), ["start-failed"])
        assert.strictEqual(taskOf(world, id).status, "idle")
        assert.deepStrictEqual(taskOf(world, id).transitions, ["idle"])
      })
  )

  it.effect("an intent whose task was claimed is held for the grace, then undone through a tombstone", () =>
    Effect.gen(function* () {
      const world = new World()
      const id = world.addTask({ assignee: "vaela" })
      yield* passThatCrashes(world, { faults: atCall("AgentLauncher.launch", "before", () => crash) })
      assert.strictEqual(taskOf(world, id).status, "working")
      const { pass } = yield* startScheduler(world)
      yield* later(world, 29)
      assert.deepStrictEqual(verdictsOf(yield* pass()), ["running task 1 on vaela (epoch 1): starting"])
      yield* later(world, 2)
      yield* pass()
      assert.deepStrictEqual(outcomes(world), ["start-failed"])
      assert.deepStrictEqual(
        { ...taskOf(world, id), comments: taskOf(world, id).comments.length },
        { status: "idle", assignee: "vaela", comments: 1, transitions: ["idle", "working", "idle"] }
      )
    })
  )

  it.effect("after a reboot an intent is undone at once: nobody can claim it any more", () =>
    Effect.gen(function* () {
      const world = new World()
      const id = world.addTask()
      yield* passThatCrashes(world, { faults: atCall("AgentLauncher.launch", "after", () => crash) })
      world.machine.reboot()
      const { pass } = yield* startScheduler(world)
      yield* pass()
      assert.deepStrictEqual(outcomes(world), ["start-failed"])
      assert.strictEqual(taskOf(world, id).status, "idle")
    })
  )
})

describe("a late supervisor", () => {
  it.effect("that comes after the tombstone starts nothing and touches nothing", () =>
    Effect.gen(function* () {
      const world = new World()
      const id = world.addTask()
      world.script = (lease) => completesAfter(5000, { claimAfterMs: lease.epoch === 1 ? 31_000 : 10 })
      let lateMeetsTombstone = false
      const { pass } = yield* startScheduler(world, {
        faults: atCall("LeaseStore.tombstone", "after", () => {
          // It comes right between the tombstone and the rest of the undo.
          world.machine.liveOn(2000)
          lateMeetsTombstone = true
          return null
        })
      })
      yield* pass()
      yield* later(world, 30)
      yield* pass()
      assert.isTrue(lateMeetsTombstone)
      assert.deepStrictEqual(world.supervision.runs, [])
      assert.deepStrictEqual(outcomes(world), ["start-failed"])
      yield* passes(world, { pass }, 8, 10)
      assert.strictEqual(taskOf(world, id).status, "complete")
      assert.deepStrictEqual(
        world.supervision.runs.map(({ epoch }) => Number(epoch)),
        [2]
      )
    })
  )

  it.effect(
    "that comes after the whole undo, when even the tombstone is gone, reads that its lease is gone and leaves",
    () =>
      Effect.gen(function* () {
        const world = new World()
        const id = world.addTask()
        world.script = (lease) => completesAfter(5000, { claimAfterMs: lease.epoch === 1 ? 45_000 : 10 })
        const { pass } = yield* startScheduler(world)
        yield* pass()
        yield* later(world, 30)
        yield* pass()
        assert.strictEqual(filesLeft(world), 0)
        yield* later(world, 16)
        assert.deepStrictEqual(world.supervision.runs, [])
        assert.strictEqual(world.files.claims.size, 1)
        yield* passes(world, { pass }, 8, 10)
        assert.strictEqual(taskOf(world, id).status, "complete")
        assert.strictEqual(filesLeft(world), 0)
        assert.deepStrictEqual(
          world.supervision.runs.map(({ epoch }) => Number(epoch)),
          [2]
        )
      })
  )

  it.effect("of an older epoch that claims while a newer one runs starts nothing, and its claim is swept", () =>
    Effect.gen(function* () {
      const world = new World()
      const id = world.addTask()
      world.script = (lease) =>
        lease.epoch === 1 ? completesAfter(1000, { claimAfterMs: 90_000 }) : completesAfter(300_000)
      const { pass } = yield* startScheduler(world)
      yield* pass()
      yield* later(world, 30)
      yield* pass()
      yield* later(world, 31)
      yield* pass()
      yield* later(world, 30)
      assert.deepStrictEqual(
        world.files.claims.of(id).map(([epoch]) => Number(epoch)),
        [1, 2]
      )
      assert.deepStrictEqual(verdictsOf(yield* pass()), ["running task 1 on vaela (epoch 2): running"])
      assert.deepStrictEqual(
        world.files.claims.of(id).map(([epoch]) => Number(epoch)),
        [2]
      )
      assert.strictEqual(world.supervision.runs.length, 1)
    })
  )

  it.effect("that claims in the very moment in which the scheduler gives up is let run", () =>
    Effect.gen(function* () {
      const world = new World()
      const id = world.addTask()
      world.script = () => completesAfter(5000, { claimAfterMs: 30_500 })
      const { pass } = yield* startScheduler(world, {
        faults: atCall("LeaseStore.tombstone", "before", () => {
          world.machine.liveOn(1000)
          return null
        })
      })
      yield* pass()
      yield* later(world, 30)
      yield* pass()
      assert.deepStrictEqual(outcomes(world), [])
      assert.deepStrictEqual(verdictsOf(yield* pass()), ["running task 1 on vaela (epoch 1): running"])
      yield* later(world, 6)
      yield* pass()
      assert.deepStrictEqual(outcomes(world), ["done"])
      assert.strictEqual(taskOf(world, id).comments.length, 0)
    })
  )
})
