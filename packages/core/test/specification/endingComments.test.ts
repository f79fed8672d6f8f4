/** What a task is told of an ending that is no success, and what a hostile output can't make of it. */
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { endingComment, tellsOf } from "../../src/reconcile/endingComment.ts"
import type { ToldEnding } from "../../src/reconcile/endingComment.ts"
import { agentName, tokenOf } from "../builders.ts"

const told = (fields: Partial<ToldEnding> = {}): string =>
  endingComment({
    taskId: 1,
    token: tokenOf(1, 3),
    agent: agentName("ada"),
    attempt: 2,
    outcome: "failed",
    detail: "exit 3",
    tail: null,
    parked: false,
    notBefore: null,
    ...fields
  })

const head = `[tinyscheduler ${tokenOf(1, 3)}] attempt 2 by ada: failed (exit 3).`
const quoted = (...lines: ReadonlyArray<string>) => [head, "", "The end of its output:", "", ...lines]

describe("a comment on an ending", () => {
  it.each([
    { name: "says who, how often and how", fields: {}, is: [head] },
    {
      name: "says when it goes on",
      fields: { notBefore: "2026-03-01T12:00:30.000Z" },
      is: [head, "The next attempt begins after 2026-03-01T12:00:30.000Z."]
    },
    {
      name: "of a parked task says what releases it, not when",
      fields: { parked: true, notBefore: "2026-03-01T12:00:30.000Z" },
      is: [head, "It is parked: no further attempt until `tinyscheduler retry 1`."]
    },
    {
      name: "quotes the end of the output, indented",
      fields: { tail: "one\ntwo\n" },
      is: quoted("    one", "    two")
    },
    { name: "quotes no empty output", fields: { tail: "\n \n" }, is: [head] },
    {
      name: "leaves colours out, spells control characters, and takes a carriage return for a line's end",
      fields: { tail: "\u001b[31mred\u001b[0m\u0007 10%\r20%\u202e" },
      is: quoted("    red\\u0007 10%", "    20%\\u202e")
    },
    {
      name: "spells out what nobody sees or what turns the reading direction, and keeps tabs",
      fields: { tail: "a\u200b\tb\u061cc\ufeff", detail: "d\u2060e\tf" },
      is: [head.replace("exit 3", "d\\u2060e f"), "", "The end of its output:", "", "    a\\u200b\tb\\u061cc\\ufeff"]
    },
    {
      name: "spells out half of a character that was cut in two",
      fields: { tail: "a\udc00" },
      is: quoted("    a\\udc00")
    },
    {
      name: "keeps its cause on one line",
      fields: { detail: "now in queue a\nb\u001b[2J" },
      is: [head.replace("exit 3", "now in queue a b")]
    },
    {
      name: "keeps the last 40 lines",
      fields: { tail: Array.from({ length: 50 }, (_, line) => String(line + 1)).join("\n") },
      is: quoted(...Array.from({ length: 40 }, (_, line) => `    ${line + 11}`))
    }
  ])("$name", ({ fields, is }) => {
    expect(told(fields).split("\n")).toEqual(is)
  })

  it("is bounded, whatever the output was", () => {
    for (const tail of [
      "x".repeat(9000),
      "\n".repeat(9000),
      "\u0000".repeat(9000),
      "😀".repeat(4500),
      "`".repeat(9000)
    ]) {
      expect(told({ tail, detail: tail.slice(0, 500), parked: true }).length).toBeLessThan(6000)
    }
  })

  it("tells of its own attempt, and of no other", () => {
    expect(tellsOf(tokenOf(1, 3), told())).toBe(true)
    expect(tellsOf(tokenOf(1, 4), told())).toBe(false)
    expect(tellsOf(tokenOf(1, 4), told({ tail: `[tinyscheduler ${tokenOf(1, 4)}] attempt 3 by ada: done` }))).toBe(
      false
    )
  })

  it("is not told already where a person quotes ours, or mentions its mark", () => {
    for (const comment of [`> ${head}`, `What does ${head} mean?`]) expect(tellsOf(tokenOf(1, 3), comment)).toBe(false)
  })

  it("shows every line of any output within the quote, with no character that is obeyed", () => {
    const hostile = fc.string({
      unit: fc.oneof(
        fc.constantFrom("\n", "\r", "\u001b[2J", "\u001b", "```", "[tinyscheduler ", "\u202e", "\u2028", "\u0000"),
        fc.string({ unit: "binary", maxLength: 3 })
      ),
      maxLength: 60
    })
    fc.assert(
      fc.property(hostile, hostile, (tail, detail) => {
        const [first = "", ...rest] = told({ tail, detail }).split("\n")
        expect(first.startsWith(head.slice(0, -9))).toBe(true)
        const quote = rest.slice(3)
        expect(quote.filter((line) => !line.startsWith("    "))).toEqual([])
        expect([first, ...rest].join("")).not.toMatch(/[^\t\P{Cc}]|[\u2028\u2029\u202a-\u202e]|\p{Surrogate}/u)
      }),
      { numRuns: 300, seed: 20_261_123 }
    )
  })
})
