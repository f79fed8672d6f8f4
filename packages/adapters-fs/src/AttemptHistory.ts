/** What is remembered of attempts, as files: one per task, one for the agents, one line per ended attempt. */
import { join } from "node:path"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import {
  AgentsFile,
  AttemptsFile,
  type AgentRecords,
  type Attempts,
  type HistoryLine
} from "@tinyscheduler/core/domain/Attempts"
import { Epoch, type TaskId } from "@tinyscheduler/core/domain/identifiers"
import { AttemptHistory, type StoredAttempts } from "@tinyscheduler/core/ports/AttemptHistory"
import { SchedulerLock } from "@tinyscheduler/core/ports/SchedulerLock"
import { StateUnreadable } from "@tinyscheduler/core/ports/StateError"
import { parseLogFileName, parseTaskDirectoryName, taskFileName } from "@tinyscheduler/core/protocol/layout"
import { makeDurableFiles } from "./DurableFiles.ts"
import { encodeFile } from "./encodeFile.ts"
import { codeOf, unreadable, unwritable } from "./errno.ts"
import { makeFileCache } from "./fileCache.ts"
import { appendHistoryLine, historyPath } from "./historyFile.ts"
import { makeDecoder, readJson } from "./jsonFile.ts"
import type { Fresh } from "./leaseFiles.ts"
import type { StateOptions } from "./LeaseStore.ts"
import { listDirectory, sizeText } from "./safeFile.ts"
import { isTaskId, namesIn, taskIdsOf } from "./scanLeases.ts"
import type { StatePaths } from "./StatePaths.ts"

/** The largest attempts file: fifty outcomes take about 20 KiB. */
export const attemptsMaxBytes = 256 * 1024

/** The largest agents file: ten thousand agents take about 2 MiB. */
export const agentsMaxBytes = 4 * 1024 * 1024

const encodeAttempts = encodeFile(AttemptsFile)
const encodeAgents = encodeFile(AgentsFile)
const decodeAttempts = makeDecoder(AttemptsFile)
const decodeAgents = makeDecoder(AgentsFile)

type AttemptsSight = Pick<StoredAttempts, "attempts" | "problem">

/** The attempts file of a task, or what is wrong with it, with its path first. */
export const readAttemptsFile = (path: string, taskId: TaskId): Fresh<AttemptsSight> => {
  const file = readJson(path, { maxBytes: attemptsMaxBytes, trust: "state" })
  if (file._tag === "Missing") return { value: { attempts: null, problem: null }, stamp: null }
  const odd = (problem: string): AttemptsSight => ({ attempts: null, problem: `${path} ${problem}` })
  if (file._tag === "Problem") return { value: odd(file.problem), stamp: file.stamp }
  const decoded = decodeAttempts(file.value)
  if (!decoded.ok) return { value: odd(decoded.problem), stamp: file.stamp }
  const { value } = decoded
  if (value.taskId !== taskId) return { value: odd(`is task ${value.taskId}'s`), stamp: file.stamp }
  return { value: { attempts: value, problem: null }, stamp: file.stamp }
}

const isEpoch = Schema.is(Epoch)

/** The largest epoch that a task's logs bear; something else than a directory in their place has none. */
const largestLogEpoch = (directory: string): number => {
  try {
    return listDirectory(directory)
      .map((name) => parseLogFileName(name) ?? 0)
      .filter(isEpoch)
      .reduce((largest, epoch) => Math.max(largest, epoch), 0)
  } catch (error) {
    if (codeOf(error) === "ENOTDIR") return 0
    throw error
  }
}

const logEpochMax = (
  paths: StatePaths,
  taskId: TaskId
): { readonly epoch: number; readonly problem: string | null } => {
  const directory = join(paths.logs, "tasks", String(taskId))
  try {
    return { epoch: largestLogEpoch(directory), problem: null }
  } catch (error) {
    // Its epochs can't be known: that holds this one task, and no other.
    return { epoch: 0, problem: unreadable(directory, error).message }
  }
}

