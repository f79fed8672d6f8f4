/**
 * Supervisors and agents in memory, following the protocol (sections 2 and 4): claim by link, look at the lease, start
 * the agent, write, beat, write the ending; a claim that is gone or a lease of another ends the attempt from inside.
 */
import { ownerOf } from "../domain/attemptCgroup.ts"
import type { Epoch, TaskId } from "../domain/identifiers.ts"
import type { AgentExit, StartingLease } from "../domain/Lease.ts"
import { timestampOf } from "../domain/time.ts"
import type { Signal } from "../ports/ProcessTable.ts"
import type { AgentScript, Leftover } from "./scripts.ts"
import type { SimulatedFiles } from "./SimulatedFiles.ts"
import type { SimulatedMachine, SimulatedProcess } from "./SimulatedMachine.ts"
import type { SimulatedTinytask } from "./SimulatedTinytask.ts"
import { claimOf, leaseOf } from "./supervised.ts"
import type { Supervised, SimulatedRun } from "./supervised.ts"

type Ended = Pick<AgentExit, "code" | "signal" | "error" | "asked" | "stream">

/** How often a supervisor beats whose lease does not say it. */
const heartbeatDefaultSec = 15
const retryMs = 1000
const stopGraceMs = 10_000

const heartbeatMsOf = ({ heartbeatSec = heartbeatDefaultSec }: StartingLease): number => heartbeatSec * 1000

/** All supervisors, what their agents did, and what must never happen. */
export class Supervision {
  /** Every run of an agent that ever began. */
  readonly runs: Array<SimulatedRun> = []
  /** Each time an attempt began while an earlier one of its task still lived: must stay empty. */
  readonly overlaps: Array<{ readonly taskId: TaskId; readonly epoch: Epoch; readonly other: SimulatedProcess }> = []
  /** Each launch whose lease did not stand yet: must stay empty. */
  readonly unannounced: Array<{ readonly taskId: TaskId; readonly epoch: Epoch }> = []
  /** Those whose supervisor has not left. */
  readonly live = new Set<Supervised>()
  private readonly machine: SimulatedMachine
  private readonly files: SimulatedFiles
  private readonly tinytask: SimulatedTinytask

  constructor(machine: SimulatedMachine, files: SimulatedFiles, tinytask: SimulatedTinytask) {
    this.machine = machine
    this.files = files
    this.tinytask = tinytask
  }

  /** Starts the supervisor of a lease; it claims when its script says so. */
  launch(lease: StartingLease, script: AgentScript): void {
    const { epoch, taskId, token } = lease
    if (this.files.leaseToken(taskId) !== token) this.unannounced.push({ taskId, epoch })
    const process = this.machine.spawn({
      parent: 1,
      token: lease.token,
      attempt: { taskId: lease.taskId, epoch: lease.epoch, role: "supervisor" },
      onSignal: (signal) => {
        this.signalled(supervised, signal)
      }
    })
    const supervised: Supervised = {
      process,
      lease,
      script,
      place: this.machine.here,
      agent: null,
      run: null,
      hung: null,
      overdue: [],
      asked: false,
      fenced: false,
      beatMs: null,
      agentSinceMs: null
    }
    this.live.add(supervised)
    if (script.claimAfterMs !== null) this.step(supervised, script.claimAfterMs, () => this.claim(supervised))
  }

  /** The supervisor of a task's latest launch that still lives. */
  of(taskId: TaskId): Supervised | undefined {
    return [...this.live].findLast(({ lease, process }) => lease.taskId === taskId && this.machine.lives(process))
  }

  /** It stops doing anything: its loop spins, or somebody stopped it. */
  hang(supervised: Supervised, how: "spins" | "stopped" = "spins"): void {
    supervised.hung = how
    supervised.process.reaps = false
  }

  /** It goes on where it was, and knows nothing of what happened meanwhile. */
  wake(supervised: Supervised): void {
    if (supervised.hung === null || !this.machine.lives(supervised.process)) return
    supervised.hung = null
    this.machine.reap(supervised.process)
    for (const act of supervised.overdue.splice(0)) this.step(supervised, 0, act)
  }

