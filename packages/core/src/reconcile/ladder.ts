/**
 * The ladder by which an attempt is stopped, as data: which rung is due, whom it addresses, when the next one is. Apply
 * climbs one due rung at a time and never sleeps; escalation follows what still lives, never what was signalled.
 */
import type { StopReason, StopRecord, StopRung } from "../domain/Attempts.ts"
import type { AttemptReference } from "../domain/Plan.ts"
import { timestampOf } from "../domain/time.ts"

/** One row per rung: what follows it, and after which part of the grace. */
const rungs: { readonly [K in StopRung]: { readonly next: StopRung; readonly graceShare: number } } = {
  interrupt: { next: "terminate", graceShare: 1 },
  terminate: { next: "kill", graceShare: 0.5 },
  kill: { next: "kill", graceShare: 0.5 }
}

export interface LadderInput {
  readonly reference: AttemptReference
  readonly reason: StopReason
  readonly record: StopRecord | null
  readonly graceSec: number
  readonly nowMs: number
  readonly monoMs: number
  readonly bootId: string
  /** All processes were looked through, and beside the supervisor nothing of the attempt lives. */
  readonly alone: boolean
}

export interface LadderStep {
  readonly rung: StopRung
  readonly due: boolean
  readonly record: StopRecord
  readonly includeSupervisor: boolean
}

/** The least time between two rungs: a grace of 0 must not become a loop of signals within one pass. */
const rungMinMs = 100

/**
 * grace 10 s: SIGINT at 0 s, SIGTERM at 10 s, SIGKILL at 15 s, and again every 5 s while something lives.
 */
export const ladderStep = (input: LadderInput): LadderStep => {
  const { monoMs, reference } = input
  const record = input.record?.bootId === input.bootId ? input.record : null
  const aloneSinceMonoMs = input.alone ? (record?.aloneSinceMonoMs ?? monoMs) : null
  const graceMs = input.graceSec * 1000
  const includeSupervisor =
    input.reason === "hung-supervisor" ||
    (aloneSinceMonoMs !== null && record !== null && monoMs - aloneSinceMonoMs >= graceMs)
  if (record !== null && monoMs < record.nextMonoMs) {
    return { rung: record.rung, due: false, record: { ...record, aloneSinceMonoMs }, includeSupervisor }
  }
  const rung = record === null ? firstRung(input.reason) : rungs[record.rung].next
  return {
    rung,
    due: true,
    includeSupervisor,
    record: {
      version: 1,
      taskId: reference.taskId,
      epoch: reference.epoch,
      token: reference.token,
      reason: record?.reason ?? input.reason,
      since: record?.since ?? timestampOf(input.nowMs),
      bootId: input.bootId,
      rung,
      sinceMonoMs: record?.sinceMonoMs ?? monoMs,
      nextMonoMs: monoMs + Math.max(rungMinMs, graceMs * rungs[rung].graceShare),
      aloneSinceMonoMs,
      targets: record?.targets ?? []
    }
  }
}

/** What a finished agent left behind gets no SIGINT: there is no agent any more that could end its work well. */
const firstRung = (reason: StopReason): StopRung => (reason === "leftovers" ? "terminate" : "interrupt")
