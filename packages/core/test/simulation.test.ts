/** The simulated machine keeps to the rules that the real one has: a fake that can lie is worse than none. */
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { AttemptsFile, StopFile } from "../src/domain/Attempts.ts"
import { ClaimFile, LeaseFile } from "../src/domain/Lease.ts"
import { LeaseStore } from "../src/ports/LeaseStore.ts"
import { ProcessTable } from "../src/ports/ProcessTable.ts"
import { TaskQueue } from "../src/ports/TaskQueue.ts"
import { completesAfter, crash, layerSimulation, World } from "../src/simulation/api.ts"
import { startingLease } from "./builders.ts"
import { later, processOf, runningLease, startScheduler } from "./passHarness.ts"

describe("Tinytask in memory", () => {
  const statusOf = (world: World, id: ReturnType<World["addTask"]>) => world.tinytask.read(id)?.status

  it("lets a parent's status follow its children, upwards", () => {
    const world = new World()
    const root = world.addTask({ status: "working" })
    const middle = world.addTask({ parent: root })
    assert.strictEqual(statusOf(world, root), "idle")
    const [first, second] = [world.addTask({ parent: middle }), world.addTask({ parent: middle })]
    world.tinytask.change(first, { status: "working" })
    assert.deepStrictEqual([statusOf(world, root), statusOf(world, middle)], ["working", "working"])
    world.tinytask.change(first, { status: "complete" })
    assert.strictEqual(statusOf(world, root), "idle")
    world.tinytask.change(second, { archived: true })
    assert.deepStrictEqual([statusOf(world, root), statusOf(world, middle)], ["complete", "complete"])
  })

  it("computes at reading whether a task is blocked: by what exists and is not complete, archived or not", () => {
    const world = new World()
    const blocker = world.addTask()
    const waiting = world.addTask({ blockedBy: blocker })
    const isBlocked = () => world.tinytask.read(waiting)?.blocked
    assert.isTrue(isBlocked())
    world.tinytask.change(blocker, { archived: true })
    assert.isTrue(isBlocked())
    world.tinytask.change(blocker, { status: "complete" })
    assert.isFalse(isBlocked())
    world.tinytask.change(blocker, { status: "idle" })
    world.tinytask.remove(blocker)
    assert.isFalse(isBlocked())
  })

  it("deletes subtasks with their parent, uses no number twice, and begins anew at 1, later", () => {
    const world = new World(1_234)
    const parent = world.addTask()
    world.addTask({ parent })
    world.tinytask.remove(parent)
    assert.strictEqual(world.tinytask.tasks.size, 0)
    assert.strictEqual(world.addTask(), 3)
    world.tinytask.beginAnew()
    const anew = world.addTask()
    assert.strictEqual(anew, 1)
    assert.strictEqual(world.tinytask.read(anew)?.createdAt, "1970-01-01T00:00:02.000Z")
  })

  it.effect("lists what is open, answers null for what is gone, and refuses to change it", () =>
    Effect.gen(function* () {
      const world = new World()
      const open = world.addTask()
      world.addTask({ status: "complete" })
      world.addTask({ archived: true })
      const gone = world.addTask()
      world.tinytask.remove(gone)
      yield* Effect.gen(function* () {
        const queue = yield* TaskQueue
        assert.deepStrictEqual(
          (yield* queue.listOpen).map(({ id }) => id),
          [open]
        )
        assert.isNull(yield* queue.get(gone))
        assert.strictEqual((yield* Effect.flip(queue.update(gone, { status: "idle" })))._tag, "TaskQueueRejected")
        assert.strictEqual((yield* Effect.flip(queue.comment(gone, "x")))._tag, "TaskQueueRejected")
        world.tinytask.down = "connection refused"
        assert.strictEqual((yield* Effect.flip(queue.listOpen))._tag, "TaskQueueUnreachable")
      }).pipe(Effect.provide(layerSimulation(world)))
    })
  )
})

