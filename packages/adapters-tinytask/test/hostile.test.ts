/**
 * Hostile values in every field of Tinytask's answers, and answers that are none: a task of the right form or one clean
 * sentence, always an error of the port, within the client's limits of time and size, and never the token.
 */
import { gzipSync } from "node:zlib"
import type { ServerResponse } from "node:http"
import { TaskId } from "@tinyscheduler/core/domain/identifiers"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { findUnclean, hostileJson, hostileTexts, placesIn, replaceAt } from "../../core/test/hostileValues.ts"
import { decodeDetails, decodeTasks } from "../src/TaskWire.ts"
import { client, event, rpcResult, sendEvents, serve, toolText, wireTask } from "./HostileServer.ts"

const id = TaskId.make(1)
const secret = "t0ken-that-nobody-may-read"
const details = { ...wireTask({ tags: ["recipe:a.yaml"] }), comments: [{ id: 1, content: "one" }] }

/** Clean once it is shown: what the port says is escaped by whoever shows it, and is bounded here. */
const expectSentence = (sentence: string, where: string): void => {
  assert.isNull(findUnclean(sentence), `${where}: ${sentence.slice(0, 300)}`)
  assert.notInclude(sentence, secret)
}

describe("hostile values in every field of a task", () => {
  it("are a task of the right form, or a refusal", () => {
    const decoders = [
      [details, decodeDetails] as const,
      [{ count: 1, tasks: [wireTask({ tags: ["x"] })] }, decodeTasks] as const
    ]
    for (const [valid, decode] of decoders) {
      assert.isTrue(Result.isSuccess<unknown, unknown>(decode(valid)))
      for (const place of placesIn(valid)) {
        for (const hostile of Object.values(hostileJson)) {
          const decoded: Result.Result<unknown, string> = decode(replaceAt(valid, place, hostile))
          if (Result.isFailure(decoded)) assert.isString(decoded.failure)
        }
      }
    }
    assert.isFalse("polluted" in {})
  })

  it.live("come back from a server as one clean sentence", () =>
    Effect.gen(function* () {
      let answer: unknown = null
      const server = yield* serve((response) => sendEvents(response, event(toolText(JSON.stringify(answer)))))
      const { queue } = yield* client(server, { token: secret })
      for (const value of Object.values(hostileTexts).filter((text) => text.length < 1000)) {
        for (const field of ["id", "status", "created_at", "tags", "priority"]) {
          answer = { count: 1, tasks: [{ ...wireTask(), [field]: field === "tags" ? [[value]] : value }] }
          const error = yield* Effect.flip(queue.listOpen)
          assert.strictEqual(error._tag, "TaskQueueUnreachable")
          expectSentence(error.message, field)
        }
      }
    })
  )
})

const send = (response: ServerResponse, type: string, body: string | Uint8Array, headers: object = {}): void => {
  response.writeHead(200, { "content-type": type, ...headers })
  response.end(body)
}

const rightList = toolText(JSON.stringify({ count: 1, tasks: [wireTask()] }))
const json = "application/json"
const stream = "text/event-stream"

/** Sends something again and again until the client has had enough. */
const forever = (response: ServerResponse, type: string, piece: string, everyMs: number): void => {
  response.writeHead(200, { "content-type": type })
  const timer = setInterval(() => response.write(piece), everyMs)
  response.on("close", () => clearInterval(timer))
}

const bomb = gzipSync(Buffer.alloc(20_000_000))

interface Answer {
  readonly name: string
  readonly behave: (response: ServerResponse) => void
  readonly says: RegExp
}

/** Long enough for every answer that comes, on a busy machine too. */
const slowMs = 2000

const notAnAnswer = /not an answer|not a tool's result|without the answer|unreadable|is no list|which no Tinytask does/

const rpc = (name: string, answer: unknown): Answer => ({
  name,
  behave: (response) => send(response, json, typeof answer === "string" ? answer : JSON.stringify(answer)),
  says: notAnAnswer
})

