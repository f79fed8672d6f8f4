/**
 * Remembers what files decoded to, so that a pass over unchanged files costs one lstat each. Right because no writer of
 * the state alters a file in place (rename gives another inode), and because a file is remembered only when its last
 * change lay more than a second before it was read: whatever happens to it afterwards gets a later change time, which
 * nobody can set by hand.
 */
import { lstatSync } from "node:fs"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { Fresh } from "./leaseFiles.ts"
import { stampOf, type FileStamp } from "./safeFile.ts"

/** How many files are looked at before other fibers get their turn: about ten milliseconds. */
const sliceSize = 1000

const settledNs = 1_000_000_000n

const isSame = (left: FileStamp, right: FileStamp): boolean =>
  left.inode === right.inode &&
  left.changedNs === right.changedNs &&
  left.modifiedNs === right.modifiedNs &&
  left.size === right.size

export interface CachedFile<A> {
  readonly path: string
  readonly readNow: () => Fresh<A>
}

const stampNow = (path: string): FileStamp | null => {
  try {
    const stat = lstatSync(path, { bigint: true, throwIfNoEntry: false })
    return stat === undefined ? null : stampOf(stat)
  } catch {
    // Reading it says why.
    return null
  }
}

/** A scanner with a memory of its last scan. It forgets what the next scan does not name, so it can't outgrow it. */
export const makeFileCache = <A>() => {
  let known: ReadonlyMap<string, { readonly stamp: FileStamp; readonly value: A }> = new Map()
  return Effect.fnUntraced(function* (files: ReadonlyArray<CachedFile<A>>) {
    const next = new Map<string, { readonly stamp: FileStamp; readonly value: A }>()
    const values: Array<A> = []
    const look = (file: CachedFile<A>, nowNs: bigint): A => {
      const before = known.get(file.path)
      const stamp = before === undefined ? null : stampNow(file.path)
      if (before !== undefined && stamp !== null && isSame(before.stamp, stamp)) {
        next.set(file.path, before)
        return before.value
      }
      const fresh = file.readNow()
      if (fresh.stamp !== null && fresh.stamp.changedNs + settledNs < nowNs) {
        next.set(file.path, { stamp: fresh.stamp, value: fresh.value })
      }
      return fresh.value
    }
    for (let start = 0; start < files.length; start += sliceSize) {
      if (start > 0) yield* Effect.yieldNow
      const nowNs = BigInt(yield* Clock.currentTimeMillis) * 1_000_000n
      for (const file of files.slice(start, start + sliceSize)) values.push(look(file, nowNs))
    }
    known = next
    return values
  })
}