describe("the state directory in memory", () => {
  const lease = startingLease(1, 3, "ada")

  it.effect("creates no lease over another, and deletes only the one that is meant", () =>
    Effect.gen(function* () {
      const world = new World()
      const { context } = yield* startScheduler(world)
      yield* Effect.gen(function* () {
        const leases = yield* LeaseStore
        yield* leases.create(lease)
        assert.strictEqual((yield* Effect.flip(leases.create(lease)))._tag, "LeaseTaken")
        assert.isFalse(yield* leases.removeLease(lease.taskId, startingLease(1, 4, "ada").token))
        assert.isTrue(yield* leases.removeLease(lease.taskId, lease.token))
        assert.isTrue(yield* leases.removeLease(lease.taskId, lease.token))
        yield* leases.create(lease)
        assert.strictEqual((yield* Effect.flip(leases.removeLegacyLease(lease.taskId)))._tag, "StateUnwritable")
        yield* leases.setLeaseAside(lease.taskId)
        yield* leases.setLeaseAside(lease.taskId)
        assert.deepStrictEqual(world.files.aside, ["task_1"])
      }).pipe(Effect.provide(context))
    })
  )

  it.effect("links each tombstone once, and sweeps claims and stops up to an epoch", () =>
    Effect.gen(function* () {
      const world = new World()
      const id = world.addTask()
      world.script = () => completesAfter(1e9)
      const { context, pass } = yield* startScheduler(world)
      yield* pass()
      yield* later(world, 1)
      const { epoch } = runningLease(world, id)
      const claim = world.files.claims.get(id, epoch)
      yield* Effect.gen(function* () {
        const leases = yield* LeaseStore
        if (claim === undefined || claim === null) return assert.fail("nobody claimed")
        assert.strictEqual(yield* leases.tombstone(claim), "exists")
        yield* leases.removeClaims(id, epoch)
        assert.strictEqual(yield* leases.tombstone(claim), "won")
        assert.strictEqual(world.files.claims.get(id, epoch)?.kind, "tombstone")
      }).pipe(Effect.provide(context))
    })
  )

  it.effect("writes nothing without the lock, on a full disk, or under a term that is not the latest", () =>
    Effect.gen(function* () {
      const world = new World()
      const { context, end } = yield* startScheduler(world)
      const create = Effect.flip(LeaseStore.use((leases) => leases.create(lease))).pipe(Effect.provide(context))
      world.files.unwritable = "no space left"
      assert.strictEqual((yield* create)._tag, "StateUnwritable")
      world.files.unwritable = null
      world.files.term += 1
      assert.strictEqual((yield* create)._tag, "LockLost")
      yield* end
      assert.strictEqual((yield* create)._tag, "LockLost")
      assert.strictEqual(world.files.leases.size, 0)
    })
  )

  it.effect("holds only what its real counterpart could write and read again", () =>
    Effect.gen(function* () {
      const world = new World()
      const id = world.addTask()
      world.script = () => completesAfter(1e9, { obeys: [] })
      const { pass } = yield* startScheduler(world)
      yield* pass()
      yield* later(world, 1)
      world.tinytask.change(id, { archived: true })
      yield* pass()
      const lease = runningLease(world, id)
      const again = <T, E>(schema: Schema.Codec<T, E>, value: T) =>
        assert.deepStrictEqual(Schema.decodeUnknownSync(schema)(Schema.encodeSync(schema)(value)), value)
      again(LeaseFile, lease)
      const [claim, stop] = [world.files.claims.get(id, lease.epoch), world.files.stops.get(id, lease.epoch)]
      const attempts = world.files.attempts.get(id)
      if (claim === undefined || claim === null || stop === undefined || attempts === undefined) return assert.fail()
      again(ClaimFile, claim)
      again(StopFile, stop)
      again(AttemptsFile, attempts)
    })
  )
})

