/** Who gets a task: its assignee, else of its queue's agents the one with fewest queues, most free slots, least used, by name. */
import { describe } from "vitest"
import { agentName, at, oneAgent, queueName, world } from "../builders.ts"
import { specify } from "./specify.ts"

const queues = (...names: ReadonlyArray<string>) => ({ queues: names.map(queueName) })

describe("assignment", () => {
  specify([
    {
      name: "1 the agent that serves fewest queues takes it, so that the others stay free for theirs",
      world: world()
        .addAgent("ada", { ...queues("dev", "docs"), slots: 4 })
        .addAgent("bo")
        .addTask(1),
      lines: ["start task 1 on bo (epoch 1, attempt 1)"]
    },
    {
      name: "2 of these, the one with most free slots: what it holds counts against it",
      world: world().addAgent("ada", { slots: 2 }).addAgent("bo", { slots: 2 }).addRunning(9, "ada").addTask(1),
      lines: ["start task 1 on bo (epoch 1, attempt 1)", "running task 9 on ada (epoch 1): running"]
    },
    {
      name: "3 of these, the one that started least recently; who never started comes first",
      world: world()
        .addAgent("ada", {}, { lastStart: at(-10) })
        .addAgent("bo", {}, { lastStart: at(-20) })
        .addAgent("cy", {}, {})
        .addTask(1)
        .addTask(2),
      lines: ["start task 1 on cy (epoch 1, attempt 1)", "start task 2 on bo (epoch 1, attempt 1)"]
    },
    {
      name: "3 a start of this plan is the most recent use",
      world: world()
        .addAgent("ada", { slots: 2 })
        .addAgent("bo", {}, { lastStart: at(-5) })
        .addTask(1)
        .addTask(2),
      lines: ["start task 1 on ada (epoch 1, attempt 1)", "start task 2 on bo (epoch 1, attempt 1)"]
    },
    {
      name: "3 and two starts of this plan are more than one",
      world: world()
        .addAgent("ada", { slots: 4 })
        .addAgent("bo", { slots: 3 })
        .addTask(1)
        .addTask(2)
        .addTask(3)
        .addTask(4),
      lines: [
        "start task 1 on ada (epoch 1, attempt 1)",
        "start task 2 on bo (epoch 1, attempt 1)",
        "start task 3 on ada (epoch 1, attempt 1)",
        "start task 4 on bo (epoch 1, attempt 1)"
      ]
    },
    {
      name: "4 of these, the first by name",
      world: world().addAgent("bo").addAgent("ada").addTask(1),
      lines: ["start task 1 on ada (epoch 1, attempt 1)"]
    },
    {
      name: "an assigned task goes to its assignee, though others are freer",
      world: world().addAgent("ada", { slots: 3 }).addAgent("bo").addTask(1, { assignee: "bo" }),
      lines: ["start task 1 on bo (epoch 1, attempt 1)"]
    },
    {
      name: "an assigned task comes before nothing: it competes in the one order of all",
      world: oneAgent().addTask(1, { assignee: "ada", priority: 1 }).addTask(2, { priority: 2 }),
      lines: ["wait task 1: no free slot: ada 1/1", "start task 2 on ada (epoch 1, attempt 1)"]
    },
    {
      name: "an assigned task of higher priority takes the slot of its queue's unassigned one",
      world: oneAgent().addTask(1, { assignee: "ada", priority: 2 }).addTask(2, { priority: 1 }),
      lines: ["start task 1 on ada (epoch 1, attempt 1)", "wait task 2: no free slot: queue dev 1/1"]
    },
    {
      name: "an assigned task without a queue starts on its assignee",
      world: oneAgent().addTask(1, { assignee: "ada", queue: null }),
      lines: ["start task 1 on ada (epoch 1, attempt 1)"]
    },
    {
      name: "a task whose agents are busy waits and does not hold up the next queue",
      world: world()
        .addAgent("ada")
        .addAgent("bo", queues("docs"))
        .addRunning(9, "ada")
        .addTask(1, { priority: 5 })
        .addTask(2, { queue: "docs" }),
      lines: [
        "wait task 1: no free slot: queue dev 1/1",
        "start task 2 on bo (epoch 1, attempt 1)",
        "running task 9 on ada (epoch 1): running"
      ]
    },
    {
      name: "an agent of two queues has one set of slots",
      world: world().addAgent("ada", queues("dev", "docs")).addTask(1).addTask(2, { queue: "docs" }),
      lines: ["start task 1 on ada (epoch 1, attempt 1)", "wait task 2: no free slot: queue docs 1/1"]
    },
    {
      name: "a task has one start only, and the next attempt counts on",
      world: oneAgent().addTask(1).addRecord(1, { epochMax: 6 }),
      lines: ["start task 1 on ada (epoch 7, attempt 1)"]
    }
  ])
})

