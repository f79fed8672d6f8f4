/**
 * The ladder by which an attempt is stopped, as data: which rung is due, whom it addresses, when the next one is. Apply
 * climbs one due rung at a time and never sleeps; escalation follows what still lives, never what was signalled.
 */
import type { StopReason, StopRecord, StopRung } from "../domain/Attempts.ts"
import type { AttemptReference } from "../domain/Plan.ts"
import { timestampOf } from "../domain/time.ts"

/** One rung: who is addressed and how, what follows it, and after which part of the grace. */
export interface Rung {
  /** "agent": the agent alone, where it is known and lives, else everything. "everything": whatever is left. */
  readonly addresses: "agent" | "everything"
  /** "first": the signal that the agent's entry names. SIGCONT wakes who was stopped, so that it can obey. */
  readonly signals: ReadonlyArray<"first" | "SIGCONT" | "SIGTERM" | "SIGKILL">
  /** Whether the attempt's cgroup is killed as a whole before the signals, where it has one. */
  readonly killsCgroup: boolean
  readonly next: StopRung
  readonly graceShare: number
}

/** The ladder. Grace 10 s: SIGINT at 0 s, SIGTERM at 10 s, SIGKILL at 15 s, and again every 5 s while something lives. */
export const ladder: { readonly [K in StopRung]: Rung } = {
  interrupt: {
    addresses: "agent",
    signals: ["first", "SIGCONT"],
    killsCgroup: false,
    next: "terminate",
    graceShare: 1
  },
  terminate: {
    addresses: "everything",
    signals: ["SIGTERM", "SIGCONT"],
    killsCgroup: false,
    next: "kill",
    graceShare: 0.5
  },
  kill: { addresses: "everything", signals: ["SIGKILL"], killsCgroup: true, next: "kill", graceShare: 0.5 }
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

/** A supervisor that is left alone may still be writing the ending, and drains the output for a second before. */
const supervisorMinMs = 2000

/** What lives for so long after SIGKILL is held by the kernel, or was not ours to signal. */
const outlivesAfterMs = 1000

/** Whether SIGKILL was sent long enough ago that whatever still lives can't be ended by it. */
export const outlivesKill = (record: StopRecord, now: { readonly monoMs: number; readonly bootId: string }): boolean =>
  record.bootId === now.bootId &&
  record.killedMonoMs !== undefined &&
  now.monoMs - record.killedMonoMs >= outlivesAfterMs

/** The step that is due now, or the one that was taken last and whose time is not over. */
export const ladderStep = (input: LadderInput): LadderStep => {
  const { monoMs, reference } = input
  const record = input.record?.bootId === input.bootId ? input.record : null
  const aloneSinceMonoMs = input.alone ? (record?.aloneSinceMonoMs ?? monoMs) : null
  const graceMs = input.graceSec * 1000
  const includeSupervisor =
    input.reason === "hung-supervisor" ||
    (aloneSinceMonoMs !== null && monoMs - aloneSinceMonoMs >= Math.max(supervisorMinMs, graceMs))
  if (record !== null && monoMs < record.nextMonoMs) {
    return { rung: record.rung, due: false, record: { ...record, aloneSinceMonoMs }, includeSupervisor }
  }
  const rung = record === null ? firstRung(input.reason) : ladder[record.rung].next
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
      nextMonoMs: monoMs + Math.max(rungMinMs, graceMs * ladder[rung].graceShare),
      ...(rung === "kill" ? { killedMonoMs: record?.killedMonoMs ?? monoMs } : {}),
      aloneSinceMonoMs,
      targets: record?.targets ?? []
    }
  }
}

/** What a finished agent left behind gets no SIGINT: there is no agent any more that could end its work well. */
const firstRung = (reason: StopReason): StopRung => (reason === "leftovers" ? "terminate" : "interrupt")
