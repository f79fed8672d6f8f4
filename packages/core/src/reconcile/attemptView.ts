/**
 * Step 1, leases: what the files of one task amount to. Lease, claims and attempts file may be missing, torn or at odds;
 * this names the one attempt that they are about, what lives before what came after it. What becomes of it is judged by
 * others.
 */
import { unendedStart } from "../domain/Attempts.ts"
import type { Attempts, LastStart, RecordedOutcome, StopRecord } from "../domain/Attempts.ts"
import type { Epoch } from "../domain/identifiers.ts"
import type { Lease, LegacyLease } from "../domain/Lease.ts"
import type { AttemptReference, RunningDetail, WaitReason } from "../domain/Plan.ts"
import type { Liveness } from "../domain/ProcessIdentity.ts"
import type { TaskPrior } from "../domain/Task.ts"
import type { ClaimSight, Evidence, TaskRecord } from "../domain/TaskRecord.ts"
import {
  claimLiveness,
  evidenceOfBoth,
  isOrphan,
  leaseLives,
  orphanIn,
  survivorBelow,
  sweepableBelow,
  withLeaseEvidence,
  worseOf
} from "./lifeSigns.ts"
import type { ReadClaim } from "./lifeSigns.ts"

/** An attempt that has a lease, a claim, or both. */
export interface AttemptFiles {
  readonly _tag: "Attempt"
  readonly reference: AttemptReference
  /** The lease, where it is readable and agrees with its claim. */
  readonly lease: Lease | null
  /** What is odd about the lease; null when it was used. */
  readonly leaseFault: Extract<RunningDetail, "lease-missing" | "lease-unreadable" | "lease-contradicts-claim"> | null
  /** Who won the epoch. */
  readonly claim: "none" | "claim" | "tombstone" | "unreadable"
  readonly evidence: Evidence
  /** By its claim alone its supervisor is dead and something of it lives, whatever a lease that contradicts it adds. */
  readonly orphaned: boolean
  readonly recorded: RecordedOutcome | null
  readonly stop: StopRecord | null
  readonly queue: string | null
  readonly prior: TaskPrior
  readonly taskCreatedAt: string | null
  /** The largest lower epoch whose claims, and all below, are proven dead; null when there is none to sweep. */
  readonly sweepable: Epoch | null
  /** An earlier attempt of which something lives; null when none is known to. */
  readonly survivor: Epoch | null
}

export type AttemptView =
  | AttemptFiles
  /** Neither lease nor claim, but a start that has no ending yet. */
  | {
      readonly _tag: "OpenStart"
      readonly reference: AttemptReference
      /** Null until it was looked for. */
      readonly evidence: Evidence | null
      readonly queue: string | null
      readonly prior: TaskPrior
      readonly taskCreatedAt: string
      /** The largest epoch up to which claims of earlier attempts are proven dead; null when there is none to sweep. */
      readonly sweepable: Epoch | null
      /** An earlier attempt of which something lives; null when none is known to. */
      readonly survivor: Epoch | null
    }
  /** Claims whose endings are recorded. */
  | {
      readonly _tag: "Remains"
      readonly reference: AttemptReference
      readonly queue: string | null
      readonly liveness: Liveness
      /** Nothing starts before they are gone: the latest start has no ending, or has its claim among them. */
      readonly holds: boolean
    }
  | {
      readonly _tag: "Legacy"
      readonly lease: LegacyLease
      readonly path: string
      readonly liveness: Liveness
      readonly epoch: number
    }
  /** Nothing can be concluded: held until mended. */
  | {
      readonly _tag: "Held"
      readonly reason: WaitReason
      readonly agentName: string | null
      readonly queue: string | null
      readonly epoch: number
    }
  | { readonly _tag: "Nothing" }

const recordedOutcome = (attempts: Attempts | null, epoch: number): RecordedOutcome | null =>
  attempts?.outcomes.find((recorded) => recorded.epoch === epoch) ?? null

/** The latest start, where it is that of this epoch. */
const startOf = ({ attempts }: TaskRecord, epoch: number): LastStart | null => {
  const last = attempts?.last ?? null
  return last?.epoch === epoch ? last : null
}

const unassigned: TaskPrior = { status: "idle", assignee: null }

