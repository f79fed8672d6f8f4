/**
 * The history: one JSON line per ended attempt, in one file per month of its end. A line is appended durably; a line
 * that a crash tore is skipped by readers, and the next append begins on a line of its own.
 */
import { closeSync, constants, fstatSync, fsyncSync, openSync, readSync, writeSync } from "node:fs"
import { dirname, join } from "node:path"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { HistoryLineFile, type HistoryLine } from "@tinyscheduler/core/domain/Attempts"
import type { DurableFiles } from "./DurableFiles.ts"
import { codeOf, unreadable } from "./errno.ts"
import { makeDecoder, parseJson } from "./jsonFile.ts"
import { distrust } from "./safeFile.ts"
import { namesIn } from "./scanLeases.ts"
import { giveSoleName } from "./soleName.ts"
import type { StatePaths } from "./StatePaths.ts"

/** The longest line that is written or read. */
export const historyLineMaxBytes = 64 * 1024

const chunkBytes = 64 * 1024
const newline = 0x0a

const encodeLine = Schema.encodeSync(HistoryLineFile)
const decodeLine = makeDecoder(HistoryLineFile)
const monthPattern = /^([0-9]{6})\.jsonl$/

/** The file of a line: "2026-11-22T…" stands in 202611.jsonl. */
export const historyPath = (paths: StatePaths, line: HistoryLine): string =>
  join(paths.history, `${line.endedAt.slice(0, 4)}${line.endedAt.slice(5, 7)}.jsonl`)

const openTrusted = (path: string, flags: number): number => {
  const descriptor = openSync(path, flags | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY, 0o600)
  const problem = distrust(fstatSync(descriptor, { bigint: true }), "state")
  if (problem === null) return descriptor
  closeSync(descriptor)
  throw new Error(`it ${problem}`)
}

const endsTorn = (descriptor: number, size: number): boolean => {
  const last = Buffer.alloc(1)
  return size > 0 && readSync(descriptor, last, 0, 1, size - 1) === 1 && last[0] !== newline
}

/** Without a second name: see soleName. */
const openToAppend = (files: DurableFiles, path: string): number => {
  const flags = constants.O_RDWR | constants.O_APPEND | constants.O_CREAT
  const descriptor = openTrusted(path, flags)
  if (fstatSync(descriptor).nlink === 1) return descriptor
  closeSync(descriptor)
  giveSoleName(path, files.temporaryPath(path))
  return openTrusted(path, flags)
}

/** Appends one line durably; throws when that is not certain. Synchronous: one operation. */
export const appendHistoryLine = (files: DurableFiles, paths: StatePaths, line: HistoryLine): void => {
  const path = historyPath(paths, line)
  const text = `${JSON.stringify(encodeLine(line))}\n`
  if (Buffer.byteLength(text) > historyLineMaxBytes) throw new Error("the line would be longer than 64 KiB")
  files.ensureDirectory(dirname(path))
  const descriptor = openToAppend(files, path)
  try {
    const { size } = fstatSync(descriptor)
    const bytes = Buffer.from(endsTorn(descriptor, size) ? `\n${text}` : text)
    for (let offset = 0; offset < bytes.length;) {
      const written = writeSync(descriptor, bytes, offset)
      if (written <= 0) throw new Error("the write made no progress")
      offset += written
    }
    fsyncSync(descriptor)
    // Always: whoever made the file may have died before its name was durable.
    files.syncDirectory(dirname(path))
  } finally {
    closeSync(descriptor)
  }
}

interface Gathered {
  readonly lines: Map<string, HistoryLine>
  skipped: number
}

const take = (gathered: Gathered, bytes: Uint8Array): void => {
  const text = new TextDecoder().decode(bytes).trim()
  if (text === "") return
  const json = parseJson(text)
  const line = json.ok ? decodeLine(json.value) : json
  if (!line.ok) {
    gathered.skipped += 1
    return
  }
  // Taken out first, so that a repeated line stands where it was written last.
  gathered.lines.delete(line.value.token)
  gathered.lines.set(line.value.token, line.value)
}

/** Splits a file into lines chunk by chunk; of a line that is too long only the fact is kept. */
const gatherLines = (descriptor: number, gathered: Gathered): void => {
  const chunk = Buffer.allocUnsafe(chunkBytes)
  let rest = Buffer.alloc(0)
  let overlong = false
  for (let read = readSync(descriptor, chunk); read > 0; read = readSync(descriptor, chunk)) {
    let start = 0
    const filled = chunk.subarray(0, read)
    for (let end = filled.indexOf(newline); end >= 0; end = filled.indexOf(newline, start)) {
      if (overlong) gathered.skipped += 1
      else take(gathered, Buffer.concat([rest, filled.subarray(start, end)]))
      rest = Buffer.alloc(0)
      overlong = false
      start = end + 1
    }
    rest = Buffer.concat([rest, filled.subarray(start)])
    if (rest.length > historyLineMaxBytes) {
      rest = Buffer.alloc(0)
      overlong = true
    }
  }
  if (overlong) gathered.skipped += 1
  else take(gathered, rest)
}

const gatherFile = (path: string, gathered: Gathered): void => {
  let descriptor: number
  try {
    descriptor = openTrusted(path, constants.O_RDONLY)
  } catch (error) {
    // Swept since its directory was listed.
    if (codeOf(error) === "ENOENT") return
    throw error
  }
  try {
    gatherLines(descriptor, gathered)
  } finally {
    closeSync(descriptor)
  }
}

export interface History {
  /** In the order in which they were written; of the lines with one token only the last. */
  readonly lines: ReadonlyArray<HistoryLine>
  /** Torn, overlong or odd lines. */
  readonly skipped: number
}

/** Reads the history from a month on ("202611"; all when null). Takes no lock, creates nothing. */
export const readHistory = Effect.fn("readHistory")(function* (paths: StatePaths, fromMonth: string | null = null) {
  const gathered: Gathered = { lines: new Map(), skipped: 0 }
  const names = (yield* namesIn(paths.history))
    .filter((name) => monthPattern.test(name) && (fromMonth === null || name.slice(0, 6) >= fromMonth))
    .sort()
  for (const name of names) {
    const path = join(paths.history, name)
    yield* Effect.try({ try: () => gatherFile(path, gathered), catch: (error) => unreadable(path, error) })
    yield* Effect.yieldNow
  }
  const history: History = { lines: [...gathered.lines.values()], skipped: gathered.skipped }
  return history
})
