/**
 * Observe: read everything a decision needs, once, and turn it into plain data. It decides nothing; what can't be read
 * is said to be unread. A verdict of death stands only on a lease read after the probe, so leases whose processes look
 * dead are read again before the processes are scanned.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { Attempts, StopRecord } from "../domain/Attempts.ts"
import type { DesiredState } from "../domain/DesiredState.ts"
import type { TaskId } from "../domain/identifiers.ts"
import type { ObservedState, StartFault, TinytaskSight } from "../domain/ObservedState.ts"
import type { Request } from "../domain/Request.ts"
import { isOpen } from "../domain/Task.ts"
import type { Task } from "../domain/Task.ts"
import type { TaskRecord } from "../domain/TaskRecord.ts"
import { AgentLauncher } from "../ports/AgentLauncher.ts"
import { AttemptHistory } from "../ports/AttemptHistory.ts"
import type { StoredAttempts } from "../ports/AttemptHistory.ts"
import { LeaseStore } from "../ports/LeaseStore.ts"
import type { StoredTask } from "../ports/LeaseStore.ts"
import { ProcessTable } from "../ports/ProcessTable.ts"
import { TaskQueue } from "../ports/TaskQueue.ts"
import { recipeTags } from "../reconcile/taskReasons.ts"
import { gatherEvidence } from "./evidence.ts"
import type { GatheredEvidence, Joined } from "./evidence.ts"
import { openStartOf } from "./openStart.ts"

export interface ObserveInput {
  readonly desired: DesiredState
  readonly startFaults: ReadonlyArray<StartFault>
  readonly startsOffReason: string | null
  /** Stop records that stand in memory alone, by token. */
  readonly stops: ReadonlyMap<string, StopRecord>
  readonly requests: ReadonlyArray<Request>
}

/** At most this many tasks are looked up at once. */
const lookUpsAtOnce = 4

const nothingStored = (taskId: TaskId): StoredTask => ({ taskId, lease: { _tag: "Missing" }, claims: [], stops: [] })

/** One entry per task of which anything is stored, by task id. */
const joinByTask = (
  tasks: ReadonlyArray<StoredTask>,
  attempts: ReadonlyArray<StoredAttempts>
): ReadonlyArray<{ readonly stored: StoredTask; readonly attempts: StoredAttempts | null }> => {
  const attemptsOf = new Map(attempts.map((entry) => [entry.taskId, entry] as const))
  const storedOf = new Map(tasks.map((entry) => [entry.taskId, entry] as const))
  return [...new Set([...storedOf.keys(), ...attemptsOf.keys()])]
    .sort((left, right) => left - right)
    .map((taskId) => ({
      stored: storedOf.get(taskId) ?? nothingStored(taskId),
      attempts: attemptsOf.get(taskId) ?? null
    }))
}

/** The largest epoch seen anywhere for a task. */
export const epochMaxOf = (stored: StoredTask, attempts: StoredAttempts | null): number =>
  Math.max(
    0,
    stored.lease._tag === "Read" ? stored.lease.lease.epoch : 0,
    ...stored.claims.map(({ epoch }) => epoch),
    ...stored.stops.map(({ epoch }) => epoch),
    attempts?.logEpochMax ?? 0,
    attempts?.attempts?.last?.epoch ?? 0,
    ...(attempts?.attempts?.outcomes.map(({ epoch }) => epoch) ?? [])
  )

/** The record on disk, or the one that could not be written there, whichever went further. */
const stopOf = (stored: StoredTask, remembered: ReadonlyMap<string, StopRecord>): StopRecord | null => {
  const written = stored.stops.at(-1) ?? null
  const { lease } = stored
  const claim = stored.claims.at(-1)
  const token = lease._tag === "Read" ? lease.lease.token : claim?._tag === "Read" ? claim.claim.token : null
  const unwritten = token === null ? undefined : remembered.get(token)
  if (unwritten === undefined) return written
  return written !== null && written.token === unwritten.token && written.nextMonoMs >= unwritten.nextMonoMs
    ? written
    : unwritten
}

