/**
 * A real embedded Tinytask in the test's own process, and what its database itself says happened: a trigger notes every
 * change of a status in the transaction that makes it, so nothing can be missed or counted twice.
 */
import { DatabaseSync, type SQLOutputValue } from "node:sqlite"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { startEmbedded } from "../../packages/adapters-tinytask/src/embedded/EmbeddedTinytask.ts"

export interface TaskRow {
  readonly id: number
  readonly title: string
  readonly status: string
  readonly assigned_to: string | null
  readonly queue_name: string | null
  readonly priority: number
  readonly parent_task_id: number | null
  readonly blocked_by_task_id: number | null
}

export interface StatusChange {
  readonly task: number
  readonly before: string
  readonly after: string
  readonly assignee: string | null
  readonly at: number
}

export interface NewTask {
  readonly title?: string
  readonly description?: string
  readonly queue?: string
  readonly assignee?: string
  readonly priority?: number
  readonly tags?: ReadonlyArray<string>
  readonly parent?: number
  readonly blockedBy?: number
}

const notes = `
CREATE TABLE IF NOT EXISTS e2e_changes (
  number INTEGER PRIMARY KEY, task INTEGER, before TEXT, after TEXT, assignee TEXT, at REAL
);
CREATE TRIGGER IF NOT EXISTS e2e_note AFTER UPDATE OF status ON tasks WHEN OLD.status <> NEW.status BEGIN
  INSERT INTO e2e_changes (task, before, after, assignee, at)
  VALUES (NEW.id, OLD.status, NEW.status, NEW.assigned_to, (julianday('now') - 2440587.5) * 86400000);
END;
`

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null

/** The text with which a tool answers. */
const textOf = (answer: unknown): string => {
  const result = isRecord(answer) ? answer["result"] : undefined
  const content = isRecord(result) && Array.isArray(result["content"]) ? result["content"] : []
  const [first]: ReadonlyArray<unknown> = content
  const text = isRecord(first) ? first["text"] : undefined
  if (typeof text !== "string" || (isRecord(result) && result["isError"] === true)) {
    throw new Error(`Tinytask refused: ${JSON.stringify(answer)}`)
  }
  return text
}

/** Calls a tool as any MCP client would. */
export const callTool = async (url: string, name: string, args: object): Promise<unknown> => {
  const response = await fetch(`${url}/mcp`, {
    method: "POST",
    headers: { "content-type": "application/json", accept: "application/json, text/event-stream" },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params: { name, arguments: args } })
  })
  const body = await response.text()
  const data = body.split(/\r?\n/).find((line) => line.startsWith("data:"))
  return JSON.parse(textOf(JSON.parse(data === undefined ? body : data.slice(5))))
}

const textOrNull = (value: SQLOutputValue | undefined): string | null => (typeof value === "string" ? value : null)
const numberOrNull = (value: SQLOutputValue | undefined): number | null => (typeof value === "number" ? value : null)

