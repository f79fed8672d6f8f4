/** What an ending changes in Tinytask: only fields that still hold our values. */
import type { AgentName } from "../domain/identifiers.ts"
import { outcomeRules } from "../domain/Outcome.ts"
import type { Outcome } from "../domain/Outcome.ts"
import type { Task, TaskPrior } from "../domain/Task.ts"

/** The change, or null for none. */
export const taskChangeOf = (
  outcome: Outcome,
  task: Task | null,
  ours: {
    readonly agent: AgentName
    readonly queue: string | null
    readonly prior: TaskPrior
    readonly taskCreatedAt: string | null
  }
): { readonly status?: Task["status"]; readonly assignee?: string | null } | null => {
  if (task === null || task.archived || task.status === "complete") return null
  if (ours.taskCreatedAt !== null && task.createdAt !== ours.taskCreatedAt) return null
  if (task.assignee !== ours.agent) return null
  const { task: fate } = outcomeRules[outcome]
  if (fate === "complete") return { status: "complete" }
  if (fate === "leave") return null
  const status = task.status === "working" && ours.prior.status !== "working" ? { status: ours.prior.status } : {}
  const assignee = ours.prior.assignee === ours.agent ? {} : { assignee: ours.prior.assignee }
  const change = { ...status, ...assignee }
  return Object.keys(change).length === 0 ? null : change
}
