/** Stopping: what is stopped and what is let run, the ladder, and that no slot is freed while anything lives. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { completesAfter, exitsWith, World } from "../src/simulation/api.ts"
import type { AgentScript, FaultHook } from "../src/simulation/api.ts"
import {
  agent,
  atCall,
  desiredWith,
  filesLeft,
  later,
  outcomes,
  passes,
  pause,
  processesLeft,
  processOf,
  setWall,
  startScheduler,
  taskOf,
  verdictsOf
} from "./passHarness.ts"

/** A world whose one task's agent runs by now, under a scheduler. */
const runningWorld = Effect.fnUntraced(function* (
  script: AgentScript = completesAfter(1e9),
  options: { readonly desired?: ReturnType<typeof desiredWith>; readonly faults?: FaultHook } = {}
) {
  const world = new World()
  const id = world.addTask()
  world.script = () => script
  const scheduler = yield* startScheduler(world, options)
  yield* scheduler.pass()
  yield* later(world, 1)
  return {
    world,
    id,
    ...scheduler,
    signals: () => world.machine.signals.map(({ signal }) => signal).filter((signal) => signal !== "SIGCONT")
  }
})

const running = "running task 1 on vaela (epoch 1): running"

describe("while an attempt runs", () => {
  it.effect("a task that was completed by hand gives its agent 120 s to exit, then it is stopped, done", () =>
    Effect.gen(function* () {
      const { id, pass, signals, world } = yield* runningWorld()
      world.tinytask.change(id, { status: "complete" })
      yield* pass()
      yield* later(world, 119)
      assert.deepStrictEqual(verdictsOf(yield* pass()), [running])
      assert.deepStrictEqual(signals(), [])
      yield* later(world, 1)
      yield* pass()
      assert.deepStrictEqual(signals(), ["SIGINT"])
      yield* pass()
      assert.deepStrictEqual(outcomes(world), ["done"])
      assert.deepStrictEqual(taskOf(world, id).comments, [])
      assert.strictEqual(filesLeft(world) + processesLeft(world), 0)
    })
  )

  it.effect("a task that was reopened within that grace is let run", () =>
    Effect.gen(function* () {
      const { id, pass, signals, world } = yield* runningWorld()
      world.tinytask.change(id, { status: "complete" })
      yield* pass()
      yield* later(world, 100)
      world.tinytask.change(id, { status: "working" })
      yield* pass()
      yield* later(world, 60)
      world.tinytask.change(id, { status: "complete" })
      assert.deepStrictEqual(verdictsOf(yield* pass()), [running])
      yield* later(world, 100)
      assert.deepStrictEqual(verdictsOf(yield* pass()), [running])
      assert.deepStrictEqual(signals(), [])
    })
  )

  const takings: ReadonlyArray<readonly [string, string, (world: World, id: ReturnType<World["addTask"]>) => void]> = [
    ["reassigned", "handed-over", (world, id) => world.tinytask.change(id, { assignee: "a person" })],
    ["archived", "void", (world, id) => world.tinytask.change(id, { archived: true })],
    ["deleted", "void", (world, id) => world.tinytask.remove(id)]
  ]
  for (const [how, outcome, take] of takings) {
    it.effect(`a task that was ${how} is left alone and its agent stopped: ${outcome}`, () =>
      Effect.gen(function* () {
        const { id, pass, signals, world } = yield* runningWorld()
        take(world, id)
        const shown = JSON.stringify(world.tinytask.read(id))
        yield* pass()
        assert.deepStrictEqual(signals(), ["SIGINT"])
        yield* later(world, 1)
        yield* pass()
        assert.deepStrictEqual(outcomes(world), [outcome])
        assert.strictEqual(JSON.stringify(world.tinytask.read(id)), shown)
        assert.deepStrictEqual(world.files.attempts.get(id)?.counts, { failures: 0, losses: 0 })
        assert.strictEqual(filesLeft(world) + processesLeft(world), 0)
      })
    )
  }

  it.effect("a task that was blocked or reprioritised meanwhile, a paused agent, a lowered limit: let run", () =>
    Effect.gen(function* () {
      const { id, pass, signals, world } = yield* runningWorld(completesAfter(20_000))
      world.tinytask.change(id, { blockedBy: world.addTask({ queue: "elsewhere" }), priority: -5 })
      world.files.agents = world.files.agents.map((record) => ({ ...record, pausedBy: "a person" }))
      const report = yield* pass(desiredWith({ agents: [agent("vaela", { slots: 0 })], maxConcurrent: 0 }))
      assert.include(verdictsOf(report), running)
      yield* later(world, 20)
      yield* pass()
      assert.deepStrictEqual(outcomes(world), ["done"])
      assert.deepStrictEqual(signals(), [])
    })
  )

  it.effect("a paused agent starts nothing more", () =>
    Effect.gen(function* () {
      const { pass, world } = yield* runningWorld(completesAfter(5000))
      world.addTask()
      world.files.agents = world.files.agents.map((record) => ({ ...record, pausedBy: "a person" }))
      yield* later(world, 5)
      assert.deepStrictEqual(verdictsOf(yield* pass()), [
        "wait task 2: agent vaela paused by a person until it is resumed"
      ])
      world.files.agents = world.files.agents.map((record) => ({ ...record, pausedBy: null }))
      yield* pass()
      yield* later(world, 1)
      assert.strictEqual(world.supervision.runs.length, 2)
    })
  )
})

