/** Which rule judged the attempt of a task: the very rules of the decision are asked. */
import type { Situation } from "../domain/Situation.ts"
import { isOpen } from "../domain/Task.ts"
import type { TaskRecord } from "../domain/TaskRecord.ts"
import { attemptView } from "../reconcile/attemptView.ts"
import { attemptRuleOf } from "../reconcile/judgeAttempt.ts"
import { countSubtasks, taskSights } from "../reconcile/taskSights.ts"

/** Null when the record is about no attempt. */
export const judgingRule = (record: TaskRecord, { desired, observed }: Situation): string | null => {
  const view = attemptView(record)
  if (view._tag !== "Attempt") return null
  const tasks = observed.tinytask._tag === "Read" ? observed.tinytask.tasks.filter(isOpen) : []
  return attemptRuleOf({
    view,
    record,
    sight: taskSights(observed, desired.endpoint, tasks, countSubtasks(tasks))(record),
    agent: desired.agents.find(({ name }) => name === view.reference.agent),
    fault: observed.startFaults.find(({ token }) => token === view.reference.token) ?? null,
    observed,
    desired
  })
}
