/** The tools about comments and links. These overlook arguments that they don't know, as on the real server. */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { integer, optionalText, text } from "./arguments.ts"
import type { NoteStore } from "./NoteStore.ts"
import { makeTool, pretty, type Tool } from "./Tool.ts"

const ignoring = { unknownKeys: "ignored" } as const

const deleted = (what: string, id: number): string =>
  JSON.stringify({ success: true, message: `${what} ${id} deleted successfully`, id })

const commentTools = (notes: NoteStore): ReadonlyArray<Tool> => [
  makeTool({
    ...ignoring,
    name: "add_comment",
    description: "Add a comment to a task",
    args: Schema.Struct({
      task_id: integer("The task"),
      content: text("The comment"),
      created_by: optionalText("Who writes")
    }),
    errorPrefix: "Error adding comment: ",
    run: ({ content, created_by: author, task_id: id }) => Result.map(notes.addComment(id, content, author), pretty)
  }),
  makeTool({
    ...ignoring,
    name: "update_comment",
    description: "Replace a comment's text",
    args: Schema.Struct({ id: integer("The comment"), content: text("The new text") }),
    errorPrefix: "Error updating comment: ",
    run: ({ content, id }) => Result.map(notes.updateComment(id, content), pretty)
  }),
  makeTool({
    ...ignoring,
    name: "delete_comment",
    description: "Delete a comment",
    args: Schema.Struct({ id: integer("The comment") }),
    errorPrefix: "Error deleting comment: ",
    run: ({ id }) => Result.map(notes.removeComment(id), () => deleted("Comment", id))
  }),
  makeTool({
    ...ignoring,
    name: "list_comments",
    description: "List a task's comments, the oldest first",
    args: Schema.Struct({ task_id: integer("The task") }),
    errorPrefix: "Error listing comments: ",
    run: ({ task_id: id }) => {
      const comments = notes.comments(id)
      return Result.succeed(pretty({ task_id: id, count: comments.length, comments }))
    }
  }),
  makeTool({
    ...ignoring,
    name: "get_comment",
    description: "Read one comment",
    args: Schema.Struct({ id: integer("The comment") }),
    errorPrefix: "",
    run: ({ id }) => Result.map(notes.comment(id), pretty)
  }),
  makeTool({
    ...ignoring,
    name: "move_comment",
    description: "Copy a comment to another task, and leave a word about it where it was",
    args: Schema.Struct({ comment_id: integer("The comment"), to_task_id: integer("The task it goes to") }),
    errorPrefix: "Error moving comment: ",
    run: ({ comment_id: id, to_task_id: task }) => Result.map(notes.moveComment(id, task), pretty)
  })
]

const linkTools = (notes: NoteStore): ReadonlyArray<Tool> => [
  makeTool({
    ...ignoring,
    name: "add_link",
    description: "Attach a link or a path to a task",
    args: Schema.Struct({
      task_id: integer("The task"),
      url: text("The link or path"),
      description: optionalText("What it is"),
      created_by: optionalText("Who attaches it")
    }),
    errorPrefix: "Error adding link: ",
    run: (args) => Result.map(notes.addLink(args), pretty)
  }),
  makeTool({
    ...ignoring,
    name: "update_link",
    description: "Change a link",
    args: Schema.Struct({
      id: integer("The link"),
      url: optionalText("The new link or path"),
      description: optionalText("What it is")
    }),
    errorPrefix: "Error updating link: ",
    run: ({ id, ...fields }) => Result.map(notes.updateLink(id, fields), pretty)
  }),
  makeTool({
    ...ignoring,
    name: "delete_link",
    description: "Delete a link",
    args: Schema.Struct({ id: integer("The link") }),
    errorPrefix: "Error deleting link: ",
    run: ({ id }) => Result.map(notes.removeLink(id), () => deleted("Link", id))
  }),
  makeTool({
    ...ignoring,
    name: "list_links",
    description: "List a task's links, the oldest first",
    args: Schema.Struct({ task_id: integer("The task") }),
    errorPrefix: "Error listing links: ",
    run: ({ task_id: id }) => {
      const links = notes.links(id)
      return Result.succeed(pretty({ task_id: id, count: links.length, links }))
    }
  })
]

export const makeNoteTools = (notes: NoteStore): ReadonlyArray<Tool> => [...commentTools(notes), ...linkTools(notes)]
