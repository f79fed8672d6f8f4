/**
 * What the machine's processes show of each attempt. Pids are looked at once for all attempts; all processes are scanned
 * only when somebody looks dead, has finished, or is being stopped, and an empty scan counts only when a second one is
 * empty too.
 */
import * as Effect from "effect/Effect"
import type { LastStart, StopRecord } from "../domain/Attempts.ts"
import type { Claim, Lease, LegacyLease } from "../domain/Lease.ts"
import { judgeLiveness, processesOfAttempt, reach } from "../domain/ProcessIdentity.ts"
import type {
  AttemptTraces,
  HostIdentity,
  Liveness,
  ProcessIdentity,
  ProcessRow,
  ProcessSight
} from "../domain/ProcessIdentity.ts"
import type { Evidence } from "../domain/TaskRecord.ts"
import type { StoredAttempts } from "../ports/AttemptHistory.ts"
import { LeaseStore } from "../ports/LeaseStore.ts"
import type { StoredTask } from "../ports/LeaseStore.ts"
import { ProcessTable } from "../ports/ProcessTable.ts"
import type { Ourselves } from "../ports/ProcessTable.ts"
import { leaderLiveness, legacyLiveness, legacyTraces } from "./legacyLiveness.ts"
import { openStartOf } from "./openStart.ts"
import { unseenMembers } from "./unseenMembers.ts"

/** What is stored of one task, by leases and by attempts. */
export interface Joined {
  readonly stored: StoredTask
  readonly attempts: StoredAttempts | null
}

/** The supervisor named by a lease; null while nobody has claimed it. */
export const supervisorOfLease = (lease: Lease): ProcessIdentity | null =>
  lease.phase === "starting"
    ? null
    : { host: lease.host, bootId: lease.bootId, pidNs: lease.pidNs, pid: lease.pid, pidStart: lease.pidStart }

const supervisorOfClaim = (claim: Claim): ProcessIdentity => ({
  host: claim.host,
  bootId: claim.bootId,
  pidNs: claim.pidNs,
  pid: claim.pid,
  pidStart: claim.pidStart
})

const identitiesOf = ({ lease, claims }: StoredTask): ReadonlyArray<ProcessIdentity> => {
  const identities: Array<ProcessIdentity> = []
  if (lease._tag === "Read") {
    const supervisor = supervisorOfLease(lease.lease)
    if (supervisor !== null) identities.push(supervisor)
    if (supervisor !== null && lease.lease.agent !== null) {
      identities.push({ ...supervisor, pid: lease.lease.agent.pid, pidStart: lease.lease.agent.pidStart })
    }
  }
  for (const entry of claims) {
    if (entry._tag === "Read" && entry.claim.kind === "claim") identities.push(supervisorOfClaim(entry.claim))
  }
  return identities
}

const pidsOf = (stored: StoredTask, here: HostIdentity): ReadonlyArray<number> => [
  ...identitiesOf(stored)
    .filter((identity) => reach(identity, here) === "here")
    .map(({ pid }) => pid),
  ...(stored.lease._tag === "Legacy" ? [stored.lease.lease.pid] : [])
]

/** Whether something of this task looks dead, so that its lease must be read again after the probe. */
const looksDead = (stored: StoredTask, here: HostIdentity, sights: ReadonlyMap<number, ProcessSight>): boolean =>
  identitiesOf(stored).some((identity) => livenessIn(identity, here, sights) === "dead")

const livenessIn = (
  identity: ProcessIdentity,
  here: HostIdentity,
  sights: ReadonlyMap<number, ProcessSight>
): Liveness => judgeLiveness(identity, here, sightIn(sights, identity.pid))

const sightIn = (sights: ReadonlyMap<number, ProcessSight>, pid: number): ProcessSight =>
  sights.get(pid) ?? { _tag: "Unreadable" }

/** Whether an attempt must be looked for among all processes. */
const needsScan = (
  { attempts, stored }: Joined,
  here: HostIdentity,
  sights: ReadonlyMap<number, ProcessSight>
): boolean => {
  if (stored.stops.length > 0) return true
  if (stored.lease._tag === "Legacy")
    return leaderLiveness(stored.lease.lease, here, sightIn(sights, stored.lease.lease.pid)) === "dead"
  if (stored.lease._tag === "Read" && stored.lease.lease.phase === "finished") return true
  if (looksDead(stored, here, sights)) return true
  return openStartOf(stored, attempts?.attempts ?? null) !== null
}

/** What the processes of the attempts showed, in the form the records want it. */
export interface GatheredEvidence {
  /** The stored state, with leases that were read again. */
  readonly tasks: ReadonlyArray<Joined>
  readonly ofLease: (lease: Lease, entry: Joined) => Evidence
  readonly ofClaim: (claim: Claim, entry: Joined) => Evidence
  readonly ofToken: (last: LastStart, entry: Joined) => Evidence
  readonly ofLegacy: (lease: LegacyLease, entry: Joined) => Liveness
}

