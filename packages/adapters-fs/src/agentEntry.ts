/**
 * One entry of the control file: its fields as a table of schema and words. Every field is judged by itself, so that
 * all that is wrong with a file is told at once, in the words of whoever wrote it.
 */
import * as Schema from "effect/Schema"
import { SuccessPolicy, type SuccessPolicy as Success } from "@tinyscheduler/core/domain/DesiredState"
import { AgentName, QueueName, Seconds } from "@tinyscheduler/core/domain/identifiers"
import { nearestName } from "./didYouMean.ts"
import { describe, envFaults, itemFault, kindOf, placeholderFaults, Text } from "./entryFaults.ts"
import { fieldOf, isRecord, makeDecoder, type Decoded } from "./jsonFile.ts"
import { oneLine, quoted } from "./oneLine.ts"

/** What an entry says; null where it says nothing and the default holds. */
export interface AgentEntry {
  readonly name: AgentName
  /** The queues it serves, of all entries of this name. */
  readonly queues: ReadonlyArray<QueueName>
  readonly slots: number | null
  readonly recipe: string | null
  readonly command: ReadonlyArray<string> | null
  readonly prompt: string | null
  readonly cwd: string | null
  readonly env: Readonly<Record<string, string>>
  readonly success: Success | null
  readonly maxRuntimeSec: number | null
  readonly idleTimeoutSec: number | null
  readonly stopSignal: "SIGINT" | "SIGTERM" | null
  readonly stopGraceSec: number | null
  readonly isolation: "none" | "cgroup"
  readonly enabled: boolean
  readonly comment: string | null
}

/** A file's name in the recipes directory, never a path. */
const Recipe = Schema.String.check(Schema.isPattern(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}\.(?:yaml|json)$/))

const seconds = "a whole number of seconds from 0 to 31536000"

const field = <A, I>(schema: Schema.Codec<A, I>, expected: string) => ({ decode: makeDecoder(schema), expected })

const fields = {
  agentName: field(AgentName, "a name of letters, digits, _ and -, not beginning with -, at most 64 characters"),
  agentType: field(
    Schema.Union([QueueName, Schema.NonEmptyArray(QueueName)]),
    "a queue name or a list of them (1 to 128 characters, no control characters)"
  ),
  slots: field(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 10_000 })), "a whole number from 0 to 10000"),
  recipe: field(Recipe, "the name of a .yaml or .json file in the recipes directory, without slashes"),
  command: field(
    Schema.NonEmptyArray(Text).check(Schema.makeFilter((argv) => argv[0] !== "")),
    "a list of texts: a program and its arguments"
  ),
  prompt: field(Text, "a text"),
  cwd: field(Text.check(Schema.isMinLength(1)), "the path of a directory"),
  env: field(Schema.Record(Schema.String, Text), "an object of variable names and texts"),
  success: field(SuccessPolicy, '"tinytask", "exit" or "json"'),
  maxRuntimeSec: field(Seconds, seconds),
  idleTimeoutSec: field(Seconds, seconds),
  stopSignal: field(Schema.Literals(["SIGINT", "SIGTERM"]), '"SIGINT" or "SIGTERM"'),
  stopGraceSec: field(Seconds, seconds),
  isolation: field(Schema.Literals(["none", "cgroup"]), '"none" or "cgroup"'),
  enabled: field(Schema.Boolean, "true or false"),
  comment: field(Schema.String, "a text")
} as const

export interface EntryReading {
  /** Null as soon as there is a fault. */
  readonly entry: AgentEntry | null
  readonly faults: ReadonlyArray<string>
  readonly warnings: ReadonlyArray<string>
}

/** Misspelt fields, names that are the scheduler's, and a prompt that reaches nobody. */
const warningsOf = (record: Readonly<Record<string, unknown>>, entry: Omit<AgentEntry, "name" | "queues">) => [
  ...Object.keys(record)
    .filter((key) => !Object.hasOwn(fields, key))
    .map((key) => {
      const near = nearestName(key, Object.keys(fields))
      return `${quoted(key)} is not a known field and is ignored${near === null ? "" : `; did you mean ${near}?`}`
    }),
  ...Object.keys(entry.env)
    .filter((key) => key.startsWith("TINYSCHEDULER_"))
    .map((key) => `env sets ${oneLine(key, 60)}, a name that belongs to the scheduler`),
  ...(entry.prompt === null || entry.command?.some((argument) => argument.includes("{{promptFile}}")) === true
    ? []
    : [
        `prompt reaches nobody: ${entry.command === null ? "Goose takes its recipe's" : "no argument of command names {{promptFile}}"}`
      ])
]

/** Reads one entry; each fault and warning begins with the field's name. */
export const readAgentEntry = (record: Readonly<Record<string, unknown>>): EntryReading => {
  const faults: Array<string> = []
  const get = <A>(
    name: keyof typeof fields,
    rule: { readonly decode: (value: unknown) => Decoded<A>; readonly expected: string }
  ): A | null => {
    const value = fieldOf(record, name)
    if (value === undefined) return null
    const decoded = rule.decode(value)
    if (decoded.ok) return decoded.value
    // What is wrong within an object of variables is told below, variable by variable.
    if (name !== "env" || !isRecord(value)) {
      const found = name === "env" ? kindOf(value) : describe(value)
      faults.push(itemFault(name, value) ?? `${name} is ${found}; expected ${rule.expected}`)
    }
    return null
  }
  for (const name of ["agentName", "agentType"] as const) {
    if (!Object.hasOwn(record, name)) faults.push(`${name} is missing; expected ${fields[name].expected}`)
  }
  const name = get("agentName", fields.agentName)
  const agentType = get("agentType", fields.agentType)
  const command = get("command", fields.command)
  const prompt = get("prompt", fields.prompt)
  const settings = {
    slots: get("slots", fields.slots),
    recipe: get("recipe", fields.recipe),
    command,
    prompt,
    cwd: get("cwd", fields.cwd),
    env: get("env", fields.env) ?? {},
    success: get("success", fields.success),
    maxRuntimeSec: get("maxRuntimeSec", fields.maxRuntimeSec),
    idleTimeoutSec: get("idleTimeoutSec", fields.idleTimeoutSec),
    stopSignal: get("stopSignal", fields.stopSignal),
    stopGraceSec: get("stopGraceSec", fields.stopGraceSec),
    isolation: get("isolation", fields.isolation) ?? ("none" as const),
    enabled: get("enabled", fields.enabled) ?? true,
    comment: get("comment", fields.comment)
  }
  faults.push(...envFaults(fieldOf(record, "env")))
  faults.push(...placeholderFaults("command", command ?? []))
  faults.push(...placeholderFaults("prompt", prompt === null ? [] : [prompt]))
  const warnings = warningsOf(record, settings)
  if (name === null || agentType === null || faults.length > 0) return { entry: null, faults, warnings }
  const queues = [...new Set(typeof agentType === "string" ? [agentType] : agentType)]
  return { entry: { name, queues, ...settings }, faults, warnings }
}
