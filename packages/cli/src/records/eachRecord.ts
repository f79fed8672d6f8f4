/** Goes through the records that a command is about, one after another, and says plainly where there are none. */
import { resolve } from "node:path"
import { codeOf, reasonOf, unreadable } from "@tinyscheduler/adapters-fs/errno"
import type { RecordSource } from "@tinyscheduler/adapters-fs/readRecords"
import { resolveStatePaths } from "@tinyscheduler/adapters-fs/StatePaths"
import type { RecordedRound } from "@tinyscheduler/core/replay/walk"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { Refused } from "../asking/Refused.ts"
import { loadedSettings, placedSettings } from "../flags.ts"
import { basePathOf } from "../settings/places.ts"
import { ConfigurationError } from "../settings/ConfigurationError.ts"
import { selected } from "./selection.ts"
import type { Selection } from "./selection.ts"

/** What stands in a file in the place of a record. */
export interface OddRecord {
  readonly path: string
  readonly problem: string
}

/** The file that was named, on whatever machine; else the records of the scheduler that these settings are of. */
export const recordsOf = Effect.fnUntraced(function* (file: Option.Option<string>) {
  if (Option.isSome(file)) {
    const source: RecordSource = { _tag: "Given", path: resolve(file.value) }
    return { settings: (yield* loadedSettings).settings, source, paths: null }
  }
  const loaded = yield* placedSettings
  const { settings } = loaded
  const paths = resolveStatePaths({ ...settings, basePath: basePathOf(loaded, process.cwd()) })
  const source: RecordSource = { _tag: "Kept", directory: paths.records }
  return { settings, source, paths }
})

const exportedBy = "tinyscheduler record export writes such a file"

const faultOf = (source: RecordSource, error: unknown) => {
  if (source._tag === "Kept") return unreadable(source.directory, error)
  const { path } = source
  return codeOf(error) === "ENOENT"
    ? new ConfigurationError({ faults: [`there is no ${path}: ${exportedBy}`] })
    : new Refused({ reason: `${path} can't be read: ${reasonOf(error)}` })
}

/** Where no record is found: of one that was named it is a mistake of whoever named it. */
const noneFound = (source: RecordSource, selection: Selection) => {
  const where = source._tag === "Kept" ? source.directory : source.path
  switch (selection._tag) {
    case "Pass": {
      const faults = [
        `no record in ${where} has the id ${selection.id}: tinyscheduler record list shows those that are kept`
      ]
      return new ConfigurationError({ faults })
    }
    case "Between":
    case "Last": {
      const which = selection._tag === "Between" && (selection.fromMs ?? selection.toMs) !== null ? " of that time" : ""
      const why =
        source._tag === "Given"
          ? exportedBy
          : "each pass that decides something leaves one, unless TINYSCHEDULER_RECORD_KEEP_MB is 0"
      return new Refused({ reason: `there is no record${which} in ${where}: ${why}` })
    }
  }
}

/** Visits each; answers what could not be read as one. */
export const eachRecord = Effect.fn("records.each")(function* (
  source: RecordSource,
  selection: Selection,
  visit: (round: RecordedRound, bytes: number) => void
) {
  const odd: Array<OddRecord> = []
  const reading = selected(source, selection)
  for (;;) {
    const next = yield* Effect.try({ try: () => reading.next(), catch: (error) => faultOf(source, error) })
    if (next.done === true) return odd
    const found = next.value
    if (found._tag === "Odd") odd.push({ path: found.path, problem: found.problem })
    else visit(found.round, found.bytes)
  }
})

/** The same, where there must be one at least. */
export const eachRecordOfSome = Effect.fnUntraced(function* (
  source: RecordSource,
  selection: Selection,
  visit: (round: RecordedRound) => void
) {
  let count = 0
  const odd = yield* eachRecord(source, selection, (round) => {
    count += 1
    visit(round)
  })
  if (count > 0) return { count, odd }
  const [first] = odd
  if (first === undefined) return yield* noneFound(source, selection)
  // Most likely a file of another kind.
  if (source._tag === "Given") {
    return yield* new Refused({
      reason: `${first.path} holds no record that is meant, but what is none: ${first.problem}; ${exportedBy}`
    })
  }
  return { count, odd }
})
