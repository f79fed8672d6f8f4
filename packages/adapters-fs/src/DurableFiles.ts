/**
 * The core's durable writes on real paths: the directory is made where it is missing (0700, made durable in its parent
 * too), temporary files bear their writer's name. Synchronous: whoever calls wraps one operation into one effect.
 */
import { randomBytes } from "node:crypto"
import { statSync } from "node:fs"
import { basename, dirname, join } from "node:path"
import {
  createDurably,
  removeDurably,
  replaceDurably,
  syncDirectory,
  type DurableTarget,
  type FileCalls
} from "@tinyscheduler/core/protocol/durableWrite"
import { temporaryPrefix } from "@tinyscheduler/core/protocol/layout"
import { type DirectoryUse, expectTrusted } from "./directoryTrust.ts"
import { codeOf } from "./errno.ts"
import { nodeFileCalls } from "./fileCalls.ts"
import { makeDirectory } from "./makeDirectory.ts"

/** Who writes: pid and start ticks go into the names of temporary files, all three into the lock for people to read. */
export interface Writer {
  readonly pid: number
  readonly pidStart: number
  readonly bootId: string
}

export interface DurableFiles {
  /** Throws EEXIST when there is one. */
  readonly create: (path: string, text: string) => void
  readonly replace: (path: string, text: string) => void
  /**
   * Deletes the file if it is the one that is meant. `mark` goes into the temporary name, so that whoever sweeps after
   * a crash can tell whether the deletion was meant. Throws ENOENT when there is none.
   */
  readonly remove: (path: string, mark: string, isMeant: (path: string) => boolean) => boolean
  /** Renames a file to another directory of the state; false when there is none. */
  readonly move: (from: string, to: string) => boolean
  /** Unlinks these names of one directory; those that are gone already count as unlinked. */
  readonly unlinkAll: (directory: string, names: ReadonlyArray<string>) => void
  /** Makes it where it is missing; throws where it is there and not to be trusted. */
  readonly ensureDirectory: (path: string, use?: DirectoryUse) => void
  /** Where a file may be prepared before it takes a path's place; swept when its writer is dead. */
  readonly temporaryPath: (path: string) => string
  /** Makes the names in a directory durable. */
  readonly syncDirectory: (path: string) => void
}

const isMissing = (error: unknown): boolean => codeOf(error) === "ENOENT"

const statOrNull = (path: string) => statSync(path, { throwIfNoEntry: false }) ?? null

/** Under a base path directories are made, but never the base path itself; null where there is none. */
export const makeDurableFiles = (
  writer: Writer,
  base: string | null,
  calls: FileCalls = nodeFileCalls
): DurableFiles => {
  const temporaryName = (mark: string): string =>
    `${temporaryPrefix(writer)}${randomBytes(8).toString("hex")}${mark === "" ? "" : `-${mark}`}`
  const target = (path: string, mark = ""): DurableTarget => ({
    directory: dirname(path),
    name: basename(path),
    temporaryName: temporaryName(mark)
  })

  const ensureDirectory = (path: string, use: DirectoryUse = "ours"): void => {
    expectTrusted(path, use)
    if (statOrNull(path) !== null) return
    // A new directory's name is durable once the directory above it is.
    for (const made of makeDirectory(path, base).toReversed()) syncDirectory(calls, dirname(made))
  }

  return {
    create: (path, text) => {
      ensureDirectory(dirname(path))
      createDurably(calls, target(path), Buffer.from(text))
    },
    replace: (path, text) => {
      ensureDirectory(dirname(path))
      replaceDurably(calls, target(path), Buffer.from(text))
    },
    remove: (path, mark, isMeant) => {
      expectTrusted(dirname(path))
      return removeDurably(calls, target(path, mark), isMeant)
    },
    move: (from, to) => {
      if (statOrNull(dirname(from)) === null) return false
      expectTrusted(dirname(from))
      ensureDirectory(dirname(to))
      try {
        calls.rename(from, to)
      } catch (error) {
        if (isMissing(error)) return false
        throw error
      }
      // The new name first: a power cut between the two then shows the file twice, never not at all.
      syncDirectory(calls, dirname(to))
      syncDirectory(calls, dirname(from))
      return true
    },
    unlinkAll: (directory, names) => {
      if (names.length === 0) return
      expectTrusted(directory)
      for (const name of names) {
        try {
          calls.unlink(join(directory, name))
        } catch (error) {
          if (!isMissing(error)) throw error
        }
      }
      syncDirectory(calls, directory)
    },
    ensureDirectory,
    temporaryPath: (path) => join(dirname(path), temporaryName("")),
    syncDirectory: (path) => syncDirectory(calls, path)
  }
}
