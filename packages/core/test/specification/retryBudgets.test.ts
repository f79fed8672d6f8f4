/** What is remembered after any sequence of endings, written to its file and read again between any two of them. */
import * as fc from "fast-check"
import * as Schema from "effect/Schema"
import { describe, expect, it } from "vitest"
import { AttemptsFile } from "../../src/domain/Attempts.ts"
import type { Attempts } from "../../src/domain/Attempts.ts"
import { policyDefaults } from "../../src/domain/DesiredState.ts"
import { Outcome } from "../../src/domain/Outcome.ts"
import { millisOf, timestampOf } from "../../src/domain/time.ts"
import { backoffUntilMs, limitMs } from "../../src/reconcile/backoff.ts"
import { recordAgentEnding, recordEnding, startFailuresMax } from "../../src/reconcile/recordEnding.ts"
import { agentRecord, attempts, epoch, nowMs, tokenOf } from "../builders.ts"

const { backoffBaseSec, backoffMaxSec, maxAttempts, maxLost } = policyDefaults
const parameters = { numRuns: 300, seed: 20_261_123 }

const stored = (value: Attempts): Attempts =>
  Schema.decodeUnknownSync(AttemptsFile)(JSON.parse(JSON.stringify(Schema.encodeSync(AttemptsFile)(value))))

interface Ended {
  readonly outcome: Outcome
  readonly resetsInSec: number | null
  readonly tookSec: number
}

const endings = fc.array(
  fc.record({
    outcome: fc.constantFrom(...Outcome.literals),
    resetsInSec: fc.option(fc.integer({ min: -100, max: 1_000_000 })),
    tookSec: fc.integer({ min: 0, max: 10_000 })
  }),
  { maxLength: 30 }
)

/** After each ending: what was recorded, and when. */
const after = (sequence: ReadonlyArray<Ended>, reread: (value: Attempts) => Attempts) => {
  let value: Attempts = attempts(1, { epoch: 1, agent: "ada" }, { counts: { failures: 0, losses: 0 } })
  let atMs = nowMs
  return sequence.map(({ outcome, resetsInSec, tookSec }, index) => {
    atMs += tookSec * 1000
    const resetsAt = resetsInSec === null ? null : timestampOf(atMs + resetsInSec * 1000)
    const ended = { epoch: epoch(index + 1), token: tokenOf(1, index + 1), outcome, detail: "", resetsAt, nowMs: atMs }
    value = reread(recordEnding(value, ended, policyDefaults))
    return { value, atMs, outcome }
  })
}

const failures: ReadonlySet<Outcome> = new Set(["failed", "unreported", "timed-out", "stalled"])
const losses: ReadonlySet<Outcome> = new Set(["lost", "start-failed", "stopped", "rate-limited"])

/** How many of these there were since the counts were cleared last. */
const countOf = (kinds: ReadonlySet<Outcome>, sequence: ReadonlyArray<Ended>): number => {
  const since = sequence.findLastIndex(({ outcome }) => outcome === "done" || outcome === "handed-over")
  return sequence.slice(since + 1).filter(({ outcome }) => kinds.has(outcome)).length
}

describe("any sequence of endings", () => {
  it("counts failures and losses apart, since the last success, and parks at either bound", () => {
    fc.assert(
      fc.property(endings, (sequence) => {
        const last = after(sequence, (value) => value).at(-1)
        if (last === undefined) return
        const counts = { failures: countOf(failures, sequence), losses: countOf(losses, sequence) }
        expect(last.value.counts).toEqual(counts)
        if (last.outcome === "void") return
        const isSpent =
          (failures.has(last.outcome) && counts.failures >= maxAttempts) ||
          (losses.has(last.outcome) && counts.losses >= maxLost)
        expect(last.value.parked !== null).toBe(isSpent || last.outcome === "auth")
      }),
      parameters
    )
  })

  it("leaves a wait that no clock mistakes for its own being set, and that holds its task for some time", () => {
    fc.assert(
      fc.property(endings, (sequence) => {
        for (const { atMs, outcome, value } of after(sequence, (same) => same)) {
          const untilMs = value.notBefore === null ? null : millisOf(value.notBefore)
          if (outcome === "done" || outcome === "handed-over" || outcome === "auth") expect(untilMs).toBeNull()
          if (!failures.has(outcome) && !losses.has(outcome)) continue
          expect(backoffUntilMs(value.notBefore, atMs, policyDefaults)).toBe(untilMs)
          expect((untilMs ?? 0) - atMs).toBeGreaterThanOrEqual(backoffBaseSec * 800)
          expect((untilMs ?? 0) - atMs).toBeLessThanOrEqual(backoffMaxSec * 1000)
        }
      }),
      parameters
    )
  })

  it("is remembered the same by a scheduler that is started anew after each of them", () => {
    fc.assert(
      fc.property(endings, (sequence) => {
        expect(after(sequence, stored)).toEqual(after(sequence, (value) => value))
      }),
      parameters
    )
  })
})

describe("after a rate limit", () => {
  const limited = (resetsInSec: number | null, count = 1, taskId = 17): number =>
    limitMs({
      count,
      baseSec: 30,
      maxSec: 3600,
      taskId,
      attempt: count,
      resetsInMs: resetsInSec === null ? null : resetsInSec * 1000
    }) / 1000

  it.each([
    { name: "no reset was told: its backoff", resetsInSec: null, count: 1, from: 24, to: 30 },
    { name: "a reset that is past: its backoff", resetsInSec: -5, count: 1, from: 24, to: 30 },
    {
      name: "a reset in half an hour: until then, and no more than the base longer",
      resetsInSec: 1800,
      count: 1,
      from: 1800,
      to: 1830
    },
    { name: "a reset that is always near: ever longer", resetsInSec: 1, count: 5, from: 384, to: 480 },
    { name: "a reset in days: the longest backoff", resetsInSec: 600_000, count: 1, from: 3600, to: 3600 }
  ])("$name", ({ count, from, resetsInSec, to }) => {
    for (let taskId = 1; taskId <= 50; taskId += 1) {
      expect(limited(resetsInSec, count, taskId)).toBeGreaterThanOrEqual(from)
      expect(limited(resetsInSec, count, taskId)).toBeLessThanOrEqual(to)
    }
  })

  it("tasks that were limited together don't come back in the same second", () => {
    const delays = Array.from({ length: 100 }, (_, at) => Math.floor(limited(1800, 1, at + 1)))
    expect(new Set(delays).size).toBeGreaterThan(15)
  })
})

it("an agent is set aside by starts that fail in a row, ever longer, and by nothing else", () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...Outcome.literals), { maxLength: 20 }), (sequence) => {
      let record = agentRecord("ada")
      for (const outcome of sequence) record = recordAgentEnding(record, outcome, { nowMs, taskId: 1 }, policyDefaults)
      const counted = sequence.filter((outcome) => outcome !== "void")
      const inRow = counted.length - 1 - counted.findLastIndex((outcome) => outcome !== "start-failed")
      expect(record.startFailures).toBe(inRow)
      expect(record.setAsideUntil !== null).toBe(inRow >= startFailuresMax)
    }),
    parameters
  )
})
