/**
 * The ground of one test: a fresh base path with agents and recipes, a Tinytask of its own, the command line on both.
 * When the test has finished everything that was started is ended and verified to be gone.
 */
import { createHash } from "node:crypto"
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { onTestFinished } from "vitest"
import { endMarked, markedProcesses, markVariable } from "./processes.ts"
import type { Marked } from "./processes.ts"
import { fixture, launch, program, standIn } from "./program.ts"
import type { Ended, Running } from "./program.ts"
import { readRecord, runsOf } from "./records.ts"
import type { RecordLine, Run } from "./records.ts"
import { TinytaskServer } from "./tinytask.ts"

export interface AgentEntry {
  readonly agentName: string
  readonly agentType: string | ReadonlyArray<string>
  readonly [field: string]: unknown
}

export interface LeaseFile {
  readonly task_id: number
  readonly agent_name: string
  readonly phase: "starting" | "running" | "finished"
  readonly pid: number | null
  readonly epoch: number
  readonly token: string
  readonly term: number
  readonly start_mono_ms: number
  readonly agent: { readonly pid: number } | null
}

export interface CliOptions {
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  /** In place of node and the built file. */
  readonly command?: ReadonlyArray<string>
}

/** One file or directory, with everything that a write would change. */
const fingerprint = (path: string): string => {
  const stat = lstatSync(path, { bigint: true })
  const content = stat.isFile()
    ? createHash("sha256").update(readFileSync(path)).digest("hex")
    : stat.isSymbolicLink()
      ? readlinkSync(path)
      : ""
  return [path, stat.ino, stat.mode.toString(8), stat.uid, stat.nlink, stat.size, stat.mtimeNs, content].join(" ")
}

/** Null when it is not there, or no longer: a look beforehand would tell of a moment ago. */
const readIfThere = (path: string): string | null => {
  try {
    return readFileSync(path, "utf8")
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null
    throw error
  }
}

/** Everything below a path, one line each; a path that is not there is one line too. */
export const treeOf = (path: string): ReadonlyArray<string> => {
  if (lstatSync(path, { throwIfNoEntry: false }) === undefined) return [`${path} is not there`]
  const below = lstatSync(path).isDirectory() ? readdirSync(path).sort() : []
  return [fingerprint(path), ...below.flatMap((name) => treeOf(join(path, name)))]
}

export const digestOf = (text: string): string => createHash("sha256").update(text).digest("hex")

export class Ground {
  readonly base: string
  readonly record: string
  readonly home: string
  /** Beside the base path: SQLite's files change when they are only read. */
  readonly #shelf: string
  #tinytask: TinytaskServer | null = null

  constructor() {
    this.base = mkdtempSync(join(tmpdir(), "tinyscheduler-e2e-"))
    this.record = this.path("record.jsonl")
    this.home = this.path("home")
    mkdirSync(this.home)
    this.#shelf = mkdtempSync(join(tmpdir(), "tinyscheduler-e2e-tasks-"))
    onTestFinished(() => this.close())
  }

  path(name: string): string {
    return join(this.base, name)
  }

  write(name: string, content: string): string {
    mkdirSync(dirname(this.path(name)), { recursive: true, mode: 0o700 })
    writeFileSync(this.path(name), content)
    return this.path(name)
  }

  read(name: string): string {
    return readFileSync(this.path(name), "utf8")
  }

