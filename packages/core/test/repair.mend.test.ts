/** A repair over a whole simulated machine: what it mends, what it never touches, and that a crash in its midst loses nothing. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { QueueName } from "../src/domain/identifiers.ts"
import { RequestId } from "../src/domain/Request.ts"
import { timestampOf } from "../src/domain/time.ts"
import { repairMark } from "../src/repair/mend.ts"
import { lookAndFind, repair } from "../src/repair/repair.ts"
import { completesAfter, crash, exitsWith, World } from "../src/simulation/api.ts"
import type { FaultHook, Leftover } from "../src/simulation/api.ts"
import {
  agent,
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
  taskOf,
  verdictsOf
} from "./passHarness.ts"
import { short } from "./repairSight.ts"

const desired = desiredWith({
  agents: [agent("vaela", { queues: [QueueName.make("dev"), QueueName.make("ops")] })],
  policy: { backoffBaseSec: 0 }
})

/** A process that takes the lock, repairs, and ends. */
const repairOnce = Effect.fnUntraced(function* (world: World, faults?: FaultHook) {
  const scheduler = yield* startScheduler(world, { desired, ...(faults === undefined ? {} : { faults }) })
  const exit = yield* Effect.exit(Effect.provide(repair({ desired, purge: false }), scheduler.context))
  yield* scheduler.end
  return exit
})

const mendedBy = Effect.fnUntraced(function* (world: World) {
  const exit = yield* repairOnce(world)
  if (Exit.isFailure(exit)) throw new Error(`the repair failed: ${String(exit.cause)}`)
  return exit.value
})

/** Passes until everything is at rest. */
const goOn = Effect.fnUntraced(function* (world: World) {
  world.script = () => completesAfter(1000)
  const scheduler = yield* startScheduler(world, { desired })
  yield* passes(world, scheduler, 4, 40)
  yield* scheduler.end
})

const startOne = Effect.fnUntraced(function* (world: World) {
  const scheduler = yield* startScheduler(world, { desired })
  yield* scheduler.pass()
  yield* later(world, 1)
  yield* scheduler.end
})

/** A world in which something is broken by hand, while task 1 was under way. */
const broken = {
  "a task that was moved to another queue while it ran, by an agent that then gave up": Effect.fnUntraced(function* (
    world: World
  ) {
    world.script = () => exitsWith(1, 2000)
    const id = world.addTask()
    yield* startOne(world)
    world.tinytask.change(id, { queue: "ops" })
    const scheduler = yield* startScheduler(world, { desired })
    yield* passes(world, scheduler, 2, 5)
    yield* scheduler.end
    assert.deepStrictEqual(outcomes(world), ["handed-over"])
  }),
  "a torn lease without a claim, whose processes are dead": Effect.fnUntraced(function* (world: World) {
    world.script = () => completesAfter(1e9)
    const id = world.addTask()
    yield* startOne(world)
    const { epoch } = runningLease(world, id)
    for (const role of ["supervisor", "agent"] as const) world.machine.kill(processOf(world, id, role))
    world.files.tearLease(id, "vaela")
    world.files.claims.delete(id, epoch)
  }),
  "a torn claim without a lease, whose processes are dead": Effect.fnUntraced(function* (world: World) {
    world.script = () => completesAfter(1e9)
    const id = world.addTask()
    yield* startOne(world)
    const { epoch } = runningLease(world, id)
    for (const role of ["supervisor", "agent"] as const) world.machine.kill(processOf(world, id, role))
    world.files.leases.delete(id)
    world.files.claims.set(id, epoch, null)
  }),
  "an attempts file that can't be read, beside a living attempt": Effect.fnUntraced(function* (world: World) {
    world.script = () => completesAfter(60_000)
    const id = world.addTask()
    yield* startOne(world)
    world.files.attemptsProblems.set(id, "state/attempts/task_1.json is torn")
  }),
  "attempts files that are gone, of a task whose ending was told to it": Effect.fnUntraced(function* (world: World) {
    world.script = () => exitsWith(1, 1000)
    const id = world.addTask()
    yield* startOne(world)
    const scheduler = yield* startScheduler(world, { desired })
    world.tinytask.down = null
    yield* later(world, 5)
    // Its lease alone is left to a pass whose starts are off.
    yield* scheduler.pass({ ...desired, policy: { ...desired.policy, starts: "disabled" } })
    yield* scheduler.end
    assert.deepStrictEqual(outcomes(world), ["failed"])
    world.tinytask.change(id, { status: "working", assignee: "vaela" })
    world.files.attempts.clear()
  })
} as const

