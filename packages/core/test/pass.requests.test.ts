/** What commands ask of the scheduler that holds the lock: carried out once, by the next pass, or told why not. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { AgentName } from "../src/domain/identifiers.ts"
import type { TaskId } from "../src/domain/identifiers.ts"
import { timestampOf } from "../src/domain/time.ts"
import { completesAfter, crash, exitsWith, World } from "../src/simulation/api.ts"
import {
  atCall,
  desiredWith,
  filesLeft,
  later,
  outcomes,
  passes,
  passThatCrashes,
  processesLeft,
  snapshot,
  startScheduler,
  statuses,
  verdictsOf
} from "./passHarness.ts"
import { answerTo, ask } from "./passRequests.ts"

const vaela = AgentName.make("vaela")
const pauseOf = (agentName: AgentName | null, until: string | null = null, reason: string | null = null) =>
  ({ kind: "pause", agentName, until, reason }) as const

/** A world whose one task failed once, which parked it. */
const parkedWorld = Effect.fnUntraced(function* () {
  const world = new World()
  const id = world.addTask()
  world.script = () => exitsWith(3, 1000)
  const scheduler = yield* startScheduler(world, { desired: desiredWith({ policy: { maxAttempts: 1 } }) })
  yield* scheduler.pass()
  yield* passes(world, scheduler, 2, 100)
  assert.isNotNull(parkedOf(world, id))
  world.script = () => completesAfter(1000)
  return { world, id, ...scheduler }
})

const parkedOf = ({ files }: World, id: TaskId) => files.attempts.get(id)?.parked ?? null

/** A world whose one task's agent runs by now. */
const runningWorld = Effect.fnUntraced(function* () {
  const world = new World()
  const id = world.addTask()
  world.script = () => completesAfter(1e9)
  const scheduler = yield* startScheduler(world)
  yield* scheduler.pass()
  yield* later(world, 1)
  return { world, id, ...scheduler }
})

const signalsOf = ({ machine }: World) =>
  machine.signals.map(({ signal }) => signal).filter((signal) => signal !== "SIGCONT")

describe("retry", () => {
  it.effect("releases a parked task: its counts begin anew, its epochs go on, and it starts in the same pass", () =>
    Effect.gen(function* () {
      const { id, pass, world } = yield* parkedWorld()
      const request = ask(world, { kind: "retry", taskId: id })
      assert.deepStrictEqual(verdictsOf(yield* pass()), ["start task 1 on vaela (epoch 2, attempt 1)"])
      assert.strictEqual(
        answerTo(world, request),
        "done: task 1 is released: it was parked after 1 (failed); its counts begin anew"
      )
      assert.strictEqual(world.files.requests.size, 0)
      yield* passes(world, { pass }, 2, 10)
      assert.deepStrictEqual(statuses(world), ["complete"])
      assert.deepStrictEqual(world.files.attempts.get(id)?.counts, { failures: 0, losses: 0 })
    })
  )

  it.effect("ends a backoff too", () =>
    Effect.gen(function* () {
      const world = new World()
      const id = world.addTask()
      world.script = () => exitsWith(3, 1000)
      const { pass } = yield* startScheduler(world)
      yield* pass()
      yield* later(world, 2)
      yield* pass()
      assert.match(verdictsOf(yield* pass()).join(), /^wait task 1: backoff until/)
      const request = ask(world, { kind: "retry", taskId: id })
      assert.deepStrictEqual(verdictsOf(yield* pass()), ["start task 1 on vaela (epoch 2, attempt 1)"])
      assert.match(answerTo(world, request), /^done: task 1 is released: it was waiting until /)
    })
  )

  it.effect("of an attempt that is no longer the latest does nothing, and says so", () =>
    Effect.gen(function* () {
      const { id, pass, world } = yield* parkedWorld()
      const first = ask(world, { kind: "retry", taskId: id })
      yield* pass()
      world.script = () => exitsWith(3, 1000)
      yield* passes(world, { pass }, 2, 100)
      if (first !== null)
        world.files.requests.set("again", { ...first, uuid: ask(world, pauseOf(vaela))?.uuid ?? first.uuid })
      world.files.requests.delete([...world.files.requests.keys()].find((name) => name !== "again") ?? "")
      const stale = world.files.requests.get("again") ?? null
      yield* pass()
      assert.strictEqual(answerTo(world, stale), "refused: task 1 has gone on to attempt 2 since: nothing was changed")
    })
  )

  it.effect("of a task that is at work, or that nothing holds back, is told that there is nothing to release", () =>
    Effect.gen(function* () {
      const { id, pass, world } = yield* runningWorld()
      const atWork = ask(world, { kind: "retry", taskId: id })
      yield* pass()
      assert.strictEqual(answerTo(world, atWork), "nothing: task 1 is at work (attempt 1): there is nothing to release")
      world.tinytask.change(id, { status: "complete" })
      yield* passes(world, { pass }, 4, 130)
      const completed = ask(world, { kind: "retry", taskId: id })
      yield* pass()
      assert.match(answerTo(world, completed), /^nothing: task 1 is neither parked nor waiting after a failure/)
    })
  )

  it.effect("of a task whose attempts file can't be read changes nothing", () =>
    Effect.gen(function* () {
      const { id, pass, world } = yield* parkedWorld()
      const request = ask(world, { kind: "retry", taskId: id })
      world.files.attemptsProblems.set(id, "it is torn")
      yield* pass()
      assert.strictEqual(
        answerTo(world, request),
        "refused: task 1 can't be released while its attempts file can't be read: it is torn"
      )
    })
  )
})

