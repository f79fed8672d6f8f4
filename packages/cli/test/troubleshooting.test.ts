/** docs/troubleshooting.md says of every reason to wait, in the program's own words, what to do about it. */
import { assert, it } from "@effect/vitest"
import { AgentName, TaskId } from "@tinyscheduler/core/domain/identifiers"
import type { WaitReason } from "@tinyscheduler/core/domain/Plan"
import { describeReason } from "@tinyscheduler/core/reconcile/describe"
import { read } from "./documents/markdown.ts"

const [agent, queue, path] = [AgentName.make("x"), "x", "x"]
const task = (id: number) => TaskId.make(id)

/** One of each kind; a reason that is new has to come in here, or this does not compile. */
const reasons: { readonly [K in WaitReason["_tag"]]: Extract<WaitReason, { readonly _tag: K }> } = {
  NoFreeSlot: { _tag: "NoFreeSlot", agents: "queue dev", used: 3, slots: 3 },
  QueueLimit: { _tag: "QueueLimit", queue: "dev", used: 3, limit: 3 },
  GlobalLimit: { _tag: "GlobalLimit", used: 8, limit: 8 },
  Blocked: { _tag: "Blocked", by: task(17), root: task(3) },
  BlockingCycle: { _tag: "BlockingCycle", cycle: [task(4), task(7)] },
  Backoff: { _tag: "Backoff", untilMs: 0 },
  Parked: { _tag: "Parked", outcome: "failed", count: 3 },
  AgentPaused: { _tag: "AgentPaused", agent, by: "x", untilMs: 0 },
  AgentSetAside: { _tag: "AgentSetAside", agent, untilMs: 0 },
  AgentDisabled: { _tag: "AgentDisabled", agent },
  NoQueue: { _tag: "NoQueue" },
  NobodyAssigned: { _tag: "NobodyAssigned" },
  NoAgentServesQueue: { _tag: "NoAgentServesQueue", queue },
  AgentUnknown: { _tag: "AgentUnknown", agent: "max" },
  AgentServesOtherQueue: { _tag: "AgentServesOtherQueue", agent, queue },
  RecipeMissing: { _tag: "RecipeMissing", path },
  RecipeOutside: { _tag: "RecipeOutside", path },
  AmbiguousRecipe: { _tag: "AmbiguousRecipe", recipes: ["x"] },
  OpenSubtasks: { _tag: "OpenSubtasks", count: 2 },
  LeaseUnreadable: { _tag: "LeaseUnreadable", path, problem: "x" },
  AttemptsUnreadable: { _tag: "AttemptsUnreadable", problem: "x" },
  EarlierAttempt: { _tag: "EarlierAttempt", epoch: 3, liveness: "alive" },
  StartsOff: { _tag: "StartsOff", policy: "disabled", reason: null },
  StartBound: { _tag: "StartBound", bound: 200 },
  TinytaskUnread: { _tag: "TinytaskUnread", reason: "x" }
}

it.each(Object.values(reasons).map((reason) => describeReason(reason).replace(/\d{4}-\d\d-\d\dT\S+Z/, "x")))(
  "%s",
  (said) => {
    const firstCells = [...read("docs/troubleshooting.md").matchAll(/^\| (.*?) \|/gm)].map((match) =>
      (match[1] ?? "").replaceAll("…", "x")
    )
    assert.include(
      firstCells.flatMap((cell) => cell.split("; ")),
      said
    )
  }
)
