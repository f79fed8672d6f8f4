/**
 * Cgroups that outlived their attempts: of a start that came to nothing, or with something in them when the attempt's end
 * was carried out. Ours alone are removed, by what the attempts files remember, and empty ones alone, by the kernel.
 */
import * as Effect from "effect/Effect"
import { attemptOfCgroup } from "../domain/attemptCgroup.ts"
import type { AttemptName } from "../domain/attemptCgroup.ts"
import type { ObservedState } from "../domain/ObservedState.ts"
import type { TaskRecord } from "../domain/TaskRecord.ts"
import { Cgroups } from "../ports/Cgroups.ts"

/** Its ending is recorded, and no file stands any more by which it could go on. */
const isOver = ({ attempts, claims, lease }: TaskRecord, { epoch, token }: AttemptName): boolean =>
  attempts?.outcomes.some((recorded) => recorded.token === token && recorded.epoch === epoch) === true &&
  lease._tag !== "Unreadable" &&
  !(lease._tag === "Read" && lease.lease.token === token) &&
  claims.every((claim) => claim.epoch !== epoch)

export const sweepCgroups = Effect.fn("apply.sweepCgroups")(function* ({ records }: ObservedState) {
  const { list, remove } = yield* Cgroups
  const directories = yield* list
  if (directories.length === 0) return
  const recordOf = new Map<number, TaskRecord>(records.map((record) => [record.taskId, record]))
  for (const directory of directories) {
    const attempt = attemptOfCgroup(directory)
    const record = attempt === null ? undefined : recordOf.get(attempt.taskId)
    if (attempt !== null && record !== undefined && isOver(record, attempt)) yield* remove(directory)
  }
})
