/** Queues in the embedded server: they exist only as names on tasks that are not archived. */
import * as Result from "effect/Result"
import type { Database } from "./Database.ts"
import type { TaskStore } from "./TaskStore.ts"
import type { Outcome, TaskView } from "./TaskView.ts"

export interface QueueStats {
  readonly queue_name: string
  readonly total_tasks: number
  readonly by_status: { readonly idle: number; readonly working: number; readonly complete: number }
  readonly assigned: number
  readonly unassigned: number
  readonly agents: ReadonlyArray<string>
}

const nameLengthMax = 255

/** A queue's name as it is looked up: without white space around it, and never empty. */
export const trimmedName = (name: string): Outcome<string> => {
  const trimmed = name.trim()
  return trimmed === "" ? Result.fail("Queue name cannot be empty") : Result.succeed(trimmed)
}

export const makeQueueStore = (database: Database, tasks: TaskStore) => {
  const names = (): ReadonlyArray<string> =>
    database
      .all(
        "SELECT DISTINCT queue_name AS name FROM tasks WHERE queue_name IS NOT NULL AND archived_at IS NULL ORDER BY 1"
      )
      .map((row) => String(row["name"]))

  const stats = (name: string): Outcome<QueueStats> =>
    Result.map(trimmedName(name), (queue) => {
      const counts = database.one(
        `SELECT COUNT(*) AS total, COALESCE(SUM(status = 'idle'), 0) AS idle, COALESCE(SUM(status = 'working'), 0) AS working,
           COALESCE(SUM(status = 'complete'), 0) AS complete, COUNT(assigned_to) AS assigned
         FROM tasks WHERE queue_name = ? AND archived_at IS NULL`,
        queue
      )
      const count = (column: string) => Number(counts?.[column] ?? 0)
      const agents = database.all(
        `SELECT DISTINCT assigned_to AS agent FROM tasks
         WHERE queue_name = ? AND assigned_to IS NOT NULL AND archived_at IS NULL ORDER BY 1`,
        queue
      )
      return {
        queue_name: queue,
        total_tasks: count("total"),
        by_status: { idle: count("idle"), working: count("working"), complete: count("complete") },
        assigned: count("assigned"),
        unassigned: count("total") - count("assigned"),
        agents: agents.map((row) => String(row["agent"]))
      }
    })

  /** Puts a task into a queue, whichever it was in. */
  const put = (id: number, name: string): Outcome<TaskView> =>
    Result.flatMap(trimmedName(name), (queue) =>
      queue.length > nameLengthMax
        ? Result.fail(`Queue name is too long (max ${nameLengthMax} characters)`)
        : tasks.update(id, { queue_name: queue })
    )

  const take = (id: number): Outcome<TaskView> => tasks.update(id, { queue_name: null })

  /** Takes every task out of a queue; the tasks stay. */
  const clear = (name: string): Outcome<number> =>
    Result.map(
      trimmedName(name),
      (queue) =>
        database.run(
          "UPDATE tasks SET queue_name = NULL, updated_at = CURRENT_TIMESTAMP WHERE queue_name = ? AND archived_at IS NULL",
          queue
        ).changes
    )

  return { names, stats, put, take, clear }
}

export type QueueStore = ReturnType<typeof makeQueueStore>
