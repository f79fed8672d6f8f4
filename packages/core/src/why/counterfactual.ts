/** The smallest single change under which a waiting task would start now: found by deciding again under each, nothing else. */
import type { TaskId } from "../domain/identifiers.ts"
import type { Plan, WaitReason } from "../domain/Plan.ts"
import type { Situation } from "../domain/Situation.ts"
import type { Task } from "../domain/Task.ts"
import { reconcile } from "../reconcile/reconcile.ts"
import { suppose } from "../whatIf/suppose.ts"
import { changesFor } from "./changes.ts"
import { changeWords, kindOf } from "./changeWords.ts"
import { changeKinds } from "./WhyAnswer.ts"
import type { Change, ChangeKind, Counterfactual } from "./WhyAnswer.ts"

/** Each try costs a plan. */
export const triesMaxDefault = 200

const alternativesMax = 2

/** Whether the task would start now under this one change. */
export const startsUnder = (situation: Situation, taskId: TaskId, change: Change): boolean => {
  const { desired, observed } = suppose(situation, [change])
  return reconcile(observed, desired).verdicts.some((verdict) => verdict._tag === "Start" && verdict.taskId === taskId)
}

export const counterfactual = (
  task: Task,
  reasons: ReadonlyArray<WaitReason>,
  plan: Plan,
  situation: Situation,
  triesMax: number
): Counterfactual => {
  const tried = new Set<ChangeKind>()
  const found: Array<Change> = []
  let tries = 0
  let bounded = false
  for (const change of changesFor(task, reasons, plan, situation)) {
    const [first] = found
    // Alternatives are of one kind and stand side by side; of two times to wait for, the first is enough.
    if (first !== undefined && (kindOf(first) !== kindOf(change) || first._tag === "Later")) break
    if (found.length > alternativesMax) break
    if (tries >= triesMax) {
      bounded = true
      break
    }
    tries += 1
    tried.add(kindOf(change))
    if (startsUnder(situation, task.id, change)) found.push(change)
  }
  const [change, ...alternatives] = found
  return change === undefined
    ? { _tag: "None", tried: changeKinds.filter((kind) => tried.has(kind)), bounded }
    : {
        _tag: "Found",
        kind: kindOf(change),
        change,
        alternatives,
        words: changeWords(change, alternatives, situation)
      }
}
