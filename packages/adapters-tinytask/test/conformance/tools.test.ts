/** The tools' rules and texts, looked at raw: agents use them, and clients match on some of the words. */
import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { type Json, layerTarget, Target } from "./Target.ts"

const missing = 9_007_199_254_740_000

const decodeTools = Schema.decodeUnknownSync(
  Schema.Struct({
    tools: Schema.Array(
      Schema.Struct({
        name: Schema.String,
        inputSchema: Schema.Struct({
          type: Schema.String,
          required: Schema.optionalKey(Schema.Array(Schema.String))
        })
      })
    )
  })
)

const decodeIssues = Schema.decodeSync(
  Schema.fromJsonString(Schema.Array(Schema.Struct({ code: Schema.String, path: Schema.Array(Schema.String) })))
)

const ids = (list: Json): ReadonlyArray<number> => list.tasks.map((task: Json) => task.id)

/** Every tool that reads or changes one task, and its words when that is not there. */
const missingTexts: ReadonlyArray<readonly [string, object, string]> = [
  ["get_task", { id: missing }, `Task not found: ${missing}`],
  ["update_task", { id: missing, status: "idle" }, `Error updating task: Task not found: ${missing}`],
  ["delete_task", { id: missing }, `Error deleting task: Task not found: ${missing}`],
  ["archive_task", { id: missing }, `Error archiving task: Task not found: ${missing}`],
  ["move_task", { task_id: missing, current_agent: "a", new_agent: "b", comment: "c" }, `Task not found: ${missing}`],
  ["add_comment", { task_id: missing, content: "c" }, `Error adding comment: Task not found: ${missing}`],
  ["add_link", { task_id: missing, url: "u" }, `Error adding link: Task not found: ${missing}`],
  ["create_subtask", { parent_task_id: missing, title: "t", created_by: "c" }, `Parent task not found: ${missing}`],
  [
    "create_task",
    { title: "t", created_by: "c", parent_task_id: missing },
    `Error creating task: Parent task not found: ${missing}`
  ],
  [
    "create_task",
    { title: "t", created_by: "c", blocked_by_task_id: missing },
    `Error creating task: Blocking task not found: ${missing}`
  ],
  ["get_task_with_subtasks", { task_id: missing }, `Task not found: ${missing}`],
  [
    "add_task_to_queue",
    { task_id: missing, queue_name: "q" },
    `Error adding task to queue: Task not found: ${missing}`
  ],
  [
    "move_task_to_queue",
    { task_id: missing, new_queue_name: "q" },
    `Error moving task to queue: Task not found: ${missing}`
  ],
  ["remove_task_from_queue", { task_id: missing }, `Error removing task from queue: Task not found: ${missing}`],
  ["get_comment", { id: missing }, `Comment not found: ${missing}`],
  ["update_comment", { id: missing, content: "c" }, `Error updating comment: Comment not found: ${missing}`],
  ["delete_comment", { id: missing }, `Error deleting comment: Comment not found: ${missing}`],
  ["update_link", { id: missing, url: "u" }, `Error updating link: Link not found: ${missing}`],
  ["delete_link", { id: missing }, `Error deleting link: Link not found: ${missing}`]
]

/** Arguments that no tool takes, the code of the issue, and its path. */
const badArguments: ReadonlyArray<readonly [string, string, object, string, ReadonlyArray<string>]> = [
  ["a null assignee", "update_task", { id: 1, assigned_to: null }, "invalid_type", ["assigned_to"]],
  ["a missing title", "create_task", { created_by: "c" }, "invalid_type", ["title"]],
  ["a missing creator", "create_task", { title: "t" }, "invalid_type", ["created_by"]],
  ["tags that are no list", "update_task", { id: 1, tags: "x" }, "invalid_type", ["tags"]],
  ["an unknown key", "update_task", { id: 1, metadata: {} }, "unrecognized_keys", []],
  ["an unknown filter", "list_tasks", { unassigned: true }, "unrecognized_keys", []],
  ["an unknown key of a queue tool", "get_queue_stats", { queue_name: "q", x: 1 }, "unrecognized_keys", []]
]