describe("processes in memory", () => {
  it("give a number out anew when all were used, but none that a group or session still bears", () => {
    const { machine } = new World()
    machine.pidMax = 103
    const spawn = (fields: { readonly group?: number } = {}) =>
      machine.spawn({ parent: 1, token: null, onSignal: () => undefined, ...fields })
    const [first, second] = [spawn(), spawn()]
    spawn({ group: first.pid })
    machine.end(first)
    machine.end(second)
    assert.deepStrictEqual([spawn().pid, spawn().pid], [103, second.pid])
    assert.isFalse(machine.isFree(first.pid))
  })

  it("children of a process that ends become pid 1's, and who is not reaped stays as a zombie", () => {
    const { machine } = new World()
    const spawn = (parent: number) => machine.spawn({ parent, token: null, onSignal: () => undefined })
    const top = spawn(1)
    const middle = spawn(top.pid)
    const low = spawn(middle.pid)
    top.reaps = false
    machine.end(middle)
    assert.strictEqual(low.parent, 1)
    assert.strictEqual(middle.state, "Z")
    assert.isFalse(machine.lives(middle))
    machine.end(top)
    assert.deepStrictEqual([...machine.processes.values()], [low])
  })

  it.effect("a signal reaches an identity, never a pid; after a reboot nobody is left and pids begin anew", () =>
    Effect.gen(function* () {
      const world = new World()
      const { machine } = world
      let reached = 0
      const onSignal = () => {
        reached += 1
      }
      const first = machine.spawn({ parent: 1, token: null, onSignal })
      yield* later(world, 1)
      machine.end(first)
      machine.spawn({ parent: 1, token: null, onSignal, pid: first.pid })
      yield* ProcessTable.use((processes) => processes.signal(first, "SIGKILL")).pipe(
        Effect.provide(layerSimulation(world))
      )
      assert.strictEqual(reached, 0)
      const { bootId } = machine.here
      machine.reboot()
      assert.strictEqual(machine.processes.size, 0)
      assert.notStrictEqual(machine.here.bootId, bootId)
      assert.strictEqual(machine.spawn({ parent: 1, token: null, onSignal }).pid, first.pid)
    })
  )

  it.effect(
    "three clocks run apart: the wall is set, the machine is paused, and only lived time makes things happen",
    () =>
      Effect.gen(function* () {
        const world = new World()
        const happened: Array<number> = []
        for (const second of [1, 2, 3]) world.machine.after(second * 1000, () => happened.push(second))
        const monoMs = world.machine.monoMs()
        world.machine.setWall(60_000)
        yield* later(world, 60)
        assert.deepStrictEqual([happened, world.machine.monoMs() - monoMs], [[], 0])
        world.machine.pause(60_000)
        yield* later(world, 60)
        assert.deepStrictEqual([happened, world.machine.monoMs() - monoMs], [[], 60_000])
        yield* later(world, 2)
        assert.deepStrictEqual(happened, [1, 2])
        world.machine.liveOn(1000)
        assert.deepStrictEqual(happened, [1, 2, 3])
      })
  )
})

