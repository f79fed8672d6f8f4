/** A task as Tinytask shows it, in our words. `createdAt` is part of its identity: a server whose ids began anew has other tasks. */
import * as Schema from "effect/Schema"
import { TaskId, Timestamp } from "./identifiers.ts"

/** How far a task is. */
export const TaskStatus = Schema.Literals(["idle", "working", "complete"])
export type TaskStatus = typeof TaskStatus.Type

/** A task as the list of open tasks shows it. */
export const Task = Schema.Struct({
  id: TaskId,
  title: Schema.String,
  status: TaskStatus,
  /** Free text of the server; null when the task stands in no queue. */
  queue: Schema.NullOr(Schema.String),
  /** Free text of the server; null when nobody has it (the server's "" is null here). */
  assignee: Schema.NullOr(Schema.String),
  /** Higher first; may be negative or a fraction. */
  priority: Schema.Finite,
  tags: Schema.Array(Schema.String),
  parent: Schema.NullOr(TaskId),
  blockedBy: Schema.NullOr(TaskId),
  /** The server's own word: its blocker exists and is not complete. An archived blocker blocks and is in no list. */
  blocked: Schema.Boolean,
  createdAt: Timestamp,
  archived: Schema.Boolean
})
export type Task = typeof Task.Type

/** One task read by itself: what lists leave out. */
export const TaskDetails = Schema.Struct({
  task: Task,
  description: Schema.NullOr(Schema.String),
  comments: Schema.Array(Schema.String)
})
export type TaskDetails = typeof TaskDetails.Type

/** What the fields of a task were before an attempt took it, so that a requeue can restore them. */
export const TaskPrior = Schema.Struct({
  status: TaskStatus,
  assignee: Schema.NullOr(Schema.String)
})
export type TaskPrior = typeof TaskPrior.Type

/** Whether a task is open: not complete and not archived. */
export const isOpen = (task: Task): boolean => task.status !== "complete" && !task.archived
