/**
 * Why a task runs, waits, or is left alone: put together from what the decision said and from what it says once more
 * under one change. Decides nothing. Pure: a live look, a recorded pass and an invented world are answered alike.
 */
import type { TaskId } from "../domain/identifiers.ts"
import type { Plan } from "../domain/Plan.ts"
import type { Situation } from "../domain/Situation.ts"
import { isOpen } from "../domain/Task.ts"
import type { Task } from "../domain/Task.ts"
import { attemptsOfTask } from "../reconcile/taskReasons.ts"
import { aheadOf } from "./ahead.ts"
import { attemptsSoFar } from "./attemptsSoFar.ts"
import { blockersOf } from "./blockers.ts"
import { byItself } from "./byItself.ts"
import { counterfactual, triesMaxDefault } from "./counterfactual.ts"
import { judgingRule } from "./judgingRule.ts"
import type { NotOpen, WhyAnswer } from "./WhyAnswer.ts"

/** How far `why` goes. */
export interface WhyOptions {
  /** How many changes are tried at most before it is said that none was found. */
  readonly triesMax?: number
}

/** The answer about one task; `plan` is the plan of the situation. */
export const why = (situation: Situation, plan: Plan, taskId: TaskId, options: WhyOptions = {}): WhyAnswer => {
  const { tinytask } = situation.observed
  const tasks = tinytask._tag === "Read" ? tinytask.tasks.filter(isOpen) : []
  const task = tasks.find(({ id }) => id === taskId)
  const record = situation.observed.records.find((entry) => entry.taskId === taskId)
  const remembered = record?.attempts ?? null
  const attempts = attemptsSoFar(task === undefined ? remembered : attemptsOfTask(remembered, task))
  const verdicts = new Map(plan.verdicts.map((verdict) => [verdict.taskId, verdict] as const))
  const verdict = verdicts.get(taskId)
  if (verdict === undefined) return { _tag: "NotJudged", taskId, where: whereIs(situation, taskId), attempts }
  const reasons = verdict._tag === "Wait" ? verdict.reasons : []
  return {
    _tag: "Judged",
    taskId,
    title: task?.title ?? lookedUp(situation, taskId)?.title ?? null,
    verdict,
    reasons,
    rule: record === undefined ? null : judgingRule(record, situation),
    ahead: task === undefined ? { count: 0, first: [] } : aheadOf(task, verdict, plan, situation),
    blockers: task === undefined ? { chain: [], cycle: null } : blockersOf(task, tasks, verdicts),
    byItself: byItself(reasons, plan, situation),
    attempts,
    counterfactual:
      verdict._tag !== "Wait"
        ? { _tag: "NotSought" }
        : task === undefined
          ? { _tag: "None", tried: [], bounded: false }
          : counterfactual(task, reasons, plan, situation, options.triesMax ?? triesMaxDefault)
  }
}

/** Undefined = it was not looked up; null = there is none. */
const lookedUp = ({ observed }: Situation, taskId: TaskId): Task | null | undefined =>
  observed.tinytask._tag === "Read"
    ? observed.tinytask.lookedUp.find((entry) => entry.taskId === taskId)?.task
    : undefined

const whereIs = (situation: Situation, taskId: TaskId): NotOpen => {
  const { tinytask } = situation.observed
  if (tinytask._tag === "Unread") return "Tinytask unread"
  const task = tinytask.tasks.find(({ id }) => id === taskId) ?? lookedUp(situation, taskId)
  if (task === undefined) return "not listed"
  return task === null ? "gone" : task.status === "complete" ? "complete" : "archived"
}
