/** Step 3, tasks: why an open task can't start whatever slots are free. Capacity is another step's. */
import type { Attempts } from "../domain/Attempts.ts"
import type { DesiredState } from "../domain/DesiredState.ts"
import type { WaitReason } from "../domain/Plan.ts"
import type { Task } from "../domain/Task.ts"
import type { BlockingWeb } from "./blocking.ts"
import { backoffUntilMs } from "./backoff.ts"

/** The recipes that a task's own tags name: `recipe:<file>`. */
export const recipeTags = (task: Task): ReadonlyArray<string> =>
  task.tags.length === 0 ? none : recipesAmong(task.tags)

const none: ReadonlyArray<string> = []

const recipesAmong = (tags: Task["tags"]): ReadonlyArray<string> =>
  [...new Set(tags.filter((tag) => tag.startsWith("recipe:")).map((tag) => tag.slice("recipe:".length).trim()))]
    .filter((recipe) => recipe !== "")
    .sort()

/** What is remembered of a task counts only for the task it was remembered of: a server whose ids began anew has others. */
export const attemptsOfTask = (attempts: Attempts | null, task: Task): Attempts | null =>
  attempts !== null && attempts.taskCreatedAt === task.createdAt ? attempts : null

export const taskReasons = (
  task: Task,
  context: {
    readonly attempts: Attempts | null
    readonly openSubtasks: number
    readonly web: BlockingWeb
    readonly desired: DesiredState
    readonly nowMs: number
  }
): ReadonlyArray<WaitReason> => {
  const { desired, nowMs, openSubtasks, web } = context
  const { policy } = desired
  const reasons: Array<WaitReason> = []
  if (openSubtasks > 0 && policy.parents === "wait") reasons.push({ _tag: "OpenSubtasks", count: openSubtasks })
  if (task.blocked && !policy.disableBlocking) {
    const found = web.rootOf(task)
    reasons.push(
      found._tag === "Cycle" && task.blockedBy !== null && found.cycle.includes(task.id)
        ? { _tag: "BlockingCycle", cycle: found.cycle }
        : {
            _tag: "Blocked",
            by: task.blockedBy ?? task.id,
            root: found._tag === "Cycle" ? (found.cycle[0] ?? task.id) : found.root
          }
    )
  }
  const attempts = attemptsOfTask(context.attempts, task)
  if (attempts !== null && attempts.parked !== null) {
    reasons.push({ _tag: "Parked", outcome: attempts.parked.outcome, count: attempts.parked.count })
  }
  const untilMs = backoffUntilMs(attempts?.notBefore ?? null, nowMs, policy)
  if (untilMs !== null) reasons.push({ _tag: "Backoff", untilMs })
  const recipes = recipeTags(task)
  if (recipes.length > 1) reasons.push({ _tag: "AmbiguousRecipe", recipes })
  return reasons
}
