/**
 * How an attempt ended, judged once, by a table: first match wins (protocol, section 7). The same rows judge in the plan
 * and again at the moment of acting, with the task read anew.
 */
import type { AgentRecord, Attempts, StopReason } from "../domain/Attempts.ts"
import { outcomesKept } from "../domain/Attempts.ts"
import type { Agent, Policy, SuccessPolicy } from "../domain/DesiredState.ts"
import type { AgentName, Epoch, Token } from "../domain/identifiers.ts"
import type { AgentExit } from "../domain/Lease.ts"
import { outcomeRules } from "../domain/Outcome.ts"
import type { Outcome } from "../domain/Outcome.ts"
import type { Task, TaskPrior } from "../domain/Task.ts"
import { millisOf, timestampOf } from "../domain/time.ts"
import { backoffMs } from "./backoff.ts"

/** What an ending is judged by. */
export interface EndingEvidence {
  readonly agent: AgentName
  readonly queue: string | null
  readonly taskCreatedAt: string | null
  /** Null when the task is gone. */
  readonly task: Task | null
  readonly openSubtasks: number
  /** Null when its supervisor could not record how it ended. */
  readonly exit: AgentExit | null
  readonly stop: StopReason | null
  readonly success: SuccessPolicy
}

export interface Ending {
  readonly outcome: Outcome
  /** One line for people. */
  readonly detail: string
}

const results = ["done", "failed", "rate-limited", "auth"] as const

/** The last line of an output that is a JSON object with a known `status`: the result of the success policy `json`. */
export const resultInTail = (tail: string): (typeof results)[number] | null => {
  const stated = tail
    .split("\n")
    .map((line) => /^\s*\{.*"status"\s*:\s*"([a-z-]+)".*\}\s*$/.exec(line)?.[1])
    .flatMap((word) => results.filter((result) => result === word))
  return stated.at(-1) ?? null
}

const exitInWords = (exit: AgentExit): string =>
  exit.error !== null
    ? `it could not be started: ${exit.error}`
    : exit.signal !== null
      ? `ended by ${exit.signal}`
      : `exit ${exit.code ?? "unknown"}`

const outcomeOfStop: { readonly [K in StopReason]: Outcome | null } = {
  "max-runtime": "timed-out",
  idle: "stalled",
  "hung-supervisor": "lost",
  "orphaned-agent": "lost",
  "task-complete": "done",
  "task-taken-away": "stopped",
  requested: "stopped",
  leftovers: null
}

interface EndingRule {
  readonly name: string
  readonly when: (evidence: EndingEvidence) => boolean
  readonly ending: (evidence: EndingEvidence) => Ending
}

const always = (outcome: Outcome, detail: string) => (): Ending => ({ outcome, detail })

const isGone = (evidence: EndingEvidence): boolean =>
  evidence.task === null ||
  evidence.task.archived ||
  (evidence.taskCreatedAt !== null && evidence.task.createdAt !== evidence.taskCreatedAt)

const isSameTask = (evidence: EndingEvidence): boolean =>
  evidence.task !== null && (evidence.taskCreatedAt === null || evidence.task.createdAt === evidence.taskCreatedAt)

const exitedWell = (evidence: EndingEvidence): boolean =>
  evidence.exit !== null && evidence.exit.error === null && evidence.exit.code === 0

