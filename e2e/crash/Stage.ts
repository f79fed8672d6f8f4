/**
 * The place where one history after another is played: a base path, its Tinytask, a process that makes passes, and
 * whatever a scenario begins with, kept as a copy and put back before each history.
 */
import { spawnSync } from "node:child_process"
import {
  closeSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { endMarked, type Marked, markedProcesses, markVariable } from "../harness/processes.ts"
import { program } from "../harness/program.ts"
import { until } from "../harness/until.ts"
import { type Pass, Passes } from "./Passes.ts"
import { Tasks } from "./Tasks.ts"
import type { Command } from "./tracing.ts"

const agentScript = fileURLToPath(new URL("agent.sh", import.meta.url))

/** tmpfs where there is one: the crashes are those of processes, and an fsync need not wait for a disk. */
const shelf = existsSync("/dev/shm") ? "/dev/shm" : tmpdir()

/** A FIFO can't be copied. */
const isNoGate = (path: string): boolean => !lstatSync(path).isFIFO()

export interface AgentPlan {
  readonly name: string
  readonly queue: string
  /** One word for each attempt, the last for all later ones: see agent.sh. */
  readonly words: ReadonlyArray<string>
}

export interface LeaseOnDisk {
  readonly task_id: number
  readonly phase: string
  readonly epoch: number
  readonly token: string
  readonly start_mono_ms: number
}

/** What an agent wrote down of itself: see agent.sh. */
export interface Note {
  readonly what: string
  readonly task: number
  readonly agent: string
  readonly epoch: number
}

/** What a scenario begins with. */
export interface Kept {
  readonly copy: string
  readonly tasks: string
  readonly flags: ReadonlyArray<string>
}

export class Stage {
  readonly folder: string
  readonly base: string
  readonly tasks: Tasks
  readonly passes: Passes
  #flags: ReadonlyArray<string> = []
  #gate: number | null = null

  private constructor(folder: string, tasks: Tasks) {
    this.folder = folder
    this.base = join(folder, "base")
    mkdirSync(this.base)
    this.tasks = tasks
    this.passes = new Passes({ cwd: folder, env: this.environment })
  }

  static async open(): Promise<Stage> {
    const folder = mkdtempSync(join(shelf, "tinyscheduler-crash-"))
    return new Stage(folder, await Tasks.start(folder))
  }

  get environment(): Readonly<Record<string, string>> {
    return { PATH: "/usr/bin:/bin", HOME: this.folder, LANG: "C.UTF-8", [markVariable]: this.folder }
  }

  path(name: string): string {
    return join(this.base, name)
  }

  names(directory: string): ReadonlyArray<string> {
    return existsSync(this.path(directory)) ? readdirSync(this.path(directory)).sort() : []
  }

  /** The text of a file; null when there is none. */
  text(name: string): string | null {
    return existsSync(this.path(name)) ? readFileSync(this.path(name), "utf8") : null
  }

  /** An empty base path with these agents, each with one slot, and these settings. */
  begin(agents: ReadonlyArray<AgentPlan>, flags: ReadonlyArray<string>): void {
    rmSync(this.base, { recursive: true, force: true })
    mkdirSync(this.base)
    this.tasks.empty()
    const entries = agents.map(({ name, queue, words }) => ({
      agentName: name,
      agentType: queue,
      command: ["/bin/sh", agentScript, this.base, ...words]
    }))
    writeFileSync(this.path("agent-control.json"), JSON.stringify(entries))
    this.#flags = flags
    this.#makeGates()
  }

  get #command(): ReadonlyArray<string> {
    const quick = ["--backoff-base", "0", "--heartbeat", "1", "--stop-grace", "0"]
    return ["run", "--once", "--base-path", this.base, "--mcp-endpoint", this.tasks.url, ...quick, ...this.#flags]
  }

  async pass(): Promise<Pass> {
    return this.passes.run(this.#command)
  }

  /** The same pass as a process of its own. */
  get passCommand(): Command {
    const argv = [process.execPath, "--", program, ...this.#command]
    return { argv, cwd: this.folder, env: this.environment, input: "" }
  }

  leases(): ReadonlyArray<LeaseOnDisk> {
    return this.names("state/running").flatMap((name) => {
      const text = name.startsWith("task_") ? this.text(`state/running/${name}`) : null
      if (text === null) return []
      const lease: LeaseOnDisk = JSON.parse(text)
      return [lease]
    })
  }

  /** The whole lines of a file; none when it is not there. */
  lines(name: string): ReadonlyArray<string> {
    return (this.text(name) ?? "").split("\n").slice(0, -1)
  }

  notes(): ReadonlyArray<Note> {
    return this.lines("record.jsonl").map((line): Note => JSON.parse(line))
  }

  /** What lives of this stage, without the process that makes the passes. */
  living(): ReadonlyArray<Marked> {
    return markedProcesses(this.folder).filter(({ pid }) => pid !== this.passes.pid)
  }

  /** Agents wait at two FIFOs, of which one is opened by holding its other end. */
  openGate(): void {
    this.#gate ??= openSync(this.path("gate"), "r+")
  }

  closeGate(): void {
    if (this.#gate !== null) closeSync(this.#gate)
    this.#gate = null
  }

  #makeGates(): void {
    this.closeGate()
    const made = spawnSync("mkfifo", [this.path("gate"), this.path("never")])
    if (made.status !== 0) throw new Error("mkfifo can't be run")
  }

  /** Waits until every lease has come to this phase, or whoever was to bring it there is gone. */
  async becomes(phase: string, isOver: () => boolean = () => false): Promise<void> {
    await until(`every lease is ${phase}`, () => {
      const leases = this.leases()
      return isOver() || (leases.length > 0 && leases.every((lease) => lease.phase === phase))
    })
  }

  /** Keeps files and tasks as they are now. */
  keep(name: string): Kept {
    const copy = join(this.folder, name)
    rmSync(copy, { recursive: true, force: true })
    cpSync(this.base, copy, { recursive: true, filter: isNoGate })
    return { copy, tasks: this.tasks.keep(name), flags: this.#flags }
  }

  /** Puts back what this stage kept. */
  async putBack(kept: Kept): Promise<void> {
    await this.tasks.reach()
    rmSync(this.base, { recursive: true, force: true })
    cpSync(kept.copy, this.base, { recursive: true })
    this.tasks.putBack(kept.tasks)
    this.#flags = kept.flags
    this.#makeGates()
  }

  async close(): Promise<void> {
    this.closeGate()
    await this.passes.close()
    await endMarked(this.folder)
    await this.tasks.close()
    rmSync(this.folder, { recursive: true, force: true })
  }
}
