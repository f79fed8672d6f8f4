/**
 * What of a task's lease and claims may live, put together from what was seen of each: dead only where all of it is proven
 * dead, alive where any of it is.
 */
import type { Epoch } from "../domain/identifiers.ts"
import type { Lease } from "../domain/Lease.ts"
import type { Liveness } from "../domain/ProcessIdentity.ts"
import type { ClaimSight, Evidence, TaskRecord } from "../domain/TaskRecord.ts"
import { isProvenDead } from "../domain/TaskRecord.ts"

export type ReadClaim = Extract<ClaimSight, { readonly _tag: "Read" }>

/** Of a tombstone there is nothing to look for. */
const nobodyEver: Evidence = { supervisor: "dead", agent: null, others: [], scanned: true }

const evidenceOfClaim = ({ claim, evidence }: ReadClaim): Evidence =>
  claim.kind === "tombstone" ? nobodyEver : evidence

/** A tombstone never had a process; a claim that can't be read may be anybody's. */
export const claimLiveness = (sight: ClaimSight): Liveness => {
  if (sight._tag === "Unreadable") return "unknown"
  const evidence = evidenceOfClaim(sight)
  if (isProvenDead(evidence)) return "dead"
  const { agent, others, supervisor } = evidence
  return supervisor === "alive" || agent === "alive" || others.length > 0 ? "alive" : "unknown"
}

const claimIsDead = (sight: ClaimSight): boolean => claimLiveness(sight) === "dead"

/** The worse of two, so that death is proven only where both are dead. */
export const worseOf = (left: Liveness, right: Liveness): Liveness =>
  left === "alive" || right === "alive" ? "alive" : left === "unknown" || right === "unknown" ? "unknown" : "dead"

/** Of a claim and a lease: dead where both are, alive where one is. */
const worseEvidence = (ofClaim: Evidence, ofLease: Evidence): Evidence => ({
  supervisor: worseOf(ofClaim.supervisor, ofLease.supervisor),
  agent: ofClaim.agent === null ? ofLease.agent : worseOf(ofClaim.agent, ofLease.agent ?? "dead"),
  others: [...new Set([...ofClaim.others, ...ofLease.others])].sort((left, right) => left - right),
  scanned: ofClaim.scanned && ofLease.scanned
})

/**
 * A lease that contradicts its claim may have processes of its own: both must be proven dead before it is removed. A
 * supervisor that lives on after it wrote its ending has nothing more to do, and may hang for ever.
 */
export const withLeaseEvidence = (sight: ReadClaim, lease: TaskRecord["lease"]): Evidence => {
  const evidence = evidenceOfClaim(sight)
  if (lease._tag !== "Read" || lease.lease.phase === "starting") return evidence
  const isLingering = lease.lease.phase === "finished" && lease.evidence.supervisor === "alive"
  return worseEvidence(evidence, isLingering ? { ...lease.evidence, supervisor: "dead" } : lease.evidence)
}

/** Whether the supervisor of a claim is gone, and something of its attempt lives. */
export const isOrphan = (sight: ReadClaim): boolean =>
  sight.evidence.supervisor === "dead" && claimLiveness(sight) === "alive"

/** The latest claim whose agent was left alone; null when none was. */
export const orphanIn = (claims: ReadonlyArray<ClaimSight>): ReadClaim | null =>
  claims.findLast((sight): sight is ReadClaim => sight._tag === "Read" && isOrphan(sight)) ?? null

/** Whether something of a lease is known to live; a supervisor that wrote its ending has nothing more to do. */
export const leaseLives = ({ evidence, lease }: Extract<TaskRecord["lease"], { readonly _tag: "Read" }>): boolean => {
  const othersLive = evidence.agent === "alive" || evidence.others.length > 0
  return lease.phase === "running" ? othersLive || evidence.supervisor === "alive" : othersLive
}

/**
 * A lease that runs and its claim name one supervisor, unless somebody edited one of them: then either may live. Only a
 * claim has one while the lease is an intent.
 */
export const evidenceOfBoth = (lease: Lease, evidence: Evidence, own: ClaimSight | undefined): Evidence => {
  if (own?._tag !== "Read") return evidence
  switch (lease.phase) {
    case "starting":
      return evidenceOfClaim(own)
    case "running":
      return worseEvidence(evidenceOfClaim(own), evidence)
    case "finished":
      // The supervisor that both name may linger.
      return worseEvidence({ ...evidenceOfClaim(own), supervisor: evidence.supervisor }, evidence)
  }
}

/** Of the claims below an epoch, the largest up to which all are proven dead. */
export const sweepableBelow = (claims: ReadonlyArray<ClaimSight>, epoch: number): Epoch | null => {
  let largest: Epoch | null = null
  for (const sight of claims) {
    if (sight.epoch >= epoch || !claimIsDead(sight)) break
    largest = sight.epoch
  }
  return largest
}

/** The end of an attempt removes the claims of all before it: of none that lives, or its task would run twice. */
export const survivorBelow = (claims: ReadonlyArray<ClaimSight>, epoch: number): Epoch | null =>
  claims.find((sight) => sight.epoch < epoch && claimLiveness(sight) === "alive")?.epoch ?? null
