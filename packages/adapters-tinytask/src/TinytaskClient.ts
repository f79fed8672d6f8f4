/**
 * Tinytask as the scheduler and the command line use it: the `TaskQueue` port, and beside it what people do by hand.
 * Sends no null and no unknown key, which the server refuses; "" is its word for "nobody".
 */
import type { TaskId } from "@tinyscheduler/core/domain/identifiers"
import type { Task } from "@tinyscheduler/core/domain/Task"
import { type TaskChange, TaskQueue, type TaskQueueError, TaskQueueRejected } from "@tinyscheduler/core/ports/TaskQueue"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Ref from "effect/Ref"
import * as Result from "effect/Result"
import { withoutToken } from "./CallFailure.ts"
import { cutComment } from "./CommentText.ts"
import { EndpointRefused, parseEndpoint } from "./Endpoint.ts"
import type { McpTarget } from "./McpRequest.ts"
import { probeServer, type ServerInfo } from "./ServerInfo.ts"
import { decodeDetails, decodeOpenTasks, decodeTask, decodeTasks } from "./TaskWire.ts"
import { callTool, type CallLimits } from "./ToolCall.ts"

export interface TinytaskOptions {
  /** With or without `/mcp`. */
  readonly endpoint: string
  /** Sent as a bearer token, for a reverse proxy: Tinytask itself has no authentication. */
  readonly token: string | null
  /** Plain http to another machine is refused without it. */
  readonly allowInsecure?: boolean
  /** Each call's deadline, repetitions included; 10 s. */
  readonly timeoutMs?: number
  /** The same for lists, which grow with the number of tasks; 30 s, and never less than `timeoutMs`. */
  readonly listTimeoutMs?: number
  /** Repetitions of a call that may be repeated; 4. */
  readonly retries?: number
  /** The wait before the first repetition; 200 ms, doubled each time. */
  readonly retryBaseMs?: number
  /** The largest answer that is read; 64 MiB. */
  readonly maxAnswerBytes?: number
  /** Who writes the comments; `tinyscheduler`. */
  readonly author?: string
}

/** A task to be made; the server makes it idle. */
export interface NewTask {
  readonly title: string
  readonly createdBy: string
  readonly description?: string
  readonly queue?: string
  readonly assignee?: string
  readonly priority?: number
  readonly tags?: ReadonlyArray<string>
  readonly parent?: TaskId
  readonly blockedBy?: TaskId
}

export class Tinytask extends Context.Service<
  Tinytask,
  {
    readonly queue: TaskQueue["Service"]
    /** Makes a task. Never repeated after it was sent: when the error is TaskQueueUnreachable, it may exist. */
    readonly createTask: (task: NewTask) => Effect.Effect<Task, TaskQueueError>
    /** Every task that is not archived, complete ones too. */
    readonly listAll: Effect.Effect<ReadonlyArray<Task>, TaskQueueError>
    /** Takes a task out of every list; its status stays, so an archived blocker that isn't complete blocks for ever. */
    readonly archive: (id: TaskId) => Effect.Effect<Task, TaskQueueError>
    /** Who answers there, and whether it has the tools that are needed. */
    readonly probe: Effect.Effect<ServerInfo, TaskQueueError>
  }
>()("@tinyscheduler/adapters-tinytask/Tinytask") {}

/** An endpoint, a token and limits that passed. */
interface Connection {
  readonly target: McpTarget
  readonly limits: CallLimits
  readonly listLimits: CallLimits
  readonly author: string
}

const connectionOf = (options: TinytaskOptions): Result.Result<Connection, EndpointRefused> =>
  Result.flatMap(parseEndpoint(options.endpoint, { allowInsecure: options.allowInsecure === true }), (endpoint) => {
    const token = options.token === "" ? null : options.token
    if (token !== null && !/^[\u0021-\u007e]+$/.test(token)) {
      const reason = "its token has a character that no header can carry"
      return Result.fail(new EndpointRefused({ endpoint: endpoint.shown, reason }))
    }
    const timeoutMs = options.timeoutMs ?? 10_000
    const limits = { timeoutMs, retries: options.retries ?? 4, retryBaseMs: options.retryBaseMs ?? 200 }
    const listTimeoutMs = Math.max(timeoutMs, options.listTimeoutMs ?? 30_000)
    return Result.succeed({
      target: { endpoint, token, maxBytes: options.maxAnswerBytes ?? 64 * 1024 * 1024 },
      limits,
      listLimits: { ...limits, timeoutMs: listTimeoutMs },
      author: options.author ?? "tinyscheduler"
    })
  })

/** Ways to ask for the open tasks, the newest first: older servers refuse what they don't know. */
const openFilters = [{ exclude_status: ["complete"] }, { status: ["idle", "working"] }, {}] as const

/** Whether the server refused the arguments, and not the call. */
const isArgumentRefusal = (error: TaskQueueError): boolean =>
  error._tag === "TaskQueueRejected" && error.reason.startsWith("Error calling tool list_tasks:")