describe("who can't take it", () => {
  specify([
    {
      name: "an assignee that is no agent of ours keeps its task",
      world: oneAgent().addTask(1, { assignee: "maria" }),
      lines: ["wait task 1: assigned to maria, which is no agent of ours"]
    },
    {
      name: "an assignee that does not serve the task's queue does not start it",
      world: oneAgent().addTask(1, { assignee: "ada", queue: "docs" }),
      lines: ["wait task 1: agent ada does not serve queue docs"]
    },
    {
      name: "a queue that no agent serves",
      world: oneAgent().addTask(1, { queue: "ops" }),
      lines: ["wait task 1: no agent serves queue ops"]
    },
    {
      name: "neither queue nor assignee",
      world: oneAgent().addTask(1, { queue: null }),
      lines: ["wait task 1: no queue and nobody assigned"]
    },
    {
      name: "a disabled agent takes nothing, and its queue says why",
      world: oneAgent({ enabled: false }).addTask(1).addTask(2, { assignee: "ada" }),
      lines: ["wait task 1: agent ada is disabled", "wait task 2: agent ada is disabled"]
    },
    {
      name: "a paused agent takes nothing until it is resumed",
      world: world().addAgent("ada", {}, { pausedBy: "maria" }).addTask(1),
      lines: ["wait task 1: agent ada paused by maria until it is resumed"]
    },
    {
      name: "a pause with an end is over when it is reached",
      world: world()
        .addAgent("ada", {}, { pausedBy: "maria", pausedUntil: at(0) })
        .addTask(1),
      lines: ["start task 1 on ada (epoch 1, attempt 1)"]
    },
    {
      name: "a pause with an end ahead says when",
      world: world()
        .addAgent("ada", {}, { pausedBy: "maria", pausedUntil: at(60) })
        .addTask(1),
      lines: ["wait task 1: agent ada paused by maria until 2026-03-01T12:01:00.000Z"]
    },
    {
      name: "an agent whose starts keep failing is set aside for a while",
      world: world()
        .addAgent("ada", {}, { startFailures: 3, setAsideUntil: at(30) })
        .addTask(1),
      lines: ["wait task 1: agent ada set aside until 2026-03-01T12:00:30.000Z: its starts keep failing"]
    },
    {
      name: "no slots means never",
      world: oneAgent({ slots: 0 }).addTask(1),
      lines: ["wait task 1: no free slot: queue dev 0/0"]
    },
    {
      name: "a pool with one agent busy and one paused says both",
      world: world().addAgent("ada").addAgent("bo", {}, { pausedBy: "maria" }).addRunning(9, "ada").addTask(1),
      lines: [
        "wait task 1: no free slot: queue dev 1/1; agent bo paused by maria until it is resumed",
        "running task 9 on ada (epoch 1): running"
      ]
    },
    {
      name: "a pool tells its agents' reasons by their names, in whatever order the control file has them",
      world: world()
        .addAgent("cy", { enabled: false })
        .addAgent("ada", { enabled: false })
        .addAgent("bo", { enabled: false })
        .addTask(1),
      lines: ["wait task 1: agent ada is disabled; agent bo is disabled; agent cy is disabled"]
    },
    {
      name: "what a paused agent runs goes on",
      world: world()
        .addAgent("ada", {}, { pausedBy: agentName("maria") })
        .addRunning(9, "ada"),
      lines: ["running task 9 on ada (epoch 1): running"]
    }
  ])
})
