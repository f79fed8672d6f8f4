/** Whether a recipe is there: a file inside the recipes directory, after links. A name that leads out is never opened. */
import * as fs from "node:fs"
import * as path from "node:path"
import type { RecipeSight } from "@tinyscheduler/core/domain/ObservedState"

const isInside = (directory: string, file: string): boolean => file.startsWith(`${directory}${path.sep}`)

const realOrNull = (file: string): string | null => {
  try {
    return fs.realpathSync(file)
  } catch {
    return null
  }
}

/** Present, missing, or outside: by its name, or by a link in its way. */
export const recipeSight = (recipesDir: string, recipe: string): RecipeSight => {
  const directory = path.resolve(recipesDir)
  const file = path.resolve(directory, recipe)
  const sight = (state: RecipeSight["state"]): RecipeSight => ({ recipe, path: file, state })
  if (recipe.includes("\0") || !isInside(directory, file)) return sight("outside")
  const realDirectory = realOrNull(directory)
  const realFile = realOrNull(file)
  if (realDirectory === null || realFile === null) return sight("missing")
  if (!isInside(realDirectory, realFile)) return sight("outside")
  return sight(fs.statSync(realFile, { throwIfNoEntry: false })?.isFile() === true ? "present" : "missing")
}
