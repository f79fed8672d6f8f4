/** The client against servers that are slow, broken, old, rude or no Tinytask at all. */
import type { ServerResponse } from "node:http"
import { TaskId } from "@tinyscheduler/core/domain/identifiers"
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import {
  client,
  event,
  rpcResult,
  sendEvents,
  sendRefusal,
  sendStatus,
  sendTool,
  serve,
  toolText,
  wireTask
} from "./HostileServer.ts"

const id = TaskId.make(1)
const aList = toolText(JSON.stringify({ count: 1, tasks: [wireTask()] }))
const html = { "content-type": "text/html" }

const expectUnreachable = (error: { readonly _tag: string; readonly message: string }, says: RegExp) => {
  assert.strictEqual(error._tag, "TaskQueueUnreachable")
  assert.match(error.message, says)
  assert.notInclude(error.message, "\n")
}

describe("an answer", () => {
  const shapes: ReadonlyArray<readonly [string, string, string]> = [
    ["plain JSON", "application/json; charset=utf-8", aList],
    ["a JSON batch", "application/json", `[${aList}]`],
    ["an event with CRLF", "text/event-stream", event(aList).replaceAll("\n", "\r\n")],
    ["an event without a space after the colon", "text/event-stream", `data:${aList}\n\n`],
    [
      "an event whose data spans lines",
      "text/event-stream",
      `data: {"jsonrpc":"2.0","id":1,\ndata: ${aList.slice(24)}\n\n`
    ],
    ["an event without the closing blank line", "text/event-stream", `data: ${aList}`],
    [
      "comments and foreign messages before it",
      "text/event-stream",
      `: hello\n\n${event('{"jsonrpc":"2.0","method":"notifications/message"}')}id: 4\nretry: 5\n${event(aList)}`
    ],
    ["separators of lines that end none", "text/event-stream", event(aList.replace("a task", "a\u2028task\u0085"))]
  ]
  for (const [name, type, body] of shapes) {
    it.live(`is read as ${name}`, () =>
      Effect.gen(function* () {
        const server = yield* serve((response) => sendStatus(response, 200, body, { "content-type": type }))
        const { queue } = yield* client(server)
        assert.strictEqual((yield* queue.listOpen).length, 1)
        assert.strictEqual(server.asked.length, 1)
      })
    )
  }

  it.live("is read from single bytes, in the middle of a character too", () =>
    Effect.gen(function* () {
      const bytes = Buffer.from(event(aList.replace("a task", "\u{1F680} é\u2028")))
      const server = yield* serve((response) => {
        response.writeHead(200, { "content-type": "text/event-stream" })
        const drip = (at: number): void => {
          if (at === bytes.length) response.end()
          else response.write(bytes.subarray(at, at + 1), () => drip(at + 1))
        }
        drip(0)
      })
      const { queue } = yield* client(server)
      assert.strictEqual((yield* queue.listOpen)[0]?.title, "\u{1F680} é\u2028")
    })
  )

  it.live("is enough: a stream that goes on for ever after it is left", () =>
    Effect.gen(function* () {
      const left = yield* Deferred.make<void>()
      const server = yield* serve((response) => {
        response.on("close", () => Deferred.doneUnsafe(left, Effect.void))
        response.writeHead(200, { "content-type": "text/event-stream" })
        response.write(event(aList))
      })
      const { queue } = yield* client(server)
      assert.strictEqual((yield* queue.listOpen).length, 1)
      yield* Deferred.await(left)
    })
  )

  it.live("with old times, empty names and missing fields is translated", () =>
    Effect.gen(function* () {
      const old = {
        id: 3,
        title: "old",
        status: "working",
        priority: 0,
        tags: null,
        assigned_to: "",
        queue_name: "",
        created_at: "2026-01-10 22:25:39"
      }
      const server = yield* serve((response) => sendTool(response, { count: 1, tasks: [old] }))
      const { queue } = yield* client(server)
      assert.deepStrictEqual(yield* queue.listOpen, [
        {
          id: TaskId.make(3),
          title: "old",
          status: "working",
          queue: null,
          assignee: null,
          priority: 0,
          tags: [],
          parent: null,
          blockedBy: null,
          blocked: false,
          createdAt: "2026-01-10T22:25:39Z",
          archived: false
        }
      ])
    })
  )
})

