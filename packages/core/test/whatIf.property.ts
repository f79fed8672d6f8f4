/**
 * What must hold of every supposition, tried on whole random worlds: it changes what it names and nothing else, and what
 * comes of it is a world like any other.
 */
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import type { Plan } from "../src/domain/Plan.ts"
import { violationsOf } from "../src/reconcile/invariants/invariants.ts"
import { reconcile } from "../src/reconcile/reconcile.ts"
import { planDifference } from "../src/whatIf/planDifference.ts"
import { suppose } from "../src/whatIf/suppose.ts"
import type { SupposedTask, Supposition } from "../src/whatIf/Supposition.ts"
import { agentName, queueName, taskId } from "./builders.ts"
import type { World } from "./builders.ts"
import { worlds } from "./worlds.ts"

const parameters = {
  numRuns: Number(process.env["RUNS"] ?? 500),
  seed: Number(process.env["SEED"] ?? 20_261_123)
}

const planOf = ({ desired, observed }: World): Plan => reconcile(observed, desired)

const tasksOf = ({ observed }: World) => (observed.tinytask._tag === "Read" ? observed.tinytask.tasks : [])

const newTask: SupposedTask = {
  title: "supposed",
  queue: "dev",
  assignee: null,
  priority: 9,
  tags: [],
  parent: null,
  blockedBy: null
}

/** One of each kind about a world; `pick` chooses whom it is about, also somebody who is not there. */
const suppositionsOf = (world: World, pick: number): ReadonlyArray<Supposition> => {
  const agent = world.desired.agents[pick % (world.desired.agents.length + 1)]?.name ?? agentName("nobody")
  const tasks = tasksOf(world)
  const id = tasks[pick % (tasks.length + 1)]?.id ?? taskId(4711)
  return [
    { _tag: "AgentSlots", agent, slots: pick % 5 },
    { _tag: "AgentEnabled", agent, enabled: pick % 2 === 0 },
    { _tag: "QueueLimit", queue: queueName("dev"), limit: pick % 3 === 0 ? null : pick % 4 },
    { _tag: "MaxConcurrent", limit: pick % 3 === 0 ? null : pick % 6 },
    { _tag: "Policy", policy: { order: "priority" } },
    { _tag: "Pause", agent: pick % 2 === 0 ? agent : null },
    { _tag: "Resume", agent: pick % 2 === 0 ? agent : null },
    { _tag: "Finish", taskId: id },
    { _tag: "AddTask", task: newTask },
    { _tag: "Assign", taskId: id, assignee: agent },
    { _tag: "Retry", taskId: id },
    { _tag: "RecipePresent", recipe: "gone.yaml" },
    { _tag: "Later", ms: pick * 1000 }
  ]
}

/** What of a situation each kind may change. */
const named: { readonly [K in Supposition["_tag"]]: ReadonlyArray<string> } = {
  AgentSlots: ["desired.agents"],
  AgentEnabled: ["desired.agents"],
  QueueLimit: ["desired.queueLimits"],
  MaxConcurrent: ["desired.maxConcurrent"],
  Policy: ["desired.policy"],
  Pause: ["observed.agents", "observed.paused"],
  Resume: ["observed.agents", "observed.paused"],
  Finish: ["observed.tinytask", "observed.records"],
  AddTask: ["observed.tinytask"],
  Assign: ["observed.tinytask"],
  Retry: ["observed.records"],
  RecipePresent: ["observed.recipes"],
  Later: ["observed.nowMs", "observed.monoMs", "observed.records"]
}

/** The parts of a situation as JSON, each under its path. */
const partsOf = (world: World): ReadonlyMap<string, string> =>
  new Map(
    [world.observed, world.desired].flatMap((half, index) =>
      Object.entries(half).map(
        ([key, value]) => [`${index === 0 ? "observed" : "desired"}.${key}`, JSON.stringify(value)] as const
      )
    )
  )

const changedParts = (before: World, after: World): ReadonlyArray<string> => {
  const was = partsOf(before)
  const is = partsOf(after)
  return [...new Set([...was.keys(), ...is.keys()])].filter((path) => was.get(path) !== is.get(path))
}

/** Of two lists of things with names: the names under which something differs. */
const changedNames = <A>(before: ReadonlyArray<A>, after: ReadonlyArray<A>, nameOf: (item: A) => unknown) => {
  const say = (items: ReadonlyArray<A>) => new Map(items.map((item) => [nameOf(item), JSON.stringify(item)]))
  const was = say(before)
  const is = say(after)
  return [...new Set([...was.keys(), ...is.keys()])].filter((name) => was.get(name) !== is.get(name))
}

const frozen = <A>(value: A): A => {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value
  Object.freeze(value)
  for (const part of Object.values(value)) frozen(part)
  return value
}

const ofWorlds = (check: (world: World, pick: number) => void): void => {
  fc.assert(
    fc.property(worlds(), fc.nat({ max: 4000 }), (world, pick) => {
      check(frozen(world), pick)
    }),
    parameters
  )
}

