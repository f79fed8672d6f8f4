/**
 * The core in a program of your own: tasks from wherever you keep them, behind the TaskQueue port. Here they stand in an
 * array, and state and processes are simulated; a real embedder supplies these ports too.
 *
 *     node --conditions=source examples/embed/main.ts
 */
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import {
  AgentName,
  describeVerdict,
  makePassMemory,
  plan,
  policyDefaults,
  QueueName,
  TaskId,
  TaskQueue
} from "@tinyscheduler/core"
import type { DesiredState, Task } from "@tinyscheduler/core"
import { layerSimulation, World } from "@tinyscheduler/core/simulation"

const task = (id: number, fields: Partial<Task>): Task => ({
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
  task(1, { priority: 1 }),
  task(2, { priority: 9, blocked: true, blockedBy: TaskId.make(1) }),
  task(3, {})
]

const queueOfTickets = Layer.succeed(TaskQueue, {
  listOpen: Effect.succeed(tickets),
  get: (id) =>
    Effect.sync(() => {
      const found = tickets.find((ticket) => ticket.id === id)
      return found === undefined ? null : { task: found, description: null, comments: [] }
    }),
  update: (id, change) => Effect.succeed({ ...task(id, {}), ...change }),
  comment: () => Effect.void
})

const desired: DesiredState = {
  mode: "queues",
  endpoint: "my tickets",
  agents: [
    {
      name: AgentName.make("vaela"),
      queues: [QueueName.make("dev")],
      slots: 1,
      enabled: true,
      recipe: null,
      success: "exit",
      maxRuntimeSec: 600,
      stopGraceSec: 10,
      stopSignal: "SIGTERM"
    }
  ],
  queueLimits: [],
  maxConcurrent: null,
  policy: policyDefaults
}

const program = Effect.gen(function* () {
  const made = yield* plan({ desired, memory: yield* makePassMemory, startsOffReason: null })
  for (const verdict of made.plan.verdicts) yield* Console.log(describeVerdict(verdict))
})

await Effect.runPromise(program.pipe(Effect.provide(Layer.merge(layerSimulation(new World()), queueOfTickets))))
