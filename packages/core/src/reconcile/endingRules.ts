/**
 * How an attempt ended: one table, first match wins (protocol, section 7). The same rows judge in the plan and again at the
 * moment of acting, with the task read anew; docs/outcomes.md is printed from them. What an outcome then does is one more
 * table, in domain/Outcome.
 */
import type { StopReason } from "../domain/Attempts.ts"
import type { SuccessPolicy } from "../domain/DesiredState.ts"
import type { AgentName } from "../domain/identifiers.ts"
import type { AgentExit, StreamResult } from "../domain/Lease.ts"
import type { Outcome } from "../domain/Outcome.ts"
import type { Task } from "../domain/Task.ts"
import { statedResultIn } from "./statedResult.ts"
import type { StatedResult } from "./statedResult.ts"

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

export interface EndingRule {
  /** Stable: tests and the page of outcomes name it. */
  readonly id: string
  /** When it matches, as a person would say it. */
  readonly when: string
  readonly matches: (evidence: EndingEvidence) => boolean
  readonly outcome: Outcome
  /** One line for people about this attempt. */
  readonly detail: (evidence: EndingEvidence) => string
}

const exitInWords = (exit: AgentExit | null): string => {
  if (exit === null) return "no record"
  if (exit.error !== null) return `it could not be started: ${exit.error}`
  return exit.signal === null ? `exit ${exit.code ?? "unknown"}` : `ended by ${exit.signal}`
}

const isSameTask = ({ task, taskCreatedAt }: EndingEvidence): boolean =>
  task !== null && (taskCreatedAt === null || task.createdAt === taskCreatedAt)

const exitedWell = ({ exit }: EndingEvidence): boolean => exit !== null && exit.error === null && exit.code === 0

const stoppedFor = (reason: StopReason, outcome: Outcome, when: string): EndingRule => ({
  id: `stopped-${reason}`,
  when: `we stopped it: ${when}`,
  matches: ({ stop }) => stop === reason,
  outcome,
  detail: ({ exit }) => `stopped (${reason})${exit === null ? "" : `, ${exitInWords(exit)}`}`
})

const states = (result: StatedResult): EndingRule => ({
  id: `states-${result}`,
  when: `\`success\` is \`json\`, and the last line of its output with a known \`status\` says \`${result}\``,
  matches: ({ exit, success }) => success === "json" && exit !== null && statedResultIn(exit.tail) === result,
  outcome: result,
  detail: () => `its result says ${result}`
})

const streamSays = (says: StreamResult["says"], outcome: Outcome, when: string): EndingRule => ({
  id: `stream-${says}`,
  when: `the last word of its event stream: ${when}`,
  matches: ({ exit }) => exit?.stream?.says === says,
  outcome,
  detail: ({ exit }) => `${exit?.stream?.detail ?? says}, ${exitInWords(exit)}`
})

/** First match wins; the last matches always. */
export const endingRules: ReadonlyArray<EndingRule> = [
  {
    id: "complete",
    when: "Tinytask shows the task complete",
    matches: (evidence) => isSameTask(evidence) && evidence.task?.status === "complete",
    outcome: "done",
    detail: () => "Tinytask shows it complete"
  },
  {
    id: "gone",
    when: "the task is gone or archived, or its number is another task's by now",
    matches: (evidence) => !isSameTask(evidence) || evidence.task?.archived === true,
    outcome: "void",
    detail: () => "the task is gone or archived"
  },
  {
    id: "other-assignee",
    when: "the task is assigned to somebody else",
    matches: ({ agent, task }) => task !== null && task.assignee !== null && task.assignee !== agent,
    outcome: "handed-over",
    detail: ({ task }) => `now assigned to ${task?.assignee ?? "nobody"}`
  },
  {
    id: "other-queue",
    when: "the task stands in another queue",
    // Where only a claim was left, nothing says in which queue the task was.
    matches: ({ queue, task, taskCreatedAt }) => taskCreatedAt !== null && task !== null && task.queue !== queue,
    outcome: "handed-over",
    detail: ({ task }) => `now in queue ${task?.queue ?? "none"}`
  },
  {
    id: "open-subtasks",
    when: "the task has open subtasks",
    matches: ({ openSubtasks }) => openSubtasks > 0,
    outcome: "handed-over",
    detail: ({ openSubtasks }) => `it has ${openSubtasks} open subtasks`
  },
  {
    id: "handed-back",
    when: "the task is idle and unassigned, and the agent exited with 0",
    matches: (evidence) => evidence.task?.status === "idle" && evidence.task.assignee === null && exitedWell(evidence),
    outcome: "handed-over",
    detail: () => "its agent handed it back"
  },
  stoppedFor("max-runtime", "timed-out", "it ran for longer than its `maxRuntimeSec`"),
  stoppedFor("idle", "stalled", "it said nothing for its `idleTimeoutSec`"),
  stoppedFor("hung-supervisor", "lost", "its supervisor hung"),
  stoppedFor("orphaned-agent", "lost", "its supervisor was dead"),
  stoppedFor("task-taken-away", "stopped", "its task was taken away, and is the agent's again by now"),
  // Complete was the first row's: who reopened the task wants it done again.
  stoppedFor("task-complete", "stopped", "its task was complete, and was reopened meanwhile"),
  stoppedFor("requested", "stopped", "somebody asked for it"),
  {
    id: "asked-to-end",
    when: "its supervisor got SIGTERM from outside while the agent ran: a shutdown, or a service manager",
    matches: ({ exit }) => exit?.asked !== undefined,
    outcome: "lost",
    detail: ({ exit }) => `its supervisor was asked to end (${exit?.asked ?? ""}), ${exitInWords(exit)}`
  },
  {
    id: "no-record",
    when: "supervisor and agent are gone, and nothing says how the agent ended",
    matches: ({ exit }) => exit === null,
    outcome: "lost",
    detail: () => "its processes are gone, no ending was recorded"
  },
  {
    id: "not-started",
    when: "the agent could not be started",
    matches: ({ exit }) => exit !== null && exit.error !== null,
    outcome: "start-failed",
    detail: ({ exit }) => exitInWords(exit)
  },
  states("done"),
  states("failed"),
  states("rate-limited"),
  states("auth"),
  streamSays("rate-limited", "rate-limited", "the provider's rate limit refused it"),
  streamSays("auth", "auth", "the provider did not accept its credentials"),
  streamSays("failed", "failed", "its run failed, whatever its exit code"),
  {
    id: "exit-0",
    when: "`success` is `exit`, and it exited with 0",
    matches: (evidence) => evidence.success === "exit" && exitedWell(evidence),
    outcome: "done",
    detail: () => "exit 0"
  },
  {
    id: "no-result",
    when: "`success` is `json`, and it exited with 0 without a result",
    matches: (evidence) => evidence.success === "json" && exitedWell(evidence),
    outcome: "unreported",
    detail: () => "exit 0 without a result"
  },
  {
    id: "unreported",
    when: "`success` is `tinytask`, and it exited with 0 although the task is not complete",
    matches: exitedWell,
    outcome: "unreported",
    detail: () => "exit 0, but its task is not complete"
  },
  {
    id: "failed",
    when: "anything else: another exit code, or a signal",
    matches: () => true,
    outcome: "failed",
    detail: ({ exit }) => exitInWords(exit)
  }
]