/** First match wins. */
export const endingRules: ReadonlyArray<EndingRule> = [
  {
    name: "complete",
    when: (evidence) => isSameTask(evidence) && evidence.task?.status === "complete",
    ending: always("done", "Tinytask shows it complete")
  },
  { name: "gone", when: isGone, ending: always("void", "the task is gone or archived") },
  {
    name: "other assignee",
    when: ({ agent, task }) => task !== null && task.assignee !== null && task.assignee !== agent,
    ending: ({ task }) => ({ outcome: "handed-over", detail: `now assigned to ${task?.assignee ?? "nobody"}` })
  },
  {
    name: "other queue",
    // Where only a claim was left, nothing says in which queue the task was.
    when: ({ queue, task, taskCreatedAt }) => taskCreatedAt !== null && task !== null && task.queue !== queue,
    ending: ({ task }) => ({ outcome: "handed-over", detail: `now in queue ${task?.queue ?? "none"}` })
  },
  {
    name: "open subtasks",
    when: ({ openSubtasks }) => openSubtasks > 0,
    ending: ({ openSubtasks }) => ({ outcome: "handed-over", detail: `it has ${openSubtasks} open subtasks` })
  },
  {
    name: "handed back",
    when: (evidence) => evidence.task?.status === "idle" && evidence.task.assignee === null && exitedWell(evidence),
    ending: always("handed-over", "its agent handed it back")
  },
  {
    name: "stopped",
    when: ({ stop }) => stop !== null && outcomeOfStop[stop] !== null,
    ending: ({ exit, stop }) => ({
      outcome: (stop === null ? null : outcomeOfStop[stop]) ?? "stopped",
      detail: `stopped (${stop ?? ""})${exit === null ? "" : `, ${exitInWords(exit)}`}`
    })
  },
  {
    name: "no record",
    when: ({ exit }) => exit === null,
    ending: always("lost", "its processes are gone, no ending was recorded")
  },
  {
    name: "not started",
    when: ({ exit }) => exit !== null && exit.error !== null,
    ending: ({ exit }) => ({ outcome: "start-failed", detail: exit === null ? "" : exitInWords(exit) })
  },
  {
    name: "result object",
    when: ({ exit, success }) => success === "json" && exit !== null && resultInTail(exit.tail) !== null,
    ending: ({ exit }) => {
      const result = exit === null ? null : resultInTail(exit.tail)
      return { outcome: result ?? "failed", detail: `its result says ${result ?? "nothing"}` }
    }
  },
  {
    name: "exit policy",
    when: (evidence) => evidence.success === "exit" && exitedWell(evidence),
    ending: always("done", "exit 0")
  },
  {
    name: "unreported",
    when: exitedWell,
    ending: ({ success }) => ({
      outcome: "unreported",
      detail: success === "json" ? "exit 0 without a result" : "exit 0, but its task is not complete"
    })
  },
  {
    name: "failed",
    when: () => true,
    ending: ({ exit }) => ({ outcome: "failed", detail: exit === null ? "no record" : exitInWords(exit) })
  }
]

/** The ending of an attempt of which nothing lives. */
export const judgeEnding = (evidence: EndingEvidence): Ending => {
  for (const rule of endingRules) if (rule.when(evidence)) return rule.ending(evidence)
  return { outcome: "failed", detail: "no rule matched" }
}

/**
 * The agent's own policy; of one that left the control file, what its lease says. A lease that says nothing is judged by
 * Tinytask: an exit code of which nobody knows what it means must complete no task.
 */
export const successPolicyOf = (agent: Agent | undefined, leased: SuccessPolicy | undefined): SuccessPolicy =>
  agent?.success ?? leased ?? "tinytask"

/** What to change in Tinytask after an ending: only fields that still hold our values; null = nothing. */
export const taskChangeOf = (
  outcome: Outcome,
  task: Task | null,
  ours: {
    readonly agent: AgentName
    readonly queue: string | null
    readonly prior: TaskPrior
    readonly taskCreatedAt: string | null
  }
): { readonly status?: Task["status"]; readonly assignee?: string | null } | null => {
  if (task === null || task.archived || task.status === "complete") return null
  if (ours.taskCreatedAt !== null && task.createdAt !== ours.taskCreatedAt) return null
  if (outcome === "done") return task.assignee === ours.agent ? { status: "complete" } : null
  if (!outcomeRules[outcome].requeue || task.assignee !== ours.agent) return null
  const status = task.status === "working" && ours.prior.status !== "working" ? { status: ours.prior.status } : {}
  const assignee = ours.prior.assignee === ours.agent ? {} : { assignee: ours.prior.assignee }
  const change = { ...status, ...assignee }
  return Object.keys(change).length === 0 ? null : change
}

/** The longest detail that is kept: files that hold it have a greatest size, and an ending must always be writable. */
const detailMax = 500

