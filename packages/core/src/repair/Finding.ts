/**
 * What a repair finds: a closed union. Each finding carries what was seen; `describeFinding` puts it in words, `careOf`
 * says who mends it, `mend` does.
 */
import type { Attempts } from "../domain/Attempts.ts"
import type { AgentName, Epoch, TaskId, Token } from "../domain/identifiers.ts"
import type { TaskPrior } from "../domain/Task.ts"

/** Why a file can't be put out of the way: what it stands for may live. */
export type Hindrance =
  /** These processes are named in it or carry its token. */
  | { readonly _tag: "Alive"; readonly pids: ReadonlyArray<number> }
  /** Its token is not known, and these carry the token of no attempt that is known here. */
  | { readonly _tag: "Unaccounted"; readonly pids: ReadonlyArray<number> }
  | { readonly _tag: "OtherHost"; readonly host: string }
  /** It may be as good as it was: only its owner or its mode is wrong. */
  | { readonly _tag: "Untrusted" }

export type Finding =
  /** `working` with the name of an agent of ours, which has nothing of it under way any more. */
  | {
      readonly _tag: "ForgottenTask"
      readonly taskId: TaskId
      readonly endpoint: string
      readonly agent: AgentName
      readonly epoch: Epoch
      /** Of the attempt that took the task. */
      readonly token: Token
      readonly taskCreatedAt: string
      readonly prior: TaskPrior
    }
  /** The same, but processes of its attempts live, or of a scheduler beside this one that is at the task. */
  | {
      readonly _tag: "LivingTask"
      readonly taskId: TaskId
      readonly agent: string
      readonly pids: ReadonlyArray<number>
    }
  /** `working` with the name of an agent of ours, and nothing proves that we started it. */
  | {
      readonly _tag: "UnprovenTask"
      readonly taskId: TaskId
      readonly agent: string
      readonly why: "never-started" | "another-task" | "another-agent"
    }
  /** A lease that can't be read, and no claim that could tell in its place: its task and its agent's slot are held. */
  | {
      readonly _tag: "UnreadableLease"
      readonly taskId: TaskId
      readonly path: string
      readonly problem: string
      readonly agent: string | null
      /** To be remembered first, so that no epoch is used twice; null = it is. */
      readonly remember: Attempts | null
      readonly hindrance: Hindrance | null
    }
  | {
      readonly _tag: "UnreadableClaim"
      readonly taskId: TaskId
      readonly epoch: Epoch
      readonly path: string
      readonly problem: string
      readonly remember: Attempts | null
      readonly hindrance: Hindrance | null
    }
  /** An attempts file that can't be read; `rebuilt` is what leases, claims, history and logs know. */
  | {
      readonly _tag: "UnreadableAttempts"
      readonly taskId: TaskId
      /** Null where the inventory does not know it. */
      readonly path: string | null
      readonly problem: string
      readonly rebuilt: Attempts | null
      readonly hindrance: Hindrance | null
    }
  /** No attempts file, though the history knows of attempts at this number: its epochs would begin anew. */
  | { readonly _tag: "LostAttempts"; readonly taskId: TaskId; readonly rebuilt: Attempts }
  /** The agents' records can't be read: who is paused is not known, and nothing starts. */
  | { readonly _tag: "UnreadableAgents"; readonly problem: string }
  /** Nothing can be written under any lock until somebody moves it. */
  | { readonly _tag: "UnreadableTerm"; readonly problem: string }
  /** Its lease is missing or odd, and its supervisor, which writes it anew, lives. */
  | {
      readonly _tag: "OddLease"
      readonly taskId: TaskId
      readonly epoch: number
      readonly oddity: "missing" | "unreadable" | "contradicts-claim"
      readonly pid: number
    }
  /** Processes that hold a task, and that no signal of ours has ended or may end. */
  | {
      readonly _tag: "Survivors"
      readonly taskId: TaskId
      readonly epoch: number
      readonly pids: ReadonlyArray<number>
      readonly why: "killed-and-alive" | "earlier-attempt"
    }
  /** Nobody can say here whether it lives, and no clock gives it up. */
  | { readonly _tag: "UnknownLiveness"; readonly taskId: TaskId; readonly epoch: number; readonly host: string | null }
  /** An attempt at a task of another Tinytask. */
  | { readonly _tag: "OtherEndpoint"; readonly taskId: TaskId; readonly endpoint: string }
  | { readonly _tag: "EpochsUsedUp"; readonly taskId: TaskId; readonly epoch: number }
  /** Stop records of an attempt of which nothing else is left. */
  | {
      readonly _tag: "OrphanedStop"
      readonly taskId: TaskId
      readonly epoch: Epoch | null
      readonly path: string | null
    }
  /** What the next taking of the lock sweeps. */
  | { readonly _tag: "Litter"; readonly paths: ReadonlyArray<string> }
  | { readonly _tag: "UntrustedFile"; readonly path: string; readonly problem: string }
  | { readonly _tag: "StrangeFile"; readonly path: string; readonly what: string }
  /** A file of the history: without the whole of it no attempts file is written anew. */
  | { readonly _tag: "UnreadableHistory"; readonly problem: string }
  | { readonly _tag: "TornHistory"; readonly lines: number }
  /** It was set aside, by a pass or by a repair; `purge` = it may go now. */
  | {
      readonly _tag: "AsideFile"
      readonly path: string
      readonly name: string
      readonly holds: string
      readonly ageMs: number
      readonly purge: boolean
    }

/** Who mends it: a repair does now; only a person can; nobody has to. */
export type Care = "mend" | "person" | "nobody"

export const careOf = (finding: Finding): Care => {
  switch (finding._tag) {
    case "ForgottenTask":
    case "LostAttempts":
    case "UnreadableAgents":
    case "OrphanedStop":
    case "Litter":
      return "mend"
    case "UnreadableLease":
    case "UnreadableClaim":
      return finding.hindrance === null ? "mend" : "person"
    case "UnreadableAttempts":
      return finding.rebuilt === null || finding.hindrance !== null ? "person" : "mend"
    case "AsideFile":
      return finding.purge ? "mend" : "nobody"
    case "StrangeFile":
    case "TornHistory":
      return "nobody"
    case "LivingTask":
    case "UnprovenTask":
    case "UnreadableTerm":
    case "OddLease":
    case "Survivors":
    case "UnknownLiveness":
    case "OtherEndpoint":
    case "EpochsUsedUp":
    case "UntrustedFile":
    case "UnreadableHistory":
      return "person"
  }
}

/** The living processes that a finding names, for whoever has to look at them. */
export const pidsOf = (finding: Finding): ReadonlyArray<number> => {
  if ("pids" in finding) return finding.pids
  if ("pid" in finding) return [finding.pid]
  const hindrance = "hindrance" in finding ? finding.hindrance : null
  return hindrance !== null && "pids" in hindrance ? hindrance.pids : []
}

/** By which a finding is known again in a later look. */
export const keyOf = (finding: Finding): string =>
  JSON.stringify([
    finding._tag,
    "taskId" in finding ? finding.taskId : null,
    "epoch" in finding ? finding.epoch : null,
    "path" in finding ? finding.path : null
  ])
