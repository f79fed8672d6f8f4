/** A situation after some time in which nothing happened: both clocks go on, and whatever lives goes on beating. */
import type { LeaseSight } from "../domain/TaskRecord.ts"
import { timestampOf } from "../domain/time.ts"
import type { Situation } from "../domain/Situation.ts"

/** A beat that is not sent on would make a hung supervisor of everyone who is well. */
const beating = (sight: LeaseSight, nowMs: number, ms: number): LeaseSight => {
  if (sight._tag !== "Read" || sight.lease.phase !== "running" || sight.evidence.supervisor !== "alive") return sight
  const { lease } = sight
  return {
    ...sight,
    lease: { ...lease, lastHeartbeat: timestampOf(nowMs), beatMonoMs: lease.beatMonoMs + ms }
  }
}

export const later = ({ desired, observed }: Situation, ms: number): Situation => {
  const nowMs = observed.nowMs + ms
  return {
    desired,
    observed: {
      ...observed,
      nowMs,
      monoMs: observed.monoMs + ms,
      records: observed.records.map((record) => ({ ...record, lease: beating(record.lease, nowMs, ms) }))
    }
  }
}
