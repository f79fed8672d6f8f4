/** Wall-clock text to numbers and back, without asking any clock. */
import * as DateTime from "effect/DateTime"
import * as Option from "effect/Option"

/** Milliseconds since 1970 of a `Timestamp`; 0 for text that is none (a decoded value always is one). */
export const millisOf = (timestamp: string): number =>
  Option.getOrElse(Option.map(DateTime.make(timestamp), DateTime.toEpochMillis), () => 0)

/** The `Timestamp` of milliseconds since 1970: 2026-01-20T04:00:00.000Z. */
export const timestampOf = (millis: number): string => DateTime.formatIso(DateTime.makeUnsafe(Math.floor(millis)))
