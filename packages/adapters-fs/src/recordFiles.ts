/**
 * The files of records, `state/records/<first id>.jsonl`, read line by line: a file by itself is whole, since it begins with a
 * line that holds everything. Only one line at a time is in memory, and what it led to.
 */
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs"
import { join } from "node:path"
import * as Result from "effect/Result"
import { parseLine } from "@tinyscheduler/core/record/RecordLine"
import type { RecordId, RecordLine } from "@tinyscheduler/core/record/RecordLine"
import { distrust, listDirectory } from "./safeFile.ts"

/** The longest line that is read: a base of some hundred thousand tasks. */
export const recordLineMaxBytes = 256 * 1024 * 1024

const chunkBytes = 256 * 1024
const newline = 0x0a
const namePattern = /^\d{8}T\d{9}-\d{4,}\.jsonl$/

/** A file is named by its first record. */
export const recordFileName = (first: RecordId): string => `${first}.jsonl`

/** The files of records, the oldest first. Throws when the directory can't be read. */
export const listRecordFiles = (directory: string): ReadonlyArray<string> =>
  listDirectory(directory)
    .filter((name) => namePattern.test(name))
    .sort()
    .map((name) => join(directory, name))

const safeFlags = constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY

/** Opens a file of records, never through a link; throws where others could have written it. */
export const openRecordFile = (path: string, flags: number, trust: "state" | "config"): number => {
  const descriptor = openSync(path, flags | safeFlags, 0o600)
  const problem = distrust(fstatSync(descriptor, { bigint: true }), trust)
  if (problem === null) return descriptor
  closeSync(descriptor)
  throw new Error(`it ${problem}`)
}

export type ReadLine =
  | { readonly _tag: "Line"; readonly line: RecordLine; readonly bytes: number }
  /** A crash tore the end of the file; that the records go on in another is how it should be. */
  | { readonly _tag: "Torn" }
  | { readonly _tag: "Odd"; readonly problem: string }

const asLine = (bytes: Buffer): ReadLine =>
  Result.match(parseLine(bytes.toString("utf8")), {
    onFailure: (problem): ReadLine => ({ _tag: "Odd", problem }),
    onSuccess: (line) => ({ _tag: "Line", line, bytes: bytes.length + 1 })
  })

/** The lines of a file, one after another. Throws what the system says. */
export function* readRecordFile(path: string, trust: "state" | "config" = "state"): Generator<ReadLine> {
  const descriptor = openRecordFile(path, constants.O_RDONLY, trust)
  try {
    const chunk = Buffer.allocUnsafe(chunkBytes)
    let pieces: Array<Buffer> = []
    let length = 0
    for (let read = readSync(descriptor, chunk); read > 0; read = readSync(descriptor, chunk)) {
      let start = 0
      const filled = chunk.subarray(0, read)
      for (let end = filled.indexOf(newline); end >= 0; end = filled.indexOf(newline, start)) {
        yield asLine(Buffer.concat([...pieces, filled.subarray(start, end)]))
        pieces = []
        length = 0
        start = end + 1
      }
      length += read - start
      if (length > recordLineMaxBytes) throw new Error("it has a line that is longer than any record")
      // A copy: the chunk is filled anew.
      pieces.push(Buffer.from(filled.subarray(start)))
    }
    if (length > 0) yield { _tag: "Torn" }
  } finally {
    closeSync(descriptor)
  }
}
