/**
 * Bisection: the records at which something began or ceased to be true of the plans, and what in their input made it so.
 * A changed part is a cause when the change is undone by putting that part alone back: reconcile is asked, part by part.
 */
import * as Result from "effect/Result"
import type { Plan } from "../domain/Plan.ts"
import type { Parts } from "../record/Parts.ts"
import { isOfPlan } from "../record/Parts.ts"
import type { RecordId } from "../record/RecordLine.ts"
import type { SituationReader } from "../record/situationOf.ts"
import { reconcile } from "../reconcile/reconcile.ts"
import type { RecordedRound } from "./walk.ts"

/** A part of the input as it was in the record before, and as it is; null = it was or is not there. */
export interface Cause {
  readonly key: string
  readonly before: string | null
  readonly after: string | null
}

/** A record from which on the condition holds, or does not hold any more, and what in its input made it so. */
export interface Turn {
  readonly id: RecordId
  readonly at: string
  /** What holds from here on. */
  readonly holds: boolean
  /** The record before; null = this is the first one. */
  readonly before: RecordId | null
  /** The parts of the input that are not as they were in the record before. */
  readonly changed: ReadonlyArray<string>
  /** Those of them that alone, put back, undo it. Several: each does. None: it took more than one. */
  readonly causes: ReadonlyArray<Cause>
}

/** Where the condition turned; null where it did not; or why the record can't be asked. */
export type Bisection = Result.Result<Turn | null, string>

/** The parts of what plans were made of that differ, in the order of their keys. */
export const changedKeys = (before: Parts, after: Parts): ReadonlyArray<string> =>
  [...new Set([...before.keys(), ...after.keys()])]
    .filter((key) => !isOfPlan(key) && before.get(key) !== after.get(key))
    .sort()

/** A beat and its record are read together: what belongs to one task's record is put back together. */
const putBack = (after: Parts, before: Parts, key: string): Parts => {
  const parts = new Map(after)
  const keys = key.startsWith("record/") ? [key, `beat/${key.slice("record/".length)}`] : [key]
  for (const one of keys) {
    const text = before.get(one)
    if (text === undefined) parts.delete(one)
    else parts.set(one, text)
  }
  return parts
}

/** Told of each record in turn, answers where the condition turned; null where it did not. */
export const makeBisection = (
  condition: (plan: Plan) => boolean,
  read: SituationReader
): ((round: RecordedRound) => Bisection) => {
  let last: { readonly id: RecordId; readonly parts: Parts; readonly holds: boolean } | null = null
  const ask = (parts: Parts): Result.Result<boolean, string> =>
    Result.match(read(parts), {
      onFailure: ({ message }) => Result.fail(message),
      onSuccess: ({ desired, observed }) => Result.succeed(condition(reconcile(observed, desired)))
    })
  return ({ line, parts }) => {
    const asked = ask(parts)
    if (Result.isFailure(asked)) return Result.fail(asked.failure)
    const before = last
    last = { id: line.id, parts, holds: asked.success }
    if (before === null) {
      return Result.succeed(
        asked.success ? { id: line.id, at: line.at, holds: true, before: null, changed: [], causes: [] } : null
      )
    }
    if (before.holds === asked.success) return Result.succeed(null)
    const changed = changedKeys(before.parts, parts)
    const causes = changed
      .filter((key) => {
        const without = ask(putBack(parts, before.parts, key))
        return Result.isSuccess(without) && without.success === before.holds
      })
      .map((key): Cause => ({ key, before: before.parts.get(key) ?? null, after: parts.get(key) ?? null }))
    return Result.succeed({ id: line.id, at: line.at, holds: asked.success, before: before.id, changed, causes })
  }
}
