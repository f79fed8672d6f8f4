/**
 * The schedulers of a history and their passes: one that holds the lock, and perhaps one that lost it and knows nothing of
 * it. What each plan says is held against the invariants and against the world.
 */
import * as Cause from "effect/Cause"
import * as Exit from "effect/Exit"
import type { DesiredState } from "../src/domain/DesiredState.ts"
import type { Plan } from "../src/domain/Plan.ts"
import { describeVerdict } from "../src/reconcile/describe.ts"
import { violationsOf } from "../src/reconcile/invariants/invariants.ts"
import { settlingViolations } from "../src/reconcile/invariants/rounds.ts"
import { noFaults } from "../src/simulation/api.ts"
import { edits, places } from "./passHistory.ts"
import type { Mishap, Step } from "./passHistory.ts"
import { faultsOf } from "./passHistoryFaults.ts"
import type { Disturbance } from "./passHistoryFaults.ts"
import type { HistoryMachine, MachineStep } from "./passHistoryMachine.ts"
import { idleTasks } from "./passHistoryMovers.ts"
import { changes, desiredBy, settingsAtFirst } from "./passHistorySettings.ts"
import type { Settings } from "./passHistorySettings.ts"
import { actionLine } from "./passHistoryStory.ts"
import { SyncScheduler } from "./passSync.ts"

export type SchedulerStep = Exclude<Step, MachineStep>

const schedulerSteps: { readonly [K in SchedulerStep["_tag"]]: true } = {
  Pass: true,
  Rest: true,
  Reboot: true,
  Restart: true,
  Move: true,
  Rival: true,
  SleeperPass: true,
  Configure: true
}

/** Whether a step is a scheduler's, and not something that befalls the machine. */
export const isSchedulers = (step: Step): step is SchedulerStep => step._tag in schedulerSteps

/** After so many rounds at one moment something goes round in circles. */
const restRoundsMax = 40

export interface MadeCall {
  readonly name: string
  /** False when it failed before it did anything. */
  readonly happened: boolean
}

export type Tell = ((line: string) => void) | null

export class HistorySchedulers {
  /** What must never happen within a pass, and happened. */
  readonly wrongs: Array<string> = []
  /** How often each kind of mishap struck. */
  readonly mishaps = new Map<string, number>()
  /** The calls of each Pass step, in order. */
  readonly callsOfPasses: Array<ReadonlyArray<MadeCall>> = []
  passes = 0
  wasOvertaken = false
  tell: Tell
  private settings: Settings = settingsAtFirst
  private desired: DesiredState = desiredBy(settingsAtFirst, "gives up")
  /** Nothing happens within the pass that is being made. */
  private undisturbed = true
  private calls: Array<MadeCall> = []
  private readonly machine: HistoryMachine
  private scheduler: SyncScheduler
  private sleeper: SyncScheduler | null = null

  constructor(machine: HistoryMachine, tell: Tell) {
    this.machine = machine
    this.tell = tell
    this.scheduler = this.begin()
  }

  take(step: SchedulerStep): void {
    switch (step._tag) {
      case "Pass":
        return this.pass(step.mishaps)
      case "Rest":
        return this.rest()
      case "Reboot":
        this.sleeper = null
        this.machine.world.machine.reboot()
        return this.restart()
      case "Restart":
        return this.restart()
      case "Move":
        if (!step.survives) this.machine.killAll()
        this.sleeper = null
        this.machine.world.machine.moveTo(places[step.place])
        return this.restart()
      case "Rival":
        this.sleeper = this.scheduler
        this.scheduler = this.begin()
        return
      case "SleeperPass":
        return this.sleeperPass()
      case "Configure":
        return this.configure({ ...this.settings, ...changes[step.change] })
    }
  }

  configure(settings: Settings): void {
    this.settings = settings
  }

  /** Where something lives that can't be seen, people have set that nothing is ever given up by the clock. */
  private readSettings(): void {
    this.desired = desiredBy(this.settings, this.machine.livesElsewhere() ? "never gives up" : "gives up")
  }

  restart(): void {
    this.scheduler.end()
    this.scheduler = this.begin()
  }

