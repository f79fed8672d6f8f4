/**
 * What tasks of the embedded server owe each other: who may stand above whom, who may wait for whom, and how a parent's
 * status follows its children. Walks upwards are bounded, because a file may hold anything.
 */
import * as Result from "effect/Result"
import type { Database } from "./Database.ts"
import { type Outcome, select, type TaskView, toView } from "./TaskView.ts"

/** Root and three levels below it. */
const depthMax = 3

export const makeTaskRules = (database: Database) => {
  const find = (id: number): TaskView | null => {
    const row = database.one(`${select} WHERE t.id = ?`, id)
    return row === undefined ? null : toView(row)
  }
  const get = (id: number): Outcome<TaskView> => {
    const task = find(id)
    return task === null ? Result.fail(`Task not found: ${id}`) : Result.succeed(task)
  }

  /** The ids from a task up to its root, itself included; bounded, because a file may hold anything. */
  const lineage = (id: number): ReadonlyArray<number> =>
    database
      .all(
        `WITH RECURSIVE up (id, parent, level) AS (
           SELECT id, parent_task_id, 0 FROM tasks WHERE id = ?
           UNION ALL SELECT t.id, t.parent_task_id, up.level + 1 FROM tasks t JOIN up ON t.id = up.parent WHERE up.level < 64
         ) SELECT id FROM up ORDER BY level`,
        id
      )
      .map((row) => Number(row["id"]))

  const checkParent = (parent: number, child: number | null): Outcome<TaskView> => {
    if (parent === child) return Result.fail("Task cannot be its own parent")
    const task = find(parent)
    if (task === null) return Result.fail(`Parent task not found: ${parent}`)
    const ancestors = lineage(parent)
    if (child !== null && ancestors.includes(child))
      return Result.fail("Cannot create circular parent-child relationship")
    if (ancestors.length > depthMax) return Result.fail("Maximum nesting depth (3 levels) exceeded")
    return Result.succeed(task)
  }

  /** Rejects a task that waits for itself and a pair that waits for each other; longer cycles pass, as on the server. */
  const checkBlocker = (blocker: number, dependent: number | null): Outcome<TaskView> => {
    if (blocker === dependent) return Result.fail("Task cannot be blocked by itself")
    const task = find(blocker)
    if (task === null) return Result.fail(`Blocking task not found: ${blocker}`)
    if (dependent !== null && task["blocked_by_task_id"] === dependent) {
      return Result.fail("Cannot create circular blocking relationship")
    }
    return Result.succeed(task)
  }

  /** Lets a parent's status follow its children that are not archived, and so on upwards while something changes. */
  const followChildren = (start: unknown): void => {
    let parent = typeof start === "number" ? database.one("SELECT * FROM tasks WHERE id = ?", start) : undefined
    for (let level = 0; parent !== undefined && level < 64; level++) {
      const id = Number(parent["id"])
      const children = database.one(
        `SELECT COUNT(*) AS total, COALESCE(SUM(status = 'complete'), 0) AS done, COALESCE(SUM(status = 'working'), 0) AS busy
         FROM tasks WHERE parent_task_id = ? AND archived_at IS NULL`,
        id
      )
      if (children === undefined || children["total"] === 0) return
      const status = children["done"] === children["total"] ? "complete" : children["busy"] === 0 ? "idle" : "working"
      if (status === parent["status"]) return
      database.run("UPDATE tasks SET status = ?, updated_at = CURRENT_TIMESTAMP WHERE id = ?", status, id)
      const above = parent["parent_task_id"]
      parent = typeof above === "number" ? database.one("SELECT * FROM tasks WHERE id = ?", above) : undefined
    }
  }

  return { get, checkParent, checkBlocker, followChildren }
}
