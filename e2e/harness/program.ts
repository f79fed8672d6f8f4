/** The built command line as people run it: one process, its exit code and its two streams. */
import { type ChildProcess, spawn } from "node:child_process"
import { cpSync, existsSync } from "node:fs"
import { basename, dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { until } from "./until.ts"

export const repository = fileURLToPath(new URL("../..", import.meta.url))
export const fixture = (name: string): string => fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url))
export const standIn = `${repository}examples/stand-in-agent/goose.mjs`

/** The file that the build leaves; another one where E2E_PROGRAM says so. */
export const program = process.env["E2E_PROGRAM"] ?? `${repository}packages/cli/dist/tinyscheduler.js`
if (!existsSync(program)) throw new Error(`${program} is not there: build it first`)

/** The program in a place where other users may read it; answers what Node is to run. */
export const placeProgram = (directory: string): string => {
  cpSync(dirname(program), join(directory, "program"), { recursive: true })
  return join(directory, "program", basename(program))
}

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

export interface Running {
  readonly pid: number
  readonly child: ChildProcess
  readonly ended: Promise<Ended>
  /** What it has said so far. */
  readonly said: () => Pick<Ended, "stdout" | "stderr">
  readonly kill: (signal: NodeJS.Signals) => void
  /** Waits for a text on one of its streams. */
  readonly says: (text: string | RegExp) => Promise<void>
}

export interface Launch {
  readonly command: ReadonlyArray<string>
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
}

/** Starts a process; its output is kept. */
export const launch = ({ command, cwd, env }: Launch): Running => {
  const [file = "", ...args] = command
  const child = spawn(file, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"] })
  const said = { stdout: "", stderr: "" }
  child.stdout.setEncoding("utf8").on("data", (text: string) => (said.stdout += text))
  child.stderr.setEncoding("utf8").on("data", (text: string) => (said.stderr += text))
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once("error", reject)
    child.once("close", (code, signal) => resolve({ code, signal, ...said }))
  })
  // Whoever waits is told; a process that nobody waits for must not end the tests.
  ended.catch(() => {})
  const says = async (text: string | RegExp): Promise<void> => {
    await until(`${command.slice(1).join(" ")} says ${text}`, () => {
      const all = said.stdout + said.stderr
      if (typeof text === "string" ? all.includes(text) : text.test(all)) return true
      if (child.exitCode === null && child.signalCode === null) return false
      throw new Error(`it ended (${child.exitCode ?? child.signalCode}) without saying ${text}`)
    }).catch((failure: unknown) => {
      throw new Error(`${String(failure)}; it said:\n${said.stdout}${said.stderr}`)
    })
  }
  return {
    pid: child.pid ?? 0,
    child,
    ended,
    said: () => ({ ...said }),
    kill: (signal) => void child.kill(signal),
    says
  }
}

/** The lines of a stream, without the last empty one. */
export const linesOf = (text: string): ReadonlyArray<string> => text.split("\n").filter((line) => line !== "")
