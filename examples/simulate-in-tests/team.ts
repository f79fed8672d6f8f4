/** The team that the tests beside this are about, and what is seen of it: plain values, made by nobody's ports. */
import { AgentName, policyDefaults, QueueName, TaskId } from "@tinyscheduler/core"
import type { DesiredState, Situation, Task } from "@tinyscheduler/core"

export const vaela = AgentName.make("vaela")

export const desired: DesiredState = {
  mode: "queues",
  endpoint: "simulated",
  agents: [
    {
      name: vaela,
      queues: [QueueName.make("dev")],
      slots: 2,
      enabled: true,
      recipe: null,
      success: "tinytask",
      maxRuntimeSec: 14_400,
      stopGraceSec: 10,
      stopSignal: "SIGINT"
    }
  ],
  queueLimits: [],
  maxConcurrent: null,
  policy: policyDefaults
}

export const task = (id: number, fields: Partial<Task> = {}): Task => ({
  id: TaskId.make(id),
  title: `task ${id}`,
  status: "idle",
  queue: "dev",
  assignee: null,
  priority: 0,
  tags: [],
  parent: null,
  blockedBy: null,
  blocked: false,
  createdAt: "2026-01-20T04:00:00Z",
  archived: false,
  ...fields
})

export const blockedBy = (id: number): Partial<Task> => ({ blocked: true, blockedBy: TaskId.make(id) })

/** Nothing runs, nothing is remembered: tasks alone. */
export const situationOf = (tasks: ReadonlyArray<Task>): Situation => ({
  desired,
  observed: {
    nowMs: Date.parse("2026-01-20T09:00:00Z"),
    monoMs: 0,
    here: { host: "anywhere", bootId: "any", pidNs: 0 },
    tinytask: { _tag: "Read", tasks, lookedUp: [] },
    records: [],
    agents: [],
    paused: null,
    requests: [],
    recipes: [],
    startFaults: [],
    startsOffReason: null
  }
})
