/**
 * Makes a directory and those above it, level by level. Not Node's recursive form: that one never comes back where the
 * system denies a name in a directory that is there, as /proc does.
 */
import { mkdirSync, statSync } from "node:fs"
import { dirname } from "node:path"
import { codeOf } from "./errno.ts"

/** Whether a directory stands there, perhaps through links. */
export const isDirectory = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true

/**
 * Makes what is missing of a path, for this user alone; answers what it made, topmost first. Throws what the system says.
 * Never makes `base` itself: a base path that was moved away took with it all that is known of attempts, and what began
 * anew in its place would start them again.
 */
export const makeDirectory = (path: string, base: string | null = null): ReadonlyArray<string> => {
  const missing: Array<string> = []
  for (let at = path; statSync(at, { throwIfNoEntry: false }) === undefined && at !== dirname(at); at = dirname(at)) {
    missing.unshift(at)
  }
  if (base !== null && missing.includes(base)) throw new Error(`there is no directory ${base}`)
  return missing.filter((directory) => {
    try {
      mkdirSync(directory, { mode: 0o700 })
      return true
    } catch (error) {
      // Somebody else may have made it in the meantime.
      if (codeOf(error) === "EEXIST" && isDirectory(directory)) return false
      throw error
    }
  })
}
