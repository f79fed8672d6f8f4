/** What a recorded plan did, counted: for a list of records, without reading more of each than its actions. */
import { isObject } from "./isObject.ts"
import { placeOf } from "./Parts.ts"
import type { Parts } from "./Parts.ts"

export interface Tally {
  readonly starts: number
  /** Attempts that came to an end of their own. */
  readonly finishes: number
  /** Rungs of ladders that were climbed. */
  readonly stops: number
  /** What was taken back of attempts that did not come to an end of their own. */
  readonly recovers: number
}

const tagOf = (text: string | undefined): string | null => {
  const value: unknown = text === undefined ? null : JSON.parse(text)
  return isObject(value) && typeof value["_tag"] === "string" ? value["_tag"] : null
}

const taskOf = (text: string): string => {
  const value: unknown = JSON.parse(text)
  const attempt = isObject(value) && isObject(value["attempt"]) ? value["attempt"] : {}
  return String(attempt["taskId"])
}

/** What each action counts as; null = it is told apart by its task's verdict. Noting down what was seen counts as nothing. */
const countedAs: ReadonlyMap<string | null, keyof Tally | null> = new Map([
  ["Start", "starts"],
  ["Stop", "stops"],
  ["End", null],
  ["EndLegacy", "recovers"],
  ["Rebuild", "recovers"],
  ["Sweep", "recovers"]
])

/** Without the actions that were withheld, named by their places. */
export const tallyOf = (parts: Parts, withheld: ReadonlyArray<number> = []): Tally => {
  const without = new Set(withheld.map((place) => `action/${placeOf(place)}`))
  const tally = { starts: 0, finishes: 0, stops: 0, recovers: 0 }
  for (const [key, text] of parts) {
    if (!key.startsWith("action/") || without.has(key)) continue
    const counted = countedAs.get(tagOf(text))
    if (counted === undefined) continue
    const isFinished = counted === null && tagOf(parts.get(`verdict/${taskOf(text)}`)) === "Finish"
    tally[counted ?? (isFinished ? "finishes" : "recovers")] += 1
  }
  return tally
}
