/**
 * cgroup v2 as /proc and its own file system show it: where it is mounted, in which cgroup a process is, and the way into
 * another one and back. Plain Node: the supervisor goes it too.
 */
import * as fs from "node:fs"

/** A mount of the cgroup2 file system: the cgroup at its root, and the directory where that is seen. */
export interface Cgroup2Mount {
  readonly root: string
  readonly directory: string
}

/** Octal, as the kernel writes what would break its own columns: "\\040" is a space. */
const unescaped = (field: string): string =>
  field.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)))

/** The mounts of cgroup2 in the text of /proc/PID/mountinfo. */
export const parseMounts = (mountinfo: string): ReadonlyArray<Cgroup2Mount> =>
  mountinfo.split("\n").flatMap((line) => {
    const [before = "", after = ""] = line.split(" - ", 2)
    const [, , , root, directory] = before.split(" ")
    if (!after.startsWith("cgroup2 ") || root === undefined || directory === undefined) return []
    return [{ root: unescaped(root), directory: unescaped(directory) }]
  })

/** The v2 cgroup in the text of /proc/PID/cgroup: the line of hierarchy 0; null where the kernel has none. */
export const parseUnified = (text: string): string | null =>
  text
    .split("\n")
    .find((line) => line.startsWith("0::/"))
    ?.slice("0::".length) ?? null

/** The directory in which a cgroup is seen; null where no mount shows it. */
export const directoryOf = (mounts: ReadonlyArray<Cgroup2Mount>, cgroup: string): string | null => {
  // A path that leads out of our cgroup namespace is seen by no mount of ours.
  if (cgroup.split("/").includes("..")) return null
  for (const { directory, root } of mounts) {
    const stem = root === "/" ? "" : root
    if (cgroup === root || cgroup.startsWith(`${stem}/`)) {
      return `${directory}${cgroup.slice(stem.length)}`.replace(/\/$/, "")
    }
  }
  return null
}

/** The mounts that this process sees; none where cgroup v2 is not there. */
export const cgroup2Mounts = (): ReadonlyArray<Cgroup2Mount> => {
  try {
    return parseMounts(fs.readFileSync("/proc/self/mountinfo", "utf8"))
  } catch {
    return []
  }
}

/** The directory of the cgroup that this process is in; null where it has none that can be seen. */
export const ownCgroup = (): string | null => {
  try {
    const cgroup = parseUnified(fs.readFileSync("/proc/self/cgroup", "utf8"))
    return cgroup === null ? null : directoryOf(cgroup2Mounts(), cgroup)
  } catch {
    return null
  }
}

/** A file of a cgroup is written in one call, and never made. */
export const writeControl = (file: string, text: string): void => {
  const descriptor = fs.openSync(file, fs.constants.O_WRONLY)
  try {
    fs.writeSync(descriptor, text)
  } finally {
    fs.closeSync(descriptor)
  }
}

/** This process with all its threads goes into a cgroup. */
const enter = (directory: string): void => writeControl(`${directory}/cgroup.procs`, "0")

/**
 * Makes a cgroup and does something inside it, so that a process which is started there is born in it and nothing that it
 * starts can be anywhere else. Then this process leaves again, so that the cgroup can be killed without it. Should the
 * way back be barred, it stays: that costs no more than the kill in one piece.
 */
export const insideCgroup = <A>(directory: string, act: () => A): A => {
  const home = ownCgroup()
  try {
    if (home === null) throw new Error("the one that this process is in can't be seen")
    fs.mkdirSync(directory)
    enter(directory)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new Error(`its cgroup can't be made: ${reason}`, { cause: error })
  }
  try {
    return act()
  } finally {
    try {
      enter(home)
    } catch {
      // It stays inside, and is a member that is no target.
    }
  }
}
