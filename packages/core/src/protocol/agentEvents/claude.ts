/**
 * Claude Code, `--output-format stream-json` or `json` (its Agent SDK's reference, SDKMessage): the last event is
 * `result{subtype, is_error, api_error_status?, result}`, whose `subtype` is "success" also where the provider refused
 * (anthropics/claude-code issues on exit 0 after errors); before it `assistant{error?}` of the main thread names the kind
 * of refusal, and `rate_limit_event{rate_limit_info: {status, resetsAt?}}` the reset, in seconds. Only status "rejected"
 * is a refusal: "allowed" and "allowed_warning" come with every good run.
 */
import { said, isEvent, textOf } from "./Reading.ts"
import type { Event, ReadEvent, Reading } from "./Reading.ts"

/** Seconds since 1970; what no clock of ours can show is none. */
const millisOf = (seconds: unknown): number | null =>
  typeof seconds === "number" && seconds > 0 && seconds < 8e12 ? seconds * 1000 : null

const limitOf = (before: Reading, info: unknown): Reading => {
  if (!isEvent(info) || info["status"] !== "rejected") return before
  return { ...before, pending: said("rate-limited", "rate limit rejected", millisOf(info["resetsAt"])) }
}

/** The kinds of refusal that only a person can mend. */
const authKinds: ReadonlySet<unknown> = new Set(["authentication_failed", "oauth_org_not_allowed"])

const refusalOf = (before: Reading, event: Event): Reading => {
  // What a subagent runs into is not yet the end of the run.
  if (event["parent_tool_use_id"] !== null && event["parent_tool_use_id"] !== undefined) return before
  const { error } = event
  if (error === "rate_limit") return { ...before, pending: before.pending ?? said("rate-limited", "rate_limit") }
  if (authKinds.has(error)) return { ...before, pending: said("auth", String(error)) }
  return { ...before, pending: null }
}

const resultOf = (before: Reading, event: Event): Reading => {
  const { pending } = before
  if (event["is_error"] !== true && event["subtype"] === "success")
    return { result: said("completed", "success"), pending: null }
  const status = event["api_error_status"]
  const text = textOf(event["result"])
  const detail = text === "" ? textOf(event["subtype"]) : text
  if (status === 429) return { result: said("rate-limited", detail, pending?.resetsAtMs ?? null), pending: null }
  if (status === 401) return { result: said("auth", detail), pending: null }
  if (typeof status !== "number" && pending !== null) return { result: { ...pending, detail }, pending: null }
  return { result: said("failed", detail), pending: null }
}

export const readClaude: ReadEvent = (before, event) => {
  switch (event["type"]) {
    case "rate_limit_event":
      return limitOf(before, event["rate_limit_info"])
    case "assistant":
      return refusalOf(before, event)
    case "result":
      return resultOf(before, event)
    default:
      return before
  }
}
