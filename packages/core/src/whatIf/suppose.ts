/**
 * A situation with something about it supposed. Reconcile decides what would come of it: nothing here does. What commands
 * would do (pause, resume, retry) is done by the same lines that carry their requests out.
 */
import type { Agent, DesiredState } from "../domain/DesiredState.ts"
import { TaskId } from "../domain/identifiers.ts"
import type { ObservedState } from "../domain/ObservedState.ts"
import { RequestId } from "../domain/Request.ts"
import type { Situation } from "../domain/Situation.ts"
import { isOpen } from "../domain/Task.ts"
import type { Task } from "../domain/Task.ts"
import { timestampOf } from "../domain/time.ts"
import { afterRequests } from "../requests/afterRequests.ts"
import { latestAttempt } from "../requests/retry.ts"
import type { Request } from "../domain/Request.ts"
import { later } from "./later.ts"
import type { SupposedTask, Supposition } from "./Supposition.ts"
import { makeVirtualTasks } from "./virtualTasks.ts"

/** The situation under all suppositions, one after another; one about an agent or a task that is not there changes nothing. */
export const suppose = (situation: Situation, suppositions: ReadonlyArray<Supposition>): Situation =>
  suppositions.reduce(supposeOne, situation)

const supposeOne = (situation: Situation, supposition: Supposition): Situation => {
  const { desired, observed } = situation
  switch (supposition._tag) {
    case "AgentSlots":
      return { observed, desired: withAgent(desired, supposition.agent, { slots: supposition.slots }) }
    case "AgentEnabled":
      return { observed, desired: withAgent(desired, supposition.agent, { enabled: supposition.enabled }) }
    case "QueueLimit": {
      const { limit, queue } = supposition
      const others = desired.queueLimits.filter((entry) => entry.queue !== queue)
      return { observed, desired: { ...desired, queueLimits: limit === null ? others : [...others, { queue, limit }] } }
    }
    case "MaxConcurrent":
      return { observed, desired: { ...desired, maxConcurrent: supposition.limit } }
    case "Policy":
      return { observed, desired: { ...desired, policy: { ...desired.policy, ...supposition.policy } } }
    case "Pause":
      return asked(situation, {
        ...supposedRequest(observed),
        kind: "pause",
        agentName: supposition.agent,
        reason: null,
        until: null
      })
    case "Resume":
      return asked(situation, { ...supposedRequest(observed), kind: "resume", agentName: supposition.agent })
    case "Finish":
      return { desired, observed: finished(observed, supposition.taskId) }
    case "AddTask":
      return { desired, observed: withTasks(observed, (tasks) => [...tasks, newTask(observed, supposition.task)]) }
    case "Assign":
      return {
        desired,
        observed: withTasks(observed, (tasks) =>
          tasks.map((task) => (task.id === supposition.taskId ? { ...task, assignee: supposition.assignee } : task))
        )
      }
    case "Retry":
      return retried(situation, supposition.taskId)
    case "RecipePresent":
      return {
        desired,
        observed: {
          ...observed,
          recipes: observed.recipes.map((sight) =>
            sight.recipe === supposition.recipe ? { ...sight, state: "present" } : sight
          )
        }
      }
    case "Later":
      return later(situation, supposition.ms)
  }
}

const withAgent = (desired: DesiredState, name: string, change: Partial<Agent>): DesiredState => ({
  ...desired,
  agents: desired.agents.map((agent) => (agent.name === name ? { ...agent, ...change } : agent))
})

const withTasks = (
  observed: ObservedState,
  change: (tasks: ReadonlyArray<Task>) => ReadonlyArray<Task>
): ObservedState =>
  observed.tinytask._tag === "Unread"
    ? observed
    : { ...observed, tinytask: { ...observed.tinytask, tasks: change(observed.tinytask.tasks) } }

/** It is complete and nothing is left of its attempts; what it blocked is free, and so on as the server has it. */
const finished = (observed: ObservedState, taskId: TaskId): ObservedState => {
  const records = observed.records.filter((record) => record.taskId !== taskId)
  if (observed.tinytask._tag === "Unread") return { ...observed, records }
  const tasks = makeVirtualTasks(observed.tinytask.tasks)
  const completed = tasks.complete(taskId)
  const gone = new Set(completed.map(({ id }) => id))
  // Of what is in no list any more, only what has files here is looked up.
  const looked = completed.filter(({ id }) => records.some((record) => record.taskId === id))
  const lookedUp = [
    ...observed.tinytask.lookedUp.filter((entry) => !gone.has(entry.taskId)),
    ...looked.map((task) => ({ taskId: task.id, task }))
  ]
  return { ...observed, records, tinytask: { _tag: "Read", tasks: tasks.all(), lookedUp } }
}

const supposedId = RequestId.make("00000000-0000-4000-8000-000000000000")

const supposedRequest = ({ nowMs }: ObservedState) => ({
  version: 1 as const,
  uuid: supposedId,
  at: timestampOf(nowMs),
  by: "a supposition"
})

/** As the next pass would find it after a command had asked for this. */
const asked = ({ desired, observed }: Situation, request: Request): Situation => ({
  desired,
  observed: { ...afterRequests({ ...observed, requests: [request] }), requests: observed.requests }
})

const retried = (situation: Situation, taskId: TaskId): Situation => {
  const attempts = situation.observed.records.find((record) => record.taskId === taskId)?.attempts ?? null
  const latest = latestAttempt(attempts)
  if (latest === null) return situation
  const { epoch, token } = latest
  return asked(situation, { ...supposedRequest(situation.observed), kind: "retry", taskId, epoch, token })
}

/** A number that nothing has or names: a task that waits for one we know nothing of would otherwise wait for the new one. */
const freeTaskId = ({ records, tinytask }: ObservedState): TaskId => {
  const { lookedUp, tasks } = tinytask._tag === "Read" ? tinytask : { lookedUp: [], tasks: [] }
  const taken = new Set<number>([
    ...tasks.flatMap(({ blockedBy, id, parent }) => [id, blockedBy ?? id, parent ?? id]),
    ...lookedUp.map(({ taskId }) => taskId),
    ...records.map(({ taskId }) => taskId)
  ])
  let free = [...taken].reduce((most, id) => Math.max(most, id), 0) + 1
  if (free > Number.MAX_SAFE_INTEGER) for (free = 1; taken.has(free);) free += 1
  return TaskId.make(free)
}

const newTask = (observed: ObservedState, fields: SupposedTask): Task => {
  const tasks = observed.tinytask._tag === "Read" ? observed.tinytask.tasks : []
  const blocker = fields.blockedBy
  return {
    ...fields,
    id: freeTaskId(observed),
    // A subtask is in its parent's queue unless it says another: so the server makes one.
    queue: fields.queue ?? tasks.find(({ id }) => id === fields.parent)?.queue ?? null,
    status: "idle",
    blocked: blocker !== null && tasks.some((task) => task.id === blocker && isOpen(task)),
    createdAt: timestampOf(observed.nowMs),
    archived: false
  }
}
