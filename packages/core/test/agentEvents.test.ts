/** What the event streams of Goose, Claude Code and Codex say of how a run ended, and what in them says nothing. */
import { describe, expect, it } from "vitest"
import { eventFormatOf, eventReader } from "../src/protocol/agentEvents/agentEvents.ts"
import type { EventFormat } from "../src/protocol/agentEvents/agentEvents.ts"

const read = (format: EventFormat, lines: ReadonlyArray<unknown>) => {
  const reader = eventReader(format)
  for (const line of lines) reader.line(typeof line === "string" ? line : JSON.stringify(line))
  return reader.result()
}

const says = (format: EventFormat, lines: ReadonlyArray<unknown>): string | null => read(format, lines)?.says ?? null

const gooseMessage = (text: string, role = "assistant") => ({
  type: "message",
  message: { id: null, role, created: 1_772_366_400, content: [{ type: "text", text }], metadata: {} }
})
const complete = { type: "complete", total_tokens: 1200, input_tokens: 1000, output_tokens: 200 }
const told = (error: string) =>
  gooseMessage(`Ran into this error: ${error}.\n\nPlease retry if you think this is a transient or recoverable error.`)

describe("Goose's stream", () => {
  it.each<{ readonly name: string; readonly lines: ReadonlyArray<unknown>; readonly is: string | null }>([
    { name: "nothing yet", lines: [gooseMessage("working")], is: null },
    { name: "a run to its end", lines: [gooseMessage("done"), complete], is: "completed" },
    {
      name: "a rate limit",
      lines: [{ type: "error", error: "Rate limit exceeded: 429 Too Many Requests" }],
      is: "rate-limited"
    },
    {
      name: "refused credentials",
      lines: [{ type: "error", error: "Authentication error: Status: 401 Unauthorized" }],
      is: "auth"
    },
    { name: "an interruption", lines: [{ type: "error", error: "Headless run interrupted" }], is: "failed" },
    {
      name: "a rate limit told as last message of a run that calls itself complete",
      lines: [told("Rate limit exceeded: slow down"), complete],
      is: "rate-limited"
    },
    {
      name: "refused credentials told as last message",
      lines: [told("Authentication error: bad key"), complete],
      is: "auth"
    },
    { name: "another error told as last message", lines: [told("Server error: 500"), complete], is: "failed" },
    {
      name: "an error told as a message that others followed",
      lines: [told("Rate limit exceeded: slow down"), gooseMessage("going on"), complete],
      is: "completed"
    },
    {
      name: "prose about a rate limit",
      lines: [gooseMessage("Ran into this error: Rate limit exceeded: x. So I waited, and went on."), complete],
      is: "completed"
    },
    {
      name: "what a tool or a person wrote in the words of an error",
      lines: [
        { ...told("Rate limit exceeded: x"), message: { ...told("Rate limit exceeded: x").message, role: "user" } },
        complete
      ],
      is: "completed"
    },
    {
      name: "notifications with an error in them",
      lines: [complete, { type: "notification", extension_id: "github", log: { message: "Rate limit exceeded: x" } }],
      is: "completed"
    },
    {
      name: "lines that are no events",
      lines: [complete, "Rate limit exceeded: x", '{"type":"error"', "[1]", "null", '{"type":5}'],
      is: "completed"
    }
  ])("$name", ({ is, lines }) => {
    expect(says("goose", lines)).toBe(is)
  })
})

const limit = (status: string, resetsAt: unknown = 1_772_370_000) => ({
  type: "rate_limit_event",
  rate_limit_info: { status, resetsAt, rateLimitType: "five_hour", isUsingOverage: false }
})
const assistant = (error?: string, parent: string | null = null) => ({
  type: "assistant",
  parent_tool_use_id: parent,
  message: { content: [{ type: "text", text: "…" }] },
  ...(error === undefined ? {} : { error })
})
const result = (fields: object) => ({ type: "result", subtype: "success", is_error: false, result: "ok", ...fields })
const refused = (status: number, text: string) => result({ is_error: true, api_error_status: status, result: text })

