/**
 * Step 1, leases: what the files of one task amount to. Lease, claims and attempts file may be missing, torn or at odds;
 * this names the one attempt that they are about. It judges nobody alive or dead.
 */
import type { Attempts, RecordedOutcome, StopRecord } from "../domain/Attempts.ts"
import type { AgentName, Epoch } from "../domain/identifiers.ts"
import type { Claim, Lease, LegacyLease } from "../domain/Lease.ts"
import type { AttemptReference, RunningDetail, WaitReason } from "../domain/Plan.ts"
import type { Liveness } from "../domain/ProcessIdentity.ts"
import type { TaskPrior } from "../domain/Task.ts"
import type { ClaimSight, Evidence, TaskRecord } from "../domain/TaskRecord.ts"

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
  readonly claimed: Claim | null
  readonly evidence: Evidence
  readonly recorded: RecordedOutcome | null
  readonly stop: StopRecord | null
  readonly queue: string | null
  readonly prior: TaskPrior
  readonly taskCreatedAt: string | null
  /** The largest lower epoch whose claims, and all below, are proven dead; null when there is none to sweep. */
  readonly sweepable: Epoch | null
}

export type AttemptView =
  | AttemptFiles
  /** Neither lease nor claim, but a start that has no ending yet. */
  | {
      readonly _tag: "OpenStart"
      readonly reference: AttemptReference
      readonly evidence: Evidence
      readonly queue: string | null
      readonly prior: TaskPrior
      readonly taskCreatedAt: string
    }
  /** Claims whose endings are recorded. */
  | { readonly _tag: "Remains"; readonly epoch: Epoch; readonly agent: AgentName | null; readonly dead: boolean }
  | {
      readonly _tag: "Legacy"
      readonly lease: LegacyLease
      readonly path: string
      readonly liveness: Liveness
      readonly epoch: number
    }
  /** Nothing can be concluded: held until mended. */
  | { readonly _tag: "Held"; readonly reason: WaitReason; readonly agentName: string | null; readonly epoch: number }
  | { readonly _tag: "Nothing" }

const recordedOutcome = (attempts: Attempts | null, epoch: number): RecordedOutcome | null =>
  attempts?.outcomes.find((recorded) => recorded.epoch === epoch) ?? null

const unassigned: TaskPrior = { status: "idle", assignee: null }

const claimIsDead = (sight: ClaimSight): boolean =>
  sight._tag === "Read" &&
  (sight.claim.kind === "tombstone" ||
    (sight.evidence.supervisor === "dead" && sight.evidence.others.length === 0 && sight.evidence.scanned))

/** Of the claims below an epoch, the largest up to which all are proven dead. */
const sweepableBelow = (claims: ReadonlyArray<ClaimSight>, epoch: number): Epoch | null => {
  let largest: Epoch | null = null
  for (const sight of claims) {
    if (sight.epoch >= epoch || !claimIsDead(sight)) break
    largest = sight.epoch
  }
  return largest
}

const fromLease = (record: TaskRecord, lease: Lease, evidence: Evidence): AttemptView => {
  const own = record.claims.find((sight) => sight.epoch === lease.epoch)
  const claim = own === undefined ? "none" : own._tag === "Unreadable" ? "unreadable" : own.claim.kind
  if (claim === "unreadable" && own?._tag === "Unreadable" && lease.phase === "starting") {
    return {
      _tag: "Held",
      reason: { _tag: "LeaseUnreadable", path: own.path, problem: own.problem },
      agentName: lease.agentName,
      epoch: lease.epoch
    }
  }
  const claimed = own?._tag === "Read" ? own.claim : null
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
    claimed,
    evidence: lease.phase === "starting" && own?._tag === "Read" ? own.evidence : evidence,
    recorded: recordedOutcome(record.attempts, lease.epoch),
    stop: record.stop?.epoch === lease.epoch ? record.stop : null,
    queue: lease.queue,
    prior: lease.prior,
    taskCreatedAt: lease.taskCreatedAt,
    sweepable: sweepableBelow(record.claims, lease.epoch)
  }
}

