/**
 * The names and numbers that identify things: branded, so that one is never taken for another, and checked once, where
 * they enter. Agent names and queue names come from people and reach paths, logs and argument lists: their form is the
 * first fence against injection.
 */
import * as Schema from "effect/Schema"

/** A Tinytask task's number. */
export const TaskId = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER })).pipe(
  Schema.brand("TaskId")
)
export type TaskId = typeof TaskId.Type

/** An agent's name: anchored at both ends, no leading dash, at most 64 characters. */
export const AgentName = Schema.String.check(
  Schema.isPattern(/^[A-Za-z0-9_][A-Za-z0-9_-]{0,63}$/, {
    message: "letters, digits, _ and - only, not beginning with -, at most 64 characters"
  })
).pipe(Schema.brand("AgentName"))
export type AgentName = typeof AgentName.Type

/** A queue's name: free text, up to 128 characters, no control characters. */
export const QueueName = Schema.String.check(
  // oxlint-disable-next-line no-control-regex -- control characters are exactly what is refused
  Schema.isPattern(/^[^\u0000-\u001f\u007f-\u009f]{1,128}$/, {
    message: "1 to 128 characters, none of them a control character"
  })
).pipe(Schema.brand("QueueName"))
export type QueueName = typeof QueueName.Type

/** Counts the starts of one task: only grows, never reset. */
export const Epoch = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER })).pipe(
  Schema.brand("Epoch")
)

/** The largest epoch after which there is a next one. A file that claims more is a person's doing. */
export const epochMax = Number.MAX_SAFE_INTEGER - 1
export type Epoch = typeof Epoch.Type

/** A UUID drawn for one attempt; whatever the attempt starts carries it in its environment. */
export const Token = Schema.String.check(
  Schema.isPattern(/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/, { message: "a UUID" })
).pipe(Schema.brand("Token"))
export type Token = typeof Token.Type

/** Grows each time a scheduler takes the lock. */
export const Term = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })).pipe(
  Schema.brand("Term")
)
export type Term = typeof Term.Type

/** A moment as text, UTC, as it stands in files: 2026-01-20T04:00:00Z, with or without milliseconds. */
export const Timestamp = Schema.String.check(
  Schema.isPattern(
    /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?Z$/,
    {
      message: "a UTC time like 2026-01-20T04:00:00Z"
    }
  )
)
export type Timestamp = typeof Timestamp.Type

/** A process's number: 0 and negative ones would address groups. */
export const Pid = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 2 ** 31 - 1 }))

/** A number of seconds that is whole and not negative. */
export const Seconds = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 31_536_000 }))
export type Seconds = typeof Seconds.Type
