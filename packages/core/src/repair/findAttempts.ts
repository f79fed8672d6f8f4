/** Attempts files that can't be read, and those that are gone although the history knows of attempts. */
import type { Finding } from "./Finding.ts"
import type { Case, Examination } from "./examine.ts"
import { hindranceOf } from "./hindrance.ts"
import { pathAtHead } from "./pathAtHead.ts"
import { rebuildAttempts } from "./rebuildAttempts.ts"

/** What is known of a task's attempts without its attempts file. */
export const rebuiltOf = ({ lines, record, task, taskId }: Case, { desired, sight }: Examination, epochSeen = 0) =>
  rebuildAttempts({
    taskId,
    task,
    record,
    lines,
    marks: sight.marks.get(taskId) ?? new Set(),
    epochSeen,
    desired,
    here: sight.observed.here,
    nowMs: sight.observed.nowMs,
    monoMs: sight.observed.monoMs
  })

/**
 * The epoch of a start that the unreadable file may tell of and nothing else does: the one that can be made out in it,
 * else the one after all that are known. Null when there can be none.
 */
const untoldEpoch = ({ lines, record }: Case, guessed: number | null): number | null => {
  if (record?.lease._tag === "Read") return null
  const told = Math.max(0, ...lines.map(({ epoch }) => epoch), ...(record?.claims.map(({ epoch }) => epoch) ?? []))
  if (guessed === null) return Math.max(told, record?.epochMax ?? 0) + 1
  return guessed > told ? guessed : null
}

export const findAttempts = (one: Case, examination: Examination): ReadonlyArray<Finding> => {
  const { lines, record, task, taskId } = one
  const { sight, unaccounted, unreadable, untrusted } = examination
  const problem = record?.attemptsProblem ?? null
  if (problem !== null) {
    // Without its lease and without Tinytask nothing says which task it is about: a parked one might start.
    const isIdentityKnown = record?.lease._tag === "Read" || sight.observed.tinytask._tag === "Read"
    const canRebuild = isIdentityKnown && sight.inventory.historyProblem === null
    const isUntrusted = pathAtHead(problem, untrusted) !== null
    const file = unreadable.get(pathAtHead(problem, unreadable) ?? "") ?? null
    const untold = untoldEpoch(one, file?.guess.epoch ?? null)
    const hindrance =
      untold === null && !isUntrusted
        ? null
        : hindranceOf({ taskId, record, lines, file, isUntrusted, sight, unaccounted })
    const rebuilt = canRebuild ? rebuiltOf(one, examination, untold ?? 0) : null
    return [{ _tag: "UnreadableAttempts", taskId, path: file?.path ?? null, problem, rebuilt, hindrance }]
  }
  // Of a task that is complete or gone the file may have been removed on purpose.
  const isLost = task !== null && (record === null || record.attempts === null) && lines.length > 0
  return isLost ? [{ _tag: "LostAttempts", taskId, rebuilt: rebuiltOf(one, examination) }] : []
}
