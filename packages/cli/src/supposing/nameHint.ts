/** What to say to somebody who typed a name that is not there. */
import { nearestName } from "@tinyscheduler/adapters-fs/didYouMean"
import { escapeShort } from "../output/escape.ts"

/** So many names are listed. */
const namesMax = 20

export const nameHint = (typed: string, names: ReadonlyArray<string>): string => {
  const meant = nearestName(typed, names)
  if (meant !== null) return `did you mean ${escapeShort(meant, 200)}?`
  if (names.length === 0) return "there are none"
  const rest = names.length > namesMax ? ", …" : ""
  return `there are ${escapeShort(names.slice(0, namesMax).join(", "), 600)}${rest}`
}