describe("a supposition about any world", () => {
  it("changes the parts that it names, and never what it was given", () => {
    ofWorlds((world, pick) => {
      for (const supposition of suppositionsOf(world, pick)) {
        const changed = changedParts(world, suppose(world, [supposition]))
        expect(named[supposition._tag], supposition._tag).toEqual(expect.arrayContaining([...changed]))
      }
    })
  })

  it("changes no agent and no task but the one that it names", () => {
    ofWorlds((world, pick) => {
      for (const supposition of suppositionsOf(world, pick)) {
        const after = suppose(world, [supposition])
        if ("agent" in supposition) {
          const one = supposition.agent === null ? [] : [supposition.agent]
          const agents = changedNames(world.desired.agents, after.desired.agents, ({ name }) => name)
          const records = changedNames(world.observed.agents, after.observed.agents, ({ agentName }) => agentName)
          expect(one).toEqual(expect.arrayContaining([...agents, ...records]))
        }
        if (supposition._tag === "Assign" || supposition._tag === "Retry") {
          const tasks = changedNames(tasksOf(world), tasksOf(after), ({ id }) => id)
          const records = changedNames(world.observed.records, after.observed.records, ({ taskId: id }) => id)
          expect([supposition.taskId]).toEqual(expect.arrayContaining([...tasks, ...records]))
        }
      }
    })
  })

  it("leads to a plan that keeps every invariant, also with others before it", () => {
    ofWorlds((world, pick) => {
      const all = suppositionsOf(world, pick)
      const from = pick % all.length
      const supposed = suppose(world, [...all.slice(from), ...all.slice(0, from)])
      expect(violationsOf(supposed.observed, supposed.desired, planOf(supposed))).toEqual([])
    })
  })

  it("Later keeps alive what is alive, and two stretches of time are one", () => {
    ofWorlds((world, pick) => {
      const ms = pick * 1000
      const after = suppose(world, [{ _tag: "Later", ms }])
      const silent = (plan: Plan) =>
        plan.verdicts.flatMap((verdict) =>
          (verdict._tag === "Running" && verdict.detail === "supervisor-silent") ||
          (verdict._tag === "Stop" && verdict.reason === "hung-supervisor")
            ? [verdict.taskId]
            : []
        )
      const alive = new Set(
        world.observed.records.flatMap(({ lease, taskId: id }) =>
          lease._tag === "Read" && lease.lease.phase === "running" && lease.evidence.supervisor === "alive" ? [id] : []
        )
      )
      const before = silent(planOf(world))
      expect(silent(planOf(after)).filter((id) => alive.has(id) && !before.includes(id))).toEqual([])
      const half = Math.floor(pick / 2) * 1000
      expect(
        suppose(world, [
          { _tag: "Later", ms: half },
          { _tag: "Later", ms: ms - half }
        ])
      ).toEqual(after)
    })
  })

  it("Pause and then Resume leave the decisions as they were where nothing was paused", () => {
    ofWorlds((world, pick) => {
      const agent = pick % 2 === 0 ? null : (world.desired.agents[0]?.name ?? null)
      const record = world.observed.agents.find(({ agentName: name }) => name === agent)
      const isFree =
        agent === null
          ? world.observed.paused === null
          : record === undefined || (record.pausedBy === null && record.setAsideUntil === null)
      fc.pre(isFree)
      const paused = suppose(world, [{ _tag: "Pause", agent }])
      const starts = planOf(paused).actions.flatMap((action) => (action._tag === "Start" ? [action.agent] : []))
      expect(starts.filter((name) => agent === null || name === agent)).toEqual([])
      const { actions, verdicts } = planOf(suppose(paused, [{ _tag: "Resume", agent }]))
      const today = planOf(world)
      expect({ actions, verdicts }).toEqual({ actions: today.actions, verdicts: today.verdicts })
    })
  })

  it("AddTask appears once, under a number that nothing has", () => {
    ofWorlds((world) => {
      const after = suppose(world, [{ _tag: "AddTask", task: newTask }])
      const difference = planDifference(planOf(world), planOf(after))
      const added = difference.filter(({ before }) => before === null)
      expect(added).toHaveLength(world.observed.tinytask._tag === "Read" ? 1 : 0)
      expect(difference.filter(({ after: verdict }) => verdict === null)).toEqual([])
    })
  })

  it("Finish leaves no verdict on the task, and nothing that waits for it", () => {
    ofWorlds((world, pick) => {
      const open = tasksOf(world).map(({ id }) => id)
      const id = open[pick % Math.max(1, open.length)]
      fc.pre(id !== undefined && world.observed.tinytask._tag === "Read")
      const { verdicts } = planOf(suppose(world, [{ _tag: "Finish", taskId: id }]))
      const waits = verdicts.flatMap((verdict) => (verdict._tag === "Wait" ? verdict.reasons : []))
      expect(verdicts.filter((verdict) => verdict.taskId === id)).toEqual([])
      expect(waits.filter((reason) => reason._tag === "Blocked" && (reason.by === id || reason.root === id))).toEqual(
        []
      )
    })
  })

  it("one about an agent or a task that is not there changes no decision", () => {
    ofWorlds((world) => {
      const agent = agentName("nobody")
      const nothing = suppose(world, [
        { _tag: "AgentSlots", agent, slots: 3 },
        { _tag: "AgentEnabled", agent, enabled: false },
        { _tag: "Pause", agent },
        { _tag: "Resume", agent },
        { _tag: "Finish", taskId: taskId(4711) },
        { _tag: "Assign", taskId: taskId(4711), assignee: "ada" },
        { _tag: "Retry", taskId: taskId(4711) }
      ])
      expect(planDifference(planOf(world), planOf(nothing))).toEqual([])
    })
  })
})