describe("the ladder", () => {
  it.effect(
    "SIGINT, the grace, SIGTERM, half of it, SIGKILL: an agent that ignores the first two ends by the third",
    () =>
      Effect.gen(function* () {
        const { id, pass, signals, world } = yield* runningWorld(completesAfter(1e9, { obeys: [] }))
        world.tinytask.change(id, { archived: true })
        yield* pass()
        assert.deepStrictEqual(signals(), ["SIGINT"])
        yield* later(world, 9)
        assert.match(
          verdictsOf(yield* pass())[0] ?? "",
          /^stop task 1 .*task-taken-away, interrupt was sent, alive: \d+$/
        )
        assert.strictEqual(signals().length, 1)
        yield* later(world, 1)
        yield* pass()
        assert.deepStrictEqual(signals().slice(1), ["SIGTERM"])
        yield* later(world, 4)
        yield* pass()
        assert.strictEqual(signals().length, 2)
        yield* later(world, 1)
        yield* pass()
        assert.deepStrictEqual(signals().slice(2), ["SIGKILL"])
        yield* pass()
        assert.deepStrictEqual(outcomes(world), ["void"])
        assert.strictEqual(filesLeft(world) + processesLeft(world), 0)
      })
  )

  it.effect("an entry may choose the signal that its agent ends well on", () =>
    Effect.gen(function* () {
      const desired = desiredWith({ agents: [agent("vaela", { stopSignal: "SIGTERM" })] })
      const { id, pass, signals, world } = yield* runningWorld(completesAfter(1e9), { desired })
      world.tinytask.change(id, { archived: true })
      yield* pass()
      assert.deepStrictEqual(signals(), ["SIGTERM"])
      assert.strictEqual(processesLeft(world), 0)
    })
  )

  it.effect("exit 0 after our own stop is no success: the stop record decides", () =>
    Effect.gen(function* () {
      const desired = desiredWith({ agents: [agent("vaela", { success: "exit", maxRuntimeSec: 10 })] })
      const { id, pass, world } = yield* runningWorld(exitsWith(0, 12_000, { obeys: [] }), { desired })
      yield* later(world, 9)
      yield* pass()
      yield* later(world, 3)
      yield* pass()
      assert.deepStrictEqual(outcomes(world), ["timed-out"])
      assert.strictEqual(taskOf(world, id).status, "idle")
    })
  )

  it.effect("a stop record that can't be written never delays a stop: the ladder goes on from memory", () =>
    Effect.gen(function* () {
      const { id, pass, signals, world } = yield* runningWorld(completesAfter(1e9, { obeys: [] }))
      world.tinytask.change(id, { archived: true })
      world.files.unwritable = "no space left"
      const report = yield* pass()
      assert.deepStrictEqual(signals(), ["SIGINT"])
      assert.match(report.errors.join(), /no space left/)
      yield* pass()
      assert.deepStrictEqual(signals(), ["SIGINT"])
      yield* later(world, 10)
      yield* pass()
      assert.deepStrictEqual(signals(), ["SIGINT", "SIGTERM"])
      yield* later(world, 5)
      yield* pass()
      assert.deepStrictEqual(signals(), ["SIGINT", "SIGTERM", "SIGKILL"])
      world.files.unwritable = null
      yield* later(world, 5)
      yield* pass()
      yield* later(world, 5)
      yield* pass()
      yield* pass()
      assert.deepStrictEqual(outcomes(world), ["void"])
    })
  )

  it.effect("why an attempt was stopped is known at its end, though the stop record could not be written", () =>
    Effect.gen(function* () {
      const desired = desiredWith({ agents: [agent("vaela", { maxRuntimeSec: 60 })] })
      const { pass, signals, world } = yield* runningWorld(completesAfter(1e9), { desired })
      yield* later(world, 60)
      world.files.unwritable = "no space left"
      yield* pass()
      assert.deepStrictEqual(signals(), ["SIGINT"])
      yield* later(world, 1)
      world.files.unwritable = null
      yield* later(world, 2)
      yield* pass()
      assert.deepStrictEqual(outcomes(world), ["timed-out"])
    })
  )

  it.effect("a scheduler that can't raise its term sends signals and writes nothing", () =>
    Effect.gen(function* () {
      const { end, id, signals, world } = yield* runningWorld()
      yield* end
      world.tinytask.change(id, { archived: true })
      world.addTask()
      world.files.termProblem = "read-only file system"
      const { lock, pass } = yield* startScheduler(world)
      assert.isNull(lock.term)
      assert.deepStrictEqual((yield* pass()).errors, [])
      assert.deepStrictEqual(signals(), ["SIGINT"])
      assert.deepStrictEqual((yield* pass()).errors, [])
      assert.strictEqual(world.files.leases.size, 1)
      assert.deepStrictEqual(outcomes(world), [])
      assert.strictEqual(world.files.attempts.size, 1)
    })
  )

  it.effect("a process that merely has the pid of one of ours is never signalled", () =>
    Effect.gen(function* () {
      const { id, pass, signals, world } = yield* runningWorld()
      const supervisor = processOf(world, id, "supervisor")
      const itsAgent = processOf(world, id, "agent")
      world.machine.kill(supervisor)
      world.machine.kill(itsAgent)
      yield* later(world, 1)
      let killed = 0
      for (const { pid } of [supervisor, itsAgent]) {
        world.machine.spawn({ pid, parent: 1, token: null, onSignal: () => (killed += 1) })
      }
      yield* pass()
      assert.deepStrictEqual(outcomes(world), ["lost"])
      assert.deepStrictEqual(signals(), [])
      assert.strictEqual(killed, 0)
    })
  )

  it.effect("a scheduler started from an agent's shell spares itself and its ancestors", () =>
    Effect.gen(function* () {
      const { end, id, world } = yield* runningWorld(
        completesAfter(1e9, {
          leaves: [{ session: "agent", carriesToken: true, obeys: [], livesMs: null }]
        })
      )
      yield* end
      const shell = processOf(world, id, "leftover")
      const { pass } = yield* startScheduler(world, { process: { parent: shell.pid, token: shell.token } })
      world.tinytask.change(id, { archived: true })
      yield* passes(world, { pass }, 6, 10)
      assert.isTrue(world.machine.lives(shell))
      assert.isFalse(world.machine.signals.some(({ pid }) => pid === shell.pid))
    })
  )

  it.effect("and yet its ancestors are alive: the attempt that they are all that is left of holds its task", () =>
    Effect.gen(function* () {
      const { end, id, world } = yield* runningWorld(
        completesAfter(1e9, {
          leaves: [{ session: "own", carriesToken: true, obeys: [], livesMs: null }]
        })
      )
      yield* end
      const shell = processOf(world, id, "leftover")
      const { pass } = yield* startScheduler(world, { process: { parent: shell.pid, token: null } })
      world.machine.kill(processOf(world, id, "supervisor"))
      world.machine.kill(processOf(world, id, "agent"))
      yield* passes(world, { pass }, 6, 60)
      assert.strictEqual(world.supervision.runs.length, 1)
      assert.deepStrictEqual(outcomes(world), [])
      world.machine.kill(shell)
      yield* passes(world, { pass }, 6, 60)
      assert.strictEqual(world.supervision.runs.length, 2)
    })
  )
})

