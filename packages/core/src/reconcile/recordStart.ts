/** What is remembered of a start: written before its lease, so that no epoch is ever used twice. */
import type { Attempts } from "../domain/Attempts.ts"
import type { Lease } from "../domain/Lease.ts"

/** The attempts file once an attempt is begun; what it knew of another task under the same number counts for nothing. */
export const recordStart = (attempts: Attempts | null, lease: Lease): Attempts => {
  const known = attempts !== null && attempts.taskCreatedAt === lease.taskCreatedAt ? attempts : null
  return {
    version: 1,
    taskId: lease.taskId,
    endpoint: lease.endpoint,
    taskCreatedAt: lease.taskCreatedAt,
    last: {
      epoch: lease.epoch,
      token: lease.token,
      agentName: lease.agentName,
      queue: lease.queue,
      prior: lease.prior,
      startedAt: lease.startTime,
      startMonoMs: lease.startMonoMs,
      bootId: lease.bootId
    },
    // Of whatever task they were: an epoch is used once, and a lease that comes back is not judged again.
    outcomes: attempts?.outcomes ?? [],
    counts: known?.counts ?? { failures: 0, losses: 0 },
    notBefore: known?.notBefore ?? null,
    parked: known?.parked ?? null,
    observed: null
  }
}
