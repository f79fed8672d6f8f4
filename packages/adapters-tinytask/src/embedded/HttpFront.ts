/**
 * The sockets of the embedded server: paths, methods, the cap on bodies, and who may ask at all. A web page that a browser
 * shows must not reach the tasks, so a foreign Origin is refused, and on loopback a foreign Host as well (DNS rebinding).
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http"
import { isLoopbackHost } from "../Endpoint.ts"
import { answerPost, type HttpAnswer, jsonAnswer, rpcRefusal } from "./McpEndpoint.ts"
import type { Tool } from "./Tool.ts"

export interface FrontOptions {
  readonly tools: ReadonlyMap<string, Tool>
  /** Only reachable from this machine. */
  readonly loopback: boolean
  /** The body of GET /health. */
  readonly health: () => object
}

export interface Front {
  readonly server: Server
  /** Ends the streams that clients hold open and that would keep the server from closing. */
  readonly endStreams: () => void
}

/** The real server's cap, which it answers with a bare 500. */
const bodyBytesMax = 100 * 1024

/** After this time without a word the real server cuts a silent stream; clients open it anew. */
const silentMs = 120_000

const header = (request: IncomingMessage, name: string): string => {
  const value = request.headers[name]
  return typeof value === "string" ? value : ""
}

const hostNameOf = (authority: string): string | null => URL.parse(`http://${authority}`)?.hostname ?? null

/** Why a request may not be answered at all; null when it may. */
const foreign = (request: IncomingMessage, loopback: boolean): string | null => {
  const host = header(request, "host")
  const hostName = hostNameOf(host)
  if (hostName === null || (loopback && !isLoopbackHost(hostName))) return "Forbidden: foreign Host header"
  const origin = header(request, "origin")
  if (origin === "") return null
  const originName = URL.parse(origin)?.hostname ?? ""
  const known = loopback ? isLoopbackHost(originName) : originName === hostName
  return known ? null : "Forbidden: foreign Origin header"
}

const write = (response: ServerResponse, answer: HttpAnswer): void => {
  response.writeHead(answer.status, {
    "content-type": answer.contentType,
    "content-length": Buffer.byteLength(answer.body),
    "cache-control": "no-cache"
  })
  response.end(answer.body)
}

/** Reads to the end even what is too long, so that the client is done sending and sees the answer. */
const readBody = (request: IncomingMessage, done: (body: string | null) => void): void => {
  const chunks: Array<Buffer> = []
  let bytes = 0
  request.on("data", (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes <= bodyBytesMax) chunks.push(chunk)
  })
  request.on("end", () => done(bytes > bodyBytesMax ? null : Buffer.concat(chunks).toString("utf8")))
}

const post = (options: FrontOptions, request: IncomingMessage, response: ServerResponse): void =>
  readBody(request, (body) => {
    if (body === null) return write(response, jsonAnswer(500, { error: "Internal server error" }))
    const version = header(request, "mcp-protocol-version")
    const answer = answerPost(options.tools, {
      accept: header(request, "accept"),
      contentType: header(request, "content-type"),
      protocolVersion: version === "" ? null : version,
      body
    })
    return write(response, answer)
  })

/** A stream on which nothing ever comes: clients of the protocol open one and are content. */
const openStream = (streams: Set<ServerResponse>, request: IncomingMessage, response: ServerResponse): void => {
  if (!header(request, "accept").includes("text/event-stream")) {
    return write(response, rpcRefusal(406, -32000, "Not Acceptable: Client must accept text/event-stream"))
  }
  streams.add(response)
  response.on("close", () => streams.delete(response))
  response.setTimeout(silentMs, () => response.end())
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-cache, no-transform" })
  response.flushHeaders()
}

/** Makes the server; it does not listen yet. */
export const makeFront = (options: FrontOptions): Front => {
  const streams = new Set<ServerResponse>()
  const mcp = (request: IncomingMessage, response: ServerResponse): void => {
    if (request.method === "POST") return post(options, request, response)
    if (request.method === "GET") return openStream(streams, request, response)
    if (request.method === "DELETE") {
      return write(response, { status: 200, contentType: "text/plain; charset=UTF-8", body: "" })
    }
    response.setHeader("allow", "GET, POST, DELETE")
    return write(response, rpcRefusal(405, -32000, "Method not allowed."))
  }
  const server = createServer({ requestTimeout: 30_000, keepAliveTimeout: 65_000 }, (request, response) => {
    const refusal = foreign(request, options.loopback)
    const path = (request.url ?? "/").split("?", 1)[0] ?? "/"
    if (refusal !== null) write(response, rpcRefusal(403, -32000, refusal))
    else if (path === "/mcp" || path.startsWith("/mcp/")) mcp(request, response)
    else if (path === "/health" && request.method === "GET") write(response, jsonAnswer(200, options.health()))
    else write(response, jsonAnswer(404, { error: "Not found" }))
    // What a handler did not read must not stay in the way of the connection's next request.
    if (!request.readableFlowing) request.resume()
  })
  return {
    server,
    endStreams: () => {
      for (const stream of streams) stream.end()
    }
  }
}
