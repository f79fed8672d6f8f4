/**
 * The agent's output on disk: appended live, bounded. What exceeds the first 64 KiB and 2 MiB is replaced by the first
 * 64 KiB, one line that counts what was dropped, and the last MiB. A log that can't be written never stops the agent:
 * what is lost is counted and told by the same line.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import { isForeign } from "@tinyscheduler/core/protocol/ownership"
import { ensurePrivateDirectory } from "../privateDirectory.ts"
import { closeQuietly } from "./files.ts"

export const logHeadBytes = 64 * 1024
export const logTailBytes = 1024 * 1024
export const logMaxBytes = logHeadBytes + 2 * 1024 * 1024

/** A trimmed log is its head, its tail and a line; only what is longer is trimmed at the end. */
const trimmedMaxBytes = logHeadBytes + logTailBytes + 64
const copyBytes = 64 * 1024
const retryMs = 1000

const { O_APPEND, O_CREAT, O_EXCL, O_NOFOLLOW, O_RDWR } = fs.constants

export interface AgentLog {
  readonly write: (chunk: Uint8Array) => void
  /** Trims once more and closes. */
  readonly close: () => void
}

const droppedLine = (bytes: number): Uint8Array => new TextEncoder().encode(`\n[… ${bytes} bytes dropped …]\n`)

/** Whether a file of ours without a second name stands there, or none. */
const isOurs = (file: string): boolean => {
  const stat = fs.lstatSync(file, { throwIfNoEntry: false })
  return stat === undefined || (stat.isFile() && stat.nlink === 1 && !isForeign(stat, process.geteuid?.() ?? 0))
}

export const agentLog = (file: string, temporaryPath: string): AgentLog => {
  let descriptor: number | null = null
  let size = 0
  let received = 0
  let unwritten = 0
  let retryAt = 0

  const open = (): number => {
    ensurePrivateDirectory(path.dirname(file))
    // What stands there and is not our own file alone was put there for us to write into.
    if (!isOurs(file)) fs.rmSync(file, { force: true })
    const opened = fs.openSync(file, O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW, 0o600)
    size = fs.fstatSync(opened).size
    return opened
  }

  /** How many of the bytes the disk took. */
  const append = (into: number, bytes: Uint8Array): number => {
    let written = 0
    try {
      while (written < bytes.length) written += fs.writeSync(into, bytes, written)
    } catch {
      // The caller counts what is missing.
    }
    size += written
    return written
  }

  /** Writes the kept parts into a new file and puts it in place of the old: a reader sees one or the other. */
  const trim = (from: number): number => {
    fs.rmSync(temporaryPath, { force: true })
    const fresh = fs.openSync(temporaryPath, O_RDWR | O_APPEND | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600)
    const line = droppedLine(received - logHeadBytes - logTailBytes)
    try {
      const buffer = Buffer.allocUnsafe(copyBytes)
      copy({ from, to: fresh, start: 0, end: logHeadBytes, buffer })
      fs.writeFileSync(fresh, line)
      copy({ from, to: fresh, start: size - logTailBytes, end: size, buffer })
      fs.renameSync(temporaryPath, file)
    } catch (error) {
      closeQuietly(fresh)
      fs.rmSync(temporaryPath, { force: true })
      throw error
    }
    closeQuietly(from)
    size = logHeadBytes + line.length + logTailBytes
    return fresh
  }

  /** The log, open and no longer than this. The size is asked again: somebody may have emptied the file. */
  const ready = (maxBytes: number): number => {
    descriptor ??= open()
    if (size > maxBytes) size = fs.fstatSync(descriptor).size
    if (size > maxBytes) descriptor = trim(descriptor)
    return descriptor
  }

  /** After a failure output is dropped for a second before disk and directory are tried again. */
  const dropped = (bytes: number): void => {
    unwritten += bytes
    retryAt = performance.now() + retryMs
  }

  const tellDropped = (into: number): boolean => {
    if (unwritten === 0) return true
    const line = droppedLine(unwritten)
    if (append(into, line) < line.length) return false
    unwritten = 0
    return true
  }

  const write = (chunk: Uint8Array): void => {
    received += chunk.length
    if (performance.now() < retryAt) {
      unwritten += chunk.length
      return
    }
    try {
      const into = ready(logMaxBytes - chunk.length)
      const written = tellDropped(into) ? append(into, chunk) : 0
      if (written < chunk.length) dropped(chunk.length - written)
    } catch {
      dropped(chunk.length)
    }
  }

  const close = (): void => {
    try {
      tellDropped(ready(trimmedMaxBytes))
    } catch {
      // The log is as long as the disk let it be; how the agent ended stands in the lease.
    }
    if (descriptor !== null) closeQuietly(descriptor)
    descriptor = null
  }

  return { write, close }
}

interface CopyRange {
  readonly from: number
  readonly to: number
  readonly start: number
  readonly end: number
  readonly buffer: Buffer
}

const copy = ({ from, to, start, end, buffer }: CopyRange): void => {
  for (let at = start; at < end;) {
    const read = fs.readSync(from, buffer, 0, Math.min(copyBytes, end - at), at)
    if (read === 0) throw new Error("the log became shorter while it was trimmed")
    fs.writeFileSync(to, buffer.subarray(0, read))
    at += read
  }
}