layer(layerTarget, { excludeTestServices: true })("the tools", (it) => {
  it.effect("are described with the arguments that they need", () =>
    Effect.gen(function* () {
      const { rpc } = yield* Target
      const { result } = yield* rpc("tools/list")
      const { tools } = decodeTools(result)
      const create = tools.find(({ name }) => name === "create_task")
      assert.strictEqual(create?.inputSchema.type, "object")
      assert.sameMembers([...(create?.inputSchema.required ?? [])], ["title", "created_by"])
      assert.isAtLeast(tools.length, 30)
    })
  )

  it.effect("answer a task with these fields, indented, and without isError", () =>
    Effect.gen(function* () {
      const { forget, tool, unique } = yield* Target
      const queue = unique("shape")
      const answer = yield* tool("create_task", { title: " padded ", created_by: "me", queue_name: queue })
      assert.strictEqual(answer.isError, undefined)
      const task: Json = JSON.parse(answer.text)
      yield* forget(task.id)
      assert.strictEqual(answer.text, JSON.stringify(task, null, 2))
      const { created_at: created, id, updated_at: updated, ...rest } = task
      assert.isTrue(Number.isSafeInteger(id))
      assert.match(created, /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/)
      assert.strictEqual(updated, created)
      assert.deepStrictEqual<object>(rest, {
        title: "padded",
        description: null,
        status: "idle",
        assigned_to: null,
        previous_assigned_to: null,
        created_by: "me",
        priority: 0,
        tags: [],
        parent_task_id: null,
        queue_name: queue,
        blocked_by_task_id: null,
        archived_at: null,
        is_currently_blocked: false
      })
    })
  )

  it.effect("say which tool is unknown, as a tool's error", () =>
    Effect.gen(function* () {
      const { refusal } = yield* Target
      assert.strictEqual(yield* refusal("create_link", {}), "Unknown tool: create_link")
    })
  )

  for (const [tool, args, text] of missingTexts) {
    it.effect(`say what is missing: ${tool} ${text}`, () =>
      Effect.gen(function* () {
        const { refusal } = yield* Target
        assert.strictEqual(yield* refusal(tool, args), text)
      })
    )
  }

  for (const [name, tool, args, code, path] of badArguments) {
    it.effect(`refuse ${name} with a list of issues`, () =>
      Effect.gen(function* () {
        const { refusal } = yield* Target
        const text = yield* refusal(tool, args)
        const prefix = `Error calling tool ${tool}: `
        assert.isTrue(text.startsWith(prefix), text)
        const [issue] = decodeIssues(text.slice(prefix.length))
        assert.deepStrictEqual(issue, { code, path })
      })
    )
  }

  it.effect("refuse statuses that they don't know", () =>
    Effect.gen(function* () {
      const { refusal } = yield* Target
      assert.match(yield* refusal("update_task", { id: 1, status: "done" }), /^Error calling tool update_task: \[/)
      assert.match(yield* refusal("list_tasks", { status: ["done"] }), /^Error calling tool list_tasks: \[/)
      assert.match(yield* refusal("list_tasks", { exclude_status: "complete" }), /^Error calling tool list_tasks: \[/)
    })
  )

  it.effect("overlook unknown keys in comment and link tools", () =>
    Effect.gen(function* () {
      const { json, make } = yield* Target
      const { id } = yield* make({})
      assert.deepInclude(yield* json("add_comment", { task_id: id, content: "c", x: 1 }), { content: "c" })
    })
  )

  it.effect("take quoted numbers, which language models like", () =>
    Effect.gen(function* () {
      const { json, make } = yield* Target
      const { id } = yield* make({})
      assert.deepInclude(yield* json("update_task", { id: `${id}`, priority: "5" }), { id, priority: 5 })
    })
  )

  it.effect("take priorities below zero and between whole numbers", () =>
    Effect.gen(function* () {
      const { json, make } = yield* Target
      const { id, priority } = yield* make({ priority: -1.5 })
      assert.strictEqual(priority, -1.5)
      assert.deepInclude(yield* json("get_task", { id }), { priority: -1.5 })
    })
  )

  it.effect("keep who had a task before, when that really changes", () =>
    Effect.gen(function* () {
      const { json, make } = yield* Target
      const { id } = yield* make({ assigned_to: "a" })
      const update = (fields: object) => json("update_task", { id, ...fields })
      assert.deepInclude(yield* update({ assigned_to: "a" }), { assigned_to: "a", previous_assigned_to: null })
      assert.deepInclude(yield* update({ assigned_to: "b" }), { assigned_to: "b", previous_assigned_to: "a" })
      assert.deepInclude(yield* update({ assigned_to: "" }), { assigned_to: null, previous_assigned_to: "b" })
      assert.deepInclude(yield* update({ title: "x" }), { assigned_to: null, previous_assigned_to: "b" })
    })
  )

  it.effect("store an empty description as none, and an empty queue as it is", () =>
    Effect.gen(function* () {
      const { json, make } = yield* Target
      const { description, id } = yield* make({ description: "" })
      assert.isNull(description)
      assert.deepInclude(yield* json("update_task", { id, queue_name: "" }), { queue_name: "" })
      assert.deepInclude(yield* json("remove_task_from_queue", { task_id: id }), { queue_name: null })
    })
  )

  it.effect("refuse titles, creators and comments of white space alone", () =>
    Effect.gen(function* () {
      const { make, refusal } = yield* Target
      const { id } = yield* make({})
      assert.strictEqual(
        yield* refusal("create_task", { title: " ", created_by: "c" }),
        "Error creating task: Task title is required"
      )
      assert.strictEqual(
        yield* refusal("create_task", { title: "t", created_by: " " }),
        "Error creating task: created_by is required"
      )
      assert.strictEqual(
        yield* refusal("update_task", { id, title: " " }),
        "Error updating task: Task title cannot be empty"
      )
      assert.strictEqual(
        yield* refusal("add_comment", { task_id: id, content: " " }),
        "Error adding comment: Comment content is required"
      )
    })
  )

  it.effect("list by status, by what it is not, and by assignee", () =>
    Effect.gen(function* () {
      const { json, make, unique } = yield* Target
      const queue = unique("filters")
      const idle = yield* make({ queue_name: queue, assigned_to: "A" })
      const working = yield* make({ queue_name: queue, priority: 9 })
      const complete = yield* make({ queue_name: queue, priority: 5 })
      yield* json("update_task", { id: working.id, status: "working" })
      yield* json("update_task", { id: complete.id, status: "complete" })
      const list = (filters: object) => Effect.map(json("list_tasks", { queue_name: queue, ...filters }), ids)
      assert.deepStrictEqual(yield* list({}), [working.id, complete.id, idle.id])
      assert.deepStrictEqual(yield* list({ status: "idle" }), [idle.id])
      assert.deepStrictEqual(yield* list({ status: ["idle", "working"] }), [working.id, idle.id])
      assert.deepStrictEqual(yield* list({ exclude_status: ["complete"] }), [working.id, idle.id])
      assert.deepStrictEqual(yield* list({ assigned_to: "A" }), [idle.id])
      assert.deepStrictEqual(yield* list({ assigned_to: "a" }), [])
      assert.deepStrictEqual(yield* list({ assigned_to: "" }), [])
      assert.deepStrictEqual(yield* list({ limit: 1 }), [working.id])
      assert.deepStrictEqual(yield* list({ limit: 0 }), [working.id, complete.id, idle.id])
      assert.deepStrictEqual(yield* list({ limit: -1 }), [working.id, complete.id, idle.id])
      assert.deepStrictEqual(yield* list({ offset: 1 }), [complete.id, idle.id])
      assert.deepStrictEqual(yield* list({ limit: 1, offset: 2 }), [idle.id])
    })
  )

  it.effect("refuse a limit that is no whole number", () =>
    Effect.gen(function* () {
      const { refusal } = yield* Target
      assert.match(yield* refusal("list_tasks", { limit: 1.5 }), /^Error /)
    })
  )

  it.effect("list without any limit unless one is given", () =>
    Effect.gen(function* () {
      const { json, make, unique } = yield* Target
      const queue = unique("hundreds")
      yield* Effect.forEach(Array.from({ length: 130 }), () => make({ queue_name: queue }), { concurrency: 10 })
      assert.strictEqual((yield* json("get_queue_tasks", { queue_name: queue })).count, 130)
    })
  )

  it.effect("show a queue's tasks, its name trimmed and its filters as given", () =>
    Effect.gen(function* () {
      const { json, make, refusal, unique } = yield* Target
      const queue = unique("shown")
      const { id } = yield* make({ queue_name: queue })
      const shown = yield* json("get_queue_tasks", { queue_name: ` ${queue} `, status: "idle", limit: 5 })
      assert.deepStrictEqual([shown.queue_name, shown.count, ids(shown)], [` ${queue} `, 1, [id]])
      assert.deepStrictEqual(shown.filters, { status: "idle", limit: 5, include_archived: false })
      assert.deepInclude(yield* json("get_queue_tasks", { queue_name: unique("unknown") }), { count: 0, tasks: [] })
      assert.strictEqual(
        yield* refusal("get_queue_tasks", { queue_name: " " }),
        "Error retrieving queue tasks: Queue name cannot be empty"
      )
    })
  )

  it.effect("count a queue, and know it as long as a task stands in it", () =>
    Effect.gen(function* () {
      const { json, make, unique } = yield* Target
      const [queue, other] = [unique("counted"), unique("other")]
      const first = yield* make({ queue_name: queue, assigned_to: "z" })
      const second = yield* make({ queue_name: queue })
      yield* json("update_task", { id: first.id, status: "complete" })
      assert.deepStrictEqual<object>(yield* json("get_queue_stats", { queue_name: queue }), {
        queue_name: queue,
        total_tasks: 2,
        by_status: { idle: 1, working: 0, complete: 1 },
        assigned: 1,
        unassigned: 1,
        agents: ["z"]
      })
      assert.include((yield* json("list_queues", {})).queues, queue)
      assert.deepInclude(yield* json("move_task_to_queue", { task_id: second.id, new_queue_name: other }), {
        queue_name: other
      })
      assert.deepInclude(yield* json("add_task_to_queue", { task_id: second.id, queue_name: ` ${queue} ` }), {
        queue_name: queue
      })
      assert.deepStrictEqual<object>(yield* json("clear_queue", { queue_name: queue }), {
        queue_name: queue,
        tasks_cleared: 2
      })
      assert.notInclude((yield* json("list_queues", {})).queues, queue)
      assert.deepInclude(yield* json("get_queue_stats", { queue_name: queue }), { total_tasks: 0, agents: [] })
    })
  )

  it.effect("sign an agent up for its own tasks only, blocked ones too, each once", () =>
    Effect.gen(function* () {
      const { make, tool, unique } = yield* Target
      const agent = unique("signup")
      const nothing = yield* tool("signup_for_task", { agent_name: agent })
      assert.deepStrictEqual(nothing, {
        text: `No idle tasks available in queue for agent: ${agent}`,
        isError: undefined
      })
      const made: ReadonlyArray<Json> = yield* Effect.forEach(Array.from({ length: 8 }), () =>
        make({ assigned_to: agent })
      )
      const blocked = yield* make({ assigned_to: agent, priority: 9, blocked_by_task_id: made[0]!.id })
      const first = yield* tool("signup_for_task", { agent_name: agent })
      assert.isTrue(first.text.startsWith(`Task #${blocked.id} claimed and set to working status\n\n{`), first.text)
      const rest = yield* Effect.forEach(
        Array.from({ length: 20 }),
        () => tool("signup_for_task", { agent_name: agent }),
        {
          concurrency: 20
        }
      )
      const claimed = rest.flatMap(({ text }) => /^Task #(\d+)/.exec(text)?.slice(1) ?? []).map(Number)
      assert.sameMembers(
        claimed,
        made.map(({ id }) => id)
      )
    })
  )

  it.effect("hand a task over only from the agent that has it: of many rivals one wins", () =>
    Effect.gen(function* () {
      const { json, make, refusal, tool, unique } = yield* Target
      const pool = unique("pool")
      const { id } = yield* make({ assigned_to: pool })
      yield* json("update_task", { id, status: "working" })
      const take = (n: number) =>
        tool("move_task", { task_id: id, current_agent: pool, new_agent: unique(`w${n}`), comment: ` to ${n} ` })
      const rivals = yield* Effect.forEach(
        Array.from({ length: 30 }, (_, n) => n),
        take,
        { concurrency: 30 }
      )
      const [won, ...more] = rivals.filter(({ isError }) => isError !== true)
      assert.deepStrictEqual(more, [])
      const { comment, task }: Json = JSON.parse(won!.text)
      assert.deepInclude(task, { status: "idle", previous_assigned_to: pool })
      assert.deepInclude(comment, { task_id: id, content: comment.content.trim(), created_by: pool })
      const lost = rivals.find(({ isError }) => isError === true)!
      assert.strictEqual(
        lost.text,
        `Task ${id} is not assigned to ${pool} (currently assigned to: ${task.assigned_to})`
      )
      yield* json("update_task", { id, status: "complete" })
      assert.include(
        yield* refusal("move_task", { task_id: id, current_agent: task.assigned_to, new_agent: "x", comment: "x" }),
        "with status 'complete' cannot be transferred"
      )
    })
  )

  it.effect("keep an empty name that a task was handed to, and match it", () =>
    Effect.gen(function* () {
      const { json, make, refusal, unique } = yield* Target
      const agent = unique("empty")
      const { id } = yield* make({ assigned_to: agent })
      const move = (from: string, to: string) => ({ task_id: id, current_agent: from, new_agent: to, comment: "x" })
      assert.strictEqual((yield* json("move_task", move(agent, ""))).task.assigned_to, "")
      assert.include(yield* refusal("move_task", move(agent, "x")), "(currently assigned to: no one)")
      assert.strictEqual((yield* json("move_task", move("", agent))).task.assigned_to, agent)
    })
  )

  it.effect("let the last write win, and show each writer who was there before", () =>
    Effect.gen(function* () {
      const { json, make } = yield* Target
      const { id } = yield* make({})
      const claims: ReadonlyArray<Json> = yield* Effect.forEach(
        Array.from({ length: 20 }, (_, n) => n),
        (n) => json("update_task", { id, assigned_to: `s${n}`, status: "working" }),
        { concurrency: 20 }
      )
      assert.strictEqual(claims.filter((claim) => claim.previous_assigned_to === null).length, 1)
    })
  )

  it.effect("show an agent its open tasks of all queues", () =>
    Effect.gen(function* () {
      const { json, make, unique } = yield* Target
      const agent = unique("mine")
      const first = yield* make({ assigned_to: agent, queue_name: unique("a"), priority: 2 })
      const second = yield* make({ assigned_to: agent, queue_name: unique("b"), priority: 1 })
      const done = yield* make({ assigned_to: agent })
      yield* json("update_task", { id: second.id, status: "working" })
      yield* json("update_task", { id: done.id, status: "complete" })
      const mine = yield* json("get_my_queue", { agent_name: agent })
      assert.deepStrictEqual([mine.agent, mine.count, ids(mine)], [agent, 2, [first.id, second.id]])
    })
  )

  it.effect("archive as often as asked, and delete once, subtasks included", () =>
    Effect.gen(function* () {
      const { json, make, tool, unique } = yield* Target
      const queue = unique("gone")
      const parent = yield* make({ queue_name: queue })
      const child = yield* make({ parent_task_id: parent.id })
      assert.isString((yield* json("archive_task", { id: parent.id })).archived_at)
      assert.isString((yield* json("archive_task", { id: parent.id })).archived_at)
      assert.deepStrictEqual(ids(yield* json("list_tasks", { queue_name: queue })), [child.id])
      assert.sameMembers(
        [...ids(yield* json("list_tasks", { queue_name: queue, include_archived: true }))],
        [parent.id, child.id]
      )
      const { text } = yield* tool("delete_task", { id: parent.id })
      const said = `{"success":true,"message":"Task ${parent.id} deleted successfully","id":${parent.id}}`
      assert.strictEqual(text, said)
      assert.strictEqual((yield* tool("get_task", { id: child.id })).isError, true)
    })
  )

  it.effect("nest three levels below a root, in its queue unless told otherwise", () =>
    Effect.gen(function* () {
      const { forget, json, make, refusal, unique } = yield* Target
      const queue = unique("nested")
      const root = yield* make({ queue_name: queue })
      const below = Effect.fnUntraced(function* (parent: number, fields: object = {}) {
        const task = yield* json("create_subtask", { parent_task_id: parent, title: "sub", created_by: "c", ...fields })
        yield* forget(task.id)
        return task
      })
      const one = yield* below(root.id)
      const two = yield* below(one.id, { queue_name: unique("elsewhere") })
      const three = yield* below(two.id)
      assert.deepStrictEqual([one.queue_name, three.queue_name], [queue, two.queue_name])
      const deeper = { parent_task_id: three.id, title: "sub", created_by: "c" }
      assert.strictEqual(
        yield* refusal("create_subtask", deeper),
        "Error creating subtask: Maximum nesting depth (3 levels) exceeded"
      )
      assert.strictEqual(
        yield* refusal("update_task", { id: one.id, parent_task_id: three.id }),
        "Error updating task: Cannot create circular parent-child relationship"
      )
      assert.strictEqual(
        yield* refusal("update_task", { id: one.id, parent_task_id: one.id }),
        "Error updating task: Task cannot be its own parent"
      )
      const flat = yield* json("get_subtasks", { parent_task_id: root.id })
      assert.deepStrictEqual([flat.recursive, flat.count, flat.subtasks[0]!.id], [false, 1, one.id])
      const all = yield* json("get_subtasks", { parent_task_id: root.id, recursive: true })
      assert.sameMembers(
        all.subtasks.map(({ id }: Json) => id),
        [one.id, two.id, three.id]
      )
      const whole = yield* json("get_task_with_subtasks", { task_id: root.id, recursive: true })
      assert.deepStrictEqual([whole.id, whole.subtask_count, whole.subtasks.length], [root.id, 3, 3])
    })
  )

  it.effect("move a subtask, say where to, and let both parents follow", () =>
    Effect.gen(function* () {
      const { json, make, tool } = yield* Target
      const [from, to] = [yield* make({}), yield* make({})]
      const child = yield* make({ parent_task_id: from.id })
      yield* json("update_task", { id: child.id, status: "complete" })
      const status = (id: number) => Effect.map(json("get_task", { id }), (task: Json) => task.status)
      assert.strictEqual(yield* status(from.id), "complete")
      const moved = yield* tool("move_subtask", { subtask_id: child.id, new_parent_id: to.id })
      assert.isTrue(moved.text.startsWith(`Task #${child.id} moved to parent #${to.id}\n\n{`), moved.text)
      assert.strictEqual(yield* status(to.id), "complete")
      const top = yield* tool("move_subtask", { subtask_id: child.id })
      assert.isTrue(top.text.startsWith(`Task #${child.id} moved to top-level (no parent)\n\n{`), top.text)
    })
  )

  it.effect("let parents follow through every level, and when children are archived or deleted", () =>
    Effect.gen(function* () {
      const { json, make } = yield* Target
      const root = yield* make({})
      const middle = yield* make({ parent_task_id: root.id })
      const done = yield* make({ parent_task_id: middle.id })
      const idle = yield* make({ parent_task_id: middle.id })
      const rootStatus = Effect.map(json("get_task", { id: root.id }), (task: Json) => task.status)
      yield* json("update_task", { id: done.id, status: "working" })
      assert.strictEqual(yield* rootStatus, "working")
      yield* json("update_task", { id: done.id, status: "complete" })
      assert.strictEqual(yield* rootStatus, "idle")
      yield* json("archive_task", { id: idle.id })
      assert.strictEqual(yield* rootStatus, "complete")
      yield* json("update_task", { id: root.id, status: "idle" })
      assert.strictEqual(yield* rootStatus, "idle")
    })
  )

  it.effect("refuse to block a task by itself or by its dependent, and let longer cycles be", () =>
    Effect.gen(function* () {
      const { json, make, refusal } = yield* Target
      const a = yield* make({})
      const b = yield* make({ blocked_by_task_id: a.id })
      const c = yield* make({ blocked_by_task_id: b.id })
      const block = (id: number, blocker: number | null) => ({ id, blocked_by_task_id: blocker })
      assert.strictEqual(
        yield* refusal("update_task", block(a.id, a.id)),
        "Error updating task: Task cannot be blocked by itself"
      )
      assert.strictEqual(
        yield* refusal("update_task", block(a.id, b.id)),
        "Error updating task: Cannot create circular blocking relationship"
      )
      assert.deepInclude(yield* json("update_task", block(a.id, c.id)), { is_currently_blocked: true })
      assert.deepInclude(yield* json("update_task", block(a.id, null)), {
        is_currently_blocked: false,
        blocked_by_task_id: null
      })
    })
  )

  it.effect("enforce no blocking: a blocked task can be worked on and completed", () =>
    Effect.gen(function* () {
      const { json, make } = yield* Target
      const blocker = yield* make({})
      const { id } = yield* make({ blocked_by_task_id: blocker.id })
      assert.deepInclude(yield* json("update_task", { id, status: "complete" }), {
        status: "complete",
        is_currently_blocked: true
      })
    })
  )

  it.effect("keep comments and links with a task, oldest first", () =>
    Effect.gen(function* () {
      const { json, make, tool } = yield* Target
      const { id } = yield* make({})
      const first = yield* json("add_comment", { task_id: id, content: " one ", created_by: "me" })
      yield* json("add_comment", { task_id: id, content: "two" })
      const link = yield* json("add_link", { task_id: id, url: " https://example.com ", description: "d" })
      assert.deepInclude(first, { task_id: id, content: "one", created_by: "me" })
      assert.deepInclude(link, { task_id: id, url: "https://example.com", description: "d", created_by: null })
      const task = yield* json("get_task", { id })
      assert.deepStrictEqual(
        task.comments.map(({ content, created_by: by }: Json) => [content, by]),
        [
          ["one", "me"],
          ["two", null]
        ]
      )
      assert.deepStrictEqual(task.links, [link])
      assert.notProperty(yield* json("update_task", { id, title: "t" }), "comments")
      const comments = yield* json("list_comments", { task_id: id })
      assert.deepStrictEqual([comments.task_id, comments.count], [id, 2])
      assert.deepInclude(yield* json("update_comment", { id: first.id, content: "uno" }), { content: "uno" })
      assert.deepInclude(yield* json("get_comment", { id: first.id }), { content: "uno" })
      assert.deepInclude(yield* json("update_link", { id: link.id, url: "u" }), { url: "u", description: "d" })
      assert.include((yield* tool("delete_link", { id: link.id })).text, '"success":true')
      assert.include((yield* tool("delete_comment", { id: first.id })).text, `Comment ${first.id} deleted successfully`)
      assert.deepInclude(yield* json("list_links", { task_id: id }), { task_id: id, count: 0, links: [] })
      assert.deepInclude(yield* json("list_comments", { task_id: missing }), { count: 0, comments: [] })
    })
  )

  it.effect("move a comment and leave a word where it was", () =>
    Effect.gen(function* () {
      const { json, make } = yield* Target
      const [from, to] = [yield* make({}), yield* make({})]
      const comment = yield* json("add_comment", { task_id: from.id, content: "c", created_by: "me" })
      const copy = yield* json("move_comment", { comment_id: comment.id, to_task_id: to.id })
      assert.deepInclude(copy, { task_id: to.id, content: "c", created_by: "me" })
      assert.deepInclude(yield* json("get_comment", { id: comment.id }), {
        content: `Comment moved to task ${to.id} comment ${copy.id}`
      })
    })
  )
})
