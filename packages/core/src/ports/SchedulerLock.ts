/** The port to the lock that makes one scheduler the only writer, and to the term that fences a scheduler which slept. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type { Term } from "../domain/identifiers.ts"
import type { LockLost } from "./StateError.ts"

/** Another scheduler holds the lock. */
export class LockHeld extends Schema.TaggedError<LockHeld>()("LockHeld", {
  path: Schema.String,
  /** What the holder wrote for people: "pid 4711, term 12"; null when unreadable. */
  holder: Schema.NullOr(Schema.String)
}) {
  override get message() {
    return `another scheduler holds ${this.path}${this.holder === null ? "" : ` (${this.holder})`}`
  }
}

/** The lock can't be tried at all: no flock(1), no permission, a link in its place. */
export class LockUnavailable extends Schema.TaggedError<LockUnavailable>()("LockUnavailable", {
  path: Schema.String,
  reason: Schema.String
}) {
  override get message() {
    return `the scheduler lock ${this.path} can't be taken: ${this.reason}`
  }
}

/** The lock while it is held. */
export interface HeldLock {
  /** Null when the term could not be raised: then nothing is written, only observed and signalled. */
  readonly term: Term | null
  readonly termProblem: string | null
}

/** Makes one scheduler the only writer. */
export class SchedulerLock extends Context.Service<
  SchedulerLock,
  {
    /** Tries once. Held until the scope closes or the process ends in any way; freed by the system at SIGKILL. */
    readonly acquire: Effect.Effect<HeldLock, LockHeld | LockUnavailable, Scope.Scope>
    /** Fails unless this process still holds the lock on the file at its path and its term is the latest. */
    readonly confirm: Effect.Effect<void, LockLost>
  }
>()("@tinyscheduler/core/ports/SchedulerLock") {}
