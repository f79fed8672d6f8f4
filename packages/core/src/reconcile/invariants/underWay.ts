/** What an observation says by itself, read naively: which tasks are open, what may live, whose slot a record takes. */
import type { ObservedState } from "../../domain/ObservedState.ts"
import { isOpen } from "../../domain/Task.ts"
import type { Task } from "../../domain/Task.ts"
import type { Evidence, TaskRecord } from "../../domain/TaskRecord.ts"

export const openTasks = (observed: ObservedState): ReadonlyMap<number, Task> =>
  new Map(
    observed.tinytask._tag === "Unread"
      ? []
      : observed.tinytask.tasks.filter(isOpen).map((task) => [task.id as number, task] as const)
  )

/** What was seen of the processes of claims and of an open start. */
const evidencesOf = (record: TaskRecord): ReadonlyArray<Evidence> => [
  ...record.claims.flatMap((sight) => (sight._tag === "Read" && sight.claim.kind === "claim" ? [sight.evidence] : [])),
  ...(record.openStart === null ? [] : [record.openStart])
]

export const agentMayLive = (evidence: Evidence): boolean =>
  evidence.others.length > 0 || (evidence.agent !== null && evidence.agent !== "dead") || !evidence.scanned

export const mayLive = (evidence: Evidence): boolean => evidence.supervisor !== "dead" || agentMayLive(evidence)

export const isKnownToLive = (evidence: Evidence): boolean =>
  evidence.supervisor === "alive" || evidence.others.length > 0 || evidence.agent === "alive"

/** Whether anything on disk says that an attempt at this task may be under way. */
export const isUnderWay = (record: TaskRecord): boolean => {
  if (record.lease._tag !== "Missing") return true
  if (record.claims.some((sight) => sight._tag === "Unreadable")) return true
  const recorded = new Set<number>(record.attempts?.outcomes.map(({ epoch }) => epoch))
  // A later start proves that an earlier attempt was closed, also where its ending is remembered no more.
  const closedUpTo = Math.max(0, ...recorded)
  if (record.claims.some((sight) => sight.epoch > closedUpTo)) return true
  if (evidencesOf(record).some(mayLive)) return true
  const last = record.attempts?.last ?? null
  // The claim or tombstone of the latest start is the last thing that its end removes.
  const isBeingEnded = record.claims.some((sight) => sight.epoch === last?.epoch)
  return isBeingEnded || (last !== null && !recorded.has(last.epoch))
}

/** What of a lease or of its own claim is known to live; of a supervisor that wrote its ending nothing is. */
const leaseIsKnownToLive = ({ claims, lease }: TaskRecord): boolean => {
  if (lease._tag !== "Read") return false
  const { epoch, phase, token } = lease.lease
  const { evidence } = lease
  if (evidence.agent === "alive" || evidence.others.length > 0) return phase !== "starting"
  if (phase === "running" && evidence.supervisor === "alive") return true
  return claims.some((sight) => isLivingClaim(sight) && sight.epoch === epoch && sight.claim.token === token)
}

type ReadClaim = Extract<TaskRecord["claims"][number], { readonly _tag: "Read" }>

const isLivingClaim = (sight: TaskRecord["claims"][number]): sight is ReadClaim =>
  sight._tag === "Read" && sight.claim.kind === "claim" && isKnownToLive(sight.evidence)

/**
 * The agent whose slot a record takes, and the queue it counts in: those of what lives, whatever came after it, else of the
 * latest attempt that left a trace.
 */
export const holderOf = (record: TaskRecord): { readonly agent: string | null; readonly queue: string | null } => {
  const { claims, lease } = record
  if (lease._tag === "Legacy") return { agent: lease.lease.agentName, queue: null }
  const last = record.attempts?.last ?? null
  const startOf = (epoch: number) => (last?.epoch === epoch ? last : null)
  const top = claims.at(-1)
  const leftAlone = claims.findLast(
    (sight): sight is ReadClaim => isLivingClaim(sight) && sight.evidence.supervisor === "dead"
  )
  const ofClaim = ({ claim, epoch }: ReadClaim) => ({ agent: claim.agentName, queue: startOf(epoch)?.queue ?? null })
  if (lease._tag === "Read") {
    const { agentName, epoch, queue, token } = lease.lease
    const rival = claims.find(
      (sight): sight is ReadClaim =>
        sight._tag === "Read" &&
        ((sight === top && sight.epoch > epoch) || (sight.epoch === epoch && sight.claim.token !== token))
    )
    if (rival !== undefined && isLivingClaim(rival)) return ofClaim(rival)
    if (leaseIsKnownToLive(record)) return { agent: agentName, queue }
    if (leftAlone !== undefined) return ofClaim(leftAlone)
    return rival === undefined ? { agent: agentName, queue } : ofClaim(rival)
  }
  if (leftAlone !== undefined) return ofClaim(leftAlone)
  const recorded = new Set<number>(record.attempts?.outcomes.map(({ epoch }) => epoch))
  if (lease._tag === "Missing" && last !== null && !recorded.has(last.epoch) && last.epoch > (top?.epoch ?? 0)) {
    return { agent: last.agentName, queue: last.queue }
  }
  if (top?._tag === "Read") return ofClaim(top)
  if (lease._tag === "Unreadable") return { agent: lease.agentName, queue: null }
  const start = top === undefined ? null : startOf(top.epoch)
  return { agent: start?.agentName ?? null, queue: start?.queue ?? null }
}

export const countBy = <A, K>(items: ReadonlyArray<A>, key: (item: A) => K): ReadonlyMap<K, number> => {
  const counts = new Map<K, number>()
  for (const item of items) counts.set(key(item), (counts.get(key(item)) ?? 0) + 1)
  return counts
}
