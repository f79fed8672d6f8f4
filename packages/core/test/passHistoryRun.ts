/**
 * Runs a history over the real passes and a simulated machine. What must never happen is looked for after every step,
 * from the truth about processes, not from files; at the end the faults stop, and everything must come to its end.
 */
import * as Cause from "effect/Cause"
import * as Exit from "effect/Exit"
import type { DesiredState } from "../src/domain/DesiredState.ts"
import { QueueName } from "../src/domain/identifiers.ts"
import type { TaskId } from "../src/domain/identifiers.ts"
import type { StartingLease } from "../src/domain/Lease.ts"
import type { Plan } from "../src/domain/Plan.ts"
import { settlingViolations, violationsOf } from "../src/reconcile/invariants.ts"
import { crash, World } from "../src/simulation/api.ts"
import type { AgentScript, FaultHook, SimulatedProcess } from "../src/simulation/api.ts"
import { agent, desiredWith } from "./passHarness.ts"
import { edits, scripts } from "./passHistory.ts"
import type { Edit, History, Mishap, ScriptName, Step } from "./passHistory.ts"
import { SyncScheduler } from "./passSync.ts"

const desiredFor = (slots: number): DesiredState =>
  desiredWith({
    agents: [
      agent("ada", { slots, maxRuntimeSec: 300 }),
      agent("both", {
        slots: Math.min(slots, 1),
        maxRuntimeSec: 300,
        queues: [QueueName.make("dev"), QueueName.make("ops")]
      })
    ],
    maxConcurrent: slots + 1,
    policy: { backoffMaxSec: 120, maxAttempts: 4 }
  })

/** Calls that can't answer with an error: a mishap there can only be the end of the process. */
const infallible = new Set(["ProcessTable.monotonicMs", "ProcessTable.startedAtMs", "ProcessTable.signal"])

/** Once all faults are over, everything must be complete within so many passes, one a minute. */
const healingPassesMax = 120
/** After so many rounds at one moment something goes round in circles. */
const restRoundsMax = 40

export class HistoryRun {
  readonly world = new World(1_772_366_400_000)
  /** What must never happen, and happened. */
  readonly wrongs: Array<string> = []
  passes = 0
  plans = 0
  private slots = 2
  private healed = false
  private scheduler: SyncScheduler
  private sleeper: SyncScheduler | null = null
  private readonly scripts: ReadonlyArray<ScriptName>
  /** Tasks that ever had a subtask: their status follows it. */
  private readonly parents = new Set<TaskId>()
  private readonly raced = new Set<TaskId | null>()
  private readonly lostLeases = new Set<TaskId>()
  /** Tasks that people took away while they may have been running. */
  private readonly taken = new Set<TaskId>()
  /** The tokens of all starts that were written down. */
  private readonly starts = new Set<string>()

  constructor(history: History) {
    this.scripts = history.scripts
    this.world.script = (lease) => this.scriptOf(lease)
    this.scheduler = this.begin()
  }

  static of(history: History): HistoryRun {
    const run = new HistoryRun(history)
    for (const step of history.steps) {
      run.step(step)
      run.lookForWrongs()
      if (run.wrongs.length > 0) return run
    }
    run.heal()
    run.converge()
    run.lookForWrongs()
    return run
  }

  private scriptOf({ epoch, taskId }: StartingLease): AgentScript {
    if (this.healed) return scripts.completes
    return scripts[this.scripts[(taskId * 7 + epoch * 13) % this.scripts.length] ?? "completes"]
  }

  private begin(): SyncScheduler {
    const noteStarts: FaultHook = (call, moment) => {
      if (call === "AttemptHistory.write" && moment === "after") {
        for (const { last } of this.world.files.attempts.values()) if (last !== null) this.starts.add(last.token)
      }
      return null
    }
    return new SyncScheduler(this.world, noteStarts, (observed, made) => {
      this.plans += 1
      for (const { invariant, message } of violationsOf(observed, desiredFor(this.slots), made)) {
        this.wrongs.push(`(${invariant}) ${message}`)
      }
    })
  }

  private restart(): void {
    this.scheduler.end()
    this.world.files.lockHolder = null
    this.scheduler = this.begin()
  }

