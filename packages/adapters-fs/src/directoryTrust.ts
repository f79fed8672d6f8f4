/**
 * Whether a directory may hold our state. Whoever else can write it, or owns it, decides what stands under each name in
 * it: a link to somebody's files, a program under the supervisor's name. Files are asked one by one (see safeFile), but
 * a new file, a rename and a deletion are only as safe as their directory.
 */
import { lstatSync, statSync } from "node:fs"
import { isForeign, ownershipProblem, sharedDirectoryProblem } from "@tinyscheduler/core/protocol/ownership"

/** "ours": for us alone. "shared": others may have files of their own in it, as in /tmp. */
export type DirectoryUse = "ours" | "shared"

export interface DirectoryProblem {
  /** In words that follow the directory's path. */
  readonly says: string
  readonly wayOut: string
}

const ourUid = (): number => process.geteuid?.() ?? 0

const takeAway = (says: string): DirectoryProblem => ({ says, wayOut: "move it away" })

/** Why nothing may be written below a directory; null when it may, and when there is none. */
export const directoryProblem = (path: string, use: DirectoryUse = "ours"): DirectoryProblem | null => {
  const entry = lstatSync(path, { throwIfNoEntry: false })
  if (entry === undefined) return null
  // Its owner's own link may lead to another disk.
  if (entry.isSymbolicLink() && isForeign(entry, ourUid())) return takeAway(`is a symbolic link of user ${entry.uid}`)
  const stat = entry.isSymbolicLink() ? statSync(path, { throwIfNoEntry: false }) : entry
  if (stat === undefined) return takeAway("is a symbolic link that leads nowhere")
  if (!stat.isDirectory()) return takeAway("is not a directory")
  const says = (use === "ours" ? ownershipProblem : sharedDirectoryProblem)(stat, ourUid())
  if (says === null) return null
  return { says, wayOut: isForeign(stat, ourUid()) ? "move it away or chown it" : "chmod 700 it" }
}

/** Throws where a directory is there and may not hold our state. */
export const expectTrusted = (path: string, use: DirectoryUse = "ours"): void => {
  const problem = directoryProblem(path, use)
  if (problem !== null) throw new Error(`${path} ${problem.says}: ${problem.wayOut}`)
}
