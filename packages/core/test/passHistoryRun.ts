/**
 * Runs a history over the real passes and a simulated machine. What must never happen is looked for after every step; at
 * the end the faults stop, and everything must come to its end.
 */
import type { StartingLease } from "../src/domain/Lease.ts"
import type { AgentScript } from "../src/simulation/api.ts"
import type { History, Step } from "./passHistory.ts"
import { accounts, heal, healingPassesMax, isAtRest, release } from "./passHistoryEnd.ts"
import { HistoryMachine } from "./passHistoryMachine.ts"
import { HistorySchedulers, isSchedulers } from "./passHistorySchedulers.ts"
import type { MadeCall, Tell } from "./passHistorySchedulers.ts"
import { scripts } from "./passHistoryScripts.ts"
import { settingsAtFirst } from "./passHistorySettings.ts"
import { describeStep, faultOf, stateLines } from "./passHistoryStory.ts"
import { wrongsNow } from "./passHistoryWrongs.ts"

export interface HistoryReport {
  /** What must never happen, and happened. */
  readonly wrongs: ReadonlyArray<string>
  /** How often each kind of fault struck. */
  readonly faults: ReadonlyMap<string, number>
  /** The calls of each pass, in order. */
  readonly callsOfPasses: ReadonlyArray<ReadonlyArray<MadeCall>>
  readonly passes: number
  readonly starts: number
}

/** Runs a history to its end; told of each step if somebody listens. */
export const runHistory = (history: History, tell: Tell = null): HistoryReport => new HistoryRun(history, tell).run()

class HistoryRun {
  private readonly history: History
  private readonly machine = new HistoryMachine()
  private readonly schedulers: HistorySchedulers
  private readonly wrongs: Array<string> = []
  private readonly faults = new Map<string, number>()
  private healed = false

  constructor(history: History, tell: Tell) {
    this.history = history
    this.machine.world.script = (lease) => this.scriptOf(lease)
    this.schedulers = new HistorySchedulers(this.machine, tell)
  }

  run(): HistoryReport {
    for (const [index, step] of this.history.steps.entries()) {
      if (this.wrongs.length === 0) this.step(step, index)
    }
    if (this.wrongs.length === 0) {
      this.heal()
      this.converge()
    }
    const { callsOfPasses, mishaps, passes } = this.schedulers
    const { starts } = this.machine
    return {
      wrongs: this.wrongs,
      faults: new Map([...this.faults, ...mishaps]),
      callsOfPasses,
      passes,
      starts: starts.size
    }
  }

  private scriptOf({ epoch, taskId }: StartingLease): AgentScript {
    const { scripts: names } = this.history
    return this.healed ? scripts.completes : scripts[names[(taskId * 7 + epoch * 13) % names.length] ?? "completes"]
  }

  private step(step: Step, index: number): void {
    const { tell } = this.schedulers
    tell?.(`${index + 1}. ${describeStep(step)}`)
    const fault = faultOf(step)
    if (fault !== null) this.faults.set(fault, (this.faults.get(fault) ?? 0) + 1)
    if (isSchedulers(step)) this.schedulers.take(step)
    else this.machine.befall(step)
    this.machine.keepLeases()
    this.lookForWrongs()
    if (tell !== null) for (const line of stateLines(this.machine.world)) tell(`     ${line}`)
  }

  private lookForWrongs(): void {
    const { people, starts, world } = this.machine
    const { wasOvertaken, wrongs } = this.schedulers
    people.noteParents()
    this.machine.forgetStarts()
    this.wrongs.push(...wrongs.splice(0), ...wrongsNow({ world, people, starts, wasOvertaken }))
  }

  private heal(): void {
    this.schedulers.tell?.("All faults are over.")
    this.healed = true
    heal(this.machine.world)
    this.schedulers.configure(settingsAtFirst)
    this.schedulers.restart()
  }

  private converge(): void {
    const { people, starts, world } = this.machine
    const { tell } = this.schedulers
    let told = ""
    for (let made = 0; made < healingPassesMax && !isAtRest(world) && this.wrongs.length === 0; made += 1) {
      const lines = this.passLines()
      // What stays as it was is told once.
      if (tell !== null && lines.join() !== told) for (const line of [`Pass ${made + 1}`, ...lines]) tell(line)
      told = lines.join()
      this.wrongs.push(...release(world, people))
      this.machine.later(60)
      this.lookForWrongs()
    }
    if (this.wrongs.length > 0) return
    if (!isAtRest(world)) this.wrongs.push(`[comes to its end] not at rest: ${this.schedulers.written()}`)
    else this.wrongs.push(...accounts(world, people, starts))
  }

  /** A pass, and what is told of it if somebody listens. */
  private passLines(): ReadonlyArray<string> {
    const { schedulers } = this
    const { tell } = schedulers
    const lines: Array<string> = []
    schedulers.tell = tell === null ? null : (line) => lines.push(line)
    schedulers.pass([])
    schedulers.tell = tell
    return lines
  }
}
