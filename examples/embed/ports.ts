/**
 * Ports of your own, for a program that looks and asks: tickets from wherever you keep them in the place of Tinytask, no
 * state directory, no processes. It is all that a look calls; a pass would also write, and find that not implemented.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import {
  AgentLauncher,
  AttemptHistory,
  LeaseStore,
  ProcessTable,
  Requests,
  TaskId,
  TaskQueue
} from "@tinyscheduler/core"
import type { Task } from "@tinyscheduler/core"

const ticket = (id: number, fields: Partial<Task>): Task => ({
  id: TaskId.make(id),
  title: `ticket ${id}`,
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

const tickets = [
  ticket(1, { priority: 1 }),
  ticket(2, { priority: 9, blocked: true, blockedBy: TaskId.make(1) }),
  ticket(3, {})
]

/** Nothing of ours runs yet. Where something does, `scan` tells its leases, and `look` what their pids show. */
export const ports = Layer.mergeAll(
  Layer.mock(TaskQueue, { listOpen: Effect.succeed(tickets) }),
  Layer.mock(LeaseStore, { scan: Effect.succeed([]) }),
  Layer.mock(AttemptHistory, {
    scan: Effect.succeed([]),
    readAgents: Effect.succeed({ agents: [], paused: null })
  }),
  Layer.mock(Requests, { pending: Effect.succeed([]) }),
  Layer.mock(AgentLauncher, { lookAtRecipes: () => Effect.succeed([]) }),
  Layer.mock(ProcessTable, {
    ourselves: Effect.succeed({ here: { host: "mine", bootId: "mine", pidNs: 0 }, pid: 1, pidStart: 0 }),
    monotonicMs: Effect.sync(() => performance.now()),
    look: () => Effect.succeed(new Map())
  })
)
