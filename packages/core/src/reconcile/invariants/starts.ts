/** What must hold of the starts of a plan. */
import type { AgentRecord } from "../../domain/Attempts.ts"
import type { DesiredState } from "../../domain/DesiredState.ts"
import type { Action, Plan, Verdict } from "../../domain/Plan.ts"
import { millisOf } from "../../domain/time.ts"
import { countBy, holderOf, isUnderWay, openTasks } from "./underWay.ts"
import type { Check } from "./Violation.ts"

type Start = Extract<Action, { readonly _tag: "Start" }>

const startsOf = (plan: Plan): ReadonlyArray<Start> =>
  plan.actions.filter((action): action is Start => action._tag === "Start")

/** (a) No start makes started + held exceed the agent's, the queue's or the global limit. */
export const withinLimits: Check = (observed, desired, plan) => {
  const starts = startsOf(plan)
  const holders = observed.records.filter(isUnderWay).map(holderOf)
  const faults: Array<string> = []
  const check = (what: string, name: string, started: number, held: number, limit: number): void => {
    if (started > 0 && started + held > limit)
      faults.push(`${what} ${name}: ${held} held + ${started} started > ${limit}`)
  }
  const heldByAgent = countBy(holders, ({ agent }) => agent)
  const slots = new Map<string, number>(desired.agents.map((agent) => [agent.name, agent.slots]))
  for (const [agent, started] of countBy(starts, (start) => start.agent)) {
    check("agent", agent, started, heldByAgent.get(agent) ?? 0, slots.get(agent) ?? 0)
  }
  const heldByQueue = countBy(holders, ({ queue }) => queue)
  const startedByQueue = countBy(starts, (start) => start.queue)
  for (const { limit, queue } of desired.queueLimits) {
    check("queue", queue, startedByQueue.get(queue) ?? 0, heldByQueue.get(queue) ?? 0, limit)
  }
  if (desired.maxConcurrent !== null) check("all", "agents", starts.length, holders.length, desired.maxConcurrent)
  return faults
}

/** (b) One lease per task, one start per task. */
export const oncePerTask: Check = (observed, _desired, plan) => {
  const underWay = new Set(observed.records.filter(isUnderWay).map(({ taskId }) => taskId as number))
  const started = new Set<number>()
  return startsOf(plan).flatMap(({ taskId }) => {
    const twice = started.has(taskId)
    started.add(taskId)
    return [
      ...(twice ? [`task ${taskId} is started twice`] : []),
      ...(underWay.has(taskId) ? [`task ${taskId} is started although an attempt is under way`] : [])
    ]
  })
}

/** A time further off than the longest backoff was written before the clock was set back. */
const backsOff = (until: string | null, nowMs: number, { backoffMaxSec }: DesiredState["policy"]): boolean =>
  until !== null && millisOf(until) > nowMs && millisOf(until) - nowMs <= backoffMaxSec * 1000

/** Whether a pause still holds; one without an end does until somebody ends it. */
const lasts = (until: string | null, nowMs: number): boolean => until === null || millisOf(until) > nowMs

const isPaused = ({ pausedBy, pausedUntil }: AgentRecord, nowMs: number): boolean =>
  pausedBy !== null && lasts(pausedUntil, nowMs)

