/**
 * A whole machine in memory: Tinytask's tasks, the state directory, processes, supervisors and agents that follow the
 * protocol. Time is Effect's clock, so a test's virtual clock moves it; what is due happens before the next look.
 * Deterministic: nothing is drawn.
 */
import type { AgentRecord, Attempts, HistoryLine, StopRecord } from "../domain/Attempts.ts"
import type { Epoch, TaskId, Token } from "../domain/identifiers.ts"
import { TaskId as TaskIdSchema } from "../domain/identifiers.ts"
import type { AgentExit, Claim, Lease, StartingLease } from "../domain/Lease.ts"
import type { HostIdentity } from "../domain/ProcessIdentity.ts"
import type { RecipeSight } from "../domain/ObservedState.ts"
import type { Task } from "../domain/Task.ts"
import { timestampOf } from "../domain/time.ts"
import type { StoredLease } from "../ports/LeaseStore.ts"
import type { Signal } from "../ports/ProcessTable.ts"

export interface SimulatedTask {
  task: Task
  readonly description: string | null
  readonly comments: Array<string>
  /** Every status it ever had, in order. */
  readonly transitions: Array<Task["status"]>
}

export interface SimulatedProcess {
  readonly pid: number
  readonly pidStart: number
  readonly parent: number
  readonly group: number
  readonly session: number
  state: string
  readonly token: string | null
  readonly onSignal: (signal: Signal) => void
}

/** What one attempt's processes will do. */
export interface AgentScript {
  /** After how long its supervisor claims; null = it never comes to it. */
  readonly claimAfterMs: number | null
  /** How long the agent works. */
  readonly runMs: number
  readonly exit: { readonly code: number | null; readonly signal: string | null }
  /** What the agent does to Tinytask right before it ends. */
  readonly atEnd: (world: World, taskId: TaskId) => void
  /** The signals that end it; SIGKILL always does. */
  readonly obeys: ReadonlyArray<Signal>
}

/** An attempt as its agent saw it. */
export interface SimulatedRun {
  readonly taskId: TaskId
  readonly agent: string
  readonly epoch: Epoch
  readonly startMs: number
  endMs: number | null
}

interface DueEvent {
  readonly atMs: number
  readonly order: number
  readonly happen: (atMs: number) => void
}

interface Supervised {
  readonly process: SimulatedProcess
  readonly lease: StartingLease
  readonly script: AgentScript
  agent: SimulatedProcess | null
  run: SimulatedRun | null
  hung: boolean
}

const heartbeatMs = 15_000

export class World {
  readonly tasks = new Map<TaskId, SimulatedTask>()
  readonly leases = new Map<TaskId, StoredLease>()
  readonly claims = new Map<string, Claim>()
  readonly stops = new Map<string, StopRecord>()
  readonly attempts = new Map<TaskId, Attempts>()
  readonly history: Array<HistoryLine> = []
  readonly processes = new Map<number, SimulatedProcess>()
  readonly runs: Array<SimulatedRun> = []
  readonly supervisors: Array<Supervised> = []
  readonly signals: Array<{ readonly pid: number; readonly signal: Signal }> = []
  agents: ReadonlyArray<AgentRecord> = []
  recipes: ReadonlyArray<RecipeSight> = []
  here: HostIdentity = { host: "simulated/1", bootId: "boot-1", pidNs: 1 }
  lockHolder: number | null = null
  term = 0
  /** Why Tinytask does not answer; null = it does. */
  tinytaskDown: string | null = null
  /** What the processes of an attempt will do. */
  script: (lease: StartingLease) => AgentScript = () => completesAfter(1000)
  private events: Array<DueEvent> = []
  private nextPid = 100
  private nextTaskId = 1
  private drawn = 0
  private bootedAtMs: number
  private nowMs: number

  constructor(nowMs = 0) {
    this.nowMs = nowMs
    this.bootedAtMs = nowMs - 1_000_000
    this.spawn({ parent: 1, token: null, onSignal: () => undefined })
  }

  /** The scheduler's own process. */
  get self(): SimulatedProcess {
    const self = this.processes.get(100)
    if (self === undefined) throw new Error("the simulated scheduler has no process")
    return self
  }