/** The server's database, read past the server. */
export class TaskDatabase {
  readonly path: string
  readonly #open: DatabaseSync
  constructor(path: string) {
    this.path = path
    this.#open = new DatabaseSync(path)
    this.#open.exec("PRAGMA busy_timeout = 10000")
    this.#open.exec(notes)
  }
  tasks(): ReadonlyArray<TaskRow> {
    const columns =
      "id, title, status, assigned_to, queue_name, priority, parent_task_id, blocked_by_task_id FROM tasks ORDER BY id"
    return this.#open
      .prepare(`SELECT ${columns}`)
      .all()
      .map((row) => ({
        id: Number(row["id"]),
        title: String(row["title"]),
        status: String(row["status"]),
        assigned_to: textOrNull(row["assigned_to"]),
        queue_name: textOrNull(row["queue_name"]),
        priority: Number(row["priority"]),
        parent_task_id: numberOrNull(row["parent_task_id"]),
        blocked_by_task_id: numberOrNull(row["blocked_by_task_id"])
      }))
  }
  task(id: number): TaskRow {
    const found = this.tasks().find((task) => task.id === id)
    if (found === undefined) throw new Error(`there is no task ${id}`)
    return found
  }
  open(): number {
    const row = this.#open.prepare("SELECT COUNT(*) AS open FROM tasks WHERE status <> 'complete'").get()
    return Number(row?.["open"])
  }
  /** Every change of a status, in order. */
  changes(): ReadonlyArray<StatusChange> {
    const columns = "task, before, after, assignee, at FROM e2e_changes ORDER BY number"
    return this.#open
      .prepare(`SELECT ${columns}`)
      .all()
      .map((row) => ({
        task: Number(row["task"]),
        before: String(row["before"]),
        after: String(row["after"]),
        assignee: textOrNull(row["assignee"]),
        at: Number(row["at"])
      }))
  }
  comments(task: number): ReadonlyArray<string> {
    const rows = this.#open.prepare("SELECT content FROM comments WHERE task_id = ? ORDER BY id").all(task)
    return rows.map((row) => String(row["content"]))
  }
  /** Everything that people can see of tasks, times too. */
  dump(): string {
    const all = (table: string) => this.#open.prepare(`SELECT * FROM ${table} ORDER BY id`).all()
    return JSON.stringify({ tasks: all("tasks"), comments: all("comments"), links: all("links") })
  }
  close(): void {
    this.#open.close()
  }
}

/** A server that can be stopped and started again on its port. */
export class TinytaskServer {
  readonly databasePath: string
  readonly database: TaskDatabase
  #port: number
  #scope: Scope.Closeable | null

  private constructor(databasePath: string, port: number, scope: Scope.Closeable) {
    this.databasePath = databasePath
    this.database = new TaskDatabase(databasePath)
    this.#port = port
    this.#scope = scope
  }

  static async start(databasePath: string): Promise<TinytaskServer> {
    const { port, scope } = await serve(databasePath, 0)
    return new TinytaskServer(databasePath, port, scope)
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`
  }

  async down(): Promise<void> {
    if (this.#scope !== null) await Effect.runPromise(Scope.close(this.#scope, Exit.void))
    this.#scope = null
  }

  async up(): Promise<void> {
    this.#scope = (await serve(this.databasePath, this.#port)).scope
  }

  async call(name: string, args: object): Promise<unknown> {
    return callTool(this.url, name, args)
  }

  /** Adds a task; answers its number. */
  async add(task: NewTask = {}): Promise<number> {
    return addTask(this.url, task)
  }

  async update(id: number, fields: object): Promise<void> {
    await this.call("update_task", { id, ...fields })
  }

  async close(): Promise<void> {
    await this.down()
    this.database.close()
  }
}

export const addTask = async (url: string, task: NewTask): Promise<number> => {
  const made = await callTool(url, "create_task", {
    title: task.title ?? "a task",
    created_by: "e2e",
    ...(task.description === undefined ? {} : { description: task.description }),
    ...(task.queue === undefined ? {} : { queue_name: task.queue }),
    ...(task.assignee === undefined ? {} : { assigned_to: task.assignee }),
    ...(task.priority === undefined ? {} : { priority: task.priority }),
    ...(task.tags === undefined ? {} : { tags: task.tags }),
    ...(task.parent === undefined ? {} : { parent_task_id: task.parent }),
    ...(task.blockedBy === undefined ? {} : { blocked_by_task_id: task.blockedBy })
  })
  if (!isRecord(made) || typeof made["id"] !== "number") throw new Error("create_task answered no number")
  return made["id"]
}

const serve = async (databasePath: string, port: number) => {
  const scope = await Effect.runPromise(Scope.make())
  const server = await Effect.runPromise(startEmbedded({ databasePath, port }).pipe(Scope.provide(scope)))
  return { port: server.port, scope }
}
