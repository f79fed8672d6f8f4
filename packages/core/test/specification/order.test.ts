/** In which order ready tasks are served, and which are not ready because others block them. */
import { describe, expect, it } from "vitest"
import { policyDefaults } from "../../src/domain/DesiredState.ts"
import type { Task } from "../../src/domain/Task.ts"
import { blockingWeb } from "../../src/reconcile/blocking.ts"
import { sortTasks } from "../../src/reconcile/taskOrder.ts"
import { at, oneAgent, task, taskId } from "../builders.ts"
import { specify } from "./specify.ts"

const blockedBy = (id: number): Partial<Task> => ({ blockedBy: taskId(id), blocked: true })
const noSlot = "no free slot: queue dev 1/1"

describe("order", () => {
  specify([
    {
      name: "1 a task that more others wait for comes first, whatever its priority",
      world: oneAgent().addTask(1, { priority: 9 }).addTask(2).addTask(3, blockedBy(2)),
      lines: [`wait task 1: ${noSlot}`, "start task 2 on ada (epoch 1, attempt 1)", "wait task 3: blocked by 2"]
    },
    {
      name: "1 waiting is counted through others: two in a row weigh more than one with a high priority",
      world: oneAgent()
        .addTask(1)
        .addTask(2, { priority: 5 })
        .addTask(3, { ...blockedBy(1) })
        .addTask(4, { ...blockedBy(3) })
        .addTask(5, { ...blockedBy(2) }),
      lines: [
        "start task 1 on ada (epoch 1, attempt 1)",
        `wait task 2: ${noSlot}`,
        "wait task 3: blocked by 1",
        "wait task 4: blocked by 3, root blocker 1",
        "wait task 5: blocked by 2"
      ]
    },
    {
      name: "1 a task counts those that wait for it although they are at work or parents themselves",
      world: oneAgent()
        .addTask(1, { priority: 1 })
        .addTask(2)
        .addTask(3, { ...blockedBy(2), status: "working", assignee: "maria" }),
      lines: [`wait task 1: ${noSlot}`, "start task 2 on ada (epoch 1, attempt 1)", "ignore task 3: worked on outside"]
    },
    {
      name: "2 of tasks that equally many wait for, the higher priority comes first; fractions and negatives count",
      world: oneAgent({ slots: 3 })
        .addTask(1, { priority: -1 })
        .addTask(2, { priority: 0.5 })
        .addTask(3)
        .addTask(4, { priority: 0.25 }),
      lines: [
        "wait task 1: no free slot: queue dev 3/3",
        "start task 2 on ada (epoch 1, attempt 1)",
        "start task 3 on ada (epoch 1, attempt 1)",
        "start task 4 on ada (epoch 1, attempt 1)"
      ]
    },
    {
      name: "3 of equal priority, the older one comes first",
      world: oneAgent()
        .addTask(1, { createdAt: at(-60) })
        .addTask(2, { createdAt: at(-61) }),
      lines: [`wait task 1: ${noSlot}`, "start task 2 on ada (epoch 1, attempt 1)"]
    },
    {
      name: "3 a time without milliseconds is older than the same second's half, and younger than the second before",
      world: oneAgent({ slots: 2 })
        .addTask(1, { createdAt: "2026-03-01T10:00:00.500Z" })
        .addTask(2, { createdAt: "2026-03-01T10:00:00Z" })
        .addTask(3, { createdAt: "2026-03-01T09:59:59.999Z" }),
      lines: [
        "wait task 1: no free slot: queue dev 2/2",
        "start task 2 on ada (epoch 1, attempt 1)",
        "start task 3 on ada (epoch 1, attempt 1)"
      ]
    },
    {
      name: "4 of the same moment, the smaller id comes first, however the moment is written",
      world: oneAgent()
        .addTask(2, { createdAt: "2026-03-01T10:00:00Z" })
        .addTask(1, { createdAt: "2026-03-01T10:00:00.000Z" }),
      lines: ["start task 1 on ada (epoch 1, attempt 1)", `wait task 2: ${noSlot}`]
    },
    {
      name: "with the order `priority`, priority comes before who waits for whom",
      world: oneAgent()
        .withPolicy({ order: "priority" })
        .addTask(1, { priority: 1 })
        .addTask(2)
        .addTask(3, blockedBy(2)),
      lines: ["start task 1 on ada (epoch 1, attempt 1)", `wait task 2: ${noSlot}`, "wait task 3: blocked by 2"]
    },
    {
      name: "with the order `priority`, who waits for whom still decides between equal priorities",
      world: oneAgent().withPolicy({ order: "priority" }).addTask(1).addTask(2).addTask(3, blockedBy(2)),
      lines: [`wait task 1: ${noSlot}`, "start task 2 on ada (epoch 1, attempt 1)", "wait task 3: blocked by 2"]
    },
    {
      name: "with blocking disabled, the server's order holds and blocked tasks start",
      world: oneAgent()
        .withPolicy({ disableBlocking: true })
        .addTask(1, { createdAt: at(-10) })
        .addTask(2, { ...blockedBy(1), createdAt: at(-20) }),
      lines: [`wait task 1: ${noSlot}`, "start task 2 on ada (epoch 1, attempt 1)"]
    }
  ])
})

