/** A recipe as text, in the form that its file's name asks for. Brings a YAML writer with it. */
import { stringify } from "yaml"

export const formatRecipe = (recipe: object, fileName: string): string =>
  fileName.endsWith(".json") ? `${JSON.stringify(recipe, null, 2)}\n` : stringify(recipe, { lineWidth: 110 })
