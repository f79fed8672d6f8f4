/**
 * Runs a history over the real passes and a simulated machine. What must never happen is looked for after every step; at
 * the end the faults stop, and everything must come to its end.
 */
import * as Cause from "effect/Cause"
import * as Exit from "effect/Exit"
import type { DesiredState } from "../src/domain/DesiredState.ts"
import type { TaskId } from "../src/domain/identifiers.ts"
import type { StartingLease } from "../src/domain/Lease.ts"
import type { Plan } from "../src/domain/Plan.ts"
import type { StoredLease } from "../src/ports/LeaseStore.ts"
import { settlingViolations, violationsOf } from "../src/reconcile/invariants.ts"
import { noFaults, World } from "../src/simulation/api.ts"
import type { AgentScript, SimulatedProcess } from "../src/simulation/api.ts"
import { edits } from "./passHistory.ts"
import type { History, Mishap, Step } from "./passHistory.ts"
import { accounts, heal, healingPassesMax, isAtRest, release } from "./passHistoryEnd.ts"
import { faultsOf } from "./passHistoryFaults.ts"
import type { Disturbance } from "./passHistoryFaults.ts"
import { standLegacyLease } from "./passHistoryLegacy.ts"
import { idleTasks } from "./passHistoryMovers.ts"
import { People } from "./passHistoryPeople.ts"
import { scripts } from "./passHistoryScripts.ts"
import type { ScriptName } from "./passHistoryScripts.ts"
import { changes, desiredBy, settingsAtFirst } from "./passHistorySettings.ts"
import type { Settings } from "./passHistorySettings.ts"
import { actionLine, describeStep, faultOf, stateLines } from "./passHistoryStory.ts"
import { wrongsNow } from "./passHistoryWrongs.ts"
import { SyncScheduler } from "./passSync.ts"
import { describeVerdict } from "../src/reconcile/describe.ts"

/** After so many rounds at one moment something goes round in circles. */
const restRoundsMax = 40
/** Few enough numbers that processes of attempts come by each other's. */
const pidMax = 160
/** How many contents of each lease are kept, for one to come back. */
const leasesKept = 8

export class HistoryRun {
  readonly world = new World(1_772_366_400_000)
  readonly people = new People(this.world)
  /** What must never happen, and happened. */
  readonly wrongs: Array<string> = []
  /** How often each kind of fault struck. */
  readonly faults = new Map<string, number>()
  /** The names of the calls of each Pass step, in order. */
  readonly callsOfPasses: Array<Array<string>> = []
  /** The tokens of all starts that were written down. */
  readonly starts = new Set<string>()
  passes = 0
  wasOvertaken = false
  private settings: Settings = settingsAtFirst
  private desired: DesiredState = desiredBy(settingsAtFirst)
  private healed = false
  /** Nothing happens within the pass that is being made. */
  private undisturbed = true
  private calls: Array<string> = []
  private scheduler: SyncScheduler
  private sleeper: SyncScheduler | null = null
  private readonly scripts: ReadonlyArray<ScriptName>
  private readonly leaseContents = new Map<TaskId, Array<StoredLease>>()
  private tell: ((line: string) => void) | null

  constructor(history: History, tell: ((line: string) => void) | null = null) {
    this.tell = tell
    this.scripts = history.scripts
    this.world.machine.pidMax = pidMax
    this.world.script = (lease) => this.scriptOf(lease)
    this.scheduler = this.begin()
  }

  /** Runs a history to its end; told of each step if somebody listens. */
  static of(history: History, tell: ((line: string) => void) | null = null): HistoryRun {
    const run = new HistoryRun(history, tell)
    for (const [index, step] of history.steps.entries()) {
      tell?.(`${index + 1}. ${describeStep(step)}`)
      run.count(faultOf(step))
      run.step(step)
      run.keepLeases()
      run.lookForWrongs()
      if (tell !== null) for (const line of stateLines(run.world)) tell(`     ${line}`)
      if (run.wrongs.length > 0) return run
    }
    tell?.("All faults are over.")
    run.heal()
    run.converge()
    return run
  }

  private count(fault: string | null): void {
    if (fault !== null) this.faults.set(fault, (this.faults.get(fault) ?? 0) + 1)
  }

  private scriptOf({ epoch, taskId }: StartingLease): AgentScript {
    if (this.healed) return scripts.completes
    return scripts[this.scripts[(taskId * 7 + epoch * 13) % this.scripts.length] ?? "completes"]
  }

  private begin(): SyncScheduler {
    const { files } = this.world
    files.lockHolder = null
    return new SyncScheduler(this.world, {
      onCall: (call, moment) => {
        if (moment === "before") this.calls.push(call)
        else if (call === "AttemptHistory.write") {
          for (const { last } of files.attempts.values()) if (last !== null) this.starts.add(last.token)
        }
      },
      onPlan: (observed, plan) => {
        if (this.tell !== null) for (const verdict of plan.verdicts) this.tell(`     ${describeVerdict(verdict)}`)
        for (const { invariant, message } of violationsOf(observed, this.desired, plan)) {
          this.wrongs.push(`[invariant ${invariant}] ${message}`)
        }
        if (this.undisturbed) this.wrongs.push(...idleTasks({ world: this.world, desired: this.desired, plan }))
      },
      onResults: (results) => {
        if (this.tell !== null) for (const result of results) this.tell(`       ${actionLine(result)}`)
      }
    })
  }

