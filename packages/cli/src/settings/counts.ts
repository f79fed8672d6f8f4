/**
 * AGENT_LIMITS and QUEUE_LIMITS: numbers by name, as a JSON object or as `a:1,b:2`. A fault says which entry it is about, and
 * in JSON that is none at which character it breaks off.
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { parseJson } from "@tinyscheduler/adapters-fs/jsonFile"
import { inspectJson } from "@tinyscheduler/adapters-fs/jsonText"
import { oneLine, quoted } from "@tinyscheduler/adapters-fs/oneLine"
import { AgentName, QueueName } from "@tinyscheduler/core/domain/identifiers"
import type { Reader } from "./values.ts"

export type Counts = ReadonlyMap<string, number>

const countsMax = 10_000
const numberForm = `a whole number from 0 to ${countsMax}`

interface Rules {
  readonly what: string
  readonly isName: (name: string) => boolean
}

const agents: Rules = { what: "an agent's name (letters, digits, _ and -)", isName: Schema.is(AgentName) }
const queues: Rules = { what: "a queue's name (1 to 128 characters)", isName: Schema.is(QueueName) }

/** One number of a name; what is wrong with it, or null when it was put into the counts. */
const add = (counts: Map<string, number>, rules: Rules, name: string, value: unknown): string | null => {
  if (!rules.isName(name)) return `found ${quoted(name)}, expected ${rules.what}`
  if (counts.has(name)) return `${quoted(name)} stands there twice`
  if (typeof value !== "number" || !Number.isInteger(value) || value < 0 || value > countsMax) {
    return `found ${typeof value === "string" ? quoted(value) : oneLine(JSON.stringify(value) ?? "nothing", 60)}, expected ${numberForm}`
  }
  // -0 is a number of JSON and would be printed as one.
  counts.set(name, value + 0)
  return null
}

const fromObject = (text: string, rules: Rules): Result.Result<Counts, string> => {
  const { fault, repeated } = inspectJson(text)
  if (fault !== null) {
    const { character, expected, found, problem } = fault
    return Result.fail(`${problem}: at character ${character} found ${found}, expected ${expected}`)
  }
  const parsed = parseJson(text)
  if (!parsed.ok) return Result.fail(parsed.problem)
  const { value } = parsed
  const twice = repeated.find(({ path }) => path.length === 0)
  if (twice !== undefined) return Result.fail(`${quoted(twice.key)} stands there twice`)
  if (typeof value !== "object" || value === null) return Result.fail("is no JSON object")
  const counts = new Map<string, number>()
  for (const [index, [name, count]] of Object.entries(value).entries()) {
    const problem = add(counts, rules, name, count)
    if (problem !== null) return Result.fail(`entry ${index + 1} (${quoted(name)}): ${problem}`)
  }
  return Result.succeed(counts)
}

const fromPairs = (parts: ReadonlyArray<string>, separator: string, rules: Rules): Result.Result<Counts, string> => {
  const counts = new Map<string, number>()
  for (const [index, part] of parts.entries()) {
    const label = `entry ${index + 1} (${quoted(part.trim())})`
    // Queue names may hold a colon; numbers don't.
    const at = part.lastIndexOf(separator)
    if (at < 0) return Result.fail(`${label}: found no ${separator}, expected name${separator}number`)
    const number = part.slice(at + 1).trim()
    const value = /^[0-9]{1,9}$/.test(number) ? Number(number) : number
    const problem = add(counts, rules, part.slice(0, at).trim(), value)
    if (problem !== null) return Result.fail(`${label}: ${problem}`)
  }
  return Result.succeed(counts)
}

const readerOf = (rules: Rules): Reader<Counts> => ({
  form: 'pairs like a:1,b:2 or a JSON object like {"a": 1}, each number from 0 to 10000',
  kind: "text",
  read: (text) => {
    const trimmed = text.trim()
    if (trimmed === "") return Result.succeed(new Map())
    if (/^["'`]/.test(trimmed)) {
      return Result.fail(
        `begins with the quotation mark ${trimmed[0]}, which a shell or .env drops and this did not; leave it out`
      )
    }
    if (trimmed.startsWith("[")) return Result.fail('is a list, expected a JSON object like {"a": 1}')
    return trimmed.startsWith("{") ? fromObject(trimmed, rules) : fromPairs(trimmed.split(","), ":", rules)
  }
})

/** `{"vaela": 3}` or `vaela:3,damien:2`. */
export const agentCounts: Reader<Counts> = readerOf(agents)
export const queueCounts: Reader<Counts> = readerOf(queues)

/** `vaela=3`, as often as its flag is given. */
export const agentCountPairs = (pairs: ReadonlyArray<string>): Result.Result<Counts, string> =>
  fromPairs(pairs, "=", agents)
