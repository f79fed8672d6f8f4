/**
 * Files of one task that no run of ours leaves so, but backups, people and other programs do: every combination of a lease,
 * of claims and of an attempts file over a few epochs.
 */
import { Epoch } from "../src/domain/identifiers.ts"
import type { Attempts } from "../src/domain/Attempts.ts"
import type { HostIdentity } from "../src/domain/ProcessIdentity.ts"
import type { ClaimSight, Evidence, LeaseSight } from "../src/domain/TaskRecord.ts"
import {
  agentPid,
  attempts,
  claim,
  claimSight,
  evidence,
  finishedLease,
  legacyLease,
  recordedOutcome,
  runningLease,
  startingLease,
  unreadable
} from "./builders.ts"

/** The files, and what is seen of the processes that they name. */
export interface FilesAtOdds {
  readonly lease: LeaseSight
  readonly claims: ReadonlyArray<ClaimSight>
  readonly attempts: Attempts | null
}

export interface Variety {
  readonly epochs: ReadonlyArray<number>
  readonly place: HostIdentity
  /** What of that which the files name may live; "anything": agents without supervisors, and what nobody can see, too. */
  readonly mayLive: "nothing" | "supervisors" | "anything"
}

/** Every way to choose one of the given for each epoch. */
const forEachEpoch = <A>(
  epochs: ReadonlyArray<number>,
  choices: (epoch: number) => ReadonlyArray<A>
): ReadonlyArray<ReadonlyArray<A>> =>
  epochs.reduce<ReadonlyArray<ReadonlyArray<A>>>(
    (made, epoch) => made.flatMap((before) => choices(epoch).map((choice) => [...before, choice])),
    [[]]
  )

/** Of an agent that was left alone, and of what can't be seen from here. */
const strange = ({ mayLive }: Variety, agent: "alive" | null): ReadonlyArray<Evidence> =>
  mayLive === "anything"
    ? [
        { supervisor: "dead", agent, others: [agentPid(1)], scanned: true },
        { ...evidence.unknown, agent: agent === null ? null : "unknown" }
      ]
    : []

const scanned = (seen: Evidence): Evidence => ({ ...seen, scanned: true })

/** By what they are called in the name of a test. */
const leasesOf = (variety: Variety): { readonly [name: string]: ReadonlyArray<LeaseSight> } => {
  const { epochs, mayLive, place } = variety
  const isLively = mayLive !== "nothing"
  return {
    "no lease": [{ _tag: "Missing" }],
    "a torn lease": [unreadable(1, "ada")],
    "a lease of the Python version": (isLively ? (["dead", "alive", "unknown"] as const) : (["dead"] as const)).map(
      (liveness) => legacyLease(1, "ada", liveness)
    ),
    "an intent": epochs.map((epoch) => ({
      _tag: "Read",
      lease: startingLease(1, epoch, "ada", {}, place),
      evidence: evidence.nobody
    })),
    "a lease that runs": epochs.flatMap((epoch) =>
      [evidence.dead, ...(isLively ? [scanned(evidence.healthy)] : []), ...strange(variety, "alive")].map(
        (seen): LeaseSight => ({
          _tag: "Read",
          lease: runningLease(1, epoch, "ada", {}, place),
          evidence: seen
        })
      )
    ),
    "a lease that has finished": epochs.flatMap((epoch) =>
      [evidence.dead, ...strange(variety, "alive")].map((seen): LeaseSight => ({
        _tag: "Read",
        lease: finishedLease(1, epoch, "ada", {}, place),
        evidence: seen
      }))
    )
  }
}

const claimsOf = (variety: Variety): ReadonlyArray<ReadonlyArray<ClaimSight>> =>
  forEachEpoch(variety.epochs, (epoch): ReadonlyArray<ReadonlyArray<ClaimSight>> => [
    [],
    ...[
      evidence.claimDead,
      ...(variety.mayLive === "nothing" ? [] : [scanned(evidence.claimedOnly)]),
      ...strange(variety, null)
    ].map((seen) => [claimSight(claim(1, epoch, "ada", {}, variety.place), seen)]),
    [claimSight(claim(1, epoch, "ada", { kind: "tombstone" }, variety.place), evidence.tombstone)],
    [{ _tag: "Unreadable", epoch: Epoch.make(epoch), path: `state/claims/1.${epoch}`, problem: "it is torn" }]
  ]).map((claims) => claims.flat())

const attemptsOf = ({ epochs, place }: Variety): ReadonlyArray<Attempts | null> => [
  null,
  ...[null, ...epochs].flatMap((last) =>
    forEachEpoch(epochs, (epoch) => [[], [recordedOutcome(1, epoch, "failed")]]).map((outcomes): Attempts => {
      const made = attempts(1, last === null ? null : { epoch: last, agent: "ada" }, { outcomes: outcomes.flat() })
      return made.last === null ? made : { ...made, last: { ...made.last, bootId: place.bootId } }
    })
  )
]

/** All of them, by the kind of lease. */
export const filesAtOdds = (variety: Variety): ReadonlyArray<readonly [string, ReadonlyArray<FilesAtOdds>]> =>
  Object.entries(leasesOf(variety)).map(([name, leases]) => [
    name,
    leases.flatMap((lease) =>
      claimsOf(variety).flatMap((claims) =>
        attemptsOf(variety).map((remembered) => ({ lease, claims, attempts: remembered }))
      )
    )
  ])

/** In short words, for who reads of one that went wrong. */
export const shortFiles = ({ attempts: remembered, claims, lease }: FilesAtOdds): string => {
  const leaseText = lease._tag === "Read" ? `${lease.lease.phase} ${lease.lease.epoch}` : lease._tag
  const claimTexts = claims.map((sight) =>
    sight._tag === "Read" ? `${sight.claim.kind} ${sight.epoch} ${sight.evidence.supervisor}` : `torn ${sight.epoch}`
  )
  const ended = remembered?.outcomes.map(({ epoch }) => epoch).join(",")
  return `lease ${leaseText}; claims ${claimTexts.join(", ")}; last start ${remembered?.last?.epoch ?? "none"}, ended ${ended}`
}
