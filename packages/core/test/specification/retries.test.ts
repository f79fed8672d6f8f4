/** What is remembered of endings, and when a task may be tried again. */
import { describe, expect, it } from "vitest"
import { policyDefaults } from "../../src/domain/DesiredState.ts"
import type { Outcome } from "../../src/domain/Outcome.ts"
import { backoffMs } from "../../src/reconcile/backoff.ts"
import { recordAgentEnding, recordEnding } from "../../src/reconcile/recordEnding.ts"
import { agentRecord, at, attempts, epoch, nowMs, oneAgent, recordedOutcome, tokenOf } from "../builders.ts"
import type { Attempts } from "../../src/domain/Attempts.ts"
import { specify } from "./specify.ts"

/** Task 1, of which two attempts ended. */
const remembered = (fields: Partial<Attempts>) =>
  oneAgent()
    .addTask(1)
    .addAttempts(
      1,
      attempts(
        1,
        { epoch: 2, agent: "ada" },
        {
          outcomes: [recordedOutcome(1, 1, "failed"), recordedOutcome(1, 2, "failed")],
          counts: { failures: 2, losses: 0 },
          ...fields
        }
      )
    )
const parked = { since: at(-60), outcome: "failed" as const, count: 3 }

describe("waiting for another attempt", () => {
  specify([
    {
      name: "backoff ahead: the task waits until then",
      world: remembered({ notBefore: at(45) }),
      lines: ["wait task 1: backoff until 2026-03-01T12:00:45.000Z"]
    },
    {
      name: "backoff reached: the third attempt starts, with an epoch that was never used",
      world: remembered({ notBefore: at(0) }),
      lines: ["start task 1 on ada (epoch 3, attempt 3)"]
    },
    {
      name: "exactly the longest backoff ahead still holds",
      world: remembered({ notBefore: at(3600) }),
      lines: ["wait task 1: backoff until 2026-03-01T13:00:00.000Z"]
    },
    {
      name: "further off than the longest backoff counts as due: a clock was set back",
      world: remembered({ notBefore: at(3601) }),
      lines: ["start task 1 on ada (epoch 3, attempt 3)"]
    },
    {
      name: "parked: no attempt until it is released",
      world: remembered({ parked }),
      lines: ["wait task 1: parked after 3 (failed)"]
    },
    {
      name: "parked and backing off are both told",
      world: remembered({ parked, notBefore: at(5) }),
      lines: ["wait task 1: parked after 3 (failed); backoff until 2026-03-01T12:00:05.000Z"]
    },
    {
      name: "another incarnation of the task is not parked by what befell the former, and keeps its epochs",
      world: remembered({ parked, notBefore: at(45), taskCreatedAt: at(-90_000) }),
      lines: ["start task 1 on ada (epoch 3, attempt 1)"]
    },
    {
      name: "attempts that can't be read hold their task, and no other",
      world: oneAgent().addTask(1).addTask(2).addRecord(1, { attemptsProblem: "not JSON" }),
      lines: ["wait task 1: attempts unreadable: not JSON", "start task 2 on ada (epoch 1, attempt 1)"]
    },
    {
      name: "a working task whose attempts can't be read is held, for it may be ours: not worked on outside",
      world: oneAgent()
        .addTask(1, { status: "working", assignee: "ada" })
        .addRecord(1, { attemptsProblem: "not JSON" }),
      lines: ["wait task 1: attempts unreadable: not JSON"]
    }
  ])
})

describe("how long to wait", () => {
  it.each([
    { name: "no failure: no delay", count: 0, from: 0, to: 0 },
    { name: "1: 24 to 30 s", count: 1, from: 24_000, to: 30_000 },
    { name: "2: 48 to 60 s", count: 2, from: 48_000, to: 60_000 },
    { name: "3: 96 to 120 s", count: 3, from: 96_000, to: 120_000 },
    { name: "9: capped, 2880 to 3600 s", count: 9, from: 2_880_000, to: 3_600_000 },
    { name: "1000: capped, and finite", count: 1000, from: 2_880_000, to: 3_600_000 }
  ])("$name", ({ count, from, to }) => {
    for (let taskId = 1; taskId <= 200; taskId += 1) {
      const delay = backoffMs({ count, baseSec: 30, maxSec: 3600, taskId, attempt: count })
      expect(delay).toBeGreaterThanOrEqual(from)
      expect(delay).toBeLessThanOrEqual(to)
    }
  })

  it("the same task and attempt wait equally long after every restart", () => {
    const delay = () => backoffMs({ count: 2, baseSec: 30, maxSec: 3600, taskId: 17, attempt: 2 })
    expect(delay()).toBe(delay())
  })

  it("tasks that failed together don't come back together", () => {
    const delays = Array.from({ length: 100 }, (_, index) =>
      backoffMs({ count: 3, baseSec: 30, maxSec: 3600, taskId: index + 1, attempt: 3 })
    )
    expect(new Set(delays).size).toBeGreaterThan(90)
  })
})

