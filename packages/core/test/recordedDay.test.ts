/** A recorded day of 500 tasks: every plan is made again to the byte, and what others say is in no record. */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { parseLine } from "../src/record/RecordLine.ts"
import { decidesSomething, recordRound } from "../src/record/recordRound.ts"
import type { Recorded } from "../src/record/recordRound.ts"
import { makeSituationReader } from "../src/record/situationOf.ts"
import { replay } from "../src/replay/replay.ts"
import { makeWalk } from "../src/replay/walk.ts"
import { recordedDay } from "./recordedDay.ts"

it.effect("every record of a day of 500 tasks is replayed to the byte, with the plan that was carried out", () =>
  Effect.gen(function* () {
    const lines: Array<string> = []
    const plans: Array<string> = []
    let before: Recorded | null = null
    const day = yield* recordedDay(300, (situation, plan) => {
      if (!decidesSomething(plan, before)) return
      const round = recordRound(situation, plan, before ?? { id: null, parts: null })
      before = round
      lines.push(round.line)
      plans.push(JSON.stringify(plan))
    })
    assert.deepStrictEqual([day.tasks, day.complete], [500, 500])
    assert.isAbove(lines.length, 300)
    const walk = makeWalk()
    const read = makeSituationReader()
    const different = lines.filter((line, at) => {
      const { plan, result, wasAnother } = replay(Result.getOrThrow(walk(Result.getOrThrow(parseLine(line)))), read)
      return result._tag !== "Same" || wasAnother || JSON.stringify(plan) !== plans[at]
    })
    assert.deepStrictEqual(different, [])
    assert.isFalse(lines.some((line) => line.includes("hunter2")))
  })
)