  /** Beats of those that are due. */
  settle(): void {
    const lived = this.machine.livedMs()
    for (const supervised of this.live) {
      const { agent, beatMs, hung, lease, process } = supervised
      const heartbeatMs = heartbeatMsOf(lease)
      if (!this.machine.lives(process)) this.live.delete(supervised)
      else if (hung === null && agent !== null && beatMs !== null && lived - beatMs >= heartbeatMs) {
        if (this.machine.lives(agent)) this.beat(supervised, (lived - beatMs) % heartbeatMs)
      }
    }
  }

  private step(supervised: Supervised, delayMs: number, act: () => void): void {
    const due = () => {
      if (!this.machine.lives(supervised.process)) return
      if (supervised.hung === null) act()
      else supervised.overdue.push(act)
    }
    if (delayMs === 0) due()
    else this.machine.after(delayMs, due)
  }

  private leave(supervised: Supervised): void {
    this.machine.end(supervised.process)
    this.live.delete(supervised)
  }

  /** Section 2.1: win the epoch, … */
  private claim(supervised: Supervised): void {
    const { lease, script } = supervised
    if (this.files.unwritable !== null || this.files.claims.get(lease.taskId, lease.epoch) !== undefined) {
      this.leave(supervised)
      return
    }
    this.files.claims.set(lease.taskId, lease.epoch, claimOf(supervised))
    this.step(supervised, script.lookAfterMs, () => {
      this.look(supervised)
    })
  }

  /** … then read the lease, then go on. */
  private look(supervised: Supervised): void {
    const { lease, script } = supervised
    const stored = this.files.leases.get(lease.taskId)
    if (stored?._tag !== "Read" || stored.lease.phase !== "starting" || stored.lease.token !== lease.token) {
      this.leave(supervised)
    } else if (script.startError !== null) {
      this.finish(supervised, { code: null, signal: null, error: script.startError })
    } else this.start(supervised)
  }

  private start(supervised: Supervised): void {
    const { lease, process, script } = supervised
    const { epoch, taskId } = lease
    for (const other of this.machine.processes.values()) {
      const isRival =
        other.attempt?.taskId === taskId && other.attempt.epoch !== epoch && other.attempt.role !== "supervisor"
      if (isRival && other.state !== "Z") this.overlaps.push({ taskId, epoch, other })
    }
    if (lease.cgroup !== undefined) this.machine.cgroups.add(lease.cgroup)
    const agent = this.machine.spawn({
      parent: process.pid,
      token: lease.token,
      cgroup: lease.cgroup ?? null,
      statedTask: { taskId: String(taskId), endpoint: lease.endpoint },
      attempt: { taskId, epoch, role: "agent" },
      onSignal: (signal) => {
        if (signal === "SIGKILL" || script.obeys.includes(signal)) this.agentEnds(supervised, { code: null, signal })
      }
    })
    supervised.agent = agent
    supervised.agentSinceMs = this.machine.livedMs()
    supervised.run = { taskId, agent: lease.agentName, epoch, startMs: this.machine.nowMs, endMs: null }
    this.runs.push(supervised.run)
    this.files.logs.set(taskId, epoch)
    for (const leftover of script.leaves) this.leaveBehind(supervised, agent, leftover)
    this.machine.after(script.runMs, () => {
      if (!this.machine.lives(agent)) return
      script.atEnd(this.tinytask, taskId)
      const exits = () => {
        if (this.machine.lives(agent)) this.agentEnds(supervised, script.exit)
      }
      if (script.lingerMs === 0) exits()
      else this.machine.after(script.lingerMs, exits)
    })
    this.step(supervised, script.writeAfterMs, () => {
      if (this.machine.lives(agent)) this.beat(supervised, 0)
    })
    if (supervised.asked) this.endAgent(supervised)
  }

