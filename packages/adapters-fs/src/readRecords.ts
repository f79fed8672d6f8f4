/** Records as whole rounds, from the files of a state directory or from one that somebody names. */
import { statSync } from "node:fs"
import { basename } from "node:path"
import * as Result from "effect/Result"
import { makeWalk } from "@tinyscheduler/core/replay/walk"
import type { RecordedRound } from "@tinyscheduler/core/replay/walk"
import { listRecordFiles, readRecordFile } from "./recordFiles.ts"

/** Where records are: the directory in which a scheduler keeps them, or a file or directory that was passed on. */
export type RecordSource =
  | { readonly _tag: "Kept"; readonly directory: string }
  | { readonly _tag: "Given"; readonly path: string }

export type FoundRecord =
  | { readonly _tag: "Round"; readonly round: RecordedRound; readonly bytes: number }
  | { readonly _tag: "Odd"; readonly path: string; readonly problem: string }

const counted = (count: number, what: string): string => (count === 1 ? `1 ${what}` : `${count} ${what}s`)

/** After so many lines on end that are none of records a file is something else, however long it goes on. */
const strayMax = 100

/** A stretch of a file that can't be read. */
interface Stretch {
  readonly problem: string
  /** Lines that are none of records; 0 where it begins with a record that nothing stands before. */
  readonly stray: number
  /** Records after them that build on what is not there. */
  readonly lost: number
}

const problemOf = ({ lost, problem, stray }: Stretch): string =>
  [
    problem,
    ...(stray > 1 ? [`${counted(stray - 1, "line")} after it ${stray === 2 ? "is" : "are"} no record either`] : []),
    ...(stray === strayMax ? ["the rest was not read"] : []),
    ...(lost > 0 ? [`${counted(lost, "record")} after it can't be read without it`] : [])
  ].join("; ")

/** One file. After a line that can't be read those that build on it are of no use, up to one that holds everything. */
function* readFile(path: string, source: RecordSource["_tag"]): Generator<FoundRecord> {
  let walk = makeWalk()
  let problem: string | null = null
  let stray = 0
  let lost = 0
  const told = (): ReadonlyArray<FoundRecord> =>
    problem === null ? [] : [{ _tag: "Odd", path, problem: problemOf({ problem, stray, lost }) }]
  for (const read of readRecordFile(path, source === "Kept" ? "state" : "config")) {
    // Of a scheduler's own file the end may be just being written; and after a crash the records go on in another.
    if (read._tag === "Torn" && source === "Kept") continue
    if (read._tag === "Odd" && stray > 0 && lost === 0) {
      stray += 1
      if (stray === strayMax) break
      continue
    }
    if (read._tag !== "Line") {
      yield* told()
      walk = makeWalk()
      problem = read._tag === "Torn" ? "its end is torn off" : read.problem
      stray = read._tag === "Odd" ? 1 : 0
      lost = 0
      continue
    }
    const round = walk(read.line)
    if (Result.isSuccess(round)) {
      yield* told()
      problem = null
      stray = 0
      lost = 0
      yield { _tag: "Round", round: round.success, bytes: read.bytes }
    } else if (problem === null) problem = round.failure
    else lost += 1
  }
  yield* told()
}

/** The files of a source, the oldest first. Throws what the system says. */
const filesOf = (source: RecordSource): ReadonlyArray<string> => {
  if (source._tag === "Kept") return listRecordFiles(source.directory)
  return statSync(source.path).isDirectory() ? listRecordFiles(source.path) : [source.path]
}

/** Without those that end before a record, or before the time with which it begins: a file is named by its first one. */
const fromOn = (files: ReadonlyArray<string>, from: string): ReadonlyArray<string> =>
  files.filter((_file, at) => {
    const next = files[at + 1]
    return next === undefined || basename(next) >= from
  })

/** Every record, and some before, from an id on or from the time with which ids begin; "" = all. Throws what the system says. */
export function* readRecords(source: RecordSource, from = ""): Generator<FoundRecord> {
  for (const path of fromOn(filesOf(source), from)) yield* readFile(path, source._tag)
}

/** The last record that there is; null = there is none. Throws what the system says. */
export const lastRecord = (source: RecordSource): Extract<FoundRecord, { readonly _tag: "Round" }> | null => {
  for (const path of filesOf(source).toReversed()) {
    let last: Extract<FoundRecord, { readonly _tag: "Round" }> | null = null
    for (const found of readFile(path, source._tag)) if (found._tag === "Round") last = found
    if (last !== null) return last
  }
  return null
}
