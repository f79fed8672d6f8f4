/**
 * Removes old logs: first what is older than its days, then the oldest until all together fit. What may still be written
 * stays: today's log of the scheduler, and every log of a task that has a lease, a claim or an open start. While a task
 * is parked somebody has yet to see what went wrong: its logs don't age, and go last when room is needed.
 */
import { lstatSync, rmdirSync, unlinkSync } from "node:fs"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import { AttemptsFile, unendedStart } from "@tinyscheduler/core/domain/Attempts"
import type { TaskId } from "@tinyscheduler/core/domain/identifiers"
import { parseClaimFileName, taskFileName } from "@tinyscheduler/core/protocol/layout"
import { attemptsMaxBytes } from "./AttemptHistory.ts"
import { codeOf } from "./errno.ts"
import { makeDecoder, readJson } from "./jsonFile.ts"
import { makeTurn, takeLogInventory, tryNoting, type LogOnDisk } from "./logInventory.ts"
import { listDirectory } from "./safeFile.ts"
import type { StatePaths } from "./StatePaths.ts"

export interface RetentionRules {
  readonly nowMs: number
  readonly keepDays: number
  readonly keepBytes: number
  /** The day of the scheduler's log of a moment, YYYYMMDD. */
  readonly dayOf: (atMs: number) => string
  /** The most files that one call removes; the next call goes on. */
  readonly removalsMax?: number
}

export interface RetentionReport {
  readonly removed: number
  readonly removedBytes: number
  /** What all logs that are left take, those of running attempts too. */
  readonly leftBytes: number
  readonly bounded: boolean
  /** What could not be read or removed, one line each. */
  readonly problems: ReadonlyArray<string>
}

const removalsMaxDefault = 20_000
const dayMs = 86_400_000

/** "kept": an attempt may live, or the files that would tell can't be read. */
type Standing = "kept" | "parked" | "ended"

const decodeAttempts = makeDecoder(AttemptsFile)

const attemptsStanding = (paths: StatePaths, taskId: TaskId): Standing => {
  const file = readJson(join(paths.attempts, taskFileName(taskId)), { maxBytes: attemptsMaxBytes, trust: "state" })
  if (file._tag === "Missing") return "ended"
  const decoded = file._tag === "Json" ? decodeAttempts(file.value) : null
  // Without its attempts file a task's epochs are told by its logs.
  if (decoded === null || !decoded.ok) return "kept"
  if (unendedStart(decoded.value) !== null) return "kept"
  return decoded.value.parked === null ? "ended" : "parked"
}

const mayBeThere = (path: string): boolean => {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined
  } catch {
    return true
  }
}

/** How a task stands now. A new attempt has its lease before its claim, and loses it before: the claims can be listed once. */
const standings = (paths: StatePaths, problems: Array<string>): ((taskId: TaskId) => Standing) => {
  const claims = tryNoting(problems, paths.claims, () => listDirectory(paths.claims))
  const claimed = new Set(claims?.map((name) => parseClaimFileName(name)?.taskId))
  const remembered = new Map<TaskId, Standing>()
  return (taskId) => {
    if (claims === null || claimed.has(taskId) || mayBeThere(join(paths.running, taskFileName(taskId)))) return "kept"
    const standing = remembered.get(taskId) ?? attemptsStanding(paths, taskId)
    remembered.set(taskId, standing)
    return standing
  }
}

/**
 * Only the lock's holder may call this: whether a log may go is asked in the same step that removes it, so that no pass
 * of this process comes in between.
 */
export const removeOldLogs = Effect.fn("removeOldLogs")(function* (paths: StatePaths, rules: RetentionRules) {
  const inventory = yield* takeLogInventory(paths.logs)
  const problems = [...inventory.problems]
  const standingOf = standings(paths, problems)
  const removalsMax = rules.removalsMax ?? removalsMaxDefault
  const emptied = new Map(inventory.emptyDirectories)
  const gone = new Set<LogOnDisk>()
  const turn = yield* makeTurn
  let removedBytes = 0
  let leftBytes = inventory.logs.reduce((sum, { bytes }) => sum + bytes, 0)

  const today = rules.dayOf(rules.nowMs)
  const firstMs = rules.nowMs - rules.keepDays * dayMs
  const isOutdated = (log: LogOnDisk): boolean =>
    log._tag === "Scheduler" ? log.day < rules.dayOf(firstMs) : log.modifiedMs < firstMs
  const mayGo = (log: LogOnDisk, wanted: Standing): boolean =>
    log._tag === "Scheduler" ? log.day !== today : standingOf(log.taskId) === wanted
  const remove = (log: LogOnDisk, wanted: Standing): void => {
    if (gone.size >= removalsMax || gone.has(log) || !mayGo(log, wanted)) return
    if (tryNoting(problems, log.path, () => (unlinkSync(log.path), true)) === null) return
    gone.add(log)
    removedBytes += log.bytes
    leftBytes -= log.bytes
    if (log._tag === "Attempt") emptied.set(log.directory, log.taskId)
  }

  for (const log of inventory.logs) {
    if (isOutdated(log)) remove(log, "ended")
    yield* turn
  }
  for (const wanted of ["ended", "parked"] as const) {
    for (const log of inventory.logs) {
      if (leftBytes <= rules.keepBytes) break
      remove(log, wanted)
      yield* turn
    }
  }
  for (const [directory, taskId] of emptied) {
    if (standingOf(taskId) !== "kept") removeIfEmpty(directory, problems)
    yield* turn
  }
  const bounded = gone.size >= removalsMax
  return { removed: gone.size, removedBytes, leftBytes, bounded, problems } satisfies RetentionReport
})

const removeIfEmpty = (directory: string, problems: Array<string>): void => {
  tryNoting(problems, directory, () => {
    try {
      rmdirSync(directory)
    } catch (error) {
      if (codeOf(error) !== "ENOTEMPTY" && codeOf(error) !== "EEXIST") throw error
    }
  })
}
