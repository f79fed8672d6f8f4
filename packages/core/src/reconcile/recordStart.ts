/** What is remembered of a start: written before its lease, so that no epoch is ever used twice. */
import type { Attempts } from "../domain/Attempts.ts"
import type { Lease } from "../domain/Lease.ts"

/**
 * The attempts file once an attempt is begun. Of another task under the same number counts, backoff and parking are
 * forgotten; its endings stay, since they bear epochs that come no second time.
 */
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
    // A lease of that other task that comes back must not be judged again.
    outcomes: attempts?.outcomes ?? [],
    counts: known?.counts ?? { failures: 0, losses: 0 },
    notBefore: known?.notBefore ?? null,
    parked: known?.parked ?? null,
    observed: null
  }
}
