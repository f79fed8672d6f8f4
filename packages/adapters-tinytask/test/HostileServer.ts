/** A server on loopback that answers as a test tells it to, and remembers what it was asked. */
import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { makeTinytask, type TinytaskOptions } from "../src/TinytaskClient.ts"

interface Asked {
  readonly method: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly tool: string
  readonly args: unknown
}

export interface Hostile {
  readonly url: string
  readonly asked: ReadonlyArray<Asked>
}

const decodeCall = Schema.decodeUnknownSync(
  Schema.fromJsonString(
    Schema.Struct({
      params: Schema.Struct({
        name: Schema.optionalKey(Schema.String),
        arguments: Schema.optionalKey(Schema.Unknown)
      })
    })
  )
)

/** Answers the n-th request, counted from 0. */
export type Behaviour = (response: ServerResponse, n: number, asked: Asked) => void

/** Starts the server; it and every connection to it end with the scope. */
export const serve = (behave: Behaviour): Effect.Effect<Hostile, never, Scope.Scope> =>
  Effect.gen(function* () {
    const asked: Array<Asked> = []
    const server = createServer((request, response) => {
      const chunks: Array<Buffer> = []
      request.on("data", (chunk: Buffer) => chunks.push(chunk))
      request.on("end", () => {
        const body = Buffer.concat(chunks).toString("utf8")
        const { params } = body === "" ? { params: {} } : decodeCall(body)
        const { method = "", url = "" } = request
        const one = { method, path: url, headers: request.headers, tool: params.name ?? "", args: params.arguments }
        asked.push(one)
        behave(response, asked.length - 1, one)
      })
    })
    const port = yield* Effect.acquireRelease(
      Effect.callback<number>((resume) => {
        server.listen(0, "127.0.0.1", () => {
          const address = server.address()
          resume(Effect.succeed(typeof address === "object" && address !== null ? address.port : 0))
        })
      }),
      () =>
        Effect.callback<void>((resume) => {
          server.close(() => resume(Effect.void))
          server.closeAllConnections()
        })
    )
    return { url: `http://127.0.0.1:${port}`, asked }
  })

/** A client with waits so short that no test waits for them. */
export const client = ({ url }: { readonly url: string }, options: Partial<TinytaskOptions> = {}) =>
  makeTinytask({ endpoint: url, token: null, timeoutMs: 20_000, retryBaseMs: 1, ...options })

export const event = (data: string): string => `event: message\ndata: ${data}\n\n`
export const rpcResult = (result: unknown): string => JSON.stringify({ jsonrpc: "2.0", id: 1, result })
export const toolText = (text: string, isError = false): string =>
  rpcResult({ content: [{ type: "text", text }], ...(isError ? { isError } : {}) })

/** Sends one event stream and ends it. */
export const sendEvents = (response: ServerResponse, events: string): void => {
  response.writeHead(200, { "content-type": "text/event-stream" })
  response.end(events)
}
export const sendTool = (response: ServerResponse, answer: unknown): void =>
  sendEvents(response, event(toolText(JSON.stringify(answer))))
export const sendRefusal = (response: ServerResponse, text: string): void =>
  sendEvents(response, event(toolText(text, true)))
export const sendStatus = (response: ServerResponse, status: number, body = "", headers = {}): void => {
  response.writeHead(status, headers)
  response.end(body)
}

/** A task as the server writes it. */
export const wireTask = (fields: object = {}): object => ({
  id: 1,
  title: "a task",
  description: null,
  status: "idle",
  assigned_to: null,
  previous_assigned_to: null,
  created_by: "p",
  priority: 0,
  tags: [],
  parent_task_id: null,
  queue_name: "dev",
  blocked_by_task_id: null,
  created_at: "2026-11-22T22:17:55Z",
  updated_at: "2026-11-22T22:17:55Z",
  archived_at: null,
  is_currently_blocked: false,
  ...fields
})
