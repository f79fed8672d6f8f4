/** Node's file calls for the core's durable writes. Nothing is decided here. */
import { closeSync, constants, fsyncSync, linkSync, openSync, renameSync, unlinkSync, writeSync } from "node:fs"
import type { FileCalls } from "@tinyscheduler/core/protocol/durableWrite"

export const nodeFileCalls: FileCalls = {
  openExclusive: (path) =>
    openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o600),
  // A state directory may be a link that its owner made; what stands in it may not.
  openDirectory: (path) => openSync(path, constants.O_RDONLY | constants.O_DIRECTORY),
  write: (descriptor, bytes, offset) => writeSync(descriptor, bytes, offset),
  fsync: fsyncSync,
  close: closeSync,
  link: linkSync,
  rename: renameSync,
  unlink: unlinkSync
}
