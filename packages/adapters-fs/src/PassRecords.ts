/**
 * Records as files: a line is appended to the newest, and a new one begun where that has become large or old, or a crash
 * tore it. Old ones are removed by days and by what all take together. Nothing is synced to the disk: a record that a
 * power cut takes along loses no task, and each line would cost more than the rest of a quiet pass.
 */
import { closeSync, constants, fstatSync, lstatSync, unlinkSync, writeSync } from "node:fs"
import { basename, join } from "node:path"
import * as Effect from "effect/Effect"
import type { Decided } from "@tinyscheduler/core/pass/pass"
import type { StateUnreadable, StateUnwritable } from "@tinyscheduler/core/ports/StateError"
import type { Parts } from "@tinyscheduler/core/record/Parts"
import { makeLastParts, RecordId } from "@tinyscheduler/core/record/RecordLine"
import { decidesSomething, recordRound } from "@tinyscheduler/core/record/recordRound"
import type { Recorded } from "@tinyscheduler/core/record/recordRound"
import { expectTrusted } from "./directoryTrust.ts"
import { codeOf, unreadable, unwritable } from "./errno.ts"
import { makeDirectory } from "./makeDirectory.ts"
import { listRecordFiles, openRecordFile, readRecordFile, recordFileName } from "./recordFiles.ts"

/** The keeper of records: one of each round that decided something, so that it can be replayed and asked about later. */
export interface PassRecords {
  /** Records a round, where it decided something. What fails loses a record and no task: no pass fails with it. */
  readonly record: (decided: Decided) => Effect.Effect<void, StateUnreadable | StateUnwritable>
}

export interface RecordRules {
  readonly keepDays: number
  /** What all files may take together; 0 = nothing is recorded. */
  readonly keepBytes: number
}

export interface PassRecordsOptions {
  readonly directory: string
  /** The base path, which is never made. */
  readonly base: string
  /** Asked for at each record, since a running daemon may have newer settings. */
  readonly rules: () => RecordRules
}

const fileMaxBytes = 1024 * 1024
const dayMs = 86_400_000

/** The file that is appended to, and what its last line led to. */
interface Open {
  readonly path: string
  readonly beganMs: number
  readonly bytes: number
  readonly last: Recorded
}

/** The id of a file's first record. */
const idOf = (path: string): RecordId => RecordId.make(basename(path, ".jsonl"))

