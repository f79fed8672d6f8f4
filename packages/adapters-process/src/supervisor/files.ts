/** Node's file calls for durable writes, and a guarded reading of small files: never through a link, never without a bound. */
import * as fs from "node:fs"
import type { FileCalls } from "@tinyscheduler/core/protocol/durableWrite"
import { isForeign } from "@tinyscheduler/core/protocol/ownership"
import { isRecord, type Json } from "./json.ts"

const { O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY } = fs.constants

export const fileCalls: FileCalls = {
  openExclusive: (path) => fs.openSync(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600),
  openDirectory: (path) => fs.openSync(path, O_RDONLY | O_DIRECTORY),
  write: (descriptor, bytes, offset) => fs.writeSync(descriptor, bytes, offset),
  fsync: fs.fsyncSync,
  close: fs.closeSync,
  link: fs.linkSync,
  rename: fs.renameSync,
  unlink: fs.unlinkSync
}

/** A file that holds one JSON object, as it was found. Unreadable: it is there, and shows nothing that can be used. */
export type Found =
  | { readonly _tag: "Missing" }
  | { readonly _tag: "Unreadable" }
  | { readonly _tag: "Read"; readonly value: Json }

export const errorCode = (error: unknown): string | null =>
  error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : null

/** What a failing disk says of a descriptor that is closed changes nothing, and must not end whoever closes it. */
export const closeQuietly = (descriptor: number): void => {
  try {
    fs.closeSync(descriptor)
  } catch {
    // It is gone all the same.
  }
}

/** O_NONBLOCK: a FIFO put in a file's place must not stop us. */
export const readRecord = (path: string, maxBytes: number): Found => {
  let descriptor: number
  try {
    descriptor = fs.openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
  } catch (error) {
    return { _tag: errorCode(error) === "ENOENT" ? "Missing" : "Unreadable" }
  }
  try {
    const stat = fs.fstatSync(descriptor)
    if (!stat.isFile() || stat.size > maxBytes || isForeign(stat, process.geteuid?.() ?? 0)) {
      return { _tag: "Unreadable" }
    }
    const value: unknown = JSON.parse(fs.readFileSync(descriptor, "utf8"))
    return isRecord(value) ? { _tag: "Read", value } : { _tag: "Unreadable" }
  } catch {
    return { _tag: "Unreadable" }
  } finally {
    closeQuietly(descriptor)
  }
}