describe("blocking", () => {
  specify([
    {
      name: "a blocked task never starts, though its agent is free",
      world: oneAgent({ slots: 2 }).addTask(1, { assignee: "maria" }).addTask(2, blockedBy(1)),
      lines: ["wait task 1: assigned to maria, which is no agent of ours", "wait task 2: blocked by 1"]
    },
    {
      name: "an archived blocker blocks although it is in no list, and is the root itself",
      world: oneAgent().addTask(1, blockedBy(900)).addTask(2, blockedBy(1)),
      lines: ["wait task 1: blocked by 900", "wait task 2: blocked by 1, root blocker 900"]
    },
    {
      name: "a blocker that is complete blocks no more: Tinytask's word counts, not the id",
      world: oneAgent().addTask(1, { blockedBy: taskId(900), blocked: false }),
      lines: ["start task 1 on ada (epoch 1, attempt 1)"]
    },
    {
      name: "a cycle is named, from its smallest id round to itself; what hangs on it is blocked by it",
      world: oneAgent()
        .addTask(4, blockedBy(7))
        .addTask(7, blockedBy(9))
        .addTask(9, blockedBy(4))
        .addTask(10, blockedBy(9)),
      lines: [
        "wait task 4: blocking cycle 4 > 7 > 9 > 4",
        "wait task 7: blocking cycle 4 > 7 > 9 > 4",
        "wait task 9: blocking cycle 4 > 7 > 9 > 4",
        "wait task 10: blocked by 9, root blocker 4"
      ]
    },
    {
      name: "a cycle is told once round, also where it was first met at another than its smallest id",
      world: oneAgent()
        .addTask(1, blockedBy(5))
        .addTask(3, blockedBy(4))
        .addTask(4, blockedBy(5))
        .addTask(5, blockedBy(3)),
      lines: [
        "wait task 1: blocked by 5, root blocker 3",
        "wait task 3: blocking cycle 3 > 4 > 5 > 3",
        "wait task 4: blocking cycle 3 > 4 > 5 > 3",
        "wait task 5: blocking cycle 3 > 4 > 5 > 3"
      ]
    },
    {
      name: "a task that blocks itself is a cycle of one",
      world: oneAgent().addTask(4, blockedBy(4)),
      lines: ["wait task 4: blocking cycle 4 > 4"]
    }
  ])

  it("the last criterion is unique: tasks alike in all else stand in one order, however they come", () => {
    const tasks = [3, 1, 2].map((id) => task(id))
    const sorted = sortTasks(tasks, blockingWeb(tasks), policyDefaults)
    expect(sorted.map(({ id }) => id)).toEqual([1, 2, 3])
  })

  it("a thousand blocked tasks of high priority take no place before one ready task of low priority", () => {
    const world = oneAgent().addTask(1, { assignee: "maria" }).addTask(2000, { priority: -5 })
    for (let id = 2; id <= 1001; id += 1) world.addTask(id, { ...blockedBy(1), priority: 100 })
    const starts = world.plan().actions.map((action) => (action._tag === "Start" ? action.taskId : action._tag))
    expect(starts).toEqual([2000])
  })

  it.each([
    { name: "nobody waits for a leaf", links: [[2, 1]], counts: { 1: 1, 2: 0 } },
    {
      name: "a chain counts down its length",
      links: [
        [2, 1],
        [3, 2],
        [4, 3]
      ],
      counts: { 1: 3, 2: 2, 3: 1, 4: 0 }
    },
    {
      name: "a fan counts each once",
      links: [
        [2, 1],
        [3, 1],
        [4, 1]
      ],
      counts: { 1: 3, 2: 0 }
    },
    {
      name: "a tree counts all below",
      links: [
        [2, 1],
        [3, 2],
        [4, 2],
        [5, 1]
      ],
      counts: { 1: 4, 2: 2, 5: 0 }
    },
    {
      name: "each member of a cycle has all the others behind it",
      links: [
        [1, 2],
        [2, 3],
        [3, 1]
      ],
      counts: { 1: 2, 2: 2, 3: 2 }
    },
    {
      name: "what hangs on a cycle waits for every member of it",
      links: [
        [1, 2],
        [2, 1],
        [3, 2],
        [4, 3]
      ],
      counts: { 1: 3, 2: 3, 3: 1, 4: 0 }
    },
    { name: "an archived blocker counts for nobody", links: [[1, 900]], counts: { 1: 0, 900: 0 } }
  ])("how many wait: $name", ({ counts, links }) => {
    const ids = [...new Set(links.flat())].filter((id) => id < 900)
    const blockers = new Map(links.map(([id = 0, blocker = 0]) => [id, blocker] as const))
    const web = blockingWeb(
      ids.map((id) => {
        const blocker = blockers.get(id)
        return task(id, blocker === undefined ? {} : blockedBy(blocker))
      })
    )
    expect(Object.fromEntries(Object.keys(counts).map((id) => [id, web.waitingOn(taskId(Number(id)))]))).toEqual(counts)
  })

  it("a chain of 50 000 is counted without recursion", () => {
    const tasks = Array.from({ length: 50_000 }, (_, index) => task(index + 1, index === 0 ? {} : blockedBy(index)))
    const web = blockingWeb(tasks)
    const last = tasks.at(-1)
    expect(web.waitingOn(taskId(1))).toBe(49_999)
    expect(last === undefined ? null : web.rootOf(last)).toEqual({ _tag: "Root", root: 1 })
  })
})
