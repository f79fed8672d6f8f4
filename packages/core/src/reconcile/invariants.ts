/**
 * What must hold of every plan, written without a look at how plans are made: from the observation alone, naively.
 * Property tests, the simulation and `apply` use the same predicates; apply drops the starts of a plan that breaks one.
 */
import type { AgentRecord } from "../domain/Attempts.ts"
import type { DesiredState } from "../domain/DesiredState.ts"
import type { ObservedState } from "../domain/ObservedState.ts"
import type { Action, Plan, Verdict } from "../domain/Plan.ts"
import type { Liveness } from "../domain/ProcessIdentity.ts"
import { isOpen } from "../domain/Task.ts"
import type { Task } from "../domain/Task.ts"
import type { Evidence, TaskRecord } from "../domain/TaskRecord.ts"
import { millisOf } from "../domain/time.ts"
import { actionTaskId } from "./actionTaskId.ts"

/** By what letter ARCHITECTURE.md lists an invariant. */
export type InvariantId = "a" | "b" | "c" | "d" | "e" | "f" | "g" | "h" | "i"

/** One way in which a plan, or several, break an invariant, in a sentence. */
export interface Violation {
  readonly invariant: InvariantId
  readonly message: string
}

type Start = Extract<Action, { readonly _tag: "Start" }>
type Check = (observed: ObservedState, desired: DesiredState, plan: Plan) => ReadonlyArray<string>

const startsOf = (plan: Plan): ReadonlyArray<Start> =>
  plan.actions.filter((action): action is Start => action._tag === "Start")

const openTasks = (observed: ObservedState): ReadonlyMap<number, Task> =>
  new Map(
    observed.tinytask._tag === "Unread"
      ? []
      : observed.tinytask.tasks.filter(isOpen).map((task) => [task.id as number, task] as const)
  )

/** What was seen of the processes of claims and of an open start. */
const evidencesOf = (record: TaskRecord): ReadonlyArray<Evidence> => [
  ...record.claims.flatMap((sight) => (sight._tag === "Read" && sight.claim.kind === "claim" ? [sight.evidence] : [])),
  ...(record.openStart === null ? [] : [record.openStart])
]

const agentMayLive = (evidence: Evidence): boolean =>
  evidence.others.length > 0 || (evidence.agent !== null && evidence.agent !== "dead") || !evidence.scanned

const mayLive = (evidence: Evidence): boolean => evidence.supervisor !== "dead" || agentMayLive(evidence)

const isKnownToLive = (evidence: Evidence): boolean =>
  evidence.supervisor === "alive" || evidence.others.length > 0 || evidence.agent === "alive"

/** Whether anything on disk says that an attempt at this task may be under way. */
const isUnderWay = (record: TaskRecord): boolean => {
  if (record.lease._tag !== "Missing") return true
  if (record.claims.some((sight) => sight._tag === "Unreadable")) return true
  const recorded = new Set<number>(record.attempts?.outcomes.map(({ epoch }) => epoch))
  // A later start proves that an earlier attempt was closed, also where its ending is remembered no more.
  const closedUpTo = Math.max(0, ...recorded)
  if (record.claims.some((sight) => sight.epoch > closedUpTo)) return true
  if (evidencesOf(record).some(mayLive)) return true
  const last = record.attempts?.last ?? null
  // The claim or tombstone of the latest start is the last thing that its end removes.
  const isBeingEnded = record.claims.some((sight) => sight.epoch === last?.epoch)
  return isBeingEnded || (last !== null && !recorded.has(last.epoch))
}

/** The agent whose slot a record takes, and the queue it counts in: those of the latest attempt that left a trace. */
const holderOf = (record: TaskRecord): { readonly agent: string | null; readonly queue: string | null } => {
  const { claims, lease } = record
  if (lease._tag === "Legacy") return { agent: lease.lease.agentName, queue: null }
  const last = record.attempts?.last ?? null
  const startOf = (epoch: number) => (last?.epoch === epoch ? last : null)
  const top = claims.at(-1)
  if (lease._tag === "Read") {
    const { agentName, epoch, queue, token } = lease.lease
    const rival = claims.find(
      (sight) =>
        sight._tag === "Read" &&
        ((sight === top && sight.epoch > epoch) || (sight.epoch === epoch && sight.claim.token !== token))
    )
    return rival?._tag === "Read"
      ? { agent: rival.claim.agentName, queue: startOf(rival.epoch)?.queue ?? null }
      : { agent: agentName, queue }
  }
  const recorded = new Set<number>(record.attempts?.outcomes.map(({ epoch }) => epoch))
  if (lease._tag === "Missing" && last !== null && !recorded.has(last.epoch) && last.epoch > (top?.epoch ?? 0)) {
    return { agent: last.agentName, queue: last.queue }
  }
  if (top?._tag === "Read") return { agent: top.claim.agentName, queue: startOf(top.epoch)?.queue ?? null }
  if (lease._tag === "Unreadable") return { agent: lease.agentName, queue: null }
  const start = top === undefined ? null : startOf(top.epoch)
  return { agent: start?.agentName ?? null, queue: start?.queue ?? null }
}