  private restart(): void {
    this.scheduler.end()
    this.scheduler = this.begin()
  }

  /** A pass may fail with an error of a port, or end with its process; any other defect is a bug. */
  private pass(mishaps: ReadonlyArray<Mishap>): void {
    const { scheduler } = this
    this.passes += 1
    this.calls = []
    this.undisturbed = mishaps.length === 0
    scheduler.faults = this.undisturbed
      ? noFaults
      : faultsOf(mishaps, {
          onMishap: ({ call }, name, what) => {
            this.count(what)
            this.tell?.(`       call ${call}, ${name}: ${what}`)
          },
          disturb: (kind, call) => {
            this.disturb(kind, call)
          }
        })
    const exit = scheduler.pass(this.desired)
    scheduler.faults = noFaults
    this.undisturbed = true
    this.callsOfPasses.push(this.calls)
    if (this.world.files.lockHolder === null) this.restart()
    if (Exit.isSuccess(exit)) {
      this.wrongs.push(...exit.value.errors.filter((error) => error.includes("fault of TinyScheduler")))
    } else if (Cause.hasInterrupts(exit.cause)) {
      if (scheduler === this.scheduler) this.restart()
      else this.sleeper = null
    } else {
      const defect = exit.cause.reasons.find(Cause.isDieReason)
      if (defect !== undefined) this.wrongs.push(`[no defects] a pass died: ${String(defect.defect)}`)
      else this.tell?.(`       the pass failed: ${Cause.pretty(exit.cause).split("\n")[0] ?? ""}`)
    }
  }

  private disturb(kind: Disturbance, call: number): void {
    const { files, machine, tinytask } = this.world
    switch (kind) {
      case "live":
        return machine.liveOn(30_000)
      case "kill":
        return this.kill(call)
      case "edit":
        return this.people.race(call, edits[call % edits.length] ?? "giveBack")
      case "lockLost":
        files.lockHolder = null
        return
      case "clock":
        return this.setWall(call % 2 === 0 ? 3600 : -3600)
      case "overtake": {
        // The lock's file was replaced under a scheduler within its pass; what it has begun to tell Tinytask it still tells.
        this.wasOvertaken = true
        for (const id of tinytask.tasks.keys()) this.people.raced.add(id)
        this.sleeper = this.scheduler
        this.scheduler = this.begin()
        this.passes += 1
        const { calls } = this
        this.scheduler.pass(this.desired)
        this.calls = calls
      }
    }
  }

  private setWall(seconds: number): void {
    this.world.machine.setWall(seconds * 1000)
    this.later(seconds)
  }

  private kill(index: number): void {
    const processes = this.attemptProcesses()
    const process = processes[index % Math.max(1, processes.length)]
    if (process !== undefined) this.world.machine.kill(process)
  }

  private attemptProcesses(): ReadonlyArray<SimulatedProcess> {
    return [...this.world.machine.processes.values()].filter(({ attempt, state }) => attempt !== null && state !== "Z")
  }

