/** The tools that make, change, find and hand over tasks. */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import {
  integer,
  listFilters,
  optionalFlag,
  optionalInteger,
  optionalNumber,
  optionalStatus,
  optionalText,
  optionalTexts,
  text
} from "./arguments.ts"
import type { NoteStore } from "./NoteStore.ts"
import type { TaskStore } from "./TaskStore.ts"
import type { TaskView } from "./TaskView.ts"
import { makeTool, pretty, type Tool } from "./Tool.ts"

const refusing = { unknownKeys: "refused" } as const

const content = {
  description: optionalText("What is to be done"),
  assigned_to: optionalText("Whose task it is"),
  priority: optionalNumber("Higher goes first; 0 unless given"),
  tags: optionalTexts("Labels"),
  queue_name: optionalText("The queue it stands in")
}

const changing = (tasks: TaskStore): ReadonlyArray<Tool> => [
  makeTool({
    ...refusing,
    name: "create_task",
    description: "Create a task; it begins idle",
    args: Schema.Struct({
      title: text("Title"),
      created_by: text("Who creates it"),
      ...content,
      parent_task_id: optionalInteger("Make it a subtask of this task"),
      blocked_by_task_id: optionalInteger("It is blocked until this task is complete")
    }),
    errorPrefix: "Error creating task: ",
    run: (args) => Result.map(tasks.create(args), pretty)
  }),
  makeTool({
    ...refusing,
    name: "update_task",
    description: 'Change fields of a task; an assigned_to of "" unassigns it',
    args: Schema.Struct({
      id: integer("The task"),
      title: optionalText("New title"),
      status: optionalStatus("New status"),
      ...content,
      parent_task_id: optionalInteger("New parent"),
      blocked_by_task_id: Schema.optionalKey(
        Schema.NullOr(Schema.Int).annotate({ description: "The task that blocks it; null unblocks" })
      )
    }),
    errorPrefix: "Error updating task: ",
    run: ({ id, ...fields }) => Result.map(tasks.update(id, fields), pretty)
  }),
  makeTool({
    ...refusing,
    name: "delete_task",
    description: "Delete a task and its subtasks for good",
    args: Schema.Struct({ id: integer("The task") }),
    errorPrefix: "Error deleting task: ",
    run: ({ id }) =>
      Result.map(tasks.remove(id), () =>
        JSON.stringify({ success: true, message: `Task ${id} deleted successfully`, id })
      )
  }),
  makeTool({
    ...refusing,
    name: "archive_task",
    description: "Take a task out of the lists and keep it",
    args: Schema.Struct({ id: integer("The task") }),
    errorPrefix: "Error archiving task: ",
    run: ({ id }) => Result.map(tasks.archive(id), pretty)
  })
]

const finding = (tasks: TaskStore, notes: NoteStore): ReadonlyArray<Tool> => [
  makeTool({
    ...refusing,
    name: "get_task",
    description: "Read a task with its comments and links",
    args: Schema.Struct({ id: integer("The task") }),
    errorPrefix: "",
    run: ({ id }) =>
      Result.map(tasks.get(id), (task) => pretty({ ...task, comments: notes.comments(id), links: notes.links(id) }))
  }),
  makeTool({
    ...refusing,
    name: "list_tasks",
    description: "List tasks, the highest priority and then the oldest first",
    args: Schema.Struct({ ...listFilters, queue_name: optionalText("Only tasks of this queue") }),
    errorPrefix: "Error listing tasks: ",
    run: (filters) => {
      const found = tasks.list(filters)
      return Result.succeed(pretty({ count: found.length, tasks: found }))
    }
  }),
  makeTool({
    ...refusing,
    name: "get_my_queue",
    description: "List the open tasks of an agent",
    args: Schema.Struct({ agent_name: text("The agent") }),
    errorPrefix: "Error retrieving queue: ",
    run: ({ agent_name: agent }) => {
      const open = tasks.openOf(agent)
      return Result.succeed(pretty({ agent, count: open.length, tasks: open }))
    }
  })
]

