/**
 * Linux: processes as /proc shows them. The line of /proc/PID/stat is parsed after its last parenthesis, because a
 * program chooses its own name and may put spaces and parentheses into it.
 */
import * as fs from "node:fs"
import * as os from "node:os"
import { attemptCgroupAbove } from "@tinyscheduler/core/domain/attemptCgroup"
import type { ProcessRow, ProcessSight } from "@tinyscheduler/core/domain/ProcessIdentity"
import type { Ourselves } from "@tinyscheduler/core/ports/ProcessTable"
import { cgroup2Mounts, type Cgroup2Mount, directoryOf, parseUnified } from "./cgroup2.ts"
import { endpointVariable, isDeadState, type Machine, taskVariable, tokenVariable } from "./Machine.ts"
import { pidExists } from "./pidExists.ts"

/** Fields 3, 4, 5, 6, 9 and 22 of /proc/PID/stat. */
export interface StatEntry {
  readonly state: string
  readonly parent: number
  readonly group: number
  readonly session: number
  readonly isKernelThread: boolean
  readonly pidStart: number
}

/** PF_KTHREAD, among the flags of field 9. */
const kernelThreadFlag = 0x20_0000

/** Parses one line of /proc/PID/stat; null when it is none. */
export const parseStat = (line: string): StatEntry | null => {
  const nameEnd = line.lastIndexOf(")")
  if (nameEnd < 0) return null
  const fields = line.slice(nameEnd + 2).split(" ")
  const [state, parent, group, session] = fields
  const entry = {
    state: state ?? "",
    parent: Number(parent),
    group: Number(group),
    session: Number(session),
    isKernelThread: (Number(fields[6]) & kernelThreadFlag) !== 0,
    pidStart: Number(fields[19])
  }
  const numbers = [entry.parent, entry.group, entry.session, entry.pidStart]
  return entry.state.length === 1 && numbers.every(Number.isSafeInteger) ? entry : null
}

/** A stat line is at most some 700 bytes: a name of 64, the rest 50 numbers. */
const statMaxBytes = 2048

/** Errors that say something of the process. Any other (no descriptor is left, say) says nothing: it must not look like a death. */
const goneOrClosed: ReadonlySet<unknown> = new Set(["ENOENT", "ESRCH", "EACCES", "EPERM"])

const nullWhenGone = (error: unknown): null => {
  if (error instanceof Error && "code" in error && goneOrClosed.has(error.code)) return null
  throw error
}

const readLine = (path: string): string | null => {
  let descriptor: number
  try {
    descriptor = fs.openSync(path, "r")
  } catch (error) {
    return nullWhenGone(error)
  }
  try {
    const buffer = Buffer.allocUnsafe(statMaxBytes)
    return buffer.toString("latin1", 0, fs.readSync(descriptor, buffer, 0, statMaxBytes, 0))
  } catch (error) {
    return nullWhenGone(error)
  } finally {
    fs.closeSync(descriptor)
  }
}

const statOf = (pid: number | "self"): StatEntry | null => {
  const line = readLine(`/proc/${pid}/stat`)
  return line === null ? null : parseStat(line)
}

/**
 * A leader that exited stays a zombie while other threads of its process run on: such a process lives. Threads that
 * can't be listed count as running.
 */
const livingThread = (pid: number): { readonly id: string; readonly state: string } | null => {
  let threads: ReadonlyArray<string>
  try {
    threads = fs.readdirSync(`/proc/${pid}/task`)
  } catch (error) {
    return isGone(error) ? null : { id: String(pid), state: "?" }
  }
  for (const id of threads) {
    const line = id === String(pid) ? null : readLine(`/proc/${pid}/task/${id}/stat`)
    const entry = line === null ? null : parseStat(line)
    if (entry !== null && !isDeadState(entry.state)) return { id, state: entry.state }
  }
  return null
}

const isGone = (error: unknown): boolean =>
  error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ESRCH")

/** An entry may be hidden (hidepid) or unreadable while its process lives: only ESRCH proves that there is none. */
const sightOf = (pid: number): ProcessSight => {
  const entry = Number.isSafeInteger(pid) && pid >= 1 ? statOf(pid) : null
  if (entry !== null) {
    const { state, pidStart } = entry
    return { _tag: "Seen", pidStart, state, otherThreadLives: state === "Z" && livingThread(pid) !== null }
  }
  return { _tag: pidExists(pid) ? "Unreadable" : "Absent" }
}

const ownEntry = (): StatEntry => {
  const entry = statOf("self")
  if (entry === null) throw new Error("/proc/self/stat can't be read")
  return entry
}

const look = (pids: ReadonlyArray<number>): ReadonlyMap<number, ProcessSight> => {
  ownEntry()
  return new Map(pids.map((pid) => [pid, sightOf(pid)] as const))
}

const firstReadable = (paths: ReadonlyArray<string>): string => {
  for (const path of paths) {
    try {
      return fs.readFileSync(path, "utf8").trim()
    } catch {
      // The next place is tried; a machine without an id is named by its host name alone.
    }
  }
  return ""
}

