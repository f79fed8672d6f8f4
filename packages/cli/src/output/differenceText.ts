/** What two plans say of one task, in one line. */
import { describeVerdict } from "@tinyscheduler/core/reconcile/describe"
import type { VerdictDifference } from "@tinyscheduler/core/whatIf/planDifference"
import { escapeText } from "./escape.ts"

export const differenceText = ({ after, before, taskId }: VerdictDifference): string =>
  escapeText(
    `task ${taskId}: ${before === null ? "not there" : describeVerdict(before)} -> ${after === null ? "not there" : describeVerdict(after)}`
  )
