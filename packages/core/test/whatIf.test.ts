/** What-if by example: one small world for each supposition, and what its plan then says. */
import { describe, expect, it } from "vitest"
import { describeVerdict } from "../src/reconcile/describe.ts"
import { reconcile } from "../src/reconcile/reconcile.ts"
import { planDifference } from "../src/whatIf/planDifference.ts"
import { suppose } from "../src/whatIf/suppose.ts"
import type { Supposition } from "../src/whatIf/Supposition.ts"
import { agentName, attempts, at, queueName, recordedOutcome, taskId, world } from "./builders.ts"
import type { WorldBuilder } from "./builders.ts"

const ada = agentName("ada")

/** What changes, in words: "3: was > is". */
const changes = (made: WorldBuilder, ...suppositions: ReadonlyArray<Supposition>): ReadonlyArray<string> => {
  const before = made.build()
  const after = suppose(before, suppositions)
  return planDifference(reconcile(before.observed, before.desired), reconcile(after.observed, after.desired)).map(
    ({ after: is, before: was, taskId: id }) =>
      `${id}: ${was === null ? "none" : describeVerdict(was)} > ${is === null ? "none" : describeVerdict(is)}`
  )
}

/** Ada's one slot is taken by task 1; task 2 waits for it, task 3 for task 1. */
const busy = (): WorldBuilder =>
  world()
    .addAgent("ada")
    .addRunning(1, "ada")
    .addTask(2)
    .addTask(3, { blockedBy: taskId(1), blocked: true })

const failedOnce = attempts(
  2,
  { epoch: 1, agent: "ada" },
  {
    outcomes: [recordedOutcome(2, 1, "failed")],
    counts: { failures: 1, losses: 0 },
    notBefore: at(60)
  }
)

const start2 = "start task 2 on ada (epoch 1, attempt 1)"

