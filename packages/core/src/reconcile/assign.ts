/** Step 5, assign: walk the ready tasks in their one order and give each to an agent with a free slot, or say what it lacks. */
import type { Agent, DesiredState, Policy } from "../domain/DesiredState.ts"
import type { AgentName, Epoch } from "../domain/identifiers.ts"
import { Epoch as EpochSchema } from "../domain/identifiers.ts"
import type { RecipeSight } from "../domain/ObservedState.ts"
import type { AgentRecord, Pause } from "../domain/Attempts.ts"
import type { Action, WaitReason } from "../domain/Plan.ts"
import type { Task } from "../domain/Task.ts"
import { millisOf } from "../domain/time.ts"
import { pauseHolds } from "../requests/pause.ts"
import type { Ledger } from "./capacity.ts"
import { backoffUntilMs } from "./backoff.ts"
import { agentPool } from "./pool.ts"
import type { AgentPool } from "./pool.ts"
import { recipeTags } from "./taskReasons.ts"

export type StartAction = Extract<Action, { readonly _tag: "Start" }>

export interface AssignInput {
  readonly desired: DesiredState
  readonly nowMs: number
  readonly startsOffReason: string | null
  readonly agentRecords: ReadonlyArray<AgentRecord>
  readonly paused: Pause | null
  readonly recipes: ReadonlyArray<RecipeSight>
  readonly ledger: Ledger
  /** The largest epoch seen for a task, and the number of its next attempt for people. */
  readonly history: (task: Task) => { readonly epochMax: number; readonly attempt: number }
}

export type Assignment =
  | { readonly _tag: "Start"; readonly action: StartAction }
  | { readonly _tag: "Wait"; readonly reasons: ReadonlyArray<WaitReason> }

export interface Assigner {
  /** Must be called in the tasks' order: each start changes what the next one finds. */
  readonly assign: (task: Task) => Assignment
  readonly leftByBound: () => number
}

/** At most this many agents' reasons are told of one pool. */
const poolReasonsMax = 8

/** Why an agent takes nothing now, whatever its slots; null when it may. */
export const agentReason = (
  agent: Agent,
  record: AgentRecord | undefined,
  nowMs: number,
  policy: Policy
): WaitReason | null => {
  if (!agent.enabled) return { _tag: "AgentDisabled", agent: agent.name }
  if (record === undefined) return null
  const pausedUntilMs = record.pausedUntil === null ? null : millisOf(record.pausedUntil)
  if (record.pausedBy !== null && (pausedUntilMs === null || pausedUntilMs > nowMs)) {
    return { _tag: "AgentPaused", agent: agent.name, by: record.pausedBy, untilMs: pausedUntilMs }
  }
  const setAsideUntilMs = backoffUntilMs(record.setAsideUntil, nowMs, policy)
  return setAsideUntilMs === null ? null : { _tag: "AgentSetAside", agent: agent.name, untilMs: setAsideUntilMs }
}

/** Why nothing is started whatever is free; null when it may be. */
const startsOff = ({ desired, nowMs, paused, startsOffReason }: AssignInput): WaitReason | null => {
  if (startsOffReason !== null) return { _tag: "StartsOff", policy: "observe-only", reason: startsOffReason }
  const { starts } = desired.policy
  if (starts !== "on") return { _tag: "StartsOff", policy: starts, reason: null }
  if (!pauseHolds(paused, nowMs)) return null
  const until = paused.until === null ? "it is resumed" : paused.until
  return { _tag: "StartsOff", policy: "paused", reason: `by ${paused.by} until ${until}` }
}

