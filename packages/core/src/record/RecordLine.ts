/**
 * One line of a record: what changed since the line before. A line with `base` holds every part; each file begins with
 * one, so that it can be read without those before it, and be removed without harm to those after it.
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { timestampOf } from "../domain/time.ts"
import type { Parts } from "./Parts.ts"

/** The time of a round and a counter: sorts as the rounds went, and names one. */
export const RecordId = Schema.String.check(
  Schema.isPattern(/^\d{8}T\d{9}-\d{4,}$/, { message: "a record's id, like 20261123T120405123-0000" })
).pipe(Schema.brand("RecordId"))
export type RecordId = typeof RecordId.Type

/** One line of a record file. */
export const RecordLine = Schema.Struct({
  version: Schema.Literal(1),
  id: RecordId,
  at: Schema.String,
  /** Holds every part. */
  base: Schema.optionalKey(Schema.Literal(true)),
  /** The plan that was carried out is another than that of what is recorded: what was left out had a say in it. */
  differs: Schema.optionalKey(Schema.Literal(true)),
  /** The places of those actions that wait for somebody's approval: they were planned, and not carried out. */
  withheld: Schema.optionalKey(Schema.Array(Schema.Int)),
  set: Schema.Record(Schema.String, Schema.Unknown),
  gone: Schema.Array(Schema.String)
})
export type RecordLine = typeof RecordLine.Type

const decodeLine = Schema.decodeUnknownResult(RecordLine)

/** A line's text as a line, or in a few words what is wrong with it. */
export const parseLine = (text: string): Result.Result<RecordLine, string> => {
  const json = Result.try((): unknown => JSON.parse(text))
  if (Result.isFailure(json)) return Result.fail("is not JSON, or torn")
  return Result.mapError(decodeLine(json.success), (error) => error.message)
}

/** 20261123T120405123, of a time. */
export const compactTime = (nowMs: number): string => timestampOf(nowMs).replace(/[-:.Z]/g, "")

const counterOf = (id: RecordId): number => Number(id.slice(id.indexOf("-") + 1))
const timeOf = (id: RecordId): string => id.slice(0, id.indexOf("-"))

/** The id of a round: later than the one before it, even when somebody has set the clock back. */
export const nextId = (before: RecordId | null, nowMs: number): RecordId => {
  const time = compactTime(nowMs)
  const numbered = (at: string, count: number): RecordId => RecordId.make(`${at}-${String(count).padStart(4, "0")}`)
  return before === null || time > timeOf(before) ? numbered(time, 0) : numbered(timeOf(before), counterOf(before) + 1)
}

export interface NewLine {
  readonly id: RecordId
  readonly at: string
  readonly differs: boolean
  readonly withheld: ReadonlyArray<number>
}

/** The text of a line that leads from one round's parts to the next; without a round before, one that holds everything. */
export const lineOf = (previous: Parts | null, parts: Parts, { at, differs, id, withheld }: NewLine): string => {
  const set: Array<string> = []
  for (const [key, text] of parts) if (previous?.get(key) !== text) set.push(`${JSON.stringify(key)}:${text}`)
  const gone = previous === null ? [] : [...previous.keys()].filter((key) => !parts.has(key))
  const head = JSON.stringify({
    version: 1,
    id,
    at,
    ...(previous === null ? { base: true } : {}),
    ...(differs ? { differs: true } : {}),
    ...(withheld.length > 0 ? { withheld } : {})
  })
  return `${head.slice(0, -1)},"set":{${set.join(",")}},"gone":${JSON.stringify(gone)}}`
}

/** The parts of a round, from those of the round before it and its line. Null: there is no base that the line could change. */
export const applyLine = (previous: Parts | null, line: RecordLine): Parts | null => {
  if (previous === null && line.base !== true) return null
  const parts = new Map(line.base === true ? [] : previous)
  for (const key of line.gone) parts.delete(key)
  for (const [key, value] of Object.entries(line.set)) parts.set(key, JSON.stringify(value))
  return parts
}

export interface LastParts {
  /** False: there is no base that the line could change. */
  readonly add: (line: RecordLine) => boolean
  /** Null before the first line. */
  readonly parts: () => Parts | null
}

/** Goes through lines for what the last of them leads to: nothing is made of the rounds in between. */
export const makeLastParts = (): LastParts => {
  let values: Map<string, unknown> | null = null
  return {
    add: (line) => {
      if (line.base === true) values = new Map()
      if (values === null) return false
      for (const key of line.gone) values.delete(key)
      for (const [key, value] of Object.entries(line.set)) values.set(key, value)
      return true
    },
    parts: () =>
      values === null ? null : new Map([...values].map(([key, value]) => [key, JSON.stringify(value)] as const))
  }
}
