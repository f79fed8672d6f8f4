/** Lengths of time as people write them: 90s, 10m, 1h30m, and with a spread: 10m±5m or 10m+-5m. */
import * as Result from "effect/Result"

/** A length that was given, and how far to either side it may lie. */
export interface GivenDuration {
  readonly ms: number
  readonly spreadMs: number
}

const unitsMs = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000 } as const
const units = ["d", "h", "m", "s"] as const

/** Longer ones are a slip. */
const longestMs = 366 * unitsMs.d

const lengthPattern = /^(?:(\d{1,6})d)?(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,8})s)?$/

const lengthOf = (text: string): number | null => {
  const found = lengthPattern.exec(text)
  if (text === "" || found === null) return null
  return units.reduce((sum, unit, at) => sum + Number(found[at + 1] ?? 0) * unitsMs[unit], 0)
}

/** The failure says what was expected. */
export const parseDuration = (text: string): Result.Result<GivenDuration, string> => {
  const [length = "", spread = "0s", ...rest] = text.split(/\s*(?:±|\+-)\s*/)
  const ms = lengthOf(length.trim())
  const spreadMs = lengthOf(spread.trim())
  if (ms === null || spreadMs === null || rest.length > 0) {
    return Result.fail("expected a length of time like 90s, 10m, 1h30m or 10m±5m")
  }
  if (ms === 0) return Result.fail("expected a length of time that is not 0")
  if (ms > longestMs) return Result.fail("expected 366d at most")
  if (spreadMs > ms) return Result.fail("expected a spread that is no larger than the length itself")
  return Result.succeed({ ms, spreadMs })
}

/** The two largest units that are not 0: 45s, 10m, 1h 30m, 2d 4h; "0s" for less than half a second. */
export const describeDuration = (ms: number): string => {
  let left = Math.round(Math.max(0, ms) / 1000) * 1000
  const parts: Array<string> = []
  for (const unit of units) {
    const count = Math.floor(left / unitsMs[unit])
    left -= count * unitsMs[unit]
    if (count > 0) parts.push(`${count}${unit}`)
    // Beside the largest one only the next: 2d 5s would claim to be exact.
    else if (parts.length > 0) break
    if (parts.length === 2) break
  }
  return parts.length === 0 ? "0s" : parts.join(" ")
}
