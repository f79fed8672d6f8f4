/**
 * What a command asks of the scheduler that holds the lock (`state/requests/<time>-<uuid>.json`), and what came of it.
 * A request names the attempt that it means: when that is no longer the latest, the request is about nothing any more.
 */
import * as Schema from "effect/Schema"
import { AgentName, Epoch, TaskId, Timestamp, Token } from "./identifiers.ts"

/** The largest request file that is read or written, in bytes. */
export const requestMaxBytes = 16 * 1024

/** A request that nobody carried out for so long is about another day; so long its answer is kept. */
export const requestKeptMs = 86_400_000

/** A UUID drawn for one request: it is carried out once. */
export const RequestId = Schema.String.check(
  Schema.isPattern(/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/, { message: "a UUID" })
).pipe(Schema.brand("RequestId"))
export type RequestId = typeof RequestId.Type

const Words = Schema.String.check(Schema.isMaxLength(500))

const common = {
  version: Schema.Literal(1),
  uuid: RequestId,
  /** When it was asked, on the wall clock. */
  at: Timestamp,
  /** Who asked: the user's name, for people. */
  by: Words
}

const ofAttempt = { ...common, taskId: TaskId, epoch: Epoch, token: Token }

/** Release a task: not parked, no backoff, counts begun anew. Names its latest attempt. */
export const RetryRequest = Schema.Struct({ ...ofAttempt, kind: Schema.Literal("retry") })
export type RetryRequest = typeof RetryRequest.Type

/** Stop an attempt. */
export const StopRequest = Schema.Struct({ ...ofAttempt, kind: Schema.Literal("stop") })
export type StopRequest = typeof StopRequest.Type

/** Start nothing new: for one agent, or (null) for all. */
export const PauseRequest = Schema.Struct({
  ...common,
  kind: Schema.Literal("pause"),
  agentName: Schema.NullOr(AgentName),
  /** Null: until resumed. */
  until: Schema.NullOr(Timestamp),
  reason: Schema.NullOr(Words)
})
export type PauseRequest = typeof PauseRequest.Type

/** End a pause: of one agent, or (null) of all together. */
export const ResumeRequest = Schema.Struct({
  ...common,
  kind: Schema.Literal("resume"),
  agentName: Schema.NullOr(AgentName)
})
export type ResumeRequest = typeof ResumeRequest.Type

/** Find and mend what people broke by hand. */
export const RepairRequest = Schema.Struct({
  ...common,
  kind: Schema.Literal("repair"),
  /** Whether what was set aside goes too; absent = no. */
  purge: Schema.optionalKey(Schema.Boolean)
})
export type RepairRequest = typeof RepairRequest.Type

/** The most tasks that one request may name. */
export const gcTasksMax = 500

/** Forget what is remembered of these tasks, where they are archived or gone. */
export const GcRequest = Schema.Struct({
  ...common,
  kind: Schema.Literal("gc"),
  taskIds: Schema.Array(TaskId).check(Schema.isMaxLength(gcTasksMax))
})
export type GcRequest = typeof GcRequest.Type

/** Carry out the plan that somebody kept and approved, if the next one is the same. */
export const ApplyRequest = Schema.Struct({
  ...common,
  kind: Schema.Literal("apply"),
  /** Of the kept plan; see `Plan.precondition`. */
  precondition: Schema.String.check(Schema.isPattern(/^[0-9a-f]{64}$/, { message: "a SHA-256 in hexadecimal" }))
})
export type ApplyRequest = typeof ApplyRequest.Type

/** What a command asks of the scheduler that holds the lock; carried out once. */
export type Request =
  | RetryRequest
  | StopRequest
  | PauseRequest
  | ResumeRequest
  | RepairRequest
  | GcRequest
  | ApplyRequest

const keys = { taskId: "task_id" } as const
const tasksKeys = { taskIds: "task_ids" } as const
const agentKeys = { agentName: "agent_name" } as const

/** A request as it stands in its file. */
export const RequestFile = Schema.Union([
  RetryRequest.pipe(Schema.encodeKeys(keys)),
  StopRequest.pipe(Schema.encodeKeys(keys)),
  PauseRequest.pipe(Schema.encodeKeys(agentKeys)),
  ResumeRequest.pipe(Schema.encodeKeys(agentKeys)),
  RepairRequest,
  GcRequest.pipe(Schema.encodeKeys(tasksKeys)),
  ApplyRequest
])

/** What came of a request: done; nothing, since it was so already; refused, since it can't be. */
export const RequestResult = Schema.Literals(["done", "nothing", "refused"])
export type RequestResult = typeof RequestResult.Type

/** Kept for a day under the request's uuid: whatever came back of the request's file is carried out no second time. */
export const RequestAnswer = Schema.Struct({
  version: Schema.Literal(1),
  uuid: RequestId,
  at: Timestamp,
  result: RequestResult,
  /** One sentence for whoever asked. */
  says: Schema.String.check(Schema.isMaxLength(4000))
})
export type RequestAnswer = typeof RequestAnswer.Type
