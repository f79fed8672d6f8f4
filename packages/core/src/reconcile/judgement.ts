/** The kinds of judgement on an attempt: each gives a verdict, the actions it calls for, and when it may change by itself. */
import type { StopReason } from "../domain/Attempts.ts"
import type { Outcome } from "../domain/Outcome.ts"
import type { Action, ReclaimReason, RunningDetail, Verdict } from "../domain/Plan.ts"
import type { TaskRecord } from "../domain/TaskRecord.ts"
import { othersLive, silenceLeftMs } from "./attemptFacts.ts"
import type { Facts, TaskSight } from "./attemptFacts.ts"
import { judgeEnding, successPolicyOf } from "./judgeEnding.ts"
import { ladderStep } from "./ladder.ts"

/** What a rule makes of an attempt. */
export interface Judgement {
  readonly verdict: Verdict
  readonly actions: ReadonlyArray<Action>
  /** When this verdict may change by itself, on the monotonic clock. */
  readonly nextMonoMs: number | null
}

/** What every verdict on an attempt names. */
export const base = (facts: Facts) => ({ taskId: facts.view.reference.taskId, agent: facts.view.reference.agent })

/** It is left alone; what was seen of it is kept where it must be seen again. */
export const running =
  (detail: RunningDetail | ((facts: Facts) => RunningDetail)) =>
  (facts: Facts): Judgement => {
    const { observed, view } = facts
    return {
      verdict: {
        _tag: "Running",
        ...base(facts),
        epoch: view.reference.epoch,
        detail: typeof detail === "function" ? detail(facts) : detail
      },
      actions: noteOf(facts),
      nextMonoMs: nextOf(facts, observed.monoMs)
    }
  }

/** Remembers a sighting that changed; what a task without attempts file shows can't be kept. */
const noteOf = ({ look, record, view }: Facts): ReadonlyArray<Action> =>
  look.changed && record.attempts !== null
    ? [{ _tag: "Note", attempt: view.reference, sighting: look.sighting, taskCreatedAt: null }]
    : []

/** The earliest deadline of a healthy attempt. */
const nextOf = (facts: Facts, monoMs: number): number | null => {
  const { desired, look, view } = facts
  const { policy } = desired
  // A changed setting does not change how often a supervisor beats that was started before.
  const heartbeatSec = view.lease?.heartbeatSec ?? policy.heartbeatSec
  const limits: Array<number> = []
  const maxRuntimeSec = view.lease?.maxRuntimeSec ?? 0
  if (maxRuntimeSec > 0) limits.push(facts.startMonoMs + maxRuntimeSec * 1000)
  if (view.lease?.phase === "starting" && view.claim === "none")
    limits.push(facts.startMonoMs + policy.startGraceSec * 1000)
  const silence = silenceLeftMs(facts)
  // Only the beat after the limit can tell; one that is late is waited for no longer than the interval between passes.
  if (silence !== null) limits.push((view.lease?.beatMonoMs ?? 0) + silence + heartbeatSec * 1000)
  const sighting = look.sighting
  if (sighting !== null) {
    if (sighting.hungSinceMonoMs !== null)
      limits.push(sighting.hungSinceMonoMs + 2 * Math.max(policy.heartbeatSec, heartbeatSec) * 1000)
    if (sighting.unknownSinceMonoMs !== null && policy.unknownLostSec > 0) {
      limits.push(sighting.unknownSinceMonoMs + policy.unknownLostSec * 1000)
    }
    if (sighting.completeSinceMonoMs !== null)
      limits.push(sighting.completeSinceMonoMs + policy.completeGraceSec * 1000)
  }
  const ahead = limits.filter((limit) => limit > monoMs)
  return ahead.length === 0 ? null : Math.min(...ahead)
}

