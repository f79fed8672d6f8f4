/** The embedded server as a process's part: its life, its file and its fences. Its answers are held by the conformance suite. */
import { mkdtempSync, rmSync, statSync } from "node:fs"
import { request } from "node:http"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { openDatabase } from "../src/embedded/Database.ts"
import { startEmbedded } from "../src/embedded/EmbeddedTinytask.ts"
import { makeTinytask } from "../src/TinytaskClient.ts"

const directory = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "embedded-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true }))
)

const connect = (url: string) => makeTinytask({ endpoint: url, token: null, retryBaseMs: 1 })

const statusOf = (url: string, headers: Record<string, string>): Effect.Effect<number> =>
  Effect.callback((resume) => {
    request(`${url}/health`, { headers, agent: false }, (response) => {
      response.resume()
      resume(Effect.succeed(response.statusCode ?? 0))
    }).end()
  })

describe("the embedded server", () => {
  it.live("keeps its tasks in its file, and numbers never come back", () =>
    Effect.gen(function* () {
      const databasePath = join(yield* directory, "new", "tasks.db")
      const first = yield* Effect.scoped(
        Effect.gen(function* () {
          const { createTask } = yield* connect((yield* startEmbedded({ databasePath, port: 0 })).url)
          return yield* createTask({ title: "kept", createdBy: "me" })
        })
      )
      assert.strictEqual(statSync(databasePath).mode & 0o777, 0o600)
      const { createTask, listAll } = yield* connect((yield* startEmbedded({ databasePath, port: 0 })).url)
      assert.deepStrictEqual(yield* listAll, [first])
      assert.strictEqual((yield* createTask({ title: "next", createdBy: "me" })).id, first.id + 1)
    })
  )

  it.live("says in one sentence that its port is taken", () =>
    Effect.gen(function* () {
      const { port } = yield* startEmbedded({ databasePath: ":memory:", port: 0 })
      const error = yield* Effect.flip(startEmbedded({ databasePath: ":memory:", port }))
      assert.strictEqual(error.message, `The embedded Tinytask can't start: port ${port} of 127.0.0.1 is taken`)
    })
  )

  it.live("says in one sentence that its file can't be opened", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(startEmbedded({ databasePath: yield* directory, port: 0 }))
      assert.match(error.message, /^The embedded Tinytask can't start: its database .* can't be opened \(EISDIR/)
    })
  )

  it.live("stops with its scope, ends the streams that clients hold open, and leaves nobody waiting", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const { url } = yield* Scope.provide(startEmbedded({ databasePath: ":memory:", port: 0 }), scope)
      const [opened, ended] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
      const stream = request(`${url}/mcp`, { headers: { accept: "text/event-stream" }, agent: false }, (response) => {
        Deferred.doneUnsafe(opened, Effect.void)
        response.resume().on("end", () => Deferred.doneUnsafe(ended, Effect.void))
      })
      stream.end()
      yield* Deferred.await(opened)
      yield* Scope.close(scope, Exit.void)
      yield* Deferred.await(ended)
      const { queue } = yield* connect(url)
      assert.include((yield* Effect.flip(queue.listOpen)).message, "nothing listens there")
    })
  )

  it.live("refuses web pages and rebound names, and answers programs of this machine", () =>
    Effect.gen(function* () {
      const { port, url } = yield* startEmbedded({ databasePath: ":memory:", port: 0 })
      const host = `127.0.0.1:${port}`
      assert.strictEqual(yield* statusOf(url, { host }), 200)
      assert.strictEqual(yield* statusOf(url, { host: `localhost:${port}` }), 200)
      assert.strictEqual(yield* statusOf(url, { host, origin: `http://localhost:${port}` }), 200)
      assert.strictEqual(yield* statusOf(url, { host: "rebound.example" }), 403)
      assert.strictEqual(yield* statusOf(url, { host, origin: "https://page.example" }), 403)
      assert.strictEqual(yield* statusOf(url, { host, origin: "null" }), 403)
    })
  )

  it.live("answers other tools when one call meets a broken database", () =>
    Effect.gen(function* () {
      const databasePath = join(yield* directory, "tasks.db")
      const { url } = yield* startEmbedded({ databasePath, port: 0 })
      const { createTask, queue } = yield* connect(url)
      const { id } = yield* createTask({ title: "t", createdBy: "me" })
      const other = yield* Effect.acquireRelease(
        Effect.sync(() => openDatabase(databasePath)),
        (database) => Effect.sync(() => database.close())
      )
      other.run("UPDATE tasks SET tags = '{broken' WHERE id = ?", id)
      assert.match(
        (yield* Effect.flip(queue.get(id))).message,
        /^Tinytask refused get_task: Error calling tool get_task: /
      )
      assert.strictEqual((yield* createTask({ title: "u", createdBy: "me" })).title, "u")
    })
  )
})
