/**
 * Attempts on real files and real processes. Every process that a test starts, or that one of them starts, carries the
 * test's token or is tracked by identity; `close` ends all of them by pid and start and verifies that they are gone.
 */
import { type ChildProcess, spawn } from "node:child_process"
import { randomUUID } from "node:crypto"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { fileURLToPath } from "node:url"
import * as Schema from "effect/Schema"
import { ClaimFile, type Claim, type Lease, LeaseFile, type StartingLease } from "@tinyscheduler/core/domain/Lease"
import { startOf } from "../src/Machine.ts"
import type { SupervisorOrder } from "../src/supervisor/spec.ts"
import { thisMachine } from "../src/thisMachine.ts"

const decodeLease = Schema.decodeUnknownSync(LeaseFile)
const encodeLease = Schema.encodeSync(LeaseFile)
const decodeClaim = Schema.decodeUnknownSync(ClaimFile)

export const fixture = (name: string): string => fileURLToPath(new URL(`fixtures/${name}`, import.meta.url))
export const node = [process.execPath, "--conditions=source"]
export const supervisorCommand = [...node, fileURLToPath(new URL("../src/supervisor/entry.ts", import.meta.url))]

/** Waits for a condition, not for a time: how long is the test runner's business. */
export const until = async (condition: () => boolean): Promise<void> => {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 10))
}

export const exitOf = (child: ChildProcess): Promise<{ code: number | null; signal: string | null }> =>
  new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) {
      resolve({ code: child.exitCode, signal: child.signalCode })
    } else child.once("exit", (code, signal) => resolve({ code, signal }))
  })

export const isLiving = (pid: number): boolean => startOf(thisMachine, pid) !== null

interface Tracked {
  readonly pid: number
  readonly pidStart: number
}

export class Scene {
  readonly base = fs.mkdtempSync(path.join(os.tmpdir(), "ts-process-"))
  readonly token = randomUUID()
  readonly runningDir = path.join(this.base, "running")
  readonly claimsDir = path.join(this.base, "claims")
  readonly logDir = path.join(this.base, "logs")
  readonly tmpDir = path.join(this.base, "tmp")
  readonly recipesDir = path.join(this.base, "recipes")
  readonly leasePath = path.join(this.runningDir, "task_42.json")
  readonly claimPath = path.join(this.claimsDir, "42.7")
  readonly logPath = path.join(this.logDir, "tasks/42/7.log")
  readonly tracked: Array<Tracked> = []

  constructor() {
    for (const directory of [this.runningDir, this.claimsDir, this.recipesDir]) fs.mkdirSync(directory, { mode: 0o700 })
  }

  path(name: string): string {
    return path.join(this.base, name)
  }

  /** The intent as the scheduler writes it. */
  lease(changes: Partial<StartingLease> = {}): StartingLease {
    const self = thisMachine.identify()
    const lease = decodeLease({
      task_id: 42,
      agent_name: "vaela",
      pid: null,
      start_time: "2026-01-20T04:00:00Z",
      last_heartbeat: null,
      max_runtime_sec: 3600,
      phase: "starting",
      host: self.here.host,
      boot_id: self.here.bootId,
      pid_ns: self.here.pidNs,
      pid_start: null,
      token: this.token,
      epoch: 7,
      term: 31,
      attempt: 2,
      recipe: null,
      queue: "dev",
      endpoint: "http://localhost:3000",
      task_created_at: "2026-01-19T04:00:00Z",
      prior: { status: "idle", assigned_to: null },
      start_mono_ms: 1000,
      beat_mono_ms: null,
      agent: null,
      last_output: null,
      log: "state/logs/tasks/42/7.log",
      version: 1
    })
    if (lease.phase !== "starting") throw new Error("not a starting lease")
    return { ...lease, ...changes }
  }

  writeLease(lease: Lease = this.lease()): void {
    fs.writeFileSync(this.leasePath, `${JSON.stringify(encodeLease(lease), null, 2)}\n`, { mode: 0o600 })
  }

  /** Decoded with the core's Schema: what the supervisor writes must be what the scheduler reads. */
  readLease(): Lease | null {
    return fs.existsSync(this.leasePath) ? decodeLease(JSON.parse(fs.readFileSync(this.leasePath, "utf8"))) : null
  }

  readClaim(): Claim {
    return decodeClaim(JSON.parse(fs.readFileSync(this.claimPath, "utf8")))
  }

  log(): string {
    return fs.readFileSync(this.logPath, "utf8")
  }

  order(argv: ReadonlyArray<string>, changes: Partial<SupervisorOrder> = {}): SupervisorOrder {
    return {
      lease: encodeLease(this.lease()),
      runningDir: this.runningDir,
      claimsDir: this.claimsDir,
      logDir: this.logDir,
      tmpDir: this.tmpDir,
      argv,
      env: { TINYSCHEDULER_LEASE: this.token },
      cwd: this.base,
      heartbeatSec: 0.1,
      stopGraceSec: 30,
      hold: null,
      ...changes
    }
  }

  /** Starts a supervisor without its launcher. */
  supervise(argv: ReadonlyArray<string>, changes: Partial<SupervisorOrder> = {}): ChildProcess {
    return this.superviseWith(JSON.stringify(this.order(argv, changes)))
  }

  superviseWith(input: string): ChildProcess {
    const [file = "", ...args] = supervisorCommand
    const child = spawn(file, args, {
      detached: true,
      env: { ...process.env, TINYSCHEDULER_LEASE: this.token, TINYSCHEDULER_MCP_TOKEN: "secret" },
      stdio: ["pipe", "ignore", "inherit"]
    })
    child.stdin?.end(input)
    this.track(child.pid)
    return child
  }

  /** Ends a process with the scene, whatever it carries. */
  track(pid: number | undefined): void {
    const pidStart = pid === undefined ? null : startOf(thisMachine, pid)
    if (pid !== undefined && pidStart !== null) this.tracked.push({ pid, pidStart })
  }

  async running(): Promise<Extract<Lease, { phase: "running" }>> {
    for (;;) {
      const lease = this.readLease()
      if (lease?.phase === "running") return lease
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  }

  async finished(): Promise<Extract<Lease, { phase: "finished" }>> {
    for (;;) {
      const lease = this.readLease()
      if (lease?.phase === "finished") return lease
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  }

  /** Whatever lives with this scene's token. */
  carriers(): ReadonlyArray<Tracked> {
    return thisMachine.scan().filter((row) => row.token === this.token && row.pid !== process.pid && isLiving(row.pid))
  }

  async close(): Promise<void> {
    const living = () => [
      ...this.carriers(),
      ...this.tracked.filter(({ pid, pidStart }) => startOf(thisMachine, pid) === pidStart)
    ]
    await until(() => {
      const targets = living()
      for (const { pid, pidStart } of targets) if (startOf(thisMachine, pid) === pidStart) process.kill(pid, "SIGKILL")
      return targets.length === 0
    })
    fs.rmSync(this.base, { recursive: true, force: true })
  }
}