  /** A pass may fail with an error of a port, or end with its process; any other defect is a bug. */
  private pass(mishaps: ReadonlyArray<Mishap>): void {
    this.passes += 1
    this.scheduler.faults = this.mishapsAt(mishaps)
    const exit = this.scheduler.pass(desiredFor(this.slots))
    this.scheduler.faults = () => null
    if (this.world.files.lockHolder === null) this.restart()
    if (Exit.isSuccess(exit)) {
      this.wrongs.push(...exit.value.errors.filter((error) => error.includes("fault of TinyScheduler")))
      return
    }
    if (Cause.hasInterrupts(exit.cause)) return this.restart()
    const defect = exit.cause.reasons.find(Cause.isDieReason)
    if (defect !== undefined) this.wrongs.push(`a pass died: ${String(defect.defect)}`)
  }

  private mishapsAt(mishaps: ReadonlyArray<Mishap>): FaultHook {
    let calls = 0
    return (name, moment) => {
      if (moment === "before") calls += 1
      const found = mishaps.find((candidate) => candidate.call === calls && candidate.moment === moment)
      switch (found?.kind) {
        case undefined:
          return null
        case "crash":
          return crash
        case "fail":
          return infallible.has(name) ? null : `mishap at call ${calls}`
        case "live":
          this.world.machine.liveOn(30_000)
          return null
        case "kill":
          this.kill(calls)
          return null
        case "edit":
          // Tinytask has no compare-and-set: an edit between our look and our write may be overwritten.
          this.raced.add(this.taskAt(calls) ?? null)
          this.edit(calls, edits[calls % edits.length] ?? "giveBack")
          return null
        case "lockLost":
          this.world.files.lockHolder = null
          return null
      }
    }
  }

  private kill(index: number): void {
    const processes = this.attemptProcesses()
    const process = processes[index % Math.max(1, processes.length)]
    if (process !== undefined) this.world.machine.kill(process)
  }

  private rest(): void {
    const plans: Array<Plan> = []
    for (let round = 0; round < restRoundsMax; round += 1) {
      const exit = this.scheduler.round(desiredFor(this.slots))
      if (Exit.isFailure(exit)) return
      plans.push(exit.value)
      if (exit.value.actions.length === 0) break
    }
    this.passes += plans.length
    const isFaultFree = this.world.tinytask.down === null && this.world.files.unwritable === null
    if (isFaultFree) for (const { message } of settlingViolations(plans)) this.wrongs.push(`(e) ${message}`)
  }

  private taskAt(index: number): TaskId | undefined {
    const ids = [...this.world.tinytask.tasks.keys()]
    return ids[index % Math.max(1, ids.length)]
  }

  private attemptProcesses(): ReadonlyArray<SimulatedProcess> {
    return [...this.world.machine.processes.values()].filter(({ attempt, state }) => attempt !== null && state !== "Z")
  }

  private later(seconds: number): void {
    this.world.settle(this.world.machine.nowMs + seconds * 1000)
  }

  private step(step: Step): void {
    const { files, machine, supervision, tinytask } = this.world
    switch (step._tag) {
      case "Pass":
        return this.pass(step.mishaps)
      case "Rest":
        return this.rest()
      case "Wait":
        return this.later(step.seconds)
      case "AddTask": {
        const other = this.taskAt(step.queue === "dev" ? 0 : 1)
        const isOpenOther = other !== undefined && tinytask.read(other)?.status !== "complete"
        this.world.addTask({
          queue: step.queue,
          ...(step.as === "blocked" && other !== undefined ? { blockedBy: other } : {}),
          ...(step.as === "subtask" && isOpenOther ? { parent: other } : {}),
          ...(step.as === "assigned" ? { assignee: "both" } : {})
        })
        return
      }
      case "Edit":
        return this.edit(step.task, step.edit)
      case "Kill":
        return this.kill(step.process)
      case "KillAll":
        for (const process of this.attemptProcesses()) machine.kill(process)
        return
      case "Hang": {
        const live = [...supervision.live]
        const supervised = live[step.supervisor % Math.max(1, live.length)]
        if (supervised !== undefined) supervision.hang(supervised)
        return
      }
      case "Reboot":
        this.sleeper = null
        machine.reboot()
        return this.restart()
      case "Restart":
        return this.restart()
      case "Rival":
        this.sleeper = this.scheduler
        files.lockHolder = null
        this.scheduler = this.begin()
        return
      case "SleeperPass":
        return this.sleeperPass()
      case "Tinytask":
        tinytask.down = step.down ? "connection refused" : null
        return
      case "Disk":
        files.unwritable = step.full ? "no space left" : null
        return
      case "LoseLease": {
        const id = this.taskAt(step.task)
        if (id === undefined || files.leases.get(id)?._tag !== "Read") return
        this.lostLeases.add(id)
        if (step.torn) files.tearLease(id, null)
        else files.leases.delete(id)
        return
      }
      case "SetWall":
        machine.setWall(step.seconds * 1000)
        return this.later(step.seconds)
      case "PauseMachine":
        machine.pause(step.seconds * 1000)
        return this.later(step.seconds)
      case "Limit":
        this.slots = step.slots
        return
      case "PauseAgent":
        files.agents = files.agents.map((record) => ({ ...record, pausedBy: step.paused ? "a person" : null }))
        return
      case "ReusePid":
        for (const stored of files.leases.values()) {
          if (stored._tag !== "Read" || stored.lease.phase === "starting") continue
          for (const pid of [stored.lease.pid, stored.lease.agent?.pid ?? stored.lease.pid]) {
            // The system reuses no number that a group or session still bears.
            const isFree = [...machine.processes.values()].every(
              (other) => other.pid !== pid && other.group !== pid && other.session !== pid
            )
            if (isFree) machine.spawn({ pid, parent: 1, token: null, onSignal: () => undefined })
          }
        }
    }
  }

