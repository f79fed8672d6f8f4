/** An ext4 file system in a file, on a loop device: what stands in the file is what has reached the device. */
import { execFileSync } from "node:child_process"
import { createHash } from "node:crypto"
import { copyFileSync, mkdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs"

/** What a test says that is skipped where no loop device can be mounted. */
export const noLoop = "a power cut needs mkfs.ext4 and the right to mount a loop device"

const imageBytes = 24 * 1024 * 1024

/** Mounts an image; recovers its journal as after a power cut. Throws where that can't be done. */
export const mountImage = (image: string, directory: string): void => {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  execFileSync("mount", ["-t", "ext4", "-o", "loop", image, directory], { stdio: "pipe" })
}

export const unmount = (directory: string): void => {
  execFileSync("umount", ["-l", directory], { stdio: "pipe" })
}

/** Makes an image and mounts it; false where this machine has no means or lets nobody do so. */
export const makeImage = (image: string, directory: string): boolean => {
  writeFileSync(image, "")
  truncateSync(image, imageBytes)
  try {
    // Not everybody's PATH names the directories of the system's own programs.
    const PATH = `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin`
    execFileSync("mkfs.ext4", ["-q", "-F", image], { stdio: "pipe", env: { ...process.env, PATH } })
    mountImage(image, directory)
    return true
  } catch {
    return false
  }
}

const digest = (path: string): string => createHash("sha1").update(readFileSync(path)).digest("hex")

/** Copies what has reached the device at one moment: until two copies in a row are the same. */
export const copyImage = (image: string, copy: string): void => {
  for (let before = "", now = "?"; before !== now;) {
    before = now
    copyFileSync(image, copy)
    now = digest(copy)
  }
}
