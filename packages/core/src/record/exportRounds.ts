/** Recorded rounds as a file of their own: the first holds everything, so that they can be replayed on any machine. */
import * as Result from "effect/Result"
import { reconcile } from "../reconcile/reconcile.ts"
import type { RecordedRound } from "../replay/walk.ts"
import { makeAnonymiser } from "./anonymous.ts"
import { partsOf } from "./Parts.ts"
import type { Parts } from "./Parts.ts"
import { lineOf } from "./RecordLine.ts"
import type { RecordOdd, SituationReader } from "./situationOf.ts"

/** The rounds as lines of a file, as they were recorded. */
export const exportRounds = (rounds: ReadonlyArray<RecordedRound>): ReadonlyArray<string> => {
  let before: Parts | null = null
  return rounds.map(({ line: { at, differs, id, withheld = [] }, parts }) => {
    const text = lineOf(before, parts, { id, at, differs: differs === true, withheld })
    before = parts
    return text
  })
}

/** With stand-ins for all names, the same ones in all rounds. The plan is the one that is made of what then stands there. */
export const exportAnonymous = (
  rounds: ReadonlyArray<RecordedRound>,
  read: SituationReader
): Result.Result<ReadonlyArray<string>, RecordOdd> => {
  const { gather, seal } = makeAnonymiser()
  for (const { parts } of rounds) {
    const situation = read(parts)
    if (Result.isFailure(situation)) return Result.fail(situation.failure)
    gather(situation.success)
  }
  const anonymous = seal()
  const renamed: Array<RecordedRound> = []
  for (const { line, parts } of rounds) {
    const situation = read(parts)
    if (Result.isFailure(situation)) return Result.fail(situation.failure)
    const bare = anonymous(situation.success)
    renamed.push({ line, parts: partsOf(bare, reconcile(bare.observed, bare.desired)) })
  }
  return Result.succeed(exportRounds(renamed))
}
