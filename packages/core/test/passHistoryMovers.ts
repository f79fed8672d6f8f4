/**
 * Every task that is not complete has a named next mover: a verdict, and whatever that waits for is true in the world. Asked
 * right when a plan stands and nothing has happened since its observation; written without a look at how verdicts are made.
 */
import type { DesiredState } from "../src/domain/DesiredState.ts"
import type { TaskId } from "../src/domain/identifiers.ts"
import type { Plan, Verdict, WaitReason } from "../src/domain/Plan.ts"
import { millisOf } from "../src/domain/time.ts"
import type { World } from "../src/simulation/api.ts"

interface Scene {
  readonly world: World
  readonly desired: DesiredState
  readonly plan: Plan
}

/** A start that was written down and has no ending yet. */
const hasOpenStart = ({ files }: World, id: TaskId): boolean => {
  const attempts = files.attempts.get(id)
  const last = attempts?.last ?? null
  return last !== null && attempts?.outcomes.every(({ epoch }) => epoch !== last.epoch) === true
}

/** Whether files say that an attempt at this task is under way. */
export const isUnderWay = (world: World, id: TaskId): boolean =>
  world.files.leases.has(id) || world.files.claims.of(id).length > 0 || hasOpenStart(world, id)

const heldBy = (world: World): ReadonlyArray<{ readonly agent: string | null; readonly queue: string | null }> => {
  const { files } = world
  const ids = new Set<TaskId>([...files.taskIds(), ...files.attempts.keys()])
  return [...ids]
    .filter((id) => isUnderWay(world, id))
    .map((id) => {
      const stored = files.leases.get(id)
      const last = files.attempts.get(id)?.last ?? null
      if (stored?._tag === "Legacy") return { agent: stored.lease.agentName, queue: null }
      const lease = stored?._tag === "Read" ? stored.lease : null
      const [epoch, claim] = files.claims.of(id).at(-1) ?? [0, null]
      // The claim of a later epoch says more than a lease that came back.
      return lease === null || lease.epoch < epoch
        ? { agent: claim?.agentName ?? last?.agentName ?? null, queue: last?.queue ?? null }
        : { agent: lease.agentName, queue: lease.queue }
    })
}

/** How many slots are taken once the plan's starts are made; what it can't be told of takes a slot of anybody's. */
const usedOf = (
  { plan, world }: Scene,
  isMeant: (hold: { readonly agent: string | null; readonly queue: string | null }) => boolean
): number =>
  [...heldBy(world), ...plan.actions.filter((action) => action._tag === "Start")].filter(
    (hold) => hold.agent === null || isMeant(hold)
  ).length

const isTrue = (reason: WaitReason, id: TaskId, scene: Scene): boolean => {
  const { desired, world } = scene
  const { files, machine, tinytask } = world
  const task = tinytask.read(id)
  const attempts = files.attempts.get(id)
  const isIncomplete = (other: TaskId) => (tinytask.read(other)?.status ?? "complete") !== "complete"
  const recordOf = (name: string) => files.agents.find(({ agentName }) => agentName === name)
  switch (reason._tag) {
    case "NoFreeSlot":
      return desired.agents
        .filter(({ name, queues }) =>
          (task?.assignee ?? null) === null ? queues.some((queue) => queue === task?.queue) : name === task?.assignee
        )
        .every(({ name, slots }) => {
          const record = recordOf(name)
          const isAway = record !== undefined && (record.pausedBy !== null || record.setAsideUntil !== null)
          return isAway || usedOf(scene, ({ agent }) => agent === name) >= slots
        })
    case "QueueLimit":
      return usedOf(scene, ({ queue }) => queue === reason.queue) >= reason.limit
    case "GlobalLimit":
      return usedOf(scene, () => true) >= reason.limit
    case "Blocked":
      return task?.blockedBy === reason.by && isIncomplete(reason.by) && isIncomplete(reason.root)
    case "BlockingCycle":
      return reason.cycle.every(isIncomplete)
    case "Backoff":
      return (
        attempts?.notBefore !== null &&
        attempts !== undefined &&
        millisOf(attempts.notBefore) === reason.untilMs &&
        reason.untilMs > machine.nowMs &&
        reason.untilMs - machine.nowMs <= desired.policy.backoffMaxSec * 1000
      )
    case "Parked":
      return attempts !== undefined && attempts.parked !== null
    case "AgentPaused":
      return recordOf(reason.agent)?.pausedBy === reason.by
    case "AgentSetAside":
      return reason.untilMs > machine.nowMs && (recordOf(reason.agent)?.setAsideUntil ?? null) !== null
    case "NoAgentServesQueue":
      return desired.agents.every(({ queues }) => queues.every((queue) => queue !== reason.queue))
    case "AgentUnknown":
      return task?.assignee === reason.agent && desired.agents.every(({ name }) => name !== reason.agent)
    case "AgentServesOtherQueue":
      return desired.agents.some(
        ({ name, queues }) => name === reason.agent && queues.every((queue) => queue !== task?.queue)
      )
    case "OpenSubtasks":
      return tinytask.open().filter(({ parent }) => parent === id).length === reason.count
    case "LeaseUnreadable":
      return files.leases.get(id)?._tag === "Unreadable" || files.claims.of(id).some(([, claim]) => claim === null)
    case "AttemptsUnreadable":
      return files.attemptsProblems.has(id)
    case "EarlierAttempt":
      return (
        reason.liveness === "unknown" ||
        // Its claims go in this very plan.
        (reason.liveness === "dead" &&
          scene.plan.actions.some((action) => action._tag === "Sweep" && action.taskId === id)) ||
        [...machine.processes.values()].some(({ attempt, state }) => attempt?.taskId === id && state !== "Z")
      )
    case "StartsOff":
      return desired.policy.starts === reason.policy || reason.reason !== null
    case "TinytaskUnread":
      return tinytask.down !== null
    case "StartBound":
      return scene.plan.actions.filter(({ _tag }) => _tag === "Start").length >= reason.bound
    // Nothing of this is drawn in a history: who names it is wrong.
    case "AgentDisabled":
    case "NoQueue":
    case "NobodyAssigned":
    case "RecipeMissing":
    case "RecipeOutside":
    case "AmbiguousRecipe":
      return false
  }
}

const isMoving = (verdict: Verdict, scene: Scene): boolean => {
  const { taskId } = verdict
  switch (verdict._tag) {
    case "Wait":
      return verdict.reasons.length > 0 && verdict.reasons.every((reason) => isTrue(reason, taskId, scene))
    case "Running":
    case "Stop":
    case "Finish":
    case "Reclaim":
      return isUnderWay(scene.world, taskId)
    case "Start":
      // Claims of attempts that have ended may be swept in the same plan.
      return !scene.world.files.leases.has(taskId) && !hasOpenStart(scene.world, taskId)
    case "Ignore":
      return scene.world.tinytask.read(taskId)?.status === "working" && !isUnderWay(scene.world, taskId)
  }
}

/** Open tasks that nobody moves, and verdicts that say what is not so. */
export const idleTasks = (scene: Scene): ReadonlyArray<string> => {
  const { plan, world } = scene
  const judged = new Set<TaskId>(plan.verdicts.map(({ taskId }) => taskId))
  const unnamed = plan.tinytask._tag === "Read" ? world.tinytask.open().filter(({ id }) => !judged.has(id)) : []
  return [
    ...unnamed.map(({ id }) => `[next mover] task ${id} has no verdict`),
    ...plan.verdicts
      .filter((verdict) => !isMoving(verdict, scene))
      .map((verdict) => `[next mover] this is not so: ${JSON.stringify(verdict)}`)
  ]
}
