/**
 * The port to Tinytask. "Server down" is an error here and never an empty list. Implementations retry transport errors
 * and a busy database within their own deadline; whoever calls sees one answer or one error.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { TaskId } from "../domain/identifiers.ts"
import type { Task, TaskDetails, TaskStatus } from "../domain/Task.ts"

/** Nobody answered, not in time, or not as a Tinytask does. The outcome of a write is then unknown: re-read. */
export class TaskQueueUnreachable extends Schema.TaggedError<TaskQueueUnreachable>()("TaskQueueUnreachable", {
  endpoint: Schema.String,
  reason: Schema.String
}) {
  override get message() {
    return `Tinytask at ${this.endpoint} can't be used: ${this.reason}`
  }
}

/** The server answered, and refused this one call. */
export class TaskQueueRejected extends Schema.TaggedError<TaskQueueRejected>()("TaskQueueRejected", {
  call: Schema.String,
  reason: Schema.String
}) {
  override get message() {
    return `Tinytask refused ${this.call}: ${this.reason}`
  }
}

/** How a call can fail. */
export type TaskQueueError = TaskQueueUnreachable | TaskQueueRejected

/** The fields a scheduler changes; what is left out stays as it is. An assignee of null unassigns. */
export interface TaskChange {
  readonly status?: TaskStatus
  readonly assignee?: string | null
}

/** Where tasks stand: Tinytask, or a queue of your own. */
export class TaskQueue extends Context.Service<
  TaskQueue,
  {
    /** Every task that is neither complete nor archived, of all queues and assignees, in one call. */
    readonly listOpen: Effect.Effect<ReadonlyArray<Task>, TaskQueueError>
    /** One task with its description and comments; null when there is no such task (any more). */
    readonly get: (id: TaskId) => Effect.Effect<TaskDetails | null, TaskQueueError>
    /** Changes a task and answers with what it then is. Last write wins: Tinytask has no compare-and-set. */
    readonly update: (id: TaskId, change: TaskChange) => Effect.Effect<Task, TaskQueueError>
    /** Adds a comment. Not repeatable by itself: read the comments before a repetition. */
    readonly comment: (id: TaskId, text: string) => Effect.Effect<void, TaskQueueError>
  }
>()("@tinyscheduler/core/ports/TaskQueue") {}