  private leaveBehind(supervised: Supervised, agent: SimulatedProcess, leftover: Leftover): void {
    const { lease } = supervised
    const process = this.machine.spawn({
      parent: agent.pid,
      token: leftover.carriesToken ? lease.token : null,
      cgroup: agent.cgroup,
      statedTask: leftover.carriesToken ? agent.statedTask : null,
      attempt: { taskId: lease.taskId, epoch: lease.epoch, role: "leftover" },
      ...(leftover.session === "agent" ? { group: agent.group, session: agent.session } : {}),
      onSignal: (signal) => {
        if (signal === "SIGKILL" || leftover.obeys.includes(signal)) this.machine.end(process)
      }
    })
    if (leftover.livesMs !== null) {
      this.machine.after(leftover.livesMs, () => {
        this.machine.end(process)
      })
    }
  }

  private agentEnds(supervised: Supervised, ended: Pick<Ended, "code" | "signal" | "stream">): void {
    const { agent, run, script } = supervised
    if (agent === null || !this.machine.lives(agent)) return
    if (run !== null) run.endMs = this.machine.nowMs
    this.machine.end(agent)
    const asked = supervised.asked ? { asked: "SIGTERM" } : {}
    this.step(supervised, script.finishAfterMs, () => {
      this.finish(supervised, { ...ended, ...asked, error: null })
    })
  }

  /** An ending that stands nowhere would count as a loss: it keeps trying, and leaves only then. */
  private finish(supervised: Supervised, ended: Ended): void {
    const exit = { ...ended, at: timestampOf(this.machine.nowMs), tail: supervised.script.tail }
    const result = supervised.fenced ? "fenced" : this.write(supervised, exit, 0)
    if (result === "failed") {
      this.step(supervised, retryMs, () => {
        this.finish(supervised, ended)
      })
      return
    }
    if (result === "fenced") this.killCarriers(supervised)
    this.step(supervised, supervised.script.leaveAfterMs, () => {
      this.leave(supervised)
    })
  }

  private beat(supervised: Supervised, ageMs: number): void {
    const result = this.write(supervised, null, ageMs)
    const lived = this.machine.livedMs()
    supervised.beatMs = result === "written" ? lived - ageMs : lived - heartbeatMsOf(supervised.lease) + retryMs
    if (result === "fenced") {
      supervised.fenced = true
      this.endAgent(supervised)
    }
  }

  /** Section 2.2: before every write the claim must be its own, and the lease not another's. */
  private write(supervised: Supervised, exit: AgentExit | null, ageMs: number): "written" | "failed" | "fenced" {
    const { lease } = supervised
    const claim = this.files.claims.get(lease.taskId, lease.epoch)
    const token = this.files.leaseToken(lease.taskId)
    if (claim?.token !== lease.token || claim.kind !== "claim" || (token !== null && token !== lease.token)) {
      return "fenced"
    }
    if (this.files.unwritable !== null) return "failed"
    const written = leaseOf(supervised, exit, {
      nowMs: this.machine.nowMs - ageMs,
      monoMs: this.machine.monoMs() - ageMs,
      livedMs: this.machine.livedMs() - ageMs
    })
    if (written !== null) this.files.leases.set(lease.taskId, { _tag: "Read", lease: written })
    return "written"
  }

  /** Asked to end, or fenced: SIGINT, the grace, SIGKILL. */
  private endAgent(supervised: Supervised): void {
    const { agent } = supervised
    if (agent === null || !this.machine.lives(agent)) return
    agent.onSignal("SIGINT")
    this.step(supervised, stopGraceMs, () => {
      if (this.machine.lives(agent)) agent.onSignal("SIGKILL")
    })
  }

  private killCarriers({ lease, process }: Supervised): void {
    for (const other of this.machine.processes.values()) {
      if (ownerOf(other) === lease.token && other !== process) this.machine.kill(other)
    }
  }

  private signalled(supervised: Supervised, signal: Signal): void {
    if (signal === "SIGKILL") this.leave(supervised)
    else if (signal === "SIGCONT" && supervised.hung === "stopped") this.wake(supervised)
    else if (signal === "SIGTERM" && supervised.hung !== "spins") {
      // One that is stopped gets it when it wakes.
      this.step(supervised, 0, () => {
        supervised.asked = true
        this.endAgent(supervised)
      })
    }
  }
}