export const makeAssigner = (input: AssignInput): Assigner => {
  const { desired, ledger, nowMs } = input
  const agentsByName = new Map<string, Agent>(desired.agents.map((agent) => [agent.name, agent]))
  const records = new Map<string, AgentRecord>(input.agentRecords.map((record) => [record.agentName, record]))
  const sights = new Map(input.recipes.map((sight) => [sight.recipe, sight] as const))
  const agentsOfQueue = poolsOf(desired.agents)
  const pools = new Map<string, { readonly pool: AgentPool; readonly reasons: ReadonlyArray<WaitReason> }>()
  const startedInPlan = new Map<string, number>()
  let starts = 0
  let leftByBound = 0

  const reasonOf = (agent: Agent) => agentReason(agent, records.get(agent.name), nowMs, desired.policy)
  const recipeReason = (recipe: string | null): WaitReason | null => {
    const sight = recipe === null ? undefined : sights.get(recipe)
    if (sight === undefined || sight.state === "present") return null
    return { _tag: sight.state === "missing" ? "RecipeMissing" : "RecipeOutside", path: sight.path }
  }

  /** A task with a recipe of its own may go to agents whose own recipe is missing. */
  const poolOf = (queue: string, hasOwnRecipe: boolean) => {
    const key = `${hasOwnRecipe ? "own" : "agent"} ${queue}`
    const known = pools.get(key)
    if (known !== undefined) return known
    const reasons: Array<WaitReason> = []
    const candidates = (agentsOfQueue.get(queue) ?? []).filter((agent) => {
      const reason = reasonOf(agent) ?? (hasOwnRecipe ? null : recipeReason(agent.recipe))
      if (reason !== null) reasons.push(reason)
      return reason === null
    })
    const made = {
      reasons: reasons.slice(0, poolReasonsMax),
      pool: agentPool(
        candidates.map((agent) => {
          const lastStart = records.get(agent.name)?.lastStart ?? null
          return { agent, lastStartMs: lastStart === null ? 0 : millisOf(lastStart) }
        }),
        { free: ledger.freeOfAgent, startedInPlan: (agent) => startedInPlan.get(agent) ?? 0 }
      )
    }
    pools.set(key, made)
    return made
  }

  const noFreeSlot = (agents: ReadonlyArray<Agent>, name: string): WaitReason => {
    let used = 0
    let slots = 0
    for (const agent of agents) {
      const usage = ledger.agentUsage(agent.name)
      used += usage.used
      slots += usage.slots
    }
    return { _tag: "NoFreeSlot", agents: name, used, slots }
  }
  const exhausted = new Map<AgentPool, WaitReason>()

  /** The agent for a task, or why there is none. */
  const choose = (task: Task, ownRecipe: string | undefined): Agent | ReadonlyArray<WaitReason> => {
    if (task.assignee !== null) {
      const agent = agentsByName.get(task.assignee)
      if (agent === undefined) return [{ _tag: "AgentUnknown", agent: task.assignee }]
      if (desired.mode === "queues" && task.queue !== null && !agent.queues.some((queue) => queue === task.queue)) {
        return [{ _tag: "AgentServesOtherQueue", agent: agent.name, queue: task.queue }]
      }
      const reason = reasonOf(agent) ?? recipeReason(ownRecipe ?? agent.recipe)
      if (reason !== null) return [reason]
      return ledger.freeOfAgent(agent.name) > 0 ? agent : [noFreeSlot([agent], agent.name)]
    }
    if (desired.mode === "legacy") return [{ _tag: "NobodyAssigned" }]
    if (task.queue === null) return [{ _tag: "NoQueue" }]
    if (!agentsOfQueue.has(task.queue)) return [{ _tag: "NoAgentServesQueue", queue: task.queue }]
    const ownReason = ownRecipe === undefined ? null : recipeReason(ownRecipe)
    if (ownReason !== null) return [ownReason]
    const { pool, reasons } = poolOf(task.queue, ownRecipe !== undefined)
    if (pool.agents.length === 0) return reasons
    const agent = pool.choose()
    if (agent !== undefined) return agent
    const known = exhausted.get(pool) ?? noFreeSlot(pool.agents, `queue ${task.queue}`)
    exhausted.set(pool, known)
    return [known, ...reasons]
  }

  const off = startsOff(input)
  const assign = (task: Task): Assignment => {
    if (off !== null) return { _tag: "Wait", reasons: [off] }
    const [ownRecipe] = recipeTags(task)
    const agent = choose(task, ownRecipe)
    if (!("name" in agent)) return { _tag: "Wait", reasons: agent }
    const full = ledger.fullLimits(task.queue)
    if (full.length > 0) return { _tag: "Wait", reasons: full }
    if (starts >= desired.policy.startsMax) {
      leftByBound += 1
      return { _tag: "Wait", reasons: [{ _tag: "StartBound", bound: desired.policy.startsMax }] }
    }
    starts += 1
    startedInPlan.set(agent.name, (startedInPlan.get(agent.name) ?? 0) + 1)
    ledger.start(agent.name, task.queue)
    const { attempt, epochMax } = input.history(task)
    return {
      _tag: "Start",
      action: {
        _tag: "Start",
        taskId: task.id,
        agent: agent.name,
        epoch: nextEpoch(epochMax),
        attempt,
        recipe: ownRecipe ?? agent.recipe,
        queue: task.queue,
        prior: { status: task.status, assignee: task.assignee },
        taskCreatedAt: task.createdAt,
        maxRuntimeSec: agent.maxRuntimeSec
      }
    }
  }
  return { assign, leftByBound: () => leftByBound }
}

const nextEpoch = (epochMax: number): Epoch => EpochSchema.make(epochMax + 1)

const poolsOf = (agents: ReadonlyArray<Agent>): ReadonlyMap<string, ReadonlyArray<Agent>> => {
  const pools = new Map<string, Array<Agent>>()
  const byName = [...agents].sort((left: { readonly name: AgentName }, right: { readonly name: AgentName }) =>
    left.name < right.name ? -1 : 1
  )
  for (const agent of byName) {
    for (const queue of new Set<string>(agent.queues)) {
      const pool = pools.get(queue)
      if (pool === undefined) pools.set(queue, [agent])
      else pool.push(agent)
    }
  }
  return pools
}
