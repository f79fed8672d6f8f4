/**
 * The order of calls by which a file is written so that a crash or a power cut leaves the old content or the new, and
 * an acknowledged write is never lost: temporary file opened exclusively, every byte written, fsync, link (create) or
 * rename (replace), fsync of the directory. Scheduler and supervisor write by these same lines; both bring their own
 * file calls. Synchronous: a durable write costs half a millisecond, and nothing may come between its steps.
 *
 * A failed fsync is never repeated on the same descriptor: its pages may be marked clean.
 */

/** The file calls of the machine, each as in POSIX: an error is thrown. */
export interface FileCalls {
  /** Creates a file that must not exist, never through a link, mode 0600. */
  readonly openExclusive: (path: string) => number
  readonly openDirectory: (path: string) => number
  /** May write less than asked, as write(2) may. */
  readonly write: (descriptor: number, bytes: Uint8Array, offset: number) => number
  readonly fsync: (descriptor: number) => void
  readonly close: (descriptor: number) => void
  readonly link: (existing: string, path: string) => void
  readonly rename: (from: string, to: string) => void
  readonly unlink: (path: string) => void
}

export interface DurableTarget {
  readonly directory: string
  readonly name: string
  /** Unique within the directory, and named after its writer. */
  readonly temporaryName: string
}

const join = (directory: string, name: string): string => `${directory}/${name}`

const writeTemporary = (calls: FileCalls, path: string, bytes: Uint8Array): void => {
  const descriptor = calls.openExclusive(path)
  try {
    for (let offset = 0; offset < bytes.length;) {
      const written = calls.write(descriptor, bytes, offset)
      if (written <= 0) throw new Error(`write to ${path} made no progress`)
      offset += written
    }
    calls.fsync(descriptor)
  } finally {
    calls.close(descriptor)
  }
}

/** Makes names in a directory durable. */
export const syncDirectory = (calls: FileCalls, directory: string): void => {
  const descriptor = calls.openDirectory(directory)
  try {
    calls.fsync(descriptor)
  } finally {
    calls.close(descriptor)
  }
}

const dropTemporary = (calls: FileCalls, path: string): void => {
  try {
    calls.unlink(path)
  } catch {
    // The write's own error is the one to report; a leftover is swept once its writer is dead.
  }
}

/** Creates a file that must not exist; throws EEXIST when it does. link(2) decides between rivals. */
export const createDurably = (calls: FileCalls, target: DurableTarget, bytes: Uint8Array): void => {
  const temporary = join(target.directory, target.temporaryName)
  try {
    writeTemporary(calls, temporary, bytes)
    calls.link(temporary, join(target.directory, target.name))
  } finally {
    dropTemporary(calls, temporary)
  }
  syncDirectory(calls, target.directory)
}

/** Replaces a file, or creates it. */
export const replaceDurably = (calls: FileCalls, target: DurableTarget, bytes: Uint8Array): void => {
  const temporary = join(target.directory, target.temporaryName)
  try {
    writeTemporary(calls, temporary, bytes)
    calls.rename(temporary, join(target.directory, target.name))
  } catch (error) {
    dropTemporary(calls, temporary)
    throw error
  }
  syncDirectory(calls, target.directory)
}

const isTaken = (error: unknown): boolean => error instanceof Error && "code" in error && error.code === "EEXIST"

/** Puts back what was renamed aside, unless its writer has written anew in the meantime: then the newer one stands. */
const putBack = (calls: FileCalls, aside: string, path: string): void => {
  try {
    calls.link(aside, path)
  } catch (error) {
    if (!isTaken(error)) throw error
  }
  calls.unlink(aside)
}

/**
 * Deletes a file only while it is the one that is meant: renamed aside, checked there, then unlinked; put back when it
 * is another. Throws ENOENT when there is none. A crash in between leaves the file under its temporary name: that name
 * should say what was meant, so that the sweep puts back what was not.
 */
export const removeDurably = (calls: FileCalls, target: DurableTarget, isMeant: (path: string) => boolean): boolean => {
  const path = join(target.directory, target.name)
  const aside = join(target.directory, target.temporaryName)
  calls.rename(path, aside)
  const meant = isMeant(aside)
  if (meant) calls.unlink(aside)
  else putBack(calls, aside, path)
  syncDirectory(calls, target.directory)
  return meant
}