  /** What people do; they leave alone what is complete. */
  private edit(index: number, edit: Edit): void {
    const { tinytask } = this.world
    const id = this.taskAt(index)
    if (id === undefined || tinytask.read(id)?.status === "complete") return
    for (const { task } of tinytask.tasks.values()) if (task.parent !== null) this.parents.add(task.parent)
    switch (edit) {
      case "complete":
        return tinytask.change(id, { status: "complete" })
      case "archive":
        return tinytask.change(id, { archived: true })
      case "delete":
        return tinytask.remove(id)
      case "reassign":
        this.taken.add(id)
        return tinytask.change(id, { assignee: "a person" })
      case "giveBack":
        return tinytask.change(id, { status: "idle", assignee: null })
      case "block": {
        const [first] = tinytask.tasks.keys()
        // What is blocked by its own ancestor waits for ever: nobody means that.
        const mayWait = first !== undefined && first < id && !this.descendsFrom(id, first)
        return mayWait ? tinytask.change(id, { blockedBy: first }) : undefined
      }
      case "move":
        this.taken.add(id)
        return tinytask.change(id, { queue: "ops" })
      case "prioritise":
        return tinytask.change(id, { priority: 9 })
    }
  }

  private descendsFrom(id: TaskId, ancestor: TaskId): boolean {
    const parent = this.world.tinytask.read(id)?.parent ?? null
    return parent !== null && (parent === ancestor || this.descendsFrom(parent, ancestor))
  }

  /** A scheduler that lost its lock without knowing writes nothing, to files or to Tinytask. */
  private sleeperPass(): void {
    if (this.sleeper === null) return
    const before = this.written()
    this.sleeper.pass(desiredFor(this.slots))
    if (this.written() !== before) this.wrongs.push("a scheduler without the lock wrote something")
  }

  /** What schedulers write; a supervisor may well write that its agent was signalled. */
  private written(): string {
    const { files, tinytask } = this.world
    return JSON.stringify([
      files.taskIds().map((id) => [id, files.leaseToken(id), files.claims.of(id), files.stops.of(id)]),
      [...files.attempts],
      files.history.length,
      files.agents,
      [...tinytask.tasks]
    ])
  }

  private lookForWrongs(): void {
    const { files, machine, supervision, tinytask } = this.world
    for (const { epoch, other, taskId } of supervision.overlaps) {
      if (this.isTraceable(other)) {
        this.wrongs.push(`epoch ${epoch} of task ${taskId} began while ${other.pid} of ${other.attempt?.epoch} lived`)
      }
    }
    for (const signal of machine.signals) {
      if (signal.attempt === null) this.wrongs.push(`${signal.signal} to ${signal.pid}, which is no attempt's`)
    }
    for (const [id, { comments, task }] of tinytask.tasks) {
      if (task.parent !== null) this.parents.add(task.parent)
      const marks = comments.map((comment) => comment.slice(0, 60))
      if (new Set(marks).size < marks.length) this.wrongs.push(`task ${id} was told of one ending twice`)
    }
    for (const process of machine.processes.values()) {
      const { attempt, pid, state } = process
      if (attempt === null || attempt.role === "supervisor" || state === "Z" || !this.isTraceable(process)) continue
      const stored = files.task(attempt.taskId)
      const attempts = files.attempts.get(attempt.taskId)
      const isHeld =
        stored.lease._tag !== "Missing" ||
        stored.claims.some(({ epoch }) => epoch === attempt.epoch) ||
        (attempts?.last?.epoch === attempt.epoch && attempts.outcomes.every(({ epoch }) => epoch !== attempt.epoch))
      if (!isHeld) this.wrongs.push(`${attempt.role} ${pid} of task ${attempt.taskId} lives, and its slot is free`)
    }
  }

