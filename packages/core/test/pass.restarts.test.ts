/** Schedulers that end and begin, and rivals: nothing is lost, nothing is done twice, and who lost the lock writes nothing. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { completesAfter, crash, exitsWith, World } from "../src/simulation/api.ts"
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
  runningLease,
  snapshot,
  startScheduler,
  statuses,
  taskOf,
  verdictsOf
} from "./passHarness.ts"

const running = "running task 1 on vaela (epoch 1): running"

describe("a scheduler that begins", () => {
  it.effect("adopts what runs and starts none of it again", () =>
    Effect.gen(function* () {
      const world = new World()
      for (let made = 0; made < 3; made += 1) world.addTask()
      world.script = () => completesAfter(60_000)
      const desired = desiredWith({ agents: [agent("vaela", { slots: 2 })] })
      for (let process = 0; process < 5; process += 1) {
        const scheduler = yield* startScheduler(world, { desired })
        yield* scheduler.pass()
        yield* later(world, 5)
        yield* scheduler.end
      }
      assert.strictEqual(world.supervision.runs.length, 2)
      const last = yield* startScheduler(world, { desired })
      yield* passes(world, last, 4, 60)
      assert.deepStrictEqual(statuses(world), ["complete", "complete", "complete"])
      assert.strictEqual(world.supervision.runs.length, 3)
    })
  )

  it.effect("after a reboot ends what ran as lost, and starts it again once its backoff is over", () =>
    Effect.gen(function* () {
      const world = new World()
      const id = world.addTask()
      world.script = () => completesAfter(60_000)
      const first = yield* startScheduler(world)
      yield* first.pass()
      yield* later(world, 30)
      yield* first.end
      world.machine.reboot()
      const second = yield* startScheduler(world)
      yield* second.pass()
      assert.deepStrictEqual(outcomes(world), ["lost"])
      yield* passes(world, second, 4, 31)
      assert.strictEqual(taskOf(world, id).status, "complete")
      assert.strictEqual(world.supervision.runs.length, 2)
    })
  )

  it.effect("can't while another holds the lock", () =>
    Effect.gen(function* () {
      const world = new World()
      const first = yield* startScheduler(world)
      const error = yield* Effect.flip(startScheduler(world))
      assert.strictEqual(error._tag, "LockHeld")
      yield* first.end
      yield* startScheduler(world)
    })
  )
})

describe("a scheduler ends in the middle of an ending", () => {
  const steps = [
    "TaskQueue.get",
    "AttemptHistory.write",
    "TaskQueue.comment",
    "TaskQueue.update",
    "AttemptHistory.append",
    "LeaseStore.removeLease",
    "LeaseStore.removeClaims",
    "AttemptHistory.writeAgents"
  ]
  for (const call of steps) {
    for (const moment of ["before", "after"] as const) {
      it.effect(`${moment} ${call}: the next one goes on, and every step is done once`, () =>
        Effect.gen(function* () {
          const world = new World()
          const id = world.addTask({ assignee: "vaela" })
          world.script = () => exitsWith(1, 1000)
          const first = yield* startScheduler(world)
          yield* first.pass()
          yield* first.end
          yield* later(world, 2)
          const second = yield* startScheduler(world, { faults: atCall(call, moment, () => crash) })
          assert.isTrue(Exit.isFailure(yield* Effect.exit(second.pass())))
          yield* second.end
          const third = yield* startScheduler(world)
          yield* third.pass()
          yield* third.pass()
          const attempts = world.files.attempts.get(id)
          assert.deepStrictEqual(attempts?.counts, { failures: 1, losses: 0 })
          assert.strictEqual(attempts?.outcomes.length, 1)
          const { assignee, comments, status, transitions } = taskOf(world, id)
          assert.deepStrictEqual(
            { assignee, comments: comments.length, status, transitions },
            { assignee: "vaela", comments: 1, status: "idle", transitions: ["idle", "working", "idle"] }
          )
          assert.strictEqual(new Set(world.files.history.map(({ token }) => token)).size, 1)
          assert.strictEqual(filesLeft(world), 0)
        })
      )
    }
  }

  for (const call of ["LeaseStore.tombstone", "AttemptHistory.write", "TaskQueue.comment", "TaskQueue.update"]) {
    it.effect(`after ${call}, of an attempt whose lease and claim are gone: the next one goes on all the same`, () =>
      Effect.gen(function* () {
        const world = new World()
        const id = world.addTask()
        world.script = () => completesAfter(1e9)
        const first = yield* startScheduler(world)
        yield* first.pass()
        yield* later(world, 1)
        const { epoch } = runningLease(world, id)
        for (const process of world.machine.processes.values()) {
          if (process.attempt !== null) world.machine.kill(process)
        }
        world.files.leases.delete(id)
        world.files.claims.removeUpTo(id, epoch)
        yield* first.end
        const second = yield* startScheduler(world, { faults: atCall(call, "after", () => crash) })
        assert.isTrue(Exit.isFailure(yield* Effect.exit(second.pass())))
        yield* second.end
        const third = yield* startScheduler(world)
        yield* third.pass()
        const { comments, status } = taskOf(world, id)
        assert.deepStrictEqual({ comments: comments.length, status }, { comments: 1, status: "idle" })
        assert.deepStrictEqual(world.files.attempts.get(id)?.counts, { failures: 0, losses: 1 })
        assert.strictEqual(new Set(world.files.history.map(({ token }) => token)).size, 1)
        assert.strictEqual(filesLeft(world), 0)
      })
    )
  }

  it.effect("with the outcome recorded and the lease lost since: its claim still says that the end is not done", () =>
    Effect.gen(function* () {
      const world = new World()
      const id = world.addTask()
      world.script = () => exitsWith(1, 1000, { leaveAfterMs: 10_000 })
      const first = yield* startScheduler(world, { faults: atCall("AttemptHistory.write", "after", () => crash, 2) })
      yield* first.pass()
      yield* later(world, 2)
      yield* Effect.exit(first.pass())
      yield* first.end
      world.files.leases.delete(id)
      const second = yield* startScheduler(world)
      yield* second.pass()
      yield* later(world, 10)
      yield* second.pass()
      const { comments, status } = taskOf(world, id)
      assert.deepStrictEqual({ comments: comments.length, status }, { comments: 1, status: "idle" })
      assert.deepStrictEqual(outcomes(world), ["failed"])
      assert.strictEqual(filesLeft(world), 0)
    })
  )

  it.effect("with the outcome recorded and the task completed by hand since: the recorded outcome stands", () =>
    Effect.gen(function* () {
      const world = new World()
      const id = world.addTask()
      world.script = () => exitsWith(1, 1000)
      const first = yield* startScheduler(world, { faults: atCall("AttemptHistory.write", "after", () => crash, 2) })
      yield* first.pass()
      yield* later(world, 2)
      yield* Effect.exit(first.pass())
      yield* first.end
      world.tinytask.change(id, { status: "complete" })
      const second = yield* startScheduler(world)
      yield* second.pass()
      assert.deepStrictEqual(outcomes(world), ["failed"])
      assert.deepStrictEqual(taskOf(world, id).status, "complete")
      assert.strictEqual(filesLeft(world), 0)
    })
  )
})

describe("a deletion with a supervisor in between", () => {
  /** An ended attempt whose lease is deleted and whose claim still stands; its supervisor lives for another minute. */
  const halfDeleted = Effect.fnUntraced(function* () {
    const world = new World()
    const id = world.addTask()
    world.script = (lease) => (lease.epoch === 1 ? exitsWith(1, 1000, { leaveAfterMs: 60_000 }) : completesAfter(1000))
    const first = yield* startScheduler(world, { faults: atCall("LeaseStore.removeClaims", "before", () => crash) })
    yield* first.pass()
    yield* later(world, 2)
    yield* Effect.exit(first.pass())
    yield* first.end
    return { world, id }
  })

  it.effect(
    "a claim whose ending is recorded is swept only once its supervisor is proven dead; until then nothing starts",
    () =>
      Effect.gen(function* () {
        const { id, world } = yield* halfDeleted()
        assert.deepStrictEqual([world.files.leases.size, world.files.claims.size], [0, 1])
        const { pass } = yield* startScheduler(world)
        yield* later(world, 45)
        assert.deepStrictEqual(verdictsOf(yield* pass()), ["wait task 1: earlier attempt (epoch 1) alive"])
        assert.strictEqual(world.supervision.runs.length, 1)
        yield* passes(world, { pass }, 3, 15)
        assert.strictEqual(taskOf(world, id).status, "complete")
        assert.strictEqual(world.supervision.runs.length, 2)
        assert.strictEqual(filesLeft(world), 0)
      })
  )

  it.effect(
    "a supervisor writes a lease that was deleted by somebody anew while its claim stands: no second start",
    () =>
      Effect.gen(function* () {
        const world = new World()
        const id = world.addTask()
        world.script = () => completesAfter(60_000)
        const { pass } = yield* startScheduler(world)
        yield* pass()
        yield* later(world, 1)
        world.files.leases.delete(id)
        assert.deepStrictEqual(verdictsOf(yield* pass()), [
          "running task 1 on vaela (epoch 1): its lease is missing, its claim stands"
        ])
        yield* later(world, 15)
        assert.deepStrictEqual(verdictsOf(yield* pass()), [running])
        yield* later(world, 60)
        yield* pass()
        assert.deepStrictEqual(outcomes(world), ["done"])
        assert.strictEqual(world.supervision.runs.length, 1)
      })
  )

  it.effect("a supervisor whose claim was deleted by somebody ends its agent and writes nothing more", () =>
    Effect.gen(function* () {
      const world = new World()
      const id = world.addTask()
      world.script = (lease) => (lease.epoch === 1 ? completesAfter(1e9) : completesAfter(1000))
      const { pass } = yield* startScheduler(world)
      yield* pass()
      yield* later(world, 1)
      const lease = JSON.stringify(runningLease(world, id))
      world.files.claims.removeUpTo(id, runningLease(world, id).epoch)
      assert.deepStrictEqual(verdictsOf(yield* pass()), ["running task 1 on vaela (epoch 1): its claim is missing"])
      yield* later(world, 15)
      assert.strictEqual(processesLeft(world), 0)
      assert.strictEqual(JSON.stringify(runningLease(world, id)), lease)
      yield* passes(world, { pass }, 3, 31)
      assert.deepStrictEqual(
        world.files.history.map(({ epoch, outcome }) => `${epoch} ${outcome}`),
        ["1 lost", "2 done"]
      )
    })
  )

  it.effect(
    "an attempt that nobody can look at is given up by the clock, its claim first; when it wakes it ends itself",
    () =>
      Effect.gen(function* () {
        const world = new World()
        const id = world.addTask()
        world.script = (lease) => completesAfter(lease.epoch === 1 ? 1e9 : 1000)
        const { pass } = yield* startScheduler(world)
        yield* pass()
        yield* later(world, 1)
        const supervised = world.supervision.of(id)
        assert.isDefined(supervised)
        // From now on this machine bears another name: its processes can't be judged any more.
        world.machine.here = { ...world.machine.here, host: "renamed/1" }
        const unknown = "running task 1 on vaela (epoch 1): liveness unknown, its slot is held"
        for (let look = 0; look < 20; look += 1) {
          yield* later(world, 60)
          assert.deepStrictEqual(verdictsOf(yield* pass()), [unknown])
        }
        if (supervised !== undefined) world.supervision.hang(supervised)
        yield* pass()
        yield* later(world, 299)
        assert.deepStrictEqual(verdictsOf(yield* pass()), [unknown])
        assert.strictEqual(world.files.claims.size, 1)
        yield* later(world, 15)
        yield* pass()
        assert.deepStrictEqual(outcomes(world), ["lost"])
        assert.deepStrictEqual(world.machine.signals, [])
        assert.strictEqual(filesLeft(world), 0)
        assert.deepStrictEqual(world.files.aside, ["claim_1.1"])
        if (supervised !== undefined) world.supervision.wake(supervised)
        yield* later(world, 15)
        assert.strictEqual(processesLeft(world), 0)
        yield* passes(world, { pass }, 3, 20)
        assert.strictEqual(taskOf(world, id).status, "complete")
      })
  )

  for (const call of ["LeaseStore.setClaimAside", "LeaseStore.removeLease", "LeaseStore.removeClaims"]) {
    it.effect(`giving an attempt up goes on after a crash right after ${call}`, () =>
      Effect.gen(function* () {
        const world = new World()
        const id = world.addTask()
        world.script = (lease) => completesAfter(lease.epoch === 1 ? 1e9 : 1000)
        const first = yield* startScheduler(world, { faults: atCall(call, "after", () => crash) })
        yield* first.pass()
        yield* later(world, 1)
        const supervised = world.supervision.of(id)
        if (supervised !== undefined) world.supervision.hang(supervised)
        world.machine.here = { ...world.machine.here, host: "renamed/1" }
        yield* first.pass()
        yield* later(world, 310)
        assert.isTrue(Exit.isFailure(yield* Effect.exit(first.pass())))
        yield* first.end
        const second = yield* startScheduler(world)
        yield* passes(world, second, 6, 20)
        assert.deepStrictEqual(
          world.files.history.filter(({ epoch }) => epoch === 2).map(({ outcome }) => outcome),
          ["done"]
        )
        assert.strictEqual(world.files.attempts.get(id)?.outcomes.length, 2)
        assert.strictEqual(filesLeft(world), 0)
      })
    )
  }
})

