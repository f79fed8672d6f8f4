/**
 * An exclusive lock of the system on a file that we opened. On Linux flock(1) locks the descriptor that it inherits: the
 * lock belongs to the open file description, which is ours and stays when the helper ends. Node passes its descriptors
 * to no child, so no agent keeps the lock, and the kernel frees it however we end. macOS and the BSDs lock in open(2).
 */
import { spawnSync } from "node:child_process"
import { closeSync, constants, openSync } from "node:fs"
import { codeOf, reasonOf } from "./errno.ts"
import { oneLine } from "./oneLine.ts"

export type LockTry =
  | { readonly _tag: "Locked"; readonly descriptor: number }
  | { readonly _tag: "Held" }
  | { readonly _tag: "Failed"; readonly reason: string }

/** O_EXLOCK, where open(2) can lock; Node has no name for it. */
const openExclusiveLock = 0x20

/** Whether a platform locks in open(2). */
export const locksInOpen = (platform: string): boolean => platform === "darwin" || platform.endsWith("bsd")

const helperTimeoutMs = 5000

/** By its name first; cron's PATH may lack the directory in which it usually is. */
const helpersDefault = ["flock", "/usr/bin/flock"]

const tryHelper = (helper: string, descriptor: number): LockTry | "absent" => {
  const run = spawnSync(helper, ["-n", "-x", "3"], {
    stdio: ["ignore", "ignore", "pipe", descriptor],
    timeout: helperTimeoutMs,
    killSignal: "SIGKILL",
    encoding: "utf8"
  })
  if (run.error !== undefined) {
    if (codeOf(run.error) === "ENOENT") return "absent"
    return { _tag: "Failed", reason: `flock(1) did not run: ${reasonOf(run.error)}` }
  }
  const said = oneLine(run.stderr.trim())
  if (run.status === 0) return { _tag: "Locked", descriptor }
  // Some versions end with 1 on errors too, but not in silence.
  if (run.status === 1 && said === "") return { _tag: "Held" }
  return { _tag: "Failed", reason: `flock(1) failed: ${said === "" ? `status ${run.status ?? run.signal}` : said}` }
}

/** Locks an open descriptor by the first of these programs that there is. */
export const lockByHelper = (descriptor: number, helpers: ReadonlyArray<string> = helpersDefault): LockTry => {
  for (const helper of helpers) {
    const result = tryHelper(helper, descriptor)
    if (result !== "absent") return result
  }
  return { _tag: "Failed", reason: "the flock program is not on PATH (it comes with util-linux or busybox)" }
}

const openFlags = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK

/**
 * A file system that became read-only lets a file be locked all the same, and whoever holds the lock may still stop what
 * must be stopped. Null when that is not the trouble, or the file is not there.
 */
const openReadOnly = (path: string, flags: number, error: unknown): number | null => {
  if (codeOf(error) !== "EROFS") return null
  try {
    return openSync(path, flags & ~(constants.O_RDWR | constants.O_CREAT))
  } catch {
    return null
  }
}

const openOrSay = (path: string, flags: number): number | LockTry => {
  try {
    return openSync(path, flags, 0o600)
  } catch (error) {
    const readOnly = openReadOnly(path, flags, error)
    if (readOnly !== null) return readOnly
    if (locksInOpen(process.platform) && codeOf(error) === "EAGAIN") return { _tag: "Held" }
    return { _tag: "Failed", reason: reasonOf(error) }
  }
}

/** Opens the file, making it where it is missing, and tries once to lock it. The content is not touched. */
export const openLocked = (path: string): LockTry => {
  const inOpen = locksInOpen(process.platform)
  const descriptor = openOrSay(path, inOpen ? openFlags | openExclusiveLock : openFlags)
  if (typeof descriptor !== "number") return descriptor
  const result: LockTry = inOpen ? { _tag: "Locked", descriptor } : lockByHelper(descriptor)
  if (result._tag !== "Locked") closeSync(descriptor)
  return result
}
