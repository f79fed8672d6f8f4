/** Limits: of an agent's slots, of a queue, of all. Held + started never exceeds one; held alone may, after it was lowered. */
import { describe, expect, it } from "vitest"
import { ledgerOf } from "../../src/reconcile/capacity.ts"
import {
  attempts,
  claim,
  claimSight,
  evidence,
  oneAgent,
  queueName,
  recordedOutcome,
  runningLease
} from "../builders.ts"
import { specify } from "./specify.ts"

const running = (id: number) => `running task ${id} on ada (epoch 1): running`

describe("limits", () => {
  specify([
    {
      name: "an agent's slots: 2, running 1 → 1 more",
      world: oneAgent({ slots: 2 }).addRunning(8, "ada").addTask(1).addTask(2),
      lines: ["start task 1 on ada (epoch 1, attempt 1)", "wait task 2: no free slot: queue dev 2/2", running(8)]
    },
    {
      name: "slots lowered below what runs: 0 free, never −1; what runs goes on",
      world: oneAgent({ slots: 1 }).addRunning(8, "ada").addRunning(9, "ada").addTask(1),
      lines: ["wait task 1: no free slot: queue dev 2/1", running(8), running(9)]
    },
    {
      name: "a queue's limit counts what runs in it",
      world: oneAgent({ slots: 4 }).limitQueue("dev", 2).addRunning(8, "ada").addTask(1).addTask(2),
      lines: ["start task 1 on ada (epoch 1, attempt 1)", "wait task 2: queue limit: dev 2/2", running(8)]
    },
    {
      name: "a queue's limit lowered below what runs",
      world: oneAgent({ slots: 4 }).limitQueue("dev", 1).addRunning(8, "ada").addRunning(9, "ada").addTask(1),
      lines: ["wait task 1: queue limit: dev 2/1", running(8), running(9)]
    },
    {
      name: "a full queue does not hold up another",
      world: oneAgent({ slots: 4, queues: [queueName("dev"), queueName("docs")] })
        .limitQueue("dev", 0)
        .addTask(1, { priority: 9 })
        .addTask(2, { queue: "docs" }),
      lines: ["wait task 1: queue limit: dev 0/0", "start task 2 on ada (epoch 1, attempt 1)"]
    },
    {
      name: "the global limit counts everything that is held",
      world: oneAgent({ slots: 4 }).limitAll(2).addRunning(8, "ada").addTask(1).addTask(2),
      lines: ["start task 1 on ada (epoch 1, attempt 1)", "wait task 2: global limit: 2/2", running(8)]
    },
    {
      name: "a global limit of 0 starts nothing",
      world: oneAgent({ slots: 4 }).limitAll(0).addTask(1),
      lines: ["wait task 1: global limit: 0/0"]
    },
    {
      name: "two full limits are both told",
      world: oneAgent({ slots: 4 }).limitAll(0).limitQueue("dev", 0).addTask(1),
      lines: ["wait task 1: global limit: 0/0; queue limit: dev 0/0"]
    },
    {
      name: "the start bound of a pass is a fact of the plan",
      world: oneAgent({ slots: 4 }).withPolicy({ startsMax: 1 }).addTask(1).addTask(2),
      lines: ["start task 1 on ada (epoch 1, attempt 1)", "wait task 2: start bound of this pass reached: 1"]
    },
    {
      name: "an agent that left the control file still counts as one of all",
      world: oneAgent().limitAll(1).addRunning(9, "zed").addTask(1),
      lines: ["wait task 1: global limit: 1/1", "running task 9 on zed (epoch 1): running"]
    }
  ])

  it("the bound that was reached says how many it left", () => {
    const plan = oneAgent({ slots: 4 }).withPolicy({ startsMax: 1 }).addTask(1).addTask(2).addTask(3).plan()
    expect(plan.leftByBound).toBe(2)
  })

  it.each([
    { name: "limit 2, held 0 → 2 free", slots: 2, held: 0, free: 2 },
    { name: "limit 2, held 2 → 0 free", slots: 2, held: 2, free: 0 },
    { name: "limit 2, held 3 → 0 free, never −1", slots: 2, held: 3, free: 0 },
    { name: "limit 0, held 0 → 0 free", slots: 0, held: 0, free: 0 }
  ])("$name", ({ free, held, slots }) => {
    const { desired } = oneAgent({ slots }).build()
    const holds = Array.from({ length: held }, () => ({ agent: "ada", queue: "dev" }))
    expect(ledgerOf(holds, desired).freeOfAgent("ada")).toBe(free)
  })
})

const remains = () =>
  oneAgent()
    .addTask(1)
    .addTask(2)
    .addRecord(1, {
      claims: [claimSight(claim(1, 3, "ada"), evidence.claimedOnly)],
      attempts: attempts(1, { epoch: 3, agent: "ada" }, { outcomes: [recordedOutcome(1, 3, "failed")] })
    })

describe("what holds a slot", () => {
  specify([
    {
      name: "an ended attempt whose processes are not proven dead holds its agent's slot",
      world: remains(),
      lines: ["wait task 1: earlier attempt (epoch 3) alive", "wait task 2: no free slot: queue dev 1/1"]
    },
    {
      name: "and it counts in its queue",
      world: remains().addAgent("bo", { slots: 4 }).limitQueue("dev", 1),
      lines: ["wait task 1: earlier attempt (epoch 3) alive", "wait task 2: queue limit: dev 1/1"]
    },
    {
      name: "a start uses only slots that are free in the observation, not those that the plan itself frees",
      world: oneAgent()
        .addTask(1)
        .addTask(9, { status: "working", assignee: "ada" })
        .addLease(runningLease(9, 1, "ada"), evidence.dead),
      lines: [
        "wait task 1: no free slot: queue dev 1/1",
        "reclaim task 9 from ada (epoch 1): lost, nothing of it lives",
        "  end as lost"
      ]
    }
  ])
})
