/**
 * Whose a file or directory of the state has to be: ours or root's, and nobody else's to write. Root may do anything
 * anyway. Pure: every adapter brings what its own look at the file system found.
 */

export interface Owned {
  readonly uid: number
  /** The permission bits. */
  readonly mode: number
}

const othersMayWrite = 0o022

/** By the sticky bit nobody renames or deletes in a directory what is not his. */
const sticky = 0o1000

export const isForeign = ({ uid }: Pick<Owned, "uid">, ourUid: number): boolean => uid !== 0 && uid !== ourUid

/** What speaks against trusting it; null when nothing does. */
export const ownershipProblem = (owned: Owned, ourUid: number): string | null => {
  if (isForeign(owned, ourUid)) return `belongs to user ${owned.uid}, not to us`
  return (owned.mode & othersMayWrite) === 0 ? null : "can be written by its group or by others"
}

/** The same for a directory like /tmp or /run/lock, which is everybody's: whatever lies in it has to be asked itself. */
export const sharedDirectoryProblem = (owned: Owned, ourUid: number): string | null =>
  (owned.mode & sticky) !== 0 && !isForeign(owned, ourUid) ? null : ownershipProblem(owned, ourUid)
