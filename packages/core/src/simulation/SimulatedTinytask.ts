/**
 * Tinytask in memory, with those of its ways that a scheduler meets: whether a task is blocked is computed at reading, a
 * parent's status follows its children, last write wins, times have whole seconds, and it may be down.
 */
import type { TaskId } from "../domain/identifiers.ts"
import { TaskId as TaskIdSchema } from "../domain/identifiers.ts"
import { isOpen } from "../domain/Task.ts"
import type { Task, TaskStatus } from "../domain/Task.ts"
import { timestampOf } from "../domain/time.ts"

/** A task with what lists leave out. */
export interface SimulatedTask {
  task: Task
  readonly description: string | null
  readonly comments: Array<string>
  /** Every status it ever had, in order. */
  readonly transitions: Array<TaskStatus>
}

/** The fields of a task to add; the others get what Tinytask gives them. */
export type NewTask = Partial<Omit<Task, "id" | "createdAt">> & { readonly description?: string }

/** Tinytask in memory. */
export class SimulatedTinytask {
  readonly tasks = new Map<TaskId, SimulatedTask>()
  /** Why it does not answer; null = it does. */
  down: string | null = null
  private nextId = 1
  /** No task of a new server is as old as one of the server before it: with its number, that is what identifies it. */
  private createdAfterMs = 0
  private newestMs = -1000

  add(nowMs: number, fields: NewTask = {}): TaskId {
    const { description, ...rest } = fields
    const id = TaskIdSchema.make(this.nextId)
    this.nextId += 1
    const createdMs = Math.max(Math.floor(nowMs / 1000) * 1000, this.createdAfterMs)
    this.newestMs = Math.max(this.newestMs, createdMs)
    const task: Task = {
      id,
      title: `task ${id}`,
      status: "idle",
      queue: "dev",
      assignee: null,
      priority: 0,
      tags: [],
      parent: null,
      blockedBy: null,
      blocked: false,
      createdAt: timestampOf(createdMs),
      archived: false,
      ...rest
    }
    this.tasks.set(id, { task, description: description ?? null, comments: [], transitions: [task.status] })
    this.followChildren(task.parent)
    return id
  }

  read(id: TaskId): Task | null {
    const entry = this.tasks.get(id)
    if (entry === undefined) return null
    const blocker = entry.task.blockedBy === null ? undefined : this.tasks.get(entry.task.blockedBy)
    return { ...entry.task, blocked: blocker !== undefined && blocker.task.status !== "complete" }
  }

  open(): ReadonlyArray<Task> {
    const open: Array<Task> = []
    for (const [id, { task }] of this.tasks) {
      const shown = isOpen(task) ? this.read(id) : null
      if (shown !== null) open.push(shown)
    }
    return open
  }

  /** Every change is allowed, as on the server. */
  change(id: TaskId, fields: Partial<Omit<Task, "id">>): void {
    const entry = this.tasks.get(id)
    if (entry === undefined) return
    const before = entry.task.parent
    entry.task = { ...entry.task, ...fields }
    if (fields.status !== undefined && entry.transitions.at(-1) !== fields.status) {
      entry.transitions.push(fields.status)
    }
    if (fields.status !== undefined || fields.parent !== undefined || fields.archived !== undefined) {
      this.followChildren(before)
      if (entry.task.parent !== before) this.followChildren(entry.task.parent)
    }
  }

  /** Deletes a task and its subtasks, and frees whom it blocked. */
  remove(id: TaskId): void {
    const entry = this.tasks.get(id)
    if (entry === undefined) return
    this.tasks.delete(id)
    for (const [other, { task }] of this.tasks) {
      if (task.parent === id) this.remove(other)
      else if (task.blockedBy === id) this.change(other, { blockedBy: null })
    }
    this.followChildren(entry.task.parent)
  }

  /** A new server in the old one's place: no tasks, and numbers from 1. */
  beginAnew(): void {
    this.createdAfterMs = this.newestMs + 1000
    this.tasks.clear()
    this.nextId = 1
  }

  private followChildren(parent: TaskId | null): void {
    const entry = parent === null ? undefined : this.tasks.get(parent)
    if (parent === null || entry === undefined) return
    const children = [...this.tasks.values()].filter(({ task }) => task.parent === parent && !task.archived)
    if (children.length === 0) return
    const status = children.every(({ task }) => task.status === "complete")
      ? "complete"
      : children.some(({ task }) => task.status === "working")
        ? "working"
        : "idle"
    if (status !== entry.task.status) this.change(parent, { status })
  }
}