/** The attempts file after an ending was judged: outcome, counts, backoff and parking in one value, written at once. */
export const recordEnding = (
  attempts: Attempts,
  ended: {
    readonly epoch: Epoch
    readonly token: Token
    readonly outcome: Outcome
    readonly detail: string
    readonly nowMs: number
  },
  policy: Policy
): Attempts => {
  if (attempts.outcomes.some((recorded) => recorded.epoch === ended.epoch)) return attempts
  const at = timestampOf(ended.nowMs)
  const { budget } = outcomeRules[ended.outcome]
  const counts = {
    failures: budget === "reset" ? 0 : attempts.counts.failures + (budget === "failures" ? 1 : 0),
    losses: budget === "reset" ? 0 : attempts.counts.losses + (budget === "losses" ? 1 : 0)
  }
  const count = budget === "failures" ? counts.failures : budget === "losses" ? counts.losses : 0
  const spent =
    (budget === "failures" && counts.failures >= policy.maxAttempts) ||
    (budget === "losses" && counts.losses >= policy.maxLost)
  const parks = budget === "park" || spent
  const delayMs = backoffMs({
    count,
    baseSec: policy.backoffBaseSec,
    maxSec: policy.backoffMaxSec,
    taskId: attempts.taskId,
    attempt: ended.epoch
  })
  return {
    ...attempts,
    outcomes: [
      ...attempts.outcomes,
      { epoch: ended.epoch, token: ended.token, outcome: ended.outcome, at, detail: ended.detail.slice(0, detailMax) }
    ].slice(-outcomesKept),
    counts,
    notBefore:
      budget === "reset"
        ? null
        : budget === "none"
          ? attempts.notBefore
          : delayMs === 0
            ? null
            : timestampOf(ended.nowMs + delayMs),
    parked: parks ? { since: at, outcome: ended.outcome, count } : budget === "none" ? attempts.parked : null,
    observed: null
  }
}

/** How many starts in a row must fail before an agent is set aside. */
export const startFailuresMax = 3

/** An agent's record after one of its attempts ended: failed starts in a row set it aside for a while. */
export const recordAgentEnding = (
  record: AgentRecord,
  outcome: Outcome,
  at: { readonly nowMs: number; readonly taskId: number },
  policy: Policy
): AgentRecord => {
  if (outcome === "void") return record
  if (outcome !== "start-failed") return { ...record, startFailures: 0, setAsideUntil: null }
  const startFailures = record.startFailures + 1
  if (startFailures < startFailuresMax) return { ...record, startFailures }
  const delayMs = backoffMs({
    count: startFailures - startFailuresMax + 1,
    baseSec: policy.backoffBaseSec,
    maxSec: policy.backoffMaxSec,
    taskId: at.taskId,
    attempt: startFailures
  })
  const until = at.nowMs + delayMs
  return { ...record, startFailures, setAsideUntil: delayMs === 0 ? null : timestampOf(until) }
}

/** Whether a recorded "not before" still holds; one further off than the longest backoff counts as due (a clock was set back). */
export const backoffUntilMs = (notBefore: string | null, nowMs: number, policy: Policy): number | null => {
  if (notBefore === null) return null
  const untilMs = millisOf(notBefore)
  return untilMs > nowMs && untilMs - nowMs <= policy.backoffMaxSec * 1000 ? untilMs : null
}

/** The comment that tells a task of an ending; it bears the token, so that it is never written twice. */
export const endingComment = (ended: {
  readonly token: Token
  readonly agent: AgentName
  readonly attempt: number
  readonly outcome: Outcome
  readonly detail: string
  readonly tail: string | null
  readonly parked: boolean
}): string => {
  const lines = [
    `[tinyscheduler ${ended.token}] attempt ${ended.attempt} by ${ended.agent}: ${ended.outcome} (${ended.detail}).`,
    ...(ended.parked ? ["It is parked: no further attempt until it is released."] : []),
    ...(ended.tail === null || ended.tail === "" ? [] : ["", "The end of its output:", ended.tail.slice(-2000)])
  ]
  return lines.join("\n")
}

/** What marks a comment as ours for one attempt. */
export const commentMark = (token: Token): string => `[tinyscheduler ${token}]`
