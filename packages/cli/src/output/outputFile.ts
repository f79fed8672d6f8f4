/** A file that somebody names for what a command made: replaced whole or not at all, and never anything but a file. */
import { randomBytes } from "node:crypto"
import { closeSync, fsyncSync, lstatSync, openSync, renameSync, unlinkSync, writeFileSync } from "node:fs"
import { basename, dirname, join } from "node:path"
import { reasonOf } from "@tinyscheduler/adapters-fs/errno"
import * as Result from "effect/Result"

export interface OutputFile {
  /** As its sentence begins: "the plan". */
  readonly what: string
  /** By which another is named: "-o". */
  readonly flag: string
  /** Ours alone unless it is said otherwise. */
  readonly mode?: number
}

/** Writes it; the failure is a sentence. */
export const writeOutputFile = (
  path: string,
  text: string,
  { flag, mode = 0o600, what }: OutputFile
): Result.Result<void, string> => {
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(8).toString("hex")}`)
  let made = false
  try {
    const there = lstatSync(path, { throwIfNoEntry: false })
    if (there !== undefined && !there.isFile()) {
      const kind = there.isSymbolicLink() ? "a symbolic link" : "not a file"
      return Result.fail(`${what} was not written: ${path} is ${kind}; name another with ${flag}`)
    }
    const descriptor = openSync(temporary, "wx", mode)
    made = true
    try {
      writeFileSync(descriptor, text)
      fsyncSync(descriptor)
    } finally {
      closeSync(descriptor)
    }
    renameSync(temporary, path)
    return Result.succeed(undefined)
  } catch (error) {
    if (made) Result.try(() => unlinkSync(temporary))
    return Result.fail(`${what} was not written to ${path}: ${reasonOf(error)}`)
  }
}
