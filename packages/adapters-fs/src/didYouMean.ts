/** What somebody who misspelt a name most likely meant. */
import { closest, distance } from "fastest-levenshtein"

/** The known name nearest to a misspelt one; null when none is near: at most a third of it differs. */
export const nearestName = (misspelt: string, known: ReadonlyArray<string>): string | null => {
  const nearest = closest(misspelt.slice(0, 100), known)
  return nearest !== undefined && distance(misspelt, nearest) <= Math.max(1, Math.floor(misspelt.length / 3))
    ? nearest
    : null
}
