/** The kinds of arguments that tools take, each with the words that an agent reads in `tools/list`. */
import * as Schema from "effect/Schema"

export const text = (description: string) => Schema.String.annotate({ description })
export const integer = (description: string) => Schema.Int.annotate({ description })
export const number = (description: string) => Schema.Finite.annotate({ description })
export const optionalText = (description: string) => Schema.optionalKey(text(description))
export const optionalInteger = (description: string) => Schema.optionalKey(integer(description))
export const optionalNumber = (description: string) => Schema.optionalKey(number(description))
export const optionalFlag = (description: string) => Schema.optionalKey(Schema.Boolean.annotate({ description }))
export const optionalTexts = (description: string) =>
  Schema.optionalKey(Schema.Array(Schema.String).annotate({ description }))

const Status = Schema.Literals(["idle", "working", "complete"])

export const optionalStatus = (description: string) => Schema.optionalKey(Status.annotate({ description }))

/** What lists can be narrowed by; the same for `list_tasks` and `get_queue_tasks`. */
export const listFilters = {
  assigned_to: optionalText("Only tasks of this assignee, exactly"),
  status: Schema.optionalKey(
    Schema.Union([Status, Schema.Array(Status)]).annotate({
      description: "Only tasks with this status or one of these"
    })
  ),
  exclude_status: Schema.optionalKey(
    Schema.Array(Status).annotate({ description: "No tasks with one of these statuses" })
  ),
  parent_task_id: optionalInteger("Only subtasks of this task"),
  exclude_subtasks: optionalFlag("No subtasks"),
  include_archived: optionalFlag("Archived tasks too"),
  limit: optionalInteger("At most so many; without it, or with 0, all"),
  offset: optionalInteger("Leave out so many at the beginning")
}
