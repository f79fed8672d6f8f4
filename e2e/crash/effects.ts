/**
 * The effects of a traced process: what it does to files under its base path, to processes and to Tinytask, in order, read
 * from strace's log. An effect is named by what it is (call and path, or tool) and by its occurrence since the last signal
 * (while a stop waits, a slow machine looks less often than a quick one), without anything that differs from run to run;
 * the count among the calls of its thread is what strace selects it by.
 */
import { existsSync, readFileSync } from "node:fs"
import { type Call, linesOfTrace } from "./traceLines.ts"

export interface Effect {
  /** `rename state/.tmp-* to state/term #1`, `send list_tasks #1 after kill SIGINT #1`: the same in every run. */
  readonly name: string
  /** The system call, and how many of it this thread had made, this one included. */
  readonly call: string
  readonly count: number
  /** Whether it was carried out: its result stands there, or its thread went on. */
  readonly isDone: boolean
}

/** Every call by which an effect can come about; only these are traced. */
export const effectCalls: ReadonlyArray<string> =
  `openat write pwrite64 writev sendto fsync fdatasync ftruncate fchmod chmod
   rename renameat renameat2 link linkat unlink unlinkat mkdir mkdirat rmdir symlink mknodat utimensat
   connect kill clone clone3 vfork execve`.split(/\s+/)

/** What stays the same of a path under the base path; null for any other. */
const shown = (path: string | undefined, base: string): string | null => {
  if (path === base) return "."
  if (path?.startsWith(`${base}/`) !== true) return null
  return path
    .slice(base.length + 1)
    .replace(/\.tmp-\d+-\d+-[^/]*?(?:remove\.[^.]+\.([^/]*))?$/, (_, name?: string) =>
      name === undefined ? ".tmp-*" : `.tmp-*.${name}`
    )
    .replace(/supervisor-[0-9a-f]+/, "supervisor-*")
    .replace(/scheduler_\d{8}/, "scheduler_*")
    .replace(/history\/\d{6}/, "history/*")
    .replace(/records\/\d{8}T\d{9}/, "records/*")
}

const descriptorPath = /^\d+<([^>]*)>/
const quotedText = /"((?:[^"\\]|\\.)*)"/
const quotedTexts = /"((?:[^"\\]|\\.)*)"/g
const toolAsked = /"params\\":\{\\"name\\":\\"([a-z_]+)/

/** Written into a socket: a request to Tinytask, or the order that a supervisor gets. */
const sentMeaning = (text: string): string | null => {
  const tool = toolAsked.exec(text)?.[1]
  if (tool !== undefined) return `send ${tool}`
  return text.includes('\\"lease\\":') ? "send the supervisor's order" : null
}

/** What a call does; null when it is no effect. */
const meaningOf = ({ call, rest }: Call, base: string): string | null => {
  const onPath = (path: string | undefined): string | null => {
    const name = shown(path, base)
    return name === null ? null : `${call} ${name}`
  }
  const [first, second] = [...rest.matchAll(quotedTexts)].map(([, text]) => text)
  const opened = descriptorPath.exec(rest)?.[1]
  switch (call) {
    case "openat":
      return /O_WRONLY|O_RDWR|O_CREAT/.test(rest) ? onPath(first) : null
    case "write":
    case "writev":
    case "sendto":
      return opened?.startsWith("socket:") === true ? sentMeaning(rest) : onPath(opened)
    case "pwrite64":
    case "fsync":
    case "fdatasync":
    case "ftruncate":
    case "fchmod":
      return onPath(opened)
    case "rename":
    case "renameat":
    case "renameat2":
    case "link":
    case "linkat": {
      const from = onPath(first)
      return from === null ? null : `${from} to ${shown(second, base)}`
    }
    case "connect":
      return rest.includes("AF_INET") ? "connect Tinytask" : null
    case "kill": {
      const signal = /^-?\d+, (\w+)/.exec(rest)?.[1]
      return signal === undefined || signal === "0" ? null : `kill ${signal}`
    }
    case "clone":
    case "clone3":
    case "vfork":
      return rest.includes("CLONE_THREAD") ? null : "fork"
    case "execve":
      return null
    default:
      return onPath(first)
  }
}

export interface Effects {
  /** All threads taken together, in the order in which they were begun. */
  readonly own: ReadonlyArray<Effect>
  /** The programs that the children it forked turned into. */
  readonly programs: ReadonlyArray<string>
}

/** The effects of one process. */
export const effectsIn = (logFile: string, victim: number, base: string): Effects => {
  if (!existsSync(logFile)) return { own: [], programs: [] }
  const { calls, makerOfProcess, makerOfThread } = linesOfTrace(readFileSync(logFile, "latin1"))
  const isVictims = (thread: number): boolean => {
    if (thread === victim) return true
    const maker = makerOfThread.get(thread)
    return maker !== undefined && isVictims(maker)
  }
  const programs = calls.flatMap(({ call, rest, thread }) =>
    call === "execve" && isVictims(makerOfProcess.get(thread) ?? 0) ? (quotedText.exec(rest)?.[1] ?? []) : []
  )
  const counts = new Map<string, number>()
  const raised = (key: string): number => {
    const count = (counts.get(key) ?? 0) + 1
    counts.set(key, count)
    return count
  }
  let since = ""
  const nameOf = (call: string, meaning: string): string => {
    // SIGCONT follows another at once, and only where that has not ended its process yet.
    if (call !== "kill" || meaning.endsWith("SIGCONT")) return `${meaning} #${raised(`${meaning}${since}`)}${since}`
    const name = `${meaning} #${raised(meaning)}`
    since = ` after ${name}`
    return name
  }
  const lastOf = new Map(calls.map((call) => [call.thread, call]))
  const own = calls.flatMap((call) => {
    if (!isVictims(call.thread)) return []
    const count = raised(`${call.thread} ${call.call}`)
    const meaning = meaningOf(call, base)
    if (meaning === null) return []
    const isDone = call !== lastOf.get(call.thread) || / = (?!\?)/.test(call.rest)
    return [{ name: nameOf(call.call, meaning), call: call.call, count, isDone }]
  })
  return { own, programs: [...new Set(programs)] }
}
