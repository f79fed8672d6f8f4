/**
 * The plan: one verdict for every open task and every lease, and an ordered list of actions. Plain data: it can be
 * printed, stored, compared and applied.
 */
import type { Sighting, StopReason, StopRecord, StopRung } from "./Attempts.ts"
import type { StartsPolicy, SuccessPolicy } from "./DesiredState.ts"
import type { AgentName, Epoch, TaskId, Token } from "./identifiers.ts"
import type { Outcome } from "./Outcome.ts"
import type { Liveness } from "./ProcessIdentity.ts"
import type { TaskPrior } from "./Task.ts"

/** Why a task waits: a closed union, each with its numbers. */
export type WaitReason =
  | { readonly _tag: "NoFreeSlot"; readonly agents: string; readonly used: number; readonly slots: number }
  | { readonly _tag: "QueueLimit"; readonly queue: string; readonly used: number; readonly limit: number }
  | { readonly _tag: "GlobalLimit"; readonly used: number; readonly limit: number }
  | { readonly _tag: "Blocked"; readonly by: TaskId; readonly root: TaskId }
  | { readonly _tag: "BlockingCycle"; readonly cycle: ReadonlyArray<TaskId> }
  | { readonly _tag: "Backoff"; readonly untilMs: number }
  | { readonly _tag: "Parked"; readonly outcome: Outcome; readonly count: number }
  | {
      readonly _tag: "AgentPaused"
      readonly agent: AgentName
      readonly by: string
      readonly untilMs: number | null
    }
  | { readonly _tag: "AgentSetAside"; readonly agent: AgentName; readonly untilMs: number }
  | { readonly _tag: "AgentDisabled"; readonly agent: AgentName }
  | { readonly _tag: "NoQueue" }
  | { readonly _tag: "NobodyAssigned" }
  | { readonly _tag: "NoAgentServesQueue"; readonly queue: string }
  | { readonly _tag: "AgentUnknown"; readonly agent: string }
  | { readonly _tag: "AgentServesOtherQueue"; readonly agent: AgentName; readonly queue: string }
  | { readonly _tag: "RecipeMissing"; readonly path: string }
  | { readonly _tag: "RecipeOutside"; readonly path: string }
  | { readonly _tag: "AmbiguousRecipe"; readonly recipes: ReadonlyArray<string> }
  | { readonly _tag: "OpenSubtasks"; readonly count: number }
  | { readonly _tag: "LeaseUnreadable"; readonly path: string; readonly problem: string }
  | { readonly _tag: "AttemptsUnreadable"; readonly problem: string }
  | { readonly _tag: "EarlierAttempt"; readonly epoch: number; readonly liveness: Liveness }
  | {
      readonly _tag: "StartsOff"
      /** "paused": people paused all agents together; else what the configuration or the observation says. */
      readonly policy: Exclude<StartsPolicy, "on"> | "paused"
      readonly reason: string | null
    }
  | { readonly _tag: "StartBound"; readonly bound: number }
  | { readonly _tag: "TinytaskUnread"; readonly reason: string }

/** What is to be said of an attempt that goes on: it is well, or what about it can't be known at the moment. */
export type RunningDetail =
  | "starting"
  | "running"
  | "liveness-unknown"
  | "supervisor-silent"
  | "lease-missing"
  | "lease-unreadable"
  | "lease-contradicts-claim"
  | "claim-missing"
  | "legacy"

/** Why an attempt that wrote no ending, or not all of it, is ended from outside. */
export type ReclaimReason =
  /** Its processes are proven dead and it wrote no ending. */
  | "dead"
  /** Nobody claimed it in time. */
  | "unclaimed"
  /** A tombstone stands: an undo was under way. */
  | "undo-continued"
  /** The start was given up before the launch or the launch failed. */
  | "start-given-up"
  /** Its liveness was unknown for too long: given up by the clock. */
  | "unknown-too-long"
  /** The ending was recorded; the rest of the steps was not finished. */
  | "ending-continued"

/** Why nothing is done about a task that is not complete. */
export type IgnoreReason =
  /** `working` in Tinytask without anything of ours: somebody works on it outside. */
  "worked-on-outside"

/** The one answer about a task or lease. */
export type Verdict =
  | {
      readonly _tag: "Start"
      readonly taskId: TaskId
      readonly agent: AgentName
      readonly epoch: Epoch
      readonly attempt: number
      readonly recipe: string | null
    }
  | {
      readonly _tag: "Running"
      readonly taskId: TaskId
      readonly agent: AgentName
      readonly epoch: number
      readonly detail: RunningDetail
    }
  | {
      readonly _tag: "Finish"
      readonly taskId: TaskId
      readonly agent: AgentName
      readonly epoch: Epoch
      readonly outcome: Outcome
      readonly detail: string
    }
  | {
      readonly _tag: "Stop"
      readonly taskId: TaskId
      readonly agent: AgentName
      readonly epoch: Epoch
      readonly reason: StopReason
      readonly rung: StopRung
      /** Whether the rung is climbed now; else the ladder waits for its next due time. */
      readonly due: boolean
      /** Living pids beside the supervisor. */
      readonly survivors: ReadonlyArray<number>
    }
  | {
      readonly _tag: "Reclaim"
      readonly taskId: TaskId
      readonly agent: AgentName
      readonly epoch: number
      readonly reason: ReclaimReason
      readonly outcome: Outcome
    }
  | { readonly _tag: "Wait"; readonly taskId: TaskId; readonly reasons: ReadonlyArray<WaitReason> }
  | { readonly _tag: "Ignore"; readonly taskId: TaskId; readonly reason: IgnoreReason }

