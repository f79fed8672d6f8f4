/** The observed state: what was seen, including what time it was. All that reconcile knows of the world. */
import type { AgentRecord, Pause } from "./Attempts.ts"
import type { TaskId, Token } from "./identifiers.ts"
import type { HostIdentity } from "./ProcessIdentity.ts"
import type { Request } from "./Request.ts"
import type { Task } from "./Task.ts"
import type { TaskRecord } from "./TaskRecord.ts"

/** Tinytask is known or unknown as a whole. */
export type TinytaskSight =
  | { readonly _tag: "Unread"; readonly reason: string }
  | {
      readonly _tag: "Read"
      /** All open tasks. */
      readonly tasks: ReadonlyArray<Task>
      /** Tasks that have state here and are in no list, looked up one by one; null = gone. */
      readonly lookedUp: ReadonlyArray<{ readonly taskId: TaskId; readonly task: Task | null }>
    }

/** Whether a recipe named by an agent or a tag is there. Absent from the observation = not needed. */
export interface RecipeSight {
  readonly recipe: string
  readonly path: string
  readonly state: "present" | "missing" | "outside"
}

/** What befell a start that this process tried, kept in memory: recovery need not wait for the grace. */
export interface StartFault {
  readonly taskId: TaskId
  readonly token: Token
  /** void: the task was no longer what the plan saw. failed: Tinytask or the launch failed. */
  readonly kind: "void" | "failed"
  readonly reason: string
}

/** What was seen, and when: all that reconcile knows of the world. `nowMs` counts from 1970 UTC, `monoMs` from boot. */
export interface ObservedState {
  readonly nowMs: number
  readonly monoMs: number
  readonly here: HostIdentity
  readonly tinytask: TinytaskSight
  readonly records: ReadonlyArray<TaskRecord>
  readonly agents: ReadonlyArray<AgentRecord>
  /** The pause of all agents together; null = none was asked for. */
  readonly paused: Pause | null
  /** What commands have asked for and is not carried out yet, the oldest first. */
  readonly requests: ReadonlyArray<Request>
  readonly recipes: ReadonlyArray<RecipeSight>
  readonly startFaults: ReadonlyArray<StartFault>
  /** Why nothing may be started whatever the policy says: identity unreadable, state not writable. */
  readonly startsOffReason: string | null
}
