/** What runs, as the files tell: leases, and claims whose lease is lost. */
import * as Effect from "effect/Effect"
import type { TaskId } from "@tinyscheduler/core/domain/identifiers"
import { LeaseStore } from "@tinyscheduler/core/ports/LeaseStore"
import type { StoredTask } from "@tinyscheduler/core/ports/LeaseStore"

/** The agent that a task's files name; null when they name none that can be read. */
export const agentOf = ({ claims, lease }: StoredTask): string | null => {
  if (lease._tag === "Read" || lease._tag === "Legacy") return lease.lease.agentName
  if (lease._tag === "Unreadable" && lease.agentName !== null) return lease.agentName
  const claim = claims.at(-1)
  return claim?._tag === "Read" ? claim.claim.agentName : null
}

const isUnderWay = ({ claims, lease }: StoredTask): boolean =>
  lease._tag !== "Missing" || claims.some((sight) => sight._tag === "Unreadable" || sight.claim.kind === "claim")

/** The tasks at which an agent works, or (null) any; what nobody can be told of may be anybody's. */
export const tasksUnderWay = Effect.fnUntraced(function* (agent: string | null) {
  const leases = yield* LeaseStore
  return (yield* leases.scan)
    .filter((stored) => isUnderWay(stored) && (agent === null || (agentOf(stored) ?? agent) === agent))
    .map(({ taskId }): TaskId => taskId)
})

/** "nothing runs any more", of one agent or (null) at all; or what does. */
export const runsText = (agent: string | null, taskIds: ReadonlyArray<TaskId>): string => {
  if (taskIds.length === 0) return agent === null ? "nothing runs any more" : `${agent} runs nothing any more`
  const listed = `${taskIds.slice(0, 12).join(", ")}${taskIds.length > 12 ? ", …" : ""}`
  return taskIds.length === 1 ? `task ${listed} still runs` : `${taskIds.length} tasks still run (${listed})`
}