const ended = (before: Attempts, outcome: Outcome, attempt = 3) =>
  recordEnding(
    before,
    { epoch: epoch(attempt), token: tokenOf(1, attempt), outcome, detail: "exit 1", nowMs },
    policyDefaults
  )
const before = (failures: number, losses: number, fields: Partial<Attempts> = {}) =>
  attempts(1, { epoch: 3, agent: "ada" }, { counts: { failures, losses }, ...fields })

describe("what an ending counts towards", () => {
  it.each<{
    readonly name: string
    readonly outcome: Outcome
    readonly from: readonly [number, number]
    readonly to: readonly [number, number]
    readonly parks: boolean
    readonly delays: boolean
  }>([
    { name: "failed counts as a failure", outcome: "failed", from: [0, 0], to: [1, 0], parks: false, delays: true },
    {
      name: "unreported counts as a failure",
      outcome: "unreported",
      from: [1, 1],
      to: [2, 1],
      parks: false,
      delays: true
    },
    {
      name: "timed-out counts as a failure",
      outcome: "timed-out",
      from: [0, 0],
      to: [1, 0],
      parks: false,
      delays: true
    },
    { name: "stalled counts as a failure", outcome: "stalled", from: [0, 0], to: [1, 0], parks: false, delays: true },
    { name: "the third failure parks", outcome: "failed", from: [2, 0], to: [3, 0], parks: true, delays: true },
    { name: "lost has a count of its own", outcome: "lost", from: [2, 0], to: [2, 1], parks: false, delays: true },
    {
      name: "start-failed counts with lost",
      outcome: "start-failed",
      from: [0, 1],
      to: [0, 2],
      parks: false,
      delays: true
    },
    { name: "stopped counts with lost", outcome: "stopped", from: [0, 1], to: [0, 2], parks: false, delays: true },
    {
      name: "a rate limit is no failure",
      outcome: "rate-limited",
      from: [2, 1],
      to: [2, 2],
      parks: false,
      delays: true
    },
    { name: "the tenth loss parks", outcome: "lost", from: [0, 9], to: [0, 10], parks: true, delays: true },
    {
      name: "auth parks at once, without counting",
      outcome: "auth",
      from: [0, 0],
      to: [0, 0],
      parks: true,
      delays: false
    },
    { name: "void counts for nothing", outcome: "void", from: [2, 9], to: [2, 9], parks: false, delays: false },
    { name: "done clears all counts", outcome: "done", from: [2, 9], to: [0, 0], parks: false, delays: false },
    {
      name: "a hand-over clears all counts",
      outcome: "handed-over",
      from: [2, 9],
      to: [0, 0],
      parks: false,
      delays: false
    }
  ])("$name", ({ delays, from, outcome, parks, to }) => {
    const after = ended(before(...from), outcome)
    expect({ failures: after.counts.failures, losses: after.counts.losses }).toEqual({ failures: to[0], losses: to[1] })
    expect(after.parked !== null).toBe(parks)
    expect(after.notBefore !== null).toBe(delays)
    expect(after.outcomes.map((recorded) => [recorded.epoch, recorded.outcome])).toEqual([[3, outcome]])
  })

  it("an epoch's outcome is judged once: a second ending changes nothing", () => {
    const once = ended(before(0, 0), "failed")
    expect(ended(once, "done")).toBe(once)
  })

  it("what was seen of an attempt is forgotten with its ending", () => {
    const seen = {
      epoch: epoch(3),
      bootId: "boot-2",
      hungBeatMonoMs: 1,
      hungSinceMonoMs: 1,
      unknownSinceMonoMs: null,
      completeSinceMonoMs: null
    }
    expect(ended(before(0, 0, { observed: seen }), "lost").observed).toBeNull()
  })

  it("void keeps a backoff and a parking that stood", () => {
    const after = ended(before(3, 0, { parked, notBefore: at(45) }), "void")
    expect([after.parked, after.notBefore]).toEqual([parked, at(45)])
  })

  it("at most 50 outcomes are kept, the latest", () => {
    let kept = before(0, 0)
    for (let attempt = 1; attempt <= 60; attempt += 1) kept = ended(kept, "done", attempt)
    expect([kept.outcomes.length, kept.outcomes[0]?.epoch, kept.outcomes.at(-1)?.epoch]).toEqual([50, 11, 60])
  })
})

describe("agents whose starts fail", () => {
  it.each([
    {
      name: "the second failed start in a row sets nobody aside",
      before: 1,
      outcome: "start-failed",
      failures: 2,
      aside: false
    },
    { name: "the third does", before: 2, outcome: "start-failed", failures: 3, aside: true },
    { name: "an attempt that began clears the row", before: 5, outcome: "failed", failures: 0, aside: false },
    {
      name: "a start that was given up says nothing about the agent",
      before: 2,
      outcome: "void",
      failures: 2,
      aside: false
    }
  ] as const)("$name", ({ aside, before, failures, outcome }) => {
    const after = recordAgentEnding(
      agentRecord("ada", { startFailures: before }),
      outcome,
      { nowMs, taskId: 1 },
      policyDefaults
    )
    expect([after.startFailures, after.setAsideUntil !== null]).toEqual([failures, aside])
  })
})
