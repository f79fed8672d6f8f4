/**
 * Who starves: a task that was ready, lacked only a slot, and waited for it far longer than others did. Ready means that
 * its reasons to wait are limits alone; blocked, paused or failed tasks wait for something else than their turn.
 */
import type { TaskId } from "../domain/identifiers.ts"
import type { WaitReason } from "../domain/Plan.ts"
import { quantile } from "./DurationModel.ts"
import type { Step } from "./rollForward.ts"

/** Longer than so many times the median of all waits is starving. */
export const starvedTimes = 4

/** Of fewer waits than this there is no usual one. */
const waitsMin = 5

/** A task that waits for its turn much longer than others do. Milliseconds. */
export interface StarvedTask {
  readonly taskId: TaskId
  readonly waitMs: number
  readonly medianMs: number
}

const isLimit = ({ _tag }: WaitReason): boolean =>
  _tag === "NoFreeSlot" || _tag === "QueueLimit" || _tag === "GlobalLimit" || _tag === "StartBound"

export interface Waits {
  readonly see: (step: Pick<Step, "plan" | "begun">) => void
  /** The starved ones, who waited longest first. Only what started counts: of what never does, its reasons tell. */
  readonly starving: () => ReadonlyArray<StarvedTask>
}

/** Watches who waits for a slot, step by step. */
export const makeWaits = (): Waits => {
  const readySince = new Map<TaskId, number>()
  const waits = new Map<TaskId, number>()
  return {
    see: ({ begun, plan }) => {
      for (const verdict of plan.verdicts) {
        if (verdict._tag !== "Wait") continue
        if (!verdict.reasons.every(isLimit)) readySince.delete(verdict.taskId)
        else if (!readySince.has(verdict.taskId)) readySince.set(verdict.taskId, plan.nowMs)
      }
      for (const { found, startMs, taskId } of begun) {
        if (!found) waits.set(taskId, startMs - (readySince.get(taskId) ?? startMs))
        readySince.delete(taskId)
      }
    },
    starving: () => {
      const waited = [...waits].filter(([, waitMs]) => waitMs > 0)
      if (waited.length < waitsMin) return []
      const medianMs = quantile(
        waited.map(([, waitMs]) => waitMs).sort((left, right) => left - right),
        0.5
      )
      return waited
        .filter(([, waitMs]) => waitMs > starvedTimes * medianMs)
        .map(([taskId, waitMs]) => ({ taskId, waitMs, medianMs }))
        .sort((left, right) => right.waitMs - left.waitMs || left.taskId - right.taskId)
    }
  }
}