  /** Lets everything happen that is due by now. */
  settle(nowMs: number): void {
    for (;;) {
      this.events.sort((left, right) => left.atMs - right.atMs || left.order - right.order)
      const next = this.events[0]
      if (next === undefined || next.atMs > nowMs) break
      this.events.shift()
      this.nowMs = Math.max(this.nowMs, next.atMs)
      next.happen(this.nowMs)
    }
    this.nowMs = Math.max(this.nowMs, nowMs)
    this.beat()
  }

  monoMs(): number {
    return this.nowMs - this.bootedAtMs
  }

  at(atMs: number, happen: () => void): void {
    this.drawn += 1
    this.events.push({ atMs, order: this.drawn, happen })
  }

  drawToken(): string {
    this.drawn += 1
    return `00000000-0000-4000-8000-${String(this.drawn).padStart(12, "0")}`
  }

  addTask(fields: Partial<Omit<Task, "id">> & { readonly description?: string } = {}): TaskId {
    const { description, ...rest } = fields
    const id = TaskIdSchema.make(this.nextTaskId)
    this.nextTaskId += 1
    const task: Task = {
      id,
      title: `task ${id}`,
      status: "idle",
      queue: "dev",
      assignee: null,
      priority: 0,
      tags: [],
      parent: null,
      blockedBy: null,
      blocked: false,
      createdAt: timestampOf(this.nowMs),
      archived: false,
      ...rest
    }
    this.tasks.set(id, { task, description: description ?? null, comments: [], transitions: [task.status] })
    return id
  }

  /** What Tinytask answers of a task: whether it is blocked is computed at reading. */
  read(id: TaskId): Task | null {
    const entry = this.tasks.get(id)
    if (entry === undefined) return null
    const blocker = entry.task.blockedBy === null ? undefined : this.tasks.get(entry.task.blockedBy)
    return { ...entry.task, blocked: blocker !== undefined && blocker.task.status !== "complete" }
  }

  change(id: TaskId, fields: Partial<Task>): void {
    const entry = this.tasks.get(id)
    if (entry === undefined) return
    entry.task = { ...entry.task, ...fields }
    if (fields.status !== undefined && entry.transitions.at(-1) !== fields.status) {
      entry.transitions.push(fields.status)
    }
  }

  spawn(process: Pick<SimulatedProcess, "parent" | "token" | "onSignal">): SimulatedProcess {
    const pid = this.nextPid
    this.nextPid += 1
    const made = { ...process, pid, pidStart: pid * 10, group: pid, session: pid, state: "S" }
    this.processes.set(pid, made)
    return made
  }

  /** Starts the supervisor of a lease; it claims when its script says so. */
  launch(lease: StartingLease): void {
    const script = this.script(lease)
    const process = this.spawn({
      parent: 1,
      token: lease.token,
      onSignal: (signal) => {
        if (signal === "SIGKILL") this.processes.delete(process.pid)
      }
    })
    const supervised: Supervised = { process, lease, script, agent: null, run: null, hung: false }
    this.supervisors.push(supervised)
    if (script.claimAfterMs !== null) {
      this.at(this.nowMs + script.claimAfterMs, () => {
        this.claim(supervised)
      })
    }
  }

  private isRunning(process: SimulatedProcess): boolean {
    return this.processes.get(process.pid)?.pidStart === process.pidStart
  }

  /** Protocol, section 2.1: win the epoch, then read the lease, then go on. */
  private claim(supervised: Supervised): void {
    const { lease, process, script } = supervised
    if (!this.isRunning(process) || supervised.hung) return
    const key = `${lease.taskId}.${lease.epoch}`
    const leave = () => this.processes.delete(process.pid)
    if (this.claims.has(key)) {
      leave()
      return
    }
    this.claims.set(key, {
      kind: "claim",
      taskId: lease.taskId,
      epoch: lease.epoch,
      token: lease.token,
      agentName: lease.agentName,
      ...this.here,
      pid: process.pid,
      pidStart: process.pidStart,
      log: lease.log,
      version: 1
    })
    const stored = this.leases.get(lease.taskId)
    if (stored?._tag !== "Read" || stored.lease.phase !== "starting" || stored.lease.token !== lease.token) {
      leave()
      return
    }
    const agent = this.spawn({
      parent: process.pid,
      token: lease.token,
      onSignal: (signal) => {
        if (signal === "SIGKILL" || script.obeys.includes(signal)) this.endAgent(supervised, { code: null, signal })
      }
    })
    supervised.agent = agent
    supervised.run = {
      taskId: lease.taskId,
      agent: lease.agentName,
      epoch: lease.epoch,
      startMs: this.nowMs,
      endMs: null
    }
    this.runs.push(supervised.run)
    this.writeLease(supervised, null)
    this.at(this.nowMs + script.runMs, () => {
      if (this.isRunning(agent)) {
        script.atEnd(this, lease.taskId)
        this.endAgent(supervised, script.exit)
      }
    })
  }

