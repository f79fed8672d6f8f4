/**
 * Which tasks start, on whom, in which order: design and protocol read once more, as plainly as can be and without a
 * line of reconcile. Slow (everything is counted anew for every task), and that is its worth.
 */
import type { Agent } from "../src/domain/DesiredState.ts"
import type { Task } from "../src/domain/Task.ts"
import type { ClaimSight, Evidence, TaskRecord } from "../src/domain/TaskRecord.ts"
import type { World } from "./builders.ts"

const millis = (time: string): number => Date.parse(time)

const proven = (evidence: Evidence): boolean =>
  evidence.supervisor === "dead" &&
  (evidence.agent ?? "dead") === "dead" &&
  evidence.others.length === 0 &&
  evidence.scanned

const wasRecorded = (record: TaskRecord, epoch: number): boolean =>
  record.attempts?.outcomes.some((outcome) => outcome.epoch === epoch) === true

/** Whether a start was written down that neither ended nor left a claim. */
const hasOpenStart = (record: TaskRecord): boolean => {
  const last = record.attempts?.last ?? null
  return last !== null && !wasRecorded(record, last.epoch)
}

/** Whether an attempt's ending was recorded, or that of a later one, which could not begin before. */
const isClosed = (record: TaskRecord, epoch: number): boolean =>
  record.attempts?.outcomes.some((outcome) => outcome.epoch >= epoch) === true

/** Nothing of a task is at work: no lease, no open start, and each claim is closed and its attempt dead and ended. */
const isFree = (record: TaskRecord | undefined): boolean =>
  record === undefined ||
  (record.lease._tag === "Missing" &&
    !hasOpenStart(record) &&
    record.claims.every(
      (sight) =>
        sight._tag === "Read" &&
        isClosed(record, sight.epoch) &&
        // The claim or tombstone of the latest start is the last thing that its end removes.
        sight.epoch !== record.attempts?.last?.epoch &&
        (sight.claim.kind === "tombstone" || proven(sight.evidence))
    ))

const lives = (sight: ClaimSight): boolean =>
  sight._tag === "Read" &&
  sight.claim.kind === "claim" &&
  (sight.evidence.supervisor === "alive" || sight.evidence.agent === "alive" || sight.evidence.others.length > 0)

/** The agent and queue that count as taken by the files of one task. */
const takenBy = (record: TaskRecord): { readonly agent: string | null; readonly queue: string | null } => {
  const { attempts, claims, lease } = record
  const last = attempts?.last ?? null
  const top = claims.at(-1)
  const ofEpoch = (epoch: number): { readonly agentName: string; readonly queue: string | null } | null =>
    last?.epoch === epoch ? last : null
  if (lease._tag === "Legacy") return { agent: lease.lease.agentName, queue: null }
  const ofClaim = (sight: ClaimSight) =>
    sight._tag === "Read"
      ? { agent: sight.claim.agentName, queue: ofEpoch(sight.epoch)?.queue ?? null }
      : { agent: null, queue: null }
  const alone = claims.findLast(
    (sight) => lives(sight) && sight._tag === "Read" && sight.evidence.supervisor === "dead"
  )
  if (lease._tag !== "Read" && alone !== undefined) return ofClaim(alone)
  if (lease._tag === "Read") {
    const own = claims.find((sight) => sight.epoch === lease.lease.epoch)
    const rival =
      top?._tag === "Read" && top.epoch > lease.lease.epoch
        ? top
        : own?._tag === "Read" && own.claim.token !== lease.lease.token
          ? own
          : null
    const ofLease = { agent: lease.lease.agentName, queue: lease.lease.queue }
    if (rival !== null && lives(rival)) return ofClaim(rival)
    const { agent, others, supervisor } = lease.evidence
    const { phase } = lease.lease
    const agentLives = phase !== "starting" && (agent === "alive" || others.length > 0)
    const isOwn = own?._tag === "Read" && own.claim.token === lease.lease.token
    if (agentLives || (phase === "running" && supervisor === "alive") || (isOwn && lives(own))) return ofLease
    if (alone !== undefined) return ofClaim(alone)
    return rival === null ? ofLease : ofClaim(rival)
  }
  if (lease._tag === "Missing" && last !== null && hasOpenStart(record) && last.epoch > (top?.epoch ?? 0)) {
    return { agent: last.agentName, queue: last.queue }
  }
  if (top?._tag === "Read") return { agent: top.claim.agentName, queue: ofEpoch(top.epoch)?.queue ?? null }
  if (lease._tag === "Unreadable") return { agent: lease.agentName, queue: null }
  const known = top === undefined ? null : ofEpoch(top.epoch)
  return { agent: known?.agentName ?? null, queue: known?.queue ?? null }
}

/** How many open tasks wait for this one, found by walking up from each of them. */
const waitingFor = (tasks: ReadonlyArray<Task>, id: number): number => {
  const blockerOf = (task: Task): Task | undefined =>
    task.blocked ? tasks.find((other) => other.id === task.blockedBy) : undefined
  return tasks.filter((task) => {
    const passed = new Set<number>([task.id])
    for (let at = blockerOf(task); at !== undefined && !passed.has(at.id); at = blockerOf(at)) {
      if (at.id === id) return true
      passed.add(at.id)
    }
    return false
  }).length
}

