/** Attempts that a pass can only hold and tell of, for as long as nobody does something about them. */
import type { Verdict } from "../domain/Plan.ts"
import type { Evidence, TaskRecord } from "../domain/TaskRecord.ts"
import { isSameEndpoint } from "../reconcile/taskSights.ts"
import type { Finding } from "./Finding.ts"
import type { Case, Examination } from "./examine.ts"

/** The living processes of all claims and of an open start, their supervisors too. */
const livingPids = (record: TaskRecord): ReadonlyArray<number> => {
  const pids = new Set<number>()
  const add = ({ others }: Evidence): void => others.forEach((pid) => void pids.add(pid))
  for (const sight of record.claims) {
    if (sight._tag === "Unreadable" || sight.claim.kind === "tombstone") continue
    add(sight.evidence)
    if (sight.evidence.supervisor === "alive") pids.add(sight.claim.pid)
  }
  if (record.openStart !== null) add(record.openStart)
  return [...pids].sort((left, right) => left - right)
}

/** The supervisor that lives, by the highest claim that names one, else by the lease; a tombstone names who wrote it. */
const livingSupervisor = ({ claims, lease }: TaskRecord): number | null => {
  for (const sight of claims.toReversed()) {
    if (sight._tag === "Read" && sight.claim.kind === "claim" && sight.evidence.supervisor === "alive")
      return sight.claim.pid
  }
  return lease._tag === "Read" && lease.evidence.supervisor === "alive" ? lease.lease.pid : null
}

const hostOf = (record: TaskRecord): string | null => {
  if (record.lease._tag === "Read") return record.lease.lease.host
  if (record.lease._tag === "Legacy") return record.lease.lease.host
  const top = record.claims.findLast(({ _tag }) => _tag === "Read")
  return top?._tag === "Read" ? top.claim.host : null
}

const endpointOf = ({ attempts, lease }: TaskRecord): string | null =>
  lease._tag === "Read" ? lease.lease.endpoint : (attempts?.endpoint ?? null)

const oddities = {
  "lease-missing": "missing",
  "lease-unreadable": "unreadable",
  "lease-contradicts-claim": "contradicts-claim"
} as const

const isOddity = (detail: string): detail is keyof typeof oddities => detail in oddities

const ofRunning = (
  verdict: Extract<Verdict, { readonly _tag: "Running" }>,
  record: TaskRecord,
  { view }: Case,
  { desired }: Examination
): ReadonlyArray<Finding> => {
  const { detail, epoch, taskId } = verdict
  const pid = livingSupervisor(record)
  if (isOddity(detail) && pid !== null) return [{ _tag: "OddLease", taskId, epoch, oddity: oddities[detail], pid }]
  const isUnknown =
    view._tag === "Legacy"
      ? view.liveness === "unknown"
      : view._tag === "Attempt" && (view.evidence.supervisor === "unknown" || view.evidence.agent === "unknown")
  // Else the clock gives it up.
  return detail === "liveness-unknown" && isUnknown && desired.policy.unknownLostSec === 0
    ? [{ _tag: "UnknownLiveness", taskId, epoch, host: hostOf(record) }]
    : []
}

const ofWait = (
  { reasons, taskId }: Extract<Verdict, { readonly _tag: "Wait" }>,
  record: TaskRecord,
  { desired }: Examination
): ReadonlyArray<Finding> =>
  reasons.flatMap((reason): ReadonlyArray<Finding> => {
    if (reason._tag === "EarlierAttempt") {
      const pids = livingPids(record)
      if (reason.liveness === "alive") {
        return [{ _tag: "Survivors", taskId, epoch: reason.epoch, pids, why: "earlier-attempt" }]
      }
      // Its claims go with the next pass.
      if (reason.liveness === "dead") return []
      // What an unreadable claim keeps from being known is a finding of its own.
      return desired.policy.unknownLostSec > 0 || record.claims.some(({ _tag }) => _tag === "Unreadable")
        ? []
        : [{ _tag: "UnknownLiveness", taskId, epoch: reason.epoch, host: hostOf(record) }]
    }
    const endpoint = endpointOf(record)
    return reason._tag === "TinytaskUnread" && endpoint !== null && !isSameEndpoint(endpoint, desired.endpoint)
      ? [{ _tag: "OtherEndpoint", taskId, endpoint }]
      : []
  })

export const findWaiting = (one: Case, examination: Examination): ReadonlyArray<Finding> => {
  const { record, verdict, view } = one
  if (record === null) return []
  if (view._tag === "Nothing" && record.stop !== null) {
    return [{ _tag: "OrphanedStop", taskId: record.taskId, epoch: record.stop.epoch, path: null }]
  }
  switch (verdict?._tag) {
    case "Running":
      return ofRunning(verdict, record, one, examination)
    case "Wait":
      return ofWait(verdict, record, examination)
    case "Stop": {
      const { epoch, survivors: pids, taskId } = verdict
      // Until SIGKILL was sent the ladder is still at its work.
      return record.stop?.rung === "kill" && pids.length > 0
        ? [{ _tag: "Survivors", taskId, epoch, pids, why: "killed-and-alive" }]
        : []
    }
    case undefined:
    case "Start":
    case "Finish":
    case "Reclaim":
    case "Ignore":
      return []
  }
}