const make = Effect.fnUntraced(function* (options: StateOptions) {
  const { paths } = options
  const lock = yield* SchedulerLock
  const files = makeDurableFiles(options.writer, options.paths.base, options.calls)
  const scanAttempts = makeFileCache<AttemptsSight>()
  const attemptsPath = (taskId: TaskId): string => join(paths.attempts, taskFileName(taskId))
  const write = (path: string, body: () => void) =>
    lock.confirm.pipe(Effect.andThen(Effect.try({ try: body, catch: (error) => unwritable(path, error) })))
  const replace = (path: string, text: string, maxBytes: number) =>
    write(path, () => {
      // What could not be read again must not be written.
      if (Buffer.byteLength(text) > maxBytes) throw new Error(`it would be larger than ${sizeText(maxBytes)}`)
      files.replace(path, text)
    })

  /** The logs speak for an attempts file that is missing, and for one that can't be read. */
  const withLogs = (taskId: TaskId, sight: AttemptsSight): StoredAttempts => {
    if (sight.attempts !== null) return { taskId, ...sight, logEpochMax: 0 }
    const logs = logEpochMax(paths, taskId)
    return { taskId, attempts: null, problem: sight.problem ?? logs.problem, logEpochMax: logs.epoch }
  }

  const scan = Effect.gen(function* () {
    const remembered = taskIdsOf(yield* namesIn(paths.attempts))
    const sights = yield* scanAttempts(
      remembered.map((id) => ({ path: attemptsPath(id), readNow: () => readAttemptsFile(attemptsPath(id), id) }))
    )
    const byTask = new Map<TaskId, AttemptsSight>()
    for (const id of (yield* namesIn(join(paths.logs, "tasks"))).map(parseTaskDirectoryName)) {
      if (isTaskId(id)) byTask.set(id, { attempts: null, problem: null })
    }
    remembered.forEach((id, index) => {
      const sight = sights[index]
      if (sight !== undefined) byTask.set(id, sight)
    })
    const stored: Array<StoredAttempts> = []
    for (const [id, sight] of [...byTask].sort(([left], [right]) => left - right)) {
      const one = withLogs(id, sight)
      if (one.attempts !== null || one.problem !== null || one.logEpochMax > 0) stored.push(one)
    }
    return stored
  })

  const readAgents = Effect.gen(function* () {
    const file = yield* Effect.sync(() => readJson(paths.agents, { maxBytes: agentsMaxBytes, trust: "state" }))
    if (file._tag === "Missing") return { agents: [], paused: null }
    const decoded = file._tag === "Json" ? decodeAgents(file.value) : { ok: false as const, problem: file.problem }
    if (!decoded.ok) return yield* new StateUnreadable({ path: paths.agents, reason: `it ${decoded.problem}` })
    return { agents: decoded.value.agents, paused: decoded.value.paused ?? null }
  })

  return AttemptHistory.of({
    scan: scan.pipe(Effect.withSpan("AttemptHistory.scan")),
    read: Effect.fn("AttemptHistory.read")(function* (taskId: TaskId) {
      return yield* Effect.sync(() => withLogs(taskId, readAttemptsFile(attemptsPath(taskId), taskId).value))
    }),
    write: Effect.fn("AttemptHistory.write")(function* (attempts: Attempts) {
      const text = yield* Effect.sync(() => encodeAttempts(attempts))
      yield* replace(attemptsPath(attempts.taskId), text, attemptsMaxBytes)
    }),
    forget: Effect.fn("AttemptHistory.forget")(function* (taskId: TaskId) {
      yield* write(attemptsPath(taskId), () => files.unlinkAll(paths.attempts, [taskFileName(taskId)]))
    }),
    readAgents: readAgents.pipe(Effect.withSpan("AttemptHistory.readAgents")),
    writeAgents: Effect.fn("AttemptHistory.writeAgents")(function* ({ agents, paused }: AgentRecords) {
      const text = yield* Effect.sync(() =>
        encodeAgents({ version: 1, ...(paused === null ? {} : { paused }), agents })
      )
      yield* replace(paths.agents, text, agentsMaxBytes)
    }),
    append: Effect.fn("AttemptHistory.append")(function* (line: HistoryLine) {
      yield* write(historyPath(paths, line), () => appendHistoryLine(files, paths, line))
    })
  })
})

/** What is remembered under a state directory; its writes need the lock that the scheduler holds. */
export const layer = (options: StateOptions): Layer.Layer<AttemptHistory, never, SchedulerLock> =>
  Layer.effect(AttemptHistory, make(options))