const handing = (tasks: TaskStore, notes: NoteStore): ReadonlyArray<Tool> => [
  makeTool({
    ...refusing,
    name: "signup_for_task",
    description: "Take the first idle task that is assigned to the agent, and set it working",
    args: Schema.Struct({ agent_name: text("The agent") }),
    errorPrefix: "Error signing up for task: ",
    run: ({ agent_name: agent }) =>
      Result.map(tasks.signUp(agent), (task) => {
        if (task === null) return `No idle tasks available in queue for agent: ${agent}`
        const whole = { ...task, comments: notes.comments(task.id), links: notes.links(task.id) }
        return `Task #${task.id} claimed and set to working status\n\n${pretty(whole)}`
      })
  }),
  makeTool({
    ...refusing,
    name: "move_task",
    description: "Hand a task to another agent, idle again and with a comment; refused unless current_agent has it",
    args: Schema.Struct({
      task_id: integer("The task"),
      current_agent: text("Who must have it"),
      new_agent: text("Who gets it"),
      comment: text("A word to the new agent")
    }),
    errorPrefix: "",
    run: (args) =>
      Result.gen(function* () {
        const { current_agent: from, new_agent: to, task_id: id } = args
        const { commentId, task } = yield* tasks.transfer({ id, from, to, comment: args.comment })
        return pretty({ task, comment: yield* notes.comment(commentId) })
      })
  })
]

const nesting = (tasks: TaskStore): ReadonlyArray<Tool> => [
  makeTool({
    ...refusing,
    name: "create_subtask",
    description: "Create a task below another; it stands in the same queue unless one is given",
    args: Schema.Struct({
      parent_task_id: integer("The task above"),
      title: text("Title"),
      created_by: text("Who creates it"),
      ...content
    }),
    errorPrefix: "",
    run: (args) =>
      Result.gen(function* () {
        yield* Result.mapError(tasks.get(args.parent_task_id), () => `Parent task not found: ${args.parent_task_id}`)
        const created = Result.mapError(tasks.create(args), (reason) => `Error creating subtask: ${reason}`)
        return pretty(yield* created)
      })
  }),
  makeTool({
    ...refusing,
    name: "get_subtasks",
    description: "List the subtasks of a task",
    args: Schema.Struct({
      parent_task_id: integer("The task above"),
      recursive: optionalFlag("Subtasks of subtasks too"),
      include_archived: optionalFlag("Archived ones too")
    }),
    errorPrefix: "Error retrieving subtasks: ",
    run: ({ include_archived: archived = false, parent_task_id: parent, recursive = false }) => {
      const subtasks = tasks.subtasks(parent, recursive, archived)
      return Result.succeed(pretty({ parent_task_id: parent, recursive, count: subtasks.length, subtasks }))
    }
  }),
  makeTool({
    ...refusing,
    name: "get_task_with_subtasks",
    description: "Read a task with its subtasks",
    args: Schema.Struct({ task_id: integer("The task"), recursive: optionalFlag("Subtasks of subtasks too") }),
    errorPrefix: "",
    run: ({ recursive = false, task_id: id }) =>
      Result.map(tasks.get(id), (task) => {
        const subtasks: ReadonlyArray<TaskView> = tasks.subtasks(id, recursive, false)
        return pretty({ ...task, subtasks, subtask_count: subtasks.length })
      })
  }),
  makeTool({
    ...refusing,
    name: "move_subtask",
    description: "Put a subtask below another task, or, without new_parent_id, below none",
    args: Schema.Struct({ subtask_id: integer("The subtask"), new_parent_id: optionalInteger("The new task above") }),
    errorPrefix: "Error moving subtask: ",
    run: ({ new_parent_id: parent = null, subtask_id: id }) =>
      Result.map(tasks.update(id, { parent_task_id: parent }), (task) => {
        const where = parent === null ? "top-level (no parent)" : `parent #${parent}`
        return `Task #${id} moved to ${where}\n\n${pretty(task)}`
      })
  })
]

export const makeTaskTools = (tasks: TaskStore, notes: NoteStore): ReadonlyArray<Tool> => [
  ...changing(tasks),
  ...finding(tasks, notes),
  ...handing(tasks, notes),
  ...nesting(tasks)
]
