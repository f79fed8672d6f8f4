/**
 * One MCP request as one POST: Tinytask is stateless and wants no handshake. Turns every way in which an HTTP server can
 * fail to be a Tinytask into one sentence, and recognises a server that only speaks the legacy transport.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { CallFailure, quoted } from "./CallFailure.ts"
import type { Endpoint } from "./Endpoint.ts"
import { exchangeHttp, type HttpReply } from "./HttpExchange.ts"

/** What every request needs to know about the server. */
export interface McpTarget {
  readonly endpoint: Endpoint
  readonly token: string | null
  /** The largest answer that is read, in bytes. */
  readonly maxBytes: number
}

/** The protocol whose headers and shapes are used here; the server takes any version since 2024-10-07. */
export const protocolVersion = "2025-06-18"

/** The server answers a larger body with a bare status 500. */
const requestBytesMax = 100 * 1024

/** How long a server may take to show that it speaks the legacy transport. */
const sniffMs = 2000

const legacySentence =
  "it speaks only the legacy HTTP+SSE transport; restart Tinytask with streamable HTTP " +
  "(TINYTASK_MODE=http, without TINYTASK_ENABLE_SSE)"

/** One request per POST, so that any constant tells its answer from what a server may add to the stream. */
const requestId = 1

const RpcAnswer = Schema.Struct({
  id: Schema.Literal(requestId),
  result: Schema.optionalKey(Schema.Unknown),
  error: Schema.optionalKey(Schema.Struct({ code: Schema.Finite, message: Schema.String }))
})
type RpcAnswer = typeof RpcAnswer.Type

const decodeAnswer = Schema.decodeUnknownOption(RpcAnswer)

/** JSON text as a value; undefined, which no JSON text means, when it is none. */
export const parseJson = (text: string): unknown => Result.getOrUndefined(Result.try((): unknown => JSON.parse(text)))

const pickAnswer = (event: { readonly data: string }): RpcAnswer | undefined => {
  const parsed = parseJson(event.data)
  const answers = Array.isArray(parsed) ? parsed : [parsed]
  for (const answer of answers) {
    const decoded = decodeAnswer(answer)
    if (Option.isSome(decoded)) return decoded.value
  }
  return undefined
}

const authorization = (token: string | null): Readonly<Record<string, string>> =>
  token === null ? {} : { authorization: `Bearer ${token}` }

/** Asks for the stream that a legacy server opens with its `endpoint` event; a modern one stays silent. */
const speaksLegacy = Effect.fnUntraced(function* (target: McpTarget) {
  const reply = yield* exchangeHttp({
    method: "GET",
    url: target.endpoint.mcp,
    headers: { accept: "text/event-stream", ...authorization(target.token) },
    body: null,
    maxBytes: 64 * 1024,
    pick: ({ event }) => event === "endpoint"
  }).pipe(
    Effect.timeoutOption(sniffMs),
    Effect.orElseSucceed(() => Option.none<HttpReply<boolean>>())
  )
  return Option.isSome(reply) && reply.value.picked === true
})

const unusable = (reason: string) => new CallFailure({ kind: "unusable", reason })

const redirected = (target: McpTarget, location: string | null): CallFailure => {
  const to = location === null ? null : URL.parse(location, target.endpoint.mcp.href)
  return unusable(
    `it redirects${to === null ? "" : ` to ${quoted(`${to.origin}${to.pathname}`, target.token)}`}, ` +
      "which is not followed; set the endpoint to the server itself"
  )
}

/** What a status other than 200 means. */
const failWithStatus = Effect.fnUntraced(function* (target: McpTarget, reply: HttpReply<RpcAnswer>) {
  const { status } = reply
  // A page for a browser, of a proxy or of whatever else listens there, says no more than its status.
  const body = reply.contentType.startsWith("text/html") ? "" : quoted(reply.body, target.token)
  const said = body === "" ? "" : `: ${body}`
  if (status >= 300 && status < 400) return yield* redirected(target, reply.location)
  if (status === 502 || status === 503 || status === 504) {
    return yield* new CallFailure({ kind: "broken", reason: `HTTP ${status}${said}` })
  }
  if (status === 401 || status === 403) {
    return yield* unusable(`HTTP ${status}, it refuses the token or its absence${said}`)
  }
  if (status === 400 || status === 404 || status === 405) {
    const legacy = reply.body.includes("Missing session ID") || (yield* speaksLegacy(target))
    if (legacy) return yield* unusable(legacySentence)
  }
  const where = status === 404 ? `, there is no MCP endpoint at ${target.endpoint.mcp.pathname}` : ""
  return yield* unusable(`HTTP ${status}${where}${said}`)
})

const send = Effect.fnUntraced(function* (target: McpTarget, method: string, body: string) {
  const reply = yield* exchangeHttp({
    method: "POST",
    url: target.endpoint.mcp,
    headers: {
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      ...(method === "initialize" ? {} : { "mcp-protocol-version": protocolVersion }),
      ...authorization(target.token)
    },
    body,
    maxBytes: target.maxBytes,
    pick: pickAnswer
  })
  if (reply.status !== 200) return yield* failWithStatus(target, reply)
  if (reply.picked !== undefined) return reply.picked
  const type = quoted(reply.contentType, target.token)
  if (reply.contentType.startsWith("text/event-stream")) {
    return yield* new CallFailure({ kind: "broken", reason: "its stream ended without the answer" })
  }
  return yield* unusable(
    reply.contentType.startsWith("application/json")
      ? "its JSON is not an answer to the request"
      : `it answers with ${type === "" ? "an unnamed type" : type}, which no Tinytask does`
  )
})

/** Sends one request; the answer is its `result`. */
export const requestMcp = Effect.fnUntraced(function* (target: McpTarget, method: string, params: object) {
  const body = JSON.stringify({ jsonrpc: "2.0", id: requestId, method, params })
  const bytes = Buffer.byteLength(body)
  if (bytes > requestBytesMax) {
    return yield* new CallFailure({
      kind: "refused",
      reason: `the request is ${bytes} bytes long, and Tinytask takes at most ${requestBytesMax}`
    })
  }
  const answer = yield* send(target, method, body)
  if (answer.error !== undefined) {
    const { code, message } = answer.error
    const reason = `JSON-RPC error ${code}: ${quoted(message, target.token)}`
    return yield* new CallFailure({ kind: code === -32601 ? "unusable" : "refused", reason })
  }
  return answer.result
})
