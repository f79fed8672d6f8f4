/** How an attempt ended: each row of the table, their precedence, and what Tinytask is told. Attempt 3 of task 1 by ada, in dev. */
import { describe, expect, it } from "vitest"
import type { AgentExit, StreamResult } from "../../src/domain/Lease.ts"
import type { Outcome } from "../../src/domain/Outcome.ts"
import type { Task } from "../../src/domain/Task.ts"
import type { EndingEvidence } from "../../src/reconcile/endingRules.ts"
import { judgeEnding, successPolicyOf } from "../../src/reconcile/judgeEnding.ts"
import { statedResultIn } from "../../src/reconcile/statedResult.ts"
import { taskChangeOf } from "../../src/reconcile/taskChange.ts"
import { agent, agentName, at, exit, task } from "../builders.ts"

const ours: Partial<Task> = { status: "working", assignee: "ada" }
const ending = (fields: Partial<EndingEvidence>): string => {
  const { detail, outcome } = judgeEnding({
    agent: agentName("ada"),
    queue: "dev",
    taskCreatedAt: at(-7200),
    task: task(1, ours),
    openSubtasks: 0,
    exit: exit(),
    stop: null,
    success: "tinytask",
    ...fields
  })
  return `${outcome}: ${detail}`
}
const failed = exit({ code: 3 })
const says = (word: StreamResult["says"], fields: Partial<AgentExit> = {}) =>
  exit({ stream: { says: word, detail: `stream: ${word}`, resetsAt: null }, ...fields })
const json = (status: string) => exit({ tail: `working…\n{"status":"${status}"}\n` })

