/** The shape of a pass: its rounds, its dry run, what apply refuses, and the one pass that sees its ladders through. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import type { Plan } from "../src/domain/Plan.ts"
import { apply } from "../src/pass/apply.ts"
import { plan as planned, roundsMax } from "../src/pass/pass.ts"
import { completesAfter, exitsWith, layerSimulation, World } from "../src/simulation/api.ts"
import {
  actionsOf,
  agent,
  desiredWith,
  filesLeft,
  later,
  outcomes,
  processesLeft,
  processOf,
  snapshot,
  startScheduler,
  statuses,
  taskOf
} from "./passHarness.ts"

const tasks = (world: World, count: number) => Array.from({ length: count }, () => world.addTask())

describe("rounds", () => {
  it.effect("a slot that an ending frees is used in the same pass, and never by the plan that frees it", () =>
    Effect.gen(function* () {
      const world = new World()
      tasks(world, 2)
      const { pass } = yield* startScheduler(world)
      yield* pass()
      yield* later(world, 2)
      const report = yield* pass()
      assert.deepStrictEqual(actionsOf(report), [["End"], ["Start"]])
      assert.deepStrictEqual(statuses(world), ["complete", "working"])
    })
  )

  it.effect("a plan with both starts and endings counts what ends as held", () =>
    Effect.gen(function* () {
      const world = new World()
      tasks(world, 4)
      const { pass } = yield* startScheduler(world, {
        desired: desiredWith({ agents: [agent("vaela", { slots: 2 })] })
      })
      yield* pass()
      yield* later(world, 2)
      const report = yield* pass(desiredWith({ agents: [agent("vaela", { slots: 3 })] }))
      assert.deepStrictEqual(actionsOf(report), [["End", "End", "Start"], ["Start"]])
      assert.strictEqual(report.rounds[0]?.plan.usage.total.held, 2)
    })
  )

  it.effect("a pass that finds nothing to do has one round, and so has one that only starts", () =>
    Effect.gen(function* () {
      const world = new World()
      const { pass } = yield* startScheduler(world)
      assert.deepStrictEqual(actionsOf(yield* pass()), [[]])
      tasks(world, 1)
      assert.deepStrictEqual(actionsOf(yield* pass()), [["Start"]])
    })
  )

  it.effect("a pass ends after its last round, whatever there would be to do", () =>
    Effect.gen(function* () {
      const world = new World()
      tasks(world, 9)
      const { pass } = yield* startScheduler(world, {
        faults: (call, moment) => (call === "AgentLauncher.launch" && moment === "before" ? "no processes left" : null)
      })
      const report = yield* pass()
      assert.strictEqual(report.rounds.length, roundsMax)
      assert.deepStrictEqual(actionsOf(report), [["Start"], ["End"], ["Start"]])
    })
  )

  it.effect("who is told of a pass is told of each plan before it is carried out, and of its results", () =>
    Effect.gen(function* () {
      const world = new World()
      tasks(world, 2)
      const told: Array<string> = []
      const { pass } = yield* startScheduler(world, {
        onPlan: (_observed, plan) => told.push(`plan ${plan.actions.map(({ _tag }) => _tag).join()}`),
        onResults: (results) => told.push(`results ${results.map(({ _tag }) => _tag).join()}`)
      })
      yield* pass()
      yield* later(world, 2)
      yield* pass()
      assert.deepStrictEqual(told, [
        "plan Start",
        "results Applied",
        "plan End",
        "results Applied",
        "plan Start",
        "results Applied"
      ])
    })
  )
})

describe("a dry run", () => {
  it.effect("changes nothing, needs no lock, and is the plan of the pass that follows", () =>
    Effect.gen(function* () {
      const world = new World()
      const [first] = tasks(world, 4)
      world.script = (lease) =>
        lease.taskId === first ? completesAfter(1000) : exitsWith(1, lease.taskId === 2 ? 1000 : 1e9, { obeys: [] })
      const desired = desiredWith({ agents: [agent("vaela", { slots: 3, maxRuntimeSec: 60 })] })
      const scheduler = yield* startScheduler(world, { desired })
      yield* scheduler.pass()
      for (const seconds of [2, 60, 10, 5, 30]) {
        yield* later(world, seconds)
        const before = snapshot(world)
        const { plan } = yield* planned(scheduler.inputWith(desired)).pipe(Effect.provide(layerSimulation(world)))
        assert.strictEqual(snapshot(world), before)
        const report = yield* scheduler.pass()
        assert.deepStrictEqual(report.rounds[0]?.plan, plan)
        assert.notStrictEqual(snapshot(world), before)
      }
    })
  )
})

describe("apply", () => {
  /** A world with something to end, something to stop and something to start, and the plan that says so. */
  const threeActions = Effect.fnUntraced(function* () {
    const world = new World()
    const [ends, overdue, ready] = tasks(world, 3)
    world.script = (lease) => completesAfter(lease.taskId === ends ? 1000 : 1e9)
    const desired = desiredWith({ agents: [agent("vaela", { slots: 2, maxRuntimeSec: 60 })] })
    const scheduler = yield* startScheduler(world, { desired })
    yield* scheduler.pass()
    yield* later(world, 60)
    const roomy = desiredWith({ agents: [agent("vaela", { slots: 3, maxRuntimeSec: 60 })] })
    const made = yield* scheduler.plan(roomy)
    assert.deepStrictEqual(
      made.plan.actions.map(({ _tag }) => _tag),
      ["Stop", "End", "Start"]
    )
    const applied = (plan: Plan) =>
      apply({ ...scheduler.inputWith(roomy), observed: made.observed, plan, withheld: [] }).pipe(
        Effect.provide(scheduler.context)
      )
    return { world, ends, overdue, ready, applied, ...made }
  })

  it.effect("carries a good plan out as it stands", () =>
    Effect.gen(function* () {
      const { applied, plan, world } = yield* threeActions()
      const { results, violations } = yield* applied(plan)
      assert.deepStrictEqual(violations, [])
      assert.deepStrictEqual(
        results.map(({ _tag }) => _tag),
        ["Applied", "Applied", "Applied"]
      )
      assert.deepStrictEqual(statuses(world), ["complete", "working", "working"])
    })
  )

  it.effect("drops the starts of a plan that breaks an invariant, names it, and does the stops and endings", () =>
    Effect.gen(function* () {
      const { applied, plan, world } = yield* threeActions()
      const doctored: Plan = {
        ...plan,
        actions: [...plan.actions, ...plan.actions.filter(({ _tag }) => _tag === "Start")]
      }
      const { results, violations } = yield* applied(doctored)
      assert.deepStrictEqual(
        violations.map(({ invariant }) => invariant),
        ["a", "b"]
      )
      assert.deepStrictEqual(
        results.map(({ _tag, action }) => `${_tag} ${action._tag}`),
        ["Applied Stop", "Applied End"]
      )
      assert.deepStrictEqual(outcomes(world), ["done"])
      assert.strictEqual(statuses(world)[2], "idle")
    })
  )

  it.effect("ends nothing that may live, whatever a plan says, and still ends the rest", () =>
    Effect.gen(function* () {
      const { applied, overdue, plan, world } = yield* threeActions()
      const doctored: Plan = {
        ...plan,
        actions: plan.actions.flatMap((action) =>
          action._tag === "Stop"
            ? [
                {
                  _tag: "End",
                  attempt: action.attempt,
                  outcome: "lost",
                  detail: "doctored",
                  tombstone: false,
                  withoutProof: false,
                  prior: { status: "idle", assignee: null },
                  queue: "dev",
                  taskCreatedAt: null,
                  judgeBy: null
                }
              ]
            : [action]
        )
      }
      const { violations } = yield* applied(doctored)
      assert.deepStrictEqual(
        violations.map(({ invariant }) => invariant),
        ["d"]
      )
      assert.deepStrictEqual(outcomes(world), ["done"])
      assert.isTrue(overdue !== undefined && world.files.leases.has(overdue))
    })
  )

  it.effect("does nothing about an attempt that moved on since the plan was made", () =>
    Effect.gen(function* () {
      const { applied, overdue, plan, world } = yield* threeActions()
      if (overdue !== undefined) world.machine.kill(processOf(world, overdue, "agent"))
      yield* later(world, 0.1)
      const { results } = yield* applied(plan)
      assert.deepStrictEqual(
        results.map(({ _tag, action }) => `${_tag} ${action._tag}`),
        ["Skipped Stop", "Applied End", "Applied Start"]
      )
      assert.deepStrictEqual(world.machine.signals, [])
      const again = yield* applied(plan)
      assert.deepStrictEqual(
        again.results.map(({ _tag, action }) => `${_tag} ${action._tag}`),
        ["Skipped Stop", "Skipped End", "Skipped Start"]
      )
      yield* later(world, 1)
      assert.strictEqual(world.supervision.runs.length, 3)
    })
  )

  it.effect("uses no epoch twice: a plan that is applied again after its attempt has ended starts nothing", () =>
    Effect.gen(function* () {
      const world = new World()
      tasks(world, 1)
      world.script = () => exitsWith(1, 1000)
      const scheduler = yield* startScheduler(world)
      const { observed, plan } = yield* scheduler.plan()
      const applied = apply({ ...scheduler.inputWith(desiredWith()), observed, plan, withheld: [] }).pipe(
        Effect.provide(scheduler.context)
      )
      yield* applied
      yield* later(world, 2)
      yield* scheduler.pass()
      assert.deepStrictEqual(outcomes(world), ["failed"])
      const { results } = yield* applied
      assert.deepStrictEqual(
        results.map((result) => (result._tag === "Skipped" ? result.why : result._tag)),
        ["its epoch was used meanwhile"]
      )
      yield* later(world, 1)
      assert.strictEqual(world.supervision.runs.length, 1)
    })
  )

  it.effect("sweeps no claim that a lease still needs", () =>
    Effect.gen(function* () {
      const world = new World()
      const [id] = tasks(world, 1)
      const scheduler = yield* startScheduler(world)
      yield* scheduler.pass()
      yield* later(world, 2)
      const { observed, plan } = yield* scheduler.plan()
      const doctored: Plan = {
        ...plan,
        actions: plan.actions.flatMap((action) =>
          action._tag === "End"
            ? [{ _tag: "Sweep", taskId: action.attempt.taskId, epoch: action.attempt.epoch, withoutProof: false }]
            : []
        )
      }
      const { results } = yield* apply({
        ...scheduler.inputWith(desiredWith()),
        observed,
        plan: doctored,
        withheld: []
      }).pipe(Effect.provide(scheduler.context))
      assert.deepStrictEqual(
        results.map(({ _tag, action }) => `${_tag} ${action._tag}`),
        ["Skipped Sweep"]
      )
      assert.isTrue(id !== undefined && world.files.claims.of(id).length === 1)
    })
  )

  it.effect("judges an ending once more with the task read anew", () =>
    Effect.gen(function* () {
      const world = new World()
      const [id] = tasks(world, 1)
      world.script = () => exitsWith(1, 1000)
      const scheduler = yield* startScheduler(world)
      yield* scheduler.pass()
      yield* later(world, 2)
      const { observed, plan } = yield* scheduler.plan()
      assert.isTrue(plan.actions.some((action) => action._tag === "End" && action.outcome === "failed"))
      if (id !== undefined) world.tinytask.change(id, { status: "complete" })
      yield* apply({ ...scheduler.inputWith(desiredWith()), observed, plan, withheld: [] }).pipe(
        Effect.provide(scheduler.context)
      )
      assert.deepStrictEqual(outcomes(world), ["done"])
      assert.deepStrictEqual(id === undefined ? [] : taskOf(world, id).comments, [])
    })
  )
})

