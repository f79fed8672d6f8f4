/**
 * What can be seen to fail before a process is spent on it, as one sentence. Nothing here is a guarantee: the
 * supervisor meets what changed since, and records it in the lease.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import type { RecipeSight } from "@tinyscheduler/core/domain/ObservedState"
import { findBinary } from "./findBinary.ts"
import type { SupervisorOrder } from "./supervisor/spec.ts"

export interface LaunchPlan {
  readonly order: Pick<SupervisorOrder, "argv" | "cwd">
  /** The agent's, in which its program is looked up. */
  readonly environment: Readonly<Record<string, string>>
  readonly recipe: RecipeSight | null
}

/** A folder on the way that is closed to us is the same as none. */
const isDirectory = (file: string): boolean => {
  try {
    return fs.statSync(file, { throwIfNoEntry: false })?.isDirectory() === true
  } catch {
    return false
  }
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
  const sight = findBinary(binary, order.cwd, environment["PATH"] ?? "")
  return sight._tag === "Found" ? null : sight.problem
}