describe("endings", () => {
  it.each<{ readonly name: string; readonly evidence: Partial<EndingEvidence>; readonly is: string }>([
    {
      name: "complete in Tinytask is done, whatever the exit",
      evidence: { task: task(1, { ...ours, status: "complete" }), exit: failed },
      is: "done: Tinytask shows it complete"
    },
    {
      name: "complete is done, archived too",
      evidence: { task: task(1, { status: "complete", archived: true }) },
      is: "done: Tinytask shows it complete"
    },
    {
      name: "complete by another's hand is done",
      evidence: { task: task(1, { status: "complete", assignee: "maria" }) },
      is: "done: Tinytask shows it complete"
    },
    {
      name: "complete without any record of the end is done",
      evidence: { task: task(1, { ...ours, status: "complete" }), exit: null },
      is: "done: Tinytask shows it complete"
    },
    { name: "gone is void", evidence: { task: null }, is: "void: the task is gone or archived" },
    {
      name: "archived unfinished is void",
      evidence: { task: task(1, { ...ours, archived: true }) },
      is: "void: the task is gone or archived"
    },
    {
      name: "another task under its number is void, complete or not",
      evidence: { task: task(1, { status: "complete", createdAt: at(-5) }) },
      is: "void: the task is gone or archived"
    },
    {
      name: "assigned to another is a hand-over, no failure",
      evidence: { task: task(1, { ...ours, assignee: "maria" }), exit: failed },
      is: "handed-over: now assigned to maria"
    },
    {
      name: "moved to another queue is a hand-over",
      evidence: { task: task(1, { ...ours, queue: "docs" }), exit: failed },
      is: "handed-over: now in queue docs"
    },
    {
      name: "taken out of its queue is a hand-over",
      evidence: { task: task(1, { ...ours, queue: null }) },
      is: "handed-over: now in queue none"
    },
    {
      name: "where its queue was is not known, no queue is another one",
      evidence: { queue: null, taskCreatedAt: null, exit: null },
      is: "lost: its processes are gone, no ending was recorded"
    },
    {
      name: "open subtasks are a hand-over: it then waits as parent",
      evidence: { openSubtasks: 2, exit: failed },
      is: "handed-over: it has 2 open subtasks"
    },
    {
      name: "idle, unassigned, exit 0: its agent handed it back",
      evidence: { task: task(1) },
      is: "handed-over: its agent handed it back"
    },
    { name: "idle, unassigned, exit 3: failed", evidence: { task: task(1), exit: failed }, is: "failed: exit 3" },
    {
      name: "stopped for its run time: timed-out",
      evidence: { stop: "max-runtime", exit: exit({ code: null, signal: "SIGINT" }) },
      is: "timed-out: stopped (max-runtime), ended by SIGINT"
    },
    {
      name: "stopped for its silence: stalled, whatever it exits with",
      evidence: { stop: "idle", success: "exit" },
      is: "stalled: stopped (idle), exit 0"
    },
    {
      name: "exit 0 after our own stop is no success",
      evidence: { stop: "max-runtime", success: "exit" },
      is: "timed-out: stopped (max-runtime), exit 0"
    },
    {
      name: "stopped because its supervisor hung: lost",
      evidence: { stop: "hung-supervisor", exit: null },
      is: "lost: stopped (hung-supervisor)"
    },
    {
      name: "stopped as an orphan: lost",
      evidence: { stop: "orphaned-agent", exit: null },
      is: "lost: stopped (orphaned-agent)"
    },
    {
      name: "stopped after its task was complete, which somebody reopened meanwhile: it has to run again",
      evidence: { stop: "task-complete" },
      is: "stopped: stopped (task-complete), exit 0"
    },
    {
      name: "stopped because its task was taken away: stopped",
      evidence: { stop: "task-taken-away" },
      is: "stopped: stopped (task-taken-away), exit 0"
    },
    {
      name: "stopped because somebody asked for it: stopped",
      evidence: { stop: "requested", success: "exit" },
      is: "stopped: stopped (requested), exit 0"
    },
    {
      name: "its supervisor was asked to end from outside: lost, though the agent exits 0 on that",
      evidence: { success: "exit", exit: exit({ asked: "SIGTERM" }) },
      is: "lost: its supervisor was asked to end (SIGTERM), exit 0"
    },
    {
      name: "its supervisor was asked to end by our own ladder: the stop record decides",
      evidence: { stop: "max-runtime", exit: exit({ asked: "SIGTERM", code: null, signal: "SIGINT" }) },
      is: "timed-out: stopped (max-runtime), ended by SIGINT"
    },
    {
      name: "leftovers that were stopped change nothing: the exit decides",
      evidence: { stop: "leftovers", success: "exit" },
      is: "done: exit 0"
    },
    {
      name: "no record of an end: lost",
      evidence: { exit: null },
      is: "lost: its processes are gone, no ending was recorded"
    },
    {
      name: "the agent could not be started",
      evidence: { exit: exit({ code: null, error: "EACCES" }) },
      is: "start-failed: it could not be started: EACCES"
    },
    {
      name: "policy tinytask: exit 0 without completing the task is unreported, never trusted",
      evidence: {},
      is: "unreported: exit 0, but its task is not complete"
    },
    { name: "policy tinytask: exit 3 failed", evidence: { exit: failed }, is: "failed: exit 3" },
    {
      name: "policy tinytask: a result object is not asked for",
      evidence: { exit: json("done") },
      is: "unreported: exit 0, but its task is not complete"
    },
    { name: "policy exit: exit 0 is done", evidence: { success: "exit" }, is: "done: exit 0" },
    { name: "policy exit: exit 3 failed", evidence: { success: "exit", exit: failed }, is: "failed: exit 3" },
    {
      name: "policy exit: a signal is failed",
      evidence: { success: "exit", exit: exit({ code: null, signal: "SIGSEGV" }) },
      is: "failed: ended by SIGSEGV"
    },
    {
      name: "policy json: its result says done",
      evidence: { success: "json", exit: json("done") },
      is: "done: its result says done"
    },
    {
      name: "policy json: its result says failed, though it exits 0",
      evidence: { success: "json", exit: json("failed") },
      is: "failed: its result says failed"
    },
    {
      name: "policy json: a rate limit is no failure",
      evidence: { success: "json", exit: json("rate-limited") },
      is: "rate-limited: its result says rate-limited"
    },
    { name: "policy json: auth", evidence: { success: "json", exit: json("auth") }, is: "auth: its result says auth" },
    {
      name: "policy json: exit 0 without a result is unreported",
      evidence: { success: "json" },
      is: "unreported: exit 0 without a result"
    },
    {
      name: "policy json: exit 3 without a result failed",
      evidence: { success: "json", exit: failed },
      is: "failed: exit 3"
    },
    {
      name: "the stream's rate limit is no failure, whatever the exit code",
      evidence: { exit: says("rate-limited") },
      is: "rate-limited: stream: rate-limited, exit 0"
    },
    {
      name: "the stream's rate limit outweighs exit 0, which policy exit would trust",
      evidence: { success: "exit", exit: says("rate-limited") },
      is: "rate-limited: stream: rate-limited, exit 0"
    },
    { name: "the stream's auth", evidence: { exit: says("auth", { code: 1 }) }, is: "auth: stream: auth, exit 1" },
    {
      name: "a run that its stream calls failed is failed, though it exits 0",
      evidence: { success: "exit", exit: says("failed") },
      is: "failed: stream: failed, exit 0"
    },
    {
      name: "a run that its stream calls completed is still no completed task",
      evidence: { exit: says("completed") },
      is: "unreported: exit 0, but its task is not complete"
    },
    {
      name: "a run that its stream calls completed, and that exits 3, failed",
      evidence: { success: "exit", exit: says("completed", { code: 3 }) },
      is: "failed: exit 3"
    },
    {
      name: "policy json: the result object outweighs the stream",
      evidence: { success: "json", exit: says("failed", { tail: '{"status":"done"}' }) },
      is: "done: its result says done"
    }
  ])("$name", ({ evidence, is }) => {
    expect(ending(evidence)).toBe(is)
  })
})

