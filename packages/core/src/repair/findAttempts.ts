/** Attempts files that can't be read, and those that are gone although the history knows of attempts. */
import type { Finding } from "./Finding.ts"
import type { Case, Examination } from "./examine.ts"
import { hindranceOf } from "./hindrance.ts"
import { isAboutUntrusted } from "./isAboutUntrusted.ts"
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
 * Whether an attempt was made that nothing tells of but the name of its log: it may be open. Every attempt that came to
 * life has a log, and the logs of a task whose attempts file can't be read are kept.
 */
const isAnyUntold = ({ lines, record }: Case): boolean => {
  const told = [
    ...lines.map(({ epoch }) => epoch),
    ...(record?.lease._tag === "Read" ? [record.lease.lease.epoch] : []),
    ...(record?.claims.map(({ epoch }) => epoch) ?? [])
  ]
  return (record?.epochMax ?? 0) > Math.max(0, ...told)
}

export const findAttempts = (one: Case, examination: Examination): ReadonlyArray<Finding> => {
  const { lines, record, task, taskId } = one
  const { sight, unaccounted } = examination
  const problem = record?.attemptsProblem ?? null
  if (problem !== null) {
    // Without its lease and without Tinytask nothing says which task it is about: a parked one might start.
    const canRebuild = record?.lease._tag === "Read" || sight.observed.tinytask._tag === "Read"
    const isUntrusted = isAboutUntrusted(problem, sight.inventory)
    const hindrance =
      !isAnyUntold(one) && !isUntrusted
        ? null
        : hindranceOf({ taskId, record, lines, file: null, isUntrusted, sight, unaccounted })
    const rebuilt = canRebuild ? rebuiltOf(one, examination) : null
    return [{ _tag: "UnreadableAttempts", taskId, problem, rebuilt, hindrance }]
  }
  // Of a task that is complete or gone the file may have been removed on purpose.
  const isLost = task !== null && (record === null || record.attempts === null) && lines.length > 0
  return isLost ? [{ _tag: "LostAttempts", taskId, rebuilt: rebuiltOf(one, examination) }] : []
}
