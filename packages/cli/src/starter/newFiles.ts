/**
 * Files that must not be there yet: opened exclusively, never through a link, so that nothing of anybody's is ever
 * overwritten. All of them or none: when one can't be made, those before it are taken back.
 */
import { closeSync, constants, fsyncSync, openSync, rmdirSync, unlinkSync, writeFileSync } from "node:fs"
import { dirname } from "node:path"
import * as Result from "effect/Result"
import { codeOf, reasonOf } from "@tinyscheduler/adapters-fs/errno"
import { makeDirectory } from "@tinyscheduler/adapters-fs/makeDirectory"

export interface NewFile {
  /** Absolute. */
  readonly path: string
  readonly text: string
  readonly mode: number
}

/** Which one could not be made, and why. */
export interface NotMade {
  readonly path: string
  readonly reason: string
  /** Something stood there already. */
  readonly exists: boolean
}

const writeExclusively = ({ mode, path, text }: NewFile): void => {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW
  const descriptor = openSync(path, flags, mode)
  try {
    writeFileSync(descriptor, text)
    fsyncSync(descriptor)
  } catch (error) {
    unlinkSync(path)
    throw error
  } finally {
    closeSync(descriptor)
  }
}

/** What we made ourselves a moment ago; a directory that somebody has used since stays. */
const takeBack = (files: ReadonlyArray<string>, directories: ReadonlyArray<string>): void => {
  for (const path of files) Result.try(() => unlinkSync(path))
  for (const path of directories.toReversed()) Result.try(() => rmdirSync(path))
}

/** Synchronous: no signal comes between its steps. Answers the paths, directories too. */
export const makeAll = (files: ReadonlyArray<NewFile>): Result.Result<ReadonlyArray<string>, NotMade> => {
  const made: Array<string> = []
  const directories: Array<string> = []
  for (const file of files) {
    try {
      directories.push(...makeDirectory(dirname(file.path)))
      writeExclusively(file)
      made.push(file.path)
    } catch (error) {
      takeBack(made, directories)
      return Result.fail({ path: file.path, reason: reasonOf(error), exists: codeOf(error) === "EEXIST" })
    }
  }
  return Result.succeed([...directories, ...made])
}
