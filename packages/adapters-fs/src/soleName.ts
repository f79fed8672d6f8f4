/**
 * A file that is appended to must have no second name: under that it may be a file of somebody's, linked here to be
 * written into, or a backup's, which is to stay as it was. Its content goes on in a file of its own.
 */
import { chmodSync, constants, copyFileSync, renameSync, rmSync } from "node:fs"

/** Puts a copy in the place of a file that has further names. Only in a directory that is ours alone. */
export const giveSoleName = (path: string, temporaryPath: string): void => {
  try {
    copyFileSync(path, temporaryPath, constants.COPYFILE_EXCL)
    chmodSync(temporaryPath, 0o600)
    renameSync(temporaryPath, path)
  } catch (error) {
    rmSync(temporaryPath, { force: true })
    throw error
  }
}
