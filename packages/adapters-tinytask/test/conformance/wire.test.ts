/** The transport, looked at from outside: what any MCP client may rely on. */
import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { defaultHeaders, layerTarget, messagesOf, Target } from "./Target.ts"

const ping = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "ping" })
const initialize = (version: string) => ({
  jsonrpc: "2.0",
  id: 1,
  method: "initialize",
  params: { protocolVersion: version, capabilities: {}, clientInfo: { name: "conformance", version: "1" } }
})

interface Refusal {
  readonly name: string
  readonly body: string
  readonly headers?: Record<string, string>
  readonly status: number
  readonly says: string
}

const refusals: ReadonlyArray<Refusal> = [
  {
    name: "an Accept without event streams",
    body: ping,
    headers: { accept: "application/json" },
    status: 406,
    says: "-32000"
  },
  { name: "an Accept of anything", body: ping, headers: { accept: "*/*" }, status: 406, says: "-32000" },
  { name: "another content type", body: ping, headers: { "content-type": "text/plain" }, status: 415, says: "-32000" },
  {
    name: "an unknown protocol version",
    body: ping,
    headers: { "mcp-protocol-version": "1999-01-01" },
    status: 400,
    says: "Unsupported protocol version"
  },
  { name: "what is no JSON", body: "{nope", status: 400, says: '{"error":"Invalid JSON body"}' },
  { name: "JSON that is no object", body: '"x"', status: 400, says: '{"error":"Invalid JSON body"}' },
  { name: "an object that is no JSON-RPC", body: '{"id":1}', status: 400, says: "-32700" },
  { name: "an empty body", body: "", status: 400, says: "-32700" },
  { name: "an id of null", body: '{"jsonrpc":"2.0","id":null,"method":"ping"}', status: 400, says: "-32700" },
  {
    name: "a body above 100 kB",
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "ping", params: { x: "x".repeat(110_000) } }),
    status: 500,
    says: '{"error":"Internal server error"}'
  },
  {
    name: "initialize in a batch",
    body: JSON.stringify([initialize("2025-06-18"), JSON.parse(ping)]),
    status: 400,
    says: "-32600"
  }
]

layer(layerTarget, { excludeTestServices: true })("the transport", (it) => {
  it.effect("answers a call without a handshake, as one event of an event stream", () =>
    Effect.gen(function* () {
      const { post } = yield* Target
      const answer = yield* post(ping)
      assert.strictEqual(answer.status, 200)
      assert.match(answer.contentType, /^text\/event-stream/)
      assert.match(answer.text, /^event: message\r?\ndata: \{.*\}\r?\n\r?\n$/)
      assert.deepStrictEqual(messagesOf(answer.text), [{ result: {}, id: 1 }])
    })
  )

  it.effect("echoes the protocol version that it was asked for, or offers its own", () =>
    Effect.gen(function* () {
      const { rpc } = yield* Target
      for (const [asked, given] of [
        ["2025-11-25", "2025-11-25"],
        ["2025-06-18", "2025-06-18"],
        ["2024-11-05", "2024-11-05"],
        ["1999-01-01", "2025-11-25"]
      ]) {
        const { result } = yield* rpc("initialize", initialize(asked!).params)
        assert.deepInclude(result, { protocolVersion: given })
        assert.nestedProperty(result, "capabilities.tools")
        assert.nestedProperty(result, "serverInfo.name")
      }
    })
  )

  it.effect("is stateless: it issues no session and overlooks a stale one", () =>
    Effect.gen(function* () {
      const { post, url } = yield* Target
      const opened = yield* Effect.promise(() =>
        fetch(`${url}/mcp`, { method: "POST", headers: defaultHeaders, body: JSON.stringify(initialize("2025-06-18")) })
      )
      assert.isNull(opened.headers.get("mcp-session-id"))
      yield* Effect.promise(() => opened.text())
      assert.strictEqual((yield* post(ping, { "mcp-session-id": "stale" })).status, 200)
    })
  )

  for (const { body, headers, name, says, status } of refusals) {
    it.effect(`refuses ${name} with ${status}`, () =>
      Effect.gen(function* () {
        const { post } = yield* Target
        const answer = yield* post(body, headers)
        assert.strictEqual(answer.status, status)
        assert.match(answer.contentType, /^application\/json/)
        assert.include(answer.text, says)
      })
    )
  }

  it.effect("takes notifications and empty batches without an answer", () =>
    Effect.gen(function* () {
      const { post } = yield* Target
      for (const body of ['{"jsonrpc":"2.0","method":"notifications/initialized"}', "[]"]) {
        const answer = yield* post(body)
        assert.strictEqual(answer.status, 202)
        assert.strictEqual(answer.text, "")
      }
    })
  )

  it.effect("answers every call of a batch, each under its id", () =>
    Effect.gen(function* () {
      const { post } = yield* Target
      const calls = Array.from({ length: 50 }, (_, id) => ({ jsonrpc: "2.0", id, method: "ping" }))
      const messages = messagesOf((yield* post(JSON.stringify(calls))).text)
      const ids = messages.map(({ id }) => Number(id)).toSorted((a, b) => a - b)
      assert.deepStrictEqual(
        ids,
        calls.map(({ id }) => id)
      )
    })
  )

  it.effect("names an unknown method, and parameters that are no call, in JSON-RPC's words", () =>
    Effect.gen(function* () {
      const { rpc } = yield* Target
      assert.deepInclude((yield* rpc("nope")).error, { code: -32601, message: "Method not found" })
      assert.strictEqual((yield* rpc("tools/call", { name: "get_task", arguments: null })).error?.code, -32603)
      assert.strictEqual((yield* rpc("tools/call", { arguments: {} })).error?.code, -32603)
    })
  )

  it.effect("opens a silent stream on GET, for clients that want one", () =>
    Effect.gen(function* () {
      const { http, url } = yield* Target
      const status = yield* Effect.promise(async (signal) => {
        const abort = new AbortController()
        const stream = await fetch(`${url}/mcp`, {
          headers: { accept: "text/event-stream" },
          signal: AbortSignal.any([signal, abort.signal])
        })
        abort.abort()
        return [stream.status, stream.headers.get("content-type")]
      })
      assert.deepStrictEqual(status, [200, "text/event-stream"])
      assert.strictEqual((yield* http("/mcp", { headers: { accept: "application/json" } })).status, 406)
    })
  )

  it.effect("knows no other methods and no other paths", () =>
    Effect.gen(function* () {
      const { http } = yield* Target
      assert.strictEqual((yield* http("/mcp", { method: "PUT", headers: defaultHeaders, body: ping })).status, 405)
      assert.strictEqual((yield* http("/mcp", { method: "DELETE" })).status, 200)
      const lost = yield* http("/nowhere", {})
      assert.strictEqual(lost.status, 404)
      assert.strictEqual(lost.text, '{"error":"Not found"}')
    })
  )

  it.effect("tells its transport on /health", () =>
    Effect.gen(function* () {
      const { http } = yield* Target
      const health = yield* http("/health", {})
      assert.strictEqual(health.status, 200)
      assert.deepInclude(JSON.parse(health.text), { status: "healthy", transport: "streamable-http" })
    })
  )
})
