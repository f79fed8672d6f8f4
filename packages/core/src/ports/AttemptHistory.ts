/** The port to what is remembered of attempts: outcomes, counts and backoff per task, the agents' records, the history. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { AgentRecords, Attempts, HistoryLine } from "../domain/Attempts.ts"
import type { TaskId } from "../domain/identifiers.ts"
import type { StateUnreadable, StateWriteError } from "./StateError.ts"

/** What is remembered of one task, as it was read. */
export interface StoredAttempts {
  readonly taskId: TaskId
  /** Null when there is no attempts file, or it can't be read. */
  readonly attempts: Attempts | null
  readonly problem: string | null
  /** The largest epoch among the task's log files; 0 when none. Looked up only where the attempts file is missing. */
  readonly logEpochMax: number
}

/** Keeps what is remembered of attempts and agents, durably: what was written is there after a power cut. */
export class AttemptHistory extends Context.Service<
  AttemptHistory,
  {
    /** Every task of which something is remembered, by task id. */
    readonly scan: Effect.Effect<ReadonlyArray<StoredAttempts>, StateUnreadable>
    readonly read: (taskId: TaskId) => Effect.Effect<StoredAttempts, StateUnreadable>
    readonly write: (attempts: Attempts) => Effect.Effect<void, StateWriteError>
    /** Removes what is remembered of a task, durably: only of one that is archived or gone, else its epochs began anew. */
    readonly forget: (taskId: TaskId) => Effect.Effect<void, StateWriteError>
    /** Empty when there is no agents file; an unreadable one is an error: a pause must not be forgotten. */
    readonly readAgents: Effect.Effect<AgentRecords, StateUnreadable>
    readonly writeAgents: (records: AgentRecords) => Effect.Effect<void, StateWriteError>
    /** Appends one line, durably. Repeated after a crash: readers keep the last line of a token. */
    readonly append: (line: HistoryLine) => Effect.Effect<void, StateWriteError>
  }
>()("@tinyscheduler/core/ports/AttemptHistory") {}
