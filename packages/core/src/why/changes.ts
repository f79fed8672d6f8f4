/**
 * The single changes that may let a waiting task start, the cheapest for a person first; none of them is known to: that
 * is reconcile's to say. Generous on purpose: what concerns the task itself comes first, then all the rest, because a
 * change far away may take a competitor out of its way.
 */
import type { Agent } from "../domain/DesiredState.ts"
import type { Plan, Verdict, WaitReason } from "../domain/Plan.ts"
import type { Situation } from "../domain/Situation.ts"
import { isOpen } from "../domain/Task.ts"
import type { Task } from "../domain/Task.ts"
import { millisOf } from "../domain/time.ts"
import { agentReason } from "../reconcile/assign.ts"
import { backoffUntilMs } from "../reconcile/backoff.ts"
import { recipeTags } from "../reconcile/taskReasons.ts"
import { pauseHolds } from "../requests/pause.ts"
import { couldTake, namesOf } from "./couldTake.ts"
import type { Change } from "./WhyAnswer.ts"

/** At most so many attempts that are in its way are tried before other kinds get their turn. */
const nearFinishesMax = 40

type Has = (...tags: ReadonlyArray<WaitReason["_tag"]>) => boolean

interface Question {
  readonly task: Task
  readonly situation: Situation
  readonly plan: Plan
  readonly has: Has
}

/** The changes to try, lazily: each costs a plan. */
export function* changesFor(
  task: Task,
  reasons: ReadonlyArray<WaitReason>,
  plan: Plan,
  situation: Situation
): Generator<Change> {
  const has: Has = (...tags) => reasons.some(({ _tag }) => tags.includes(_tag))
  const question: Question = { task, situation, plan, has }
  // What can't be read, or isn't dead, is no matter of any of these kinds; nor is what is wrong with the task's own tags.
  if (has("TinytaskUnread", "LeaseUnreadable", "AttemptsUnreadable", "EarlierAttempt", "AmbiguousRecipe")) return
  if (has("Blocked", "BlockingCycle", "OpenSubtasks", "Backoff", "Parked")) return yield* ofTask(question)
  if (has("StartsOff")) return yield* ofStarts(question)
  if (has("NoQueue", "NobodyAssigned", "AgentUnknown", "AgentServesOtherQueue")) return yield* ofAssignee(question)
  if (has("NoAgentServesQueue")) return
  const own = namesOf(couldTake(task, situation.desired))
  const recipes = new Set([
    ...recipeTags(task),
    ...situation.desired.agents.flatMap(({ name, recipe }) => (recipe !== null && own.has(name) ? [recipe] : []))
  ])
  const nearFinishes = finishesInItsWay(question, own)
  yield* ofCapacity(question, {
    agent: ({ name }) => own.has(name),
    queue: (queue) => queue === task.queue,
    recipe: (recipe) => recipes.has(recipe),
    limits: true,
    finishes: nearFinishes
  })
  const tried = new Set<number>([task.id, ...nearFinishes])
  yield* ofCapacity(question, {
    agent: ({ name }) => !own.has(name),
    queue: (queue) => queue !== task.queue,
    recipe: (recipe) => !recipes.has(recipe),
    limits: false,
    finishes: consequentialTasks(question).filter((id) => !tried.has(id))
  })
}

/** What the task itself lacks: its blocker, its time. A parent of open subtasks never starts: the last of them completes it. */
function* ofTask({ has, situation, task }: Question): Generator<Change> {
  if (has("Backoff")) yield* waits(situation, task)
  if (has("Backoff", "Parked")) yield { _tag: "Retry", taskId: task.id }
  for (const taskId of task.blockedBy === null ? [] : completing(task.blockedBy, situation)) {
    yield { _tag: "Finish", taskId }
  }
}

/** The tasks of which each, done, completes this one: itself, its only open subtask, the only one of that, and so on. */
const completing = (taskId: Task["id"], { observed: { tinytask } }: Situation): ReadonlySet<Task["id"]> => {
  const tasks = tinytask._tag === "Read" ? tinytask.tasks.filter(isOpen) : []
  const found = new Set<Task["id"]>()
  for (let next: Task["id"] | null = taskId; next !== null && !found.has(next);) {
    found.add(next)
    const subtasks = tasks.filter(({ parent }) => parent === next)
    next = subtasks.length === 1 ? (subtasks[0]?.id ?? null) : null
  }
  return found
}

/** Nothing starts at all. A reason that lies in the machine is nobody's to suppose away. */
function* ofStarts({ situation, task }: Question): Generator<Change> {
  const { desired, observed } = situation
  if (observed.startsOffReason !== null) return
  if (desired.policy.starts !== "on") return yield { _tag: "Policy", policy: { starts: "on" } }
  yield* waits(situation, task)
  yield { _tag: "Resume", agent: null }
}

function* ofAssignee({ situation, task }: Question): Generator<Change> {
  if (task.assignee !== null) yield { _tag: "Assign", taskId: task.id, assignee: null }
  for (const { name } of byName(situation.desired.agents)) {
    if (name !== task.assignee) yield { _tag: "Assign", taskId: task.id, assignee: name }
  }
}