  private rest(): void {
    const plans: Array<Plan> = []
    for (let round = 0; round < restRoundsMax; round += 1) {
      const exit = this.scheduler.round(this.desired)
      if (Exit.isFailure(exit)) return
      plans.push(exit.value)
      if (exit.value.actions.length === 0) break
    }
    this.passes += plans.length
    const { files, tinytask } = this.world
    const isFaultFree = tinytask.down === null && files.unwritable === null && this.scheduler.term !== null
    if (isFaultFree) for (const { message } of settlingViolations(plans)) this.wrongs.push(`[invariant e] ${message}`)
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
      case "AddTask":
        return this.addTask(step)
      case "Edit":
        return this.people.edit(step.task, step.edit)
      case "Kill":
        return this.kill(step.process)
      case "KillAll":
        for (const process of this.attemptProcesses()) machine.kill(process)
        return
      case "Hang":
      case "Wake": {
        const live = [...supervision.live].filter(({ hung }) => (hung === null) === (step._tag === "Hang"))
        const supervised = live[step.supervisor % Math.max(1, live.length)]
        if (supervised === undefined) return
        return step._tag === "Hang" ? supervision.hang(supervised, step.how) : supervision.wake(supervised)
      }
      case "Reboot":
        this.sleeper = null
        machine.reboot()
        return this.restart()
      case "Restart":
        return this.restart()
      case "Rival":
        this.sleeper = this.scheduler
        this.scheduler = this.begin()
        return
      case "SleeperPass":
        return this.sleeperPass()
      case "Tinytask":
        tinytask.down = step.down ? "connection refused" : null
        return
      case "TinytaskAnew":
        tinytask.beginAnew()
        this.addTask({ queue: "dev", as: "plain" })
        return this.addTask({ queue: "ops", as: "assigned" })
      case "Disk":
        files.unwritable = step.full ? "ENOSPC: no space left on device" : null
        files.termProblem = files.unwritable
        return
      case "Lease":
        return this.breakLease(step)
      case "AttemptsFile": {
        const id = this.people.taskAt(step.task)
        if (id === undefined || !files.attempts.has(id)) return
        if (step.readable) files.attemptsProblems.delete(id)
        else files.attemptsProblems.set(id, "it is torn")
        return
      }
      case "LegacyLease": {
        const id = this.people.taskAt(step.task)
        if (id !== undefined) this.starts.add(standLegacyLease(this.world, id, step.seconds * 1000))
        return
      }
      case "SetWall":
        return this.setWall(step.seconds)
      case "PauseMachine":
        machine.pause(step.seconds * 1000)
        return this.later(step.seconds)
      case "Configure":
        this.configure({ ...this.settings, ...changes[step.change] })
        return
      case "PauseAgent":
        files.agents = files.agents.map((record) => ({ ...record, pausedBy: step.paused ? "a person" : null }))
        return
      case "ReusePid":
        for (const stored of files.leases.values()) {
          if (stored._tag !== "Read" || stored.lease.phase === "starting") continue
          for (const pid of [stored.lease.pid, stored.lease.agent?.pid ?? stored.lease.pid]) {
            if (machine.isFree(pid)) machine.spawn({ pid, parent: 1, token: null, onSignal: () => undefined })
          }
        }
    }
  }

  private addTask({ as, queue }: Pick<Extract<Step, { readonly _tag: "AddTask" }>, "as" | "queue">): void {
    const { tinytask } = this.world
    const other = this.people.taskAt(queue === "dev" ? 0 : 1)
    const isOpenOther = other !== undefined && tinytask.read(other)?.status !== "complete"
    this.world.addTask({
      queue,
      ...(as === "blocked" && other !== undefined ? { blockedBy: other } : {}),
      ...(as === "subtask" && isOpenOther ? { parent: other } : {}),
      ...(as === "assigned" ? { assignee: "both" } : {})
    })
  }

  private configure(settings: Settings): void {
    this.settings = settings
    this.desired = desiredBy(settings)
  }

  private breakLease({ fault, nth, task }: Extract<Step, { readonly _tag: "Lease" }>): void {
    const { files } = this.world
    const id = this.people.taskAt(task)
    if (id === undefined) return
    if (fault === "back") {
      const contents = this.leaseContents.get(id) ?? []
      const content = contents.at(-1 - (nth % Math.max(1, contents.length)))
      if (content === undefined || content === files.leases.get(id)) return
      files.leases.set(id, content)
    } else {
      if (files.leases.get(id)?._tag !== "Read") return
      if (fault === "torn") files.tearLease(id, null)
      else files.leases.delete(id)
    }
    this.people.lostLeases.add(id)
  }

  /** Keeps what leases said, for a content of them to come back. */
  private keepLeases(): void {
    for (const [id, stored] of this.world.files.leases) {
      if (stored._tag !== "Read") continue
      const contents = this.leaseContents.get(id) ?? []
      if (contents.at(-1) !== stored) this.leaseContents.set(id, [...contents, stored].slice(-leasesKept))
    }
  }

  /** A scheduler that lost its lock without knowing writes nothing, to files or to Tinytask. */
  private sleeperPass(): void {
    if (this.sleeper === null) return
    const before = this.written()
    this.sleeper.pass(this.desired)
    if (this.written() !== before) this.wrongs.push("[one scheduler writes] one without the lock wrote something")
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
    this.people.noteParents()
    this.wrongs.push(...wrongsNow(this))
  }

  private heal(): void {
    this.healed = true
    heal(this.world)
    this.configure(settingsAtFirst)
    this.restart()
  }

  /** What is told while something is done. */
  private listenTo(act: () => void): ReadonlyArray<string> {
    const { tell } = this
    if (tell === null) {
      act()
      return []
    }
    const lines: Array<string> = []
    this.tell = (line) => lines.push(line)
    act()
    this.tell = tell
    return lines
  }

  private converge(): void {
    let told = ""
    for (let made = 0; made < healingPassesMax && !isAtRest(this.world) && this.wrongs.length === 0; made += 1) {
      const lines = this.listenTo(() => {
        this.pass([])
      })
      // What stays as it was is told once.
      if (lines.join() !== told) for (const line of [`Pass ${made + 1}`, ...lines]) this.tell?.(line)
      told = lines.join()
      this.wrongs.push(...release(this.world, this.people))
      this.later(60)
      this.lookForWrongs()
    }
    if (this.wrongs.length > 0) return
    if (!isAtRest(this.world)) this.wrongs.push(`[comes to its end] not at rest: ${this.written()}`)
    else this.wrongs.push(...accounts(this.world, this.people, this.starts))
  }
}
