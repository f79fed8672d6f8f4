/**
 * How far the server's clock is from ours, by the Date header that HTTP servers send. It has whole seconds, and the
 * request takes a while: what lies within both is no difference.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { exchangeHttp } from "./HttpExchange.ts"
import type { McpTarget } from "./McpRequest.ts"

/** A header's resolution. */
const secondMs = 1000

/** Milliseconds by which it is surely ahead (positive) or behind; null when it does not tell. */
export const skewOf = (date: string | null, sentMs: number, answeredMs: number): number | null => {
  const theirs = date === null ? Number.NaN : Date.parse(date)
  if (Number.isNaN(theirs)) return null
  if (theirs > answeredMs) return theirs - answeredMs
  return theirs + secondMs < sentMs ? theirs + secondMs - sentMs : 0
}

/** Asks; whatever the server answers has the header, and no answer tells nothing. */
export const serverSkew = (target: McpTarget, timeoutMs: number): Effect.Effect<number | null> =>
  Effect.gen(function* () {
    const sent = yield* Clock.currentTimeMillis
    const reply = yield* exchangeHttp({
      method: "GET",
      url: new URL(`${target.endpoint.shown}/health`),
      headers: target.token === null ? {} : { authorization: `Bearer ${target.token}` },
      body: null,
      maxBytes: 64 * 1024,
      pick: () => undefined
    })
    return skewOf(reply.date, sent, yield* Clock.currentTimeMillis)
  }).pipe(
    Effect.timeoutOption(timeoutMs),
    Effect.map(Option.getOrNull),
    Effect.orElseSucceed(() => null)
  )
