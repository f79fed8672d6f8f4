/** Of what a pass would do, the tasks about which somebody has to be asked first, as the settings want it. */
import type { ObservedState } from "@tinyscheduler/core/domain/ObservedState"
import type { Plan } from "@tinyscheduler/core/domain/Plan"
import { withheldOf } from "@tinyscheduler/core/pass/approval"
import { actionTaskId } from "@tinyscheduler/core/reconcile/actionTaskId"
import type { Configuration } from "../settings/Configuration.ts"

/** What somebody does who says yes. */
export const approvalHint = "tinyscheduler plan -o FILE, then tinyscheduler apply FILE"

export const awaitingApproval = (
  { settings }: Configuration,
  observed: ObservedState,
  made: Plan
): ReadonlyArray<number> => [...new Set(withheldOf(settings.requireApproval, observed, made).map(actionTaskId))]