describe.each(Object.entries(broken))("%s", (_name, breakIt) => {
  it.effect("is mended once, and passes bring the task to complete", () =>
    Effect.gen(function* () {
      const world = new World()
      yield* breakIt(world)
      const first = yield* mendedBy(world)
      assert.isAbove(first.mended.length, 0)
      assert.deepStrictEqual(first.failed, [])
      const after = snapshot(world)
      const second = yield* mendedBy(world)
      assert.deepStrictEqual([second.mended, second.failed], [[], []])
      // The second took the lock; nothing else of the world is another.
      const withoutTerm = (text: string) => text.replace(/"lock":\[[^\]]*\]/, "")
      assert.strictEqual(withoutTerm(snapshot(world)), withoutTerm(after))
      yield* goOn(world)
      assert.deepStrictEqual(
        [...world.tinytask.tasks.values()].map(({ task }) => task.status),
        ["complete"]
      )
      assert.deepStrictEqual([filesLeft(world), processesLeft(world)], [0, 0])
      const epochs = world.files.history.map(({ epoch }) => epoch)
      assert.strictEqual(new Set(epochs).size, epochs.length)
    })
  )

  it.effect("a crash before and after every call of its repair leaves what a further one finds", () =>
    Effect.gen(function* () {
      let calls = 1
      for (let nth = 1; nth <= calls; nth += 1) {
        const world = new World()
        yield* breakIt(world)
        let seen = 0
        const exit = yield* repairOnce(world, () => {
          seen += 1
          return seen === nth ? crash : null
        })
        calls = Math.max(calls, seen + (Exit.isFailure(exit) ? 1 : 0))
        yield* mendedBy(world)
        yield* goOn(world)
        const { comments, status } = taskOf(world, [...world.tinytask.tasks.keys()][0]!)
        assert.strictEqual(status, "complete", `crash at ${nth}`)
        assert.strictEqual(new Set(comments).size, comments.length, `crash at ${nth}`)
        assert.deepStrictEqual([filesLeft(world), processesLeft(world)], [0, 0], `crash at ${nth}`)
      }
      assert.isAbove(calls, 20)
    })
  )

  it.effect("a look changes nothing", () =>
    Effect.gen(function* () {
      const world = new World()
      yield* breakIt(world)
      const before = snapshot(world)
      const scheduler = yield* startScheduler(world, { desired })
      yield* scheduler.end
      const { found } = yield* Effect.provide(lookAndFind({ desired, purge: true }), scheduler.context)
      assert.isAbove(found.length, 0)
      const withoutTerm = (text: string) => text.replace(/"lock":\[[^\]]*\]/, "")
      assert.strictEqual(withoutTerm(snapshot(world)), withoutTerm(before))
    })
  )
})

describe("a living attempt", () => {
  it.effect.each(["lease", "claim", "both"] as const)(
    "whose %s was torn is left as it is, and named with its processes",
    (torn) =>
      Effect.gen(function* () {
        const world = new World()
        world.script = () => completesAfter(1e9)
        const id = world.addTask()
        yield* startOne(world)
        const { agent: running, epoch, pid } = runningLease(world, id)
        // Its supervisor does nothing about it.
        for (const supervised of world.supervision.live) world.supervision.hang(supervised, "stopped")
        if (torn !== "claim") world.files.tearLease(id, "vaela")
        if (torn !== "lease") world.files.claims.set(id, epoch, null)
        if (torn === "claim") world.files.leases.delete(id)
        const before = [world.files.task(id), world.tinytask.read(id), [...world.machine.processes.keys()]]
        const { left, mended } = yield* mendedBy(world)
        assert.deepStrictEqual(mended, [])
        assert.deepStrictEqual(
          [world.files.task(id), world.tinytask.read(id), [...world.machine.processes.keys()]],
          before
        )
        assert.deepStrictEqual(world.machine.signals, [])
        const expected =
          torn === "lease"
            ? ["OddLease 1: person"]
            : torn === "claim"
              ? ["UnreadableClaim 1: person"]
              : ["UnreadableClaim 1: person", "UnreadableLease 1: person"]
        assert.deepStrictEqual(short(left), expected)
        const named = left.flatMap((finding) =>
          finding._tag === "OddLease"
            ? [finding.pid]
            : "hindrance" in finding && finding.hindrance?._tag === "Alive"
              ? finding.hindrance.pids
              : []
        )
        assert.include(named, pid)
        if (torn !== "lease") assert.include(named, running.pid)
      })
  )
})

