/** Every ending of protocol section 7, through real passes: what Tinytask then shows, what is remembered, what is left. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { QueueName } from "../src/domain/identifiers.ts"
import { millisOf } from "../src/domain/time.ts"
import { describeVerdict } from "../src/reconcile/describe.ts"
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
  setWall,
  startScheduler,
  statuses,
  taskOf,
  verdictsOf
} from "./passHarness.ts"

/** A world with one task, whose agent follows a script. */
const worldWith = (script: World["script"], fields: Parameters<World["addTask"]>[0] = {}) => {
  const world = new World()
  const id = world.addTask(fields)
  world.script = script
  return { world, id }
}

describe("an attempt ends", () => {
  it.effect("done when its agent completed the task: the task is left complete, without a comment", () =>
    Effect.gen(function* () {
      const { id, world } = worldWith(() => completesAfter(5000))
      const { pass } = yield* startScheduler(world)
      yield* pass()
      yield* later(world, 6)
      yield* pass()
      assert.deepStrictEqual(taskOf(world, id), {
        status: "complete",
        assignee: "vaela",
        comments: [],
        transitions: ["idle", "working", "complete"]
      })
      assert.deepStrictEqual(outcomes(world), ["done"])
      assert.strictEqual(filesLeft(world) + processesLeft(world), 0)
    })
  )

  it.effect("done by exit 0 for an agent that is judged by its exit code: we complete its task", () =>
    Effect.gen(function* () {
      const { id, world } = worldWith(() => exitsWith(0, 1000))
      const { pass } = yield* startScheduler(world, {
        desired: desiredWith({ agents: [agent("vaela", { success: "exit" })] })
      })
      yield* pass()
      yield* later(world, 2)
      yield* pass()
      assert.strictEqual(taskOf(world, id).status, "complete")
      assert.deepStrictEqual(outcomes(world), ["done"])
    })
  )

  it.effect("failed: commented once, given back as it was, and not started again before its backoff is over", () =>
    Effect.gen(function* () {
      const { id, world } = worldWith(() => exitsWith(3, 1000, { tail: "no such branch" }))
      const { pass } = yield* startScheduler(world)
      yield* pass()
      yield* later(world, 2)
      yield* pass()
      const { assignee, comments, status } = taskOf(world, id)
      assert.deepStrictEqual({ assignee, status }, { assignee: null, status: "idle" })
      assert.strictEqual(comments.length, 1)
      assert.match(
        comments[0] ?? "",
        /^\[tinyscheduler [0-9a-f-]+\] attempt 1 by vaela: failed \(exit 3\)\.[^]*no such branch$/
      )
      assert.strictEqual(filesLeft(world), 0)
      const attempts = world.files.attempts.get(id)
      assert.deepStrictEqual(attempts?.counts, { failures: 1, losses: 0 })
      assert.isAtLeast(millisOf(attempts?.notBefore ?? ""), 2000 + 24_000)
      assert.isAtMost(millisOf(attempts?.notBefore ?? ""), 2000 + 30_000)
      yield* later(world, 20)
      assert.match(verdictsOf(yield* pass())[0] ?? "", /^wait task 1: backoff until /)
      yield* later(world, 12)
      yield* pass()
      yield* later(world, 0.5)
      assert.deepStrictEqual(
        world.supervision.runs.map(({ epoch }) => Number(epoch)),
        [1, 2]
      )
      assert.strictEqual(taskOf(world, id).comments.length, 1)
    })
  )

  it.effect("failed for a task that was assigned before: it goes back to its assignee", () =>
    Effect.gen(function* () {
      const { id, world } = worldWith(() => exitsWith(1, 1000), { assignee: "vaela" })
      const { pass } = yield* startScheduler(world)
      yield* pass()
      yield* later(world, 2)
      yield* pass()
      const { assignee, status } = taskOf(world, id)
      assert.deepStrictEqual({ assignee, status }, { assignee: "vaela", status: "idle" })
    })
  )

  it.effect("unreported after exit 0 without a word to Tinytask: commented, and counted as a failure", () =>
    Effect.gen(function* () {
      const { id, world } = worldWith(() => exitsWith(0, 1000))
      const { pass } = yield* startScheduler(world)
      yield* pass()
      yield* later(world, 2)
      yield* pass()
      assert.deepStrictEqual(outcomes(world), ["unreported"])
      assert.deepStrictEqual(world.files.attempts.get(id)?.counts, { failures: 1, losses: 0 })
      assert.strictEqual(taskOf(world, id).comments.length, 1)
      assert.strictEqual(taskOf(world, id).status, "idle")
    })
  )

  it.effect("timed-out through the ladder when it runs for too long", () =>
    Effect.gen(function* () {
      const { id, world } = worldWith(() => completesAfter(1e9))
      const { pass } = yield* startScheduler(world, {
        desired: desiredWith({ agents: [agent("vaela", { maxRuntimeSec: 60 })] })
      })
      yield* pass()
      yield* later(world, 59)
      assert.deepStrictEqual(verdictsOf(yield* pass()), ["running task 1 on vaela (epoch 1): running"])
      yield* later(world, 1)
      yield* pass()
      assert.strictEqual(processesLeft(world), 0)
      yield* pass()
      assert.deepStrictEqual(outcomes(world), ["timed-out"])
      assert.strictEqual(taskOf(world, id).comments.length, 1)
      assert.strictEqual(world.files.attempts.get(id)?.counts.failures, 1)
      assert.strictEqual(filesLeft(world), 0)
    })
  )

  it.effect("lost when supervisor and agent were killed: repeated after its own, longer budget", () =>
    Effect.gen(function* () {
      const { id, world } = worldWith(() => completesAfter(1e9))
      const { pass } = yield* startScheduler(world)
      yield* pass()
      yield* later(world, 5)
      for (const process of world.machine.processes.values()) if (process.attempt !== null) world.machine.kill(process)
      yield* pass()
      assert.deepStrictEqual(outcomes(world), ["lost"])
      assert.deepStrictEqual(world.files.attempts.get(id)?.counts, { failures: 0, losses: 1 })
      const { assignee, comments, status } = taskOf(world, id)
      assert.deepStrictEqual(
        { assignee, comments: comments.length, status },
        { assignee: null, comments: 1, status: "idle" }
      )
    })
  )

  it.effect(
    "as its supervisor recorded it, when that happened between the look at its lease and the look at its processes",
    () =>
      Effect.gen(function* () {
        const { world } = worldWith(() => exitsWith(3, 5000))
        const { pass } = yield* startScheduler(world, {
          faults: atCall(
            "LeaseStore.scan",
            "after",
            () => {
              world.machine.liveOn(5000)
              return null
            },
            2
          )
        })
        yield* pass()
        yield* later(world, 1)
        const { plan } = (yield* pass()).rounds[0] ?? {}
        assert.deepStrictEqual(plan?.verdicts.map(describeVerdict), [
          "finish task 1 on vaela (epoch 1): failed, exit 3"
        ])
        assert.deepStrictEqual(outcomes(world), ["failed"])
      })
  )

  it.effect("while its supervisor still lives for a moment: what it finished is handled at once", () =>
    Effect.gen(function* () {
      for (const startError of [null, "no such file"]) {
        const { id, world } = worldWith(() => completesAfter(1000, { startError, leaveAfterMs: 60_000 }))
        const { end, pass } = yield* startScheduler(world)
        yield* pass()
        yield* later(world, 2)
        yield* pass()
        assert.deepStrictEqual(outcomes(world), [startError === null ? "done" : "start-failed"])
        assert.isTrue(world.machine.lives(processOf(world, id, "supervisor")))
        assert.strictEqual(filesLeft(world), 0)
        assert.deepStrictEqual(world.machine.signals, [])
        yield* end
      }
    })
  )

  it.effect("start-failed when its agent can't be started: told with the reason, counted with the losses", () =>
    Effect.gen(function* () {
      const { id, world } = worldWith(() => completesAfter(0, { startError: "goose was not found" }))
      const { pass } = yield* startScheduler(world)
      yield* pass()
      yield* later(world, 1)
      yield* pass()
      assert.deepStrictEqual(outcomes(world), ["start-failed"])
      assert.match(taskOf(world, id).comments[0] ?? "", /goose was not found/)
      assert.deepStrictEqual(world.files.attempts.get(id)?.counts, { failures: 0, losses: 1 })
      assert.strictEqual(taskOf(world, id).status, "idle")
    })
  )

  it.effect("start-failed when nobody claims it within the grace, and never a second supervisor beside the first", () =>
    Effect.gen(function* () {
      const { id, world } = worldWith(() => completesAfter(1000, { claimAfterMs: null }))
      const { pass } = yield* startScheduler(world)
      yield* pass()
      yield* later(world, 29)
      assert.deepStrictEqual(verdictsOf(yield* pass()), ["running task 1 on vaela (epoch 1): starting"])
      yield* later(world, 1)
      yield* pass()
      assert.deepStrictEqual(outcomes(world), ["start-failed"])
      assert.strictEqual(taskOf(world, id).status, "idle")
      assert.strictEqual(filesLeft(world), 0)
    })
  )

  it.effect("void when its task was deleted meanwhile: nothing is told and nothing counts", () =>
    Effect.gen(function* () {
      const { id, world } = worldWith(() => exitsWith(1, 5000))
      const { pass } = yield* startScheduler(world)
      yield* pass()
      yield* later(world, 4.9)
      world.tinytask.remove(id)
      yield* later(world, 1)
      const report = yield* pass()
      assert.deepStrictEqual(report.errors, [])
      assert.deepStrictEqual(outcomes(world), ["void"])
      assert.deepStrictEqual(world.files.attempts.get(id)?.counts, { failures: 0, losses: 0 })
      assert.strictEqual(filesLeft(world), 0)
    })
  )

  it.effect("handed-over when its agent gave the task to another queue: the task is left as it is", () =>
    Effect.gen(function* () {
      const { id, world } = worldWith(() =>
        exitsWith(0, 1000, {
          atEnd: (tinytask, task) => {
            tinytask.change(task, { status: "idle", assignee: null, queue: "review" })
          }
        })
      )
      const { pass } = yield* startScheduler(world, {
        desired: desiredWith({ agents: [agent("vaela"), agent("oscar", { queues: [QueueName.make("review")] })] })
      })
      yield* pass()
      yield* later(world, 2)
      world.script = () => completesAfter(1000)
      yield* pass()
      assert.deepStrictEqual(outcomes(world), ["handed-over"])
      assert.deepStrictEqual(taskOf(world, id).comments, [])
      assert.strictEqual(taskOf(world, id).assignee, "oscar")
      yield* later(world, 2)
      yield* pass()
      assert.deepStrictEqual(outcomes(world), ["handed-over", "done"])
      assert.deepStrictEqual(
        world.supervision.runs.map(({ agent }) => agent),
        ["vaela", "oscar"]
      )
    })
  )

  it.effect("handed-over when its agent assigned the task to another", () =>
    Effect.gen(function* () {
      const { id, world } = worldWith(() =>
        exitsWith(1, 1000, {
          atEnd: (tinytask, task) => {
            tinytask.change(task, { status: "idle", assignee: "a person" })
          }
        })
      )
      const { pass } = yield* startScheduler(world)
      yield* pass()
      yield* later(world, 2)
      assert.deepStrictEqual(verdictsOf(yield* pass()), [
        "wait task 1: assigned to a person, which is no agent of ours"
      ])
      assert.deepStrictEqual(outcomes(world), ["handed-over"])
      assert.deepStrictEqual(world.files.attempts.get(id)?.counts, { failures: 0, losses: 0 })
      assert.strictEqual(taskOf(world, id).assignee, "a person")
    })
  )

  it.effect(
    "handed-over when its agent gave it back idle and unassigned with exit 0: it is started again at once",
    () =>
      Effect.gen(function* () {
        const { id, world } = worldWith(() =>
          exitsWith(0, 1000, {
            atEnd: (tinytask, task) => {
              tinytask.change(task, { status: "idle", assignee: null })
            }
          })
        )
        const { pass } = yield* startScheduler(world)
        yield* pass()
        yield* later(world, 2)
        world.script = () => completesAfter(1000)
        yield* pass()
        assert.deepStrictEqual(outcomes(world), ["handed-over"])
        assert.strictEqual(taskOf(world, id).status, "working")
        assert.deepStrictEqual(taskOf(world, id).comments, [])
      })
  )

  it.effect(
    "handed-over when its agent made subtasks: the task waits as their parent, and is complete after them",
    () =>
      Effect.gen(function* () {
        const { id, world } = worldWith((lease) =>
          lease.taskId === 1
            ? exitsWith(0, 1000, {
                atEnd: (tinytask, task) => {
                  tinytask.add(1000, { parent: task })
                  tinytask.add(1000, { parent: task })
                }
              })
            : completesAfter(1000)
        )
        const { pass } = yield* startScheduler(world)
        yield* pass()
        yield* later(world, 2)
        const report = yield* pass()
        assert.deepStrictEqual(outcomes(world), ["handed-over"])
        assert.deepStrictEqual(taskOf(world, id).comments, [])
        assert.strictEqual(taskOf(world, id).assignee, "vaela")
        assert.include(verdictsOf(report), "wait task 1: parent of 2 open subtasks")
        yield* passes(world, { pass }, 2, 2)
        assert.deepStrictEqual(statuses(world), ["complete", "complete", "complete"])
        assert.deepStrictEqual(
          world.supervision.runs.map(({ taskId }) => Number(taskId)),
          [1, 2, 3]
        )
      })
  )
})