  private endAgent(
    supervised: Supervised,
    exit: { readonly code: number | null; readonly signal: string | null }
  ): void {
    const { agent, process, run } = supervised
    if (agent === null || !this.isRunning(agent)) return
    this.processes.delete(agent.pid)
    if (run !== null) run.endMs = this.nowMs
    if (!this.isRunning(process) || supervised.hung) return
    this.writeLease(supervised, { ...exit, error: null, at: timestampOf(this.nowMs), tail: "" })
    this.processes.delete(process.pid)
  }

  /** Before every write: the claim must be its own, and the lease not another's. */
  private writeLease(supervised: Supervised, exit: AgentExit | null): void {
    const { agent, lease, process } = supervised
    const claim = this.claims.get(`${lease.taskId}.${lease.epoch}`)
    const stored = this.leases.get(lease.taskId)
    const isOurs = claim?.token === lease.token && !(stored?._tag === "Read" && stored.lease.token !== lease.token)
    if (!isOurs || agent === null) return
    const common = {
      ...lease,
      ...this.here,
      pid: process.pid,
      pidStart: process.pidStart,
      lastHeartbeat: timestampOf(this.nowMs),
      beatMonoMs: this.monoMs(),
      lastOutput: null,
      agent: { pid: agent.pid, pidStart: agent.pidStart, group: agent.group }
    }
    const written: Lease = exit === null ? { ...common, phase: "running" } : { ...common, phase: "finished", exit }
    this.leases.set(lease.taskId, { _tag: "Read", lease: written })
  }

  private beat(): void {
    for (const supervised of this.supervisors) {
      if (supervised.hung || supervised.agent === null || !this.isRunning(supervised.process)) continue
      const stored = this.leases.get(supervised.lease.taskId)
      const last = stored?._tag === "Read" && stored.lease.phase === "running" ? stored.lease.beatMonoMs : 0
      if (this.isRunning(supervised.agent) && this.monoMs() - last >= heartbeatMs) this.writeLease(supervised, null)
    }
  }

  /** Kills a process as SIGKILL does, from outside. */
  kill(pid: number): void {
    this.processes.get(pid)?.onSignal("SIGKILL")
    this.processes.delete(pid)
  }

  signal(target: { readonly pid: number; readonly pidStart: number }, signal: Signal): "sent" | "gone" {
    const process = this.processes.get(target.pid)
    if (process === undefined || process.pidStart !== target.pidStart) return "gone"
    this.signals.push({ pid: target.pid, signal })
    process.onSignal(signal)
    return "sent"
  }

  /** Removes what a lease store removes: the files up to an epoch. */
  removeUpTo(files: Map<string, unknown>, taskId: TaskId, upTo: Epoch): void {
    for (const key of files.keys()) {
      const [task, epoch] = key.split(".").map(Number)
      if (task === taskId && epoch !== undefined && epoch <= upTo) files.delete(key)
    }
  }

  leaseToken(taskId: TaskId): Token | null {
    const stored = this.leases.get(taskId)
    return stored?._tag === "Read" ? stored.lease.token : null
  }
}

const setComplete = (world: World, taskId: TaskId): void => {
  world.change(taskId, { status: "complete" })
}

/** An agent that works for a while, completes its task and exits 0. */
export const completesAfter = (runMs: number, claimAfterMs = 10): AgentScript => ({
  claimAfterMs,
  runMs,
  exit: { code: 0, signal: null },
  atEnd: setComplete,
  obeys: ["SIGINT", "SIGTERM"]
})

/** An agent that exits with a code and tells Tinytask nothing. */
export const exitsWith = (code: number, runMs: number): AgentScript => ({
  ...completesAfter(runMs),
  exit: { code, signal: null },
  atEnd: () => undefined
})
