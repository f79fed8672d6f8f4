/** What a recorded plan did, counted: for a list of records, without reading more of each than its actions. */
import { isObject } from "./isObject.ts"
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

export const tallyOf = (parts: Parts): Tally => {
  const tally = { starts: 0, finishes: 0, stops: 0, recovers: 0 }
  for (const [key, text] of parts) {
    if (!key.startsWith("action/")) continue
    switch (tagOf(text)) {
      case "Start":
        tally.starts += 1
        break
      case "Stop":
        tally.stops += 1
        break
      case "End":
        if (tagOf(parts.get(`verdict/${taskOf(text)}`)) === "Finish") tally.finishes += 1
        else tally.recovers += 1
        break
      case "EndLegacy":
      case "Rebuild":
      case "Sweep":
        tally.recovers += 1
        break
      case null:
      default:
        break
    }
  }
  return tally
}
