/**
 * Codex, `exec --json` (codex-rs/exec/src/exec_events.rs): `turn.completed`, `turn.failed{error: {message}}`, and
 * `error{message}`, which also tells of retries. A failure has no kind but its message, whose beginnings are those of
 * codex-rs/core's errors. A usage limit's reset is told in words and local time, and so isn't read.
 */
import { isEvent, said, textOf } from "./Reading.ts"
import type { ReadEvent, Saying } from "./Reading.ts"

const failureOf = (message: string): Saying => {
  if (/^(?:You've hit your usage limit|exceeded retry limit, last status: 429\b)/.test(message))
    return said("rate-limited", message)
  if (/^(?:unexpected status 401\b|exceeded retry limit, last status: 401\b)/.test(message))
    return said("auth", message)
  return said("failed", message)
}

export const readCodex: ReadEvent = (before, event) => {
  switch (event["type"]) {
    case "turn.started":
    case "turn.completed":
      return { result: event["type"] === "turn.completed" ? said("completed", "turn.completed") : null, pending: null }
    case "turn.failed": {
      const { error } = event
      return { result: failureOf(isEvent(error) ? textOf(error["message"]) : ""), pending: null }
    }
    default:
      return before
  }
}