/** (c) Nothing that is blocked, parked, paused or backing off starts, as the policies say. */
export const onlyTheReady: Check = (observed, desired, plan) => {
  const tasks = openTasks(observed)
  const records = new Map(observed.records.map((record) => [record.taskId as number, record]))
  const agentRecords = new Map(observed.agents.map((record) => [record.agentName as string, record]))
  const agents = new Map(desired.agents.map((agent) => [agent.name as string, agent]))
  const parents = new Set([...tasks.values()].map(({ parent }) => parent))
  const { policy } = desired
  return startsOf(plan).flatMap((start) => {
    const task = tasks.get(start.taskId)
    if (task === undefined) return [`task ${start.taskId} is started and is not open`]
    const attempts = records.get(task.id)?.attempts ?? null
    const ofThisTask = attempts !== null && attempts.taskCreatedAt === task.createdAt ? attempts : null
    const agent = agents.get(start.agent)
    const agentRecord = agentRecords.get(start.agent)
    const faults: ReadonlyArray<readonly [boolean, string]> = [
      [policy.starts !== "on" || observed.startsOffReason !== null, "starts are off"],
      [observed.paused !== null && lasts(observed.paused.until, observed.nowMs), "everything is paused"],
      [task.status !== "idle", `it is ${task.status}`],
      [task.blocked && !policy.disableBlocking, "it is blocked"],
      [policy.parents === "wait" && parents.has(task.id), "it has open subtasks"],
      [ofThisTask !== null && ofThisTask.parked !== null, "it is parked"],
      [ofThisTask !== null && backsOff(ofThisTask.notBefore, observed.nowMs, policy), "it is backing off"],
      [agent === undefined, "its agent is unknown"],
      [agent !== undefined && !agent.enabled, "its agent is disabled"],
      [agentRecord !== undefined && isPaused(agentRecord, observed.nowMs), "its agent is paused"],
      [
        agentRecord !== undefined && backsOff(agentRecord.setAsideUntil, observed.nowMs, policy),
        "its agent is set aside"
      ],
      [task.assignee !== null && task.assignee !== start.agent, "it is assigned to another"],
      [
        desired.mode === "queues" &&
          task.queue !== null &&
          agent !== undefined &&
          !agent.queues.some((queue) => queue === task.queue),
        "its agent does not serve its queue"
      ]
    ]
    return faults.flatMap(([broken, why]) => (broken ? [`task ${task.id} is started although ${why}`] : []))
  })
}

/** (h) A start's epoch exceeds every epoch seen anywhere for its task. */
export const epochsGrow: Check = (observed, _desired, plan) => {
  const records = new Map(observed.records.map((record) => [record.taskId as number, record]))
  return startsOf(plan).flatMap(({ epoch, taskId }) => {
    const record = records.get(taskId)
    if (record === undefined) return []
    const seen = [
      record.epochMax,
      record.lease._tag === "Read" ? record.lease.lease.epoch : 0,
      record.attempts?.last?.epoch ?? 0,
      ...(record.attempts?.outcomes.map((recorded) => recorded.epoch) ?? []),
      ...record.claims.map((sight) => sight.epoch as number)
    ]
    return epoch > Math.max(...seen) ? [] : [`task ${taskId} is started with epoch ${epoch}, seen ${Math.max(...seen)}`]
  })
}

/** (i) No task lacking only a slot waits while an eligible agent has a free one. */
export const noIdleSlot: Check = (observed, desired, plan) => {
  const tasks = openTasks(observed)
  const used = countBy(
    [...observed.records.filter(isUnderWay).map(holderOf), ...startsOf(plan)],
    ({ agent }): string | null => agent
  )
  const records = new Map(observed.agents.map((record) => [record.agentName as string, record]))
  const recipes = new Map(observed.recipes.map((sight) => [sight.recipe, sight.state]))
  const isAvailable = (name: string): boolean => {
    const record = records.get(name)
    if (record === undefined) return true
    return !isPaused(record, observed.nowMs) && !backsOff(record.setAsideUntil, observed.nowMs, desired.policy)
  }
  const free = desired.agents.filter(
    (agent) => agent.enabled && isAvailable(agent.name) && (used.get(agent.name) ?? 0) < agent.slots
  )
  const lacksOnlyASlot = (verdict: Verdict): verdict is Extract<Verdict, { readonly _tag: "Wait" }> =>
    verdict._tag === "Wait" && verdict.reasons[0]?._tag === "NoFreeSlot"
  return plan.verdicts.filter(lacksOnlyASlot).flatMap(({ taskId }) => {
    const task = tasks.get(taskId)
    if (task === undefined) return []
    const hasOwnRecipe = task.tags.some((tag) => tag.startsWith("recipe:"))
    const taker = free.find((agent) => {
      if (!hasOwnRecipe && agent.recipe !== null && (recipes.get(agent.recipe) ?? "present") !== "present") return false
      if (task.assignee !== null) return task.assignee === agent.name
      return agent.queues.some((queue) => queue === task.queue)
    })
    return taker === undefined ? [] : [`task ${taskId} waits for a slot while ${taker.name} has a free one`]
  })
}