/** One step of the ladder, where one is due. */
export const stop =
  (reason: (facts: Facts) => StopReason) =>
  (facts: Facts): Judgement => {
    const { agent, desired, observed, view } = facts
    const step = ladderStep({
      reference: view.reference,
      reason: view.stop?.reason ?? reason(facts),
      record: view.stop,
      graceSec: agent?.stopGraceSec ?? desired.policy.stopGraceSec,
      nowMs: observed.nowMs,
      monoMs: observed.monoMs,
      bootId: observed.here.bootId,
      alone: view.evidence.scanned && !othersLive(facts)
    })
    return {
      verdict: {
        _tag: "Stop",
        ...base(facts),
        epoch: view.reference.epoch,
        reason: step.record.reason,
        rung: step.rung,
        due: step.due,
        survivors: view.evidence.others
      },
      actions: step.due
        ? [
            {
              _tag: "Stop",
              attempt: view.reference,
              record: step.record,
              includeSupervisor: step.includeSupervisor,
              firstSignal: agent?.stopSignal ?? "SIGINT"
            }
          ]
        : [],
      nextMonoMs: step.record.nextMonoMs
    }
  }

/** What it needs for its ending can't be read: Tinytask, or its own attempts file. */
export const waitForReading = (record: TaskRecord, sight: TaskSight): Judgement => ({
  verdict: {
    _tag: "Wait",
    taskId: record.taskId,
    reasons: [
      record.attemptsProblem === null
        ? { _tag: "TinytaskUnread", reason: sight._tag === "Unread" ? sight.reason : "" }
        : { _tag: "AttemptsUnreadable", problem: record.attemptsProblem }
    ]
  },
  actions: [],
  nextMonoMs: null
})

/** Its ending by the table, from what the observation shows of its task. */
export const judged = (facts: Facts): { readonly outcome: Outcome; readonly detail: string } => {
  const { agent, sight, view } = facts
  const lease = view.lease
  return judgeEnding({
    agent: view.reference.agent,
    queue: view.queue,
    taskCreatedAt: view.taskCreatedAt,
    task: sight._tag === "Found" ? sight.task : null,
    openSubtasks: sight._tag === "Found" ? sight.openSubtasks : 0,
    exit: lease?.phase === "finished" ? lease.exit : null,
    stop: view.stop?.reason ?? null,
    success: successPolicyOf(agent, lease?.success)
  })
}

interface EndOptions {
  readonly reason: ReclaimReason | "finished"
  readonly ending: (facts: Facts) => { readonly outcome: Outcome; readonly detail: string }
  /** Whatever has no claim is shut out by a tombstone also without it. */
  readonly tombstone?: boolean
  readonly withoutProof?: boolean
}

/** Its ending, unless what it needs can't be read. */
export const end =
  (options: EndOptions) =>
  (facts: Facts): Judgement => {
    const { record, sight, view } = facts
    if (sight._tag === "Unread" || record.attemptsProblem !== null) return waitForReading(record, sight)
    const { detail, outcome } = options.ending(facts)
    const action: Action = {
      _tag: "End",
      attempt: view.reference,
      outcome,
      detail,
      tombstone: options.tombstone === true || view.claim === "none",
      withoutProof: options.withoutProof === true,
      prior: view.prior,
      queue: view.queue,
      taskCreatedAt: view.taskCreatedAt,
      judgeBy:
        options.ending === judged && sight._tag === "Found"
          ? {
              success: successPolicyOf(facts.agent, view.lease?.success),
              openSubtasks: sight.openSubtasks
            }
          : null
    }
    const verdict: Verdict =
      options.reason === "finished"
        ? { _tag: "Finish", ...base(facts), epoch: view.reference.epoch, outcome, detail }
        : { _tag: "Reclaim", ...base(facts), epoch: view.reference.epoch, reason: options.reason, outcome }
    return { verdict, actions: [action], nextMonoMs: null }
  }

/** The ending of a start that this process gave up. */
export const fromFault = (facts: Facts) => ({
  outcome: facts.fault?.kind === "void" ? ("void" as const) : ("start-failed" as const),
  detail: facts.fault?.reason ?? "its start was given up"
})

/** The ending of a start that came to nothing. */
export const startFailed = (detail: string) => () => ({ outcome: "start-failed" as const, detail })

/** The ending that was judged before, and is carried out now. */
export const recordedEnding = (facts: Facts) => ({
  outcome: facts.view.recorded?.outcome ?? "lost",
  detail: facts.view.recorded?.detail ?? ""
})
