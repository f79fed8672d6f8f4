import { assert, describe, it } from "@effect/vitest"
import { silenceWatch } from "../src/supervisor/silence.ts"

describe("the silence of an agent", () => {
  it("is counted from measurement to measurement, and ends with its next word", () => {
    const silence = silenceWatch(0, 15_000)
    assert.deepStrictEqual([15_000, 30_000, 45_000].map(silence.measure), [15_000, 30_000, 45_000])
    silence.broken(50_000)
    assert.strictEqual(silence.measure(60_000), 10_000)
  })

  it("does not grow by a time in which nobody watched: a machine that slept has stalled nobody", () => {
    const silence = silenceWatch(0, 15_000)
    silence.measure(15_000)
    assert.strictEqual(silence.measure(8 * 3_600_000), 30_000)
    assert.strictEqual(silence.measure(8 * 3_600_000 + 15_000), 45_000)
  })

  it("grows by a beat that came late, as on a busy machine", () => {
    const silence = silenceWatch(0, 15_000)
    assert.strictEqual(silence.measure(40_000), 40_000)
  })

  it("does not shrink when the clock stands still", () => {
    const silence = silenceWatch(1000, 15_000)
    assert.strictEqual(silence.measure(1000), 0)
    assert.strictEqual(silence.measure(999), 0)
  })
})
