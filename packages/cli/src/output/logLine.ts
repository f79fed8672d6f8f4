/**
 * One event of the log as one line: as text for people, or as JSON with fields for programs. Whatever it tells of others
 * (titles, error texts, names) is escaped and cut first, so that no text makes a second line or moves a cursor.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Formatter from "effect/Formatter"
import type * as Logger from "effect/Logger"
import * as References from "effect/References"
import type { Settings } from "../settings/settingTable.ts"
import { escapeShort } from "./escape.ts"

/** What an event is about, as far as whoever tells it knows. The names of the JSON fields; documented, never renamed. */
export interface LogFields {
  /** One word: a verdict (start, wait, …), a step's summary, or what happened. */
  readonly event?: string
  /** The step of the pass, 1 to 5. */
  readonly step?: number
  readonly task?: number
  readonly agent?: string
  readonly epoch?: number
  readonly outcome?: string
}

/** In the order in which they stand in a line. */
const fieldNames = ["event", "step", "task", "agent", "epoch", "outcome"] as const satisfies ReadonlyArray<
  keyof LogFields
>

export interface LogEvent {
  readonly date: Date
  /** DEBUG, INFO, WARN or ERROR. */
  readonly level: string
  readonly message: string
  readonly fields: Readonly<Record<string, string | number>>
  /** The stack of a failure that nobody expected; empty for all others. */
  readonly cause: string
}

/** Gives the lines that an effect logs their fields. */
export const withFields =
  (fields: LogFields) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.annotateLogs(effect, { ...fields })

/** Longer messages are cut: a line must stay one that can be read, searched and sent on. */
const messageMax = 8 * 1024
const fieldMax = 200

const messageOf = (message: unknown): string =>
  (Array.isArray(message) ? message : [message])
    .map((part) => (typeof part === "string" ? part : Formatter.format(part)))
    .join(" ")

const fieldsOf = (annotations: Readonly<Record<string, unknown>>): LogEvent["fields"] => {
  const fields: Record<string, string | number> = {}
  for (const name of fieldNames) {
    const value = annotations[name]
    if (typeof value === "number") fields[name] = value
    else if (typeof value === "string") fields[name] = escapeShort(value, fieldMax)
  }
  return fields
}

/** What Effect's logger was told, with the given secrets left out. */
export const eventOf = (options: Logger.Options<unknown>, secrets: ReadonlyArray<string>): LogEvent => {
  const clean = (text: string): string =>
    escapeShort(
      secrets.reduce((rest, secret) => rest.replaceAll(secret, "<redacted>"), text),
      messageMax
    )
  return {
    date: options.date,
    level: options.logLevel.toUpperCase(),
    message: clean(messageOf(options.message)),
    fields: fieldsOf(options.fiber.getRef(References.CurrentLogAnnotations)),
    cause: options.cause.reasons.length === 0 ? "" : clean(Cause.pretty(options.cause))
  }
}

const pad = (value: number): string => String(value).padStart(2, "0")

/** The day in the machine's own time, as `date +%Y%m%d` prints it. */
export const dayOf = (date: Date): string => `${date.getFullYear()}${pad(date.getMonth() + 1)}${pad(date.getDate())}`
const clockOf = (date: Date): string => `${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}`

/** The line, without its end. `paint` colours the level of a text line. */
export const lineOf = (
  { cause, date, fields, level, message }: LogEvent,
  format: Settings["logFormat"],
  paint: (text: string) => string = (text) => text
): string =>
  format === "json"
    ? JSON.stringify({ time: date.toISOString(), level, message, ...fields, ...(cause === "" ? {} : { cause }) })
    : `${dayOf(date)} ${clockOf(date)} ${paint(level.padEnd(5))} ${message}${cause === "" ? "" : ` ${cause}`}`
