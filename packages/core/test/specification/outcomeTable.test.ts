/**
 * The table of endings, whole: every combination of what an ending can be judged by, against the protocol's rules said a
 * second time, in words of this test alone.
 */
import { describe, expect, it } from "vitest"
import { StopReason } from "../../src/domain/Attempts.ts"
import type { SuccessPolicy } from "../../src/domain/DesiredState.ts"
import type { AgentExit } from "../../src/domain/Lease.ts"
import { Outcome, outcomeRules } from "../../src/domain/Outcome.ts"
import type { Task } from "../../src/domain/Task.ts"
import { endingRules } from "../../src/reconcile/endingRules.ts"
import type { EndingEvidence } from "../../src/reconcile/endingRules.ts"
import { taskChangeOf } from "../../src/reconcile/taskChange.ts"
import { agentName, at, exit, task } from "../builders.ts"

const exits = ["none", "0", "1", "143", "signal", "not started"] as const
const streams = ["none", "completed", "failed", "rate-limited", "auth"] as const
const objects = ["none", "done", "failed", "rate-limited", "auth"] as const
const existences = ["there", "archived", "another's number", "gone"] as const
const statuses = ["idle", "working", "complete"] as const
const assignees = ["ours", "nobody", "other"] as const
const queues = ["ours", "other"] as const
const policies: ReadonlyArray<SuccessPolicy> = ["tinytask", "exit", "json"]
const stops: ReadonlyArray<StopReason | null> = [null, ...StopReason.literals]

interface Case {
  readonly exit: (typeof exits)[number]
  readonly asked: boolean
  readonly stream: (typeof streams)[number]
  readonly object: (typeof objects)[number]
  readonly existence: (typeof existences)[number]
  readonly status: (typeof statuses)[number]
  readonly assignee: (typeof assignees)[number]
  readonly queue: (typeof queues)[number]
  readonly openSubtasks: number
  readonly stop: StopReason | null
  readonly success: SuccessPolicy
}

/** What must hold of every done that Tinytask does not show: somebody whose word counts gave it, and nobody stopped it. */
const isDoneByNobody = (one: Case): boolean =>
  one.status !== "complete" &&
  (one.success === "tinytask" || one.asked || one.exit === "none" || (one.stop !== null && one.stop !== "leftovers"))

/** The protocol, section 7, and what SIGTERM from outside and event streams add to it. */
const expected = (one: Case): Outcome => {
  const isOurs = one.existence === "there" || one.existence === "archived"
  if (isOurs && one.status === "complete") return "done"
  if (one.existence !== "there") return "void"
  if (one.assignee === "other" || one.queue === "other" || one.openSubtasks > 0) return "handed-over"
  if (one.status === "idle" && one.assignee === "nobody" && one.exit === "0") return "handed-over"
  switch (one.stop) {
    case "max-runtime":
      return "timed-out"
    case "idle":
      return "stalled"
    case "hung-supervisor":
    case "orphaned-agent":
      return "lost"
    case "task-taken-away":
    case "task-complete":
    case "requested":
      return "stopped"
    case "leftovers":
    case null:
  }
  if (one.exit === "none" || one.asked) return "lost"
  if (one.exit === "not started") return "start-failed"
  if (one.success === "json" && one.object !== "none") return one.object
  if (one.stream !== "none" && one.stream !== "completed") return one.stream
  if (one.exit !== "0") return "failed"
  return one.success === "exit" ? "done" : "unreported"
}

const exitFields: { readonly [K in Exclude<Case["exit"], "none">]: Partial<AgentExit> } = {
  "0": {},
  "1": { code: 1 },
  "143": { code: 143 },
  signal: { code: null, signal: "SIGTERM" },
  "not started": { code: null, error: "EACCES" }
}

const exitOf = (one: Case): AgentExit | null => {
  if (one.exit === "none") return null
  return exit({
    ...exitFields[one.exit],
    tail: one.object === "none" ? "some prose" : `some prose\n{"status":"${one.object}"}\n`,
    ...(one.asked ? { asked: "SIGTERM" } : {}),
    ...(one.stream === "none" ? {} : { stream: { says: one.stream, detail: "its words", resetsAt: null } })
  })
}

const assigneeOf = { ours: "ada", nobody: null, other: "maria" } as const

