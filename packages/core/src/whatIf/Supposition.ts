/** One change to a situation that somebody supposes: what if an agent had another slot, what if task 17 were done? A closed union. */
import type { Policy } from "../domain/DesiredState.ts"
import type { AgentName, QueueName, TaskId } from "../domain/identifiers.ts"

/** A task that is not there yet, as far as the decision looks at it. */
export interface SupposedTask {
  readonly title: string
  readonly queue: string | null
  readonly assignee: string | null
  readonly priority: number
  readonly tags: ReadonlyArray<string>
  readonly parent: TaskId | null
  readonly blockedBy: TaskId | null
}

/** One change to a situation. `suppose` makes it. */
export type Supposition =
  | { readonly _tag: "AgentSlots"; readonly agent: AgentName; readonly slots: number }
  | { readonly _tag: "AgentEnabled"; readonly agent: AgentName; readonly enabled: boolean }
  /** Null = unlimited. */
  | { readonly _tag: "QueueLimit"; readonly queue: QueueName; readonly limit: number | null }
  | { readonly _tag: "MaxConcurrent"; readonly limit: number | null }
  /** Other fields of the policy. */
  | { readonly _tag: "Policy"; readonly policy: Partial<Policy> }
  /** An agent starts nothing new; null = no agent does. */
  | { readonly _tag: "Pause"; readonly agent: AgentName | null }
  /** Ends a pause; of one agent also its set-aside, as `resume` does. */
  | { readonly _tag: "Resume"; readonly agent: AgentName | null }
  /** The task is complete and nothing of it is left. */
  | { readonly _tag: "Finish"; readonly taskId: TaskId }
  | { readonly _tag: "AddTask"; readonly task: SupposedTask }
  | { readonly _tag: "Assign"; readonly taskId: TaskId; readonly assignee: string | null }
  /** Releases a task that is parked or waits after a failure, as `retry` does. */
  | { readonly _tag: "Retry"; readonly taskId: TaskId }
  /** The file is there. */
  | { readonly _tag: "RecipePresent"; readonly recipe: string }
  /** So much time goes by, in milliseconds, and whatever lives goes on living. */
  | { readonly _tag: "Later"; readonly ms: number }