describe("supervisors that fail", () => {
  it.effect("an orphaned agent is stopped, and its task given back only after its death", () =>
    Effect.gen(function* () {
      const { id, pass, signals, world } = yield* runningWorld(completesAfter(1e9, { obeys: ["SIGTERM"] }))
      world.machine.kill(processOf(world, id, "supervisor"))
      assert.match(verdictsOf(yield* pass())[0] ?? "", /^stop task 1 on vaela \(epoch 1\): orphaned-agent, interrupt/)
      assert.strictEqual(taskOf(world, id).status, "working")
      yield* later(world, 10)
      yield* pass()
      assert.deepStrictEqual(signals(), ["SIGINT", "SIGTERM"])
      assert.strictEqual(taskOf(world, id).status, "working")
      yield* pass()
      assert.deepStrictEqual(outcomes(world), ["lost"])
      assert.strictEqual(taskOf(world, id).status, "idle")
      assert.deepStrictEqual(world.supervision.overlaps, [])
    })
  )

  it.effect("an orphaned agent that completes its task while it is being stopped: done", () =>
    Effect.gen(function* () {
      const { id, pass, world } = yield* runningWorld(completesAfter(5000, { obeys: [] }))
      world.machine.kill(processOf(world, id, "supervisor"))
      yield* pass()
      yield* later(world, 5)
      yield* pass()
      assert.deepStrictEqual(outcomes(world), ["done"])
      assert.deepStrictEqual(taskOf(world, id).transitions, ["idle", "working", "complete"])
    })
  )

  it.effect("a hung supervisor is stopped only after two looks at the same overdue beat, 30 s apart", () =>
    Effect.gen(function* () {
      const { id, pass, signals, world } = yield* runningWorld()
      const supervised = world.supervision.of(id)
      assert.isDefined(supervised)
      if (supervised !== undefined) world.supervision.hang(supervised)
      yield* later(world, 44)
      assert.deepStrictEqual(verdictsOf(yield* pass()), [running])
      yield* later(world, 2)
      const silent = "running task 1 on vaela (epoch 1): its supervisor is silent"
      assert.deepStrictEqual(verdictsOf(yield* pass()), [silent])
      yield* later(world, 29)
      assert.deepStrictEqual(verdictsOf(yield* pass()), [silent])
      assert.deepStrictEqual(signals(), [])
      yield* later(world, 1)
      assert.match(verdictsOf(yield* pass())[0] ?? "", /^stop .*hung-supervisor, interrupt/)
      // Its agent ends by SIGINT and stays as a zombie of the supervisor, which only SIGKILL reaches.
      yield* passes(world, { pass }, 4, 10)
      assert.deepStrictEqual(outcomes(world), ["lost"])
      assert.strictEqual(filesLeft(world) + processesLeft(world), 0)
      assert.strictEqual(taskOf(world, id).status, "idle")
    })
  )

  it.effect("a supervisor is not hung for a scheduler that can't write itself: the disk may keep its beats away", () =>
    Effect.gen(function* () {
      const { id, pass, signals, world } = yield* runningWorld()
      const supervised = world.supervision.of(id)
      assert.isDefined(supervised)
      if (supervised !== undefined) world.supervision.hang(supervised)
      yield* later(world, 46)
      yield* pass()
      world.files.unwritable = "no space left"
      yield* later(world, 30)
      const report = yield* pass()
      assert.match(report.errors.join(), /no space left.*the silence of its supervisor proves nothing/)
      yield* passes(world, { pass }, 3, 10)
      assert.deepStrictEqual(signals(), [])
      world.files.unwritable = null
      yield* pass()
      assert.deepStrictEqual(signals(), ["SIGINT"])
    })
  )

  it.effect("a laptop that slept for hours kills nobody: the wall clock alone went on", () =>
    Effect.gen(function* () {
      const { pass, signals, world } = yield* runningWorld()
      yield* pass()
      yield* setWall(world, 8 * 3600)
      for (let look = 0; look < 4; look += 1) {
        assert.deepStrictEqual(verdictsOf(yield* pass()), [running])
        yield* later(world, 20)
      }
      yield* setWall(world, -9 * 3600)
      for (let look = 0; look < 4; look += 1) {
        assert.deepStrictEqual(verdictsOf(yield* pass()), [running])
        yield* later(world, 20)
      }
      assert.deepStrictEqual(signals(), [])
    })
  )

  it.effect("a machine that was paused kills nobody: a late beat is not a second look at a silent one", () =>
    Effect.gen(function* () {
      const { pass, signals, world } = yield* runningWorld()
      yield* pass()
      yield* pause(world, 900)
      assert.deepStrictEqual(verdictsOf(yield* pass()), ["running task 1 on vaela (epoch 1): its supervisor is silent"])
      yield* later(world, 40)
      assert.deepStrictEqual(verdictsOf(yield* pass()), [running])
      yield* pause(world, 900)
      yield* pass()
      yield* later(world, 40)
      assert.deepStrictEqual(verdictsOf(yield* pass()), [running])
      assert.deepStrictEqual(signals(), [])
    })
  )

  it.effect("a full disk kills nobody, and what ended meanwhile is recorded when there is room again", () =>
    Effect.gen(function* () {
      const { id, pass, signals, world } = yield* runningWorld(completesAfter(400_000))
      world.files.unwritable = "no space left"
      yield* passes(world, { pass }, 10, 60)
      assert.deepStrictEqual(signals(), [])
      assert.strictEqual(world.files.leases.size, 1)
      world.files.unwritable = null
      yield* later(world, 2)
      yield* pass()
      assert.deepStrictEqual(outcomes(world), ["done"])
      assert.strictEqual(taskOf(world, id).status, "complete")
    })
  )
})

