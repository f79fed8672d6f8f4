/** What a reader of an agent's events has made of them so far: a fold over lines, so that it takes constant memory. */
import type { StreamResult } from "../../domain/Lease.ts"

/** What was said of a run's end, in words that are still to be shortened. A reset is a moment in ms since 1970: the supervisor, which reads this, has no Effect. */
export interface Saying extends Pick<StreamResult, "says" | "detail"> {
  readonly resetsAtMs: number | null
}

export interface Reading {
  /** The last word on how the run went; null = none yet. */
  readonly result: Saying | null
  /** A failure that was told of and is not final yet: what comes after it decides. */
  readonly pending: Saying | null
}

export const nothingRead: Reading = { result: null, pending: null }

/** One event of a program; what says nothing of the end leaves the reading as it is. */
export type ReadEvent = (before: Reading, event: Event) => Reading

/** A JSON object whose fields are not known yet. */
export type Event = Readonly<Record<string, unknown>>

export const isEvent = (value: unknown): value is Event =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** More than anybody is shown: secrets are taken out before that is cut, and a part of one is not known as one. */
const keptMax = 8 * 1024

export const said = (says: Saying["says"], detail: string, resetsAtMs: number | null = null): Saying => ({
  says,
  detail: detail.slice(0, keptMax),
  resetsAtMs
})

export const textOf = (value: unknown): string => (typeof value === "string" ? value : "")
