/**
 * Tinytask's task object, translated into ours. Each task is decoded by itself, so that the error names the task; one
 * that can't be read makes the whole answer unreadable, because a task that silently went missing could be lost.
 */
import { TaskId } from "@tinyscheduler/core/domain/identifiers"
import { isOpen, type Task, type TaskDetails, TaskStatus } from "@tinyscheduler/core/domain/Task"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"

/** Servers before July 2026 write UTC as `2026-11-22 22:25:39`; a fraction is cut, since the time is part of identity. */
const serverTime =
  /^(\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01]))[T ]((?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d)(?:\.\d{1,9})?Z?$/

/** Absent on older servers, and null (or, for names, "") for none: spellings of the same nothing. */
const absentIsNull = <S extends Schema.Top>(schema: S) =>
  Schema.NullOr(schema).pipe(Schema.withDecodingDefaultKey(Effect.succeed(null)))

const WireTask = Schema.Struct({
  id: TaskId,
  title: Schema.String,
  status: TaskStatus,
  queue_name: absentIsNull(Schema.String),
  assigned_to: absentIsNull(Schema.String),
  priority: absentIsNull(Schema.Finite),
  tags: absentIsNull(Schema.Array(Schema.String)),
  parent_task_id: absentIsNull(TaskId),
  blocked_by_task_id: absentIsNull(TaskId),
  is_currently_blocked: absentIsNull(Schema.Boolean),
  created_at: Schema.String.check(Schema.isPattern(serverTime, { message: "Expected a UTC time" })),
  archived_at: absentIsNull(Schema.String)
})

const WireDetails = Schema.Struct({
  description: absentIsNull(Schema.String),
  comments: absentIsNull(Schema.Array(Schema.Struct({ content: Schema.String })))
})

const decodeWireTask = Schema.decodeUnknownResult(WireTask)
const decodeWireDetails = Schema.decodeUnknownResult(WireDetails)
const decodeWireList = Schema.decodeUnknownResult(Schema.Struct({ tasks: Schema.Array(Schema.Unknown) }))
const decodeNumbered = Schema.decodeUnknownResult(Schema.Struct({ id: Schema.Finite }))

const emptyIsNull = (text: string | null): string | null => (text === "" ? null : text)

const asOneLine = (error: Schema.SchemaError): string => error.message.replaceAll(/\s*\n\s*/g, " ")

const unreadable = (input: unknown, error: Schema.SchemaError): string => {
  const name = Result.match(decodeNumbered(input), {
    onSuccess: ({ id }) => `task ${id}`,
    onFailure: () => "a task without an id"
  })
  return `${name} can't be read: ${asOneLine(error)}`
}

/** One task object; the failure is one line that names the task and the field. */
export const decodeTask = (input: unknown): Result.Result<Task, string> =>
  Result.match(decodeWireTask(input), {
    onFailure: (error) => Result.fail(unreadable(input, error)),
    onSuccess: (wire) =>
      Result.succeed({
        id: wire.id,
        title: wire.title,
        status: wire.status,
        queue: emptyIsNull(wire.queue_name),
        assignee: emptyIsNull(wire.assigned_to),
        priority: wire.priority ?? 0,
        tags: wire.tags ?? [],
        parent: wire.parent_task_id,
        blockedBy: wire.blocked_by_task_id,
        blocked: wire.is_currently_blocked ?? false,
        createdAt: wire.created_at.replace(serverTime, "$1T$2Z"),
        archived: wire.archived_at !== null
      })
  })

/** The answer of get_task. */
export const decodeDetails = (input: unknown): Result.Result<TaskDetails, string> =>
  Result.gen(function* () {
    const task = yield* decodeTask(input)
    const wire = yield* Result.mapError(decodeWireDetails(input), (error) => unreadable(input, error))
    return { task, description: wire.description, comments: (wire.comments ?? []).map((comment) => comment.content) }
  })

/** The answer of list_tasks: every task of it, or the reason of the first that can't be read. */
export const decodeTasks = (input: unknown): Result.Result<ReadonlyArray<Task>, string> =>
  Result.gen(function* () {
    const { tasks } = yield* Result.mapError(decodeWireList(input), (error) => `it is no list: ${asOneLine(error)}`)
    const decoded: Array<Task> = []
    for (const task of tasks) decoded.push(yield* decodeTask(task))
    return decoded
  })

/** The answer of list_tasks without what is complete or archived, which older servers leave in. */
export const decodeOpenTasks = (input: unknown): Result.Result<ReadonlyArray<Task>, string> =>
  Result.map(decodeTasks(input), (tasks) => tasks.filter(isOpen))
