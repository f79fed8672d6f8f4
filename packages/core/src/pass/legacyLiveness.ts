/**
 * Whether the work behind a lease of the old form lives. Such a lease has a bare pid, and its process was made the leader
 * of a session. So what outlived its leader is found by that number, which the system gives to no other process while a
 * group or session bears it.
 */
import type { LegacyLease } from "../domain/Lease.ts"
import { judgeLiveness } from "../domain/ProcessIdentity.ts"
import type { AttemptTraces, HostIdentity, Liveness, ProcessSight } from "../domain/ProcessIdentity.ts"
import { legacyToken } from "../domain/legacyToken.ts"
import { millisOf } from "../domain/time.ts"

/** What one look at the pid of an old lease showed. */
export interface LegacySight {
  readonly sight: ProcessSight
  /** When its process started, by the wall clock; null when that can't be told. */
  readonly startedMs: number | null
}

const isElsewhere = (lease: LegacyLease, here: HostIdentity): boolean =>
  lease.host !== null && lease.host !== here.host && lease.host !== here.host.split("/")[0]

const pidStartOf = (sight: ProcessSight): number => (sight._tag === "Seen" ? sight.pidStart : 0)

/** Of whoever has the pid now: a zombie is dead, though its number is still taken. */
export const leaderLiveness = (lease: LegacyLease, here: HostIdentity, sight: ProcessSight): Liveness =>
  isElsewhere(lease, here)
    ? "unknown"
    : judgeLiveness({ ...here, pid: lease.pid, pidStart: pidStartOf(sight) }, here, sight)

/** What of the work to look for among all processes once its leader is dead. */
export const legacyTraces = (lease: LegacyLease, sight: ProcessSight): AttemptTraces => ({
  token: legacyToken(lease),
  supervisor: null,
  agent: { pid: lease.pid, pidStart: pidStartOf(sight), group: lease.pid },
  known: []
})

/** Start times from boot time and ticks are right to about a second. */
const clockSlackMs = 2000

/**
 * A process that started after the lease's last beat is another one, with a number that was free by then. The beat and
 * not the start is compared, because a living wrapper goes on beating by a wall clock that was set anew, while the start
 * that it once wrote then looks older than its process.
 */
const isAnother = ({ lastHeartbeat, startTime }: LegacyLease, startedMs: number | null): boolean => {
  const lastSign = lastHeartbeat ?? startTime
  return startedMs !== null && lastSign !== null && startedMs > millisOf(lastSign) + clockSlackMs
}

/** `others`: what is left of its group and session, looked for where the leader is dead. */
export const legacyLiveness = (
  lease: LegacyLease,
  here: HostIdentity,
  { sight, startedMs }: LegacySight,
  others: { readonly pids: ReadonlyArray<number>; readonly scanned: boolean }
): Liveness => {
  const leader = leaderLiveness(lease, here, sight)
  if (leader === "alive") return isAnother(lease, startedMs) ? "dead" : "alive"
  if (leader === "unknown") return "unknown"
  if (others.pids.length > 0) return "alive"
  return others.scanned ? "dead" : "unknown"
}
