/**
 * How long logs are kept: LOG_KEEP_DAYS, and LOG_KEEP_MB for all together. For whoever holds the lock: a daemon when it
 * has taken it and then every hour; a pass by itself when the last one that did so is an hour ago.
 */
import { closeSync, constants, futimesSync, lstatSync, openSync, rmSync } from "node:fs"
import { join } from "node:path"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { expectTrusted } from "@tinyscheduler/adapters-fs/directoryTrust"
import { removeOldLogs } from "@tinyscheduler/adapters-fs/LogRetention"
import { dayOf, withFields } from "./output/logLine.ts"
import type { Configuration } from "./settings/Configuration.ts"

const mebibyte = 1024 * 1024
const hourMs = 3_600_000
/** More than these are summed up. */
const problemsTold = 8

const mebibytes = (bytes: number): string => `${(bytes / mebibyte).toFixed(1)} MiB`

/** Removes old logs of the scheduler and of ended attempts. Never fails: what could not be removed is told. */
export const keepLogs = Effect.fn("keepLogs")(
  function* ({ paths, settings }: Pick<Configuration, "paths" | "settings">) {
    const { bounded, leftBytes, problems, removed, removedBytes } = yield* removeOldLogs(paths, {
      nowMs: yield* Clock.currentTimeMillis,
      keepDays: settings.logKeepDays,
      keepBytes: settings.logKeepMb * mebibyte,
      dayOf: (atMs) => dayOf(new Date(atMs))
    })
    if (removed > 0) {
      yield* Effect.logInfo(
        `${removed} old log${removed === 1 ? "" : "s"} removed (${mebibytes(removedBytes)})${bounded ? "; the next hour goes on" : ""}`
      )
    }
    if (problems.length > 0) {
      const more = problems.length > problemsTold ? ` and ${problems.length - problemsTold} more` : ""
      yield* Effect.logWarning(`old logs can't be removed: ${problems.slice(0, problemsTold).join("; ")}${more}`)
    }
    if (leftBytes > settings.logKeepMb * mebibyte && !bounded && problems.length === 0) {
      yield* Effect.logWarning(
        `logs take ${mebibytes(leftBytes)}, more than the ${settings.logKeepMb} MiB of TINYSCHEDULER_LOG_KEEP_MB: what is left belongs to attempts that may run, or is today's`
      )
    }
  },
  withFields({ event: "logs-kept" })
)

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = constants

/** Marks that logs are being looked through now; false when somebody did so within the hour, or nobody could tell. */
const beginsHour = (directory: string, nowMs: number): boolean => {
  const path = join(directory, ".kept")
  try {
    expectTrusted(directory)
    const marked = lstatSync(path, { throwIfNoEntry: false })
    if (marked !== undefined && Math.abs(nowMs - marked.mtimeMs) < hourMs) return false
    // Made anew: under the old name may stand anything, and its times are not ours to set.
    rmSync(path, { force: true })
    const descriptor = openSync(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600)
    futimesSync(descriptor, nowMs / 1000, nowMs / 1000)
    closeSync(descriptor)
    return true
  } catch {
    // Without the mark every pass would look through all logs; where nothing can be written, nothing grows either.
    return false
  }
}

/** The same for passes that cron starts each minute: once an hour. */
export const keepLogsHourly = Effect.fn("keepLogsHourly")(function* (
  configuration: Pick<Configuration, "paths" | "settings">
) {
  const nowMs = yield* Clock.currentTimeMillis
  if (beginsHour(configuration.paths.logs, nowMs)) yield* keepLogs(configuration)
})