describe("stop", () => {
  it.effect("climbs the ladder, ends the attempt as stopped, and the task waits its backoff", () =>
    Effect.gen(function* () {
      const { id, pass, world } = yield* runningWorld()
      const request = ask(world, { kind: "stop", taskId: id })
      assert.deepStrictEqual(verdictsOf(yield* pass()), ["stop task 1 on vaela (epoch 1): requested, interrupt"])
      assert.deepStrictEqual(signalsOf(world), ["SIGINT"])
      // The record of the ladder stands by now: the request has been served.
      yield* later(world, 1)
      assert.match(verdictsOf(yield* pass()).join(), /^wait task 1: backoff until/)
      assert.strictEqual(answerTo(world, request), "done: attempt 1 at task 1 is being stopped")
      assert.strictEqual(world.files.requests.size, 0)
      assert.deepStrictEqual(outcomes(world), ["stopped"])
      assert.deepStrictEqual(world.files.attempts.get(id)?.counts, { failures: 0, losses: 1 })
      assert.strictEqual(filesLeft(world) + processesLeft(world), 0)
    })
  )

  it.effect("goes on through every rung, though its request is gone", () =>
    Effect.gen(function* () {
      const { id, pass, world } = yield* runningWorld()
      for (const process of world.machine.processes.values()) {
        if (process.attempt !== null) Object.assign(process, { onSignal: () => undefined })
      }
      ask(world, { kind: "stop", taskId: id })
      yield* pass()
      yield* later(world, 10)
      yield* pass()
      assert.strictEqual(world.files.requests.size, 0)
      yield* later(world, 5)
      yield* pass()
      assert.deepStrictEqual([...new Set(signalsOf(world))], ["SIGINT", "SIGTERM", "SIGKILL"])
    })
  )

  it.effect("of an attempt that has ended touches nothing of what came after it", () =>
    Effect.gen(function* () {
      const { id, pass, world } = yield* runningWorld()
      const request = ask(world, { kind: "stop", taskId: id })
      world.tinytask.change(id, { assignee: "a person" })
      for (const process of world.machine.processes.values()) if (process.attempt !== null) world.machine.kill(process)
      world.files.requests.clear()
      yield* pass()
      world.tinytask.change(id, { assignee: null, status: "idle" })
      yield* pass()
      yield* later(world, 1)
      if (request !== null) world.files.requests.set("late", request)
      assert.deepStrictEqual(verdictsOf(yield* pass()), ["running task 1 on vaela (epoch 2): running"])
      assert.deepStrictEqual(signalsOf(world), [])
      assert.match(answerTo(world, request), /^nothing: attempt 1 at task 1 has ended \(handed-over\)/)
    })
  )

  it.effect("waits for a start that nobody has claimed yet, and stops it then", () =>
    Effect.gen(function* () {
      const world = new World()
      const id = world.addTask()
      world.script = () => completesAfter(1e9, { claimAfterMs: 5000 })
      const { pass } = yield* startScheduler(world)
      yield* pass()
      ask(world, { kind: "stop", taskId: id })
      assert.deepStrictEqual(verdictsOf(yield* pass()), ["running task 1 on vaela (epoch 1): starting"])
      assert.strictEqual(world.files.requests.size, 1)
      yield* passes(world, { pass }, 2, 6)
      assert.deepStrictEqual(outcomes(world), ["stopped"])
    })
  )
})

