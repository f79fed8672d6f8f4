/**
 * The port to what a repair has to know of the state directory beyond what a pass reads: the history, and every file that
 * a pass can't read or does not look at. It reports and sets aside; what is to be done with a file is the core's to decide.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { HistoryLine } from "../domain/Attempts.ts"
import type { TaskId } from "../domain/identifiers.ts"
import type { StateUnreadable, StateWriteError } from "./StateError.ts"

/** What can still be made out in a file that should be a lease, a claim or an attempts file. Only good for caution. */
export interface Guess {
  readonly token: string | null
  /** Null where the file names no machine. */
  readonly host: string | null
  /** Processes that it may speak of; null = it does not say when they started. */
  readonly processes: ReadonlyArray<{ readonly pid: number; readonly pidStart: number | null }>
  readonly epoch: number | null
}

/** A file in the place of a lease, a claim or an attempts file that can't be read as one. */
export interface UnreadableFile {
  readonly path: string
  readonly problem: string
  readonly modifiedMs: number
  readonly guess: Guess
}

/** A file that nobody misses, or that has no business here. */
export type OddFile =
  /** It was renamed out of the way; `holds` says in a few words what it was. */
  | {
      readonly _tag: "Aside"
      readonly path: string
      readonly name: string
      readonly taskId: TaskId | null
      readonly holds: string
      readonly modifiedMs: number
    }
  /** A stop record that can't be read; the ladder would begin anew. */
  | { readonly _tag: "UnreadableStop"; readonly path: string; readonly taskId: TaskId; readonly problem: string }
  /** A temporary file; its writer stands in its name. */
  | { readonly _tag: "Temporary"; readonly path: string; readonly pid: number; readonly pidStart: number }
  /** The private TMPDIR of an attempt that has no claim. */
  | { readonly _tag: "TemporaryDirectory"; readonly path: string }
  /** A file of ours that others may write, or that belongs to somebody else. */
  | { readonly _tag: "Untrusted"; readonly path: string; readonly problem: string }
  /** A name that means nothing here, a link or a directory in the place of a file. */
  | { readonly _tag: "Strange"; readonly path: string; readonly what: string }

export interface Inventory {
  /** In the order in which they were written. */
  readonly history: ReadonlyArray<HistoryLine>
  /** Why the history can't be read whole, and is taken as empty; null when it can. */
  readonly historyProblem: string | null
  /** Lines of the history that are torn or odd. */
  readonly historySkipped: number
  /** Why `state/term` can't be read; null when it can or is absent. */
  readonly termProblem: string | null
  /** By path. */
  readonly unreadable: ReadonlyArray<UnreadableFile>
  /** By path. */
  readonly odd: ReadonlyArray<OddFile>
}

export class StateInventory extends Context.Service<
  StateInventory,
  {
    readonly take: Effect.Effect<Inventory, StateUnreadable>
    /** Keeps a second name of an attempts file aside, so that it can be replaced; once for each content. */
    readonly keepAttempts: (taskId: TaskId) => Effect.Effect<void, StateWriteError>
    /** The same for the agents' records. */
    readonly keepAgents: Effect.Effect<void, StateWriteError>
    /** Removes what was set aside under this name. */
    readonly removeAside: (name: string) => Effect.Effect<void, StateWriteError>
    /** Removes the stop records of a task that can't be read. */
    readonly removeUnreadableStops: (taskId: TaskId) => Effect.Effect<void, StateWriteError>
  }
>()("@tinyscheduler/core/ports/StateInventory") {}