/** Claims stay where the lease is of their epoch or an earlier one, or can't say of which: it may still need them. */
const lowestNeeded = ({ lease }: TaskRecord, epoch: number): number =>
  lease._tag === "Unreadable" ? 0 : lease._tag === "Read" ? Math.min(lease.lease.epoch, epoch) : epoch

/** Whether a claim is that of a lease; one that can't be read is taken for it. */
const isOf = (sight: ClaimSight, lease: Lease): boolean =>
  sight.epoch === lease.epoch && (sight._tag === "Unreadable" || sight.claim.token === lease.token)

const fromLease = (record: TaskRecord, lease: Lease, evidence: Evidence): AttemptView => {
  const own = record.claims.find((sight) => isOf(sight, lease))
  const claim = own === undefined ? "none" : own._tag === "Unreadable" ? "unreadable" : own.claim.kind
  if (own?._tag === "Unreadable" && lease.phase === "starting") {
    return {
      _tag: "Held",
      reason: { _tag: "LeaseUnreadable", path: own.path, problem: own.problem },
      agentName: lease.agentName,
      queue: lease.queue,
      epoch: lease.epoch
    }
  }
  return {
    _tag: "Attempt",
    reference: {
      taskId: record.taskId,
      epoch: lease.epoch,
      token: lease.token,
      agent: lease.agentName,
      phase: lease.phase
    },
    lease,
    leaseFault: null,
    claim,
    evidence: evidenceOfBoth(lease, evidence, own),
    orphaned: false,
    recorded: recordedOutcome(record.attempts, lease.epoch),
    stop: record.stop?.epoch === lease.epoch ? record.stop : null,
    queue: lease.queue,
    prior: lease.prior,
    taskCreatedAt: lease.taskCreatedAt,
    sweepable: sweepableBelow(record.claims, lease.epoch),
    survivor: survivorBelow(record.claims, lease.epoch)
  }
}

const fromClaim = (record: TaskRecord, sight: ReadClaim, leaseFault: AttemptFiles["leaseFault"]): AttemptView => {
  const { claim, epoch } = sight
  const recorded = recordedOutcome(record.attempts, epoch)
  const last = startOf(record, epoch)
  // A later start proves that this one was closed, also where its ending is remembered no more.
  const reference = {
    taskId: record.taskId,
    epoch,
    token: claim.token,
    agent: claim.agentName,
    phase: "claim-only" as const
  }
  const isClosed = recorded !== null || (record.attempts?.last?.epoch ?? 0) > epoch
  if (isClosed && leaseFault === "lease-missing" && !isOrphan(sight)) {
    const liveness = record.claims.map(claimLiveness).reduce(worseOf)
    // The claim of the latest start is the last thing that its end removes: with nothing alive, that end goes on, and so
    // it does where nobody can look, once the clock gives it up.
    const isOutOfSight = liveness === "unknown" && sight.evidence.supervisor === "unknown"
    const mayBeCutShort = last !== null && (claim.kind === "tombstone" || liveness === "dead" || isOutOfSight)
    if (!mayBeCutShort) {
      const latest = record.attempts?.last?.epoch
      const holds =
        liveness !== "dead" ||
        unendedStart(record.attempts) !== null ||
        record.claims.some((other) => other.epoch === latest)
      return { _tag: "Remains", reference, queue: last?.queue ?? null, liveness, holds }
    }
  }
  return {
    _tag: "Attempt",
    reference,
    lease: null,
    leaseFault,
    claim: claim.kind,
    evidence: withLeaseEvidence(sight, record.lease),
    orphaned: isOrphan(sight),
    recorded,
    stop: record.stop?.epoch === epoch ? record.stop : null,
    queue: last?.queue ?? null,
    prior: last?.prior ?? unassigned,
    taskCreatedAt: last === null ? null : (record.attempts?.taskCreatedAt ?? null),
    sweepable: sweepableBelow(record.claims, lowestNeeded(record, epoch)),
    survivor: survivorBelow(record.claims, epoch)
  }
}

