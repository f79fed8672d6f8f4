/**
 * A whole machine in memory: Tinytask, the state directory, processes, and supervisors and agents that follow the
 * protocol. Time is Effect's clock, so a test's virtual clock moves it; what is due happens before the next look.
 * Deterministic: nothing is drawn.
 */
import type { TaskId } from "../domain/identifiers.ts"
import type { StartingLease } from "../domain/Lease.ts"
import type { RecipeSight } from "../domain/ObservedState.ts"
import { completesAfter } from "./scripts.ts"
import type { AgentScript } from "./scripts.ts"
import { SimulatedFiles } from "./SimulatedFiles.ts"
import { SimulatedMachine } from "./SimulatedMachine.ts"
import { SimulatedTinytask } from "./SimulatedTinytask.ts"
import type { NewTask } from "./SimulatedTinytask.ts"
import { Supervision } from "./Supervision.ts"

/**
 * A machine in memory. `tinytask` and `script` set it up; `supervision.runs` tells what ran; the rest is there to break
 * things.
 */
export class World {
  readonly tinytask = new SimulatedTinytask()
  readonly files = new SimulatedFiles()
  readonly machine: SimulatedMachine
  readonly supervision: Supervision
  recipes: ReadonlyArray<RecipeSight> = []
  /** What the processes of an attempt will do. */
  script: (lease: StartingLease) => AgentScript = () => completesAfter(1000)
  private tokens = 0

  constructor(nowMs = 0) {
    this.machine = new SimulatedMachine(nowMs)
    this.supervision = new Supervision(this.machine, this.files, this.tinytask)
  }

  /** Lets everything happen that is due by now. */
  settle(nowMs: number): void {
    this.machine.settle(nowMs)
    this.supervision.settle()
  }

  addTask(fields: NewTask = {}): TaskId {
    return this.tinytask.add(this.machine.nowMs, fields)
  }

  drawToken(): string {
    this.tokens += 1
    return `00000000-0000-4000-8000-${String(this.tokens).padStart(12, "0")}`
  }
}
