/** A directory of the state on a file system of its own, with little room, that can be filled up and made read-only. */
import { execFileSync } from "node:child_process"
import { mkdirSync, rmSync, statfsSync, writeFileSync } from "node:fs"
import { onTestFinished } from "vitest"
import type { Ground } from "../harness/Ground.ts"

/** What a test says that is skipped where nothing can be mounted. */
export const noMount = "a disk that fills up needs the right to mount a small one"

export interface SmallDisk {
  /** Fills it to the last byte, or up to so many free pages. */
  readonly fill: (freePages?: number) => void
  /** Gives back what was filled. */
  readonly empty: () => void
  /**
   * From here on every path leads to a read-only mount of the same files. A plain remount is refused while a file is open
   * for writing; what a kernel does after an error of the device spares those no more than this does.
   */
  readonly readOnly: (on: boolean) => void
}

const pageBytes = 4096
const mountOptions = "size=512k,mode=700"

/** Mounts a tmpfs at the ground's state directory, or at one below it; null where this machine lets nobody do so. */
export const mountSmallDisk = (ground: Ground, directory = "state"): SmallDisk | null => {
  const path = ground.path(directory)
  const ballast = `${path}/ballast`
  mkdirSync(path, { mode: 0o700, recursive: true })
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", mountOptions, "none", path], { stdio: "ignore" })
  } catch {
    return null
  }
  onTestFinished(() => void execFileSync("umount", ["-l", path]))
  const fill = (freePages = 0): void => {
    for (let size = 64 * pageBytes; size >= 1; size = Math.floor(size / 2)) {
      for (;;) {
        if (freePages > 0 && statfsSync(path).bavail - freePages < size / pageBytes) break
        try {
          writeFileSync(ballast, Buffer.alloc(size), { flag: "a" })
        } catch {
          break
        }
      }
    }
  }
  return {
    fill,
    empty: () => rmSync(ballast, { force: true }),
    readOnly: (on) => {
      if (on) execFileSync("mount", ["--bind", path, path])
      execFileSync("mount", ["-o", `remount,bind,${on ? "ro" : "rw"}`, path])
      // Whoever has opened something meanwhile keeps it.
      if (!on) execFileSync("umount", ["-l", path])
    }
  }
}
