/** What is attached to a task in the embedded server: comments and links, oldest first. */
import * as Result from "effect/Result"
import type { Database, Row } from "./Database.ts"
import type { TaskStore } from "./TaskStore.ts"
import { emptyIsNull, isoTime, type Outcome } from "./TaskView.ts"

export type NoteView = Readonly<Record<string, unknown>>

const commentView = (row: Row): NoteView => ({
  ...row,
  created_at: isoTime(row["created_at"]),
  updated_at: isoTime(row["updated_at"])
})
const linkView = (row: Row): NoteView => ({ ...row, created_at: isoTime(row["created_at"]) })

export const makeNoteStore = (database: Database, tasks: TaskStore) => {
  const comments = (taskId: number): ReadonlyArray<NoteView> =>
    database.all("SELECT * FROM comments WHERE task_id = ? ORDER BY created_at, id", taskId).map(commentView)
  const links = (taskId: number): ReadonlyArray<NoteView> =>
    database.all("SELECT * FROM links WHERE task_id = ? ORDER BY created_at, id", taskId).map(linkView)

  const comment = (id: number): Outcome<NoteView> => {
    const row = database.one("SELECT * FROM comments WHERE id = ?", id)
    return row === undefined ? Result.fail(`Comment not found: ${id}`) : Result.succeed(commentView(row))
  }
  const link = (id: number): Outcome<NoteView> => {
    const row = database.one("SELECT * FROM links WHERE id = ?", id)
    return row === undefined ? Result.fail(`Link not found: ${id}`) : Result.succeed(linkView(row))
  }

  const insertComment = (taskId: number, content: string, author: string | null): Outcome<NoteView> =>
    comment(
      database.run("INSERT INTO comments (task_id, content, created_by) VALUES (?, ?, ?)", taskId, content, author).id
    )

  const rewrite = (id: number, content: string): void => {
    database.run("UPDATE comments SET content = ?, updated_at = CURRENT_TIMESTAMP WHERE id = ?", content, id)
  }

  const addComment = (taskId: number, content: string, author: string | undefined): Outcome<NoteView> =>
    database.transaction(() =>
      Result.gen(function* () {
        if (content.trim() === "") return yield* Result.fail("Comment content is required")
        yield* tasks.get(taskId)
        return yield* insertComment(taskId, content.trim(), emptyIsNull(author))
      })
    )

  const updateComment = (id: number, content: string): Outcome<NoteView> =>
    database.transaction(() =>
      Result.gen(function* () {
        if (content.trim() === "") return yield* Result.fail("Comment content cannot be empty")
        yield* comment(id)
        rewrite(id, content.trim())
        return yield* comment(id)
      })
    )

  /** Copies a comment to another task and leaves a word about it where it was. */
  const moveComment = (id: number, taskId: number): Outcome<NoteView> =>
    database.transaction(() =>
      Result.gen(function* () {
        const original = yield* comment(id)
        yield* Result.mapError(tasks.get(taskId), () => `Target task not found: ${taskId}`)
        const author = original["created_by"]
        const copy = yield* insertComment(
          taskId,
          String(original["content"]),
          typeof author === "string" ? author : null
        )
        rewrite(id, `Comment moved to task ${taskId} comment ${String(copy["id"])}`)
        return copy
      })
    )
  const removeComment = (id: number): Outcome<NoteView> =>
    Result.map(comment(id), (gone) => {
      database.run("DELETE FROM comments WHERE id = ?", id)
      return gone
    })

  const addLink = (fields: {
    readonly task_id: number
    readonly url: string
    readonly description?: string | undefined
    readonly created_by?: string | undefined
  }): Outcome<NoteView> =>
    database.transaction(() =>
      Result.gen(function* () {
        if (fields.url.trim() === "") return yield* Result.fail("Link URL is required")
        yield* tasks.get(fields.task_id)
        const { id } = database.run(
          "INSERT INTO links (task_id, url, description, created_by) VALUES (?, ?, ?, ?)",
          fields.task_id,
          fields.url.trim(),
          emptyIsNull(fields.description),
          emptyIsNull(fields.created_by)
        )
        return yield* link(id)
      })
    )

  const updateLink = (
    id: number,
    fields: { readonly url?: string | undefined; readonly description?: string | undefined }
  ): Outcome<NoteView> =>
    database.transaction(() =>
      Result.gen(function* () {
        const before = yield* link(id)
        if (fields.url?.trim() === "") return yield* Result.fail("Link URL cannot be empty")
        const description = fields.description === undefined ? before["description"] : emptyIsNull(fields.description)
        database.run(
          "UPDATE links SET url = ?, description = ? WHERE id = ?",
          fields.url?.trim() ?? String(before["url"]),
          typeof description === "string" ? description : null,
          id
        )
        return yield* link(id)
      })
    )

  const removeLink = (id: number): Outcome<NoteView> =>
    Result.map(link(id), (gone) => {
      database.run("DELETE FROM links WHERE id = ?", id)
      return gone
    })

  return {
    comments,
    links,
    comment,
    addComment,
    updateComment,
    moveComment,
    removeComment,
    addLink,
    updateLink,
    removeLink
  }
}

export type NoteStore = ReturnType<typeof makeNoteStore>