/** Which attempt an action is about; apply does nothing unless the files still say the same. */
export interface AttemptReference {
  readonly taskId: TaskId
  readonly epoch: Epoch
  readonly token: Token
  readonly agent: AgentName
  /** "none": neither lease nor claim, only an open start. */
  readonly phase: "starting" | "running" | "finished" | "claim-only" | "none"
}

/**
 * One thing that a pass does, of the attempt, epoch or task that it names; it does nothing once the files say
 * otherwise.
 */
export type Action =
  /** Keep what was seen, so that a second look can tell (hung, unknown, complete). */
  | {
      readonly _tag: "Note"
      readonly attempt: AttemptReference
      readonly sighting: Sighting | null
      /** Of the task, so that an attempts file can be begun; null where there is one already. */
      readonly taskCreatedAt: string | null
    }
  /** Climb one rung of the ladder. */
  | {
      readonly _tag: "Stop"
      readonly attempt: AttemptReference
      readonly record: StopRecord
      readonly includeSupervisor: boolean
      readonly firstSignal: "SIGINT" | "SIGTERM"
    }
  /** Write the lease anew from its claim, as `starting`: the file was lost or is unreadable and its supervisor is dead. */
  | {
      readonly _tag: "Rebuild"
      readonly attempt: AttemptReference
      readonly setAside: string | null
    }
  /** Carry out the ending of an attempt of which nothing lives. */
  | {
      readonly _tag: "End"
      readonly attempt: AttemptReference
      readonly outcome: Outcome
      readonly detail: string
      /** Shut a late supervisor out first. */
      readonly tombstone: boolean
      /** Given up by the clock: the claim is renamed aside before the lease is touched. */
      readonly withoutProof: boolean
      readonly prior: TaskPrior
      readonly queue: string | null
      readonly taskCreatedAt: string | null
      /** How to judge once more at the moment of acting, with the task read anew; null = the outcome stands as it is. */
      readonly judgeBy: { readonly success: SuccessPolicy; readonly openSubtasks: number } | null
    }
  /** Replace an old lease form by an ended attempt of ours. */
  | {
      readonly _tag: "EndLegacy"
      readonly taskId: TaskId
      readonly epoch: Epoch
      readonly agent: AgentName
      /** Apply does nothing when the lease names another by now. */
      readonly pid: number
      /** Given up by the clock. */
      readonly withoutProof: boolean
      readonly path: string
    }
  /** Remove claims whose ending is recorded and of which nothing lives. */
  | {
      readonly _tag: "Sweep"
      readonly taskId: TaskId
      readonly epoch: Epoch
      /** Given up by the clock. */
      readonly withoutProof: boolean
    }
  | {
      readonly _tag: "Start"
      readonly taskId: TaskId
      readonly agent: AgentName
      readonly epoch: Epoch
      readonly attempt: number
      readonly recipe: string | null
      readonly queue: string | null
      readonly prior: TaskPrior
      readonly taskCreatedAt: string
      readonly maxRuntimeSec: number
    }

/** How full an agent, a queue and the whole were in the observation, and how many starts come on top. */
export interface Usage {
  readonly name: string
  readonly held: number
  readonly started: number
  /** Null = unlimited. */
  readonly limit: number | null
}

/** What `reconcile` answers. Times are milliseconds: `nowMs` since 1970 UTC, `monoMs` since boot, both as observed. */
export interface Plan {
  readonly version: 1
  readonly nowMs: number
  readonly monoMs: number
  /** SHA-256 over what the plan was computed from; see `preconditionSubjectOf`. */
  readonly precondition: string
  /** When a verdict may change by itself: the earliest backoff, pause or set-aside on the wall clock, … */
  readonly nextWallMs: number | null
  /** … and the earliest deadline, grace or rung on the monotonic clock. */
  readonly nextMonoMs: number | null
  readonly tinytask: { readonly _tag: "Read" } | { readonly _tag: "Unread"; readonly reason: string }
  /** By task id. */
  readonly verdicts: ReadonlyArray<Verdict>
  /** In the order in which they are carried out. */
  readonly actions: ReadonlyArray<Action>
  readonly usage: {
    readonly agents: ReadonlyArray<Usage>
    readonly queues: ReadonlyArray<Usage>
    readonly total: Usage
  }
  /** Tasks that lacked only a start of this pass. 0 when the bound was not reached. */
  readonly leftByBound: number
}