/** When a file was begun, by its name. */
const beganMsOf = (path: string): number => {
  const [, year, month, day, hour, minute, second, ms] =
    /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(\d{3})-/.exec(basename(path)) ?? []
  return Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}.${ms}Z`)
}

/** The newest file, which may be gone on with unless its end is torn or odd; and the last id in it. */
const reopen = (directory: string): { readonly open: Open | null; readonly lastId: RecordId | null } => {
  const path = listRecordFiles(directory).at(-1)
  if (path === undefined) return { open: null, lastId: null }
  const last = makeLastParts()
  let id = idOf(path)
  for (const read of readRecordFile(path)) {
    if (read._tag !== "Line" || !last.add(read.line)) return { open: null, lastId: id }
    id = read.line.id
  }
  const parts = last.parts()
  if (parts === null) return { open: null, lastId: id }
  return { open: { path, beganMs: beganMsOf(path), bytes: lstatSync(path).size, last: { id, parts } }, lastId: id }
}

/** A file may hold some records even where one that holds everything is large by itself. */
const fileLimit = (parts: Parts, { keepBytes }: RecordRules): number => {
  let whole = 0
  for (const text of parts.values()) whole += text.length
  return Math.min(keepBytes, Math.max(fileMaxBytes, 8 * whole))
}

const writeAll = (descriptor: number, bytes: Buffer): void => {
  for (let offset = 0; offset < bytes.length;) {
    const written = writeSync(descriptor, bytes, offset)
    if (written <= 0) throw new Error("the write made no progress")
    offset += written
  }
}

/** Appends, and answers how large the file is now. A new file must not be there yet, and goes when it could not be written. */
const append = (path: string, text: string, isNew: boolean): number => {
  const { O_APPEND, O_CREAT, O_EXCL, O_WRONLY } = constants
  const descriptor = openRecordFile(path, O_WRONLY | O_APPEND | (isNew ? O_CREAT | O_EXCL : 0), "state")
  let written = false
  try {
    writeAll(descriptor, Buffer.from(`${text}\n`))
    written = true
    return fstatSync(descriptor).size
  } finally {
    closeSync(descriptor)
    if (isNew && !written) remove(path)
  }
}

const sizeOf = (path: string): number => lstatSync(path, { throwIfNoEntry: false })?.size ?? 0

const remove = (path: string): void => {
  try {
    unlinkSync(path)
  } catch (error) {
    if (codeOf(error) !== "ENOENT") throw error
  }
}

/** Removes what is too old, and of the rest the oldest until `room` bytes are free. The newest may go too: a new one begins. */
const makeRoom = (directory: string, nowMs: number, rules: RecordRules, room: number): void => {
  const files = listRecordFiles(directory).map((path) => ({ path, bytes: sizeOf(path) }))
  let total = files.reduce((sum, { bytes }) => sum + bytes, room)
  for (const { bytes, path } of files) {
    // A file goes on for a day at most after its name.
    if (total <= rules.keepBytes && beganMsOf(path) >= nowMs - (rules.keepDays + 1) * dayMs) continue
    remove(path)
    total -= bytes
  }
}

/** Records under a directory. For whoever holds the scheduler's lock: nobody else writes there. */
export const makePassRecords = ({ base, directory, rules }: PassRecordsOptions): PassRecords => {
  let open: Open | null = null
  let looked = false
  let lastId: RecordId | null = null

  const mayGoOn = (file: Open, nowMs: number): boolean =>
    Math.abs(nowMs - file.beganMs) < dayMs && sizeOf(file.path) === file.bytes

  /** Goes on with the open file; false where it would become too large. */
  const goOn = (file: Open, { plan, withheld, ...situation }: Decided): boolean => {
    const next = recordRound(situation, plan, { id: lastId, parts: file.last.parts }, withheld)
    if (file.bytes + Buffer.byteLength(next.line) + 1 > fileLimit(next.parts, rules())) return false
    lastId = next.id
    open = { ...file, bytes: append(file.path, next.line, false), last: next }
    return true
  }

  const begin = ({ plan, withheld, ...situation }: Decided): void => {
    const ownRules = rules()
    const next = recordRound(situation, plan, { id: lastId, parts: null }, withheld)
    const bytes = Buffer.byteLength(next.line) + 1
    if (bytes > ownRules.keepBytes) throw new Error("one record by itself is larger than all may be together")
    expectTrusted(directory)
    makeDirectory(directory, base)
    makeRoom(directory, plan.nowMs, ownRules, fileLimit(next.parts, ownRules))
    const path = join(directory, recordFileName(next.id))
    lastId = next.id
    open = { path, beganMs: plan.nowMs, bytes: append(path, next.line, true), last: next }
  }

  const record = (decided: Decided): void => {
    const { plan, withheld } = decided
    if (rules().keepBytes === 0 || !decidesSomething(plan, open?.last ?? null, withheld)) return
    const current = open
    // What fails from here on may have torn the file: the next record then begins another.
    open = null
    if (current !== null && mayGoOn(current, plan.nowMs) && goOn(current, decided)) return
    begin(decided)
  }

  /** A pass by itself goes on with the file of the pass before it. */
  const look = (): void => {
    if (looked) return
    looked = true
    if (rules().keepBytes === 0) return
    expectTrusted(directory)
    const found = reopen(directory)
    open = found.open
    lastId = found.lastId
  }

  return {
    record: Effect.fn("PassRecords.record")(function* (decided: Decided) {
      yield* Effect.try({ try: look, catch: (error) => unreadable(directory, error) })
      yield* Effect.try({
        try: () => {
          record(decided)
        },
        catch: (error) => unwritable(directory, error)
      })
    })
  }
}
