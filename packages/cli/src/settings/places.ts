/**
 * Whether the paths of the settings can be what they are to be: looked at, never made. What may not be read or written is
 * told by whoever reads or writes it; what is something else, or would mix the state with other files, is found here.
 */
import { accessSync, constants, lstatSync, readFileSync, statSync } from "node:fs"
import type { Stats } from "node:fs"
import { dirname, resolve } from "node:path"
import * as Result from "effect/Result"
import { codeOf, reasonOf } from "@tinyscheduler/adapters-fs/errno"
import { oneLine } from "@tinyscheduler/adapters-fs/oneLine"
import { resolveStatePaths } from "@tinyscheduler/adapters-fs/StatePaths"
import type { StatePaths } from "@tinyscheduler/adapters-fs/StatePaths"
import { label } from "./loadSettings.ts"
import type { LoadedSettings } from "./loadSettings.ts"
import { settingTable } from "./settingTable.ts"
import type { SettingKey } from "./settingTable.ts"

const kindOf = (stat: Stats): string =>
  stat.isFile() ? "a file" : stat.isDirectory() ? "a directory" : "a special file"

const unseen = (path: string, error: unknown): string => `${oneLine(path)} can't be looked at: ${reasonOf(error)}`

/** Why no directory can stand at a path; null when there is one, or one could be made. */
const obstacle = (path: string): string | null => {
  for (let at = path; ; at = dirname(at)) {
    const entry = Result.try(() => lstatSync(at, { throwIfNoEntry: false }))
    // Below a file there is nothing; the file is found further up.
    const absent = Result.isFailure(entry) ? codeOf(entry.failure) === "ENOTDIR" : entry.success === undefined
    if (absent && at !== dirname(at)) continue
    if (Result.isFailure(entry)) return unseen(at, entry.failure)
    const target = Result.try(() => statSync(at, { throwIfNoEntry: false }))
    if (Result.isFailure(target)) return unseen(at, target.failure)
    if (target.success === undefined) return `${oneLine(at)} is a symbolic link that leads nowhere`
    return target.success.isDirectory() ? null : `${oneLine(at)} is ${kindOf(target.success)}, expected a directory`
  }
}

/** Why nothing can be done under a base path. */
const baseFault = (base: string): string | null => {
  const stat = Result.try(() => statSync(base, { throwIfNoEntry: false }))
  if (Result.isFailure(stat)) return unseen(base, stat.failure)
  if (stat.success === undefined) return `there is no directory ${oneLine(base)}; make it, or name another one`
  if (!stat.success.isDirectory()) return `${oneLine(base)} is ${kindOf(stat.success)}, expected a directory`
  const entered = Result.try(() => {
    accessSync(base, constants.X_OK)
  })
  return Result.isSuccess(entered) ? null : `${oneLine(base)} can't be entered by this user`
}

const ownDirectory = "expected a directory of its own, like state/running"

/** The state is kept in the parent of the running directory, and the rest of it must find room there. */
const runningFault = ({ base, running, state }: StatePaths): string | null => {
  if (`${base}/`.startsWith(running === "/" ? "/" : `${running}/`)) {
    return `${oneLine(running)} is the base path or above it; ${ownDirectory}`
  }
  return state === "/" ? `${oneLine(running)} would put the rest of the state into /; ${ownDirectory}` : null
}

/** What a lock holds, of ours and of the Python version's. */
const lockText = /^\s*(?:$|\{[^]*"pid"|(?:pid\D{0,3})?[0-9]{1,10}\s*$)/i

/** Taking the lock writes its holder into the file: nobody's notes may be written over. */
const lockFault = (lock: string, chosen: boolean): string | null => {
  const stat = Result.try(() => statSync(lock, { throwIfNoEntry: false }))
  if (Result.isFailure(stat)) return unseen(lock, stat.failure)
  if (stat.success === undefined) return null
  if (!stat.success.isFile()) return `${oneLine(lock)} is ${kindOf(stat.success)}, expected a file`
  if (!chosen) return null
  const held = stat.success.size < 4096 && Result.try(() => lockText.test(readFileSync(lock, "utf8")))
  return held === false || (Result.isSuccess(held) && !held.success)
    ? `${oneLine(lock)} is there and is no lock, which would be written over; expected a file of its own`
    : null
}

/** Directories that are one and the same, where each needs its own. */
const sharedFaults = (paths: StatePaths, recipes: string): ReadonlyArray<readonly [SettingKey, string]> => {
  const taken = new Map([
    [paths.claims, "claims"],
    [paths.stops, "stop records"],
    [paths.attempts, "attempts"],
    [paths.history, "history"],
    [paths.requests, "requests"],
    [paths.aside, "files set aside"],
    [resolve(paths.state, "tmp"), "temporary directories"]
  ])
  const faults: Array<readonly [SettingKey, string]> = []
  const claim = (key: SettingKey, path: string, what: string) => {
    const other = taken.get(path)
    if (other !== undefined)
      faults.push([key, `${oneLine(path)} is where ${other} stand; expected a directory of its own`])
    taken.set(path, what)
  }
  claim("runningDir", paths.running, "leases")
  claim("logDir", paths.logs, "logs")
  claim("recipesDir", recipes, "recipes")
  return faults
}

/** The directory that every relative path of the settings is under. */
export const basePathOf = ({ settings }: LoadedSettings, workingDirectory: string): string =>
  resolve(workingDirectory, settings.basePath)

/** Everything that is wrong with where things are to stand, one sentence each. */
export const placeFaults = (loaded: LoadedSettings, workingDirectory: string): ReadonlyArray<string> => {
  const { origins, settings } = loaded
  const say = (key: SettingKey, fault: string): string => `${label(settingTable[key], origins[key])}: ${fault}`
  const base = basePathOf(loaded, workingDirectory)
  const missing = baseFault(base)
  // Everything else is under it.
  if (missing !== null) return [say("basePath", missing)]
  const paths = resolveStatePaths({ ...settings, basePath: base })
  const recipes = resolve(base, settings.recipesDir)
  const misplaced = runningFault(paths)
  // Where the rest of the state stands follows from it.
  if (misplaced !== null) return [say("runningDir", misplaced)]
  const checks: ReadonlyArray<readonly [SettingKey, string | null]> = [
    ["runningDir", obstacle(paths.running)],
    ["logDir", obstacle(paths.logs)],
    ["recipesDir", obstacle(recipes)],
    ["lockFile", obstacle(dirname(paths.lock)) ?? lockFault(paths.lock, origins.lockFile.origin !== "default")],
    ...sharedFaults(paths, recipes)
  ]
  return checks.flatMap(([key, fault]) => (fault === null ? [] : [say(key, fault)]))
}
