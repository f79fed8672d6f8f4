/**
 * Which logs there are: the scheduler's own, and log and prompt of each attempt. Only files with names that we give, in
 * real directories of ours; nothing is looked at through a link. Reading only, and others get their turn in between.
 */
import { lstatSync, readdirSync } from "node:fs"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import type { TaskId } from "@tinyscheduler/core/domain/identifiers"
import {
  parseLogFileName,
  parsePromptFileName,
  parseSchedulerLogName,
  parseTaskDirectoryName,
  parseTemporaryName
} from "@tinyscheduler/core/protocol/layout"
import { directoryProblem } from "./directoryTrust.ts"
import { codeOf, reasonOf } from "./errno.ts"
import { isTaskId } from "./scanLeases.ts"

interface FileOnDisk {
  readonly path: string
  readonly bytes: number
  readonly modifiedMs: number
}

export type LogOnDisk =
  | (FileOnDisk & { readonly _tag: "Scheduler"; readonly day: string })
  | (FileOnDisk & { readonly _tag: "Attempt"; readonly taskId: TaskId; readonly directory: string })

export interface LogInventory {
  /** Oldest first. */
  readonly logs: ReadonlyArray<LogOnDisk>
  readonly emptyDirectories: ReadonlyMap<string, TaskId>
  /** What could not be read, one line each. */
  readonly problems: ReadonlyArray<string>
}

/** After so many files others get their turn: a million logs must not hold up a pass. */
const stretch = 200

/** Makes the effect that is to be yielded in every loop over logs. */
export const makeTurn = Effect.sync(() => {
  let steps = 0
  return Effect.suspend(() => (++steps % stretch === 0 ? Effect.yieldNow : Effect.void))
})

/** Answers null for what is gone; what else goes wrong is noted and answered by null too. */
export const tryNoting = <A>(problems: Array<string>, path: string, body: () => A): A | null => {
  try {
    return body()
  } catch (error) {
    if (codeOf(error) !== "ENOENT") problems.push(`${path}: ${reasonOf(error)}`)
    return null
  }
}

/** A supervisor that was killed while it trimmed its log left a temporary file. */
const isAttemptFile = (name: string): boolean =>
  parseLogFileName(name) !== null || parsePromptFileName(name) !== null || parseTemporaryName(name) !== null

const byAge = (left: LogOnDisk, right: LogOnDisk): number =>
  left.modifiedMs - right.modifiedMs || (left.path < right.path ? -1 : 1)

export const takeLogInventory = Effect.fnUntraced(function* (logDirectory: string) {
  const problems: Array<string> = []
  const logs: Array<LogOnDisk> = []
  const emptyDirectories = new Map<string, TaskId>()
  const turn = yield* makeTurn
  const namesIn = (directory: string, kind: "isFile" | "isDirectory"): ReadonlyArray<string> =>
    tryNoting(problems, directory, () => {
      if (lstatSync(directory).isSymbolicLink() && directory !== logDirectory) return []
      const problem = directoryProblem(directory)
      if (problem === null) {
        return readdirSync(directory, { withFileTypes: true })
          .filter((entry) => entry[kind]())
          .map(({ name }) => name)
      }
      problems.push(`${directory} ${problem.says}`)
      return []
    }) ?? []
  const fileAt = (path: string): FileOnDisk | null =>
    tryNoting(problems, path, () => {
      const { mtimeMs, size } = lstatSync(path)
      return { path, bytes: size, modifiedMs: mtimeMs }
    })

  for (const name of namesIn(logDirectory, "isFile")) {
    const day = parseSchedulerLogName(name)
    const file = day === null ? null : fileAt(join(logDirectory, name))
    if (day !== null && file !== null) logs.push({ _tag: "Scheduler", day, ...file })
    yield* turn
  }
  const tasks = join(logDirectory, "tasks")
  for (const name of namesIn(tasks, "isDirectory")) {
    const taskId = parseTaskDirectoryName(name)
    if (!isTaskId(taskId)) continue
    const directory = join(tasks, name)
    const files = namesIn(directory, "isFile")
    if (files.length === 0) emptyDirectories.set(directory, taskId)
    for (const attemptFile of files.filter(isAttemptFile)) {
      const file = fileAt(join(directory, attemptFile))
      if (file !== null) logs.push({ _tag: "Attempt", taskId, directory, ...file })
      yield* turn
    }
    yield* turn
  }
  return { logs: logs.sort(byAge), emptyDirectories, problems } satisfies LogInventory
})
