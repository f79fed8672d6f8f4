/** What people type to say how long, and whom. */
import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import { pauseEnd } from "../src/asking/pauseEnd.ts"

const nowMs = Date.parse("2026-01-20T04:00:00Z")
const none = { for: null, until: null }

describe("the end of a pause", () => {
  it.each([
    ["90s", "2026-01-20T04:01:30.000Z"],
    ["45m", "2026-01-20T04:45:00.000Z"],
    ["2h", "2026-01-20T06:00:00.000Z"],
    ["1d12h", "2026-01-21T16:00:00.000Z"]
  ])("--for %s is %s from four o'clock on", (length, end) => {
    assert.deepStrictEqual(pauseEnd({ ...none, for: length }, nowMs), Result.succeed(end))
  })

  it.each([
    ["2026-01-20T18:00Z", "2026-01-20T18:00:00.000Z"],
    ["2026-01-20T18:00:30+02:00", "2026-01-20T16:00:30.000Z"]
  ])("--until %s is %s", (typed, end) => {
    assert.deepStrictEqual(pauseEnd({ ...none, until: typed }, nowMs), Result.succeed(end))
  })

  it("without either comes with the resume", () => {
    assert.deepStrictEqual(pauseEnd(none, nowMs), Result.succeed(null))
  })

  it.each(["", "2", "h", "-1h", "2h ", "0s", "1w", "9999999d", "Infinity"])("--for %j is no length", (length) => {
    assert.isTrue(Result.isFailure(pauseEnd({ ...none, for: length }, nowMs)))
  })

  it.each(["3650d1s", "999999d".repeat(4), "999999d".repeat(200)])("--for %j is too long to be meant", (length) => {
    const end = pauseEnd({ ...none, for: length }, nowMs)
    assert.match(Result.isFailure(end) ? end.failure : "", /^--for is .{2,90}, expected 3650d at most; without --for/)
  })

  it.each(["", "soon", "18:00", "2026-01-20", "2026-13-40T18:00Z", "2026-01-20T03:59Z", "1769000000"])(
    "--until %j is no time that lies ahead",
    (typed) => {
      assert.isTrue(Result.isFailure(pauseEnd({ ...none, until: typed }, nowMs)))
    }
  )
})
