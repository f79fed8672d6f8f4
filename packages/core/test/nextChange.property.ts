/** What a plan says of when it may change by itself: a daemon sleeps until then, and must miss nothing. */
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import type { Plan, Verdict } from "../src/domain/Plan.ts"
import { reconcile } from "../src/reconcile/reconcile.ts"
import { later } from "../src/whatIf/later.ts"
import type { World } from "./builders.ts"
import { worlds } from "./worlds.ts"

const parameters = {
  numRuns: Number(process.env["RUNS"] ?? 1000),
  seed: Number(process.env["SEED"] ?? 20_261_123)
}

const dayMs = 86_400_000

const planOf = ({ desired, observed }: World): Plan => reconcile(observed, desired)

/** How long nothing changes by itself, by what the plan says; a day where it says that nothing does. */
const quietMs = ({ monoMs, nextMonoMs, nextWallMs, nowMs }: Plan): number =>
  Math.min(dayMs, (nextMonoMs ?? Infinity) - monoMs, (nextWallMs ?? Infinity) - nowMs)

const gist = (verdict: Verdict): string =>
  verdict._tag === "Wait"
    ? `${verdict.taskId} waits: ${verdict.reasons.map(({ _tag }) => _tag).join(" ")}`
    : `${verdict.taskId} ${verdict._tag}`

const gists = (world: World): ReadonlyArray<string> => planOf(world).verdicts.map(gist)

describe("until the time at which a plan may change by itself", () => {
  it("no verdict does, and no reason to wait", () => {
    fc.assert(
      fc.property(worlds(), fc.double({ min: 0, max: 1, noNaN: true }), (world, share) => {
        const quiet = quietMs(planOf(world))
        fc.pre(quiet > 1)
        const ms = Math.min(Math.ceil(quiet) - 1, Math.floor(share * quiet))
        expect(gists(later(world, ms))).toEqual(gists(world))
      }),
      parameters
    )
  })

  it("lies ahead, so that nobody wakes for nothing again and again", () => {
    fc.assert(
      fc.property(worlds(), (world) => {
        const { monoMs, nextMonoMs, nextWallMs, nowMs } = planOf(world)
        expect(nextMonoMs ?? Infinity).toBeGreaterThan(monoMs)
        expect(nextWallMs ?? Infinity).toBeGreaterThan(nowMs)
      }),
      parameters
    )
  })
})