const listOpen = ({ listLimits, target }: Connection, known: Ref.Ref<number>) => {
  const ask = (index: number): Effect.Effect<ReadonlyArray<Task>, TaskQueueError> => {
    const args = openFilters[index] ?? {}
    return callTool(target, listLimits, { tool: "list_tasks", args, repeatable: true, decode: decodeOpenTasks }).pipe(
      Effect.tap(() => Ref.set(known, index)),
      Effect.catchIf(
        (error) => index + 1 < openFilters.length && isArgumentRefusal(error),
        () => ask(index + 1)
      )
    )
  }
  return Ref.get(known).pipe(Effect.flatMap(ask), Effect.withSpan("TaskQueue.listOpen"))
}

const isMissing = (error: TaskQueueError, id: TaskId): boolean =>
  error._tag === "TaskQueueRejected" && error.reason === `Task not found: ${id}`

const changeArgs = (id: TaskId, { assignee, status }: TaskChange) => ({
  id,
  ...(status === undefined ? {} : { status }),
  ...(assignee === undefined ? {} : { assigned_to: assignee ?? "" })
})

const makeQueue = Effect.fnUntraced(function* (connection: Connection) {
  const { author, limits, target } = connection
  // A server that refused a filter once would refuse it in every pass.
  const known = yield* Ref.make(0)
  const get = Effect.fn("TaskQueue.get")(function* (id: TaskId) {
    return yield* callTool(target, limits, {
      tool: "get_task",
      args: { id },
      repeatable: true,
      decode: decodeDetails
    }).pipe(
      Effect.catchIf(
        (error) => isMissing(error, id),
        () => Effect.succeed(null)
      )
    )
  })
  const update = Effect.fn("TaskQueue.update")(function* (id: TaskId, change: TaskChange) {
    const args = changeArgs(id, change)
    return yield* callTool(target, limits, { tool: "update_task", args, repeatable: true, decode: decodeTask })
  })
  const comment = Effect.fn("TaskQueue.comment")(function* (id: TaskId, text: string) {
    // It may quote an agent that has read our settings, and everybody who reaches Tinytask can read it.
    const args = { task_id: id, content: cutComment(withoutToken(text, target.token)), created_by: author }
    yield* callTool(target, limits, {
      tool: "add_comment",
      args,
      repeatable: false,
      decode: () => Result.succeed(null)
    })
  })
  return TaskQueue.of({ listOpen: listOpen(connection, known), get, update, comment })
})

const newTaskArgs = (task: NewTask) => ({
  title: task.title,
  created_by: task.createdBy,
  ...(task.description === undefined ? {} : { description: task.description }),
  ...(task.queue === undefined ? {} : { queue_name: task.queue }),
  ...(task.assignee === undefined ? {} : { assigned_to: task.assignee }),
  ...(task.priority === undefined ? {} : { priority: task.priority }),
  ...(task.tags === undefined ? {} : { tags: task.tags }),
  ...(task.parent === undefined ? {} : { parent_task_id: task.parent }),
  ...(task.blockedBy === undefined ? {} : { blocked_by_task_id: task.blockedBy })
})

/** Builds the client; nothing is sent yet. */
export const makeTinytask = Effect.fn("makeTinytask")(function* (options: TinytaskOptions) {
  const connection = yield* Effect.fromResult(connectionOf(options))
  const { limits, listLimits, target } = connection
  const createTask = Effect.fn("Tinytask.createTask")(function* (task: NewTask) {
    // The server would store it as a queue of its own, named by nothing.
    if (task.queue?.trim() === "")
      return yield* new TaskQueueRejected({ call: "create_task", reason: "the queue is empty" })
    const args = newTaskArgs(task)
    return yield* callTool(target, limits, { tool: "create_task", args, repeatable: false, decode: decodeTask })
  })
  const archive = Effect.fn("Tinytask.archive")(function* (id: TaskId) {
    return yield* callTool(target, limits, { tool: "archive_task", args: { id }, repeatable: true, decode: decodeTask })
  })
  return Tinytask.of({
    queue: yield* makeQueue(connection),
    createTask,
    listAll: callTool(target, listLimits, { tool: "list_tasks", args: {}, repeatable: true, decode: decodeTasks }),
    archive,
    probe: probeServer(target, limits)
  })
})

/** The whole client. */
export const layerTinytask = (options: TinytaskOptions): Layer.Layer<Tinytask, EndpointRefused> =>
  Layer.effect(Tinytask, makeTinytask(options))

/** The port of the scheduler's pass alone. */
export const layerTaskQueue = (options: TinytaskOptions): Layer.Layer<TaskQueue, EndpointRefused> =>
  Layer.effect(
    TaskQueue,
    Effect.map(makeTinytask(options), (tinytask) => tinytask.queue)
  )