describe("run --once", () => {
  const overdue = Effect.fnUntraced(function* (obeys: ReadonlyArray<"SIGINT" | "SIGTERM">) {
    const world = new World()
    tasks(world, 2)
    world.script = (lease) => (lease.taskId === 1 ? completesAfter(1e9, { obeys }) : completesAfter(1000))
    const scheduler = yield* startScheduler(world, {
      desired: desiredWith({ agents: [agent("vaela", { maxRuntimeSec: 60 })] })
    })
    yield* scheduler.pass()
    yield* later(world, 60)
    return { world, ...scheduler }
  })

  it.effect("climbs the ladders that it began until they end, and leaves new starts to the next turn", () =>
    Effect.gen(function* () {
      const { once, world } = yield* overdue([])
      const fiber = yield* Effect.forkChild(once(30_000))
      for (let quarter = 0; quarter < 4 * 31; quarter += 1) yield* TestClock.adjust(250)
      const report = yield* Fiber.join(fiber)
      assert.deepStrictEqual(report.errors, [])
      assert.deepStrictEqual(
        world.machine.signals.map(({ signal }) => signal).filter((signal) => signal !== "SIGCONT"),
        ["SIGINT", "SIGTERM", "SIGKILL"]
      )
      assert.deepStrictEqual(outcomes(world), ["timed-out"])
      assert.strictEqual(processesLeft(world) + filesLeft(world), 0)
      assert.strictEqual(world.supervision.runs.length, 1)
    })
  )

  it.effect("waits no longer than it was told: the ladder goes on in the next turn", () =>
    Effect.gen(function* () {
      const { once, world } = yield* overdue([])
      const fiber = yield* Effect.forkChild(once(12_000))
      for (let quarter = 0; quarter < 4 * 13; quarter += 1) yield* TestClock.adjust(250)
      yield* Fiber.join(fiber)
      assert.deepStrictEqual(outcomes(world), [])
      yield* later(world, 10)
      yield* once(0)
      yield* once(0)
      assert.deepStrictEqual(outcomes(world), ["timed-out"])
    })
  )

  it.effect("without a ladder is one pass", () =>
    Effect.gen(function* () {
      const world = new World()
      tasks(world, 1)
      const { once } = yield* startScheduler(world)
      const report = yield* once(30_000)
      assert.deepStrictEqual(actionsOf(report), [["Start"]])
    })
  )
})