describe("a supervisor in memory", () => {
  const started = Effect.fnUntraced(function* () {
    const world = new World()
    const id = world.addTask()
    world.script = () => completesAfter(1e9)
    const { pass } = yield* startScheduler(world)
    yield* pass()
    yield* later(world, 1)
    return { world, id }
  })

  it.effect("beats every 15 s, exactly then, whenever somebody looks", () =>
    Effect.gen(function* () {
      const { id, world } = yield* started()
      const { beatMonoMs } = runningLease(world, id)
      yield* later(world, 14)
      yield* later(world, 33)
      assert.strictEqual(runningLease(world, id).beatMonoMs, beatMonoMs + 45_000)
    })
  )

  it.effect("by SIGKILL leaves its agent alone; by SIGTERM ends it and records how", () =>
    Effect.gen(function* () {
      const killed = yield* started()
      killed.world.machine.kill(processOf(killed.world, killed.id, "supervisor"))
      assert.isTrue(killed.world.machine.lives(processOf(killed.world, killed.id, "agent")))
      const asked = yield* started()
      asked.world.machine.signal(processOf(asked.world, asked.id, "supervisor"), "SIGTERM")
      const stored = asked.world.files.leases.get(asked.id)
      assert.isTrue(
        stored?._tag === "Read" && stored.lease.phase === "finished" && stored.lease.exit.signal === "SIGINT"
      )
    })
  )

  it.effect("never writes over a lease that bears another token: it ends its agent", () =>
    Effect.gen(function* () {
      const { id, world } = yield* started()
      const lease = startingLease(1, 9, "ada")
      world.files.leases.set(id, { _tag: "Read", lease })
      yield* later(world, 15)
      assert.deepStrictEqual(world.files.leases.get(id), { _tag: "Read", lease })
      assert.strictEqual(world.supervision.live.size, 0)
      assert.isNotNull(world.supervision.runs[0]?.endMs)
    })
  )

  it.effect("keeps trying to record an ending that can't be written", () =>
    Effect.gen(function* () {
      const { id, world } = yield* started()
      world.files.unwritable = "no space left"
      world.machine.kill(processOf(world, id, "agent"))
      yield* later(world, 600)
      assert.strictEqual(runningLease(world, id).phase, "running")
      world.files.unwritable = null
      yield* later(world, 1)
      const stored = world.files.leases.get(id)
      assert.isTrue(stored?._tag === "Read" && stored.lease.phase === "finished")
    })
  )

  it.effect("that was stopped goes on where it was when it is continued, and one that spins does not", () =>
    Effect.gen(function* () {
      for (const how of ["stopped", "spins"] as const) {
        const { id, world } = yield* started()
        const supervised = world.supervision.of(id)
        if (supervised === undefined) return assert.fail("it has left")
        world.supervision.hang(supervised, how)
        world.machine.kill(processOf(world, id, "agent"))
        yield* later(world, 60)
        assert.strictEqual(runningLease(world, id).phase, "running")
        assert.strictEqual(processOf(world, id, "agent").state, "Z")
        world.machine.signal(supervised.process, "SIGCONT")
        const stored = world.files.leases.get(id)
        const isFinished = stored?._tag === "Read" && stored.lease.phase === "finished"
        assert.strictEqual(isFinished, how === "stopped")
        world.supervision.wake(supervised)
        assert.strictEqual(world.supervision.live.size, 0)
      }
    })
  )

  it.effect("tells with each beat for how long its agent has said nothing", () =>
    Effect.gen(function* () {
      const world = new World()
      const id = world.addTask()
      world.script = () => completesAfter(1e9, { quietAfterMs: 10_000 })
      const { pass } = yield* startScheduler(world)
      yield* pass()
      yield* later(world, 1)
      assert.strictEqual(runningLease(world, id).silentMs, 0)
      yield* later(world, 30)
      assert.strictEqual(runningLease(world, id).silentMs, 20_000)
    })
  )

  it.effect("that is launched before its lease stands is noted", () =>
    Effect.gen(function* () {
      const world = new World()
      const lease = startingLease(1, 1, "ada")
      world.supervision.launch(lease, completesAfter(0))
      assert.deepStrictEqual(world.supervision.unannounced, [{ taskId: lease.taskId, epoch: lease.epoch }])
      yield* later(world, 1)
      assert.deepStrictEqual(world.supervision.runs, [])
    })
  )
})

describe("the fault hook", () => {
  it.effect("before: it did not happen; after: it did; a crash: nothing of that scheduler happens after it", () =>
    Effect.gen(function* () {
      const world = new World()
      const lease = startingLease(1, 1, "ada")
      let answer: string | typeof crash | null = null
      let at: "before" | "after" = "before"
      const { context } = yield* startScheduler(world, {
        faults: (call, moment) => (call === "LeaseStore.create" && moment === at ? answer : null)
      })
      const create = LeaseStore.use((leases) => leases.create(lease)).pipe(Effect.provide(context))
      answer = "input/output error"
      assert.strictEqual((yield* Effect.flip(create))._tag, "StateUnwritable")
      assert.strictEqual(world.files.leases.size, 0)
      at = "after"
      assert.strictEqual((yield* Effect.flip(create))._tag, "StateUnwritable")
      assert.strictEqual(world.files.leases.size, 1)
      answer = crash
      let went = false
      const exit = yield* create.pipe(Effect.ignore, Effect.andThen(Effect.sync(() => (went = true))), Effect.exit)
      assert.isFalse(went)
      assert.isTrue(exit._tag === "Failure" && Cause.hasInterruptsOnly(exit.cause))
      answer = null
      const later = yield* Effect.exit(create)
      assert.isTrue(later._tag === "Failure" && Cause.hasInterruptsOnly(later.cause))
    })
  )
})