describe("what an ending counts towards", () => {
  it.effect("a task is parked after MAX_ATTEMPTS failures, and says so", () =>
    Effect.gen(function* () {
      const { id, world } = worldWith(() => exitsWith(1, 1000))
      const { pass } = yield* startScheduler(world)
      yield* passes(world, { pass }, 8, 130)
      assert.strictEqual(world.supervision.runs.length, 3)
      assert.deepStrictEqual(verdictsOf(yield* pass()), ["wait task 1: parked after 3 (failed)"])
      const { comments } = taskOf(world, id)
      assert.strictEqual(comments.length, 3)
      assert.match(comments[2] ?? "", /attempt 3 by vaela: failed[^]*It is parked/)
    })
  )

  it.effect("a task is parked after MAX_LOST losses, which failures do not add to", () =>
    Effect.gen(function* () {
      const { id, world } = worldWith(() => completesAfter(1e9))
      const { pass } = yield* startScheduler(world, { desired: desiredWith({ policy: { maxLost: 4 } }) })
      world.script = (lease) => (lease.epoch === 1 ? exitsWith(1, 0) : completesAfter(1e9))
      for (let round = 0; round < 8; round += 1) {
        yield* passes(world, { pass }, 1, 300)
        yield* later(world, 1)
        for (const process of world.machine.processes.values()) {
          if (process.attempt !== null) world.machine.kill(process)
        }
        yield* pass()
      }
      assert.deepStrictEqual(outcomes(world), ["failed", "lost", "lost", "lost", "lost"])
      assert.deepStrictEqual(verdictsOf(yield* pass()), ["wait task 1: parked after 4 (lost)"])
      assert.strictEqual(world.files.attempts.get(id)?.counts.failures, 1)
    })
  )

  it.effect("a backoff survives the scheduler that set it", () =>
    Effect.gen(function* () {
      const { world } = worldWith(() => exitsWith(1, 1000))
      const first = yield* startScheduler(world)
      yield* first.pass()
      yield* later(world, 2)
      yield* first.pass()
      yield* first.end
      const second = yield* startScheduler(world)
      yield* later(world, 20)
      assert.match(verdictsOf(yield* second.pass())[0] ?? "", /^wait task 1: backoff until /)
      assert.strictEqual(world.supervision.runs.length, 1)
      yield* later(world, 11)
      yield* second.pass()
      yield* later(world, 1)
      assert.strictEqual(world.supervision.runs.length, 2)
    })
  )

  it.effect("an agent whose starts keep failing is set aside for a while, and its tasks go to another", () =>
    Effect.gen(function* () {
      const world = new World()
      for (let made = 0; made < 5; made += 1) world.addTask()
      world.script = (lease) =>
        lease.agentName === "broken" ? completesAfter(0, { startError: "no such file" }) : completesAfter(1000)
      const { pass } = yield* startScheduler(world, {
        desired: desiredWith({ agents: [agent("broken"), agent("vaela")] })
      })
      yield* passes(world, { pass }, 4, 1)
      const broken = world.files.agents.find(({ agentName }) => agentName === "broken")
      assert.strictEqual(broken?.startFailures, 3)
      assert.isString(broken?.setAsideUntil)
      yield* passes(world, { pass }, 40, 10)
      assert.deepStrictEqual(new Set(statuses(world)), new Set(["complete"]))
    })
  )

  it.effect("a wall clock that was set back neither holds a task nor an agent longer than the longest backoff", () =>
    Effect.gen(function* () {
      const { id, world } = worldWith(() => completesAfter(0, { startError: "no such file" }))
      const { pass } = yield* startScheduler(world, { desired: desiredWith({ policy: { backoffMaxSec: 120 } }) })
      yield* passes(world, { pass }, 20, 31)
      assert.isAtLeast(world.files.agents[0]?.startFailures ?? 0, 3)
      world.script = () => completesAfter(1000)
      yield* setWall(world, -300)
      yield* pass()
      yield* later(world, 2)
      yield* pass()
      assert.strictEqual(taskOf(world, id).status, "complete")
    })
  )

  it.effect("what is remembered belongs to a task, not to its number: a server that begins anew has other tasks", () =>
    Effect.gen(function* () {
      const { world } = worldWith(() => exitsWith(1, 1000))
      const { pass } = yield* startScheduler(world, { desired: desiredWith({ policy: { maxAttempts: 1 } }) })
      yield* pass()
      yield* later(world, 2)
      yield* pass()
      assert.match(verdictsOf(yield* pass())[0] ?? "", /^wait task 1: parked after 1/)
      world.tinytask.beginAnew()
      const again = world.addTask()
      world.script = () => completesAfter(1000)
      yield* pass()
      yield* later(world, 2)
      yield* pass()
      assert.strictEqual(taskOf(world, again).status, "complete")
      assert.deepStrictEqual(
        world.files.history.map(({ epoch, outcome }) => `${epoch} ${outcome}`),
        ["1 failed", "2 done"]
      )
    })
  )

  it.effect("by its own lease alone: an earlier one that was put back over it says nothing of it", () =>
    Effect.gen(function* () {
      const { id, world } = worldWith(() => exitsWith(3, 1000, { tail: "no such branch" }))
      const { pass } = yield* startScheduler(world, { desired: desiredWith({ policy: { backoffBaseSec: 0 } }) })
      yield* pass()
      yield* later(world, 2)
      const earlier = world.files.leases.get(id)
      world.script = () => completesAfter(1e9)
      yield* pass()
      yield* later(world, 1)
      for (const role of ["agent", "supervisor"] as const) world.machine.end(processOf(world, id, role))
      assert.isDefined(earlier)
      world.files.leases.set(id, earlier)
      yield* pass()
      assert.deepStrictEqual(
        world.files.history.map(({ epoch, outcome }) => `${epoch} ${outcome}`),
        ["1 failed", "2 lost"]
      )
      assert.notInclude(taskOf(world, id).comments[1] ?? "", "no such branch")
    })
  )

  it.effect("an attempt whose task's number belongs to another task by now is stopped and leaves that one alone", () =>
    Effect.gen(function* () {
      const { world } = worldWith(() => completesAfter(1e9))
      const { pass } = yield* startScheduler(world)
      yield* pass()
      yield* later(world, 5)
      world.tinytask.beginAnew()
      const other = world.addTask({ title: "another" })
      yield* pass()
      yield* later(world, 1)
      world.script = () => completesAfter(1000)
      yield* pass()
      assert.deepStrictEqual(outcomes(world), ["void"])
      assert.deepStrictEqual(taskOf(world, other).comments, [])
      yield* later(world, 2)
      yield* pass()
      assert.strictEqual(taskOf(world, other).status, "complete")
    })
  )
})
