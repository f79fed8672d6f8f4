/** When a pause ends by itself, from --for or --until. */
import * as Result from "effect/Result"
import { millisOf, timestampOf } from "@tinyscheduler/core/domain/time"
import { escapeShort } from "../output/escape.ts"

const unitsMs: Readonly<Record<string, number>> = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000 }
/** Ten years: a longer one is a slip, and not every length ends at a time that can be written. */
const longestMs = 3650 * 86_400_000
const lengthPattern = /^(?:[0-9]{1,6}[dhms])+$/

/** A length of time like 45m, 2h or 1d12h; null when it is none. */
export const lengthMs = (text: string): number | null =>
  lengthPattern.test(text)
    ? [...text.matchAll(/([0-9]+)([dhms])/g)].reduce(
        (sum, [, count, unit]) => sum + Number(count) * (unitsMs[unit ?? ""] ?? 0),
        0
      )
    : null

/** What was typed, as it is repeated to whoever typed it. */
const quotedShort = (text: string): string => `"${escapeShort(text, 80)}"`

const momentPattern = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?(?:Z|[+-]\d\d:\d\d)?$/

/** A time with its zone, or else in this machine's. */
export const momentMs = (text: string): number | null => {
  const millis = momentPattern.test(text) ? Date.parse(text) : Number.NaN
  return Number.isNaN(millis) ? null : millis
}

/** Null: until it is resumed. The failure is a sentence for whoever typed it. */
export const pauseEnd = (
  typed: { readonly for: string | null; readonly until: string | null },
  nowMs: number
): Result.Result<string | null, string> => {
  if (typed.for !== null && typed.until !== null) {
    return Result.fail("--for and --until both say when the pause ends; give one of them")
  }
  if (typed.for !== null) {
    const length = lengthMs(typed.for)
    if (length === null || length <= 0) {
      return Result.fail(`--for is ${quotedShort(typed.for)}, expected a length of time like 45m, 2h or 1d12h`)
    }
    return length > longestMs
      ? Result.fail(
          `--for is ${quotedShort(typed.for)}, expected 3650d at most; without --for and --until it stands until tinyscheduler resume`
        )
      : Result.succeed(timestampOf(nowMs + length))
  }
  if (typed.until === null) return Result.succeed(null)
  const end = momentMs(typed.until)
  if (end === null) {
    return Result.fail(
      `--until is ${quotedShort(typed.until)}, expected a time like 2026-01-20T18:00 (this machine's) or 2026-01-20T18:00Z`
    )
  }
  return end <= nowMs
    ? Result.fail(`--until is ${timestampOf(end)}, which is past: nothing would be paused`)
    : Result.succeed(timestampOf(millisOf(timestampOf(end))))
}
