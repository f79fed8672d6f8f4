/**
 * Who answers at the endpoint: asked for when a person checks the configuration, never before an ordinary call. A server
 * that lacks a tool is reported with its names, since every later call would only fail one by one.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { CallFailure, quoted } from "./CallFailure.ts"
import { type McpTarget, protocolVersion, requestMcp } from "./McpRequest.ts"
import { serverSkew } from "./serverClock.ts"
import { asPortError, type CallLimits, withinLimits } from "./ToolCall.ts"

/** What a server said about itself. */
export interface ServerInfo {
  readonly endpoint: string
  readonly transport: "streamable-http"
  readonly name: string
  readonly version: string
  readonly protocolVersion: string
  readonly tools: ReadonlyArray<string>
  /** Tools that the scheduler and the command line need and the server lacks; empty when all is well. */
  readonly toolsMissing: ReadonlyArray<string>
  /** By how much its clock is ahead of ours (negative: behind), in milliseconds; null when it does not tell. */
  readonly skewMs: number | null
}

/** The tools that this package calls. */
const toolsNeeded = ["list_tasks", "get_task", "update_task", "add_comment", "create_task", "archive_task"]

const decodeInitialized = Schema.decodeUnknownEffect(
  Schema.Struct({
    protocolVersion: Schema.String,
    serverInfo: Schema.Struct({ name: Schema.String, version: Schema.String })
  })
)

const decodeTools = Schema.decodeUnknownEffect(
  Schema.Struct({ tools: Schema.Array(Schema.Struct({ name: Schema.String })) })
)

const ask = Effect.fnUntraced(function* (target: McpTarget) {
  const unreadable = (method: string) => () =>
    new CallFailure({ kind: "unusable", reason: `its answer to ${method} is not an MCP server's` })
  const initialized = yield* requestMcp(target, "initialize", {
    protocolVersion,
    capabilities: {},
    clientInfo: { name: "tinyscheduler", version: "1" }
  }).pipe(Effect.flatMap(decodeInitialized), Effect.catchTag("SchemaError", unreadable("initialize")))
  const { tools } = yield* requestMcp(target, "tools/list", {}).pipe(
    Effect.flatMap(decodeTools),
    Effect.catchTag("SchemaError", unreadable("tools/list"))
  )
  const names = tools.map(({ name }) => quoted(name, target.token))
  const info: Omit<ServerInfo, "skewMs"> = {
    endpoint: target.endpoint.shown,
    transport: "streamable-http",
    name: quoted(initialized.serverInfo.name, target.token),
    version: quoted(initialized.serverInfo.version, target.token),
    protocolVersion: quoted(initialized.protocolVersion, target.token),
    tools: names,
    toolsMissing: toolsNeeded.filter((tool) => !names.includes(tool))
  }
  return info
})

/** Asks the server for its name and its tools. */
export const probeServer = (target: McpTarget, limits: CallLimits) =>
  ask(target).pipe(
    withinLimits(limits, true),
    Effect.mapError(asPortError(target, "initialize")),
    Effect.flatMap((info) =>
      Effect.map(serverSkew(target, limits.timeoutMs), (skewMs): ServerInfo => ({ ...info, skewMs }))
    ),
    Effect.withSpan("Tinytask.probe")
  )