describe("a supposition", () => {
  it.each<readonly [name: string, made: WorldBuilder, supposition: Supposition, changed: ReadonlyArray<string>]>([
    [
      "one slot more",
      busy(),
      { _tag: "AgentSlots", agent: ada, slots: 2 },
      [`2: wait task 2: no free slot: queue dev 1/1 > ${start2}`]
    ],
    [
      "an agent that is off",
      world().addAgent("ada").addTask(2),
      { _tag: "AgentEnabled", agent: ada, enabled: false },
      [`2: ${start2} > wait task 2: agent ada is disabled`]
    ],
    [
      "a queue's limit",
      world().addAgent("ada").addTask(2),
      { _tag: "QueueLimit", queue: queueName("dev"), limit: 0 },
      [`2: ${start2} > wait task 2: queue limit: dev 0/0`]
    ],
    [
      "no limit any more",
      world().addAgent("ada").addTask(2).limitQueue("dev", 0),
      { _tag: "QueueLimit", queue: queueName("dev"), limit: null },
      [`2: wait task 2: queue limit: dev 0/0 > ${start2}`]
    ],
    [
      "a limit of all",
      world().addAgent("ada").addTask(2),
      { _tag: "MaxConcurrent", limit: 0 },
      [`2: ${start2} > wait task 2: global limit: 0/0`]
    ],
    [
      "another policy",
      world().addAgent("ada").addTask(2),
      { _tag: "Policy", policy: { startsMax: 0 } },
      [`2: ${start2} > wait task 2: start bound of this pass reached: 0`]
    ],
    [
      "a pause",
      world().addAgent("ada").addTask(2),
      { _tag: "Pause", agent: ada },
      [`2: ${start2} > wait task 2: agent ada paused by a supposition until it is resumed`]
    ],
    [
      "a pause that ends",
      world().addAgent("ada", {}, { pausedBy: "maria" }).addTask(2),
      { _tag: "Resume", agent: ada },
      [`2: wait task 2: agent ada paused by maria until it is resumed > ${start2}`]
    ],
    [
      "a task that is complete",
      busy(),
      { _tag: "Finish", taskId: taskId(1) },
      [
        "1: running task 1 on ada (epoch 1): running > none",
        `2: wait task 2: no free slot: queue dev 1/1 > ${start2}`,
        "3: wait task 3: blocked by 1 > wait task 3: no free slot: queue dev 1/1"
      ]
    ],
    [
      "the last subtask that is complete: the server completes its parent, which frees what that blocked",
      world()
        .addAgent("ada")
        .addTask(2)
        .addTask(3, { parent: taskId(2), assignee: "maria" })
        .addTask(4, { blockedBy: taskId(2), blocked: true, priority: 9 }),
      { _tag: "Finish", taskId: taskId(3) },
      [
        "2: wait task 2: parent of 1 open subtask > none",
        "3: wait task 3: assigned to maria, which is no agent of ours > none",
        "4: wait task 4: blocked by 2 > start task 4 on ada (epoch 1, attempt 1)"
      ]
    ],
    [
      "another assignee",
      world().addAgent("ada").addTask(2, { assignee: "maria" }),
      { _tag: "Assign", taskId: taskId(2), assignee: "ada" },
      [`2: wait task 2: assigned to maria, which is no agent of ours > ${start2}`]
    ],
    [
      "a retry",
      world().addAgent("ada").addTask(2).addAttempts(2, failedOnce),
      { _tag: "Retry", taskId: taskId(2) },
      [`2: wait task 2: backoff until ${at(60)} > start task 2 on ada (epoch 2, attempt 1)`]
    ],
    [
      "time that goes by",
      world().addAgent("ada").addTask(2).addAttempts(2, failedOnce),
      { _tag: "Later", ms: 60_000 },
      [`2: wait task 2: backoff until ${at(60)} > start task 2 on ada (epoch 2, attempt 2)`]
    ],
    [
      "a recipe that is there",
      world().addAgent("ada", { recipe: "ada.yaml" }).addTask(2).addRecipe("ada.yaml", "missing"),
      { _tag: "RecipePresent", recipe: "ada.yaml" },
      ["2: wait task 2: recipe missing at recipes/ada.yaml > start task 2 on ada (epoch 1, attempt 1, ada.yaml)"]
    ],
    [
      "a more urgent task",
      world().addAgent("ada").addTask(2),
      {
        _tag: "AddTask",
        task: { title: "t", queue: "dev", assignee: null, priority: 9, tags: [], parent: null, blockedBy: null }
      },
      [`2: ${start2} > wait task 2: no free slot: queue dev 1/1`, "3: none > start task 3 on ada (epoch 1, attempt 1)"]
    ],
    [
      "a subtask, which is in its parent's queue",
      world().addAgent("ada").addTask(2),
      {
        _tag: "AddTask",
        task: { title: "t", queue: null, assignee: null, priority: 0, tags: [], parent: taskId(2), blockedBy: null }
      },
      [`2: ${start2} > wait task 2: parent of 1 open subtask`, "3: none > start task 3 on ada (epoch 1, attempt 1)"]
    ],
    [
      "a task beside one whose blocker and whose parent are in no list: it is neither of them",
      world()
        .addAgent("ada", { slots: 2 })
        .addTask(2, { blockedBy: taskId(3), blocked: true, parent: taskId(4) }),
      {
        _tag: "AddTask",
        task: { title: "t", queue: "dev", assignee: null, priority: 9, tags: [], parent: null, blockedBy: null }
      },
      ["5: none > start task 5 on ada (epoch 1, attempt 1)"]
    ],
    [
      "a task where no larger number is left",
      world().addAgent("ada", { slots: 2 }).addTask(1).addTask(Number.MAX_SAFE_INTEGER),
      {
        _tag: "AddTask",
        task: { title: "t", queue: "dev", assignee: null, priority: 9, tags: [], parent: null, blockedBy: null }
      },
      [
        "2: none > start task 2 on ada (epoch 1, attempt 1)",
        `${Number.MAX_SAFE_INTEGER}: start task ${Number.MAX_SAFE_INTEGER} on ada (epoch 1, attempt 1) > wait task ${Number.MAX_SAFE_INTEGER}: no free slot: queue dev 2/2`
      ]
    ]
  ])("of %s", (_name, made, supposition, changed) => {
    expect(changes(made, supposition)).toEqual(changed)
  })
})

describe("a difference of plans", () => {
  it("is not how full something is: whoever still waits for the same has not changed", () => {
    expect(changes(busy().addRunning(4, "ada"), { _tag: "AgentSlots", agent: ada, slots: 0 })).toEqual([])
    expect(changes(busy().limitAll(1), { _tag: "MaxConcurrent", limit: 0 })).toEqual([])
    expect(changes(busy().limitQueue("dev", 1), { _tag: "QueueLimit", queue: queueName("dev"), limit: 0 })).toEqual([])
  })
})
