/**
 * The pass audits itself: whatever is wrong with the decision, a plan that breaks an invariant starts nothing, names what
 * it breaks, and still finishes, stops and reclaims what may be. Here the real pass runs over a decision that is broken on
 * purpose, once for each invariant that one plan can break; (e) and (f) are about several plans.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { vi } from "vitest"
import type { DesiredState } from "../src/domain/DesiredState.ts"
import { AgentName, Epoch } from "../src/domain/identifiers.ts"
import type { ObservedState } from "../src/domain/ObservedState.ts"
import type { Action, Plan } from "../src/domain/Plan.ts"
import type * as Reconcile from "../src/reconcile/reconcile.ts"
import { planInvariants } from "../src/reconcile/invariants/invariants.ts"
import type { InvariantId } from "../src/reconcile/invariants/Violation.ts"
import { completesAfter, exitsWith, World } from "../src/simulation/api.ts"
import { agent, desiredWith, later, outcomes, startScheduler, taskOf } from "./passHarness.ts"

type Break = (plan: Plan) => Plan

const broken = vi.hoisted((): { by: ((plan: Plan) => Plan) | null } => ({ by: null }))

vi.mock("../src/reconcile/reconcile.ts", async (importOriginal) => {
  const original = await importOriginal<typeof Reconcile>()
  return {
    ...original,
    reconcile: (observed: ObservedState, desired: DesiredState): Plan => {
      const plan = original.reconcile(observed, desired)
      return broken.by === null ? plan : broken.by(plan)
    }
  }
})

type Start = Extract<Action, { readonly _tag: "Start" }>

const isStart = (action: Action): action is Start => action._tag === "Start"

const withStarts =
  (change: (start: Start) => ReadonlyArray<Action>): Break =>
  (plan) => ({ ...plan, actions: plan.actions.flatMap((action) => (isStart(action) ? change(action) : [action])) })

/** The stop of an attempt that lives, as long as a broken decision remembers it. */
let overdue: Action | null = null

const endAlive = (stop: Action): Action => {
  if (stop._tag !== "Stop") throw new Error("it is no stop")
  return {
    _tag: "End",
    attempt: stop.attempt,
    outcome: "lost",
    detail: "nobody looked",
    tombstone: false,
    withoutProof: false,
    prior: { status: "idle", assignee: null },
    queue: "dev",
    taskCreatedAt: null,
    judgeBy: null
  }
}

/** Each as simply as a defect could be. Task 1 has finished, 2 is to be stopped, 3 failed once, 4 is blocked, 5 is new. */
const breaks: { readonly [K in Exclude<InvariantId, "e" | "f">]: Break } = {
  a: withStarts((start) => [{ ...start, agent: AgentName.make("ada") }]),
  b: withStarts((start) => [start, start]),
  c: (plan) => ({
    ...plan,
    actions: plan.actions.flatMap((action) =>
      isStart(action) && action.taskId === 5 ? [action, { ...action, taskId: blocked(plan) }] : [action]
    )
  }),
  d: (plan) => {
    overdue = plan.actions.find(({ _tag }) => _tag === "Stop") ?? overdue
    return overdue === null ? plan : { ...plan, actions: [...plan.actions, endAlive(overdue)] }
  },
  g: (plan) => ({ ...plan, verdicts: plan.verdicts.filter(({ taskId }) => taskId !== 4) }),
  h: withStarts((start) => [start.taskId === 3 ? { ...start, epoch: Epoch.make(1) } : start]),
  i: (plan) => ({
    ...plan,
    actions: plan.actions.filter((action) => !isStart(action) || action.taskId !== 5),
    verdicts: plan.verdicts.map((verdict) =>
      verdict._tag === "Start" && verdict.taskId === 5
        ? {
            _tag: "Wait" as const,
            taskId: verdict.taskId,
            reasons: [{ _tag: "NoFreeSlot" as const, agents: "queue dev", used: 4, slots: 4 }]
          }
        : verdict
    )
  })
}

const blocked = (plan: Plan) => {
  const verdict = plan.verdicts.find(({ taskId }) => taskId === 4)
  if (verdict === undefined) throw new Error("task 4 has no verdict")
  return verdict.taskId
}

const desired = desiredWith({
  agents: [agent("vaela", { slots: 4, maxRuntimeSec: 60 }), agent("ada", { slots: 0 })]
})

/** A minute into it, right before the pass at which something is to be finished, stopped and started. */
const atWork = Effect.fnUntraced(function* () {
  const world = new World()
  const ids = [world.addTask(), world.addTask(), world.addTask()]
  world.script = ({ epoch, taskId }) =>
    taskId === ids[2] && epoch === 1
      ? exitsWith(1, 1000)
      : completesAfter(taskId === ids[0] ? 58_000 : 1e9, { obeys: [] })
  const scheduler = yield* startScheduler(world, { desired })
  yield* scheduler.pass()
  yield* later(world, 5)
  yield* scheduler.pass()
  world.addTask({ blockedBy: ids[1] ?? null })
  world.addTask()
  yield* later(world, 60)
  return { world, ...scheduler, ids }
})

describe("a plan that breaks an invariant", () => {
  it("is broken here in every way in which one plan can be", () => {
    assert.deepStrictEqual(planInvariants.map(({ id }) => id).sort(), Object.keys(breaks).sort())
  })

  it.effect.each(Object.entries(breaks))(
    "(%s) starts nothing, is named, and what is to be finished and stopped is",
    ([id, by]) =>
      Effect.gen(function* () {
        const { ids, pass, world } = yield* atWork()
        const runs = world.supervision.runs.length
        broken.by = by
        const report = yield* pass().pipe(Effect.ensuring(Effect.sync(() => void (broken.by = null))))
        const named = report.errors.filter((error) =>
          error.startsWith(`the plan breaks invariant (${id}), its starts were dropped: `)
        )
        assert.isAbove(named.length, 0, report.errors.join("; "))
        yield* later(world, 1)
        assert.strictEqual(world.supervision.runs.length, runs)
        assert.deepStrictEqual(outcomes(world), ["failed", "done"])
        const [, stopped] = ids
        if (stopped === undefined) throw new Error("there is no second task")
        assert.isAbove(world.machine.signals.length, 0)
        assert.strictEqual(taskOf(world, stopped).status, "working")
        assert.isTrue(world.files.leases.has(stopped))
        // A sound decision goes on from there.
        const sound = yield* pass()
        assert.deepStrictEqual(sound.errors, [])
        yield* later(world, 1)
        assert.strictEqual(world.supervision.runs.length, runs + 2)
      })
  )
})
