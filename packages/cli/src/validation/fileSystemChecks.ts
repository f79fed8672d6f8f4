/** What the state's file system offers: room, and locks that hold. */
import { statfsSync } from "node:fs"
import { dirname } from "node:path"
import * as Result from "effect/Result"
import { checksOf } from "./Check.ts"
import type { Check } from "./Check.ts"

const { error, ok, warning } = checksOf("directories")

/** Linux' numbers of file systems that another machine serves. */
const networked: ReadonlyMap<number, string> = new Map([
  [0x6969, "NFS"],
  [0xff534d42, "CIFS"],
  [0xfe534d42, "SMB"],
  [0x517b, "SMB"],
  [0x01021997, "9p"],
  [0x65735546, "FUSE"],
  [0x5346414f, "AFS"],
  [0x00c36400, "Ceph"],
  [0x0bd00bd0, "Lustre"],
  [0x786f4256, "VirtualBox' shared folders"]
])

/** Its name when it is one of another machine's, where neither locks nor link(2) are promised; else null. */
export const networkFileSystem = (type: number): string | null => networked.get(type >>> 0) ?? null

export interface Room {
  readonly bytes: number
  /** Null where the file system does not count files. */
  readonly files: number | null
}

const mebibyte = 1024 * 1024
const roomMin = 64 * mebibyte
const filesMin = 1000

/** Whether the room that is left will do. */
export const judgeRoom = (path: string, { bytes, files }: Room): Check => {
  const mebibytes = Math.floor(bytes / mebibyte)
  const make = "make room: without it nothing is started"
  if (bytes < mebibyte || files === 0) return error("disk", `no space is left at ${path}`, make)
  if (bytes < roomMin) return warning("disk", `only ${mebibytes} MiB are left at ${path}`, make)
  if (files !== null && files < filesMin) return warning("disk", `only ${files} more files fit at ${path}`, make)
  return ok("disk", `${mebibytes} MiB are left at ${path}`)
}

/** Of the path, or of the nearest directory above it that is there. */
export const fileSystemChecks = (path: string): ReadonlyArray<Check> => {
  const read = Result.try(() => statfsSync(path))
  if (Result.isFailure(read)) return dirname(path) === path ? [] : fileSystemChecks(dirname(path))
  const { bavail, bsize, ffree, files, type } = read.success
  const network = process.platform === "linux" ? networkFileSystem(type) : null
  return [
    judgeRoom(path, { bytes: bavail * bsize, files: files === 0 ? null : ffree }),
    ...(network === null
      ? []
      : [
          warning(
            "running directory",
            `${path} is on ${network}, where locks and link(2) are not promised to hold`,
            "put it on a disk of this machine with TINYSCHEDULER_RUNNING_DIR and TINYSCHEDULER_LOCK_FILE"
          )
        ])
  ]
}
