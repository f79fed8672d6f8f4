/** Records: what is written of a round gives back the same plan to the byte, alone and as a chain of changes. */
import * as Result from "effect/Result"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import type { Plan } from "../src/domain/Plan.ts"
import type { Situation } from "../src/domain/Situation.ts"
import { reconcile } from "../src/reconcile/reconcile.ts"
import { partsOf, planParts, situationParts } from "../src/record/Parts.ts"
import { planTextOf } from "../src/record/planText.ts"
import { applyLine, makeLastParts, parseLine } from "../src/record/RecordLine.ts"
import type { RecordLine } from "../src/record/RecordLine.ts"
import { recordRound } from "../src/record/recordRound.ts"
import type { Recorded } from "../src/record/recordRound.ts"
import { makeSituationReader } from "../src/record/situationOf.ts"
import { withoutSecrets } from "../src/record/withoutSecrets.ts"
import { worlds } from "./worlds.ts"

const parameters = { numRuns: Number(process.env["RUNS"] ?? 500), seed: Number(process.env["SEED"] ?? 20_261_123) }

const planOf = ({ desired, observed }: Situation): Plan => reconcile(observed, desired)

const lineFrom = (text: string): RecordLine => Result.getOrThrow(parseLine(text))

describe("a record of any world", () => {
  it("gives back a situation of which the same plan is made, to the byte", () => {
    fc.assert(
      fc.property(worlds(), (world) => {
        const read = Result.getOrThrow(makeSituationReader()(situationParts(world)))
        expect(JSON.stringify(planOf(read))).toBe(JSON.stringify(planOf(world)))
      }),
      parameters
    )
  })

  it("holds the plan itself, to the byte", () => {
    fc.assert(
      fc.property(worlds(), (world) => {
        const plan = planOf(world)
        expect(Result.getOrThrow(planTextOf(planParts(plan)))).toBe(JSON.stringify(plan))
      }),
      parameters
    )
  })

  it("loses nothing that decides by what it leaves out", () => {
    fc.assert(
      fc.property(worlds(), (world) => {
        expect(JSON.stringify(planOf(withoutSecrets(world)))).toBe(JSON.stringify(planOf(world)))
        expect(recordRound(world, planOf(world), { id: null, parts: null }).line).not.toContain('"differs"')
      }),
      parameters
    )
  })

  it("follows others as a line of what changed, and every round of the chain is whole", () => {
    fc.assert(
      fc.property(fc.array(worlds(), { minLength: 2, maxLength: 6 }), (chain) => {
        const read = makeSituationReader()
        let written: Recorded | null = null
        let known: ReadonlyMap<string, string> | null = null
        const ids: Array<string> = []
        const lines: Array<string> = []
        for (const world of chain) {
          const plan = planOf(world)
          const round = recordRound(world, plan, written ?? { id: null, parts: null })
          known = applyLine(known, lineFrom(round.line))
          if (known === null) throw new Error("the first line is no base")
          expect(JSON.stringify(planOf(Result.getOrThrow(read(known))))).toBe(JSON.stringify(plan))
          expect(new Map(known)).toEqual(partsOf(withoutSecrets(world), plan))
          written = round
          ids.push(round.id)
          lines.push(round.line)
        }
        const last = makeLastParts()
        expect(lines.every((line) => last.add(lineFrom(line)))).toBe(true)
        expect(last.parts()).toEqual(known)
        expect(ids).toEqual([...new Set(ids)].sort())
      }),
      { ...parameters, numRuns: Math.ceil(parameters.numRuns / 5) }
    )
  })
})
