/**
 * Where Tinytask is. Accepts the address with or without `/mcp`, and refuses, once and before any call, what would send a
 * token or task texts in the clear to another machine.
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"

/** The address in the settings can't be used; nothing was sent anywhere. */
export class EndpointRefused extends Schema.TaggedError<EndpointRefused>()("EndpointRefused", {
  endpoint: Schema.String,
  reason: Schema.String
}) {
  override get message() {
    return `The Tinytask endpoint ${this.endpoint} is refused: ${this.reason}`
  }
}

/** An address that passed: what people read, and the address that is called. */
export interface Endpoint {
  readonly shown: string
  readonly mcp: URL
}

const loopbackName = /^(?:localhost|(?:[a-z0-9-]+\.)+localhost|127(?:\.\d{1,3}){3}|\[::1\]|::1)$/i

/** Whether a host name can only mean this machine. */
export const isLoopbackHost = (host: string): boolean => loopbackName.test(host)

/** Control characters have no place in an address and would reach a terminal with the error. */
const printable = (text: string): string => text.replaceAll(/[^\u0021-\u007e]/g, "?").slice(0, 200)

/** Reads an address: `http://localhost:3000`, `…/`, `…/mcp` and `…/mcp/` are the same server. */
export const parseEndpoint = (
  text: string,
  options: { readonly allowInsecure?: boolean } = {}
): Result.Result<Endpoint, EndpointRefused> => {
  const refuse = (endpoint: string, reason: string) => Result.fail(new EndpointRefused({ endpoint, reason }))
  if (!URL.canParse(text)) return refuse(printable(text), "it is not a URL like http://localhost:3000")
  const url = new URL(text)
  const prefix = url.pathname.replace(/\/+$/, "").replace(/\/mcp$/, "")
  const shown = `${url.origin}${prefix}`
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    return refuse(printable(`${url.protocol}//${url.host}`), "only http and https are spoken")
  }
  if (url.username !== "" || url.password !== "") {
    return refuse(shown, "credentials don't belong in the address, a bearer token has its own setting")
  }
  if (url.search !== "" || url.hash !== "") return refuse(shown, "it must not have a query or a fragment")
  if (url.protocol === "http:" && !isLoopbackHost(url.hostname) && options.allowInsecure !== true) {
    return refuse(shown, "plain http to another machine is readable on the way; use https or allow it explicitly")
  }
  return Result.succeed({ shown, mcp: new URL(`${shown}/mcp`) })
}
