/**
 * The scheduler's lock and term. The lock file is never unlinked and never truncated before it is held: either would
 * let two schedulers hold it. What is written into it is for people; the kernel's lock decides.
 */
import { fchmodSync, fstatSync, ftruncateSync, lstatSync, writeSync } from "node:fs"
import { dirname } from "node:path"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Term } from "@tinyscheduler/core/domain/identifiers"
import { LockHeld, LockUnavailable, SchedulerLock, type HeldLock } from "@tinyscheduler/core/ports/SchedulerLock"
import { LockLost } from "@tinyscheduler/core/ports/StateError"
import { isForeign } from "@tinyscheduler/core/protocol/ownership"
import { makeDurableFiles, type DurableFiles, type Writer } from "./DurableFiles.ts"
import { reasonOf } from "./errno.ts"
import { openLocked } from "./flock.ts"
import { fieldOf, isRecord, parseJson } from "./jsonFile.ts"
import type { StateOptions } from "./LeaseStore.ts"
import { isDirectory } from "./makeDirectory.ts"
import { closeQuietly, distrust, readSafely } from "./safeFile.ts"
import type { StatePaths } from "./StatePaths.ts"
import { lookAtTerm, raiseTerm } from "./termFile.ts"

interface Held {
  readonly descriptor: number
  readonly lock: HeldLock
}

/** How often a lock is tried again whose file was replaced while it was taken. */
const replacedMax = 10

/** What the last holder wrote: "pid 4711, term 12". Of the Python version: its pid. Null when unreadable. */
export const readHolder = (path: string): string | null => {
  const file = readSafely(path, { maxBytes: 4096, trust: "config" })
  if (file._tag !== "Read") return null
  const pidAlone = /^\s*(?:pid\D{0,3})?([0-9]{1,10})\s*$/i.exec(file.text)?.[1]
  if (pidAlone !== undefined) return `pid ${pidAlone}`
  const json = parseJson(file.text)
  if (!json.ok || !isRecord(json.value)) return null
  const pid = fieldOf(json.value, "pid")
  const term = fieldOf(json.value, "term")
  if (typeof pid !== "number") return null
  return typeof term === "number" ? `pid ${pid}, term ${term}` : `pid ${pid}`
}

/** Null while the file at the path is the one that the descriptor has open; else what befell it. */
const replacement = (path: string, descriptor: number): string | null => {
  const ours = fstatSync(descriptor, { bigint: true })
  const there = lstatSync(path, { bigint: true, throwIfNoEntry: false })
  if (there === undefined) return "its file was deleted"
  return ours.ino === there.ino && ours.dev === there.dev ? null : "its file was replaced"
}

/** For people to read; a full disk must not keep the lock from being held. */
const describeHolder = (descriptor: number, writer: Writer, term: Term | null): void => {
  const holder = { pid: writer.pid, start: writer.pidStart, boot_id: writer.bootId, term }
  const bytes = Buffer.from(`${JSON.stringify(holder)}\n`)
  try {
    // Under a second name it may be a file of another's, linked here to be written over.
    if (fstatSync(descriptor).nlink > 1) return
    fchmodSync(descriptor, 0o600)
    const written = writeSync(descriptor, bytes, 0, bytes.length, 0)
    ftruncateSync(descriptor, written)
  } catch {
    // The kernel's lock is held; these words only help whoever finds it held.
  }
}

/** Null when this descriptor is no longer the file at the path: then the lock on it excludes nobody. */
const settle = (paths: StatePaths, writer: Writer, files: DurableFiles, descriptor: number): Held | null => {
  const stat = fstatSync(descriptor, { bigint: true })
  // Older versions left it open to all, and its content means nothing; but whose it is can hold it against us for ever.
  if (!stat.isFile() || isForeign({ uid: Number(stat.uid) }, process.geteuid?.() ?? 0)) {
    throw new Error(`it ${distrust(stat, "state") ?? "is not a file"}`)
  }
  if (replacement(paths.lock, descriptor) !== null) return null
  const lock = startTerm(paths, files)
  describeHolder(descriptor, writer, lock.term)
  return { descriptor, lock }
}

