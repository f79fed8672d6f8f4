/**
 * MCP over streamable HTTP as Tinytask speaks it: every POST stands for itself, no session, no handshake needed, an answer
 * is always an event stream. Knows nothing of sockets: a request is plain data, and so is its answer.
 */
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { pretty, type Tool, type ToolAnswer } from "./Tool.ts"

/** What of a POST matters here. */
export interface McpPost {
  readonly accept: string
  readonly contentType: string
  readonly protocolVersion: string | null
  readonly body: string
}

export interface HttpAnswer {
  readonly status: number
  readonly contentType: "application/json" | "text/event-stream" | "text/plain; charset=UTF-8"
  readonly body: string
}

const protocolVersions = ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05", "2024-10-07"]

const Id = Schema.Union([Schema.String, Schema.Int])
const Params = Schema.Record(Schema.String, Schema.Unknown)
const version = Schema.Literal("2.0")
const Request = Schema.Struct({ jsonrpc: version, id: Id, method: Schema.String, params: Schema.optionalKey(Params) })
const Notification = Schema.Struct({ jsonrpc: version, method: Schema.String, id: Schema.optionalKey(Schema.Never) })
/** A client's answer to a question that this server never asks. */
const Reply = Schema.Struct({ jsonrpc: version, id: Id, result: Schema.optionalKey(Schema.Unknown) })
type Request = typeof Request.Type

const decodeRequest = Schema.decodeUnknownOption(Request)
const isQuiet = Schema.is(Schema.Union([Notification, Reply]))
const isCallable = Schema.is(Params)

export const jsonAnswer = (status: number, value: unknown): HttpAnswer => ({
  status,
  contentType: "application/json",
  body: JSON.stringify(value)
})

/** A refusal of the whole POST, in JSON-RPC's words. */
export const rpcRefusal = (status: number, code: number, message: string): HttpAnswer =>
  jsonAnswer(status, { jsonrpc: "2.0", error: { code, message }, id: null })

interface RpcError {
  readonly code: number
  readonly message: string
}

const badParameter = (path: string, expected: string, received: unknown): RpcError => {
  const kind = received === null ? "null" : Array.isArray(received) ? "array" : typeof received
  const message = `Invalid input: expected ${expected}, received ${kind}`
  return { code: -32603, message: pretty([{ expected, code: "invalid_type", path: ["params", path], message }]) }
}

const asContent = ({ isError, text }: ToolAnswer) => ({
  content: [{ type: "text", text }],
  ...(isError ? { isError: true } : {})
})

/** What SQLite throws, a locked database or a full disk, is this call's error and nobody else's. */
const callSafely = (tool: Tool, args: Readonly<Record<string, unknown>>): ToolAnswer =>
  Result.getOrElse(
    Result.try(() => tool.call(args)),
    (cause) => ({
      text: `Error calling tool ${tool.name}: ${cause instanceof Error ? cause.message : String(cause)}`,
      isError: true
    })
  )

const callTool = (tools: ReadonlyMap<string, Tool>, params: Request["params"]): Result.Result<unknown, RpcError> => {
  const { arguments: args = {}, name } = params ?? {}
  if (typeof name !== "string") return Result.fail(badParameter("name", "string", name))
  if (Array.isArray(args) || !isCallable(args)) return Result.fail(badParameter("arguments", "record", args))
  const tool = tools.get(name)
  if (tool === undefined) return Result.succeed(asContent({ text: `Unknown tool: ${name}`, isError: true }))
  return Result.succeed(asContent(callSafely(tool, args)))
}

const initialized = (params: Request["params"]) => {
  const wanted = params?.["protocolVersion"]
  const known = typeof wanted === "string" && protocolVersions.includes(wanted)
  return {
    protocolVersion: known ? wanted : "2025-11-25",
    capabilities: { tools: {} },
    serverInfo: { name: "tinytask-embedded", version: "1.0.0" }
  }
}

const answerRequest = (
  tools: ReadonlyMap<string, Tool>,
  { method, params }: Request
): Result.Result<unknown, RpcError> => {
  switch (method) {
    case "tools/call":
      return callTool(tools, params)
    case "tools/list":
      return Result.succeed({
        tools: [...tools.values()].map((tool) => ({
          name: tool.name,
          description: tool.description,
          inputSchema: tool.inputSchema()
        }))
      })
    case "initialize":
      return Result.succeed(initialized(params))
    case "ping":
      return Result.succeed({})
    default:
      return Result.fail({ code: -32601, message: "Method not found" })
  }
}

const eventOf = (tools: ReadonlyMap<string, Tool>, request: Request): string => {
  const answer = Result.match(answerRequest(tools, request), {
    onSuccess: (result) => ({ result, jsonrpc: "2.0", id: request.id }),
    onFailure: (error) => ({ jsonrpc: "2.0", id: request.id, error })
  })
  return `event: message\ndata: ${JSON.stringify(answer)}\n\n`
}

/** A body as its messages; a single one stands for a list of one, and no body at all for an empty object. */
const messagesOf = (body: string): Option.Option<ReadonlyArray<unknown>> => {
  const parsed = Result.try((): unknown => JSON.parse(body === "" ? "{}" : body))
  if (Result.isFailure(parsed) || typeof parsed.success !== "object" || parsed.success === null) return Option.none()
  return Option.some(Array.isArray(parsed.success) ? parsed.success : [parsed.success])
}

const unsupported = (wanted: string): string =>
  `Bad Request: Unsupported protocol version: ${wanted} (supported versions: ${protocolVersions.join(", ")})`

/** Answers one POST to `/mcp`; its refusals come in the real server's order. */
export const answerPost = (tools: ReadonlyMap<string, Tool>, post: McpPost): HttpAnswer => {
  const json = post.contentType.includes("application/json")
  const messages = json ? messagesOf(post.body) : Option.some([])
  if (Option.isNone(messages)) return jsonAnswer(400, { error: "Invalid JSON body" })
  if (!post.accept.includes("application/json") || !post.accept.includes("text/event-stream")) {
    const both = "Not Acceptable: Client must accept both application/json and text/event-stream"
    return rpcRefusal(406, -32000, both)
  }
  if (!json) return rpcRefusal(415, -32000, "Unsupported Media Type: Content-Type must be application/json")
  const requests: Array<Request> = []
  for (const message of messages.value) {
    const request = decodeRequest(message)
    if (Option.isSome(request)) requests.push(request.value)
    else if (!isQuiet(message)) return rpcRefusal(400, -32700, "Parse error: Invalid JSON-RPC message")
  }
  const initializing = requests.some(({ method }) => method === "initialize")
  if (initializing && messages.value.length > 1) {
    return rpcRefusal(400, -32600, "Invalid Request: Only one initialization request is allowed")
  }
  const wanted = post.protocolVersion
  if (!initializing && wanted !== null && !protocolVersions.includes(wanted)) {
    return rpcRefusal(400, -32000, unsupported(wanted))
  }
  if (requests.length === 0) return { status: 202, contentType: "text/plain; charset=UTF-8", body: "" }
  const body = requests.map((request) => eventOf(tools, request)).join("")
  return { status: 200, contentType: "text/event-stream", body }
}