describe("Claude Code's stream", () => {
  it.each<{ readonly name: string; readonly lines: ReadonlyArray<unknown>; readonly is: string | null }>([
    { name: "nothing yet", lines: [limit("allowed"), assistant()], is: null },
    { name: "a good run, which bears limits too", lines: [limit("allowed_warning"), result({})], is: "completed" },
    {
      name: "a failure after a mere warning of a limit",
      lines: [assistant(), limit("allowed_warning"), result({ is_error: true })],
      is: "failed"
    },
    { name: "a rate limit", lines: [limit("rejected"), refused(429, "usage limit reached")], is: "rate-limited" },
    { name: "a rate limit by its status alone", lines: [refused(429, "API Error")], is: "rate-limited" },
    {
      name: "a rate limit by the kind of the last message, where the result has no status",
      lines: [assistant("rate_limit"), result({ is_error: true, result: "API Error: Rate limit reached" })],
      is: "rate-limited"
    },
    { name: "refused credentials", lines: [refused(401, "Invalid API key")], is: "auth" },
    {
      name: "refused credentials by the kind of the last message",
      lines: [assistant("authentication_failed"), result({ is_error: true })],
      is: "auth"
    },
    {
      name: "a limit that it overcame",
      lines: [limit("rejected"), assistant("rate_limit"), assistant(), result({})],
      is: "completed"
    },
    {
      name: "a limit that it overcame, and another failure",
      lines: [limit("rejected"), assistant(), result({ subtype: "error_max_turns", is_error: true })],
      is: "failed"
    },
    {
      name: "a subagent's refusal",
      lines: [assistant("authentication_failed", "toolu_1"), result({ is_error: true })],
      is: "failed"
    },
    { name: "another refusal, although its subtype is success", lines: [refused(404, "no such model")], is: "failed" },
    { name: "too many turns", lines: [result({ subtype: "error_max_turns", is_error: true })], is: "failed" },
    {
      name: "prose about a limit",
      lines: [result({ result: '{"type":"rate_limit_event"} 429 usage limit reached' })],
      is: "completed"
    }
  ])("$name", ({ is, lines }) => {
    expect(says("claude", lines)).toBe(is)
  })

  it("tells when the limit resets, where it does and a clock can show it", () => {
    const resetOf = (resetsAt: unknown) =>
      read("claude", [limit("rejected", resetsAt), refused(429, "limit")])?.resetsAtMs
    expect(resetOf(1_772_370_000)).toBe(1_772_370_000_000)
    for (const odd of [null, "soon", -1, 0, Number.NaN, 1e300, [], {}]) expect(resetOf(odd)).toBeNull()
  })
})

describe("Codex's stream", () => {
  const failed = (message: string) => ({ type: "turn.failed", error: { message } })
  it.each<{ readonly name: string; readonly lines: ReadonlyArray<unknown>; readonly is: string | null }>([
    { name: "nothing yet", lines: [{ type: "thread.started", thread_id: "t" }, { type: "turn.started" }], is: null },
    { name: "a good run", lines: [{ type: "turn.completed", usage: {} }], is: "completed" },
    {
      name: "a usage limit",
      lines: [failed("You've hit your usage limit. Upgrade to Pro or try again at Mar 10th, 2026 3:39 AM.")],
      is: "rate-limited"
    },
    {
      name: "a rate limit",
      lines: [failed("exceeded retry limit, last status: 429 Too Many Requests, request id: x")],
      is: "rate-limited"
    },
    {
      name: "refused credentials",
      lines: [failed("unexpected status 401 Unauthorized: Missing scopes")],
      is: "auth"
    },
    {
      name: "refused credentials after retries",
      lines: [failed("exceeded retry limit, last status: 401 Unauthorized, request id: x")],
      is: "auth"
    },
    { name: "another failure", lines: [failed("stream disconnected before completion")], is: "failed" },
    { name: "a failure without a word", lines: [{ type: "turn.failed" }], is: "failed" },
    {
      name: "notices of retries that led on",
      lines: [{ type: "error", message: "Reconnecting... 1/5" }, { type: "turn.completed" }],
      is: "completed"
    },
    {
      name: "a command's output",
      lines: [
        {
          type: "item.completed",
          item: { type: "command_execution", aggregated_output: "You've hit your usage limit" }
        },
        { type: "turn.completed" }
      ],
      is: "completed"
    },
    {
      name: "a failure that speaks of limits in its middle",
      lines: [failed("the tool said: You've hit your usage limit")],
      is: "failed"
    }
  ])("$name", ({ is, lines }) => {
    expect(says("codex", lines)).toBe(is)
  })
})

describe("the format of an output", () => {
  it.each<{ readonly argv: ReadonlyArray<string>; readonly is: EventFormat | null }>([
    { argv: ["/opt/goose-1.50", "run", "--recipe", "a.yaml", "--output-format", "stream-json"], is: "goose" },
    { argv: ["goose", "run", "-t", "x", "--output-format=stream-json"], is: "goose" },
    { argv: ["goose", "run", "--recipe", "a.yaml"], is: null },
    { argv: ["goose", "run", "--output-format", "json"], is: null },
    { argv: ["nice", "-n", "5", "/usr/bin/claude", "-p", "--output-format", "stream-json", "--verbose"], is: "claude" },
    { argv: ["claude", "-p", "--output-format", "json"], is: "claude" },
    { argv: ["claude", "-p", "--", "Read it"], is: null },
    { argv: ["codex", "exec", "--json", "Read it"], is: "codex" },
    { argv: ["codex", "exec", "Read it"], is: null },
    { argv: ["sh", "-c", "claude -p --output-format stream-json"], is: null },
    { argv: ["--output-format"], is: null },
    { argv: [], is: null }
  ])("of $argv is $is", ({ argv, is }) => {
    expect(eventFormatOf(argv)).toBe(is)
  })
})

it("of what was said no more than 8 KiB are held", () => {
  expect(read("goose", [{ type: "error", error: "x".repeat(9000) }])?.detail).toHaveLength(8192)
})
