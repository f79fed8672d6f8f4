/** What can go wrong with the state directory; shared by the ports that stand on it. */
import * as Schema from "effect/Schema"

/** A directory or file of the state can't be read as a whole; single odd files are part of a scan instead. */
export class StateUnreadable extends Schema.TaggedError<StateUnreadable>()("StateUnreadable", {
  path: Schema.String,
  reason: Schema.String
}) {
  override get message() {
    return `${this.path} can't be read: ${this.reason}`
  }
}

/** No space, read-only, I/O error, no permission: the write did not happen, or may have; the next pass re-reads. */
export class StateUnwritable extends Schema.TaggedError<StateUnwritable>()("StateUnwritable", {
  path: Schema.String,
  reason: Schema.String
}) {
  override get message() {
    return `${this.path} can't be written: ${this.reason}`
  }
}

/** This process holds the lock no longer, or a later term has begun: it may write nothing more. */
export class LockLost extends Schema.TaggedError<LockLost>()("LockLost", {
  path: Schema.String,
  reason: Schema.String
}) {
  override get message() {
    return `the scheduler lock ${this.path} is lost: ${this.reason}`
  }
}

/** How a write can fail. */
export type StateWriteError = StateUnwritable | LockLost