const recipesOf = (task: Task): ReadonlyArray<string> => [
  ...new Set(task.tags.filter((tag) => tag.startsWith("recipe:")).map((tag) => tag.slice(7)))
]

export const naiveStarts = ({ desired, observed }: World): ReadonlyArray<string> => {
  const { policy } = desired
  const { paused } = observed
  if (paused !== null && (paused.until === null || millis(paused.until) > observed.nowMs)) return []
  if (observed.tinytask._tag === "Unread" || policy.starts !== "on" || observed.startsOffReason !== null) return []
  const open = observed.tinytask.tasks.filter((task) => task.status !== "complete" && !task.archived)
  const recordOf = (task: Task) => observed.records.find((record) => record.taskId === task.id)

  const mayStart = (task: Task): boolean => {
    const record = recordOf(task)
    if (task.status !== "idle" || !isFree(record) || (record?.attemptsProblem ?? null) !== null) return false
    if (task.blocked && !policy.disableBlocking) return false
    if (policy.parents === "wait" && open.some((other) => other.parent === task.id)) return false
    if (recipesOf(task).length > 1) return false
    const attempts = record?.attempts?.taskCreatedAt === task.createdAt ? record.attempts : null
    if (attempts === null) return true
    const aheadMs = attempts.notBefore === null ? 0 : millis(attempts.notBefore) - observed.nowMs
    return attempts.parked === null && (aheadMs <= 0 || aheadMs > policy.backoffMaxSec * 1000)
  }

  const rank = (task: Task): ReadonlyArray<number> => {
    const waiting = policy.disableBlocking ? 0 : waitingFor(open, task.id)
    const age = [millis(task.createdAt), task.id]
    return policy.order === "blockers" ? [-waiting, -task.priority, ...age] : [-task.priority, -waiting, ...age]
  }
  const ordered = open
    .filter(mayStart)
    .map((task) => ({ task, rank: rank(task) }))
    .sort((left, right) => compareNumbers(left.rank, right.rank))
    .map(({ task }) => task)

  const taken = observed.records.filter((record) => !isFree(record)).map(takenBy)
  const starts: Array<{ readonly task: Task; readonly agent: string }> = []
  const usedBy = (agent: string): number =>
    taken.filter((hold) => hold.agent === agent).length + starts.filter((start) => start.agent === agent).length
  const usedIn = (queue: string): number =>
    taken.filter((hold) => hold.queue === queue).length + starts.filter((start) => start.task.queue === queue).length

  const recipeIsThere = (recipe: string | null): boolean =>
    recipe === null || (observed.recipes.find((sight) => sight.recipe === recipe)?.state ?? "present") === "present"
  const takesWork = (agent: Agent): boolean => {
    const record = observed.agents.find(({ agentName }) => agentName === agent.name)
    const isAhead = (time: string | null): boolean => time !== null && millis(time) > observed.nowMs
    const paused =
      record !== undefined && record.pausedBy !== null && (record.pausedUntil === null || isAhead(record.pausedUntil))
    const aside = record?.setAsideUntil ?? null
    const isAside = aside !== null && isAhead(aside) && millis(aside) - observed.nowMs <= policy.backoffMaxSec * 1000
    return agent.enabled && !paused && !isAside
  }
  const couldTake = (agent: Agent, task: Task): boolean => {
    if (task.assignee !== null && task.assignee !== agent.name) return false
    if (task.assignee === null && (desired.mode === "legacy" || task.queue === null)) return false
    if (desired.mode === "queues" && task.queue !== null && !agent.queues.some((queue) => queue === task.queue)) {
      return false
    }
    return takesWork(agent) && recipeIsThere(recipesOf(task)[0] ?? agent.recipe) && usedBy(agent.name) < agent.slots
  }
  const lastStart = (agent: Agent): number => {
    const record = observed.agents.find(({ agentName }) => agentName === agent.name)
    return record === undefined || record.lastStart === null ? 0 : millis(record.lastStart)
  }
  const preference = (agent: Agent): ReadonlyArray<number> => [
    agent.queues.length,
    -(agent.slots - usedBy(agent.name)),
    // An agent that was given something in this plan is the most recently used.
    starts.filter((start) => start.agent === agent.name).length,
    lastStart(agent)
  ]

  for (const task of ordered) {
    const [chosen] = desired.agents
      .filter((agent) => couldTake(agent, task))
      .sort((left, right) => compareNumbers(preference(left), preference(right)) || (left.name < right.name ? -1 : 1))
    const queueLimit = desired.queueLimits.find(({ queue }) => queue === task.queue)?.limit ?? Infinity
    const queueIsFull = task.queue !== null && usedIn(task.queue) >= queueLimit
    const allIsFull = taken.length + starts.length >= (desired.maxConcurrent ?? Infinity)
    if (chosen === undefined || queueIsFull || allIsFull || starts.length >= policy.startsMax) continue
    starts.push({ task, agent: chosen.name })
  }
  return starts.map(({ agent, task }) => `${task.id} on ${agent}`)
}

const compareNumbers = (left: ReadonlyArray<number>, right: ReadonlyArray<number>): number => {
  for (const [index, value] of left.entries()) {
    const difference = value - (right[index] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}
