/** The base path, the directories of the state and the lock: there, ours, and nobody else's to replace. */
import { accessSync, constants, lstatSync, realpathSync, statSync } from "node:fs"
import type { Stats } from "node:fs"
import { dirname } from "node:path"
import * as Result from "effect/Result"
import { type DirectoryUse, directoryProblem } from "@tinyscheduler/adapters-fs/directoryTrust"
import { readHolder } from "@tinyscheduler/adapters-fs/SchedulerLock"
import { stateDirectories } from "../stateDirectories.ts"
import type { Configuration } from "../settings/Configuration.ts"
import { checksOf } from "./Check.ts"
import type { Check } from "./Check.ts"

const { error, ok, warning } = checksOf("directories")

const modeOf = (stat: Stats): string => (stat.mode & 0o7777).toString(8)

const isAllowed = (path: string, mode: number): boolean => Result.isSuccess(Result.try(() => accessSync(path, mode)))

type Look = Stats | "absent" | "closed"

const look = (path: string): Look =>
  Result.getOrElse(
    Result.try((): Look => statSync(path, { throwIfNoEntry: false }) ?? "absent"),
    () => "closed"
  )

const ancestorsOf = (path: string): ReadonlyArray<string> => {
  const above = dirname(path)
  return above === path ? [] : [above, ...ancestorsOf(above)]
}

/** Of what is not there it counts whether it can be made. */
const missingCheck = (path: string): Check => {
  const above = ancestorsOf(path).find((directory) => look(directory) !== "absent")
  return above === undefined || isAllowed(above, constants.W_OK | constants.X_OK)
    ? warning(path, "is not there yet", "nothing: the first pass makes it, or --fix does")
    : error(path, `is not there, and this user can't make it: ${above} is closed to it`, `chown or chmod ${above}`)
}

const directoryCheck = (path: string, stat: Look, use: DirectoryUse): Check => {
  if (stat === "closed") return error(path, "can't be looked at by this user", "give this user the right to")
  if (stat === "absent") return missingCheck(path)
  if (!stat.isDirectory()) return error(path, "is no directory", "move it away")
  if (!isAllowed(path, constants.R_OK | constants.W_OK | constants.X_OK)) {
    return error(path, "can't be read and written by this user", `give it to this user: chown, chmod 700 ${path}`)
  }
  const problem = directoryProblem(path, use)
  if (problem !== null) return error(path, `${problem.says}: nothing starts in it`, problem.wayOut)
  if ((stat.mode & 0o077) !== 0) {
    return warning(path, `is open to others (mode ${modeOf(stat)})`, `chmod 700 ${path}`)
  }
  return ok(path, "is there, and ours alone")
}

/** What is said of a directory holds for those in it: it is not said again. */
const stateChecks = (config: Configuration): ReadonlyArray<Check> => {
  const checks = new Map<string, Check>()
  const ours = stateDirectories(config)
  for (const path of [...ours, dirname(config.paths.lock)]) {
    const use = ours.includes(path) ? "ours" : "shared"
    if (path !== config.paths.base) checks.set(path, directoryCheck(path, look(path), use))
  }
  return [...checks]
    .filter(([path, check]) => {
      const above = ancestorsOf(path).flatMap((directory) => checks.get(directory) ?? [])
      return !above.some(({ level, says }) => level === "error" || (level === "warning" && says === check.says))
    })
    .map(([, check]) => check)
}

/** Made with the first record. Where it can't be used passes go on, without records. */
const recordsChecks = ({ paths }: Configuration): ReadonlyArray<Check> => {
  const stat = look(paths.records)
  if (stat === "absent") return []
  const check = directoryCheck(paths.records, stat, "ours")
  if (check.level === "ok") return []
  return [
    check.level === "error" ? { ...check, level: "warning", says: `${check.says}; passes are not recorded` } : check
  ]
}

/** That it is a directory at all is a matter of the settings. */
const baseChecks = (base: string): ReadonlyArray<Check> => {
  const stat = look(base)
  if (typeof stat !== "object") return []
  return (stat.mode & 0o002) === 0
    ? [ok(base, "is the base path")]
    : [
        warning(
          base,
          `can be written by everybody (mode ${modeOf(stat)}): anybody can put agents and recipes there`,
          `chmod o-w ${base}`
        )
      ]
}

/** Whoever may write a directory without the sticky bit may put another one in the place of what is in it. */
const exposureChecks = (base: string): ReadonlyArray<Check> => {
  const real = Result.getOrElse(
    Result.try(() => realpathSync(base)),
    () => base
  )
  return ancestorsOf(real).flatMap((above) => {
    const stat = look(above)
    return typeof stat === "object" && (stat.mode & 0o002) !== 0 && (stat.mode & 0o1000) === 0
      ? [
          warning(
            above,
            `can be written by everybody (mode ${modeOf(stat)}): anybody can replace ${real}`,
            `chmod o-w ${above}, or chmod +t ${above}`
          )
        ]
      : []
  })
}

/** The lock itself is not tried: that would keep a scheduler from starting just then. */
const lockChecks = ({ paths }: Configuration): ReadonlyArray<Check> => {
  const read = Result.try(() => lstatSync(paths.lock, { throwIfNoEntry: false }))
  const stat = Result.getOrUndefined(read)
  if (stat === undefined) return []
  if (!stat.isFile()) return [error(paths.lock, "is no file, so it can't be locked", "move it away")]
  if (!isAllowed(paths.lock, constants.R_OK | constants.W_OK)) {
    return [error(paths.lock, "can't be written by this user", "give it to this user with chown; don't delete it")]
  }
  const holder = readHolder(paths.lock)
  return [ok(paths.lock, holder === null ? "is the lock" : `is the lock, last taken by ${holder}`)]
}

export const directoryChecks = (config: Configuration): ReadonlyArray<Check> => [
  ...baseChecks(config.paths.base),
  ...exposureChecks(config.paths.base),
  ...stateChecks(config),
  ...recordsChecks(config),
  ...lockChecks(config)
]
