import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { firstLine, spawnProgram, startProgram } from "./children/start.ts"
import { jsonAt, makePaths } from "./fixture.ts"

const rounds = 50

describe("claim against tombstone", () => {
  it.live("exactly one of two processes wins each epoch, and the file is the winner's, whole", () =>
    Effect.gen(function* () {
      const paths = yield* makePaths
      const startMs = Date.now() + 2000
      const start = (kind: string) =>
        startProgram(() => spawnProgram("raceClaim.ts", [paths.base, kind, String(startMs), String(rounds)]))
      const children = [yield* start("claim"), yield* start("tombstone")]
      const [claims = "", tombstones = ""] = yield* Effect.promise(() => Promise.all(children.map(firstLine)))
      const claimed: ReadonlyArray<string> = JSON.parse(claims)
      const buried: ReadonlyArray<string> = JSON.parse(tombstones)
      for (let round = 1; round <= rounds; round += 1) {
        const results = [claimed[round - 1], buried[round - 1]]
        assert.isTrue(results.includes("won") && results.includes("exists"), `round ${round}: ${results.join()}`)
        const winner = results[0] === "won" ? "claim" : "tombstone"
        assert.include(jsonAt(join(paths.claims, `1001.${round}`)), { kind: winner })
      }
      const won = claimed.filter((result) => result === "won").length
      console.info(`${rounds} rounds: ${won} won by the claim, ${rounds - won} by the tombstone`)
    }).pipe(Effect.scoped)
  )
})
