/** Sites that want to be asked: what needs approval waits for a kept plan, and nothing else does. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { applyApproved, staleness } from "../src/pass/applyApproved.ts"
import type { NeedsApproval } from "../src/pass/approval.ts"
import { preconditionSubjectOf } from "../src/reconcile/precondition.ts"
import { completesAfter, crash, exitsWith, World } from "../src/simulation/api.ts"
import {
  agent,
  atCall,
  desiredWith,
  later,
  outcomes,
  passes,
  passThatCrashes,
  processesLeft,
  snapshot,
  startScheduler,
  statuses
} from "./passHarness.ts"
import type { SchedulerOptions } from "./passHarness.ts"
import { answerTo, ask } from "./passRequests.ts"

const desired = desiredWith({
  agents: [agent("vaela", { slots: 2, maxRuntimeSec: 60 })],
  policy: { maxAttempts: 1 }
})

/** A world of two tasks that end well, and a scheduler that asks before it does what it needs approval for. */
const carefulWorld = Effect.fnUntraced(function* (
  needsApproval: ReadonlyArray<NeedsApproval>,
  options: SchedulerOptions = {}
) {
  const world = new World()
  const ids = [world.addTask(), world.addTask()]
  world.script = () => completesAfter(1000)
  const scheduler = yield* startScheduler(world, { desired, needsApproval, ...options })
  return { world, ids, ...scheduler }
})

const signalled = ({ machine }: World) => machine.signals.filter(({ signal }) => signal !== "SIGCONT").length

describe("starts that need approval", () => {
  it.effect("wait for a kept plan, however many passes are made, and are told with each", () =>
    Effect.gen(function* () {
      const { pass, world } = yield* carefulWorld(["starts"])
      const before = snapshot(world)
      for (let made = 0; made < 3; made += 1) {
        const { rounds, errors } = yield* pass()
        assert.deepStrictEqual(errors, [])
        // No second round: what waits frees nothing.
        assert.deepStrictEqual(
          rounds.map(({ results, withheld }) => [withheld.map(({ _tag }) => _tag), results]),
          [[["Start", "Start"], []]]
        )
      }
      assert.strictEqual(snapshot(world), before)
    })
  )

  it.effect("begin with the pass that finds them approved; what they end with needs no approval", () =>
    Effect.gen(function* () {
      const { pass, plan, world } = yield* carefulWorld(["starts"])
      const kept = yield* plan()
      const asked = ask(world, { kind: "apply", precondition: kept.plan.precondition })
      yield* later(world, 30)
      const { rounds } = yield* pass()
      assert.deepStrictEqual(rounds[0]?.withheld, [])
      assert.strictEqual(answerTo(world, asked), "done: carried out: 2 actions")
      assert.strictEqual(world.files.requests.size, 0)
      yield* passes(world, { pass }, 2, 10)
      assert.deepStrictEqual(statuses(world), ["complete", "complete"])
      assert.deepStrictEqual(outcomes(world), ["done", "done"])
    })
  )

  it.effect("stay where they are when the plan that was kept is another by now", () =>
    Effect.gen(function* () {
      const { pass, plan, world } = yield* carefulWorld(["starts"])
      const kept = yield* plan()
      world.addTask({ priority: 9 })
      const asked = ask(world, { kind: "apply", precondition: kept.plan.precondition })
      yield* pass()
      assert.strictEqual(
        answerTo(world, asked),
        "refused: the plan holds no more: this pass did nothing of it; make another with tinyscheduler plan -o"
      )
      assert.strictEqual(world.files.requests.size, 0)
      assert.strictEqual(processesLeft(world), 0)
    })
  )

  it.effect("are carried out once, whenever the scheduler that was told so dies", () =>
    Effect.gen(function* () {
      for (const call of ["AgentLauncher.launch", "Requests.answer", "Requests.remove"]) {
        for (const moment of ["before", "after"] as const) {
          const { end, ids, plan, world } = yield* carefulWorld(["starts"])
          const kept = yield* plan()
          ask(world, { kind: "apply", precondition: kept.plan.precondition })
          yield* end
          const options: SchedulerOptions = { desired, needsApproval: ["starts"] }
          assert.isTrue(yield* passThatCrashes(world, { ...options, faults: atCall(call, moment, () => crash) }), call)
          const next = yield* startScheduler(world, options)
          yield* next.pass()
          assert.strictEqual(world.files.requests.size, 0)
          yield* passes(world, next, 8, 40)
          const again = yield* next.plan()
          ask(world, { kind: "apply", precondition: again.plan.precondition })
          yield* passes(world, next, 8, 40)
          assert.deepStrictEqual(statuses(world), ["complete", "complete"], `${call} ${moment}`)
          const done = world.files.history.filter(({ outcome }) => outcome === "done")
          assert.sameMembers(
            done.map(({ taskId }) => taskId),
            ids,
            `${call} ${moment}`
          )
        }
      }
    })
  )

  it.effect("that were approved and could not be told so are an error of the pass, and no second start", () =>
    Effect.gen(function* () {
      const { plan, pass, world } = yield* carefulWorld(["starts"], {
        faults: atCall("Requests.answer", "before", () => "no space left on device")
      })
      ask(world, { kind: "apply", precondition: (yield* plan()).plan.precondition })
      const { errors } = yield* pass()
      assert.lengthOf(errors, 1)
      assert.match(errors[0] ?? "", /^what came of a kept plan could not be told: /)
      yield* pass()
      assert.strictEqual(world.files.requests.size, 0)
      yield* passes(world, { pass }, 2, 10)
      assert.deepStrictEqual(outcomes(world), ["done", "done"])
    })
  )
})

