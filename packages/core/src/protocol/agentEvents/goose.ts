/**
 * Goose, `--output-format stream-json` (crates/goose-cli/src/session/mod.rs, enum StreamEvent): `message`, `notification`,
 * then `error{error}` or `complete{…tokens}`. An error's text is the provider error's own (crates/goose/src/providers/
 * errors.rs): "Rate limit exceeded: …", "Authentication error: …". No reset time is told.
 *
 * The older agent loop makes a last message of a provider's error and goes on to `complete` (crates/goose/src/agents/
 * agent.rs): its text as a whole has a fixed beginning and a fixed end. What a model says has neither.
 */
import { isEvent, said, textOf } from "./Reading.ts"
import type { Event, ReadEvent, Saying } from "./Reading.ts"

const failureOf = (error: string): Saying => {
  if (error.startsWith("Rate limit exceeded: ")) return said("rate-limited", error)
  if (error.startsWith("Authentication error: ")) return said("auth", error)
  return said("failed", error)
}

const toldAsMessage =
  /^Ran into this error: ([^]+)\.\n\nPlease retry if you think this is a transient or recoverable error\.$/

const failureInMessage = (message: unknown): Saying | null => {
  if (!isEvent(message) || message["role"] !== "assistant" || !Array.isArray(message["content"])) return null
  const [content, ...more]: ReadonlyArray<unknown> = message["content"]
  if (!isEvent(content) || content["type"] !== "text" || more.length > 0) return null
  const error = toldAsMessage.exec(textOf(content["text"]))?.[1]
  return error === undefined ? null : failureOf(error)
}

export const readGoose: ReadEvent = (before, event: Event) => {
  switch (event["type"]) {
    case "message":
      return { result: null, pending: failureInMessage(event["message"]) }
    case "error":
      return { result: failureOf(textOf(event["error"])), pending: null }
    case "complete":
      return { result: before.pending ?? said("completed", "complete"), pending: null }
    default:
      return before
  }
}
