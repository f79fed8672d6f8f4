/**
 * Reading a file that somebody else may have put there: never through a link, never waiting (a named pipe in a lease's
 * place must not hang a pass), only a regular file, only up to a size, only UTF-8. What is wrong with a file is an
 * answer in one line, not an exception. Two links to one file are fine: a crash between link and unlink leaves them.
 */
import { closeSync, constants, fstatSync, openSync, readdirSync, readSync, statSync } from "node:fs"
import type { BigIntStats } from "node:fs"
import { dirname } from "node:path"
import { isForeign, ownershipProblem } from "@tinyscheduler/core/protocol/ownership"
import { codeOf, reasonOf } from "./errno.ts"

export interface ReadRules {
  readonly maxBytes: number
  /**
   * "state": written by us alone, so it must belong to us or to root, and nobody else may write it. "config": written
   * by people, whose files often belong to a group or, in a container, to another user: only what everybody could have
   * written is refused.
   */
  readonly trust: "state" | "config"
  /** Off unless said: then a symbolic link is a problem. */
  readonly followLinks?: boolean
}

/** By which a file is known to be unchanged. The change time can't be set by hand as the modification time can. */
export interface FileStamp {
  readonly inode: bigint
  readonly size: bigint
  readonly modifiedNs: bigint
  readonly changedNs: bigint
}

export type SafeFile =
  | { readonly _tag: "Missing" }
  | {
      readonly _tag: "Refused"
      readonly problem: string
      /** The beginning of the content, where the file is at least ours: only good for guessing. */
      readonly head: string | null
      readonly stamp: FileStamp | null
    }
  | { readonly _tag: "Read"; readonly text: string; readonly stamp: FileStamp }

export const stampOf = (stat: BigIntStats): FileStamp => ({
  inode: stat.ino,
  size: stat.size,
  modifiedNs: stat.mtimeNs,
  changedNs: stat.ctimeNs
})

/** "64 KiB", "1 MiB". */
export const sizeText = (bytes: number): string =>
  bytes % (1024 * 1024) === 0 ? `${bytes / (1024 * 1024)} MiB` : `${Math.ceil(bytes / 1024)} KiB`

const kindOf = (stat: BigIntStats): string => {
  if (stat.isDirectory()) return "a directory"
  if (stat.isFIFO()) return "a named pipe"
  if (stat.isSocket()) return "a socket"
  return "a device"
}

const ourUid = (): number => process.geteuid?.() ?? 0

const asOwned = (stat: BigIntStats) => ({ uid: Number(stat.uid), mode: Number(stat.mode) })

/** What makes an opened file one that is not to be trusted; null when nothing does. */
export const distrust = (stat: BigIntStats, trust: ReadRules["trust"]): string | null => {
  if (!stat.isFile()) return `is ${kindOf(stat)}, not a file`
  if (trust === "config") return (stat.mode & 0o002n) === 0n ? null : "can be written by everybody"
  return ownershipProblem(asOwned(stat), ourUid())
}

/** Where everybody can put files, a stranger's is no choice of ours: he would choose what we run. */
const isPlanted = (path: string, stat: BigIntStats): boolean =>
  isForeign(asOwned(stat), ourUid()) && (statSync(dirname(path)).mode & 0o002) !== 0

const readUpTo = (descriptor: number, wanted: number): Buffer => {
  const bytes = Buffer.allocUnsafe(wanted)
  let length = 0
  while (length < wanted) {
    const read = readSync(descriptor, bytes, length, wanted - length, null)
    if (read === 0) break
    length += read
  }
  return bytes.subarray(0, length)
}

const readOpened = (path: string, descriptor: number, rules: ReadRules): SafeFile => {
  const stat = fstatSync(descriptor, { bigint: true })
  const stamp = stampOf(stat)
  const refused = (problem: string, head: string | null): SafeFile => ({ _tag: "Refused", problem, head, stamp })
  const problem = distrust(stat, rules.trust)
  if (problem !== null) return refused(problem, null)
  if (rules.trust === "config" && isPlanted(path, stat)) {
    return refused(`belongs to user ${stat.uid}, in a directory that everybody can write`, null)
  }
  if (stat.size > BigInt(rules.maxBytes)) {
    const head = readUpTo(descriptor, Math.min(rules.maxBytes, 16 * 1024)).toString("latin1")
    return refused(`is larger than ${sizeText(rules.maxBytes)}`, head)
  }
  // One byte more than it has: whoever reads it has grown it in the meantime, which none of our writers does.
  const bytes = readUpTo(descriptor, Number(stat.size) + 1)
  if (bytes.length !== Number(stat.size)) return refused("changed while it was read", null)
  try {
    return { _tag: "Read", text: new TextDecoder("utf-8", { fatal: true }).decode(bytes), stamp }
  } catch {
    return refused("is not UTF-8 text", bytes.toString("latin1"))
  }
}

/** Closes what was only read or locked: whatever a failing disk says of that, it changes nothing. */
export const closeQuietly = (descriptor: number): void => {
  try {
    closeSync(descriptor)
  } catch {
    // The descriptor is gone all the same.
  }
}

/** Reads a whole file under these rules; never throws. */
export const readSafely = (path: string, rules: ReadRules): SafeFile => {
  const noFollow = rules.followLinks === true ? 0 : constants.O_NOFOLLOW
  let descriptor: number
  try {
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY | noFollow)
  } catch (error) {
    const code = codeOf(error)
    if (code === "ENOENT") return { _tag: "Missing" }
    const problem =
      code === "ELOOP"
        ? rules.followLinks === true
          ? "is a symbolic link that leads to itself"
          : "is a symbolic link"
        : code === "ENXIO"
          ? "is a socket or a device, not a file"
          : `can't be opened: ${reasonOf(error)}`
    return { _tag: "Refused", problem, head: null, stamp: null }
  }
  try {
    return readOpened(path, descriptor, rules)
  } catch (error) {
    return { _tag: "Refused", problem: `can't be read: ${reasonOf(error)}`, head: null, stamp: null }
  } finally {
    closeQuietly(descriptor)
  }
}

/** The names in a directory; a missing one is empty. Throws when it can't be read. */
export const listDirectory = (path: string): ReadonlyArray<string> => {
  try {
    return readdirSync(path)
  } catch (error) {
    if (codeOf(error) === "ENOENT") return []
    throw error
  }
}
