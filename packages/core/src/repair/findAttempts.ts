/** Attempts files that can't be read, and those that are gone although the history knows of attempts. */
import type { Finding } from "./Finding.ts"
import type { Case, Examination } from "./examine.ts"
import { hindranceOf } from "./hindrance.ts"
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

const isSomethingKnown = ({ record }: Case): boolean =>
  record?.lease._tag === "Read" || record?.claims.some(({ _tag }) => _tag === "Read") === true

export const findAttempts = (one: Case, examination: Examination): ReadonlyArray<Finding> => {
  const { lines, record, task, taskId } = one
  const { sight, unaccounted } = examination
  const problem = record?.attemptsProblem ?? null
  if (problem !== null) {
    // Without its lease and without Tinytask nothing says which task it is about: a parked one might start.
    const canRebuild = record?.lease._tag === "Read" || sight.observed.tinytask._tag === "Read"
    const hindrance = isSomethingKnown(one)
      ? null
      : hindranceOf({ taskId, record, lines, file: null, isUntrusted: false, sight, unaccounted })
    const rebuilt = canRebuild ? rebuiltOf(one, examination) : null
    return [{ _tag: "UnreadableAttempts", taskId, problem, rebuilt, hindrance }]
  }
  // Of a task that is complete or gone the file may have been removed on purpose.
  const isLost = task !== null && (record === null || record.attempts === null) && lines.length > 0
  return isLost ? [{ _tag: "LostAttempts", taskId, rebuilt: rebuiltOf(one, examination) }] : []
}
