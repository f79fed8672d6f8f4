/** Records one after another as whole rounds: each line changes the parts of the one before. */
import * as Result from "effect/Result"
import { applyLine } from "../record/RecordLine.ts"
import type { RecordLine } from "../record/RecordLine.ts"
import type { Parts } from "../record/Parts.ts"

/** A record's line with all parts of its round, those too that did not change. */
export interface RecordedRound {
  readonly line: RecordLine
  readonly parts: Parts
}

/** Follows records line by line; a line that nothing stands before, and that is no base itself, is told as such. */
export const makeWalk = (): ((line: RecordLine) => Result.Result<RecordedRound, string>) => {
  let parts: Parts | null = null
  return (line) => {
    const next = applyLine(parts, line)
    if (next === null) return Result.fail("changes a record that is not there")
    parts = next
    return Result.succeed({ line, parts: next })
  }
}
