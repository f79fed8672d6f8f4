/**
 * The server under test: the embedded one, or any other whose address is in TINYTASK_CONFORMANCE_URL. It may be shared, so
 * every run has names of its own, and deletes the tasks that it made.
 */
import { randomUUID } from "node:crypto"
import { assert } from "@effect/vitest"
import * as Config from "effect/Config"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { startEmbedded } from "../../src/embedded/EmbeddedTinytask.ts"
import { makeEventStreamDecoder } from "../../src/EventStream.ts"
import { makeTinytask, type Tinytask } from "../../src/TinytaskClient.ts"

export interface HttpAnswer {
  readonly status: number
  readonly contentType: string
  readonly text: string
}

/** What a tool answered. */
export interface Answer {
  readonly text: string
  readonly isError: boolean | undefined
}

/** Everything that some tool answers; an assertion on what one tool leaves out fails by itself. */
export interface Json {
  readonly id: number
  readonly title: string
  readonly description: string | null
  readonly status: string
  readonly assigned_to: string | null
  readonly previous_assigned_to: string | null
  readonly priority: number
  readonly queue_name: string | null
  readonly created_at: string
  readonly updated_at: string
  readonly archived_at: string | null
  readonly task_id: number
  readonly content: string
  readonly created_by: string | null
  readonly agent: string
  readonly count: number
  readonly recursive: boolean
  readonly subtask_count: number
  readonly filters: object
  readonly tags: ReadonlyArray<string>
  readonly parent_task_id: number | null
  readonly blocked_by_task_id: number | null
  readonly is_currently_blocked: boolean
  readonly url: string
  readonly total_tasks: number
  readonly by_status: object
  readonly assigned: number
  readonly unassigned: number
  readonly agents: ReadonlyArray<string>
  readonly tasks_cleared: number
  readonly queues: ReadonlyArray<string>
  readonly task: Json
  readonly comment: Json
  readonly tasks: ReadonlyArray<Json>
  readonly subtasks: ReadonlyArray<Json>
  readonly comments: ReadonlyArray<Json>
  readonly links: ReadonlyArray<Json>
}

const RpcMessage = Schema.Struct({
  id: Schema.Unknown,
  result: Schema.optionalKey(Schema.Unknown),
  error: Schema.optionalKey(Schema.Struct({ code: Schema.Int, message: Schema.String }))
})
const decodeMessage = Schema.decodeSync(Schema.fromJsonString(RpcMessage))
const ToolResult = Schema.Struct({
  content: Schema.Array(Schema.Struct({ type: Schema.Literal("text"), text: Schema.String })),
  isError: Schema.optionalKey(Schema.Boolean)
})

export const defaultHeaders = {
  "content-type": "application/json",
  accept: "application/json, text/event-stream"
}

export class Target extends Context.Service<
  Target,
  {
    readonly url: string
    readonly client: Tinytask["Service"]
    /** A name that nobody else uses. */
    readonly unique: (name: string) => string
    readonly http: (path: string, init: RequestInit) => Effect.Effect<HttpAnswer>
    /** Posts a body with the usual headers. */
    readonly post: (body: string, headers?: Record<string, string>) => Effect.Effect<HttpAnswer>
    readonly rpc: (method: string, params?: unknown) => Effect.Effect<typeof RpcMessage.Type>
    readonly tool: (name: string, args: object) => Effect.Effect<Answer>
    /** The JSON of a tool's success. */
    readonly json: (name: string, args: object) => Effect.Effect<Json>
    /** The text of a tool's error. */
    readonly refusal: (name: string, args: object) => Effect.Effect<string>
    /** Makes a task that is deleted at the end. */
    readonly make: (fields: object) => Effect.Effect<Json>
    readonly forget: (id: number) => Effect.Effect<void>
  }
>()("@tinyscheduler/adapters-tinytask/test/Target") {}

/** The messages in the events of an answer. */
export const messagesOf = (text: string): ReadonlyArray<typeof RpcMessage.Type> =>
  makeEventStreamDecoder()
    .push(text)
    .map(({ data }) => decodeMessage(data))

const makeTarget = Effect.gen(function* () {
  const configured = yield* Config.option(Config.NonEmptyString("TINYTASK_CONFORMANCE_URL"))
  const url = Option.isSome(configured)
    ? configured.value.replace(/\/+$/, "").replace(/\/mcp$/, "")
    : (yield* startEmbedded({ databasePath: ":memory:", port: 0 })).url
  const client = yield* makeTinytask({ endpoint: url, token: null, allowInsecure: true, author: "conformance" })
  const run = randomUUID().slice(0, 8)
  const made = new Set<number>()

  const http = (path: string, init: RequestInit) =>
    Effect.promise(async (signal) => {
      const response = await fetch(`${url}${path}`, { ...init, signal })
      const contentType = response.headers.get("content-type") ?? ""
      return { status: response.status, contentType, text: await response.text() }
    })
  const post = (body: string, headers: Record<string, string> = {}) =>
    http("/mcp", { method: "POST", headers: { ...defaultHeaders, ...headers }, body })
  const rpc = (method: string, params?: unknown) =>
    Effect.map(post(JSON.stringify({ jsonrpc: "2.0", id: 7, method, params })), (answer) => {
      assert.strictEqual(answer.status, 200, answer.text)
      const [message, ...more] = messagesOf(answer.text)
      assert.deepStrictEqual(more, [])
      return message!
    })
  const tool = (name: string, args: object) =>
    Effect.map(rpc("tools/call", { name, arguments: args }), ({ result }) => {
      const { content, isError } = Schema.decodeUnknownSync(ToolResult)(result)
      assert.strictEqual(content.length, 1)
      return { text: content[0]!.text, isError }
    })
  const json = (name: string, args: object) =>
    Effect.map(tool(name, args), ({ isError, text }): Json => {
      assert.strictEqual(isError, undefined, text)
      return JSON.parse(text)
    })
  const refusal = (name: string, args: object) =>
    Effect.map(tool(name, args), ({ isError, text }) => {
      assert.strictEqual(isError, true, text)
      return text
    })
  const forget = (id: number) => Effect.sync(() => void made.add(id))
  const make = (fields: object) =>
    Effect.tap(json("create_task", { title: "conformance", created_by: "conformance", ...fields }), (task: Json) =>
      forget(task.id)
    )
  yield* Effect.addFinalizer(() =>
    Effect.forEach(made, (id) => tool("delete_task", { id }), { discard: true, concurrency: 4 })
  )
  return Target.of({
    url,
    client,
    unique: (name) => `conformance-${run}-${name}`,
    http,
    post,
    rpc,
    tool,
    json,
    refusal,
    make,
    forget
  })
})

export const layerTarget = Layer.effect(Target, makeTarget)
