/** What a repair looks at: what a pass observes, and beside it everything that a pass has no use for. */
import type { TaskId } from "../domain/identifiers.ts"
import type { ObservedState } from "../domain/ObservedState.ts"
import type { StatedTask } from "../ports/ProcessTable.ts"
import type { Inventory } from "../ports/StateInventory.ts"

/** A living process of some attempt. */
export interface Carrier {
  readonly pid: number
  readonly token: string
  /** What its environment says that it is about; null where it says nothing. */
  readonly statedTask: StatedTask | null
}

export interface RepairSight {
  readonly observed: ObservedState
  readonly inventory: Inventory
  /** Why the agents' records can't be read; null when they can or are absent. */
  readonly agentsProblem: string | null
  /** Every living process that carries a token or is in an attempt's cgroup, in either of two scans; never ourselves. */
  readonly carriers: ReadonlyArray<Carrier>
  /** Which of the processes named in unreadable files live, as far as their start can be compared. */
  readonly namedAlive: ReadonlySet<number>
  /** Tokens of comments of ours on the tasks that a repair may touch: proof that an attempt was at this very task. */
  readonly marks: ReadonlyMap<TaskId, ReadonlySet<string>>
  /** Temporary files whose writer is dead. */
  readonly litter: ReadonlyArray<string>
  /** What was set aside is to go. */
  readonly purge: boolean
}
