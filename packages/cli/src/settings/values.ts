/**
 * The kinds of values a setting can have: each reads a text, or says what it expected. The same reading serves flags,
 * the environment and .env, so that one mistake has one sentence wherever it was made.
 */
import * as Result from "effect/Result"
import { AgentName, QueueName } from "@tinyscheduler/core/domain/identifiers"
import * as Schema from "effect/Schema"

/** Reads a text; the failure says what was found and what is expected. */
export type Reader<A> = (text: string) => Result.Result<A, string>

const quote = (text: string): string => JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text)

const expected = (text: string, what: string): string => `${quote(text)} is not ${what}`

export const text: Reader<string> = (value) => Result.succeed(value)

/** Whole decimal numbers only: no sign, no exponent, no blank. */
export const wholeNumber =
  (minimum: number, maximum = 1_000_000_000): Reader<number> =>
  (value) => {
    const number = /^[0-9]{1,10}$/.test(value) ? Number(value) : Number.NaN
    return number >= minimum && number <= maximum
      ? Result.succeed(number)
      : Result.fail(expected(value, `a whole number from ${minimum} to ${maximum}`))
  }

/** A year is the longest time that makes sense here. */
export const seconds = (minimum = 0): Reader<number> => wholeNumber(minimum, 31_536_000)

/** A whole number, or a word for "no limit". */
export const limit: Reader<number | null> = (value) =>
  value === "unlimited" ? Result.succeed(null) : wholeNumber(0, 10_000)(value)

/** Seconds, or "off". */
export const secondsOrOff: Reader<number | null> = (value) =>
  value === "off" ? Result.succeed(null) : seconds(1)(value)

const truths: Readonly<Record<string, boolean>> = {
  true: true,
  "1": true,
  yes: true,
  on: true,
  false: false,
  "0": false,
  no: false,
  off: false
}

export const truth: Reader<boolean> = (value) => {
  const known = truths[value.toLowerCase()]
  return known === undefined ? Result.fail(expected(value, "true or false")) : Result.succeed(known)
}

export const oneOf =
  <const A extends string>(choices: ReadonlyArray<A>): Reader<A> =>
  (value) => {
    const found = choices.find((choice) => choice.toLowerCase() === value.toLowerCase())
    return found === undefined ? Result.fail(expected(value, `one of ${choices.join(", ")}`)) : Result.succeed(found)
  }

const logLevels = oneOf(["DEBUG", "INFO", "WARN", "ERROR"])

/** Of the Python version's levels, those that have another name here. */
const pythonLevels: ReadonlyMap<string, string> = new Map([
  ["WARNING", "WARN"],
  ["CRITICAL", "ERROR"]
])

/** The least level of a log line that is written. */
export const logLevel: Reader<"DEBUG" | "INFO" | "WARN" | "ERROR"> = (value) =>
  logLevels(pythonLevels.get(value.toUpperCase()) ?? value)

/** An http or https address without path to speak of, user or query. */
export const address: Reader<string> = (value) => {
  const url = URL.parse(value)
  if (url === null || (url.protocol !== "http:" && url.protocol !== "https:")) {
    return Result.fail(expected(value, "an http or https address like http://localhost:3000"))
  }
  if (url.username !== "" || url.password !== "") {
    return Result.fail("an address must not hold a user or a password; use TINYSCHEDULER_MCP_TOKEN")
  }
  return Result.succeed(value)
}

export type Counts = ReadonlyMap<string, number>

const isAgentName = Schema.is(AgentName)
const isQueueName = Schema.is(QueueName)

const countsMax = 10_000

interface CountsRules {
  readonly what: string
  readonly isName: (name: string) => boolean
}

const addCount = (counts: Map<string, number>, rules: CountsRules, label: string, name: string, value: unknown) => {
  if (!rules.isName(name)) return `${label}: ${quote(name)} is no ${rules.what} name`
  if (counts.has(name)) return `${label}: ${quote(name)} stands there twice`
  if (typeof value !== "number" || !Number.isInteger(value) || value < 0 || value > countsMax) {
    return `${label}: found ${quote(typeof value === "string" ? value : (JSON.stringify(value) ?? "nothing"))}, expected a whole number from 0 to ${countsMax}`
  }
  counts.set(name, value)
  return null
}

const fromObject = (text: string, rules: CountsRules): Result.Result<Counts, string> => {
  const parsed = Result.try(() => JSON.parse(text) as unknown)
  if (Result.isFailure(parsed)) return Result.fail(`it begins with { and is not JSON: ${messageOf(parsed.failure)}`)
  const counts = new Map<string, number>()
  const value = parsed.success
  if (typeof value !== "object" || value === null) return Result.fail("it is not a JSON object")
  for (const [index, [name, count]] of Object.entries(value).entries()) {
    const fault = addCount(counts, rules, `entry ${index + 1}`, name, count)
    if (fault !== null) return Result.fail(fault)
  }
  return Result.succeed(counts)
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

const fromPairs = (text: string, separator: string, rules: CountsRules): Result.Result<Counts, string> => {
  const counts = new Map<string, number>()
  for (const [index, part] of text.split(",").entries()) {
    const label = `entry ${index + 1} (${quote(part.trim())})`
    const at = part.lastIndexOf(separator)
    if (at < 0) return Result.fail(`${label}: found no ${separator}, expected name${separator}number`)
    const number = part.slice(at + 1).trim()
    const value = /^[0-9]{1,9}$/.test(number) ? Number(number) : number
    const fault = addCount(counts, rules, label, part.slice(0, at).trim(), value)
    if (fault !== null) return Result.fail(fault)
  }
  return Result.succeed(counts)
}

const countsOf =
  (rules: CountsRules): Reader<Counts> =>
  (value) => {
    const trimmed = value.trim()
    if (trimmed === "") return Result.succeed(new Map())
    return trimmed.startsWith("{") ? fromObject(trimmed, rules) : fromPairs(trimmed, ":", rules)
  }

/** `{"vaela": 3}` or `vaela:3,damien:2`. */
export const agentCounts: Reader<Counts> = countsOf({ what: "agent", isName: isAgentName })
export const queueCounts: Reader<Counts> = countsOf({ what: "queue", isName: isQueueName })

/** One `vaela=3`, as a repeatable flag gives it. */
export const agentCountPair: Reader<Counts> = (value) => fromPairs(value, "=", { what: "agent", isName: isAgentName })
