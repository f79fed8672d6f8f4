import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { parseEndpoint } from "../src/Endpoint.ts"
import { makeTinytask } from "../src/TinytaskClient.ts"

describe("an endpoint", () => {
  it.each([
    ["http://localhost:3000", "http://localhost:3000"],
    ["http://localhost:3000/", "http://localhost:3000"],
    ["http://localhost:3000/mcp", "http://localhost:3000"],
    ["http://localhost:3000/mcp/", "http://localhost:3000"],
    ["http://127.0.0.1", "http://127.0.0.1"],
    ["http://127.8.9.1:1", "http://127.8.9.1:1"],
    ["http://[::1]:3000/mcp", "http://[::1]:3000"],
    ["http://tasks.localhost:80", "http://tasks.localhost"],
    ["https://example.com/tinytask/mcp", "https://example.com/tinytask"]
  ])("%s is %s", (given, shown) => {
    const endpoint = Result.getOrThrow(parseEndpoint(given))
    assert.deepStrictEqual([endpoint.shown, endpoint.mcp.href], [shown, `${shown}/mcp`])
  })

  it.each([
    ["localhost:3000", /only http and https/],
    ["", /not a URL/],
    ["not a url\u001b[31m", /^The Tinytask endpoint not\?a\?url\?\[31m is refused: it is not a URL/],
    ["ftp://localhost", /only http and https/],
    ["http://example.com", /use https or allow it explicitly/],
    ["http://localhost.example.com", /use https or allow it explicitly/],
    ["http://127.0.0.1.example.com", /use https or allow it explicitly/],
    ["http://10.0.0.1:3000/mcp", /use https or allow it explicitly/],
    ["http://localhost:3000?x=1", /query/],
    ["http://me:pass@localhost:3000", /^The Tinytask endpoint http:\/\/localhost:3000 is refused: credentials/]
  ])("%s is refused in one sentence", (given, says) => {
    const { message } = Result.getOrThrow(Result.flip(parseEndpoint(given)))
    assert.match(message, says)
    assert.notMatch(message, /pass|\n/)
  })

  it("on another machine may be plain http when that is allowed", () => {
    assert.isTrue(Result.isSuccess(parseEndpoint("http://10.0.0.1:3000", { allowInsecure: true })))
  })

  it.effect("with a token that no header can carry is refused without telling it", () =>
    Effect.gen(function* () {
      const options = { endpoint: "http://localhost:3000", token: "se\ncret" }
      const error = yield* Effect.flip(makeTinytask(options))
      assert.strictEqual(error._tag, "EndpointRefused")
      assert.notInclude(String(error), "cret")
    })
  )
})