describe("results", () => {
  it.each([
    { name: "none", tail: "all done", is: null },
    { name: "a word that is none of ours", tail: '{"status":"great"}', is: null },
    {
      name: "the last line that states one counts",
      tail: '{"status":"failed"}\nagain\n{"status":"done"}\nbye',
      is: "done"
    },
    { name: "other fields beside it", tail: '  {"cost": 3, "status" : "auth", "why": "no key"}  ', is: "auth" },
    { name: "a line that was cut off is none", tail: '{"status":"done"', is: null }
  ])("$name", ({ is, tail }) => {
    expect(statedResultIn(tail)).toBe(is)
  })

  it.each([
    { name: "an agent's entry decides", agent: agent("ada", { success: "json" }), leased: "exit" as const, is: "json" },
    { name: "an agent that left: its lease decides", agent: undefined, leased: "json" as const, is: "json" },
    {
      name: "an agent that left, and a lease that says nothing: no exit code completes a task",
      agent: undefined,
      leased: undefined,
      is: "tinytask"
    }
  ])("judged by: $name", ({ agent, is, leased }) => {
    expect(successPolicyOf(agent, leased)).toBe(is)
  })
})

describe("what Tinytask is told", () => {
  it.each<{
    readonly name: string
    readonly outcome: Outcome
    readonly task: Task | null
    readonly prior?: { readonly status: Task["status"]; readonly assignee: string | null }
    readonly is: object | null
  }>([
    { name: "done completes it", outcome: "done", task: task(1, ours), is: { status: "complete" } },
    {
      name: "done of a task that is complete changes nothing",
      outcome: "done",
      task: task(1, { ...ours, status: "complete" }),
      is: null
    },
    {
      name: "done of a task that is somebody else's changes nothing",
      outcome: "done",
      task: task(1, { ...ours, assignee: "maria" }),
      is: null
    },
    {
      name: "failed gives it back: idle and nobody's, as before",
      outcome: "failed",
      task: task(1, ours),
      is: { status: "idle", assignee: null }
    },
    {
      name: "failed gives it back to whom it was assigned before",
      outcome: "failed",
      task: task(1, ours),
      prior: { status: "idle", assignee: "ada" },
      is: { status: "idle" }
    },
    {
      name: "idle again already: only the assignee is restored",
      outcome: "lost",
      task: task(1, { assignee: "ada" }),
      is: { assignee: null }
    },
    {
      name: "a person took it: nothing is touched",
      outcome: "failed",
      task: task(1, { ...ours, assignee: "maria" }),
      is: null
    },
    {
      name: "unassigned by a person: nothing is touched",
      outcome: "failed",
      task: task(1, { status: "working" }),
      is: null
    },
    {
      name: "void restores what was written before the launch",
      outcome: "void",
      task: task(1, ours),
      is: { status: "idle", assignee: null }
    },
    { name: "void of a task that was never written leaves it", outcome: "void", task: task(1), is: null },
    { name: "a hand-over leaves the task untouched", outcome: "handed-over", task: task(1, ours), is: null },
    {
      name: "complete meanwhile: nothing is touched",
      outcome: "failed",
      task: task(1, { ...ours, status: "complete" }),
      is: null
    },
    { name: "archived: nothing is touched", outcome: "failed", task: task(1, { ...ours, archived: true }), is: null },
    { name: "gone: nothing is touched", outcome: "failed", task: null, is: null },
    {
      name: "another task under its number: nothing is touched",
      outcome: "failed",
      task: task(1, { ...ours, createdAt: at(-5) }),
      is: null
    },
    {
      name: "it was at work before: it stays at work",
      outcome: "failed",
      task: task(1, ours),
      prior: { status: "working", assignee: "ada" },
      is: null
    }
  ])("$name", ({ is, outcome, prior, task }) => {
    const change = taskChangeOf(outcome, task, {
      agent: agentName("ada"),
      queue: "dev",
      prior: prior ?? { status: "idle", assignee: null },
      taskCreatedAt: at(-7200)
    })
    expect(change).toEqual(is)
  })
})
