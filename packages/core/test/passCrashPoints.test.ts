/** The scheduler dies before and after every port call of every scenario; none is left out, and nothing is lost or doubled. */
import { afterAll, assert, describe, it } from "@effect/vitest"
import { crashAt, crashPointsOf, scenarios } from "./passCrashPoints.ts"
import { runHistory } from "./passHistoryRun.ts"

const timeoutMs = 300_000

describe("a crash at every port call", () => {
  let total = 0
  afterAll(() => {
    console.log(`${total} crash points in all, each with a scheduler that comes at once and one that comes later`)
  })

  for (const [name, scenario] of Object.entries(scenarios)) {
    it(
      name,
      () => {
        assert.deepStrictEqual(runHistory(scenario).wrongs, [])
        const points = crashPointsOf(scenario)
        total += points.length
        // Twenty calls are the least that a pass makes which starts something.
        assert.isAtLeast(points.length, 40)
        assert.deepStrictEqual(
          points.flatMap((point) => crashAt(scenario, point)),
          []
        )
      },
      timeoutMs
    )
  }
})