/** Which part of all that takes or gives room is meant. */
interface Part {
  readonly agent: (agent: Agent) => boolean
  readonly queue: (queue: string) => boolean
  readonly recipe: (recipe: string) => boolean
  readonly limits: boolean
  readonly finishes: ReadonlyArray<Task["id"]>
}

function* ofCapacity({ situation, task }: Question, part: Part): Generator<Change> {
  const { desired, observed } = situation
  const agents = byName(desired.agents).filter(part.agent)
  yield* waits(situation, task, agents)
  const records = new Map<string, (typeof observed.agents)[number]>(
    observed.agents.map((record) => [record.agentName, record])
  )
  for (const agent of agents) {
    const reason = agentReason(agent, records.get(agent.name), observed.nowMs, desired.policy)
    if (reason?._tag === "AgentPaused" || reason?._tag === "AgentSetAside") yield { _tag: "Resume", agent: agent.name }
  }
  // What concerns the task is short and comes in the order of kinds; of the rest, tasks are many, and come last.
  const finishes = part.finishes.map((taskId): Change => ({ _tag: "Finish", taskId }))
  if (part.limits) yield* finishes
  for (const { name, slots } of agents) yield { _tag: "AgentSlots", agent: name, slots: slots + 1 }
  for (const { limit, queue } of desired.queueLimits) {
    if (part.queue(queue)) yield { _tag: "QueueLimit", queue, limit: limit + 1 }
  }
  if (part.limits && desired.maxConcurrent !== null) yield { _tag: "MaxConcurrent", limit: desired.maxConcurrent + 1 }
  for (const { enabled, name } of agents) if (!enabled) yield { _tag: "AgentEnabled", agent: name, enabled: true }
  for (const { recipe, state } of observed.recipes) {
    if (state !== "present" && part.recipe(recipe)) yield { _tag: "RecipePresent", recipe }
  }
  if (!part.limits) yield* finishes
}

const byName = (agents: ReadonlyArray<Agent>): ReadonlyArray<Agent> =>
  [...agents].sort((left, right) => (left.name < right.name ? -1 : 1))

/** Up to the end of its own backoff, of the pause of all, and of what keeps these agents from taking anything; the soonest first. */
function* waits({ desired, observed }: Situation, task: Task, agents = desired.agents): Generator<Change> {
  const { nowMs, paused } = observed
  const { policy } = desired
  const names = namesOf(agents)
  const attempts = observed.records.find(({ taskId }) => taskId === task.id)?.attempts ?? null
  const ends = [
    backoffUntilMs(attempts?.notBefore ?? null, nowMs, policy),
    pauseHolds(paused, nowMs) && paused.until !== null ? millisOf(paused.until) : null,
    ...observed.agents
      .filter(({ agentName }) => names.has(agentName))
      .flatMap(({ pausedBy, pausedUntil, setAsideUntil }) => [
        pausedBy === null || pausedUntil === null ? null : millisOf(pausedUntil),
        backoffUntilMs(setAsideUntil, nowMs, policy)
      ])
  ]
  const ahead = new Set(ends.filter((end) => end !== null).filter((end) => end > nowMs))
  for (const end of [...ahead].sort((left, right) => left - right)) yield { _tag: "Later", ms: end - nowMs }
}

/** Tasks whose end would change anything for another: one that waits, blocks nobody, is blocked by nobody and has left nothing does not. */
const consequentialTasks = ({ plan, situation: { observed } }: Question): ReadonlyArray<Task["id"]> => {
  const tasks = observed.tinytask._tag === "Read" ? observed.tinytask.tasks.filter(isOpen) : []
  const idle = new Set<number>(
    plan.verdicts.filter(({ _tag }) => _tag === "Wait" || _tag === "Ignore").map(({ taskId }) => taskId)
  )
  const blockers = new Set<number | null>(tasks.map(({ blockedBy }) => blockedBy))
  const consequential = tasks.filter(
    ({ blockedBy, id, parent }) => !idle.has(id) || blockers.has(id) || blockedBy !== null || parent !== null
  )
  const ids = [...consequential.map(({ id }) => id), ...observed.records.map(({ taskId }) => taskId)]
  return [...new Set(ids)].sort((left, right) => left - right)
}

/** The tasks whose attempts take what it needs: those that run, then those that start before it. */
const finishesInItsWay = ({ has, plan, situation, task }: Question, own: ReadonlySet<string>) => {
  const { tinytask } = situation.observed
  const ofQueue = new Set<number>(
    tinytask._tag === "Read" && has("QueueLimit")
      ? tinytask.tasks.filter(({ queue }) => queue === task.queue).map(({ id }) => id)
      : []
  )
  const isInItsWay = (verdict: Verdict): boolean =>
    "agent" in verdict && (has("GlobalLimit", "StartBound") || own.has(verdict.agent) || ofQueue.has(verdict.taskId))
  const found = plan.verdicts.filter(isInItsWay)
  return [...found.filter(({ _tag }) => _tag !== "Start"), ...found.filter(({ _tag }) => _tag === "Start")]
    .map(({ taskId }) => taskId)
    .slice(0, nearFinishesMax)
}