const identify = (): Ourselves => {
  const pidStart = ownEntry().pidStart
  const bootId = firstReadable(["/proc/sys/kernel/random/boot_id"])
  if (bootId === "") throw new Error("/proc/sys/kernel/random/boot_id can't be read")
  const pidNs = Number(/^pid:\[([0-9]+)\]$/.exec(fs.readlinkSync("/proc/self/ns/pid"))?.[1])
  if (!Number.isSafeInteger(pidNs)) throw new Error("/proc/self/ns/pid can't be read")
  const machineId = firstReadable(["/etc/machine-id", "/var/lib/dbus/machine-id"])
  return { here: { host: `${os.hostname()}/${machineId}`, bootId, pidNs }, pid: process.pid, pidStart }
}

/** The kernel shows ticks to programs as hundredths of a second, whatever its own rate is. */
const tickMs = 10

const startedAtMs = (pid: number): number | null => {
  const entry = statOf(pid)
  const bootSeconds = Number(/^btime ([0-9]+)$/m.exec(firstReadable(["/proc/stat"]))?.[1])
  return entry === null || !Number.isSafeInteger(bootSeconds) ? null : bootSeconds * 1000 + entry.pidStart * tickMs
}

/** The value of a variable in the text of /proc/PID/environ; null when it is not there. */
export const variableIn = (environ: Buffer, name: string): string | null => {
  const key = `${name}=`
  for (let at = environ.indexOf(key); at >= 0; at = environ.indexOf(key, at + 1)) {
    if (at > 0 && environ[at - 1] !== 0) continue
    const end = environ.indexOf(0, at)
    return environ.toString("latin1", at + key.length, end < 0 ? environ.length : end)
  }
  return null
}

/** Null for processes of other users: unreadable is no match. */
const tokenOf = (path: string): string | null => {
  try {
    return variableIn(fs.readFileSync(`${path}/environ`), tokenVariable)
  } catch (error) {
    return nullWhenGone(error)
  }
}

/** Where a leader has ended, a living thread has its environment. */
const environOf = (pid: number): Buffer | null => {
  const thread = statOf(pid)?.state === "Z" ? livingThread(pid) : null
  try {
    return fs.readFileSync(thread === null ? `/proc/${pid}/environ` : `/proc/${pid}/task/${thread.id}/environ`)
  } catch (error) {
    return nullWhenGone(error)
  }
}

const statedTask: Machine["statedTask"] = (pid) => {
  const environ = environOf(pid)
  if (environ === null) return null
  const taskId = variableIn(environ, taskVariable)
  const endpoint = variableIn(environ, endpointVariable)
  return taskId === null || endpoint === null ? null : { taskId, endpoint }
}

/** The directory of the attempt's cgroup that a process is in; null when it is in none. */
const cgroupOf = (pid: number, mounts: ReadonlyArray<Cgroup2Mount>): string | null => {
  try {
    const cgroup = parseUnified(fs.readFileSync(`/proc/${pid}/cgroup`, "utf8"))
    const above = cgroup === null ? null : attemptCgroupAbove(cgroup)
    return above === null ? null : directoryOf(mounts, above)
  } catch (error) {
    return nullWhenGone(error)
  }
}

/** A row shows the state of a process, not of its leader: where the leader is a zombie, a living thread answers for it. */
const rowOf = (pid: number, mounts: ReadonlyArray<Cgroup2Mount>): ReadonlyArray<ProcessRow> => {
  const stat = statOf(pid)
  // A third of what /proc lists on an idle machine; they have no environment, and nobody's cgroup.
  if (stat === null || stat.isKernelThread) return []
  const { isKernelThread: _, ...entry } = stat
  const thread = entry.state === "Z" ? livingThread(pid) : null
  const cgroup = mounts.length === 0 ? null : cgroupOf(pid, mounts)
  if (thread === null) return [{ pid, ...entry, cgroup, token: tokenOf(`/proc/${pid}`) }]
  return [{ pid, ...entry, cgroup, state: thread.state, token: tokenOf(`/proc/${pid}/task/${thread.id}`) }]
}

const scan = (): ReadonlyArray<ProcessRow> => {
  ownEntry()
  const mounts = cgroup2Mounts()
  return fs
    .readdirSync("/proc")
    .map(Number)
    .filter((pid) => Number.isSafeInteger(pid) && pid > 0)
    .flatMap((pid) => rowOf(pid, mounts))
}

const describe: Machine["describe"] = (pid) => {
  const line = readLine(`/proc/${pid}/stat`)
  const entry = line === null ? null : parseStat(line)
  if (line === null || entry === null) return null
  const name = Buffer.from(line.slice(line.indexOf("(") + 1, line.lastIndexOf(")")), "latin1").toString("utf8")
  const thread = entry.state === "Z" ? livingThread(pid) : null
  return { name, state: thread?.state ?? entry.state, user: fs.statSync(`/proc/${pid}`).uid }
}

export const procfs: Machine = { identify, look, startedAtMs, scan, statedTask, describe }
