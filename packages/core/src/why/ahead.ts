/** Who is ahead of a task in the common order, among those that start now or wait for what it waits for. */
import type { Plan, Verdict, WaitReason } from "../domain/Plan.ts"
import type { Situation } from "../domain/Situation.ts"
import { isOpen } from "../domain/Task.ts"
import type { Task } from "../domain/Task.ts"
import { blockingWeb } from "../reconcile/blocking.ts"
import { sortTasks } from "../reconcile/taskOrder.ts"
import { couldTake, namesOf } from "./couldTake.ts"
import type { Ahead } from "./WhyAnswer.ts"

const firstMax = 5

/** A task that lacks nothing but room. */
const lacksRoom = (reason: WaitReason): boolean =>
  reason._tag === "NoFreeSlot" ||
  reason._tag === "QueueLimit" ||
  reason._tag === "GlobalLimit" ||
  reason._tag === "StartBound"

const competes = (verdict: Verdict): boolean =>
  verdict._tag === "Start" || (verdict._tag === "Wait" && verdict.reasons.some(lacksRoom))

export const aheadOf = (
  task: Task,
  verdict: Verdict,
  plan: Pick<Plan, "verdicts">,
  { desired, observed }: Situation
): Ahead => {
  if (observed.tinytask._tag === "Unread" || task.status !== "idle") return { count: 0, first: [] }
  const waitsForAll =
    verdict._tag === "Wait" && verdict.reasons.some(({ _tag }) => _tag === "GlobalLimit" || _tag === "StartBound")
  const own = namesOf(couldTake(task, desired))
  const shares = (other: Task): boolean =>
    waitsForAll ||
    (task.queue !== null && other.queue === task.queue) ||
    couldTake(other, desired).some(({ name }) => own.has(name))
  const tasks = observed.tinytask.tasks.filter(isOpen)
  const competing = new Set<number>(plan.verdicts.filter(competes).map(({ taskId }) => taskId))
  const contenders = tasks.filter((other) => other.id === task.id || (competing.has(other.id) && shares(other)))
  const order = sortTasks(contenders, blockingWeb(tasks), desired.policy).map(({ id }) => id)
  const ahead = order.slice(0, order.indexOf(task.id))
  return { count: ahead.length, first: ahead.slice(0, firstMax) }
}
