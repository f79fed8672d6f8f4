/**
 * Step 2, stale: what becomes of an attempt. An ordered table of rules; the first that matches gives verdict and
 * actions. Death is proven, never assumed: what can't be proven is held, and says so.
 */
import type { StopReason } from "../domain/Attempts.ts"
import type { Agent, DesiredState } from "../domain/DesiredState.ts"
import type { ObservedState, StartFault } from "../domain/ObservedState.ts"
import type { Outcome } from "../domain/Outcome.ts"
import type { Action, ReclaimReason, RunningDetail, Verdict } from "../domain/Plan.ts"
import { reach } from "../domain/ProcessIdentity.ts"
import type { Task } from "../domain/Task.ts"
import { isProvenDead, nothingLeft } from "../domain/TaskRecord.ts"
import type { TaskRecord } from "../domain/TaskRecord.ts"
import type { AttemptFiles } from "./attemptView.ts"
import { judgeEnding, successPolicyOf } from "./ending.ts"
import { ladderStep } from "./ladder.ts"
import { lookAgain } from "./sighting.ts"
import type { SightingResult } from "./sighting.ts"

/** What Tinytask says of the task of an attempt. */
export type TaskSight =
  | { readonly _tag: "Unread"; readonly reason: string }
  | { readonly _tag: "Gone" }
  | { readonly _tag: "Found"; readonly task: Task; readonly openSubtasks: number }

export interface Judgement {
  readonly verdict: Verdict
  readonly actions: ReadonlyArray<Action>
  /** When this verdict may change by itself, on the monotonic clock. */
  readonly nextMonoMs: number | null
}

export interface AttemptContext {
  readonly view: AttemptFiles
  readonly record: TaskRecord
  readonly sight: TaskSight
  readonly agent: Agent | undefined
  readonly fault: StartFault | null
  readonly observed: ObservedState
  readonly desired: DesiredState
}

interface Facts extends AttemptContext {
  readonly dead: boolean
  /** Nothing of it is known to live, and not everything is known to be dead. */
  readonly unknown: boolean
  readonly look: SightingResult
  readonly startMonoMs: number
}

interface Rule {
  readonly name: string
  readonly when: (facts: Facts) => boolean
  readonly judge: (facts: Facts) => Judgement
}

const base = (facts: Facts) => ({ taskId: facts.view.reference.taskId, agent: facts.view.reference.agent })

const running =
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
  look.changed && record.attempts !== null ? [{ _tag: "Note", attempt: view.reference, sighting: look.sighting }] : []

/** The earliest deadline of a healthy attempt. */
const nextOf = (facts: Facts, monoMs: number): number | null => {
  const { desired, look, view } = facts
  const { policy } = desired
  const limits: Array<number> = []
  const maxRuntimeSec = view.lease?.maxRuntimeSec ?? 0
  if (maxRuntimeSec > 0) limits.push(facts.startMonoMs + maxRuntimeSec * 1000)
  if (view.lease?.phase === "starting" && view.claim === "none")
    limits.push(facts.startMonoMs + policy.startGraceSec * 1000)
  const sighting = look.sighting
  if (sighting !== null) {
    if (sighting.hungSinceMonoMs !== null) limits.push(sighting.hungSinceMonoMs + 2 * policy.heartbeatSec * 1000)
    if (sighting.unknownSinceMonoMs !== null && policy.unknownLostSec > 0) {
      limits.push(sighting.unknownSinceMonoMs + policy.unknownLostSec * 1000)
    }
    if (sighting.completeSinceMonoMs !== null)
      limits.push(sighting.completeSinceMonoMs + policy.completeGraceSec * 1000)
  }
  const ahead = limits.filter((limit) => limit > monoMs)
  return ahead.length === 0 ? null : Math.min(...ahead)
}

const stop =
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

const waitForTinytask = (facts: Facts): Judgement => ({
  verdict: {
    _tag: "Wait",
    taskId: facts.view.reference.taskId,
    reasons: [
      facts.record.attemptsProblem === null
        ? { _tag: "TinytaskUnread", reason: facts.sight._tag === "Unread" ? facts.sight.reason : "" }
        : { _tag: "AttemptsUnreadable", problem: facts.record.attemptsProblem }
    ]
  },
  actions: [],
  nextMonoMs: null
})

const judged = (facts: Facts): { readonly outcome: Outcome; readonly detail: string } => {
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
  readonly tombstone?: boolean
  readonly withoutProof?: boolean
}

