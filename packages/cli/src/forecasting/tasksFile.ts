/** `--tasks`: the tasks of a forecast that asks no Tinytask, from a file that a person wrote. */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { isRecord, makeDecoder, readJson } from "@tinyscheduler/adapters-fs/jsonFile"
import { QueueName, TaskId } from "@tinyscheduler/core/domain/identifiers"
import type { Task } from "@tinyscheduler/core/domain/Task"
import { timestampOf } from "@tinyscheduler/core/domain/time"
import { parseDuration } from "@tinyscheduler/core/domain/durationText"
import type { GivenDuration } from "@tinyscheduler/core/domain/durationText"
import { ConfigurationError } from "../settings/ConfigurationError.ts"

const fileMaxBytes = 4 * 1024 * 1024
const tasksMax = 20_000

const Entry = Schema.Struct({
  queue: QueueName,
  title: Schema.optionalKey(Schema.String),
  count: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: tasksMax }))),
  priority: Schema.optionalKey(Schema.Finite),
  duration: Schema.optionalKey(Schema.String),
  /** The number of another entry, from 1 on: the last task of it blocks these. */
  blockedBy: Schema.optionalKey(Schema.Int),
  assignee: Schema.optionalKey(Schema.String)
})
type Entry = typeof Entry.Type
const fields = Object.keys(Entry.fields)
const decodeEntry = makeDecoder(Entry)

export interface PlannedTasks {
  readonly tasks: ReadonlyArray<Task>
  readonly durations: ReadonlyMap<TaskId, GivenDuration>
}

const entriesIn = (json: unknown): ReadonlyArray<unknown> | null => {
  const list: unknown = isRecord(json) ? json["tasks"] : json
  return Array.isArray(list) ? list : null
}

const faultOf = (value: unknown, entries: number): string | null => {
  const unknown = isRecord(value) ? Object.keys(value).find((key) => !fields.includes(key)) : undefined
  if (unknown !== undefined) return `knows no field ${JSON.stringify(unknown)}; there are: ${fields.join(", ")}`
  const decoded = decodeEntry(value)
  if (!decoded.ok) return decoded.problem
  const { blockedBy, duration } = decoded.value
  if (blockedBy !== undefined && (blockedBy < 1 || blockedBy > entries)) {
    return `blockedBy: ${blockedBy} is the number of no entry; there are ${entries}, the first is 1`
  }
  const parsed = duration === undefined ? null : parseDuration(duration)
  return parsed !== null && Result.isFailure(parsed) ? `duration: ${parsed.failure}` : null
}

/** The tasks that the entries stand for, numbered from 1 in their order, each a millisecond younger than the one before. */
const expand = (entries: ReadonlyArray<Entry>, nowMs: number): PlannedTasks => {
  const tasks: Array<Task> = []
  const durations = new Map<TaskId, GivenDuration>()
  const lastOf: Array<number> = []
  let total = 0
  for (const { count = 1 } of entries) lastOf.push((total += count))
  for (const [at, entry] of entries.entries()) {
    const blocker = entry.blockedBy === undefined ? undefined : lastOf[entry.blockedBy - 1]
    const parsed = entry.duration === undefined ? null : parseDuration(entry.duration)
    for (let nth = 1; nth <= (entry.count ?? 1); nth += 1) {
      const id = TaskId.make(tasks.length + 1)
      tasks.push({
        id,
        title: entry.title ?? `${entry.queue} ${at + 1}${(entry.count ?? 1) > 1 ? `.${nth}` : ""}`,
        status: "idle",
        queue: entry.queue,
        assignee: entry.assignee ?? null,
        priority: entry.priority ?? 0,
        tags: [],
        parent: null,
        blockedBy: blocker === undefined ? null : TaskId.make(blocker),
        blocked: blocker !== undefined,
        createdAt: timestampOf(nowMs - (total - tasks.length)),
        archived: false
      })
      if (parsed !== null && Result.isSuccess(parsed)) durations.set(id, parsed.success)
    }
  }
  return { tasks, durations }
}

/** Reads the file; what is wrong with it is a usage error of one sentence per entry. */
export const readTasksFile = Effect.fnUntraced(function* (path: string, nowMs: number) {
  const fail = (...faults: ReadonlyArray<string>) => Effect.fail(new ConfigurationError({ faults: [...faults] }))
  const file = readJson(path, { maxBytes: fileMaxBytes, trust: "config", followLinks: true })
  if (file._tag === "Missing") return yield* fail(`--tasks: ${path} is not there`)
  if (file._tag === "Problem") return yield* fail(`--tasks: ${path} ${file.problem}`)
  const values = entriesIn(file.value)
  if (values === null)
    return yield* fail(`--tasks: ${path} holds no list of tasks, and no object with one under "tasks"`)
  if (values.length === 0) return yield* fail(`--tasks: ${path} names no task`)
  const faults = values.flatMap((value, at) => {
    const fault = faultOf(value, values.length)
    return fault === null ? [] : [`--tasks: ${path}, entry ${at + 1}: ${fault}`]
  })
  if (faults.length > 0) return yield* fail(...faults.slice(0, 10))
  const entries = values.flatMap((value) => {
    const decoded = decodeEntry(value)
    return decoded.ok ? [decoded.value] : []
  })
  const total = entries.reduce((sum, { count = 1 }) => sum + count, 0)
  if (total > tasksMax) return yield* fail(`--tasks: ${path} names ${total} tasks, ${tasksMax} at most can be forecast`)
  return expand(entries, nowMs)
})