describe("stops that need approval", () => {
  const overdueWorld = Effect.fnUntraced(function* () {
    const scene = yield* carefulWorld(["stops"])
    scene.world.script = () => completesAfter(1e9)
    yield* scene.pass()
    yield* later(scene.world, 100)
    return scene
  })

  it.effect("wait, and are looked at no more often than a ladder would be", () =>
    Effect.gen(function* () {
      const { once, plan, world } = yield* overdueWorld()
      const { rounds } = yield* once(60_000)
      assert.deepStrictEqual(
        rounds.map(({ withheld }) => withheld.map(({ _tag }) => _tag)),
        [["Stop", "Stop"]]
      )
      assert.strictEqual(signalled(world), 0)
      const next = (yield* plan()).plan
      assert.isAtLeast((next.nextMonoMs ?? Infinity) - next.monoMs, 1000)
    })
  )

  it.effect("once approved go up the whole ladder by themselves", () =>
    Effect.gen(function* () {
      const { pass, plan, world } = yield* overdueWorld()
      ask(world, { kind: "apply", precondition: (yield* plan()).plan.precondition })
      yield* pass()
      assert.isAbove(signalled(world), 0)
      yield* passes(world, { pass }, 6, 20)
      assert.strictEqual(processesLeft(world), 0)
      assert.deepStrictEqual(outcomes(world), ["timed-out", "timed-out"])
    })
  )

  it.effect("that somebody asked for by name are approved by that", () =>
    Effect.gen(function* () {
      const scene = yield* carefulWorld(["stops"])
      const { ids, pass, world } = scene
      world.script = () => completesAfter(1e9)
      yield* pass()
      yield* later(world, 1)
      const [first] = ids
      if (first !== undefined) ask(world, { kind: "stop", taskId: first })
      const { rounds } = yield* pass()
      assert.deepStrictEqual(rounds[0]?.withheld, [])
      yield* passes(world, { pass }, 4, 10)
      assert.deepStrictEqual(outcomes(world), ["stopped"])
    })
  )

  it.effect("hold up no start and no ending", () =>
    Effect.gen(function* () {
      const { pass, world } = yield* carefulWorld(["stops"])
      world.script = () => exitsWith(3, 1000)
      yield* pass()
      yield* passes(world, { pass }, 1, 10)
      assert.deepStrictEqual(outcomes(world), ["failed", "failed"])
    })
  )
})

describe("a kept plan under the lock of its own command", () => {
  it.effect("needs no other approval", () =>
    Effect.gen(function* () {
      const { context, inputWith, plan, world } = yield* carefulWorld(["starts", "stops"])
      const { observed, plan: made } = yield* plan()
      const subject = preconditionSubjectOf(observed, desired, made)
      const done = yield* applyApproved(inputWith(desired), subject).pipe(Effect.provide(context))
      assert.strictEqual(done._tag, "CarriedOut")
      assert.strictEqual(world.files.leases.size, 2)
    })
  )

  it.effect("holds no more where somebody has asked for what changes it, which stays asked for", () =>
    Effect.gen(function* () {
      const { context, inputWith, plan, world } = yield* carefulWorld([])
      const { observed, plan: made } = yield* plan()
      const subject = preconditionSubjectOf(observed, desired, made)
      assert.deepStrictEqual(yield* staleness(inputWith(desired), subject).pipe(Effect.provide(context)), [])
      ask(world, { kind: "pause", agentName: null, until: null, reason: null })
      const before = snapshot(world)
      const done = yield* applyApproved(inputWith(desired), subject).pipe(Effect.provide(context))
      assert.strictEqual(done._tag, "Stale")
      assert.strictEqual(world.files.requests.size, 1)
      assert.strictEqual(snapshot(world), before)
    })
  )
})