describe("what an agent leaves behind", () => {
  const stubborn = { session: "own", carriesToken: true, obeys: ["SIGTERM"], livesMs: null } as const

  it.effect(
    "a grandchild in a session of its own is stopped before the slot is freed; the exit code still counts",
    () =>
      Effect.gen(function* () {
        const desired = desiredWith({ agents: [agent("vaela", { success: "exit" })] })
        const { id, pass, signals, world } = yield* runningWorld(exitsWith(0, 5000, { leaves: [stubborn] }), {
          desired
        })
        world.addTask()
        yield* later(world, 5)
        assert.match(verdictsOf(yield* pass())[0] ?? "", /^stop task 1 on vaela \(epoch 1\): leftovers, terminate/)
        assert.strictEqual(taskOf(world, id).status, "working")
        assert.deepStrictEqual(signals(), ["SIGTERM"])
        yield* pass()
        assert.deepStrictEqual(outcomes(world), ["done"])
        assert.strictEqual(taskOf(world, id).status, "complete")
        assert.strictEqual(world.supervision.runs.length, 1)
        yield* later(world, 1)
        assert.strictEqual(world.supervision.runs.length, 2)
      })
  )

  it.effect("a grandchild without a token that was listed before the first signal is not forgotten after it", () =>
    Effect.gen(function* () {
      const { id, pass, world } = yield* runningWorld(
        completesAfter(1e9, { leaves: [{ session: "own", carriesToken: false, obeys: ["SIGTERM"], livesMs: null }] })
      )
      world.tinytask.change(id, { assignee: "a person" })
      yield* pass()
      // The agent ended by SIGINT; its child has lost its parent, has its own session, and nothing in its environment.
      yield* later(world, 1)
      yield* pass()
      assert.deepStrictEqual(outcomes(world), [])
      yield* later(world, 10)
      yield* pass()
      assert.strictEqual(processesLeft(world), 0)
      yield* pass()
      assert.deepStrictEqual(outcomes(world), ["handed-over"])
    })
  )

  it.effect("a process that appears between the two scans is seen: one empty scan proves nothing", () =>
    Effect.gen(function* () {
      let fork: () => void = () => undefined
      const { id, pass, world } = yield* runningWorld(completesAfter(5000), {
        faults: atCall("ProcessTable.scan", "after", () => {
          fork()
          return null
        })
      })
      const { token } = processOf(world, id, "agent")
      fork = () => {
        const child = world.machine.spawn({ parent: 1, token, onSignal: () => world.machine.end(child) })
      }
      yield* later(world, 5)
      assert.match(verdictsOf(yield* pass())[0] ?? "", /^stop task 1 on vaela \(epoch 1\): leftovers/)
      assert.deepStrictEqual(outcomes(world), [])
      yield* pass()
      assert.deepStrictEqual(outcomes(world), ["done"])
    })
  )

  it.effect("a survivor keeps its slot and is told of in every pass", () =>
    Effect.gen(function* () {
      const { id, pass, world } = yield* runningWorld(completesAfter(5000, { leaves: [stubborn] }))
      world.addTask()
      const survivor = processOf(world, id, "leftover")
      Object.assign(survivor, { onSignal: () => undefined })
      for (let look = 0; look < 10; look += 1) {
        yield* later(world, 10)
        assert.deepStrictEqual(
          verdictsOf(yield* pass()).map((line) => line.replace(/terminate was sent|kill was sent|terminate|kill/, "…")),
          [
            `stop task 1 on vaela (epoch 1): leftovers, …, alive: ${survivor.pid}`,
            "wait task 2: no free slot: queue dev 1/1"
          ]
        )
      }
      assert.deepStrictEqual(outcomes(world), [])
      world.machine.end(survivor)
      yield* pass()
      assert.deepStrictEqual(outcomes(world), ["done"])
    })
  )
})
