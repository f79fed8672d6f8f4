/** A plan in lines: the five steps, each decision with its reason. */
import type { ObservedState } from "@tinyscheduler/core/domain/ObservedState"
import type { Plan } from "@tinyscheduler/core/domain/Plan"
import { narrate } from "@tinyscheduler/core/pass/narrate"
import { escapeText } from "./escape.ts"

export const planText = (observed: ObservedState, plan: Plan): string =>
  narrate(plan, observed.records)
    .map(({ step, text }) => `${step} ${escapeText(text)}`)
    .join("\n")
