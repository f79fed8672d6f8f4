/** The tools about queues. */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { integer, listFilters, text } from "./arguments.ts"
import { type QueueStore, trimmedName } from "./QueueStore.ts"
import type { TaskStore } from "./TaskStore.ts"
import { makeTool, pretty, type Tool } from "./Tool.ts"

const refusing = { unknownKeys: "refused" } as const

export const makeQueueTools = (queues: QueueStore, tasks: TaskStore): ReadonlyArray<Tool> => [
  makeTool({
    ...refusing,
    name: "list_queues",
    description: "List the names of the queues that have tasks",
    args: Schema.Struct({}),
    errorPrefix: "Error listing queues: ",
    run: () => {
      const names = queues.names()
      return Result.succeed(pretty({ count: names.length, queues: names }))
    }
  }),
  makeTool({
    ...refusing,
    name: "get_queue_stats",
    description: "Count the tasks of a queue by status and assignment",
    args: Schema.Struct({ queue_name: text("The queue") }),
    errorPrefix: "Error retrieving queue stats: ",
    run: ({ queue_name: queue }) => Result.map(queues.stats(queue), pretty)
  }),
  makeTool({
    ...refusing,
    name: "get_queue_tasks",
    description: "List the tasks of a queue, the highest priority and then the oldest first",
    args: Schema.Struct({ queue_name: text("The queue"), ...listFilters }),
    errorPrefix: "Error retrieving queue tasks: ",
    run: ({ include_archived: archived = false, limit, offset, queue_name: given, ...narrowing }) =>
      Result.map(trimmedName(given), (queue) => {
        const filters = { ...narrowing, include_archived: archived, limit, offset }
        const found = tasks.list({ ...filters, queue_name: queue })
        return pretty({ queue_name: given, count: found.length, filters, tasks: found })
      })
  }),
  makeTool({
    ...refusing,
    name: "add_task_to_queue",
    description: "Put a task into a queue",
    args: Schema.Struct({ task_id: integer("The task"), queue_name: text("The queue") }),
    errorPrefix: "Error adding task to queue: ",
    run: ({ queue_name: queue, task_id: id }) => Result.map(queues.put(id, queue), pretty)
  }),
  makeTool({
    ...refusing,
    name: "move_task_to_queue",
    description: "Put a task into another queue",
    args: Schema.Struct({ task_id: integer("The task"), new_queue_name: text("The queue") }),
    errorPrefix: "Error moving task to queue: ",
    run: ({ new_queue_name: queue, task_id: id }) => Result.map(queues.put(id, queue), pretty)
  }),
  makeTool({
    ...refusing,
    name: "remove_task_from_queue",
    description: "Take a task out of its queue",
    args: Schema.Struct({ task_id: integer("The task") }),
    errorPrefix: "Error removing task from queue: ",
    run: ({ task_id: id }) => Result.map(queues.take(id), pretty)
  }),
  makeTool({
    ...refusing,
    name: "clear_queue",
    description: "Take every task out of a queue; the tasks stay",
    args: Schema.Struct({ queue_name: text("The queue") }),
    errorPrefix: "Error clearing queue: ",
    run: ({ queue_name: queue }) =>
      Result.map(queues.clear(queue), (cleared) => pretty({ queue_name: queue, tasks_cleared: cleared }))
  })
]
