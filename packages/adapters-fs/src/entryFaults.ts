/** What is wrong within a field of an entry: which item, which variable, which placeholder, and what it is instead. */
import * as Schema from "effect/Schema"
import { placeholders, unknownPlaceholders } from "@tinyscheduler/core/domain/AgentLaunch"
import { QueueName } from "@tinyscheduler/core/domain/identifiers"
import { isRecord } from "./jsonFile.ts"
import { oneLine, quoted } from "./oneLine.ts"

// oxlint-disable-next-line no-control-regex -- the character that no argument can carry is what is refused
const noNull = Schema.isPattern(/^[^\u0000]*$/, { message: "holds a null character" })

/** What an argument or a variable can carry. */
export const Text = Schema.String.check(noNull)

const isText = Schema.is(Text)
const isQueueName = Schema.is(QueueName)

/** Checked by hand: a schema of records passes over keys that don't fit. */
const envName = /^(?!__proto__$)[A-Za-z_][A-Za-z0-9_]{0,255}$/

/** What kind of value it is, without the value. */
export const kindOf = (value: unknown): string => {
  if (value === null) return "null"
  if (Array.isArray(value)) return value.length === 0 ? "an empty list" : "a list"
  if (typeof value === "object") return "an object"
  return typeof value === "string" ? "a text" : `a ${typeof value}`
}

/** What a value is, in words short enough for a line. */
export const describe = (value: unknown): string => {
  if (typeof value === "string") return quoted(value)
  return typeof value === "number" || typeof value === "boolean" ? oneLine(String(value), 40) : kindOf(value)
}

const unsayable = (value: unknown): string =>
  typeof value === "string" ? "a text with a null character" : kindOf(value)

/** Why a field that is a list is refused, where one of its items is to blame. Arguments may be secrets: not repeated. */
export const itemFault = (name: string, value: unknown): string | null => {
  if (!Array.isArray(value) || (name !== "agentType" && name !== "command")) return null
  const items: ReadonlyArray<unknown> = value
  const index = items.findIndex((item) => !(name === "command" ? isText(item) : isQueueName(item)))
  if (index < 0) return null
  return name === "command"
    ? `item ${index + 1} of command is ${unsayable(items[index])}; expected a text`
    : `item ${index + 1} of agentType is ${describe(items[index])}; expected a queue name (1 to 128 characters, no control characters)`
}

/** Every variable by itself; of a value only its kind is told. */
export const envFaults = (value: unknown): ReadonlyArray<string> =>
  isRecord(value)
    ? Object.entries(value).flatMap(([name, text]) => [
        ...(envName.test(name)
          ? []
          : [`env names the variable ${quoted(name)}; expected letters, digits and _, not beginning with a digit`]),
        ...(isText(text) ? [] : [`env.${oneLine(name, 60)} is ${unsayable(text)}; expected a text`])
      ])
    : []

/** The placeholders in a field's texts that nobody fills in. */
export const placeholderFaults = (name: string, texts: ReadonlyArray<string>): ReadonlyArray<string> =>
  [...new Set(texts.flatMap(unknownPlaceholders))].map(
    (unknown) =>
      `${name} names the placeholder {{${oneLine(unknown, 40)}}}, which is not known; known are ${placeholders.join(", ")}`
  )
