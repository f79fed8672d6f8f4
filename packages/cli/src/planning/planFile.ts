/** The plan file: what a plan rests on and what it would do, kept until somebody says yes. */
import { makeDecoder, readJson } from "@tinyscheduler/adapters-fs/jsonFile"
import type { ObservedState } from "@tinyscheduler/core/domain/ObservedState"
import type { DesiredState } from "@tinyscheduler/core/domain/DesiredState"
import type { Plan } from "@tinyscheduler/core/domain/Plan"
import { PlanSubject } from "@tinyscheduler/core/domain/PlanSubject"
import { preconditionOf, preconditionSubjectOf } from "@tinyscheduler/core/reconcile/precondition"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"

/** The largest plan file that is read, in bytes: some hundred thousand verdicts. */
const maxBytes = 64 * 1024 * 1024

const PlanFile = Schema.Struct({
  version: Schema.Literal(1),
  kind: Schema.Literal("tinyscheduler-plan"),
  precondition: Schema.String.check(Schema.isPattern(/^[0-9a-f]{64}$/, { message: "a SHA-256 in hexadecimal" })),
  subject: PlanSubject
})
export type PlanFile = typeof PlanFile.Type

const decode = makeDecoder(PlanFile)

export const planFileText = (observed: ObservedState, desired: DesiredState, plan: Plan): string => {
  const file: PlanFile = {
    version: 1,
    kind: "tinyscheduler-plan",
    precondition: plan.precondition,
    subject: preconditionSubjectOf(observed, desired, plan)
  }
  // The plan itself is for people and programs that look at it: applying reads no word of it.
  return `${JSON.stringify({ ...file, plan }, null, 2)}\n`
}

/** Reads a plan file that somebody names: no link, of bounded size, and the one that was written. */
export const readPlanFile = (path: string): Result.Result<PlanFile, string> => {
  const json = readJson(path, { maxBytes, trust: "state" })
  if (json._tag === "Missing") return Result.fail(`there is no plan file ${path}: tinyscheduler plan -o writes one`)
  if (json._tag === "Problem") return Result.fail(`${path} ${json.problem}: it is no plan that can be applied`)
  const decoded = decode(json.value)
  if (!decoded.ok) return Result.fail(`${path} is no plan file of this version: ${decoded.problem}`)
  return preconditionOf(decoded.value.subject) === decoded.value.precondition
    ? Result.succeed(decoded.value)
    : Result.fail(`${path} was changed after it was written: its hash is not that of what it says`)
}