const answers: ReadonlyArray<Answer> = [
  rpc("nothing", ""),
  rpc("null", "null"),
  rpc("a number", "1e400"),
  rpc("an empty batch", []),
  rpc("another's id", { jsonrpc: "2.0", id: 2, result: {} }),
  rpc("the id as a text", { jsonrpc: "2.0", id: "1", result: { content: [] } }),
  rpc("no id", { jsonrpc: "2.0", result: { content: [] } }),
  rpc("a request", { jsonrpc: "2.0", id: 1, method: "sampling/createMessage", params: {} }),
  rpc("an error that is a text", { jsonrpc: "2.0", id: 1, error: "boom" }),
  rpc("an error without a number", { jsonrpc: "2.0", id: 1, error: { code: "x", message: "y" } }),
  rpc("a result that is a text", { jsonrpc: "2.0", id: 1, result: "x" }),
  rpc("content that is no list", { jsonrpc: "2.0", id: 1, result: { content: {} } }),
  rpc("content without text", { jsonrpc: "2.0", id: 1, result: { content: [{ type: "image", data: "AA" }] } }),
  rpc("a text that is no JSON", rpcResult({ content: [{ type: "text", text: "hello \u001b[2J" }] })),
  rpc("a list that is none", toolText(JSON.stringify({ tasks: { length: 1, 0: wireTask() } }))),
  rpc("a list without tasks", toolText("{}")),
  rpc("a deep list", toolText("[".repeat(90_000))),
  rpc("a deep task", toolText(`{"tasks":[${'{"a":'.repeat(20_000)}1${"}".repeat(20_000)}]}`)),
  rpc("a prototype", toolText('{"__proto__": {"tasks": []}}')),
  rpc("a deep answer", "[".repeat(100_000)),
  { name: "a picture", behave: (response) => send(response, "image/png", Uint8Array.of(1, 2)), says: notAnAnswer },
  {
    name: "a compressed bomb, which nobody asked for",
    behave: (response) => send(response, json, bomb, { "content-encoding": "gzip" }),
    says: /not an answer|longer than/
  },
  {
    name: "a type that moves a cursor",
    behave: (response) => {
      response.writeHead(200, { "content-type": "a/b\u009b2J" })
      response.end("x")
    },
    says: notAnAnswer
  },
  {
    name: "more than may be read",
    behave: (response) => send(response, json, "x".repeat(400_000)),
    says: /its answer is longer than 300000 bytes/
  },
  {
    name: "chunks without end",
    behave: (response) => forever(response, json, " ".repeat(20_000), 1),
    says: /its answer is longer than 300000 bytes/
  },
  {
    name: "events without end",
    behave: (response) => forever(response, stream, `: ${"x".repeat(20_000)}\n\n`, 1),
    says: /its answer is longer than 300000 bytes/
  },
  {
    name: "one line without end",
    behave: (response) => forever(response, stream, "data: ".padEnd(20_000, "x"), 1),
    says: /its answer is longer than 300000 bytes/
  },
  {
    name: "a byte now and then",
    behave: (response) => forever(response, stream, ":", 20),
    says: /no answer within 2 s/
  },
  {
    name: "a head and no more",
    behave: (response) => {
      response.writeHead(200, { "content-type": stream }).flushHeaders()
    },
    says: /no answer within 2 s/
  },
  { name: "nothing at all", behave: () => {}, says: /no answer within 2 s/ },
  {
    name: "a head that is too large",
    behave: (response) => send(response, json, "{}", { "x-much": "x".repeat(60_000) }),
    says: /the connection failed/
  },
  {
    name: "a break in the middle",
    behave: (response) => {
      response.writeHead(200, { "content-type": json, "content-length": "1000" })
      response.write(rightList.slice(0, 50), () => response.destroy())
    },
    says: /the connection broke|no answer within/
  },
  ...[301, 302, 303, 307, 308].map((status): Answer => ({
    name: `a redirect by ${status} to another origin`,
    behave: (response) => {
      response.writeHead(status, { location: `http://evil.example/\u001b${secret}`.replace("\u001b", "%1b") })
      response.end()
    },
    says: /redirects to http:\/\/evil\.example.*not followed/
  })),
  ...[400, 401, 403, 404, 405, 418, 429, 500, 502, 503].map((status): Answer => ({
    name: `status ${status} with a text that moves a cursor and repeats the token`,
    behave: (response) => {
      response.writeHead(status, { "content-type": "text/plain" })
      response.end(`\u001b]0;owned\u0007\u009b2J\u202e Bearer ${secret}\n\n\n`)
    },
    says: new RegExp(`HTTP ${status}`)
  }))
]

describe("an answer that is none", () => {
  for (const { behave, name, says } of answers) {
    it.live(`is told in one clean sentence: ${name}`, () =>
      Effect.gen(function* () {
        const server = yield* serve((response, _n, { method }) =>
          method === "GET" ? void response.writeHead(405).end() : behave(response)
        )
        const limits = { token: secret, timeoutMs: slowMs, listTimeoutMs: slowMs, retries: 1, maxAnswerBytes: 300_000 }
        const { queue } = yield* client(server, limits)
        const began = performance.now()
        for (const call of [Effect.asVoid(queue.listOpen), Effect.asVoid(queue.get(id))]) {
          const error = yield* Effect.flip(call)
          expectSentence(error.message, name)
          assert.match(error.message, says)
        }
        assert.isBelow(performance.now() - began, 20_000, "it has a bound, and this is far beyond it")
        for (const { path } of server.asked) assert.strictEqual(path, "/mcp")
      })
    )
  }
})