const taskOf = (one: Case): Task | null =>
  one.existence === "gone"
    ? null
    : task(1, {
        status: one.status,
        assignee: assigneeOf[one.assignee],
        queue: one.queue === "ours" ? "dev" : "docs",
        archived: one.existence === "archived",
        ...(one.existence === "another's number" ? { createdAt: at(-5) } : {})
      })

const ours = { agent: agentName("ada"), queue: "dev", taskCreatedAt: at(-7200) }

const evidenceOf = (one: Case): EndingEvidence => ({
  ...ours,
  task: taskOf(one),
  openSubtasks: one.openSubtasks,
  exit: exitOf(one),
  stop: one.stop,
  success: one.success
})

type Endings = ReadonlyArray<Pick<Case, "exit" | "asked" | "stream" | "object">>

const endings: Endings = exits.flatMap((exit): Endings =>
  exit === "none"
    ? [{ exit, asked: false, stream: "none" as const, object: "none" as const }]
    : [false, true].flatMap((asked) =>
        streams.flatMap((stream) => objects.map((object) => ({ exit, asked, stream, object })))
      )
)

type Sights = ReadonlyArray<Pick<Case, "existence" | "status" | "assignee" | "queue" | "openSubtasks">>

const sights: Sights = existences.flatMap((existence): Sights =>
  existence === "gone"
    ? [{ existence, status: "idle" as const, assignee: "nobody" as const, queue: "ours" as const, openSubtasks: 0 }]
    : statuses.flatMap((status) =>
        assignees.flatMap((assignee) =>
          queues.flatMap((queue) =>
            [0, 2].map((openSubtasks) => ({ existence, status, assignee, queue, openSubtasks }))
          )
        )
      )
)

const forEachCase = (look: (one: Case, evidence: EndingEvidence) => void): number => {
  let count = 0
  for (const success of policies) {
    for (const stop of stops) {
      for (const sight of sights) {
        for (const ending of endings) {
          const one: Case = { ...ending, ...sight, stop, success }
          look(one, evidenceOf(one))
          count += 1
        }
      }
    }
  }
  return count
}

describe("the table of endings", () => {
  it("judges every combination of evidence as the protocol says, and each of its rows judges some", () => {
    const reached = new Map(endingRules.map(({ id }) => [id, 0]))
    const wrong: Array<string> = []
    const count = forEachCase((one, evidence) => {
      const rule = endingRules.find(({ matches }) => matches(evidence))
      if (rule === undefined || rule.outcome !== expected(one)) {
        wrong.push(`${JSON.stringify(one)}: ${rule?.id ?? "no rule"}, not ${expected(one)}`)
      } else if (rule.outcome === "done" && isDoneByNobody(one)) {
        wrong.push(`${JSON.stringify(one)}: ${rule.id}, by nobody's word`)
      } else reached.set(rule.id, (reached.get(rule.id) ?? 0) + 1)
    })
    expect(wrong.slice(0, 5)).toEqual([])
    expect([...reached].filter(([, times]) => times === 0)).toEqual([])
    expect(count).toBeGreaterThan(700_000)
  })

  it("changes nothing of a task that is somebody else's by now, and completes none that was not done", () => {
    const outcomes = Outcome.literals
    for (const sight of sights) {
      const found = taskOf({
        ...sight,
        exit: "0",
        asked: false,
        stream: "none",
        object: "none",
        stop: null,
        success: "exit"
      })
      const isTouchable = sight.existence === "there" && sight.assignee === "ours" && sight.status !== "complete"
      for (const outcome of outcomes) {
        const change = taskChangeOf(outcome, found, { ...ours, prior: { status: "idle", assignee: null } })
        expect(change?.status === "complete", outcome).toBe(isTouchable && outcome === "done")
        if (!isTouchable || outcome === "handed-over") expect(change, outcome).toBeNull()
        else if (outcome !== "done") expect(change, outcome).toMatchObject({ assignee: null })
      }
    }
  })

  it("has ids of its own for all rows, and every outcome has a row", () => {
    expect(new Set(endingRules.map(({ id }) => id)).size).toBe(endingRules.length)
    expect(new Set(endingRules.map(({ outcome }) => outcome))).toEqual(new Set(Outcome.literals))
  })

  it("tells the task of every ending after which it does not run on as its agent left it", () => {
    const untold = Outcome.literals.filter((outcome) => !outcomeRules[outcome].comment)
    expect(untold).toEqual(["done", "handed-over", "void"])
  })
})