describe("a server that can't be used", () => {
  const answers: ReadonlyArray<readonly [string, number, string, Readonly<Record<string, string>>, RegExp]> = [
    ["answers with HTML", 200, "<html>login</html>", html, /answers with text\/html, which no Tinytask does$/],
    ["names no content type", 200, "ok", {}, /answers with an unnamed type/],
    ["fails with 500", 500, '{"error":"Internal server error"}', {}, /HTTP 500: \{"error":"Internal server error"\}$/],
    ["fails with a page for people", 501, "<html><h1>Error</h1></html>", html, /HTTP 501$/],
    ["has no such path", 404, "nope", {}, /HTTP 404, there is no MCP endpoint at \/mcp: nope$/],
    ["wants a token", 401, "who are you?", {}, /HTTP 401, it refuses the token or its absence: who are you\?$/],
    ["sends malformed JSON", 200, "{oops", { "content-type": "application/json" }, /its JSON is not an answer/],
    [
      "sends a malformed event",
      200,
      event("{oops"),
      { "content-type": "text/event-stream" },
      /ended without the answer$/
    ],
    [
      "answers another request",
      200,
      event('{"jsonrpc":"2.0","id":99,"result":{}}'),
      { "content-type": "text/event-stream" },
      /ended without the answer$/
    ],
    [
      "gives no tool's result",
      200,
      event(rpcResult({ content: [] })),
      { "content-type": "text/event-stream" },
      /its answer to list_tasks is not a tool's result$/
    ],
    [
      "gives a text that is no JSON",
      200,
      event(toolText("hello\nthere")),
      { "content-type": "text/event-stream" },
      /unreadable, it is not JSON: hello there$/
    ],
    [
      "gives something that is no list",
      200,
      event(toolText("{}")),
      { "content-type": "text/event-stream" },
      /unreadable, it is no list: Missing key/
    ],
    [
      "knows no tools",
      200,
      event('{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"Method not found"}}'),
      { "content-type": "text/event-stream" },
      /JSON-RPC error -32601: Method not found$/
    ]
  ]
  for (const [name, status, body, headers, says] of answers) {
    it.live(`is one that ${name}`, () =>
      Effect.gen(function* () {
        const server = yield* serve((response) => sendStatus(response, status, body, headers))
        const { queue } = yield* client(server, { retries: 0 })
        expectUnreachable(yield* Effect.flip(queue.listOpen), says)
      })
    )
  }

  it.live("is one that nobody listens at", () =>
    Effect.gen(function* () {
      const gone = yield* Effect.scoped(serve((response) => response.end()))
      const { queue } = yield* client(gone)
      expectUnreachable(yield* Effect.flip(queue.listOpen), /nothing listens there \(ECONNREFUSED\)$/)
    })
  )

  it.live("is one that takes the call and never answers, and it is asked once", () =>
    Effect.gen(function* () {
      const server = yield* serve(() => {})
      const { queue } = yield* client(server, { timeoutMs: 50, listTimeoutMs: 50 })
      expectUnreachable(yield* Effect.flip(queue.listOpen), /no answer within 0\.05 s$/)
      expectUnreachable(yield* Effect.flip(queue.get(id)), /no answer within 0\.05 s$/)
      assert.strictEqual(server.asked.length, 2)
    })
  )

  it.live("is one whose stream never ends and never answers", () =>
    Effect.gen(function* () {
      const server = yield* serve((response) => {
        response.writeHead(200, { "content-type": "text/event-stream" })
        const drip = (): void =>
          void (response.destroyed || response.write(": still here\n\n", () => setImmediate(drip)))
        drip()
      })
      const { queue } = yield* client(server, { timeoutMs: 100, listTimeoutMs: 100 })
      expectUnreachable(yield* Effect.flip(queue.listOpen), /no answer within 0\.1 s$/)
    })
  )

  it.live("is one whose answer is longer than may be read, and the rest of it is not read", () =>
    Effect.gen(function* () {
      const left = yield* Deferred.make<void>()
      const server = yield* serve((response) => {
        response.on("close", () => Deferred.doneUnsafe(left, Effect.void))
        response.writeHead(200, { "content-type": "text/event-stream" })
        const pour = (): void => void (response.destroyed || response.write("x".repeat(4096), pour))
        pour()
      })
      const { queue } = yield* client(server, { maxAnswerBytes: 100_000 })
      expectUnreachable(yield* Effect.flip(queue.listOpen), /its answer is longer than 100000 bytes$/)
      yield* Deferred.await(left)
      assert.strictEqual(server.asked.length, 1)
    })
  )

  it.live("is one that lists a task which can't be read, and the error names it", () =>
    Effect.gen(function* () {
      const broken: ReadonlyArray<readonly [object, RegExp]> = [
        [{ status: "archived" }, /task 8 can't be read: .*"status"/],
        [{ title: null }, /task 8 can't be read: .*"title"/],
        [{ id: 0 }, /task 0 can't be read: .*"id"/],
        [{ id: "8" }, /a task without an id can't be read/],
        [{ created_at: "yesterday" }, /task 8 can't be read: Expected a UTC time at \["created_at"\]/],
        [{ blocked_by_task_id: "3" }, /task 8 can't be read: .*"blocked_by_task_id"/]
      ]
      for (const [fields, says] of broken) {
        const tasks = [wireTask({ id: 7 }), wireTask({ id: 8, ...fields })]
        const server = yield* serve((response) => sendTool(response, { count: 2, tasks }))
        const { queue } = yield* client(server)
        expectUnreachable(yield* Effect.flip(queue.listOpen), says)
      }
    })
  )
})

describe("the legacy transport", () => {
  const advice =
    /it speaks only the legacy HTTP\+SSE transport; restart Tinytask with streamable HTTP \(TINYTASK_MODE=http, without TINYTASK_ENABLE_SSE\)$/

  it.live("is recognised by its refusal of a POST without a session", () =>
    Effect.gen(function* () {
      const server = yield* serve((response) => sendStatus(response, 400, '{"error":"Missing session ID"}'))
      const { probe, queue } = yield* client(server)
      expectUnreachable(yield* Effect.flip(queue.listOpen), advice)
      expectUnreachable(yield* Effect.flip(probe), advice)
      assert.strictEqual(server.asked.length, 2)
    })
  )

  it.live("is recognised by its endpoint event when the refusal says nothing", () =>
    Effect.gen(function* () {
      const server = yield* serve((response, _n, { method }) => {
        if (method === "POST") return sendStatus(response, 405)
        response.writeHead(200, { "content-type": "text/event-stream" })
        return void response.write("event: endpoint\ndata: /mcp?sessionId=1\n\n")
      })
      const { queue } = yield* client(server)
      expectUnreachable(yield* Effect.flip(queue.listOpen), advice)
    })
  )
})

describe("a repetition", () => {
  const flaky = (status: number) =>
    serve((response, n) => (n < 2 ? sendStatus(response, status) : sendTool(response, { ...wireTask(), comments: [] })))

  for (const status of [502, 503, 504]) {
    it.live(`follows ${status} when the call may be repeated, and only then`, () =>
      Effect.gen(function* () {
        const reading = yield* flaky(status)
        assert.isNotNull(yield* (yield* client(reading)).queue.get(id))
        assert.strictEqual(reading.asked.length, 3)
        const writing = yield* flaky(status)
        const { createTask, queue } = yield* client(writing)
        expectUnreachable(yield* Effect.flip(createTask({ title: "t", createdBy: "c" })), new RegExp(`HTTP ${status}`))
        expectUnreachable(yield* Effect.flip(queue.comment(id, "x")), new RegExp(`HTTP ${status}`))
        assert.strictEqual(writing.asked.length, 2)
      })
    )
  }

  it.live("follows a broken connection for update, never for create and comment", () =>
    Effect.gen(function* () {
      const server = yield* serve((response, n) => (n < 3 ? response.destroy() : sendTool(response, wireTask())))
      const { createTask, queue } = yield* client(server)
      expectUnreachable(yield* Effect.flip(createTask({ title: "t", createdBy: "c" })), /reset/)
      expectUnreachable(yield* Effect.flip(queue.comment(id, "x")), /reset/)
      assert.strictEqual((yield* queue.update(id, { status: "idle" })).id, id)
      assert.deepStrictEqual(
        server.asked.map(({ tool }) => tool),
        ["create_task", "add_comment", "update_task", "update_task"]
      )
    })
  )

  it.live("follows an answer that breaks off in its middle", () =>
    Effect.gen(function* () {
      const server = yield* serve((response, n) => {
        if (n > 0) return sendEvents(response, event(aList))
        response.writeHead(200, { "content-type": "text/event-stream" })
        return void response.write(event(aList).slice(0, 40), () => response.destroy())
      })
      const { queue } = yield* client(server)
      assert.strictEqual((yield* queue.listOpen).length, 1)
      assert.strictEqual(server.asked.length, 2)
    })
  )

  it.live("follows a locked database for every call, since nothing was written", () =>
    Effect.gen(function* () {
      const locked = "Error adding comment: Execute failed: database is locked"
      const server = yield* serve((response, n) => (n < 2 ? sendRefusal(response, locked) : sendTool(response, {})))
      const { queue } = yield* client(server)
      yield* queue.comment(id, "x")
      assert.strictEqual(server.asked.length, 3)
    })
  )

  it.live("ends: a database that stays locked is a refusal at last", () =>
    Effect.gen(function* () {
      const server = yield* serve((response) => sendRefusal(response, "Error updating task: database is locked"))
      const { queue } = yield* client(server, { retries: 3 })
      const error = yield* Effect.flip(queue.update(id, { status: "idle" }))
      assert.deepInclude(error, { _tag: "TaskQueueRejected", call: "update_task" })
      assert.strictEqual(server.asked.length, 4)
    })
  )

  it.live("ends with the deadline, and the error tells what was wrong all along", () =>
    Effect.gen(function* () {
      const server = yield* serve((response) => sendStatus(response, 503))
      const { queue } = yield* client(server, { timeoutMs: 60, retries: 1_000_000, retryBaseMs: 20 })
      expectUnreachable(yield* Effect.flip(queue.get(id)), /no answer within 0\.06 s, and before that HTTP 503$/)
    })
  )

  it.live("never follows a refusal", () =>
    Effect.gen(function* () {
      const server = yield* serve((response) => sendRefusal(response, "Error updating task: Task not found: 1"))
      const { queue } = yield* client(server)
      const error = yield* Effect.flip(queue.update(id, { status: "idle" }))
      assert.strictEqual(error.message, "Tinytask refused update_task: Error updating task: Task not found: 1")
      assert.strictEqual(server.asked.length, 1)
    })
  )

  it.live("of a comment is the caller's: after a deadline the write may have happened, and a reading shows it", () =>
    Effect.gen(function* () {
      const comments: Array<object> = []
      const server = yield* serve((response, _n, { args, tool }) => {
        if (tool === "get_task") return sendTool(response, { ...wireTask(), comments, links: [] })
        return void comments.push(Object(args))
      })
      const { queue } = yield* client(server)
      const impatient = yield* client(server, { timeoutMs: 50 })
      expectUnreachable(yield* Effect.flip(impatient.queue.comment(id, "done")), /no answer within/)
      assert.deepStrictEqual((yield* queue.get(id))?.comments, ["done"])
      assert.deepStrictEqual(
        server.asked.map(({ tool }) => tool),
        ["add_comment", "get_task"]
      )
    })
  )
})

describe("what is sent", () => {
  it.live("names the protocol, accepts both kinds of answers, and has neither nulls nor keys of its own", () =>
    Effect.gen(function* () {
      const server = yield* serve((response) => sendTool(response, wireTask()))
      const { createTask, queue } = yield* client(server, { author: "me" })
      yield* queue.update(id, { status: "idle", assignee: null })
      yield* queue.update(id, { assignee: "bob" })
      yield* queue.comment(id, "text")
      yield* createTask({ title: "t", createdBy: "c" })
      yield* createTask({
        title: "t",
        createdBy: "c",
        queue: "q",
        assignee: "a",
        priority: 0,
        tags: [],
        description: "d",
        parent: id,
        blockedBy: id
      })
      assert.deepStrictEqual(
        server.asked.map(({ args }) => args),
        [
          { id: 1, status: "idle", assigned_to: "" },
          { id: 1, assigned_to: "bob" },
          { task_id: 1, content: "text", created_by: "me" },
          { title: "t", created_by: "c" },
          {
            title: "t",
            created_by: "c",
            queue_name: "q",
            assigned_to: "a",
            priority: 0,
            tags: [],
            description: "d",
            parent_task_id: 1,
            blocked_by_task_id: 1
          }
        ]
      )
      assert.deepInclude(server.asked[0]?.headers, {
        accept: "application/json, text/event-stream",
        "content-type": "application/json",
        "mcp-protocol-version": "2025-06-18"
      })
      assert.notProperty(server.asked[0]?.headers, "authorization")
      assert.strictEqual(server.asked[0]?.path, "/mcp")
    })
  )

  it.live("carries the token, and no error text ever does", () =>
    Effect.gen(function* () {
      const token = "s3cret-t0ken"
      const echoes = [
        (response: ServerResponse) => sendStatus(response, 401, `bad token ${token}`),
        (response: ServerResponse) => sendRefusal(response, `Error: ${token}`),
        (response: ServerResponse) => sendEvents(response, event(toolText(`no JSON ${token}`))),
        (response: ServerResponse) => sendStatus(response, 307, "", { location: `/x/${token}` }),
        (response: ServerResponse) => sendStatus(response, 200, "", { "content-type": `x/${token}` })
      ]
      for (const echo of echoes) {
        const server = yield* serve(echo)
        const { queue } = yield* client(server, { token })
        const error = yield* Effect.flip(queue.get(id))
        assert.strictEqual(server.asked[0]?.headers.authorization, `Bearer ${token}`)
        assert.notInclude(JSON.stringify(error) + String(error), token)
        assert.include(error.message, "[token]")
      }
    })
  )

  it.live("has no token in a comment, whatever output it quotes", () =>
    Effect.gen(function* () {
      const server = yield* serve((response) => sendTool(response, {}))
      const { queue } = yield* client(server, { token: "s3cret-t0ken" })
      yield* queue.comment(id, "its .env says s3cret-t0ken, s3cret-t0ken")
      assert.propertyVal(server.asked[0]?.args, "content", "its .env says [token], [token]")
    })
  )

  it.live("goes to no other server: a redirect is not followed", () =>
    Effect.gen(function* () {
      const other = yield* serve((response) => sendEvents(response, event(aList)))
      for (const status of [301, 302, 307, 308]) {
        const server = yield* serve((response) =>
          sendStatus(response, status, "", { location: `${other.url}/mcp?a=b` })
        )
        const { queue } = yield* client(server, { token: "s3cret-t0ken" })
        const says = new RegExp(`it redirects to ${other.url}/mcp, which is not followed`)
        expectUnreachable(yield* Effect.flip(queue.listOpen), says)
      }
      assert.deepStrictEqual(other.asked, [])
    })
  )

  it.live("ends when the caller is interrupted", () =>
    Effect.gen(function* () {
      const [taken, left] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
      const server = yield* serve((response) => {
        response.on("close", () => Deferred.doneUnsafe(left, Effect.void))
        Deferred.doneUnsafe(taken, Effect.void)
      })
      const { queue } = yield* client(server)
      const call = yield* Effect.forkChild(queue.listOpen)
      yield* Deferred.await(taken)
      yield* Fiber.interrupt(call)
      yield* Deferred.await(left)
    })
  )
})

describe("a server without the newest filters", () => {
  const refusal = 'Error calling tool list_tasks: [{"code":"unrecognized_keys"}]'
  const tasks = [
    wireTask(),
    wireTask({ id: 2, status: "complete" }),
    wireTask({ id: 3, archived_at: "2026-01-01 00:00:00" })
  ]

  it.live("is asked as it understands, filtered here, and asked so at once the next time", () =>
    Effect.gen(function* () {
      const server = yield* serve((response, _n, { args }) =>
        Object.keys(Object(args)).length === 0
          ? sendTool(response, { count: 3, tasks })
          : sendRefusal(response, refusal)
      )
      const { queue } = yield* client(server)
      assert.deepStrictEqual(
        (yield* queue.listOpen).map((task) => task.id),
        [id]
      )
      assert.deepStrictEqual(
        (yield* queue.listOpen).map((task) => task.id),
        [id]
      )
      assert.deepStrictEqual(
        server.asked.map(({ args }) => args),
        [{ exclude_status: ["complete"] }, { status: ["idle", "working"] }, {}, {}]
      )
    })
  )

  it.live("is not asked again when it refuses for another reason", () =>
    Effect.gen(function* () {
      const server = yield* serve((response) => sendRefusal(response, "Error listing tasks: disk I/O error"))
      const { queue } = yield* client(server)
      assert.strictEqual((yield* Effect.flip(queue.listOpen))._tag, "TaskQueueRejected")
      assert.strictEqual(server.asked.length, 1)
    })
  )
})
