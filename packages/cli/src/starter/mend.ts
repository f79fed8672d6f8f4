/**
 * `validate-config --fix`: makes what is missing and closes what is open, and nothing else: no file is overwritten, no
 * directory of somebody else's touched. Done twice it does nothing the second time.
 */
import { chmodSync, lstatSync } from "node:fs"
import { dirname } from "node:path"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { reasonOf } from "@tinyscheduler/adapters-fs/errno"
import { makeDirectory } from "@tinyscheduler/adapters-fs/makeDirectory"
import { recipeSight } from "@tinyscheduler/adapters-process/recipeSight"
import type { Configuration } from "../settings/Configuration.ts"
import { seeHolder } from "../scheduling/lockHolder.ts"
import { stateDirectories } from "../stateDirectories.ts"
import { checksOf } from "../validation/Check.ts"
import type { Check } from "../validation/Check.ts"
import type { Examined } from "../validation/examine.ts"
import { makeAll } from "./newFiles.ts"
import type { NewFile } from "./newFiles.ts"
import { controlFileText, defaultAgent, recipeFiles, recipeWanted } from "./starterFiles.ts"
import type { RecipeWanted } from "./starterFiles.ts"

export interface Mended {
  /** Files and directories that were made. */
  readonly made: ReadonlyArray<string>
  /** Directories that others could look into, and can't any more. */
  readonly closed: ReadonlyArray<string>
  /** What could not be made, as a check. */
  readonly failed: ReadonlyArray<Check>
}

const { error } = checksOf("directories")

/** Outside the base path a directory may serve others too, as /var/log does: its mode is not ours to change. */
const isOursToClose = (path: string, { paths }: Configuration): boolean => {
  const stat = lstatSync(path, { throwIfNoEntry: false })
  return (
    path.startsWith(`${paths.base}/`) &&
    stat?.isDirectory() === true &&
    stat.uid === process.geteuid?.() &&
    (stat.mode & 0o077) !== 0
  )
}

/** Nothing stands there; where we may not look it is not ours to fill. */
const isFree = (path: string): boolean =>
  Result.getOrElse(
    Result.try(() => lstatSync(path, { throwIfNoEntry: false }) === undefined),
    () => false
  )

/** Goose's agents whose recipe is missing; of a link that leads nowhere nothing is made. */
const recipesMissing = (config: Configuration): ReadonlyArray<RecipeWanted> => {
  const missing = config.desired.agents.flatMap((agent) => {
    if (agent.recipe === null || config.launchOf(agent.name)?.command !== null) return []
    const { path, state } = recipeSight(config.recipesDir, agent.recipe)
    return state === "missing" && isFree(path) ? [{ agentName: agent.name, path }] : []
  })
  return missing.filter(({ path }, index) => missing.findIndex((other) => other.path === path) === index)
}

/** A control file where there is none; not for whoever named agents by AGENT_LIMITS: it would end legacy mode. */
const controlMissing = ({ config, control }: Examined): ReadonlyArray<NewFile> =>
  control._tag === "Absent" && config.settings.agentLimits.size === 0
    ? [{ path: control.path, text: controlFileText([defaultAgent]), mode: 0o644 }]
    : []

const makeEach = (files: ReadonlyArray<NewFile>, mended: Mutable): void => {
  for (const file of files) {
    if (mended.failed.some(({ what }) => file.path.startsWith(`${what}/`))) continue
    const result = makeAll([file])
    if (Result.isSuccess(result)) mended.made.push(...result.success)
    else mended.failed.push(error(file.path, `can't be made: ${result.failure.reason}`, "make it by hand"))
  }
}

interface Mutable {
  readonly made: Array<string>
  readonly closed: Array<string>
  readonly failed: Array<Check>
}

const mendDirectories = (config: Configuration, mended: Mutable): void => {
  const { paths, recipesDir } = config
  // Whoever runs may let others in on purpose, and would lose them.
  const held = seeHolder(paths.lock) === "alive"
  for (const path of new Set([...stateDirectories(config), dirname(paths.lock), recipesDir])) {
    // Where the directory above can't be made neither can this one.
    if (mended.failed.some(({ what }) => path.startsWith(`${what}/`))) continue
    try {
      mended.made.push(...makeDirectory(path))
      if (!held && path !== recipesDir && isOursToClose(path, config)) {
        chmodSync(path, 0o700)
        mended.closed.push(path)
      }
    } catch (failure) {
      mended.failed.push(error(path, `can't be made or closed: ${reasonOf(failure)}`, "make it by hand, mode 700"))
    }
  }
}

export const mend = Effect.fn("mend")(function* (examined: Examined) {
  const { config } = examined
  const mended: Mutable = { made: [], closed: [], failed: [] }
  // Where something else stands in a place of ours, or the base path is a slip of the pen, nothing is to be made.
  if (examined.placeFaults.length > 0) return mended satisfies Mended
  mendDirectories(config, mended)
  const control = controlMissing(examined)
  makeEach(control, mended)
  const wanted = control.length > 0 ? recipeWanted(config.recipesDir, [defaultAgent]) : recipesMissing(config)
  const free = wanted.filter(({ path }) => isFree(path))
  makeEach(yield* recipeFiles(free, config.settings), mended)
  return mended satisfies Mended
})