/** A start without an ending that is later than every claim: it was written down, and then neither lease nor claim. */
const openStart = (record: TaskRecord): AttemptView | null => {
  const { attempts } = record
  const last = unendedStart(attempts)
  if (attempts === null || last === null) return null
  if (record.claims.some((sight) => sight.epoch >= last.epoch)) return null
  return {
    _tag: "OpenStart",
    reference: {
      taskId: record.taskId,
      epoch: last.epoch,
      token: last.token,
      agent: last.agentName,
      phase: "none"
    },
    evidence: record.openStart,
    queue: last.queue,
    prior: last.prior,
    taskCreatedAt: attempts.taskCreatedAt,
    sweepable: sweepableBelow(record.claims, last.epoch),
    survivor: survivorBelow(record.claims, last.epoch)
  }
}

const heldByClaim = (record: TaskRecord, top: Extract<ClaimSight, { readonly _tag: "Unreadable" }>): AttemptView => {
  const last = startOf(record, top.epoch)
  return {
    _tag: "Held",
    reason: { _tag: "LeaseUnreadable", path: top.path, problem: top.problem },
    agentName: last?.agentName ?? null,
    queue: last?.queue ?? null,
    epoch: top.epoch
  }
}

/** The claim that contradicts a lease: of a higher epoch, or of its own with another token; null when none does. */
const rivalOf = (claims: ReadonlyArray<ClaimSight>, lease: Lease): ReadClaim | null => {
  const top = claims.at(-1)
  if (top?._tag === "Read" && top.epoch > lease.epoch) return top
  const own = claims.find((sight) => sight.epoch === lease.epoch)
  return own?._tag === "Read" && own.claim.token !== lease.token ? own : null
}

/**
 * The attempt that a task's files are about. The claim of a higher epoch wins over the lease, and a lease that contradicts
 * its own claim is judged by the claim; but what lives has to end first: a lease of which something lives, or an agent
 * whose claim is all that tells of it.
 */
export const attemptView = (record: TaskRecord): AttemptView => {
  const { lease } = record
  const top = record.claims.at(-1)
  switch (lease._tag) {
    case "Legacy":
      return {
        _tag: "Legacy",
        lease: lease.lease,
        path: lease.path,
        liveness: lease.liveness,
        epoch: record.epochMax
      }
    case "Read": {
      const rival = rivalOf(record.claims, lease.lease)
      if (rival !== null && claimLiveness(rival) === "alive") return fromClaim(record, rival, "lease-contradicts-claim")
      const own = record.claims.find((sight) => isOf(sight, lease.lease))
      const lives = leaseLives(lease) || (own !== undefined && claimLiveness(own) === "alive")
      const judged = lives ? null : (orphanIn(record.claims) ?? rival)
      return judged === null
        ? fromLease(record, lease.lease, lease.evidence)
        : fromClaim(record, judged, "lease-contradicts-claim")
    }
    case "Unreadable": {
      const orphan = orphanIn(record.claims)
      if (orphan !== null) return fromClaim(record, orphan, "lease-unreadable")
      if (top?._tag === "Read") return fromClaim(record, top, "lease-unreadable")
      return {
        _tag: "Held",
        reason: { _tag: "LeaseUnreadable", path: lease.path, problem: lease.problem },
        agentName: lease.agentName,
        queue: null,
        epoch: record.epochMax
      }
    }
    case "Missing": {
      const orphan = orphanIn(record.claims)
      if (orphan !== null) return fromClaim(record, orphan, "lease-missing")
      const open = openStart(record)
      if (open !== null) return open
      if (top === undefined) return { _tag: "Nothing" }
      return top._tag === "Read" ? fromClaim(record, top, "lease-missing") : heldByClaim(record, top)
    }
  }
}

/** The name of the agent whose slot a view takes, and the queue it counts in; null when it takes none. */
export const holdOf = (view: AttemptView): { readonly agent: string | null; readonly queue: string | null } | null => {
  switch (view._tag) {
    case "Nothing":
      return null
    case "Remains":
      return view.holds ? { agent: view.reference.agent, queue: view.queue } : null
    case "Attempt":
    case "OpenStart":
      return { agent: view.reference.agent, queue: view.queue }
    case "Legacy":
      return { agent: view.lease.agentName, queue: null }
    case "Held":
      return { agent: view.agentName, queue: view.queue }
  }
}
