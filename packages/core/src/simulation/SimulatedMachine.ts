/**
 * The machine in memory: its clocks, its processes and what is due to happen. Three clocks run apart: the wall clock, which
 * anybody may set; the monotonic one; and the time that processes live, which stands still while the machine is
 * paused. Deterministic: nothing is drawn.
 */
import type { HostIdentity } from "../domain/ProcessIdentity.ts"
import type { Epoch, TaskId } from "../domain/identifiers.ts"
import type { Signal, StatedTask } from "../ports/ProcessTable.ts"

/** A process in memory. */
export interface SimulatedProcess {
  readonly pid: number
  /** The host and pid namespace that it lives in. */
  readonly place: HostIdentity
  /** Ticks of 10 ms since boot. */
  readonly pidStart: number
  parent: number
  readonly group: number
  readonly session: number
  /** "S" or, when its parent does not look after it, "Z". */
  state: string
  readonly token: string | null
  /** The directory of the attempt's cgroup that it was born in; null = in none. */
  readonly cgroup: string | null
  /** The task that its environment names; null = none. */
  readonly statedTask: StatedTask | null
  /** The truth about whose it is, whatever its environment shows; null = no attempt's. */
  readonly attempt: {
    readonly taskId: TaskId
    readonly epoch: Epoch
    readonly role: "supervisor" | "agent" | "leftover"
  } | null
  /** Whether it reaps its children. */
  reaps: boolean
  readonly onSignal: (signal: Signal) => void
}

/** What a process begins with. */
export type NewProcess = Pick<SimulatedProcess, "parent" | "token" | "onSignal"> &
  Partial<Pick<SimulatedProcess, "pid" | "group" | "session" | "cgroup" | "statedTask" | "attempt">>

interface DueEvent {
  readonly at: number
  readonly happen: () => void
}

const firstPid = 100
/** As many numbers as Linux has at most. */
const pidMax = 4_194_304

/** Processes and clocks in memory. */
export class SimulatedMachine {
  here: HostIdentity = { host: "simulated/1", bootId: "boot-1", pidNs: 1 }
  readonly processes = new Map<number, SimulatedProcess>()
  /** The cgroup that is delegated to schedulers, and those that were made in it; null = none is. */
  delegated: string | null = null
  readonly cgroups = new Set<string>()
  /** Every signal that was sent, with the truth about whom it reached. */
  readonly signals: Array<{
    readonly pid: number
    readonly signal: Signal
    readonly attempt: SimulatedProcess["attempt"]
  }> = []
  /** The wall clock. */
  nowMs: number
  /** How far the wall clock was set ahead; the time for which the machine was paused. */
  private setAheadMs = 0
  private pausedMs = 0
  /** When it was booted, on the clock that is never set. */
  private bootedAtMs: number
  private boots = 1
  private nextPid = firstPid
  /** The largest pid: after it, numbers are given out anew. */
  pidMax = pidMax
  /** When the last process of each pid began: a number is never used twice within one tick. */
  private readonly lastStarts = new Map<number, number>()
  /** By time, then by the order in which they were added. */
  private readonly due: Array<DueEvent> = []

  constructor(nowMs: number) {
    this.nowMs = nowMs
    this.bootedAtMs = nowMs - 1_000_000
  }

  monoMs(): number {
    return this.nowMs - this.setAheadMs - this.bootedAtMs
  }

  /** The time that processes have lived through. */
  livedMs(): number {
    return this.nowMs - this.setAheadMs - this.pausedMs
  }

  /** The wall clock is about to be set by so much; no other time passes. */
  setWall(byMs: number): void {
    this.setAheadMs += byMs
  }

  /** The machine is about to be paused for so long: its clocks go on, its processes do not. */
  pause(forMs: number): void {
    this.pausedMs += forMs
  }

  /** The processes live through so much within the present moment: what happens between two steps of somebody else. */
  liveOn(forMs: number): void {
    this.pausedMs -= forMs
    this.settle(this.nowMs)
  }

  /** Lets everything happen that is due by now. */
  settle(nowMs: number): void {
    const lived = nowMs - this.setAheadMs - this.pausedMs
    for (let next = this.due[0]; next !== undefined && next.at <= lived; next = this.due[0]) {
      this.due.shift()
      this.nowMs = Math.max(next.at, this.livedMs()) + this.setAheadMs + this.pausedMs
      next.happen()
    }
    this.nowMs = nowMs
  }

  /** Lets something happen after a while. */
  after(delayMs: number, happen: () => void): void {
    const at = this.livedMs() + delayMs
    let index = this.due.length
    while (index > 0 && (this.due[index - 1]?.at ?? 0) > at) index -= 1
    this.due.splice(index, 0, { at, happen })
  }

