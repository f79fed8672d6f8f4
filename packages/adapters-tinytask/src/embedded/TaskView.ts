/** A task of the embedded server between its row in the file and its object on the wire. */
import type * as Result from "effect/Result"
import type { Row } from "./Database.ts"

export type Status = "idle" | "working" | "complete"

/** Why a call changed nothing; the tools put their own words before it. */
export type Refusal = string
export type Outcome<A> = Result.Result<A, Refusal>

/** A task as the wire shows it: the row with its tags parsed and its times in ISO 8601. */
export type TaskView = Readonly<Record<string, unknown>> & { readonly id: number; readonly status: string }

export interface TaskFields {
  readonly title?: string | undefined
  readonly description?: string | undefined
  readonly status?: Status | undefined
  readonly assigned_to?: string | undefined
  readonly priority?: number | undefined
  readonly tags?: ReadonlyArray<string> | undefined
  readonly parent_task_id?: number | null | undefined
  readonly queue_name?: string | null | undefined
  readonly blocked_by_task_id?: number | null | undefined
}
export type NewTaskFields = TaskFields & { readonly title: string; readonly created_by: string }

export interface TaskFilters {
  readonly assigned_to?: string | undefined
  readonly status?: Status | ReadonlyArray<Status> | undefined
  readonly exclude_status?: ReadonlyArray<Status> | undefined
  readonly queue_name?: string | undefined
  readonly parent_task_id?: number | undefined
  readonly exclude_subtasks?: boolean | undefined
  readonly include_archived?: boolean | undefined
  readonly limit?: number | undefined
  readonly offset?: number | undefined
}

/** SQLite's `2026-11-22 22:25:39` is UTC without saying so. */
export const isoTime = (value: unknown): string | null =>
  typeof value === "string" ? (value.endsWith("Z") ? value : `${value.replace(" ", "T")}Z`) : null

const blocked =
  "EXISTS (SELECT 1 FROM tasks b WHERE b.id = t.blocked_by_task_id AND b.status <> 'complete') AS is_currently_blocked"
export const select = `SELECT t.*, ${blocked} FROM tasks t`
/** The id at the end makes the order total; the real server leaves ties within a second open. */
export const order = "ORDER BY t.priority DESC, t.created_at ASC, t.id ASC"

export const toView = (row: Row): TaskView => ({
  ...row,
  id: Number(row["id"]),
  status: String(row["status"]),
  tags: typeof row["tags"] === "string" ? JSON.parse(row["tags"]) : [],
  created_at: isoTime(row["created_at"]),
  updated_at: isoTime(row["updated_at"]),
  archived_at: isoTime(row["archived_at"]),
  is_currently_blocked: row["is_currently_blocked"] === 1
})

/** The server keeps no empty texts, but for names of queues. */
export const emptyIsNull = (text: string | null | undefined): string | null =>
  text === undefined || text === "" ? null : text
