/** What blocks a task: the chain up to the one that nothing blocks, with each one's verdict, or the cycle it ends in. */
import type { TaskId } from "../domain/identifiers.ts"
import type { Verdict } from "../domain/Plan.ts"
import type { Task } from "../domain/Task.ts"
import { blockerOf, blockingWeb } from "../reconcile/blocking.ts"
import type { Blockers } from "./WhyAnswer.ts"

export const blockersOf = (
  task: Task,
  tasks: ReadonlyArray<Task>,
  verdicts: ReadonlyMap<TaskId, Verdict>
): Blockers => {
  if (blockerOf(task) === null) return { chain: [], cycle: null }
  const byId = new Map(tasks.map((other) => [other.id, other] as const))
  const chain = new Set<TaskId>()
  let at: Task | undefined = task
  while (at !== undefined) {
    const blocker = blockerOf(at)
    if (blocker === null || chain.has(blocker)) break
    chain.add(blocker)
    at = byId.get(blocker)
  }
  const root = blockingWeb(tasks).rootOf(task)
  return {
    chain: [...chain].map((taskId) => ({ taskId, verdict: verdicts.get(taskId) ?? null })),
    cycle: root._tag === "Cycle" ? root.cycle : null
  }
}
