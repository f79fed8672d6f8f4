/** Errors of the system's file calls, put into words: what a person can do something about, without the call's name. */
import { StateUnreadable, StateUnwritable } from "@tinyscheduler/core/ports/StateError"
import { messageOf } from "./oneLine.ts"

const reasons: ReadonlyMap<string, string> = new Map([
  ["ENOSPC", "no space is left on the device"],
  ["EDQUOT", "the disk quota is used up"],
  ["EFBIG", "a file may not become as large as that here"],
  ["EROFS", "the file system is read-only"],
  ["EIO", "the device reports an input/output error"],
  ["EACCES", "permission denied"],
  ["EPERM", "the operation is not permitted"],
  ["EEXIST", "something else is in its place"],
  ["ENOENT", "there is no such file or directory"],
  ["ENOTDIR", "a part of its path is not a directory"],
  ["EISDIR", "there is a directory in its place"],
  ["ELOOP", "it is a symbolic link"],
  ["ENXIO", "it is a named pipe that nobody reads, a socket or a device"],
  ["EXDEV", "it is on another file system"],
  ["EMFILE", "too many files are open"],
  ["ENFILE", "too many files are open on this machine"],
  ["ENAMETOOLONG", "its name is too long"]
])

/** The system's error code, such as ENOENT; null for any other error. */
export const codeOf = (error: unknown): string | null =>
  error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : null

/** One sentence without its end for whatever a file call threw. */
export const reasonOf = (error: unknown): string => {
  const code = codeOf(error)
  const known = code === null ? undefined : reasons.get(code)
  return known === undefined ? messageOf(error) : `${known} (${code})`
}

export const unwritable = (path: string, error: unknown): StateUnwritable =>
  new StateUnwritable({ path, reason: reasonOf(error) })

export const unreadable = (path: string, error: unknown): StateUnreadable =>
  new StateUnreadable({ path, reason: reasonOf(error) })
