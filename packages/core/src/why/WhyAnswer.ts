/** The answer to "why does this task (not) run?": plain data, so that it can be printed, stored and asserted on. */
import type { AgentName, TaskId } from "../domain/identifiers.ts"
import type { Outcome } from "../domain/Outcome.ts"
import type { Verdict, WaitReason } from "../domain/Plan.ts"
import type { Supposition } from "../whatIf/Supposition.ts"

/** The kinds of change that are tried, in the order of how cheap they are for a person. */
export const changeKinds = [
  "wait",
  "resume",
  "retry",
  "finish",
  "agent slots",
  "queue limit",
  "global limit",
  "enable agent",
  "recipe",
  "starts",
  "assign"
] as const
/** The kind of a change. */
export type ChangeKind = (typeof changeKinds)[number]

/** One change of these kinds. */
export type Change = Extract<
  Supposition,
  {
    readonly _tag:
      | "Later"
      | "Resume"
      | "Retry"
      | "Finish"
      | "AgentSlots"
      | "QueueLimit"
      | "MaxConcurrent"
      | "AgentEnabled"
      | "RecipePresent"
      | "Policy"
      | "Assign"
  }
>

/** The smallest single change under which a task would start now. */
export type Counterfactual =
  /** The task does not wait. */
  | { readonly _tag: "NotSought" }
  | {
      readonly _tag: "Found"
      readonly kind: ChangeKind
      readonly change: Change
      /** Others of the same kind that do it as well; a few of them. */
      readonly alternatives: ReadonlyArray<Change>
      /** For people: "finish task 17". */
      readonly words: string
    }
  /** No single change of any kind does; those of the kinds named here were tried, the others can't matter. */
  | { readonly _tag: "None"; readonly tried: ReadonlyArray<ChangeKind>; readonly bounded: boolean }

/** Tasks that come before it in the common order and compete with it. */
export interface Ahead {
  readonly count: number
  /** The first few. */
  readonly first: ReadonlyArray<TaskId>
}

/** What blocks it, from its own blocker on; null = the plan has no verdict on that task (it is archived, or on another server). */
export interface Blockers {
  readonly chain: ReadonlyArray<{ readonly taskId: TaskId; readonly verdict: Verdict | null }>
  /** Where the chain has no root. */
  readonly cycle: ReadonlyArray<TaskId> | null
}

/** When something may change by itself, as moments of the wall clock. */
export interface ByItself {
  /** Ends of what holds this task back. */
  readonly ends: ReadonlyArray<{ readonly what: string; readonly atMs: number }>
  /** The earliest moment at which any verdict of the plan may change. */
  readonly anyAtMs: number | null
}

/** What is remembered of the attempts at a task. Logs are relative to the log directory. */
export interface AttemptsSoFar {
  readonly last: {
    readonly epoch: number
    readonly agent: AgentName
    readonly startedAt: string
    readonly log: string
  } | null
  readonly outcomes: ReadonlyArray<{
    readonly epoch: number
    readonly outcome: Outcome
    readonly at: string
    readonly detail: string
    readonly log: string
  }>
  /** How many count against its budgets. */
  readonly failures: number
  readonly losses: number
}

/** Where a task is of which the plan has no verdict. */
export type NotOpen = "complete" | "archived" | "gone" | "not listed" | "Tinytask unread"

/** What `why` answers: of a task with a verdict, all that can be said about it; of any other, where it is. */
export type WhyAnswer =
  | {
      readonly _tag: "Judged"
      readonly taskId: TaskId
      readonly title: string | null
      readonly verdict: Verdict
      /** Why it waits; empty when it does not. */
      readonly reasons: ReadonlyArray<WaitReason>
      /** The rule that judged its attempt; null when there is none. */
      readonly rule: string | null
      readonly ahead: Ahead
      readonly blockers: Blockers
      readonly byItself: ByItself
      readonly attempts: AttemptsSoFar | null
      readonly counterfactual: Counterfactual
    }
  | {
      readonly _tag: "NotJudged"
      readonly taskId: TaskId
      readonly where: NotOpen
      readonly attempts: AttemptsSoFar | null
    }