const end =
  (options: EndOptions) =>
  (facts: Facts): Judgement => {
    const { record, sight, view } = facts
    if (sight._tag === "Unread" || record.attemptsProblem !== null) return waitForTinytask(facts)
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

const fromFault = (facts: Facts) => ({
  outcome: facts.fault?.kind === "void" ? ("void" as const) : ("start-failed" as const),
  detail: facts.fault?.reason ?? "its start was given up"
})

const startFailed = (detail: string) => () => ({ outcome: "start-failed" as const, detail })

const recordedEnding = (facts: Facts) => ({
  outcome: facts.view.recorded?.outcome ?? "lost",
  detail: facts.view.recorded?.detail ?? ""
})

const isUnclaimedIntent = ({ view }: AttemptContext): boolean =>
  view.lease?.phase === "starting" && view.claim === "none"

const leaseReach = (facts: AttemptContext): "here" | "earlier-boot" | "elsewhere" =>
  facts.view.lease === null ? "here" : reach(facts.view.lease, facts.observed.here)

const takenAway = ({ sight, view }: Facts): boolean => {
  if (sight._tag === "Gone") return true
  if (sight._tag === "Unread") return false
  const { task } = sight
  if (view.taskCreatedAt !== null && task.createdAt !== view.taskCreatedAt) return true
  if (task.archived && task.status !== "complete") return true
  return task.assignee !== null && task.assignee !== view.reference.agent && task.status !== "complete"
}

const tooLong = (facts: Facts): boolean => {
  const maxRuntimeSec = facts.view.lease?.maxRuntimeSec ?? 0
  return maxRuntimeSec > 0 && facts.observed.monoMs - facts.startMonoMs >= maxRuntimeSec * 1000
}

const othersLive = ({ view }: AttemptContext): boolean =>
  view.evidence.others.length > 0 || view.evidence.agent === "alive"

const isUnknown = (context: AttemptContext): boolean => {
  const { agent, supervisor } = context.view.evidence
  if (othersLive(context) || supervisor === "alive") return false
  // An intent that nobody has claimed has no process whose silence could count.
  if (isUnclaimedIntent(context)) return leaseReach(context) === "elsewhere"
  return supervisor === "unknown" || agent === "unknown"
}

const isFinishedAndGone = ({ view }: Facts): boolean => view.lease?.phase === "finished" && nothingLeft(view.evidence)

/** Its loss was recorded by the clock, and nothing has shown since that it lives. */
const isGivenUp = ({ unknown, view }: Facts): boolean =>
  unknown && view.recorded?.outcome === "lost" && view.claim !== "tombstone"

const rules: ReadonlyArray<Rule> = [
  {
    name: "its ending is recorded: the remaining steps are done",
    when: (facts) =>
      facts.view.recorded !== null &&
      (facts.dead || facts.view.claim === "tombstone" || isFinishedAndGone(facts) || isGivenUp(facts)),
    judge: (facts) =>
      end({
        reason: "ending-continued",
        ending: recordedEnding,
        withoutProof: isGivenUp(facts) && !isFinishedAndGone(facts)
      })(facts)
  },
  {
    name: "a tombstone stands: the undo goes on",
    // A lease that went further has its own evidence: its tombstone was linked where a claim was missing.
    when: ({ view }) => view.claim === "tombstone" && (view.lease === null || view.lease.phase === "starting"),
    judge: end({
      reason: "undo-continued",
      ending: (facts) => (facts.fault === null ? startFailed("nobody claimed it")() : fromFault(facts)),
      tombstone: true
    })
  },
  {
    name: "its start was given up by this process",
    when: (facts) => isUnclaimedIntent(facts) && facts.fault !== null,
    judge: end({ reason: "start-given-up", ending: fromFault, tombstone: true })
  },
  {
    name: "an intent of an earlier boot",
    when: (facts) => isUnclaimedIntent(facts) && leaseReach(facts) === "earlier-boot",
    judge: end({
      reason: "unclaimed",
      ending: startFailed("the machine was restarted before it began"),
      tombstone: true
    })
  },
  {
    name: "nobody claimed it in time",
    when: (facts) =>
      isUnclaimedIntent(facts) &&
      leaseReach(facts) === "here" &&
      facts.observed.monoMs - facts.startMonoMs >= facts.desired.policy.startGraceSec * 1000,
    judge: end({ reason: "unclaimed", ending: startFailed("nobody claimed it in time"), tombstone: true })
  },
  {
    name: "an intent that may yet be claimed",
    when: (facts) => isUnclaimedIntent(facts) && leaseReach(facts) === "here",
    judge: running("starting")
  },
  {
    name: "the lease is lost or unreadable and its supervisor dead: rebuilt from the claim",
    when: ({ view }) => view.lease === null && view.taskCreatedAt !== null && view.evidence.supervisor === "dead",
    judge: (facts) => ({
      verdict: {
        _tag: "Running",
        ...base(facts),
        epoch: facts.view.reference.epoch,
        detail: facts.view.leaseFault ?? "lease-missing"
      },
      actions: [
        {
          _tag: "Rebuild",
          attempt: facts.view.reference,
          setAside: facts.view.leaseFault === "lease-missing" ? null : facts.view.leaseFault
        }
      ],
      nextMonoMs: null
    })
  },
  {
    name: "finished, and nothing of it lives",
    when: isFinishedAndGone,
    judge: end({ reason: "finished", ending: judged })
  },
  {
    name: "finished, but something of it lives",
    when: (facts) => facts.view.lease?.phase === "finished" && othersLive(facts),
    judge: stop(() => "leftovers")
  },
  {
    name: "proven dead without an ending",
    when: (facts) => facts.dead,
    judge: end({ reason: "dead", ending: judged })
  },
  {
    name: "nobody can say whether it lives, for too long",
    when: (facts) => facts.look.unknownTooLong,
    judge: end({
      reason: "unknown-too-long",
      ending: () => ({ outcome: "lost", detail: "its liveness stayed unknown for too long" }),
      withoutProof: true
    })
  },
  {
    name: "nobody can say whether it lives",
    when: (facts) => facts.view.evidence.supervisor === "unknown" || facts.view.evidence.agent === "unknown",
    judge: running("liveness-unknown")
  },
  {
    name: "finished, and what it left behind was not looked for",
    when: (facts) => facts.view.lease?.phase === "finished",
    judge: running("liveness-unknown")
  },
  {
    name: "being stopped",
    when: (facts) => facts.view.stop !== null && facts.view.stop.bootId === facts.observed.here.bootId,
    judge: stop((facts) => facts.view.stop?.reason ?? "leftovers")
  },
  {
    name: "its supervisor is dead, its agent lives",
    when: (facts) => facts.view.evidence.supervisor === "dead" && othersLive(facts),
    judge: stop(() => "orphaned-agent")
  },
  {
    name: "its supervisor is dead, the rest was not looked for",
    when: (facts) => facts.view.evidence.supervisor === "dead",
    judge: running("supervisor-silent")
  },
  {
    name: "the lease is odd, its supervisor lives and writes it anew",
    when: (facts) => facts.view.leaseFault !== null,
    judge: running((facts) => facts.view.leaseFault ?? "lease-missing")
  },
  { name: "it runs for too long", when: tooLong, judge: stop(() => "max-runtime") },
  { name: "its supervisor hangs", when: (facts) => facts.look.hung, judge: stop(() => "hung-supervisor") },
  { name: "its task was taken away", when: takenAway, judge: stop(() => "task-taken-away") },
  {
    name: "its task is complete and it does not end",
    when: (facts) => facts.look.completeTooLong,
    judge: stop(() => "task-complete")
  },
  {
    name: "its supervisor is silent",
    when: (facts) => facts.look.sighting?.hungSinceMonoMs != null,
    judge: running("supervisor-silent")
  },
  {
    name: "it lives",
    when: () => true,
    judge: running((facts) =>
      facts.view.lease?.phase === "running" ? (facts.view.claim === "none" ? "claim-missing" : "running") : "starting"
    )
  }
]

const factsOf = (context: AttemptContext): Facts => {
  const { desired, observed, record, sight, view } = context
  const lease = view.lease
  const sameBoot = lease === null || lease.bootId === observed.here.bootId
  const startMonoMs = lease !== null && sameBoot ? lease.startMonoMs : observed.monoMs
  const unknown = isUnknown(context)
  return {
    ...context,
    dead: isProvenDead(view.evidence),
    unknown,
    startMonoMs,
    look: lookAgain({
      epoch: view.reference.epoch,
      bootId: observed.here.bootId,
      monoMs: observed.monoMs,
      // Where there is no lease there is no beat that could be overdue.
      supervisor: unknown ? "unknown" : lease !== null && view.evidence.supervisor === "alive" ? "alive" : "dead",
      beatMonoMs: lease?.beatMonoMs ?? lease?.startMonoMs ?? 0,
      heartbeatSec: lease?.heartbeatSec ?? null,
      starting: lease === null || lease.phase === "starting",
      taskComplete:
        sight._tag === "Found" && sight.task.status === "complete" && lease !== null && lease.phase !== "finished",
      stored: record.attempts?.observed ?? null,
      policy: desired.policy
    })
  }
}

/** The names of the rules, in their order. */
export const attemptRuleNames: ReadonlyArray<string> = rules.map(({ name }) => name)

/** The name of the rule that judges this attempt. */
export const attemptRuleOf = (context: AttemptContext): string => {
  const facts = factsOf(context)
  return rules.find((rule) => rule.when(facts))?.name ?? ""
}

/** The verdict on one attempt, and what is to be done about it. */
export const judgeAttempt = (context: AttemptContext): Judgement => {
  const facts = factsOf(context)
  for (const rule of rules) if (rule.when(facts)) return rule.judge(facts)
  return running("running")(facts)
}
