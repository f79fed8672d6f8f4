/** Whether this machine's clock can be right: not before this version was made, nor before what was written here. */
import { readdirSync, statSync } from "node:fs"
import { join } from "node:path"
import * as Result from "effect/Result"
import type { Configuration } from "../settings/Configuration.ts"
import { released } from "../version.ts"
import { checksOf } from "./Check.ts"
import type { Check } from "./Check.ts"

const { ok, warning } = checksOf("clock")

/** Files of one directory that are looked at: of millions the newest would cost more than it tells. */
const filesMax = 10_000

/** Steps of a clock that is kept by NTP are smaller. */
const toleranceMs = 5000

const modifiedMs = (path: string): number =>
  Result.getOrElse(
    Result.try(() => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0),
    () => 0
  )

const namesIn = (directory: string): ReadonlyArray<string> =>
  Result.getOrElse(
    Result.try((): ReadonlyArray<string> => readdirSync(directory)),
    () => []
  )

/** The latest time at which a lease, an attempts file or the history was written; 0 when there are none. */
const newestWrite = ({ paths }: Configuration): number =>
  [paths.running, paths.attempts, paths.history]
    .flatMap((directory) =>
      namesIn(directory)
        .slice(0, filesMax)
        .map((name) => modifiedMs(join(directory, name)))
    )
    .reduce((newest, time) => Math.max(newest, time), 0)

const offsetOf = (date: Date): string => {
  const minutes = -date.getTimezoneOffset()
  const pad = (value: number): string => String(Math.trunc(value)).padStart(2, "0")
  return `${minutes < 0 ? "-" : "+"}${pad(Math.abs(minutes) / 60)}:${pad(Math.abs(minutes) % 60)}`
}

export interface ClockFacts {
  readonly nowMs: number
  readonly releasedMs: number
  readonly newestMs: number
  readonly zone: string
}

const instant = (ms: number): string => new Date(ms).toISOString()

/** What these facts say of the clock. */
export const judgeClock = ({ newestMs, nowMs, releasedMs, zone }: ClockFacts): Check => {
  const now = `${instant(nowMs)}, time zone ${zone}`
  const mend = "set it (timedatectl, or the host's NTP service)"
  if (nowMs < releasedMs) return warning("clock", `shows ${now}: this version is younger than that`, mend)
  if (nowMs + toleranceMs < newestMs) {
    return warning("clock", `shows ${now}: state was written at ${instant(newestMs)}, which is later`, mend)
  }
  return ok("clock", `shows ${now}`)
}

export const clockChecks = (config: Configuration, nowMs: number): ReadonlyArray<Check> => [
  judgeClock({
    nowMs,
    releasedMs: Date.parse(released),
    newestMs: newestWrite(config),
    zone: `${Intl.DateTimeFormat().resolvedOptions().timeZone} (${offsetOf(new Date(nowMs))})`
  })
]