describe("pause and resume", () => {
  it.effect("of one agent: it starts nothing new, what it runs goes on, until it is resumed", () =>
    Effect.gen(function* () {
      const { pass, world } = yield* runningWorld()
      world.addTask()
      const request = ask(world, pauseOf(vaela, null, "deploying"))
      yield* pass(desiredWith({ agents: [{ ...desiredWith().agents[0]!, slots: 2 }] }))
      assert.match(answerTo(world, request), /^done: agent vaela starts nothing new until it is resumed; what it runs/)
      const two = desiredWith({ agents: [{ ...desiredWith().agents[0]!, slots: 2 }] })
      assert.deepStrictEqual(verdictsOf(yield* pass(two)), [
        "running task 1 on vaela (epoch 1): running",
        "wait task 2: agent vaela paused by maria (deploying) until it is resumed"
      ])
      ask(world, { kind: "resume", agentName: vaela })
      assert.include(verdictsOf(yield* pass(two)), "start task 2 on vaela (epoch 1, attempt 1)")
      assert.deepStrictEqual(signalsOf(world), [])
    })
  )

  it.effect("of everything: also of agents that come later; ends by itself at its time", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(1_772_366_400_000)
      const world = new World(1_772_366_400_000)
      world.addTask()
      const { pass } = yield* startScheduler(world)
      const until = timestampOf(world.machine.nowMs + 60_000)
      ask(world, pauseOf(null, until))
      const report = yield* pass()
      assert.deepStrictEqual(verdictsOf(report), [`wait task 1: starts are off: paused (by maria until ${until})`])
      // The daemon wakes when the pause is over.
      assert.strictEqual(report.rounds[0]?.plan.nextWallMs, world.machine.nowMs + 60_000)
      yield* later(world, 60)
      assert.deepStrictEqual(verdictsOf(yield* pass()), ["start task 1 on vaela (epoch 1, attempt 1)"])
    })
  )

  it.effect("a resume of everything leaves agents paused that were paused by themselves, and names them", () =>
    Effect.gen(function* () {
      const { pass, world } = yield* runningWorld()
      ask(world, pauseOf(null))
      ask(world, pauseOf(vaela))
      yield* pass()
      const request = ask(world, { kind: "resume", agentName: null })
      yield* pass()
      assert.strictEqual(answerTo(world, request), "done: tasks are started again; agents paused by themselves: vaela")
      const last = ask(world, { kind: "resume", agentName: vaela })
      yield* pass()
      assert.strictEqual(answerTo(world, last), "done: agent vaela takes tasks again")
    })
  )

  it.effect("of an agent that was set aside since its starts kept failing: it is tried again", () =>
    Effect.gen(function* () {
      const { pass, world } = yield* runningWorld()
      world.files.agents = world.files.agents.map((record) => ({
        ...record,
        startFailures: 5,
        setAsideUntil: timestampOf(world.machine.nowMs + 600_000)
      }))
      ask(world, { kind: "resume", agentName: vaela })
      yield* pass()
      assert.include(world.files.agents[0], { startFailures: 0, setAsideUntil: null, pausedBy: null })
    })
  )
})