describe("the lock is lost", () => {
  const writes = [
    "AttemptHistory.write",
    "LeaseStore.create",
    "LeaseStore.removeLease",
    "LeaseStore.removeClaims",
    "AttemptHistory.append",
    "AttemptHistory.writeAgents"
  ]
  for (const call of writes) {
    it.effect(`at ${call}: the pass ends there and writes nothing more`, () =>
      Effect.gen(function* () {
        const world = new World()
        world.addTask()
        world.script = () => exitsWith(1, 1000)
        const first = yield* startScheduler(world)
        yield* first.pass()
        yield* first.end
        yield* later(world, 2)
        world.addTask({ priority: 9 })
        world.addTask()
        let atLoss = ""
        const second = yield* startScheduler(world, {
          desired: desiredWith({ agents: [agent("vaela", { slots: 9 })] }),
          faults: atCall(call, "before", () => {
            world.files.term += 1
            world.files.lockHolder = world.files.term
            atLoss = snapshot(world)
            return null
          })
        })
        const error = yield* Effect.flip(second.pass())
        assert.strictEqual(error._tag, "LockLost")
        assert.strictEqual(snapshot(world), atLoss)
        yield* Effect.exit(second.pass())
        assert.strictEqual(snapshot(world), atLoss)
        assert.strictEqual(world.files.lockHolder, world.files.term)
      })
    )
  }

  it.effect("a scheduler that slept through its successor's work stops nothing that the successor started", () =>
    Effect.gen(function* () {
      const world = new World()
      const id = world.addTask()
      world.script = () => completesAfter(60_000)
      const sleeper = yield* startScheduler(world)
      // Its lock was freed (another file in its place), and another took it.
      world.files.lockHolder = null
      const successor = yield* startScheduler(world)
      yield* successor.pass()
      yield* later(world, 1)
      world.addTask()
      yield* Effect.exit(sleeper.pass(desiredWith({ agents: [agent("vaela", { slots: 5 })] })))
      assert.strictEqual(world.files.leases.size, 1)
      assert.isTrue(world.machine.lives(processOf(world, id, "agent")))
      assert.deepStrictEqual(world.machine.signals, [])
    })
  )

  it.effect("a scheduler that slept tells Tinytask nothing of an ending that its successor recorded", () =>
    Effect.gen(function* () {
      const world = new World()
      const id = world.addTask()
      world.script = () => exitsWith(1, 1000)
      const sleeper = yield* startScheduler(world)
      world.files.lockHolder = null
      const successor = yield* startScheduler(world, { faults: atCall("TaskQueue.comment", "before", () => crash) })
      yield* successor.pass()
      yield* later(world, 2)
      yield* Effect.exit(successor.pass())
      assert.strictEqual(world.files.attempts.get(id)?.outcomes.length, 1)
      const error = yield* Effect.flip(sleeper.pass())
      assert.strictEqual(error._tag, "LockLost")
      assert.deepStrictEqual(taskOf(world, id).comments, [])
      assert.strictEqual(taskOf(world, id).status, "working")
    })
  )

  /** Another scheduler has the lock from here on. */
  const overtake = (world: World) => () => {
    world.files.term += 1
    world.files.lockHolder = world.files.term
    return null
  }

  it.effect("a scheduler that slept over its last look at a task neither claims it nor starts anything for it", () =>
    Effect.gen(function* () {
      const world = new World()
      const id = world.addTask()
      const sleeper = yield* startScheduler(world, { faults: atCall("TaskQueue.get", "after", overtake(world)) })
      const error = yield* Effect.flip(sleeper.pass())
      assert.strictEqual(error._tag, "LockLost")
      assert.strictEqual(taskOf(world, id).status, "idle")
      assert.strictEqual(processesLeft(world), 0)
    })
  )

  it.effect("a scheduler that slept over its claim of a task launches nobody", () =>
    Effect.gen(function* () {
      const world = new World()
      world.addTask()
      const sleeper = yield* startScheduler(world, { faults: atCall("TaskQueue.update", "after", overtake(world)) })
      const error = yield* Effect.flip(sleeper.pass())
      assert.strictEqual(error._tag, "LockLost")
      assert.strictEqual(processesLeft(world), 0)
    })
  )

  it.effect("a scheduler that slept over its comment on an ending leaves the task's fields to its successor", () =>
    Effect.gen(function* () {
      const world = new World()
      const id = world.addTask()
      world.script = () => exitsWith(1, 1000)
      const first = yield* startScheduler(world)
      yield* first.pass()
      yield* first.end
      yield* later(world, 2)
      const sleeper = yield* startScheduler(world, { faults: atCall("TaskQueue.comment", "after", overtake(world)) })
      const error = yield* Effect.flip(sleeper.pass())
      assert.strictEqual(error._tag, "LockLost")
      assert.strictEqual(taskOf(world, id).comments.length, 1)
      assert.strictEqual(taskOf(world, id).status, "working")
    })
  )
})
