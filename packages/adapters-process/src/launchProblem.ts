/**
 * What can be seen to fail before a process is spent on it, as one sentence. Nothing here is a guarantee: the
 * supervisor meets what changed since, and records it in the lease.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import type { RecipeSight } from "@tinyscheduler/core/domain/ObservedState"
import type { SupervisorOrder } from "./supervisor/spec.ts"

export interface LaunchPlan {
  readonly order: Pick<SupervisorOrder, "argv" | "cwd">
  /** The agent's, in which its program is looked up. */
  readonly environment: Readonly<Record<string, string>>
  readonly recipe: RecipeSight | null
}

/** Null where there is nothing, or a folder on the way is closed to us: for a launch that is the same. */
const statOrNull = (file: string): fs.Stats | null => {
  try {
    return fs.statSync(file, { throwIfNoEntry: false }) ?? null
  } catch {
    return null
  }
}
const isDirectory = (file: string): boolean => statOrNull(file)?.isDirectory() === true
const isFile = (file: string): boolean => statOrNull(file)?.isFile() === true

const isExecutable = (file: string): boolean => {
  try {
    fs.accessSync(file, fs.constants.X_OK)
    return isFile(file)
  } catch {
    return false
  }
}

/** As execvp(3) searches: a name with a slash is a path from the working directory, an empty entry is that directory. */
const binaryProblem = (binary: string, cwd: string, searchPath: string): string | null => {
  if (binary.includes("/")) {
    const file = path.resolve(cwd, binary)
    if (isExecutable(file)) return null
    return isFile(file) ? `${file} may not be executed` : `${file} does not exist or is closed to us`
  }
  const found = searchPath.split(":").some((directory) => isExecutable(path.resolve(cwd, directory, binary)))
  return found ? null : `${binary} was not found on PATH (${searchPath === "" ? "which is empty" : searchPath})`
}

/** Null when nothing speaks against the launch. */
export const launchProblem = ({ order, environment, recipe }: LaunchPlan): string | null => {
  const [binary] = order.argv
  if (binary === undefined || binary === "") return "the agent's command is empty"
  if (!path.isAbsolute(order.cwd)) return `the working directory ${order.cwd} is not an absolute path`
  if (!isDirectory(order.cwd)) return `the working directory ${order.cwd} does not exist or is closed to us`
  if (recipe !== null && recipe.state === "missing") return `the recipe ${recipe.path} does not exist`
  if (recipe !== null && recipe.state === "outside")
    return `the recipe ${recipe.recipe} leads out of the recipes directory`
  return binaryProblem(binary, order.cwd, environment["PATH"] ?? "")
}
