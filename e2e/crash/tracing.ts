/**
 * A process under strace that stands still at one of its calls, and is killed there. The calls that are looked at are
 * filtered by the kernel (--seccomp-bpf): tracing then costs 40 ms of a pass and not 400. Under that filter strace 6 loses
 * a signal that it is to inject, so it injects a delay, and the kill comes from here while the process stands in it:
 * before the call (on entry: it is not carried out) or after it (on exit: it is done, and its caller never hears of it).
 * How many such calls come before the one that is meant differs by a few from run to run, so it stands still at each of
 * some, and dies at the one whose name is the right one. What it started is slowed down there too, and not killed.
 */
import { spawn, spawnSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type Effect, effectCalls, effectsIn } from "./effects.ts"
import { TraceLog } from "./TraceLog.ts"

interface Standing {
  readonly side: "before" | "after"
  readonly call: string
  /** It stands still at each such call of its thread from one count to the other. */
  readonly from: number
  readonly to: number
  /** For how long it stands there. It dies only then: strace heeds nothing of a process that it delays. */
  readonly forMs: number
}

/** Where it is killed: at the effect of this name; or not it, but the child that it forked to run this program. */
export type Hold = Standing & ({ readonly effect: string } | { readonly program: string })

export interface Command {
  readonly argv: ReadonlyArray<string>
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
  readonly input: string
}

export interface Ending {
  /** Null when it was killed. */
  readonly code: number | null
  /** Whether it, or the child that was meant, was killed where it was made to stand still. */
  readonly wasKilled: boolean
  /** What it did up to its end. */
  readonly effects: ReadonlyArray<Effect>
  readonly programs: ReadonlyArray<string>
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
  const path = "program" in hold ? ["-P", hold.program] : []
  return [...options, ...traced, ...path, "-e", `inject=${hold.call}:${delay}:when=${hold.from}..${hold.to}`]
}

/** Why no process can be traced here; null when it can. */
export const whyUntraceable = (): string | null => {
  const folder = mkdtempSync(join(tmpdir(), "tinyscheduler-strace-"))
  const hold: Hold = { side: "before", call: "write", from: 1, to: 2, forMs: 1, effect: "" }
  // Without -D: as a grandchild it would let the command run untraced, and say so to nobody.
  const options = straceOptions(join(folder, "log"), hold).filter((option) => option !== "-D")
  const probe = spawnSync("strace", [...options, "true"], { encoding: "utf8" })
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
  const isAt = (name: string): boolean => effectsIn(where.logFile, pid, where.base).own.at(-1)?.name === name
  const looks = setInterval(() => {
    if (hold === null) return
    for (const thread of log.threadsAt(hold.call, hold.from, hold.to)) {
      const target = processOf(thread)
      if (target === null) continue
      // The process itself begins with an exec too, and of the same program as a supervisor's.
      const isMeant = "program" in hold ? target !== pid : target === pid && isAt(hold.effect)
      if (!isMeant) continue
      wasKilled = true
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
      const { own, programs } = effectsIn(where.logFile, pid, where.base)
      resolve({ code, wasKilled, effects: own, programs })
    })
  })
  return { isOver: () => over, ended, forget }
}