const take = (paths: StatePaths, writer: Writer, files: DurableFiles): Held | LockHeld | LockUnavailable => {
  const path = paths.lock
  // It was moved or taken off with everything that is known of attempts: what began anew there would start them again.
  if (!isDirectory(paths.base)) return new LockUnavailable({ path, reason: `there is no directory ${paths.base}` })
  files.ensureDirectory(dirname(path), "shared")
  for (let attempt = 0; attempt < replacedMax; attempt += 1) {
    const locked = openLocked(path)
    if (locked._tag === "Held") return new LockHeld({ path, holder: readHolder(path) })
    if (locked._tag === "Failed") return new LockUnavailable({ path, reason: locked.reason })
    let held: Held | null = null
    try {
      held = settle(paths, writer, files, locked.descriptor)
    } finally {
      if (held === null) closeQuietly(locked.descriptor)
    }
    if (held !== null) return held
  }
  return new LockUnavailable({ path, reason: "its file is being replaced again and again" })
}

const startTerm = (paths: StatePaths, files: DurableFiles): HeldLock => {
  try {
    return { term: raiseTerm(files, paths), termProblem: null }
  } catch (error) {
    return { term: null, termProblem: `${paths.term} can't be raised: ${reasonOf(error)}` }
  }
}

/** Null while we hold the lock, its file is in place and our term is the latest; else why not. */
const loss = (paths: StatePaths, held: Held | null): string | null => {
  if (held === null) return "this process does not hold it"
  try {
    const replaced = replacement(paths.lock, held.descriptor)
    if (replaced !== null) return replaced
    if (held.lock.term === null) return held.lock.termProblem
    const term = lookAtTerm(paths)
    if (!term.ok) return `${paths.term} ${term.problem}`
    return term.value === held.lock.term ? null : `term ${term.value} has begun after ours, ${held.lock.term}`
  } catch (error) {
    return reasonOf(error)
  }
}

const make = (options: StateOptions) =>
  Effect.sync(() => {
    const { paths, writer } = options
    const files = makeDurableFiles(writer, paths.base, options.calls)
    let held: Held | null = null

    const acquire = Effect.acquireRelease(
      Effect.try({
        try: () => take(paths, writer, files),
        catch: (error) => new LockUnavailable({ path: paths.lock, reason: reasonOf(error) })
      }).pipe(
        Effect.flatMap((taken) => {
          if (taken instanceof LockHeld || taken instanceof LockUnavailable) return Effect.fail(taken)
          held = taken
          return Effect.succeed(taken)
        })
      ),
      (taken) =>
        Effect.sync(() => {
          held = null
          closeQuietly(taken.descriptor)
        })
    ).pipe(
      Effect.map((taken) => taken.lock),
      Effect.withSpan("SchedulerLock.acquire")
    )

    const confirm = Effect.suspend(() => {
      const reason = loss(paths, held)
      return reason === null ? Effect.void : Effect.fail(new LockLost({ path: paths.lock, reason }))
    })

    return SchedulerLock.of({ acquire, confirm })
  })

/** The lock of a state directory. */
export const layer = (options: StateOptions): Layer.Layer<SchedulerLock> => Layer.effect(SchedulerLock, make(options))

const looksOnly = "this command only looks"

/** For commands that write nothing: it is never held, and whoever tries to write is told so. */
export const layerReadOnly = (paths: StatePaths): Layer.Layer<SchedulerLock> =>
  Layer.succeed(SchedulerLock, {
    acquire: Effect.fail(new LockUnavailable({ path: paths.lock, reason: looksOnly })),
    confirm: Effect.fail(new LockLost({ path: paths.lock, reason: looksOnly }))
  })
