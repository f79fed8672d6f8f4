/** The attempt's own TMPDIR: agents leave megabytes there, and nobody else may look into it. */
import * as fs from "node:fs"
import * as path from "node:path"
import { ensurePrivateDirectory } from "../privateDirectory.ts"

const removeMaxMs = 10_000

/** Throws when it is there already: an epoch has one supervisor, so whatever stands there is not ours. */
export const makePrivateDirectory = (directory: string): void => {
  ensurePrivateDirectory(path.dirname(directory))
  fs.mkdirSync(directory, { mode: 0o700 })
}

/** Removes it as far as that goes within ten seconds: leftovers must not keep an ending from being recorded. */
export const removePrivateDirectory = async (directory: string): Promise<void> => {
  const over = Promise.withResolvers<void>()
  const timer = setTimeout(over.resolve, removeMaxMs)
  fs.rm(directory, { recursive: true, force: true }, () => over.resolve())
  await over.promise
  clearTimeout(timer)
}
