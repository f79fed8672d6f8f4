/**
 * Wakes a daemon when an attempt appeared, went on to its next phase or disappeared. Beats replace the lease every few
 * seconds and wake nobody: the phase of whatever changed is compared with the one seen before. Only a hint; where the
 * system can't watch (or drops events) the interval between passes remains.
 */
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import type { TaskId } from "@tinyscheduler/core/domain/identifiers"
import { parseTaskFileName } from "@tinyscheduler/core/protocol/layout"
import { openDirectoryWatch, type WatchSignal } from "./directoryWatch.ts"
import { readLeaseFile } from "./leaseFiles.ts"
import { listDirectory } from "./safeFile.ts"
import { isTaskId, taskIdsOf } from "./scanLeases.ts"
import type { StatePaths } from "./StatePaths.ts"

export interface LeaseWatchTimes {
  /** How long changes are gathered before they are looked at. */
  readonly debounce: number
  /** After which time a directory that can't be watched (it may not exist yet) is tried again. */
  readonly retry: number
}

const timesDefault: LeaseWatchTimes = { debounce: 50, retry: 10_000 }

/** What of a lease wakes a pass when it changes: whose attempt it is and how far. */
const marksOf = (running: string, taskId: TaskId): string => {
  const lease = readLeaseFile(running, taskId).value
  return lease._tag === "Read" ? `${lease.lease.token} ${lease.lease.phase}` : lease._tag
}

const listTasks = (running: string): ReadonlyArray<TaskId> => {
  try {
    return taskIdsOf(listDirectory(running))
  } catch {
    // The next pass reads it and says why it can't.
    return []
  }
}

/** Which leases were touched since they were last looked at; "all" when the system did not say. */
interface Touched {
  readonly tasks: Set<TaskId>
  all: boolean
}

/** True when the marks of a touched lease differ from the ones remembered, which are brought up to date. */
const compare = (running: string, touched: Touched, known: Map<TaskId, string>): boolean => {
  const tasks = touched.all ? new Set([...listTasks(running), ...known.keys()]) : new Set(touched.tasks)
  touched.tasks.clear()
  touched.all = false
  let changed = false
  for (const taskId of tasks) {
    const marks = marksOf(running, taskId)
    if (marks === (known.get(taskId) ?? "Missing")) continue
    changed = true
    if (marks === "Missing") known.delete(taskId)
    else known.set(taskId, marks)
  }
  return changed
}

/** Whether a name in the directory is a lease's, which is then noted; anything else is temporary and nobody's. */
const notes =
  (touched: Touched) =>
  (name: string | null): boolean => {
    const taskId = name === null ? null : parseTaskFileName(name)
    if (isTaskId(taskId)) touched.tasks.add(taskId)
    else if (name === null) touched.all = true
    else return false
    return true
  }

/** Watches until the directory or the watcher is gone. */
const watchOnce = Effect.fnUntraced(function* (
  running: string,
  known: Map<TaskId, string>,
  debounce: number,
  wake: () => void
) {
  const touched: Touched = { tasks: new Set(), all: false }
  const signals = yield* Queue.sliding<WatchSignal>(1)
  yield* openDirectoryWatch(running, notes(touched), (signal) => Queue.offerUnsafe(signals, signal))
  // What happened while nobody watched.
  touched.all = true
  for (let signal: WatchSignal = "touched"; ; signal = yield* Queue.take(signals)) {
    yield* Effect.sleep(debounce)
    if (yield* Effect.sync(() => compare(running, touched, known))) wake()
    if (signal === "ended") return
  }
})

/**
 * Emits once for any number of changes that no one has taken yet; never fails, never ends. Leases that are there when the
 * watch begins count as a change: whoever read them before may have read an earlier phase.
 */
export const leaseChanges = (paths: StatePaths, times: LeaseWatchTimes = timesDefault): Stream.Stream<void> =>
  Stream.callback<void>(
    (wakes) => {
      const known = new Map<TaskId, string>()
      const wake = () => Queue.offerUnsafe(wakes, undefined)
      return Effect.scoped(watchOnce(paths.running, known, times.debounce, wake)).pipe(
        // No directory yet, or no watching here: tried again, and until then the interval between passes does.
        Effect.ignore,
        Effect.andThen(Effect.sleep(times.retry)),
        Effect.forever
      )
    },
    { bufferSize: 1, strategy: "sliding" }
  )