const fromClaim = (
  record: TaskRecord,
  sight: Extract<ClaimSight, { readonly _tag: "Read" }>,
  leaseFault: AttemptFiles["leaseFault"]
): AttemptView => {
  const { claim, epoch, evidence } = sight
  const recorded = recordedOutcome(record.attempts, epoch)
  if (recorded !== null && leaseFault === "lease-missing") {
    return { _tag: "Remains", epoch, agent: claim.agentName, dead: record.claims.every(claimIsDead) }
  }
  const last = record.attempts?.last?.epoch === epoch ? record.attempts.last : null
  return {
    _tag: "Attempt",
    reference: { taskId: record.taskId, epoch, token: claim.token, agent: claim.agentName, phase: "claim-only" },
    lease: null,
    leaseFault,
    claim: claim.kind,
    claimed: claim,
    evidence,
    recorded,
    stop: record.stop?.epoch === epoch ? record.stop : null,
    queue: last?.queue ?? null,
    prior: last?.prior ?? unassigned,
    taskCreatedAt: last === null ? null : (record.attempts?.taskCreatedAt ?? null),
    sweepable: sweepableBelow(record.claims, epoch)
  }
}

const withoutLeaseOrClaim = (record: TaskRecord): AttemptView => {
  const last = record.attempts?.last ?? null
  if (last === null || record.attempts === null || recordedOutcome(record.attempts, last.epoch) !== null) {
    return { _tag: "Nothing" }
  }
  return {
    _tag: "OpenStart",
    reference: {
      taskId: record.taskId,
      epoch: last.epoch,
      token: last.token,
      agent: last.agentName,
      phase: "none"
    },
    evidence: record.openStart ?? { supervisor: "unknown", agent: null, others: [], scanned: false },
    queue: last.queue,
    prior: last.prior,
    taskCreatedAt: record.attempts.taskCreatedAt
  }
}

const heldByClaim = (record: TaskRecord): AttemptView | null => {
  const top = record.claims.at(-1)
  if (top === undefined || top._tag === "Read") return null
  const agentName = record.attempts?.last?.epoch === top.epoch ? record.attempts.last.agentName : null
  return {
    _tag: "Held",
    reason: { _tag: "LeaseUnreadable", path: top.path, problem: top.problem },
    agentName,
    epoch: top.epoch
  }
}

/**
 * The attempt that a task's files are about. The claim of a higher epoch wins over the lease; a lease that contradicts
 * its own claim is judged by the claim.
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
      if (top?._tag === "Read" && top.epoch > lease.lease.epoch)
        return fromClaim(record, top, "lease-contradicts-claim")
      const own = record.claims.find((sight) => sight.epoch === lease.lease.epoch)
      if (own?._tag === "Read" && own.claim.token !== lease.lease.token) {
        return fromClaim(record, own, "lease-contradicts-claim")
      }
      return fromLease(record, lease.lease, lease.evidence)
    }
    case "Unreadable":
      if (top?._tag === "Read") return fromClaim(record, top, "lease-unreadable")
      return {
        _tag: "Held",
        reason: { _tag: "LeaseUnreadable", path: lease.path, problem: lease.problem },
        agentName: lease.agentName,
        epoch: record.epochMax
      }
    case "Missing":
      if (top?._tag === "Read") return fromClaim(record, top, "lease-missing")
      return heldByClaim(record) ?? withoutLeaseOrClaim(record)
  }
}

/** The name of the agent whose slot a view takes, and the queue it counts in; null when it takes none. */
export const holdOf = (view: AttemptView): { readonly agent: string | null; readonly queue: string | null } | null => {
  switch (view._tag) {
    case "Nothing":
      return null
    case "Remains":
      return view.dead ? null : { agent: view.agent, queue: null }
    case "Attempt":
    case "OpenStart":
      return { agent: view.reference.agent, queue: view.queue }
    case "Legacy":
      return { agent: view.lease.agentName, queue: null }
    case "Held":
      return { agent: view.agentName, queue: null }
  }
}
