/**
 * The recipes: those of agents, in whose absence or fault an agent can't start, and the others in the directory, which a
 * task can name by its tag `recipe:<file>`.
 */
import { lstatSync } from "node:fs"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { listDirectory, readSafely } from "@tinyscheduler/adapters-fs/safeFile"
import { recipeSight } from "@tinyscheduler/adapters-process/recipeSight"
import type { RecipeFault } from "@tinyscheduler/adapters-process/recipe/inspectRecipe"
import type { Agent } from "@tinyscheduler/core/domain/DesiredState"
import type { Configuration } from "../settings/Configuration.ts"
import { checksOf } from "./Check.ts"
import type { Check } from "./Check.ts"
import type { Examined } from "./examine.ts"

const { error, ok, warning } = checksOf("recipes")

type Inspect = (text: string) => ReadonlyArray<RecipeFault>

/** A recipe has a few KiB. */
const recipeMaxBytes = 256 * 1024

/** More than these of a directory are not read. */
const othersMax = 200

const inspectFile = (path: string, inspect: Inspect): ReadonlyArray<RecipeFault> => {
  const file = readSafely(path, { maxBytes: recipeMaxBytes, trust: "config", followLinks: true })
  switch (file._tag) {
    case "Missing":
      return [{ level: "error", line: null, field: null, says: "is not there any more" }]
    case "Refused":
      return [{ level: "error", line: null, field: null, says: file.problem }]
    case "Read":
      return inspect(file.text)
  }
}

const sayFault = (path: string, { field, line, says }: RecipeFault): string =>
  `${path}${line === null ? "" : `:${line}`} ${field === null ? "" : `${field} `}${says}`

/** What is said of a fault whose weight depends on who uses the recipe. */
const faultCheck = (what: string, path: string, fault: RecipeFault, counts: boolean): Check =>
  (fault.level === "error" && counts ? error : warning)(what, sayFault(path, fault), "correct it there")

interface Used {
  readonly recipe: string
  readonly agents: ReadonlyArray<Agent>
  /** Named in an entry, and not only by the agent's name. */
  readonly isNamed: boolean
  /** Goose reads it; another program's recipe is its own matter. */
  readonly isGooses: boolean
}

const usedRecipes = ({ config, control }: Examined): ReadonlyArray<Used> => {
  const byRecipe = Map.groupBy(
    config.desired.agents.filter(({ recipe }) => recipe !== null),
    ({ recipe }) => recipe ?? ""
  )
  const entries = control._tag === "Read" ? control.control.entries : []
  return [...byRecipe].map(([recipe, agents]) => ({
    recipe,
    agents,
    isNamed: entries.some((entry) => entry.recipe === recipe),
    isGooses: agents.some(({ name }) => config.launchOf(name)?.command === null)
  }))
}

/** A directory, a named pipe, a link that leads to nothing: what --fix neither fills nor removes. */
const isOccupied = (path: string): boolean =>
  Result.getOrElse(
    Result.try(() => lstatSync(path, { throwIfNoEntry: false }) !== undefined),
    () => false
  )

const usedChecks = (config: Configuration, used: Used, inspect: Inspect): ReadonlyArray<Check> => {
  const what = `recipe of ${used.agents.map(({ name }) => name).join(", ")}`
  const counts = used.agents.some(({ enabled }) => enabled)
  const say = counts ? error : warning
  const { path, state } = recipeSight(config.recipesDir, used.recipe)
  switch (state) {
    case "missing":
      if (isOccupied(path)) {
        const judge = used.isNamed ? say : warning
        return [judge(what, `is no file that can be read: ${path}`, "move away what stands there")]
      }
      return used.isNamed
        ? [say(what, `is not there: ${path}`, "write it, as --fix does, or name another in the entry")]
        : [
            warning(
              what,
              `is not there: ${path}; only tasks with a tag recipe:<file> can start`,
              "write it, as --fix does"
            )
          ]
    case "outside":
      return [say(what, `leads out of the recipes directory: ${path}`, "put the file itself into the directory")]
    case "present": {
      const faults = used.isGooses ? inspectFile(path, inspect) : []
      return [
        ...faults.map((fault) => faultCheck(what, path, fault, counts)),
        ...(faults.some(({ level }) => level === "error") ? [] : [ok(what, `is ${path}`)])
      ]
    }
  }
}

/** Recipes that no agent names, and files that look like ones. */
const otherChecks = (config: Configuration, used: ReadonlySet<string>, inspect: Inspect): ReadonlyArray<Check> => {
  const listed = Result.getOrElse(
    Result.try(() => listDirectory(config.recipesDir)),
    (): ReadonlyArray<string> => []
  )
  const others = listed.filter((name) => !used.has(name) && !name.startsWith(".")).sort()
  const named = others.filter((name) => /\.(?:yaml|json)$/.test(name)).slice(0, othersMax)
  return [
    ...named.flatMap((name) => {
      const { path, state } = recipeSight(config.recipesDir, name)
      if (state === "outside") {
        return [warning(`recipe ${name}`, `leads out of the recipes directory: ${path}`, "no task can use it")]
      }
      return state === "present"
        ? inspectFile(path, inspect).map((fault) => faultCheck(`recipe ${name}`, path, fault, false))
        : []
    }),
    ...others
      .filter((name) => name.endsWith(".yml"))
      .map((name) =>
        warning(
          `recipe ${name}`,
          `${join(config.recipesDir, name)} is never read: Goose takes .yaml and .json`,
          "rename it"
        )
      )
  ]
}

/** Loaded here alone: it brings a YAML parser with it, which no other command needs. */
const loadInspection = Effect.promise(() => import("@tinyscheduler/adapters-process/recipe/inspectRecipe"))

export const recipeChecks = Effect.fn("recipeChecks")(function* (examined: Examined) {
  const loaded = yield* loadInspection
  const inspect: Inspect = (text) => loaded.inspectRecipe(text, examined.config.settings.mcpEndpoint)
  const used = usedRecipes(examined)
  return [
    ...used.flatMap((each) => usedChecks(examined.config, each, inspect)),
    ...otherChecks(examined.config, new Set(used.map(({ recipe }) => recipe)), inspect)
  ] satisfies ReadonlyArray<Check>
})
