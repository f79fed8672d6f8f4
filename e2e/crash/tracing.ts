/**
 * A process under strace that stands still at one of its calls, and is killed there. The calls that are looked at are
 * filtered by the kernel (--seccomp-bpf): tracing then costs 40 ms of a pass and not 400. Under that filter strace 6 loses
 * a signal that it is to inject, so it injects a delay, and the kill comes from here while the process stands in it:
 * before the call (on entry: it is not carried out) or after it (on exit: it is done, and its caller never hears of it).
 *
 * strace counts the calls of every thread it follows. A supervisor or an agent that comes to the same count of the same
 * call stands still there too, and is killed as well: one more crash, which is to be survived like any.
 */
import { spawn, spawnSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type Effect, effectCalls, effectsIn } from "./effects.ts"
import { TraceLog } from "./TraceLog.ts"

export interface Hold {
  readonly side: "before" | "after"
  readonly call: string
  readonly count: number
  /** For how long it stands there. It dies only then: strace heeds nothing of a process that it delays. */
  readonly forMs: number
}

export interface Command {
  readonly argv: ReadonlyArray<string>
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
  readonly input: string
}

export interface Ending {
  /** Null when it was killed. */
  readonly code: number | null
  /** Whether it was killed where it was made to stand still. */
  readonly wasKilled: boolean
  /** What it did up to its end. */
  readonly effects: ReadonlyArray<Effect>
}

export interface Traced {
  readonly isOver: () => boolean
  readonly ended: Promise<Ending>
  /** Stops looking for others that stand still. */
  readonly forget: () => void
}

const delays = { before: "delay_enter", after: "delay_exit" } as const

/** -D: the tracer is the grandchild, and the process that is waited for here is the traced one itself. */
const straceOptions = (logFile: string, hold: Hold | null): ReadonlyArray<string> => {
  const options = ["-D", "-f", "--seccomp-bpf", "-q", "-y", "-s", "400", "-o", logFile, "-e", "signal=none"]
  // A look at all processes opens hundreds of files; whether one for writing was opened shows in the write that follows.
  const opens = hold === null || hold.call === "openat"
  const traced = ["-e", `trace=${effectCalls.filter((call) => opens || call !== "openat").join()}`]
  if (hold === null) return [...options, ...traced]
  const delay = `${delays[hold.side]}=${hold.forMs * 1000}`
  return [...options, ...traced, "-e", `inject=${hold.call}:${delay}:when=${hold.count}`]
}

/** Why no process can be traced here; null when it can. */
export const whyUntraceable = (): string | null => {
  const folder = mkdtempSync(join(tmpdir(), "tinyscheduler-strace-"))
  const probe = spawnSync("strace", [...straceOptions(join(folder, "log"), null), "/bin/true"], { encoding: "utf8" })
  rmSync(folder, { recursive: true })
  if (probe.error !== undefined) return `strace can't be run (${probe.error.message}); it comes with the package strace`
  if (probe.status !== 0) return `strace may not trace here: ${probe.stderr.trim().split("\n").at(-1)}`
  return null
}

/** The process that a thread belongs to; null when it is gone. */
const processOf = (thread: number): number | null => {
  try {
    const group = /^Tgid:\t(\d+)$/m.exec(readFileSync(`/proc/${thread}/status`, "utf8"))?.[1]
    return group === undefined ? null : Number(group)
  } catch {
    return null
  }
}

const kill = (pid: number): void => {
  try {
    process.kill(pid, "SIGKILL")
  } catch {
    // It is gone.
  }
}

const lookEveryMs = 4

/** Starts a command under strace; with a hold it is killed as soon as it stands there. */
export const trace = (
  command: Command,
  where: { readonly logFile: string; readonly base: string },
  hold: Hold | null
): Traced => {
  rmSync(where.logFile, { force: true })
  const child = spawn("strace", [...straceOptions(where.logFile, hold), ...command.argv], {
    cwd: command.cwd,
    env: command.env,
    stdio: ["pipe", "ignore", "ignore"]
  })
  const { pid } = child
  if (pid === undefined) throw new Error("strace could not be started")
  // Whoever is killed early reads nothing any more.
  child.stdin.on("error", () => {})
  child.stdin.end(command.input)

  let over = false
  let wasKilled = false
  const log = new TraceLog(where.logFile)
  const looks = setInterval(() => {
    if (hold === null) return
    for (const thread of log.threadsAt(hold.call, hold.count)) {
      const target = processOf(thread)
      if (target === null) continue
      wasKilled ||= target === pid
      kill(target)
    }
  }, lookEveryMs)
  const forget = (): void => {
    clearInterval(looks)
    log.close()
  }
  const ended = new Promise<Ending>((resolve) => {
    child.once("exit", (code) => {
      over = true
      resolve({ code, wasKilled, effects: effectsIn(where.logFile, pid, where.base) })
    })
  })
  return { isOver: () => over, ended, forget }
}
