/** The port to the machine's processes: who we are, what a pid shows, all processes, and a signal to one identity. It reports; judging is the core's. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { HostIdentity, ProcessRow, ProcessSight } from "../domain/ProcessIdentity.ts"

/** Boot id, pid namespace or our own entry can't be read: nothing may be started, nobody judged. */
export class HostUnidentified extends Schema.TaggedError<HostUnidentified>()("HostUnidentified", {
  reason: Schema.String
}) {
  override get message() {
    return `this machine can't be identified: ${this.reason}`
  }
}

/** The list of processes can't be read: nobody's death can be proven. */
export class ProcessesUnreadable extends Schema.TaggedError<ProcessesUnreadable>()("ProcessesUnreadable", {
  reason: Schema.String
}) {
  override get message() {
    return `the list of processes can't be read: ${this.reason}`
  }
}

/** The signals that are ever sent. */
export type Signal = "SIGINT" | "SIGCONT" | "SIGTERM" | "SIGKILL"

/** A process in words for people. */
export interface ProcessDescription {
  /** The name that it gave itself, without control characters. */
  readonly name: string
  /** The state letter of /proc/PID/stat. */
  readonly state: string
  /** The number of the user that it runs as. */
  readonly user: number
  /** Whether we may signal that user's processes. */
  readonly maySignal: boolean
}

/** What an agent's environment says that it is about, whichever scheduler started it. Unparsed: anybody may write there. */
export interface StatedTask {
  /** The value of TINYSCHEDULER_TASK_ID. */
  readonly taskId: string
  /** The value of TINYSCHEDULER_MCP_ENDPOINT. */
  readonly endpoint: string
}

/** The process that asks, and the machine it runs on. */
export interface Ourselves {
  readonly here: HostIdentity
  readonly pid: number
  readonly pidStart: number
}

/** The processes of this machine. */
export class ProcessTable extends Context.Service<
  ProcessTable,
  {
    readonly ourselves: Effect.Effect<Ourselves, HostUnidentified>
    /** Milliseconds on the clock that all processes of this boot share and that no one sets. */
    readonly monotonicMs: Effect.Effect<number>
    /** What each pid shows now. */
    readonly look: (
      pids: ReadonlyArray<number>
    ) => Effect.Effect<ReadonlyMap<number, ProcessSight>, ProcessesUnreadable>
    /** When a pid's process started, in wall-clock milliseconds; null when it can't be told. */
    readonly startedAtMs: (pid: number) => Effect.Effect<number | null>
    /** All processes we can see, with the lease token each carries. */
    readonly scan: Effect.Effect<ReadonlyArray<ProcessRow>, ProcessesUnreadable>
    /** The task that a process's environment names; null when it names none, is gone or another user's. */
    readonly statedTask: (pid: number) => Effect.Effect<StatedTask | null, ProcessesUnreadable>
    /** What people know a process by; null when it is gone or can't be told. */
    readonly describe: (pid: number) => Effect.Effect<ProcessDescription | null>
    /** Signals one process, after its start was compared once more; never a group, never by bare pid. */
    readonly signal: (
      target: { readonly pid: number; readonly pidStart: number },
      signal: Signal
    ) => Effect.Effect<"sent" | "gone" | "refused">
  }
>()("@tinyscheduler/core/ports/ProcessTable") {}
