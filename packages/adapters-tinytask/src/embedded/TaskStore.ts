/**
 * Tasks in the embedded server: Tinytask's rules and quirks, and no others. Every transition is allowed, the last write
 * wins, a parent's status follows its children, and blocking is shown but enforced by nobody.
 */
import * as Result from "effect/Result"
import type { Database } from "./Database.ts"
import { makeTaskRules } from "./TaskRules.ts"
import {
  emptyIsNull,
  type NewTaskFields,
  order,
  type Outcome,
  select,
  type Status,
  type TaskFields,
  type TaskFilters,
  type TaskView,
  toView
} from "./TaskView.ts"

export const makeTaskStore = (database: Database) => {
  const { checkBlocker, checkParent, followChildren, get } = makeTaskRules(database)

  const create = (fields: NewTaskFields): Outcome<TaskView> =>
    database.transaction(() =>
      Result.gen(function* () {
        if (fields.title.trim() === "") return yield* Result.fail("Task title is required")
        if (fields.created_by.trim() === "") return yield* Result.fail("created_by is required")
        const parentId = fields.parent_task_id ?? null
        const blockerId = fields.blocked_by_task_id ?? null
        const parent = parentId === null ? null : yield* checkParent(parentId, null)
        if (blockerId !== null) yield* checkBlocker(blockerId, null)
        const inherited = parent === null ? null : parent["queue_name"]
        const { id } = database.run(
          `INSERT INTO tasks (title, description, status, assigned_to, created_by, priority, tags, parent_task_id, queue_name, blocked_by_task_id)
           VALUES (?, ?, 'idle', ?, ?, ?, ?, ?, ?, ?)`,
          fields.title.trim(),
          emptyIsNull(fields.description),
          emptyIsNull(fields.assigned_to),
          fields.created_by,
          fields.priority ?? 0,
          fields.tags === undefined ? null : JSON.stringify(fields.tags),
          parentId,
          fields.queue_name === undefined ? (typeof inherited === "string" ? inherited : null) : fields.queue_name,
          blockerId
        )
        // Read first: the answer shows the task as it was made, whatever the parents become.
        const task = yield* get(id)
        followChildren(parentId)
        return task
      })
    )

  /** The columns that a change sets, in one statement; an unassigned task remembers who had it. */
  const assignments = (
    before: TaskView,
    fields: TaskFields
  ): ReadonlyArray<readonly [string, string | number | null]> => {
    const set: Array<readonly [string, string | number | null]> = []
    if (fields.title !== undefined) set.push(["title", fields.title.trim()])
    if (fields.description !== undefined) set.push(["description", emptyIsNull(fields.description)])
    if (fields.status !== undefined) set.push(["status", fields.status])
    if (fields.assigned_to !== undefined) {
      const assignee = emptyIsNull(fields.assigned_to)
      const former = before["assigned_to"]
      if (assignee !== former) set.push(["previous_assigned_to", typeof former === "string" ? former : null])
      set.push(["assigned_to", assignee])
    }
    if (fields.priority !== undefined) set.push(["priority", fields.priority])
    if (fields.tags !== undefined) set.push(["tags", JSON.stringify(fields.tags)])
    if (fields.parent_task_id !== undefined) set.push(["parent_task_id", fields.parent_task_id])
    if (fields.queue_name !== undefined) set.push(["queue_name", fields.queue_name])
    if (fields.blocked_by_task_id !== undefined) set.push(["blocked_by_task_id", fields.blocked_by_task_id])
    return set
  }

  const update = (id: number, fields: TaskFields): Outcome<TaskView> =>
    database.transaction(() =>
      Result.gen(function* () {
        const before = yield* get(id)
        const { blocked_by_task_id: blocker, parent_task_id: parent } = fields
        if (parent !== undefined && parent !== null) yield* checkParent(parent, id)
        if (blocker !== undefined && blocker !== null) yield* checkBlocker(blocker, id)
        if (fields.title?.trim() === "") return yield* Result.fail("Task title cannot be empty")
        const set = assignments(before, fields)
        if (set.length === 0) return before
        const columns = set.map(([column]) => `${column} = ?`).join(", ")
        database.run(
          `UPDATE tasks SET ${columns}, updated_at = CURRENT_TIMESTAMP WHERE id = ?`,
          ...set.map(([, value]) => value),
          id
        )
        const after = yield* get(id)
        if (fields.status !== undefined || parent !== undefined) followChildren(before["parent_task_id"])
        if (parent !== undefined) followChildren(parent)
        return after
      })
    )

  const remove = (id: number): Outcome<null> =>
    database.transaction(() =>
      Result.map(get(id), (task) => {
        database.run("DELETE FROM tasks WHERE id = ?", id)
        followChildren(task["parent_task_id"])
        return null
      })
    )

  const archive = (id: number): Outcome<TaskView> =>
    database.transaction(() =>
      Result.gen(function* () {
        const { parent_task_id: parent } = yield* get(id)
        database.run("UPDATE tasks SET archived_at = CURRENT_TIMESTAMP WHERE id = ?", id)
        const task = yield* get(id)
        followChildren(parent)
        return task
      })
    )

  const list = (filters: TaskFilters): ReadonlyArray<TaskView> => {
    const where: Array<string> = []
    const values: Array<string | number> = []
    const match = (condition: string, ...matched: ReadonlyArray<string | number>) => {
      where.push(condition)
      values.push(...matched)
    }
    const marks = (statuses: ReadonlyArray<Status>) => statuses.map(() => "?").join(", ")
    // Without repetitions there are few different statements, and each is prepared once.
    const statuses = [...new Set(typeof filters.status === "string" ? [filters.status] : filters.status)]
    const excluded = [...new Set(filters.exclude_status)]
    if (filters.assigned_to !== undefined) match("t.assigned_to = ?", filters.assigned_to)
    if (statuses.length > 0) match(`t.status IN (${marks(statuses)})`, ...statuses)
    if (excluded.length > 0) match(`t.status NOT IN (${marks(excluded)})`, ...excluded)
    if (filters.queue_name !== undefined) match("t.queue_name = ?", filters.queue_name)
    if (filters.parent_task_id !== undefined) match("t.parent_task_id = ?", filters.parent_task_id)
    if (filters.exclude_subtasks === true) match("t.parent_task_id IS NULL")
    if (filters.include_archived !== true) match("t.archived_at IS NULL")
    const condition = where.length === 0 ? "" : `WHERE ${where.join(" AND ")}`
    // To SQLite a negative limit is none; to Tinytask 0 is none as well.
    const limit = filters.limit === undefined || filters.limit === 0 ? -1 : filters.limit
    return database
      .all(`${select} ${condition} ${order} LIMIT ? OFFSET ?`, ...values, limit, filters.offset ?? 0)
      .map(toView)
  }

  const openOf = (agent: string): ReadonlyArray<TaskView> => list({ assigned_to: agent, status: ["idle", "working"] })

  /** Takes the first idle task that already has this assignee, blocked or not. */
  const signUp = (agent: string): Outcome<TaskView | null> =>
    database.transaction(() => {
      const [first] = list({ assigned_to: agent, status: "idle", limit: 1 })
      if (first === undefined) return Result.succeed(null)
      database.run("UPDATE tasks SET status = 'working', updated_at = CURRENT_TIMESTAMP WHERE id = ?", first.id)
      followChildren(first["parent_task_id"])
      return get(first.id)
    })

  /** Hands a task over; the only change that asks who has it. */
  const transfer = (move: {
    readonly id: number
    readonly from: string
    readonly to: string
    readonly comment: string
  }): Outcome<{ readonly task: TaskView; readonly commentId: number }> =>
    database.transaction(() =>
      Result.gen(function* () {
        const before = yield* get(move.id)
        const holder = before["assigned_to"]
        if (holder !== move.from) {
          const now = typeof holder === "string" && holder !== "" ? holder : "no one"
          return yield* Result.fail(`Task ${move.id} is not assigned to ${move.from} (currently assigned to: ${now})`)
        }
        if (before.status === "complete") {
          return yield* Result.fail(
            `Task ${move.id} with status 'complete' cannot be transferred (only 'idle' or 'working' are allowed)`
          )
        }
        database.run(
          `UPDATE tasks SET assigned_to = ?, previous_assigned_to = ?, status = 'idle', updated_at = CURRENT_TIMESTAMP
           WHERE id = ?`,
          move.to,
          move.from,
          move.id
        )
        followChildren(before["parent_task_id"])
        const { id: commentId } = database.run(
          "INSERT INTO comments (task_id, content, created_by) VALUES (?, ?, ?)",
          move.id,
          move.comment.trim(),
          move.from
        )
        return { task: yield* get(move.id), commentId }
      })
    )

  const subtasks = (parent: number, recursive: boolean, archived: boolean): ReadonlyArray<TaskView> => {
    const shown = archived ? "" : "AND t.archived_at IS NULL"
    if (!recursive) return database.all(`${select} WHERE t.parent_task_id = ? ${shown} ${order}`, parent).map(toView)
    return database
      .all(
        `WITH RECURSIVE below (id) AS (
           SELECT id FROM tasks WHERE parent_task_id = ?
           UNION SELECT c.id FROM tasks c JOIN below ON c.parent_task_id = below.id
         ) ${select} WHERE t.id IN (SELECT id FROM below) ${shown} ${order}`,
        parent
      )
      .map(toView)
  }

  return { get, create, update, remove, archive, list, openOf, signUp, transfer, subtasks }
}

export type TaskStore = ReturnType<typeof makeTaskStore>