describe("gc", () => {
  /** Two tasks that failed and are parked, and one whose agent runs. */
  const threeTasks = Effect.fnUntraced(function* () {
    const world = new World()
    const [gone, archived] = [world.addTask(), world.addTask()]
    world.script = () => exitsWith(3, 1000)
    const scheduler = yield* startScheduler(world, { desired: desiredWith({ policy: { maxAttempts: 1 } }) })
    yield* scheduler.pass()
    yield* passes(world, scheduler, 4, 10)
    world.script = () => completesAfter(1e9)
    const running = world.addTask()
    yield* scheduler.pass()
    world.tinytask.remove(gone)
    world.tinytask.change(archived, { archived: true })
    return { world, ...scheduler, ids: [gone, archived, running] }
  })

  it.effect("forgets what is archived or gone, and nothing of what runs or may come back", () =>
    Effect.gen(function* () {
      const { ids, pass, world } = yield* threeTasks()
      const request = ask(world, { kind: "gc", taskIds: ids })
      yield* pass()
      assert.deepStrictEqual([...world.files.attempts.keys()], ids.slice(2))
      assert.match(answerTo(world, request), /^done: what was remembered of 2 tasks is removed/)
    })
  )

  it.effect("looks again before it forgets: what is open, or has come back, is kept", () =>
    Effect.gen(function* () {
      const { ids, pass, world } = yield* threeTasks()
      const [, archived] = ids
      if (archived !== undefined) world.tinytask.change(archived, { archived: false, status: "complete" })
      ask(world, { kind: "gc", taskIds: ids })
      yield* pass()
      assert.deepStrictEqual([...world.files.attempts.keys()], ids.slice(1))
    })
  )

  it.effect(
    "keeps everything while Tinytask can't be read, and everything of another one, whatever its own is called",
    () =>
      Effect.gen(function* () {
        const { ids, pass, world } = yield* threeTasks()
        world.tinytask.down = "connection refused"
        const request = ask(world, { kind: "gc", taskIds: ids })
        yield* pass()
        assert.match(answerTo(world, request), /^refused: Tinytask at simulated can't be used.*; 0 tasks forgotten$/)
        world.tinytask.down = null
        ask(world, { kind: "gc", taskIds: ids })
        yield* pass(desiredWith({ endpoint: "http://127.0.0.1:4000" }))
        assert.deepStrictEqual([...world.files.attempts.keys()], ids)
        ask(world, { kind: "gc", taskIds: ids })
        yield* pass(desiredWith({ endpoint: "http://localhost:3000/mcp" }))
        assert.deepStrictEqual([...world.files.attempts.keys()], ids.slice(2))
      })
  )
})

describe("a request", () => {
  it.effect("is shown by a dry run as if it were carried out, and nothing is written", () =>
    Effect.gen(function* () {
      const { id, plan, world } = yield* parkedWorld()
      ask(world, { kind: "retry", taskId: id })
      const before = snapshot(world)
      const { plan: made } = yield* plan(desiredWith())
      assert.strictEqual(made.actions[0]?._tag, "Start")
      ask(world, pauseOf(null))
      const { plan: paused } = yield* plan(desiredWith())
      assert.deepStrictEqual(paused.actions, [])
      assert.strictEqual(snapshot(world), before)
      assert.strictEqual(world.files.requests.size, 2)
    })
  )

  it.effect("whose file came back after its answer was kept is carried out no second time", () =>
    Effect.gen(function* () {
      const { pass, world } = yield* runningWorld()
      const request = ask(world, pauseOf(vaela))
      yield* pass()
      ask(world, { kind: "resume", agentName: vaela })
      yield* pass()
      if (request !== null) world.files.requests.set("back", request)
      yield* pass()
      assert.strictEqual(world.files.agents[0]?.pausedBy, null)
      assert.strictEqual(world.files.requests.size, 0)
    })
  )

  it.effect("from another day is forgotten, and so is an answer", () =>
    Effect.gen(function* () {
      const { pass, world } = yield* runningWorld()
      ask(world, { kind: "resume", agentName: vaela })
      yield* pass()
      assert.strictEqual(world.files.answers.size, 1)
      ask(world, pauseOf(vaela))
      yield* later(world, 86_401)
      yield* pass()
      assert.strictEqual(world.files.agents[0]?.pausedBy, null)
      assert.strictEqual(world.files.requests.size + world.files.answers.size, 0)
    })
  )

  it.effect("that is none is set aside, and those beside it are carried out", () =>
    Effect.gen(function* () {
      const { pass, world } = yield* runningWorld()
      world.files.requests.set("0-odd", null)
      ask(world, pauseOf(vaela))
      const report = yield* pass()
      assert.deepStrictEqual(report.errors, [])
      assert.deepStrictEqual(world.files.aside, ["0-odd"])
      assert.strictEqual(world.files.agents[0]?.pausedBy, "maria")
    })
  )

  it.effect("that can't be written on a full disk stays, is told, and keeps nothing else from being done", () =>
    Effect.gen(function* () {
      const { id, pass, world } = yield* parkedWorld()
      ask(world, { kind: "retry", taskId: id })
      world.files.unwritable = "ENOSPC"
      assert.deepStrictEqual((yield* pass()).errors, [
        'the request "retry 1" could not be carried out: state can\'t be written: ENOSPC'
      ])
      assert.isNotNull(parkedOf(world, id))
      world.files.unwritable = null
      yield* pass()
      assert.isNull(parkedOf(world, id))
    })
  )

  it.effect("waits for one before it about the same that could not be finished: what was asked last holds", () =>
    Effect.gen(function* () {
      const { end, world } = yield* runningWorld()
      yield* end
      ask(world, pauseOf(null))
      yield* later(world, 1)
      ask(world, { kind: "resume", agentName: null })
      const faults = atCall("Requests.answer", "before", () => "ENOSPC")
      const { pass } = yield* startScheduler(world, { faults })
      yield* pass()
      yield* pass()
      assert.isNull(world.files.paused)
      assert.strictEqual(world.files.requests.size, 0)
    })
  )

  it.effect("costs no look at old answers: those are looked through once in a pass", () =>
    Effect.gen(function* () {
      const { end, world } = yield* runningWorld()
      yield* end
      for (let number = 0; number < 5; number += 1) ask(world, pauseOf(vaela))
      let looks = 0
      const { pass } = yield* startScheduler(world, {
        faults: (call, moment) => {
          if (call === "Requests.forgetAnswers" && moment === "before") looks += 1
          return null
        }
      })
      yield* pass()
      assert.strictEqual(world.files.answers.size, 5)
      assert.strictEqual(looks, 1)
    })
  )

  it.effect("from another day goes though its answer can't be read: it is carried out in no case", () =>
    Effect.gen(function* () {
      const { end, world } = yield* runningWorld()
      yield* end
      ask(world, pauseOf(vaela))
      yield* later(world, 86_401)
      const { pass } = yield* startScheduler(world, {
        faults: (call, moment) => (call === "Requests.answerOf" && moment === "before" ? "EIO" : null)
      })
      yield* pass()
      assert.strictEqual(world.files.requests.size, 0)
      assert.strictEqual(world.files.agents[0]?.pausedBy ?? null, null)
    })
  )

  for (const [call, moment] of [
    ["AttemptHistory.write", "before"],
    ["AttemptHistory.write", "after"],
    ["Requests.answer", "before"],
    ["Requests.answer", "after"],
    ["Requests.remove", "before"],
    ["Requests.remove", "after"]
  ] as const) {
    it.effect(`is carried out once though the scheduler dies ${moment} ${call}`, () =>
      Effect.gen(function* () {
        const { end, id, world } = yield* parkedWorld()
        yield* end
        const request = ask(world, { kind: "retry", taskId: id })
        const faults = atCall(call, moment, () => crash)
        assert.isTrue(yield* passThatCrashes(world, { faults, desired: desiredWith({ policy: { maxAttempts: 1 } }) }))
        world.script = () => exitsWith(3, 1000)
        const next = yield* startScheduler(world, { desired: desiredWith({ policy: { maxAttempts: 1 } }) })
        yield* next.pass()
        yield* passes(world, next, 3, 100)
        // It ran once more, and is parked again: nothing released it twice.
        assert.deepStrictEqual(outcomes(world), ["failed", "failed"])
        assert.isNotNull(parkedOf(world, id))
        assert.notStrictEqual(answerTo(world, request), "none")
        assert.strictEqual(world.files.requests.size, 0)
      })
    )
  }
})
