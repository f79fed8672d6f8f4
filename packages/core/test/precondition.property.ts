/** What a saved plan rests on, tried on whole random worlds: what may pass leaves it as it is, what matters changes it. */
import * as Schema from "effect/Schema"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { Timestamp } from "../src/domain/identifiers.ts"
import { PlanSubject } from "../src/domain/PlanSubject.ts"
import { preconditionOf, preconditionSubjectOf } from "../src/reconcile/precondition.ts"
import { reconcile } from "../src/reconcile/reconcile.ts"
import { subjectDifference } from "../src/reconcile/subjectDifference.ts"
import { suppose } from "../src/whatIf/suppose.ts"
import type { Supposition } from "../src/whatIf/Supposition.ts"
import { queueName, runningLease, evidence, record, taskId } from "./builders.ts"
import type { World } from "./builders.ts"
import { worlds } from "./worlds.ts"

const parameters = {
  numRuns: Number(process.env["RUNS"] ?? 300),
  seed: Number(process.env["SEED"] ?? 20_261_123)
}

const subjectOf = ({ desired, observed }: World): PlanSubject =>
  preconditionSubjectOf(observed, desired, reconcile(observed, desired))

const ofWorlds = (check: (world: World, pick: number) => void): void => {
  fc.assert(fc.property(worlds(), fc.nat({ max: 4000 }), check), parameters)
}

/** The change is seen, told in a sentence, and another hash. */
const expectChange = (before: World, after: World, about: string): void => {
  const was = subjectOf(before)
  const is = subjectOf(after)
  expect(subjectDifference(was, is).join("\n"), about).toContain(about)
  expect(preconditionOf(is), about).not.toBe(preconditionOf(was))
}

describe("what a plan of any world rests on", () => {
  it("stays as it is over beats and a time that passes no deadline", () => {
    ofWorlds((world, pick) => {
      const { monoMs, nextMonoMs, nextWallMs, nowMs, verdicts } = reconcile(world.observed, world.desired)
      // The beat of a supervisor that has been silent for too long is news.
      fc.pre(!/supervisor-silent|hung-supervisor/.test(JSON.stringify(verdicts)))
      const toDeadline = Math.min((nextWallMs ?? Infinity) - nowMs, (nextMonoMs ?? Infinity) - monoMs)
      const ms = Math.min(pick, toDeadline - 1)
      fc.pre(ms > 0)
      const after = suppose(world, [{ _tag: "Later", ms }])
      expect(subjectDifference(subjectOf(world), subjectOf(after))).toEqual([])
      expect(preconditionOf(subjectOf(after))).toBe(preconditionOf(subjectOf(world)))
    })
  })

  it("is told apart by sentences exactly where its hash tells it apart", () => {
    fc.assert(
      fc.property(worlds(), worlds(), (one, other) => {
        const [left, right] = [subjectOf(one), subjectOf(other)]
        expect(subjectDifference(left, left)).toEqual([])
        expect(subjectDifference(left, right).length > 0).toBe(preconditionOf(left) !== preconditionOf(right))
      }),
      parameters
    )
  })

  it("is read back from JSON as it was", () => {
    const decode = Schema.decodeUnknownSync(PlanSubject)
    ofWorlds((world) => {
      const subject = subjectOf(world)
      expect(decode(JSON.parse(JSON.stringify(subject)))).toEqual(subject)
    })
  })

  it("changes with a limit, an agent that is gone, and a lease that appeared", () => {
    ofWorlds((world) => {
      const { desired, observed } = world
      const limit = (desired.maxConcurrent ?? 0) + 1
      expectChange(world, suppose(world, [{ _tag: "MaxConcurrent", limit }]), "the limit of all was")
      const queue = queueName("another")
      expectChange(world, suppose(world, [{ _tag: "QueueLimit", queue, limit: 1 }]), "the limit of queue another was")
      const [first, ...others] = desired.agents
      if (first !== undefined) {
        expectChange(
          world,
          { observed, desired: { ...desired, agents: others } },
          `agent ${first.name} was there and is`
        )
      }
      const lease = { _tag: "Read" as const, lease: runningLease(950, 1, "ada"), evidence: evidence.healthy }
      const records = [...observed.records, record(950, { lease })]
      expectChange(world, { desired, observed: { ...observed, records } }, "the lease of task 950 was not there and is")
    })
  })

  it("changes with whatever befalls a task that is to start", () => {
    ofWorlds((world) => {
      const { desired, observed } = world
      const start = reconcile(observed, desired).actions.find(({ _tag }) => _tag === "Start")
      fc.pre(start?._tag === "Start" && observed.tinytask._tag === "Read")
      const id = start.taskId
      const changed = (change: Supposition): World => suppose(world, [change])
      expectChange(
        world,
        changed({ _tag: "Assign", taskId: id, assignee: "maria" }),
        `planned no more: start task ${id} `
      )
      expectChange(world, changed({ _tag: "Finish", taskId: id }), `task ${id} was part of the plan and is not`)
      const tinytask = {
        ...observed.tinytask,
        tasks: observed.tinytask.tasks.map((task) =>
          task.id === id ? { ...task, blocked: true, blockedBy: taskId(4711) } : task
        )
      }
      if (desired.policy.disableBlocking) return
      expectChange(world, { desired, observed: { ...observed, tinytask } }, `planned no more: start task ${id} `)
    })
  })

  it("changes when a number means another task, which is to be started just so", () => {
    ofWorlds((world) => {
      const { desired, observed } = world
      const start = reconcile(observed, desired).actions.find(({ _tag }) => _tag === "Start")
      fc.pre(start?._tag === "Start" && observed.tinytask._tag === "Read")
      const tinytask = {
        ...observed.tinytask,
        tasks: observed.tinytask.tasks.map((task) =>
          task.id === start.taskId ? { ...task, createdAt: Timestamp.make("2019-01-01T00:00:00.000Z") } : task
        )
      }
      expectChange(world, { desired, observed: { ...observed, tinytask } }, `task ${start.taskId} was idle, created `)
    })
  })

  it("changes when the clock passes the end of a backoff", () => {
    ofWorlds((world) => {
      const { nextWallMs, nowMs } = reconcile(world.observed, world.desired)
      fc.pre(nextWallMs !== null)
      const after = suppose(world, [{ _tag: "Later", ms: nextWallMs - nowMs }])
      expectChange(world, after, "the time at which a verdict changes by itself was")
    })
  })
})