export const gatherEvidence = Effect.fn("observe.gatherEvidence")(function* (
  joined: ReadonlyArray<Joined>,
  ourselves: Ourselves
) {
  const processes = yield* ProcessTable
  const leases = yield* LeaseStore
  const { here } = ourselves
  const probe = (entries: ReadonlyArray<Joined>) =>
    processes.look([...new Set(entries.flatMap(({ stored }) => pidsOf(stored, here)))])
  const first = yield* probe(joined)
  const tasks = yield* Effect.forEach(joined, (entry) =>
    looksDead(entry.stored, here, first)
      ? Effect.map(leases.read(entry.stored.taskId), (stored) => ({ ...entry, stored }))
      : Effect.succeed(entry)
  )
  const reread = tasks.filter((entry, index) => entry !== joined[index])
  const sights = reread.length === 0 ? first : new Map([...first, ...(yield* probe(reread))])
  const wanted = new Set(tasks.filter((entry) => needsScan(entry, here, sights)))
  const scans = wanted.size === 0 ? [] : [yield* processes.scan, yield* processes.scan]
  // Whom we descend from is never signalled, and yet alive: a pass may be run from the shell of the agent that it judges.
  const self = new Set([ourselves.pid])
  const unseen = yield* unseenMembers(
    [...wanted].map(({ stored }) => stored),
    scans.flat()
  )
  const legacyStarts = yield* legacyStartTimes(tasks)
  const findFor =
    (entry: Joined): FindOthers =>
    (traces) =>
      wanted.has(entry)
        ? livingOthers(scans, self, traces, unseen.get(traces.token) ?? [])
        : { pids: [], scanned: false }
  return {
    tasks,
    ofLease: (lease, entry) =>
      evidenceOf(
        supervisorOfLease(lease),
        { ...lease, known: listedOf(entry.stored, lease) },
        here,
        sights,
        findFor(entry)
      ),
    ofClaim: (claim, entry) => {
      const { stored } = entry
      const lease = stored.lease._tag === "Read" && stored.lease.lease.token === claim.token ? stored.lease.lease : null
      const evidence = evidenceOf(
        supervisorOfClaim(claim),
        { token: claim.token, agent: lease?.agent ?? null, known: listedOf(stored, claim) },
        here,
        sights,
        findFor(entry)
      )
      return claim.kind === "tombstone" ? { ...evidence, supervisor: "dead", agent: null } : evidence
    },
    ofToken: (last, entry) => evidenceOfToken(last, here, findFor(entry)),
    ofLegacy: (lease, entry) => {
      const sight = sightIn(sights, lease.pid)
      const startedMs = legacyStarts.get(lease.pid) ?? null
      return legacyLiveness(lease, here, { sight, startedMs }, findFor(entry)(legacyTraces(lease, sight)))
    }
  } satisfies GatheredEvidence
})

/** What was listed before it was signalled: by now it may have lost its parent, and nothing else shows whose it is. */
const listedOf = ({ stops }: StoredTask, { epoch }: Pick<Claim, "epoch">): StopRecord["targets"] =>
  stops.find((stop) => stop.epoch === epoch)?.targets ?? []

type FindOthers = (traces: AttemptTraces) => { readonly pids: ReadonlyArray<number>; readonly scanned: boolean }

/** Alive in either scan counts as alive. */
const livingOthers = (
  scans: ReadonlyArray<ReadonlyArray<ProcessRow>>,
  self: ReadonlySet<number>,
  traces: AttemptTraces,
  unseen: ReadonlyArray<number>
): { readonly pids: ReadonlyArray<number>; readonly scanned: boolean } => {
  const pids = new Set<number>(unseen)
  for (const rows of scans) for (const { pid } of processesOfAttempt(rows, traces, self)) pids.add(pid)
  return { pids: [...pids].sort((left, right) => left - right), scanned: scans.length >= 2 }
}

const evidenceOf = (
  supervisor: ProcessIdentity | null,
  attempt: Pick<AttemptTraces, "token" | "agent" | "known">,
  here: HostIdentity,
  sights: ReadonlyMap<number, ProcessSight>,
  find: FindOthers
): Evidence => {
  if (supervisor === null) return { supervisor: "unknown", agent: null, others: [], scanned: false }
  switch (reach(supervisor, here)) {
    case "earlier-boot":
      // A process does not outlive its boot: nothing has to be looked for.
      return { supervisor: "dead", agent: attempt.agent === null ? null : "dead", others: [], scanned: true }
    case "elsewhere":
      return { supervisor: "unknown", agent: attempt.agent === null ? null : "unknown", others: [], scanned: false }
    case "here": {
      const agent = attempt.agent === null ? null : { ...supervisor, ...attempt.agent }
      const found = find({
        token: attempt.token,
        supervisor: { pid: supervisor.pid, pidStart: supervisor.pidStart },
        agent: attempt.agent,
        known: attempt.known
      })
      return {
        supervisor: livenessIn(supervisor, here, sights),
        agent: agent === null ? null : livenessIn(agent, here, sights),
        others: found.pids,
        scanned: found.scanned
      }
    }
  }
}

const evidenceOfToken = (last: LastStart, here: HostIdentity, find: FindOthers): Evidence => {
  if (last.bootId !== here.bootId) return { supervisor: "dead", agent: null, others: [], scanned: true }
  const found = find({ token: last.token, supervisor: null, agent: null, known: [] })
  return { supervisor: "dead", agent: null, others: found.pids, scanned: found.scanned }
}

const legacyStartTimes = Effect.fnUntraced(function* (tasks: ReadonlyArray<Joined>) {
  const processes = yield* ProcessTable
  const starts = new Map<number, number>()
  for (const { stored } of tasks) {
    if (stored.lease._tag !== "Legacy") continue
    const startedMs = yield* processes.startedAtMs(stored.lease.lease.pid)
    if (startedMs !== null) starts.set(stored.lease.lease.pid, startedMs)
  }
  return starts
})
