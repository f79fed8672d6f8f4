/** A situation after some time in which nothing happened: both clocks go on, and whatever lives goes on beating. */
import type { Situation } from "../domain/Situation.ts"
import type { TaskRecord } from "../domain/TaskRecord.ts"
import { timestampOf } from "../domain/time.ts"

/**
 * The same record `ms` later, at `nowMs`. A beat that is not sent on would make a hung supervisor of everyone who is well;
 * one that is silent stays as silent as it was.
 */
export const beating = (record: TaskRecord, nowMs: number, ms: number): TaskRecord => {
  const sight = record.lease
  if (sight._tag !== "Read" || sight.lease.phase !== "running" || sight.evidence.supervisor !== "alive") return record
  const { lease } = sight
  const beat = { lastHeartbeat: timestampOf(nowMs), beatMonoMs: lease.beatMonoMs + ms }
  return { ...record, lease: { ...sight, lease: { ...lease, ...beat } } }
}

export const later = ({ desired, observed }: Situation, ms: number): Situation => {
  const nowMs = observed.nowMs + ms
  return {
    desired,
    observed: {
      ...observed,
      nowMs,
      monoMs: observed.monoMs + ms,
      records: observed.records.map((record) => beating(record, nowMs, ms))
    }
  }
}