  /** What bears no token is found by the group and session that its lease names; where that was lost, by nothing. */
  private isTraceable({ attempt, token }: SimulatedProcess): boolean {
    return token !== null || (attempt !== null && !this.lostLeases.has(attempt.taskId))
  }

  /** All faults are over, people mend what is theirs to mend, and what was parked is released. */
  private heal(): void {
    const { files, machine, supervision, tinytask } = this.world
    this.healed = true
    tinytask.down = null
    files.unwritable = null
    this.slots = 2
    files.agents = files.agents.map((record) => ({ ...record, pausedBy: null }))
    this.restart()
    // Where the lease is lost too, a hung supervisor is only held and told of, by protocol 2.3: somebody kills it.
    for (const { hung, lease, process } of supervision.live) {
      if (hung && files.leaseToken(lease.taskId) !== lease.token) machine.kill(process)
    }
    for (const [id, { task }] of tinytask.tasks) {
      if (task.archived) tinytask.remove(id)
      else if (task.status !== "complete" && (!this.isOurs(id) || task.assignee === "a person")) {
        tinytask.change(id, { assignee: null, status: "idle" })
      }
    }
    // What `repair` does: a lease of which nothing can be said is put aside.
    for (const [id, { _tag }] of files.leases) {
      if (_tag === "Unreadable" && files.claims.of(id).length === 0) files.leases.delete(id)
    }
  }

  /** Whether files say that an attempt at this task is under way. */
  private isOurs(id: TaskId): boolean {
    const { files } = this.world
    const attempts = files.attempts.get(id)
    const isOpen = attempts?.outcomes.every(({ epoch }) => epoch !== attempts.last?.epoch) === true
    return files.leases.has(id) || files.claims.of(id).length > 0 || isOpen
  }

  private release(): void {
    const { files, tinytask } = this.world
    for (const [id, attempts] of files.attempts) {
      if (attempts.parked !== null) {
        files.attempts.set(id, { ...attempts, parked: null, notBefore: null, counts: { failures: 0, losses: 0 } })
      }
    }
    for (const [id, { task }] of tinytask.tasks) {
      const isParent = [...tinytask.tasks.values()].some((other) => other.task.parent === id)
      if (this.isOurs(id) || isParent || task.status === "complete") continue
      // Who took a task away gives it back; what else is left working was forgotten by us.
      if (this.taken.has(id) || this.raced.has(id)) tinytask.change(id, { assignee: null, status: "idle" })
      else if (task.status === "working") this.wrongs.push(`task ${id} was left working, and nobody works on it`)
    }
  }

  private converge(): void {
    const { files, tinytask } = this.world
    const isDone = () =>
      [...tinytask.tasks.values()].every(({ task }) => task.status === "complete") &&
      [...files.taskIds(), ...files.attempts.keys()].every((id) => !this.isOurs(id))
    for (let made = 0; made < healingPassesMax && !isDone() && this.wrongs.length === 0; made += 1) {
      this.pass([])
      this.release()
      this.later(60)
      this.lookForWrongs()
    }
    if (this.wrongs.length > 0) return
    if (!isDone()) this.wrongs.push(`not at rest: ${this.written()}`)
    for (const [id, { transitions }] of tinytask.tasks) {
      const completions = transitions.filter((status) => status === "complete").length
      if (!this.parents.has(id) && !this.raced.has(id) && completions !== 1)
        this.wrongs.push(`task ${id} was completed ${completions} times`)
    }
    const ended = new Set<string>(files.history.map(({ token }) => token))
    const lost = [...this.starts].filter((token) => !ended.has(token))
    if (lost.length > 0) this.wrongs.push(`${lost.length} starts have no ending: ${lost.join()}`)
    if (ended.size > this.starts.size) this.wrongs.push(`${ended.size} endings of ${this.starts.size} starts`)
  }
}
