/** `NAME=VALUE` of a what-if, as `--set` takes it: which names there are, and the supposition that each makes. */
import { Policy } from "@tinyscheduler/core/domain/DesiredState"
import type { DesiredState } from "@tinyscheduler/core/domain/DesiredState"
import type { Supposition } from "@tinyscheduler/core/whatIf/Supposition"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Struct from "effect/Struct"
import { escapeShort } from "../output/escape.ts"
import { nameHint } from "./nameHint.ts"

/** A supposition, or what was expected in the value's place. */
type Made = Result.Result<Supposition, string>

const wholeNumber = (text: string): Result.Result<number, string> =>
  /^[0-9]{1,5}$/.test(text) && Number(text) <= 10_000
    ? Result.succeed(Number(text))
    : Result.fail("a whole number from 0 to 10000")

const limitOf = (text: string): Result.Result<number | null, string> =>
  text === "unlimited"
    ? Result.succeed(null)
    : Result.mapError(wholeNumber(text), (expected) => `${expected}, or unlimited`)

const truthOf = (text: string): Result.Result<boolean, string> =>
  text === "true" || text === "false" ? Result.succeed(text === "true") : Result.fail("true or false")

const PartialPolicy = Policy.mapFields(Struct.map(Schema.optionalKey))
const decodePolicy = Schema.decodeUnknownResult(PartialPolicy)

const policyOf = (field: string, text: string): Made => {
  const value = /^[0-9]{1,9}$/.test(text) ? Number(text) : Result.getOrElse(truthOf(text), () => text)
  const decoded = decodePolicy({ [field]: value })
  return Result.isSuccess(decoded)
    ? Result.succeed({ _tag: "Policy", policy: decoded.success })
    : Result.fail("one of its values, as in docs/configuration.md")
}

/** Every name that may be set, with what makes its supposition. */
const settable = (desired: DesiredState): ReadonlyMap<string, (value: string) => Made> => {
  const names = new Map<string, (value: string) => Made>()
  for (const { name: agent } of desired.agents) {
    names.set(`agent.${agent}.slots`, (text) =>
      Result.map(wholeNumber(text), (slots): Supposition => ({ _tag: "AgentSlots", agent, slots }))
    )
    names.set(`agent.${agent}.enabled`, (text) =>
      Result.map(truthOf(text), (enabled): Supposition => ({ _tag: "AgentEnabled", agent, enabled }))
    )
  }
  const queues = [...desired.agents.flatMap((agent) => agent.queues), ...desired.queueLimits.map(({ queue }) => queue)]
  for (const queue of queues) {
    names.set(`queue.${queue}.limit`, (text) =>
      Result.map(limitOf(text), (limit): Supposition => ({ _tag: "QueueLimit", queue, limit }))
    )
  }
  names.set("maxConcurrent", (text) =>
    Result.map(limitOf(text), (limit): Supposition => ({ _tag: "MaxConcurrent", limit }))
  )
  for (const field of Object.keys(Policy.fields)) names.set(`policy.${field}`, (text) => policyOf(field, text))
  return names
}

/** Where a setting was typed: the flag, and which words it knows beside the names of settings. */
export interface SettingPlace {
  readonly flag: string
  readonly alsoKnown: ReadonlyArray<string>
}

export const setFlag: SettingPlace = { flag: "--set", alsoKnown: [] }

/** The failure is a sentence for whoever typed it. */
export const parseSetting = (typed: string, desired: DesiredState, { alsoKnown, flag }: SettingPlace): Made => {
  const at = typed.indexOf("=")
  const name = at < 0 ? typed : typed.slice(0, at)
  const names = settable(desired)
  const make = names.get(name)
  if (make === undefined) {
    return Result.fail(
      `${flag} knows no "${escapeShort(name, 80)}": ${nameHint(name, [...alsoKnown, ...names.keys()])}`
    )
  }
  const value = at < 0 ? "" : typed.slice(at + 1)
  return Result.mapError(
    make(value),
    (expected) => `${flag} ${escapeShort(name, 80)} is "${escapeShort(value, 80)}", expected ${expected}`
  )
}