  spawn(process: NewProcess): SimulatedProcess {
    const pid = process.pid ?? this.freePid()
    const pidStart = Math.max(Math.floor(this.monoMs() / 10), (this.lastStarts.get(pid) ?? 0) + 1)
    this.lastStarts.set(pid, pidStart)
    const made: SimulatedProcess = {
      pid,
      place: this.processes.get(process.parent)?.place ?? this.here,
      pidStart,
      parent: process.parent,
      group: process.group ?? pid,
      session: process.session ?? pid,
      state: "S",
      token: process.token,
      cgroup: process.cgroup ?? null,
      statedTask: process.statedTask ?? null,
      attempt: process.attempt ?? null,
      reaps: true,
      onSignal: process.onSignal
    }
    this.processes.set(pid, made)
    return made
  }

  /** The next number that no process has, and no group or session still bears. */
  private freePid(): number {
    for (;;) {
      const pid = this.nextPid
      this.nextPid = pid >= this.pidMax ? firstPid : pid + 1
      if (this.isFree(pid)) return pid
    }
  }

  /** Whether the system may give this number to a new process. */
  isFree(pid: number): boolean {
    if (this.processes.has(pid)) return false
    for (const { group, session } of this.processes.values()) if (group === pid || session === pid) return false
    return true
  }

  /** A process looks after its children again: those that ended are gone. */
  reap(process: SimulatedProcess): void {
    process.reaps = true
    for (const child of this.processes.values()) {
      if (child.parent === process.pid && child.state === "Z") this.processes.delete(child.pid)
    }
  }

  /** Whether a scheduler of today can see it: what lives on another host or in another pid namespace it can't. */
  isHere({ place }: SimulatedProcess): boolean {
    return place.host === this.here.host && place.pidNs === this.here.pidNs
  }

  lives(process: SimulatedProcess): boolean {
    return this.processes.get(process.pid) === process && process.state !== "Z"
  }

  /** A process ends: its children become pid 1's, its entry stays as a zombie where its parent does not reap. */
  end(process: SimulatedProcess): void {
    if (this.processes.get(process.pid) !== process) return
    for (const child of this.processes.values()) {
      if (child.parent !== process.pid) continue
      child.parent = 1
      if (child.state === "Z") this.processes.delete(child.pid)
    }
    if (this.processes.get(process.parent)?.reaps === false) process.state = "Z"
    else this.processes.delete(process.pid)
  }

  signal(target: { readonly pid: number; readonly pidStart: number }, signal: Signal): "sent" | "gone" {
    const process = this.processes.get(target.pid)
    if (process === undefined || !this.isHere(process) || process.pidStart !== target.pidStart) return "gone"
    this.signals.push({ pid: target.pid, signal, attempt: process.attempt })
    if (process.state !== "Z") process.onSignal(signal)
    return "sent"
  }

  /** Who lives in a cgroup. */
  cgroupMembers(directory: string): ReadonlyArray<number> {
    return [...this.processes.values()].flatMap(({ cgroup, pid, state }) =>
      cgroup === directory && state !== "Z" ? [pid] : []
    )
  }

  /** Everything that lives in a cgroup is killed at once. */
  killCgroup(directory: string): boolean {
    if (!this.cgroups.has(directory)) return false
    for (const { cgroup, pid, pidStart } of this.processes.values()) {
      if (cgroup === directory) this.signal({ pid, pidStart }, "SIGKILL")
    }
    return true
  }

  /** A cgroup is removed, unless something lives in it. */
  removeCgroup(directory: string): void {
    if (this.cgroupMembers(directory).length === 0) this.cgroups.delete(directory)
  }

  /** Somebody kills a process from outside. */
  kill(process: SimulatedProcess): void {
    if (this.lives(process)) process.onSignal("SIGKILL")
  }

  /** Schedulers run elsewhere from now on, beside the same files; what lives goes on where it is. */
  moveTo(place: Pick<HostIdentity, "host" | "pidNs">): void {
    this.here = { ...this.here, ...place }
  }

  /** Power off and on: no process survives, pids begin anew, and so does the monotonic clock. */
  reboot(): void {
    this.processes.clear()
    this.cgroups.clear()
    this.lastStarts.clear()
    this.boots += 1
    this.here = { ...this.here, bootId: `boot-${this.boots}` }
    this.bootedAtMs = this.nowMs - this.setAheadMs - 10_000
    this.nextPid = firstPid
  }
}