  get tinytask(): TinytaskServer {
    if (this.#tinytask === null) throw new Error("this ground has no Tinytask")
    return this.#tinytask
  }

  async startTinytask(): Promise<TinytaskServer> {
    this.#tinytask = await TinytaskServer.start(join(this.#shelf, "tasks.db"))
    return this.#tinytask
  }

  /** The control file; Goose's agents get a recipe each. */
  agents(entries: ReadonlyArray<AgentEntry>): void {
    for (const entry of entries) {
      if (entry["command"] === undefined) this.write(`recipes/${entry.agentName}.yaml`, "version: 1.0.0\n")
    }
    this.write("agent-control.json", `${JSON.stringify(entries, null, 2)}\n`)
  }

  /** An agent that takes Goose's arguments and completes its task through Tinytask itself. */
  goose(agentName: string, agentType: AgentEntry["agentType"], rest: Readonly<Record<string, unknown>> = {}) {
    const env = { STAND_IN_RECORD: this.record, STAND_IN_MS: "50-400" }
    return { agentName, agentType, env, ...rest } satisfies AgentEntry
  }

  /** An agent that works for a moment and exits with 0; the scheduler completes its task. */
  worker(agentName: string, agentType: AgentEntry["agentType"], rest: Readonly<Record<string, unknown>> = {}) {
    const command = ["/bin/sh", fixture("worker.sh"), this.record]
    return { agentName, agentType, command, env: { WORK_MS: "50-400" }, ...rest } satisfies AgentEntry
  }

  /** An agent that does what the description of its task says: see fixtures/scripted.mjs. */
  scripted(agentName: string, agentType: AgentEntry["agentType"], rest: Readonly<Record<string, unknown>> = {}) {
    const command = [process.execPath, fixture("scripted.mjs"), this.record, "{{promptFile}}"]
    return { agentName, agentType, command, ...rest } satisfies AgentEntry
  }

  /** The stand-in for Goose as a program on a PATH. */
  installGoose(): string {
    const path = this.write("bin/goose", readFileSync(standIn, "utf8").replace(/^#!.*/, `#!${process.execPath}`))
    chmodSync(path, 0o755)
    return path
  }

  /** What every process of this test has in its environment; nothing of the test runner's own. */
  environment(extra: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
    return { PATH: process.env["PATH"] ?? "", HOME: this.home, LANG: "C.UTF-8", [markVariable]: this.base, ...extra }
  }

  /** Starts the command line in the base path. */
  start(args: ReadonlyArray<string>, options: CliOptions = {}): Running {
    return launch({
      command: [...(options.command ?? [process.execPath, "--", program]), ...args],
      cwd: options.cwd ?? this.base,
      env: this.environment(options.env)
    })
  }

  /** Runs the command line to its end. */
  async cli(args: ReadonlyArray<string>, options: CliOptions = {}): Promise<Ended> {
    return this.start(args, options).ended
  }

  /** The flag that leads to this ground's Tinytask. */
  get endpoint(): ReadonlyArray<string> {
    return ["--mcp-endpoint", this.tinytask.url]
  }

  lines(): ReadonlyArray<RecordLine> {
    return readRecord(this.record)
  }

  runs(): ReadonlyArray<Run> {
    return runsOf(this.lines())
  }

  leasePath(task: number): string {
    return this.path(`state/running/task_${task}.json`)
  }

  /** Null while there is none. */
  lease(task: number): LeaseFile | null {
    const text = readIfThere(this.leasePath(task))
    if (text === null) return null
    const lease: LeaseFile = JSON.parse(text)
    return lease
  }

  /** Names of files in a directory of the state; none while the directory is not there. */
  files(directory: string): ReadonlyArray<string> {
    return existsSync(this.path(`state/${directory}`)) ? readdirSync(this.path(`state/${directory}`)).sort() : []
  }

  /** The outcomes of a task's attempts, by epoch. */
  outcomes(task: number): ReadonlyArray<string> {
    const text = readIfThere(this.path(`state/attempts/task_${task}.json`))
    if (text === null) return []
    const { outcomes }: { readonly outcomes: ReadonlyArray<{ readonly outcome: string }> } = JSON.parse(text)
    return outcomes.map(({ outcome }) => outcome)
  }

  processes(): ReadonlyArray<Marked> {
    return markedProcesses(this.base)
  }

  /** At the end of its test, or before that by a test of many grounds. */
  async close(): Promise<void> {
    await endMarked(this.base)
    const server = this.#tinytask
    this.#tinytask = null
    await server?.close()
    for (const folder of [this.base, this.#shelf]) rmSync(folder, { recursive: true, force: true })
  }
}

/** A ground with a Tinytask. */
export const makeGround = async (): Promise<Ground> => {
  const ground = new Ground()
  await ground.startTinytask()
  return ground
}
