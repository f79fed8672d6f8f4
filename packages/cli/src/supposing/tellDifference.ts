/** How the plan would differ if something were otherwise, in lines or as JSON. */
import type { ObservedState } from "@tinyscheduler/core/domain/ObservedState"
import type { Plan } from "@tinyscheduler/core/domain/Plan"
import { reconcile } from "@tinyscheduler/core/reconcile/reconcile"
import { planDifference } from "@tinyscheduler/core/whatIf/planDifference"
import { suppose } from "@tinyscheduler/core/whatIf/suppose"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { differenceText } from "../output/differenceText.ts"
import { print, printJson } from "../output/print.ts"
import type { Configuration } from "../settings/Configuration.ts"
import { ConfigurationError } from "../settings/ConfigurationError.ts"
import { suppositionsOf } from "./suppositions.ts"
import type { WhatIf } from "./suppositions.ts"

/** Prints the difference from today's plan; answers whether there is any. */
export const tellDifference = Effect.fn("plan.tellDifference")(function* (
  typed: WhatIf,
  { desired }: Configuration,
  today: { readonly observed: ObservedState; readonly plan: Plan },
  json: boolean
) {
  const situation = { observed: today.observed, desired }
  const suppositions = suppositionsOf(typed, situation)
  if (Result.isFailure(suppositions)) return yield* new ConfigurationError({ faults: suppositions.failure })
  const supposed = suppose(situation, suppositions.success)
  const made = reconcile(supposed.observed, supposed.desired)
  const differences = planDifference(today.plan, made)
  yield* json
    ? printJson({ version: 1, suppositions: suppositions.success, differences, plan: made })
    : print(differences.length === 0 ? "the plan would be the same" : differences.map(differenceText).join("\n"))
  return differences.length > 0
})
