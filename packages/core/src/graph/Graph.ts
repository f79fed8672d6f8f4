/** The blocking graph as plain data: what `graph` prints as JSON and what every picture of it is drawn from. */
import type { TaskId } from "../domain/identifiers.ts"
import type { Plan } from "../domain/Plan.ts"

/** A word for a task's verdict; "unlisted": not open, archived for one, and named as a blocker all the same. */
export type GraphState = "start" | "running" | "finish" | "stop" | "reclaim" | "waiting" | "ignored" | "unlisted"

/** A task of the graph. */
export interface GraphNode {
  readonly taskId: TaskId
  /** As the server has it: whoever shows it escapes it. */
  readonly title: string
  readonly state: GraphState
  /** Its agent, or what it waits for beside the tasks that the edges show; null = nothing. */
  readonly detail: string | null
  /** How many unfinished tasks wait for it by their blockers, directly or through others: what the order of starts counts. */
  readonly waitingOn: number
}

/** One task waits for another. */
export interface GraphEdge {
  readonly blocker: TaskId
  readonly blocked: TaskId
  /** "blocker": the server's word. "subtask": a parent waits for its open subtasks. */
  readonly kind: "blocker" | "subtask"
}

/** Tasks that wait for each other, and so for ever. */
export interface GraphCycle {
  /** One way round, from its smallest number: each waits for the next, the last for the first. */
  readonly path: ReadonlyArray<TaskId>
  /** All that wait for each other; more than the path where cycles share tasks. */
  readonly members: ReadonlyArray<TaskId>
}

/** The longest chain: no number of agents makes the whole shorter. */
export interface CriticalPath {
  /** From the first that has to end to the last that waits. */
  readonly taskIds: ReadonlyArray<TaskId>
  /** The sum of their durations; their number where none are given. */
  readonly length: number
}

/** Which tasks wait for which, with what the plan says of each. */
export interface BlockingGraph {
  readonly version: 1
  readonly tinytask: Plan["tinytask"]
  /** By policy blockers keep nothing from starting: the edges tell only what the server says. */
  readonly blockingIgnored: boolean
  /** By task id. */
  readonly nodes: ReadonlyArray<GraphNode>
  /** By blocker, blocked, kind. */
  readonly edges: ReadonlyArray<GraphEdge>
  readonly cycles: ReadonlyArray<GraphCycle>
  readonly criticalPath: CriticalPath
}