  pass(mishaps: ReadonlyArray<Mishap>): void {
    const { scheduler } = this
    this.readSettings()
    this.passes += 1
    this.calls = []
    this.undisturbed = mishaps.length === 0
    scheduler.faults = this.undisturbed
      ? noFaults
      : faultsOf(mishaps, {
          onMishap: ({ call }, name, what) => {
            this.mishaps.set(what, (this.mishaps.get(what) ?? 0) + 1)
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
    if (this.machine.world.files.lockHolder === null) this.restart()
    if (Exit.isSuccess(exit)) {
      this.wrongs.push(...exit.value.errors.filter((error) => error.includes("fault of TinyScheduler")))
    } else {
      this.lookAt(exit.cause)
      if (!Cause.hasInterrupts(exit.cause)) return
      if (scheduler === this.scheduler) return this.restart()
      this.sleeper = null
      scheduler.end()
    }
  }

  /** A pass may fail with an error of a port, or end with its process; a defect is a bug. */
  private lookAt(cause: Cause.Cause<unknown>): void {
    const defect = cause.reasons.find(Cause.isDieReason)
    if (defect !== undefined) this.wrongs.push(`[no defects] a pass died: ${String(defect.defect)}`)
    else this.tell?.(`       the pass failed: ${Cause.pretty(cause).split("\n")[0] ?? ""}`)
  }

  private begin(): SyncScheduler {
    const { world } = this.machine
    const { files } = world
    files.lockHolder = null
    return new SyncScheduler(world, {
      onCall: (call, moment) => {
        if (moment === "before") this.calls.push({ name: call, happened: false })
        else this.calls.push({ name: this.calls.pop()?.name ?? call, happened: true })
        if (moment === "after" && call === "AttemptHistory.write") {
          this.machine.noteStarts()
        }
      },
      onPlan: (observed, plan) => {
        if (this.tell !== null) for (const verdict of plan.verdicts) this.tell(`     ${describeVerdict(verdict)}`)
        for (const { invariant, message } of violationsOf(observed, this.desired, plan)) {
          this.wrongs.push(`[invariant ${invariant}] ${message}`)
        }
        if (this.undisturbed) this.wrongs.push(...idleTasks({ world, desired: this.desired, plan }))
      },
      onResults: (results) => {
        if (this.tell !== null) for (const result of results) this.tell(`       ${actionLine(result)}`)
      }
    })
  }

  private disturb(kind: Disturbance, call: number): void {
    const { files, machine, tinytask } = this.machine.world
    switch (kind) {
      case "live":
        return machine.liveOn(30_000)
      case "kill":
        return this.machine.kill(call)
      case "edit":
        return this.machine.people.race(call, edits[call % edits.length] ?? "giveBack")
      case "lockLost":
        files.lockHolder = null
        return
      case "tinytaskDown":
        return this.machine.befall({ _tag: "Tinytask", down: true })
      case "diskFull":
        return this.machine.befall({ _tag: "Disk", full: true })
      case "clock":
        return this.machine.setWall(call % 2 === 0 ? 3600 : -3600)
      case "overtake": {
        // The lock's file was replaced under a scheduler within its pass; what it has begun to tell Tinytask it still tells.
        this.wasOvertaken = true
        for (const id of tinytask.tasks.keys()) this.machine.people.raced.add(id)
        this.sleeper = this.scheduler
        this.scheduler = this.begin()
        this.passes += 1
        const { calls } = this
        const exit = this.scheduler.pass(this.desired)
        if (Exit.isFailure(exit)) this.lookAt(exit.cause)
        this.calls = calls
      }
    }
  }

  private rest(): void {
    this.readSettings()
    const plans: Array<Plan> = []
    for (let round = 0; round < restRoundsMax; round += 1) {
      const exit = this.scheduler.round(this.desired)
      if (Exit.isFailure(exit)) return this.lookAt(exit.cause)
      plans.push(exit.value)
      if (exit.value.actions.length === 0) break
    }
    this.passes += plans.length
    const { files, tinytask } = this.machine.world
    const isFaultFree = tinytask.down === null && files.unwritable === null && this.scheduler.term !== null
    if (isFaultFree) for (const { message } of settlingViolations(plans)) this.wrongs.push(`[invariant e] ${message}`)
  }

  /** A scheduler that lost its lock without knowing writes nothing, to files or to Tinytask. */
  private sleeperPass(): void {
    if (this.sleeper === null) return
    this.readSettings()
    const { world } = this.machine
    // What agents do in this very moment is not the sleeper's doing.
    world.settle(world.machine.nowMs)
    const before = this.written()
    const exit = this.sleeper.pass(this.desired)
    if (Exit.isFailure(exit)) this.lookAt(exit.cause)
    if (this.written() !== before) this.wrongs.push("[one scheduler writes] one without the lock wrote something")
  }

  /** What schedulers write; a supervisor may well write that its agent was signalled. */
  written(): string {
    const { files, tinytask } = this.machine.world
    return JSON.stringify([
      files.taskIds().map((id) => [id, files.leaseToken(id), files.claims.of(id), files.stops.of(id)]),
      [...files.attempts],
      files.history.length,
      files.agents,
      [...tinytask.tasks]
    ])
  }
}
