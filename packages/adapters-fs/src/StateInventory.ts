/** What a repair has to know of the state directory beyond what a pass reads, and how it puts files out of the way. */
import { linkSync, lstatSync, rmSync } from "node:fs"
import { basename, join } from "node:path"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Layer from "effect/Layer"
import type { TaskId } from "@tinyscheduler/core/domain/identifiers"
import { SchedulerLock } from "@tinyscheduler/core/ports/SchedulerLock"
import { StateInventory, type Inventory } from "@tinyscheduler/core/ports/StateInventory"
import { stopFileName, taskFileName } from "@tinyscheduler/core/protocol/layout"
import { expectTrusted } from "./directoryTrust.ts"
import { makeDurableFiles } from "./DurableFiles.ts"
import { unreadable, unwritable } from "./errno.ts"
import { freePath } from "./freePath.ts"
import { readHistory } from "./historyFile.ts"
import { readStopFile } from "./leaseFiles.ts"
import type { StateOptions } from "./LeaseStore.ts"
import { findOddFiles, findTermProblem, findUnreadableFiles } from "./oddFiles.ts"
import { listDirectory } from "./safeFile.ts"
import { stopNamesOf } from "./scanLeases.ts"

export interface InventoryOptions extends StateOptions {
  /** Where the private TMPDIRs of attempts stand. */
  readonly temporaryDirectory: string
}

const inodeOf = (path: string): bigint | null => lstatSync(path, { bigint: true, throwIfNoEntry: false })?.ino ?? null

const make = Effect.fnUntraced(function* (options: InventoryOptions) {
  const { paths, temporaryDirectory } = options
  const lock = yield* SchedulerLock
  const files = makeDurableFiles(options.writer, options.paths.base, options.calls)
  const write = (path: string, body: () => void) =>
    lock.confirm.pipe(Effect.andThen(Effect.try({ try: body, catch: (error) => unwritable(path, error) })))

  /** By a second link: the file never misses its name, and a crash leaves it named twice. */
  const keep = (path: string, stem: string) =>
    write(path, () => {
      const inode = inodeOf(path)
      const isKept = listDirectory(paths.aside).some((name) => inodeOf(join(paths.aside, name)) === inode)
      if (inode === null || isKept) return
      files.ensureDirectory(paths.aside)
      linkSync(path, freePath(paths.aside, stem, ".json"))
      files.syncDirectory(paths.aside)
    })

  const take = Effect.gen(function* () {
    const read = yield* Effect.result(readHistory(paths))
    const { lines, skipped } = Result.isSuccess(read) ? read.success : { lines: [], skipped: 0 }
    return yield* Effect.try({
      try: (): Inventory => {
        const unreadable = findUnreadableFiles(paths)
        return {
          history: lines,
          historyProblem: Result.isSuccess(read) ? null : read.failure.message,
          historySkipped: skipped,
          termProblem: findTermProblem(paths),
          unreadable,
          odd: findOddFiles(paths, temporaryDirectory, unreadable)
        }
      },
      catch: (error) => unreadable(paths.state, error)
    })
  })

  const removeAside = Effect.fn("StateInventory.removeAside")(function* (name: string) {
    const path = join(paths.aside, name)
    yield* write(path, () => {
      if (basename(path) !== name || name === "..") throw new Error("it is no name of a file set aside")
      expectTrusted(paths.aside)
      // A directory may have stood in a lease's place.
      rmSync(path, { recursive: true, force: true })
      files.syncDirectory(paths.aside)
    })
  })

  const removeUnreadableStops = Effect.fn("StateInventory.removeUnreadableStops")(function* (taskId: TaskId) {
    yield* write(paths.stops, () => {
      const odd = stopNamesOf(listDirectory(paths.stops), taskId).filter(
        ({ epoch }) => readStopFile(paths.stops, taskId, epoch).value === null
      )
      files.unlinkAll(
        paths.stops,
        odd.map(({ epoch }) => stopFileName(taskId, epoch))
      )
    })
  })

  return StateInventory.of({
    take: take.pipe(Effect.withSpan("StateInventory.take")),
    keepAttempts: Effect.fn("StateInventory.keepAttempts")(function* (taskId: TaskId) {
      yield* keep(join(paths.attempts, taskFileName(taskId)), `attempts_${taskId}`)
    }),
    keepAgents: keep(paths.agents, "agents").pipe(Effect.withSpan("StateInventory.keepAgents")),
    removeAside,
    removeUnreadableStops
  })
})

/** The inventory of a state directory; what it writes needs the lock that the scheduler holds. */
export const layer = (options: InventoryOptions): Layer.Layer<StateInventory, never, SchedulerLock> =>
  Layer.effect(StateInventory, make(options))
