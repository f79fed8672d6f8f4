/**
 * What must hold of every plan, tried on whole random worlds. RUNS (default 1000) and SEED come from the environment: the
 * test command visits the same worlds each time, a soak draws others. A failure shows the smallest world that fails.
 * (e), settling, needs apply and is proven with the pass.
 */
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { newAttempts } from "../src/domain/Attempts.ts"
import { planInvariants } from "../src/reconcile/invariants/invariants.ts"
import { permutationViolations } from "../src/reconcile/invariants/rounds.ts"
import type { InvariantId } from "../src/reconcile/invariants/Violation.ts"
import { reconcile } from "../src/reconcile/reconcile.ts"
import type { World } from "./builders.ts"
import { naiveStarts } from "./naiveStarts.ts"
import { shuffledWorlds, worlds } from "./worlds.ts"

const parameters = {
  numRuns: Number(process.env["RUNS"] ?? 1000),
  seed: Number(process.env["SEED"] ?? 20_261_123)
}

const planOf = ({ desired, observed }: World) => reconcile(observed, desired)

/** Holds of every world; the message is what the failing one shows. */
const holds = (violations: (world: World) => ReadonlyArray<string>): void => {
  fc.assert(
    fc.property(worlds(), (world) => {
      const found = violations(world)
      if (found.length > 0) throw new Error(found.join("\n"))
    }),
    parameters
  )
}

const keeps = (id: InvariantId) => (): void => {
  const invariant = planInvariants.find((entry) => entry.id === id)
  if (invariant === undefined) throw new Error(`no invariant (${id})`)
  holds((world) => invariant.check(world.observed, world.desired, planOf(world)))
}

const frozen = (value: unknown): void => {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return
  Object.freeze(value)
  for (const part of Object.values(value)) frozen(part)
}

describe("a plan of any world", () => {
  it("(a) no start makes started + held exceed the agent's, the queue's or the global limit", keeps("a"))
  it("(b) a task has at most one start, and none while an attempt at it may be under way", keeps("b"))
  it("(c) nothing blocked, parked, paused or backing off starts, as the policies say", keeps("c"))
  it("(d) nothing is ended while something of it is not proven dead", keeps("d"))
  it("(g) each open task and each lease has exactly one verdict", keeps("g"))
  it("(h) a start's epoch exceeds every epoch seen anywhere for its task", keeps("h"))
  it("(i) no task waits for a slot while an agent that could take it has a free one", keeps("i"))

  it("(f) the order of the input's arrays changes no byte of the plan", () => {
    fc.assert(
      fc.property(shuffledWorlds(), ([world, shuffled]) => {
        expect(permutationViolations(planOf(world), planOf(shuffled))).toEqual([])
      }),
      parameters
    )
  })

  it("the same world gives the same plan again", () => {
    holds((world) =>
      JSON.stringify(planOf(world)) === JSON.stringify(planOf(world)) ? [] : ["the second plan differs from the first"]
    )
  })

  it("reconcile never throws and never changes what it is given", () => {
    holds((world) => {
      frozen(world)
      planOf(world)
      return []
    })
  })

  it("a plan is plain JSON: nothing is lost on the way through a file", () => {
    fc.assert(
      fc.property(worlds(), (world) => {
        const plan = planOf(world)
        expect(JSON.parse(JSON.stringify(plan))).toStrictEqual(plan)
      }),
      parameters
    )
  })

  it("each start has its task in Tinytask exactly once, and a verdict that says the same", () => {
    holds((world) => {
      const plan = planOf(world)
      const { tinytask } = world.observed
      const started = plan.verdicts.filter((verdict) => verdict._tag === "Start")
      const starts = plan.actions.filter((action) => action._tag === "Start")
      return [
        ...starts.flatMap((start) => {
          const listed = tinytask._tag === "Read" ? tinytask.tasks.filter(({ id }) => id === start.taskId).length : 0
          return listed === 1 ? [] : [`task ${start.taskId} is started and listed ${listed} times`]
        }),
        ...starts.flatMap(({ agent, attempt, epoch, taskId }) =>
          started.some(
            (verdict) =>
              verdict.taskId === taskId &&
              verdict.agent === agent &&
              verdict.epoch === epoch &&
              verdict.attempt === attempt
          )
            ? []
            : [`task ${taskId} is started without a verdict that says so`]
        ),
        ...(started.length === starts.length ? [] : [`${starts.length} starts, ${started.length} verdicts`])
      ]
    })
  })

  it("while Tinytask can't be read nothing is started and nothing ended", () => {
    holds(({ desired, observed }) => {
      const plan = reconcile({ ...observed, tinytask: { _tag: "Unread", reason: "down" } }, desired)
      return plan.actions.flatMap(({ _tag }) =>
        _tag === "Start" || _tag === "End" || _tag === "EndLegacy" ? [`${_tag} while Tinytask is unread`] : []
      )
    })
  })

  it("what was seen is noted once: with the notes of a plan kept, the same world needs no other", () => {
    holds((world) => {
      const notes = new Map(
        planOf(world).actions.flatMap((action) =>
          action._tag === "Note" ? [[action.attempt.taskId, action] as const] : []
        )
      )
      const records = world.observed.records.map((record) => {
        const note = notes.get(record.taskId)
        const { endpoint } = world.desired
        const begun = (taskCreatedAt: string) => newAttempts({ taskId: record.taskId, endpoint, taskCreatedAt })
        const attempts = record.attempts ?? (note?.taskCreatedAt ? begun(note.taskCreatedAt) : null)
        return note === undefined || attempts === null
          ? record
          : { ...record, attempts: { ...attempts, observed: note.sighting } }
      })
      const again = reconcile({ ...world.observed, records }, world.desired)
      return again.actions.flatMap((action) =>
        action._tag === "Note" ? [`task ${action.attempt.taskId} is noted a second time`] : []
      )
    })
  })

  it("starts are those of the plainest reading of order and choice", () => {
    fc.assert(
      fc.property(worlds(), (world) => {
        const starts = planOf(world).actions.flatMap((action) =>
          action._tag === "Start" ? [`${action.taskId} on ${action.agent}`] : []
        )
        expect(starts).toEqual(naiveStarts(world))
      }),
      parameters
    )
  })
})
