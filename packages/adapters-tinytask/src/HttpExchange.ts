/**
 * One HTTP request and what of its answer matters, over a connection of its own: a kept-alive one may be closing just when
 * it is used, and a write whose connection broke must not be repeated blindly. Knows whether anything was sent, reads no
 * more than it was allowed to, stops reading as soon as the wanted event is there, and never follows a redirect.
 */
import type { ClientRequest, IncomingMessage } from "node:http"
import * as Effect from "effect/Effect"
import { CallFailure } from "./CallFailure.ts"
import { makeEventStreamDecoder, type StreamEvent } from "./EventStream.ts"

export interface HttpExchange<A> {
  readonly method: "GET" | "POST"
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | null
  /** The largest answer that is read, in bytes. */
  readonly maxBytes: number
  /** Looks at each event, and at a JSON body as if it were one; what it answers with ends the reading. */
  readonly pick: (event: StreamEvent) => A | undefined
}

export interface HttpReply<A> {
  readonly status: number
  readonly contentType: string
  readonly location: string | null
  /** The server's clock, as the Date header has it. */
  readonly date: string | null
  /** The beginning of an answer that is neither an event stream nor JSON, or not a success: only for error texts. */
  readonly body: string
  readonly picked: A | undefined
}

/** Enough of a refusal for its error text. */
const refusalBytes = 16 * 1024

/** Node's modules are loaded when first used: https brings all of TLS with it, and a command line should start fast. */
const open = (exchange: HttpExchange<never> | HttpExchange<unknown>): ClientRequest => {
  const https = exchange.url.protocol === "https:"
  const { request } = https ? process.getBuiltinModule("node:https") : process.getBuiltinModule("node:http")
  return request(exchange.url, { method: exchange.method, headers: exchange.headers, agent: false })
}

const sentences: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nothing listens there (ECONNREFUSED)",
  ECONNRESET: "the connection was reset (ECONNRESET)",
  ENOTFOUND: "its host name is unknown (ENOTFOUND)",
  EAI_AGAIN: "its host name could not be looked up (EAI_AGAIN)",
  EHOSTUNREACH: "its host can't be reached (EHOSTUNREACH)",
  ENETUNREACH: "its network can't be reached (ENETUNREACH)"
}

/** `code` is what Node documents; an AggregateError of several addresses carries it too, with an empty message. */
const connectionReason = (error: NodeJS.ErrnoException): string => {
  const code = error.code ?? ""
  return sentences[code] ?? `the connection failed (${code === "" ? error.message : code})`
}

/** Certificates don't heal within seconds; everything else about a connection may. */
const isCertificateError = (error: NodeJS.ErrnoException): boolean =>
  /CERT|SELF_SIGNED|UNABLE_TO_|ERR_TLS|ERR_SSL/.test(error.code ?? "")

const readReply = <A>(
  exchange: HttpExchange<A>,
  response: IncomingMessage,
  done: (reply: HttpReply<A>) => void,
  fail: (failure: CallFailure) => void
): void => {
  const status = response.statusCode ?? 0
  const contentType = (response.headers["content-type"] ?? "").toLowerCase()
  const streamed = status === 200 && contentType.startsWith("text/event-stream")
  const json = status === 200 && contentType.startsWith("application/json")
  const decoder = makeEventStreamDecoder()
  const text = new TextDecoder("utf-8")
  const pieces: Array<string> = []
  let bytes = 0

  const finish = (picked: A | undefined, body = "") => {
    const { date = null, location = null } = response.headers
    done({ status, contentType, location, date, body, picked })
  }

  /** Answers whether one of the events was the wanted one. */
  const look = (events: ReadonlyArray<StreamEvent>): boolean => {
    for (const event of events) {
      const picked = exchange.pick(event)
      if (picked === undefined) continue
      finish(picked)
      return true
    }
    return false
  }

  response.on("data", (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes > exchange.maxBytes) {
      fail(new CallFailure({ kind: "unusable", reason: `its answer is longer than ${exchange.maxBytes} bytes` }))
      return
    }
    const piece = text.decode(chunk, { stream: true })
    if (streamed) look(decoder.push(piece))
    else pieces.push(piece)
    if (!streamed && !json && bytes > refusalBytes) finish(undefined, pieces.join(""))
  })
  response.on("end", () => {
    const last = text.decode()
    if (streamed) {
      if (!look([...decoder.push(last), ...decoder.end()])) finish(undefined)
      return
    }
    const body = `${pieces.join("")}${last}`
    finish(json ? exchange.pick({ event: "message", data: body }) : undefined, body)
  })
  const broke = () =>
    fail(new CallFailure({ kind: "broken", reason: "the connection broke before the whole answer came" }))
  response.on("error", broke)
  response.on("close", broke)
}

/** Sends the request and reads its answer; the first outcome counts, and the connection is gone afterwards. */
export const exchangeHttp = <A>(exchange: HttpExchange<A>): Effect.Effect<HttpReply<A>, CallFailure> =>
  Effect.callback((resume) => {
    const request = open(exchange)
    let connected = false
    const settle = (outcome: Effect.Effect<HttpReply<A>, CallFailure>) => {
      resume(outcome)
      request.destroy()
    }
    const fail = (failure: CallFailure) => settle(Effect.fail(failure))

    request.on("socket", (socket) => socket.once("connect", () => (connected = true)))
    request.on("error", (error: NodeJS.ErrnoException) => {
      const kind = isCertificateError(error) ? "unusable" : connected ? "broken" : "unsent"
      fail(new CallFailure({ kind, reason: connectionReason(error) }))
    })
    request.on("response", (response) => readReply(exchange, response, (reply) => settle(Effect.succeed(reply)), fail))
    request.end(exchange.body ?? undefined)
    return Effect.sync(() => request.destroy())
  })