const recordOf = (entry: Joined, evidence: GatheredEvidence, stops: ReadonlyMap<string, StopRecord>): TaskRecord => {
  const { attempts, stored } = entry
  const { lease, taskId } = stored
  const open = openStartOf(stored, attempts?.attempts ?? null)
  return {
    taskId,
    lease:
      lease._tag === "Read"
        ? { _tag: "Read", lease: lease.lease, evidence: evidence.ofLease(lease.lease, entry) }
        : lease._tag === "Legacy"
          ? { ...lease, liveness: evidence.ofLegacy(lease.lease, entry) }
          : lease,
    claims: stored.claims.map((sight) =>
      sight._tag === "Read" ? { ...sight, evidence: evidence.ofClaim(sight.claim, entry) } : sight
    ),
    stop: stopOf(stored, stops),
    attempts: attempts?.attempts ?? null,
    attemptsProblem: attempts?.problem ?? null,
    openStart: open === null ? null : evidence.ofToken(open, entry),
    epochMax: epochMaxOf(stored, attempts)
  }
}

const needsTask = (stored: StoredTask, attempts: Attempts | null): boolean =>
  stored.lease._tag !== "Missing" || stored.claims.length > 0 || openStartOf(stored, attempts) !== null

/** All open tasks, and one by one those that have state here and stand in no list. Known or unknown as a whole. */
const readTinytask = Effect.fn("observe.readTinytask")(function* (leased: ReadonlyArray<TaskId>) {
  const queue = yield* TaskQueue
  const read = Effect.gen(function* () {
    const tasks = yield* queue.listOpen
    const listed = new Set(tasks.filter(isOpen).map(({ id }) => id))
    const lookedUp = yield* Effect.forEach(
      leased.filter((taskId) => !listed.has(taskId)),
      (taskId) => Effect.map(queue.get(taskId), (details) => ({ taskId, task: details?.task ?? null })),
      { concurrency: lookUpsAtOnce }
    )
    return { _tag: "Read", tasks, lookedUp } satisfies TinytaskSight
  })
  const result = yield* Effect.result(read)
  return Result.isSuccess(result)
    ? result.success
    : ({ _tag: "Unread", reason: result.failure.message } satisfies TinytaskSight)
})

const recipesNamed = (desired: DesiredState, tasks: ReadonlyArray<Task>): ReadonlyArray<string> => {
  const names = new Set<string>()
  for (const { recipe } of desired.agents) if (recipe !== null) names.add(recipe)
  for (const task of tasks) if (task.tags.length > 0) for (const recipe of recipeTags(task)) names.add(recipe)
  return [...names].sort()
}

/** Everything reconcile is to know of the world. */
export const observe = Effect.fn("observe")(function* (input: ObserveInput) {
  const leases = yield* LeaseStore
  const history = yield* AttemptHistory
  const processes = yield* ProcessTable
  const launcher = yield* AgentLauncher
  const ourselves = yield* processes.ourselves
  const joined = joinByTask(yield* leases.scan, yield* history.scan)
  const evidence = yield* gatherEvidence(joined, ourselves)
  const leased = evidence.tasks.filter(({ attempts, stored }) => needsTask(stored, attempts?.attempts ?? null))
  const tinytask = yield* readTinytask(leased.map(({ stored }) => stored.taskId))
  const agents = yield* Effect.result(history.readAgents)
  const tasks = tinytask._tag === "Read" ? tinytask.tasks : []
  const recipes = yield* launcher.lookAtRecipes(recipesNamed(input.desired, tasks))
  return {
    nowMs: yield* Clock.currentTimeMillis,
    monoMs: yield* processes.monotonicMs,
    here: ourselves.here,
    tinytask,
    records: evidence.tasks.map((entry) => recordOf(entry, evidence, input.stops)),
    agents: Result.isSuccess(agents) ? agents.success.agents : [],
    paused: Result.isSuccess(agents) ? agents.success.paused : null,
    requests: input.requests,
    recipes,
    startFaults: input.startFaults,
    startsOffReason: input.startsOffReason ?? (Result.isSuccess(agents) ? null : agents.failure.message)
  } satisfies ObservedState
})
