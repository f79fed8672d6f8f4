/** What the scheduler relies on, asked through its own client. */
import type { Task } from "@tinyscheduler/core/domain/Task"
import { TaskId } from "@tinyscheduler/core/domain/identifiers"
import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { NewTask } from "../../src/TinytaskClient.ts"
import { layerTarget, Target } from "./Target.ts"

const make = Effect.fnUntraced(function* (fields: Partial<NewTask>) {
  const { client, forget } = yield* Target
  const task = yield* client.createTask({ title: "conformance", createdBy: "conformance", ...fields })
  yield* forget(task.id)
  return task
})

const has = (tasks: ReadonlyArray<Task>, id: TaskId): boolean => tasks.some((task) => task.id === id)

const blockedNow = Effect.fnUntraced(function* (id: TaskId) {
  const { client } = yield* Target
  const details = yield* client.queue.get(id)
  return details?.task.blocked
})

/** No server has come this far. */
const missing = TaskId.make(9_007_199_254_740_000)

layer(layerTarget, { excludeTestServices: true })("the client", (it) => {
  it.effect("finds a server with every tool it needs", () =>
    Effect.gen(function* () {
      const { client } = yield* Target
      const info = yield* client.probe
      assert.deepStrictEqual(info.toolsMissing, [])
      assert.strictEqual(info.transport, "streamable-http")
    })
  )

  it.effect("makes a task and reads the same task, by itself and in the list", () =>
    Effect.gen(function* () {
      const { client, unique } = yield* Target
      const queue = unique("make")
      const task = yield* make({ title: "a title", queue, priority: 7, tags: ["a", "recipe:b"], description: "long" })
      assert.deepInclude(task, {
        title: "a title",
        status: "idle",
        queue,
        assignee: null,
        priority: 7,
        tags: ["a", "recipe:b"],
        parent: null,
        blockedBy: null,
        blocked: false,
        archived: false
      })
      assert.match(task.createdAt, /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/)
      assert.deepStrictEqual(yield* client.queue.get(task.id), { task, description: "long", comments: [] })
      const listed = (yield* client.queue.listOpen).find(({ id }) => id === task.id)
      assert.deepStrictEqual(listed, task)
    })
  )

  it.effect("gets odd characters back as they were", () =>
    Effect.gen(function* () {
      const title = 'a\u2028b\u2029c \u{1F680} "quoted" \\ back\nline\r\ttab é'
      const { client } = yield* Target
      const task = yield* make({ title, description: title, tags: [title] })
      assert.deepStrictEqual([task.title, task.tags], [title, [title]])
      const details = yield* client.queue.get(task.id)
      assert.deepStrictEqual([details?.task.title, details?.description], [title, title])
    })
  )

  it.effect("claims, releases, completes and reopens: every transition is allowed", () =>
    Effect.gen(function* () {
      const { client, unique } = yield* Target
      const { listOpen, update } = client.queue
      const { id } = yield* make({})
      const agent = unique("agent")
      assert.deepInclude(yield* update(id, { status: "working", assignee: agent }), {
        status: "working",
        assignee: agent
      })
      assert.deepInclude(yield* update(id, { assignee: null }), { status: "working", assignee: null })
      assert.deepInclude(yield* update(id, { status: "complete" }), { status: "complete" })
      assert.isFalse(has(yield* listOpen, id))
      assert.isTrue(has(yield* client.listAll, id))
      assert.deepInclude(yield* update(id, { status: "idle" }), { status: "idle" })
      assert.isTrue(has(yield* listOpen, id))
      assert.deepInclude(yield* update(id, {}), { status: "idle" })
    })
  )

  it.effect("no longer lists what is archived, and still reads it", () =>
    Effect.gen(function* () {
      const { client } = yield* Target
      const { id } = yield* make({})
      assert.deepInclude(yield* client.archive(id), { archived: true, status: "idle" })
      assert.isFalse(has(yield* client.queue.listOpen, id))
      assert.isFalse(has(yield* client.listAll, id))
      assert.deepInclude((yield* client.queue.get(id))?.task, { archived: true })
    })
  )

  it.effect("reads null for a task that is not there, and is refused a change of it", () =>
    Effect.gen(function* () {
      const { client } = yield* Target
      assert.isNull(yield* client.queue.get(missing))
      const update = yield* Effect.flip(client.queue.update(missing, { status: "idle" }))
      assert.deepInclude(update, {
        _tag: "TaskQueueRejected",
        reason: `Error updating task: Task not found: ${missing}`
      })
      const comment = yield* Effect.flip(client.queue.comment(missing, "x"))
      assert.deepInclude(comment, {
        _tag: "TaskQueueRejected",
        reason: `Error adding comment: Task not found: ${missing}`
      })
    })
  )

  it.effect("reads its comments, and a long one is cut to what the server takes", () =>
    Effect.gen(function* () {
      const { client } = yield* Target
      const { id } = yield* make({})
      yield* client.queue.comment(id, "first \u2028 line")
      yield* client.queue.comment(id, "é\n".repeat(100_000))
      const comments = (yield* client.queue.get(id))?.comments ?? []
      assert.strictEqual(comments[0], "first \u2028 line")
      assert.match(comments[1] ?? "", /^(é\n){1000}[^]*\[cut: 200000 characters in all\]$/)
      assert.strictEqual(comments.length, 2)
    })
  )

  it.effect("refuses a task that is too long for the server without sending it", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(make({ description: "x".repeat(200_000) }))
      assert.strictEqual(error._tag, "TaskQueueRejected")
      assert.match(error.message, /create_task: the request is 2\d{5} bytes long/)
    })
  )

  it.effect("sees a task blocked until its blocker is complete, and again when that is reopened", () =>
    Effect.gen(function* () {
      const { client } = yield* Target
      const blocker = yield* make({})
      const task = yield* make({ blockedBy: blocker.id })
      assert.deepInclude(task, { blocked: true, blockedBy: blocker.id })
      yield* client.queue.update(blocker.id, { status: "complete" })
      assert.isFalse(yield* blockedNow(task.id))
      yield* client.queue.update(blocker.id, { status: "idle" })
      assert.isTrue(yield* blockedNow(task.id))
    })
  )

  it.effect("sees a task blocked for ever by an archived blocker, and freed by a deleted one", () =>
    Effect.gen(function* () {
      const { client, json } = yield* Target
      const blocker = yield* make({})
      const task = yield* make({ blockedBy: blocker.id })
      yield* client.archive(blocker.id)
      assert.isTrue(yield* blockedNow(task.id))
      yield* json("delete_task", { id: blocker.id })
      assert.deepInclude((yield* client.queue.get(task.id))?.task, { blocked: false, blockedBy: null })
    })
  )

  it.effect("sees a parent's status follow its children", () =>
    Effect.gen(function* () {
      const { client } = yield* Target
      const { get, update } = client.queue
      const parent = yield* make({})
      const first = yield* make({ parent: parent.id })
      const second = yield* make({ parent: parent.id })
      const parentStatus = Effect.map(get(parent.id), (details) => details?.task.status)
      yield* update(first.id, { status: "working" })
      assert.strictEqual(yield* parentStatus, "working")
      yield* update(first.id, { status: "complete" })
      assert.strictEqual(yield* parentStatus, "idle")
      yield* update(second.id, { status: "complete" })
      assert.strictEqual(yield* parentStatus, "complete")
      yield* make({ parent: parent.id })
      assert.strictEqual(yield* parentStatus, "idle")
    })
  )

  it.effect("lets twenty callers work at once", () =>
    Effect.gen(function* () {
      const { client, unique } = yield* Target
      const work = Effect.fnUntraced(function* (n: number) {
        const { id } = yield* make({ queue: unique("many") })
        yield* client.queue.update(id, { status: "working", assignee: `w${n}` })
        yield* client.queue.comment(id, `by ${n}`)
        return yield* client.queue.update(id, { status: "complete" })
      })
      const done = yield* Effect.forEach(
        Array.from({ length: 40 }, (_, n) => n),
        work,
        { concurrency: 20 }
      )
      assert.deepStrictEqual(
        done.map(({ assignee, status }) => [assignee, status]),
        done.map((_, n) => [`w${n}`, "complete"])
      )
    })
  )
})
