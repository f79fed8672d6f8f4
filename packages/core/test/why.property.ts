/**
 * What must hold of every answer to "why?", tried on whole random worlds: there is one for each task, the change that it
 * names does start the task, and where it names none, no change of the kinds that it knows does. RUNS and SEED come from
 * the environment.
 */
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import type { TaskId } from "../src/domain/identifiers.ts"
import { isOpen } from "../src/domain/Task.ts"
import { millisOf } from "../src/domain/time.ts"
import { reconcile } from "../src/reconcile/reconcile.ts"
import { startsUnder } from "../src/why/counterfactual.ts"
import { changeKinds } from "../src/why/WhyAnswer.ts"
import type { Change } from "../src/why/WhyAnswer.ts"
import { why } from "../src/why/why.ts"
import type { WhyOptions } from "../src/why/why.ts"
import { whyAll } from "../src/why/whyAll.ts"
import type { World } from "./builders.ts"
import { worlds } from "./worlds.ts"

const parameters = {
  numRuns: Number(process.env["RUNS"] ?? 500),
  seed: Number(process.env["SEED"] ?? 20_261_123)
}

const holds = (check: (world: World) => void): void => {
  fc.assert(fc.property(worlds(), check), parameters)
}

const idsOf = ({ observed }: World): ReadonlyArray<TaskId> => [
  ...new Set([
    ...(observed.tinytask._tag === "Read" ? observed.tinytask.tasks.filter(isOpen).map(({ id }) => id) : []),
    ...observed.records.map(({ taskId }) => taskId)
  ])
]

const answersOf = (world: World, options: WhyOptions = {}) => {
  const plan = reconcile(world.observed, world.desired)
  return { plan, answers: idsOf(world).map((id) => why(world, plan, id, options)) }
}

/** For what does not ask for a change, none is looked for. */
const untried: WhyOptions = { triesMax: 0 }

/** Every single change of the kinds that are known, whatever the task waits for, with no thought of what could matter. */
const everyChange = (world: World, taskId: TaskId): ReadonlyArray<Change> => {
  const { desired, observed } = world
  const names = desired.agents.map(({ name }) => name)
  const own = observed.records.find((record) => record.taskId === taskId)?.attempts?.notBefore ?? null
  const maxMs = desired.policy.backoffMaxSec * 1000
  const ends = [
    ...(own !== null && millisOf(own) - observed.nowMs <= maxMs ? [own] : []),
    ...(observed.paused?.until == null ? [] : [observed.paused.until]),
    ...observed.agents.flatMap(({ pausedUntil, setAsideUntil }) => [
      ...(pausedUntil === null ? [] : [pausedUntil]),
      ...(setAsideUntil !== null && millisOf(setAsideUntil) - observed.nowMs <= maxMs ? [setAsideUntil] : [])
    ])
  ]
  const blockers =
    observed.tinytask._tag === "Read"
      ? observed.tinytask.tasks.flatMap(({ blockedBy }) => (blockedBy === null ? [] : [blockedBy]))
      : []
  const plan = reconcile(observed, desired)
  const reasons = plan.verdicts.flatMap((verdict) =>
    verdict._tag === "Wait" && verdict.taskId === taskId ? verdict.reasons.map(({ _tag }) => _tag) : []
  )
  const isForNobody = reasons.some((tag) =>
    ["NoQueue", "NobodyAssigned", "AgentUnknown", "AgentServesOtherQueue"].includes(tag)
  )
  return [
    ...ends
      .map((end) => millisOf(end) - observed.nowMs)
      .filter((ms) => ms > 0)
      .map((ms): Change => ({ _tag: "Later", ms })),
    ...[null, ...names].map((agent): Change => ({ _tag: "Resume", agent })),
    { _tag: "Retry", taskId },
    ...[...idsOf(world), ...blockers]
      .filter((id) => id !== taskId)
      .map((id): Change => ({ _tag: "Finish", taskId: id })),
    ...desired.agents.map(({ name, slots }): Change => ({ _tag: "AgentSlots", agent: name, slots: slots + 1 })),
    ...desired.queueLimits.map(({ limit, queue }): Change => ({ _tag: "QueueLimit", queue, limit: limit + 1 })),
    ...(desired.maxConcurrent === null
      ? []
      : [{ _tag: "MaxConcurrent", limit: desired.maxConcurrent + 1 } satisfies Change]),
    ...names.map((agent): Change => ({ _tag: "AgentEnabled", agent, enabled: true })),
    ...observed.recipes.map(({ recipe }): Change => ({ _tag: "RecipePresent", recipe })),
    { _tag: "Policy", policy: { starts: "on" } },
    ...(isForNobody ? [null, ...names].map((assignee): Change => ({ _tag: "Assign", taskId, assignee })) : [])
  ]
}

describe("why, in any world", () => {
  it("answers for every open task and every task of which something is kept, as the plan judges it", () => {
    holds((world) => {
      const { answers, plan } = answersOf(world, untried)
      for (const answer of answers) {
        const verdict = plan.verdicts.find(({ taskId }) => taskId === answer.taskId)
        expect(answer._tag === "Judged" ? answer.verdict : undefined).toEqual(verdict)
        if (answer._tag === "Judged" && answer.verdict._tag === "Wait") expect(answer.reasons.length).toBeGreaterThan(0)
      }
    })
  })

  it("a change that it names does start the task, and so does each alternative", () => {
    const seen = new Set<string>()
    holds((world) => {
      for (const { counterfactual, taskId } of answersOf(world).answers.filter((answer) => answer._tag === "Judged")) {
        if (counterfactual._tag !== "Found") continue
        seen.add(counterfactual.kind)
        for (const change of [counterfactual.change, ...counterfactual.alternatives]) {
          expect(startsUnder(world, taskId, change), counterfactual.words).toBe(true)
        }
      }
    })
    // No parked task of these worlds remembers an ending to release; that kind is in the table of why.test.ts.
    const drawn = changeKinds.filter((kind) => kind !== "retry")
    if (parameters.numRuns >= 500) expect(drawn.filter((kind) => !seen.has(kind))).toEqual([])
  })

  it("where it names none, no single change of its kinds starts the task", () => {
    holds((world) => {
      for (const { counterfactual, taskId } of answersOf(world).answers.filter((answer) => answer._tag === "Judged")) {
        if (counterfactual._tag !== "None") continue
        expect(counterfactual.bounded).toBe(false)
        const wrong = everyChange(world, taskId).find((change) => startsUnder(world, taskId, change))
        expect(wrong, `task ${taskId}`).toBeUndefined()
      }
    })
  })

  it("who is ahead of a task is not behind it by the answer to the other", () => {
    holds((world) => {
      const { answers } = answersOf(world, untried)
      const ahead = new Map(
        answers.flatMap((answer) =>
          answer._tag === "Judged" ? [[answer.taskId, new Set(answer.ahead.first)] as const] : []
        )
      )
      for (const [taskId, others] of ahead) {
        expect(others.has(taskId)).toBe(false)
        for (const other of others) expect(ahead.get(other)?.has(taskId) ?? false).toBe(false)
      }
    })
  })

  it("all together names each waiting task, and no other", () => {
    holds((world) => {
      const plan = reconcile(world.observed, world.desired)
      const named = new Set(whyAll(plan).flatMap(({ waiting }) => waiting.map(({ taskId }) => taskId)))
      const waiting = plan.verdicts.filter(({ _tag }) => _tag === "Wait").map(({ taskId }) => taskId)
      expect(named).toEqual(new Set(waiting))
    })
  })
})
