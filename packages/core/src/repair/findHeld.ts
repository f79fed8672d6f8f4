/** Leases and claims that can't be read and by which a task and a slot are held. */
import type { Attempts } from "../domain/Attempts.ts"
import { epochMax } from "../domain/identifiers.ts"
import type { Finding } from "./Finding.ts"
import { rebuiltOf } from "./findAttempts.ts"
import type { Case, Examination } from "./examine.ts"
import { hindranceOf } from "./hindrance.ts"
import { epochsCovered, withEpochUsed } from "./rebuildAttempts.ts"

/** The attempts file to write before a file with this epoch goes out of sight; null when it tells enough already. */
const rememberEpoch = (one: Case, examination: Examination, seen: number): Attempts | null => {
  const { record } = one
  // An attempts file that can't be read is mended before.
  if (record === null || record.attemptsProblem !== null) return null
  const epoch = Math.max(record.epochMax, seen <= epochMax ? seen : 0)
  if (epoch <= epochsCovered(record.attempts)) return null
  return record.attempts === null
    ? rebuiltOf(one, examination, epoch)
    : withEpochUsed(record.attempts, epoch, examination.sight.observed.nowMs)
}

export const findHeld = (one: Case, examination: Examination): ReadonlyArray<Finding> => {
  const { lines, record, taskId, view } = one
  if (record === null || (view._tag !== "Held" && view._tag !== "Remains")) return []
  const { sight, unaccounted, unreadable, untrusted } = examination
  const about = (path: string) => {
    const file = unreadable.get(path) ?? null
    const isUntrusted = untrusted.has(path)
    return {
      remember: rememberEpoch(one, examination, file?.guess.epoch ?? 0),
      hindrance: hindranceOf({ taskId, record, lines, file, isUntrusted, sight, unaccounted })
    }
  }
  const { lease } = record
  return [
    ...record.claims.flatMap((claim): ReadonlyArray<Finding> => {
      if (claim._tag === "Read") return []
      const { epoch, path, problem } = claim
      return [{ _tag: "UnreadableClaim", taskId, epoch, path, problem, ...about(path) }]
    }),
    ...(lease._tag === "Unreadable"
      ? [
          {
            _tag: "UnreadableLease" as const,
            taskId,
            path: lease.path,
            problem: lease.problem,
            agent: lease.agentName,
            ...about(lease.path)
          }
        ]
      : [])
  ]
}