const countBy = <A, K>(items: ReadonlyArray<A>, key: (item: A) => K): ReadonlyMap<K, number> => {
  const counts = new Map<K, number>()
  for (const item of items) counts.set(key(item), (counts.get(key(item)) ?? 0) + 1)
  return counts
}

/** (a) No start makes started + held exceed the agent's, the queue's or the global limit. */
const withinLimits: Check = (observed, desired, plan) => {
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
const oncePerTask: Check = (observed, _desired, plan) => {
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
const onlyTheReady: Check = (observed, desired, plan) => {
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

type End = Extract<Action, { readonly _tag: "End" }>

/** What was seen of all processes whose files the end of an attempt removes. */
const evidencesOfEnd = ({ attempt }: End, record: TaskRecord): ReadonlyArray<Evidence> => [
  ...(record.lease._tag === "Read" && record.lease.lease.epoch <= attempt.epoch
    ? record.lease.lease.phase === "starting"
      ? []
      : [record.lease.evidence]
    : []),
  ...record.claims.flatMap((sight) =>
    sight._tag === "Read" && sight.epoch === attempt.epoch && sight.claim.kind === "claim" ? [sight.evidence] : []
  ),
  ...(attempt.phase === "none" && record.openStart !== null ? [record.openStart] : [])
]

const faultsOfEnd = (action: End, record: TaskRecord, desired: DesiredState): ReadonlyArray<string> => {
  const { epoch, phase, taskId } = action.attempt
  const evidences = evidencesOfEnd(action, record)
  const own = record.claims.find((sight) => sight.epoch === epoch)
  const recorded = record.attempts?.outcomes.find((ending) => ending.epoch === epoch)
  const what = `task ${taskId}: epoch ${epoch}`
  if (own === undefined && !action.tombstone) return [`${what} is ended without shutting a late supervisor out`]
  if (phase === "none" && record.openStart === null) return [`${what} is ended and was not looked for`]
  if (action.withoutProof) {
    return [
      ...(evidences.some(isKnownToLive) ? [`${what} is given up by the clock although it lives`] : []),
      ...(action.outcome === "lost" ? [] : [`${what} is given up as ${action.outcome}`]),
      ...(desired.policy.unknownLostSec > 0 || recorded !== undefined ? [] : [`${what} is given up by no clock`])
    ]
  }
  const lives = evidences.some(phase === "finished" ? agentMayLive : mayLive)
  return lives ? [`${what} is ended while something of it may live`] : []
}

/** The end of an attempt removes the claims of all before it. */
const survivorsOfEnd = ({ attempt }: End, record: TaskRecord): ReadonlyArray<string> =>
  record.claims.flatMap((sight) =>
    sight._tag === "Read" &&
    sight.epoch < attempt.epoch &&
    sight.claim.kind === "claim" &&
    isKnownToLive(sight.evidence)
      ? [
          `task ${attempt.taskId}: epoch ${attempt.epoch} is ended while epoch ${sight.epoch} lives, whose claim goes with it`
        ]
      : []
  )

/** An old lease is ended when its process is dead, or by the clock when nobody can tell. */
const isEndable = (
  { withoutProof }: Extract<Action, { readonly _tag: "EndLegacy" }>,
  liveness: Liveness,
  { policy }: DesiredState
): boolean => (withoutProof ? liveness === "unknown" && policy.unknownLostSec > 0 : liveness === "dead")

/** (d) No slot is freed while a survivor is not proven dead. */
const deathIsProven: Check = (observed, desired, plan) => {
  const records = new Map(observed.records.map((record) => [record.taskId as number, record]))
  return plan.actions.flatMap((action): ReadonlyArray<string> => {
    const taskId = actionTaskId(action)
    const record = records.get(taskId)
    switch (action._tag) {
      case "Note":
      case "Stop":
      case "Start":
        return []
      case "EndLegacy":
        return record?.lease._tag === "Legacy" && isEndable(action, record.lease.liveness, desired)
          ? []
          : [`task ${taskId}: an old lease is ended alive`]
      case "Rebuild": {
        const own = record?.claims.find((sight) => sight.epoch === action.attempt.epoch)
        return own?._tag === "Read" && own.evidence.supervisor === "dead"
          ? []
          : [`task ${taskId}: a lease is rebuilt beside a supervisor that may live`]
      }
      case "Sweep": {
        const swept = record?.claims.filter((sight) => sight.epoch <= action.epoch) ?? []
        const mayStillLive = action.withoutProof && desired.policy.unknownLostSec > 0 ? isKnownToLive : mayLive
        return swept.some(
          (sight) => sight._tag === "Unreadable" || (sight.claim.kind === "claim" && mayStillLive(sight.evidence))
        )
          ? [`task ${taskId}: claims up to ${action.epoch} are swept while something of them may live`]
          : []
      }
      case "End":
        return record === undefined
          ? [`task ${taskId} is ended and has no files`]
          : [...faultsOfEnd(action, record, desired), ...survivorsOfEnd(action, record)]
    }
  })
}

/** (g) Each open task and each lease has exactly one verdict. */
const oneVerdictEach: Check = (observed, _desired, plan) => {
  const counts = new Map<number, number>()
  for (const { taskId } of plan.verdicts) counts.set(taskId, (counts.get(taskId) ?? 0) + 1)
  const expected = new Set<number>([
    ...openTasks(observed).keys(),
    ...observed.records.filter(isUnderWay).map(({ taskId }) => taskId as number)
  ])
  return [
    ...[...expected].filter((taskId) => !counts.has(taskId)).map((taskId) => `task ${taskId} has no verdict`),
    ...[...counts].filter(([, count]) => count > 1).map(([taskId, count]) => `task ${taskId} has ${count} verdicts`),
    ...plan.actions.flatMap((action) =>
      action._tag !== "Sweep" && !counts.has(actionTaskId(action))
        ? [`task ${actionTaskId(action)} is acted on without a verdict`]
        : []
    )
  ]
}

/** (h) A start's epoch exceeds every epoch seen anywhere for its task. */
const epochsGrow: Check = (observed, _desired, plan) => {
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
const noIdleSlot: Check = (observed, desired, plan) => {
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

/** The invariants that one plan can break. */
export const planInvariants: ReadonlyArray<{ readonly id: InvariantId; readonly check: Check }> = [
  { id: "a", check: withinLimits },
  { id: "b", check: oncePerTask },
  { id: "c", check: onlyTheReady },
  { id: "d", check: deathIsProven },
  { id: "g", check: oneVerdictEach },
  { id: "h", check: epochsGrow },
  { id: "i", check: noIdleSlot }
]

/** Every way in which a plan breaks an invariant; empty for a good one. */
export const violationsOf = (observed: ObservedState, desired: DesiredState, plan: Plan): ReadonlyArray<Violation> =>
  planInvariants.flatMap(({ check, id }) =>
    check(observed, desired, plan).map((message): Violation => ({ invariant: id, message }))
  )

/** Whether a round, counted from 1, does no more than note what the starts of the one before made of other tasks. */
const onlyNotesStarts = (rounds: ReadonlyArray<Plan>, round: number): boolean =>
  (rounds[round - 2]?.actions.some(({ _tag }) => _tag === "Start") ?? false) &&
  (rounds[round - 1]?.actions.every(({ _tag }) => _tag === "Note") ?? false)

/**
 * (e) The plans of successive fault-free rounds at one `now` come to rest: no action after at most 2 + (finish, reclaim
 * and rebuild actions) rounds, and no round repeats an action of an earlier one. The longest: rebuild the lease of an
 * orphan, stop it, end it, use its slot. A round that only notes is not counted after one that starts: the server sets a
 * complete parent to working with its subtask, and what was seen of the parent's attempt is over.
 */
export const settlingViolations = (rounds: ReadonlyArray<Plan>): ReadonlyArray<Violation> => {
  const ended = new Set(
    rounds.flatMap(({ actions }) =>
      actions.filter(({ _tag }) => _tag === "End" || _tag === "EndLegacy").map(actionTaskId)
    )
  ).size
  const rebuilt = rounds.flatMap(({ actions }) => actions.filter(({ _tag }) => _tag === "Rebuild")).length
  const bound = 2 + ended + rebuilt
  const seen = new Set<string>()
  const repeated = rounds.flatMap(({ actions }, round) =>
    actions.flatMap((action) => {
      const key = JSON.stringify(action)
      const again = seen.has(key)
      seen.add(key)
      return again ? [`round ${round + 1} repeats ${action._tag} of task ${actionTaskId(action)}`] : []
    })
  )
  const restless = rounds
    .map(({ actions }, index) => ({ actions, round: index + 1 }))
    .filter(({ round }) => !onlyNotesStarts(rounds, round))
    .slice(bound)
    .flatMap(({ actions, round }) =>
      actions.length === 0 ? [] : [`round ${round} still has ${actions.length} actions`]
    )
  return [...repeated, ...restless].map((message) => ({ invariant: "e", message }))
}

/** (f) Two plans of permuted inputs are equal to the byte. */
export const permutationViolations = (plan: Plan, ofPermuted: Plan): ReadonlyArray<Violation> =>
  JSON.stringify(plan) === JSON.stringify(ofPermuted)
    ? []
    : [{ invariant: "f", message: "the order of the input's arrays changed the plan" }]
