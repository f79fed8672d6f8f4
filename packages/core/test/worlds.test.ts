/** The generator is itself under test: what never occurs in its worlds is never tested by a property. */
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { isOpen } from "../src/domain/Task.ts"
import type { TaskRecord } from "../src/domain/TaskRecord.ts"
import { attemptView } from "../src/reconcile/attemptView.ts"
import { attemptRuleNames, attemptRuleOf } from "../src/reconcile/judgeAttempt.ts"
import type { TaskSight } from "../src/reconcile/attemptFacts.ts"
import { reconcile } from "../src/reconcile/reconcile.ts"
import type { World } from "./builders.ts"
import { worlds } from "./worlds.ts"

/** What a task's record is judged with, found the simple way. */
const sightOf = ({ observed }: World, taskId: number): TaskSight => {
  const { tinytask } = observed
  if (tinytask._tag === "Unread") return tinytask
  const open = tinytask.tasks.filter(isOpen)
  const entry = tinytask.lookedUp.find((lookedUp) => lookedUp.taskId === taskId)
  const task = open.find(({ id }) => id === taskId) ?? entry?.task
  if (task === undefined) return { _tag: "Unread", reason: "not looked up" }
  if (task === null) return { _tag: "Gone" }
  return { _tag: "Found", task, openSubtasks: open.filter(({ parent }) => parent === taskId).length }
}

const ruleOf = (world: World, record: TaskRecord): string | null => {
  const view = attemptView(record)
  if (view._tag !== "Attempt") return null
  const { desired, observed } = world
  return attemptRuleOf({
    view,
    record,
    sight: sightOf(world, record.taskId),
    agent: desired.agents.find(({ name }) => name === view.reference.agent),
    fault: observed.startFaults.find(({ token }) => token === view.reference.token) ?? null,
    observed,
    desired
  })
}

const expected = {
  verdicts: ["Start", "Running", "Finish", "Stop", "Reclaim", "Wait", "Ignore"],
  actions: ["Note", "Rebuild", "Stop", "End", "EndLegacy", "Sweep", "Start"],
  views: ["Attempt", "OpenStart", "Remains", "Legacy", "Held", "Nothing"],
  reasons: [
    "NoFreeSlot",
    "QueueLimit",
    "GlobalLimit",
    "Blocked",
    "BlockingCycle",
    "Backoff",
    "Parked",
    "AgentPaused",
    "AgentSetAside",
    "AgentDisabled",
    "NoQueue",
    "NobodyAssigned",
    "NoAgentServesQueue",
    "AgentUnknown",
    "AgentServesOtherQueue",
    "RecipeMissing",
    "RecipeOutside",
    "AmbiguousRecipe",
    "OpenSubtasks",
    "LeaseUnreadable",
    "AttemptsUnreadable",
    "EarlierAttempt",
    "StartsOff",
    "StartBound",
    "TinytaskUnread"
  ],
  details: [
    "starting",
    "running",
    "liveness-unknown",
    "supervisor-silent",
    "lease-missing",
    "lease-unreadable",
    "lease-contradicts-claim",
    "claim-missing",
    "legacy"
  ],
  stops: ["max-runtime", "idle", "hung-supervisor", "orphaned-agent", "leftovers", "task-complete", "task-taken-away"],
  reclaims: ["dead", "unclaimed", "undo-continued", "start-given-up", "unknown-too-long", "ending-continued"],
  outcomes: [
    "done",
    "failed",
    "unreported",
    "timed-out",
    "stalled",
    "rate-limited",
    "auth",
    "handed-over",
    "void",
    "stopped",
    "lost",
    "start-failed"
  ],
  rules: attemptRuleNames
} satisfies { readonly [kind: string]: ReadonlyArray<string> }

describe("the worlds of the property tests", () => {
  const seen = new Map<string, number>()
  const count = (kind: keyof typeof expected, name: string): void => {
    const key = `${kind}: ${name}`
    seen.set(key, (seen.get(key) ?? 0) + 1)
  }
  for (const world of fc.sample(worlds(), { numRuns: 5000, seed: 20260301 })) {
    const plan = reconcile(world.observed, world.desired)
    for (const record of world.observed.records) {
      count("views", attemptView(record)._tag)
      const rule = ruleOf(world, record)
      if (rule !== null) count("rules", rule)
    }
    for (const verdict of plan.verdicts) {
      count("verdicts", verdict._tag)
      if (verdict._tag === "Wait") for (const reason of verdict.reasons) count("reasons", reason._tag)
      if (verdict._tag === "Running") count("details", verdict.detail)
      if (verdict._tag === "Stop") count("stops", verdict.reason)
      if (verdict._tag === "Reclaim") count("reclaims", verdict.reason)
      if (verdict._tag === "Finish" || verdict._tag === "Reclaim") count("outcomes", verdict.outcome)
    }
    for (const action of plan.actions) count("actions", action._tag)
  }

  it.each(Object.entries(expected))("show every one of the %s in 5 000 worlds", (kind, names) => {
    const missing = names.filter((name) => (seen.get(`${kind}: ${name}`) ?? 0) === 0)
    if (process.env["SHOW_COUNTS"] !== undefined) {
      console.log(
        names.map((name) => `${String(seen.get(`${kind}: ${name}`) ?? 0).padStart(7)} ${kind}: ${name}`).join("\n")
      )
    }
    expect(missing).toEqual([])
  })
})