it.effect("a repair from the shell of a living agent leaves that agent's own attempt, whose files are torn", () =>
  Effect.gen(function* () {
    const world = new World()
    world.script = () => completesAfter(1e9)
    const id = world.addTask()
    yield* startOne(world)
    const { epoch, pid, token } = runningLease(world, id)
    for (const supervised of world.supervision.live) world.supervision.hang(supervised, "stopped")
    world.files.tearLease(id, "vaela")
    world.files.claims.set(id, epoch, null)
    const process = { parent: processOf(world, id, "agent").pid, token }
    const scheduler = yield* startScheduler(world, { desired, process })
    const { left, mended } = yield* Effect.provide(repair({ desired, purge: false }), scheduler.context)
    assert.deepStrictEqual(mended, [])
    assert.deepStrictEqual(short(left), ["UnreadableClaim 1: person", "UnreadableLease 1: person"])
    assert.deepInclude(left[0], { hindrance: { _tag: "Alive", pids: [pid, process.parent].sort((a, b) => a - b) } })
  })
)

it.effect("a torn lease is left while anything lives in its attempt's cgroup, whatever that carries", () =>
  Effect.gen(function* () {
    const world = new World()
    world.machine.delegated = "/sys/fs/cgroup/system.slice/tinyscheduler.service"
    const escaped: Leftover = { session: "own", carriesToken: false, obeys: [], livesMs: null }
    world.script = () => exitsWith(0, 1e9, { leaves: [escaped] })
    const isolated = { ...desired, agents: desired.agents.map((one) => ({ ...one, isolation: "cgroup" as const })) }
    const id = world.addTask()
    const scheduler = yield* startScheduler(world, { desired: isolated })
    yield* scheduler.pass()
    yield* later(world, 1)
    yield* scheduler.end
    const { epoch } = runningLease(world, id)
    const { pid } = processOf(world, id, "leftover")
    for (const role of ["supervisor", "agent"] as const) world.machine.kill(processOf(world, id, role))
    world.files.tearLease(id, "vaela")
    world.files.claims.delete(id, epoch)
    const { left, mended } = yield* mendedBy(world)
    assert.deepStrictEqual(short(mended), [])
    assert.deepInclude(left[0], { _tag: "UnreadableLease", hindrance: { _tag: "Alive", pids: [pid] } })
  })
)

it.effect("a comment that was written before a crash is not written again, and the task is set back", () =>
  Effect.gen(function* () {
    const world = new World()
    yield* broken["a task that was moved to another queue while it ran, by an agent that then gave up"](world)
    const crashed = yield* repairOnce(world, (call, when) =>
      call === "TaskQueue.comment" && when === "after" ? crash : null
    )
    assert.isTrue(Exit.isFailure(crashed))
    yield* mendedBy(world)
    const [id] = world.tinytask.tasks.keys()
    if (id === undefined) throw new Error("there is no task")
    const { assignee, comments, status } = taskOf(world, id)
    assert.deepStrictEqual([status, assignee], ["idle", null])
    const [line] = world.files.history
    if (line === undefined) throw new Error("nothing has ended")
    assert.strictEqual(comments.filter((text) => text.includes(repairMark(line))).length, 1)
  })
)

it.effect("a repair that a command asked for is carried out by the next pass, once", () =>
  Effect.gen(function* () {
    const world = new World()
    yield* broken["a torn lease without a claim, whose processes are dead"](world)
    const uuid = RequestId.make("00000000-0000-4000-9000-000000000001")
    world.files.requests.set("a", {
      version: 1,
      uuid,
      at: timestampOf(world.machine.nowMs),
      by: "maria",
      kind: "repair"
    })
    world.script = () => completesAfter(1000)
    const scheduler = yield* startScheduler(world, { desired })
    const report = yield* scheduler.pass()
    assert.deepStrictEqual(report.errors, [])
    assert.match(world.files.answers.get(uuid)?.says ?? "", /^1 mended: the lease of task 1 can't be read/)
    assert.strictEqual(world.files.requests.size, 0)
    yield* passes(world, scheduler, 2, 40)
    assert.deepStrictEqual(outcomes(world), ["lost", "done"])
    assert.deepStrictEqual(verdictsOf(report).length, 1)
  })
)
