/**
 * The kinds of values a setting can have: each reads a text, or says what it found and what it expected. The same reading
 * serves flags, the environment and .env, so that one mistake has one sentence wherever it was made.
 */
import * as Result from "effect/Result"
import { quoted } from "@tinyscheduler/adapters-fs/oneLine"
import { parseEndpoint } from "@tinyscheduler/adapters-tinytask/Endpoint"

/** What a setting is, for whoever shows or documents it. */
export type Kind = "text" | "path" | "truth" | "secret"

export interface Reader<A> {
  /** The failure says what was found and what is expected; of a secret it repeats nothing. */
  readonly read: (text: string) => Result.Result<A, string>
  /** What is expected, in words. */
  readonly form: string
  readonly kind: Kind
}

/** Blanks around such a value mean nothing. */
const reader = <A>(form: string, parse: (text: string) => A | undefined, kind: Kind = "text"): Reader<A> => ({
  form,
  kind,
  read: (text) => {
    const value = parse(text.trim())
    return value === undefined ? Result.fail(`${quoted(text)} is not ${form}`) : Result.succeed(value)
  }
})

const wholeNumberIn = (text: string, minimum: number, maximum: number): number | undefined => {
  const number = /^[0-9]{1,10}$/.test(text) ? Number(text) : Number.NaN
  return number >= minimum && number <= maximum ? number : undefined
}

/** Whole decimal numbers only: no sign, no exponent. */
export const wholeNumber = (minimum: number, maximum: number): Reader<number> =>
  reader(`a whole number from ${minimum} to ${maximum}`, (text) => wholeNumberIn(text, minimum, maximum))

/** A year is the longest time that makes sense here. */
const secondsMax = 31_536_000

export const seconds = (minimum = 0): Reader<number> => wholeNumber(minimum, secondsMax)

const orWord = (word: string, minimum: number, maximum: number): Reader<number | null> =>
  reader(`a whole number from ${minimum} to ${maximum}, or ${word}`, (text) =>
    text.toLowerCase() === word ? null : wholeNumberIn(text, minimum, maximum)
  )

/** A whole number, or a word for "no limit". */
export const limit: Reader<number | null> = orWord("unlimited", 0, 10_000)

/** Seconds, or "off". */
export const secondsOrOff: Reader<number | null> = orWord("off", 1, secondsMax)

/** The words that a flag takes too: `--enabled=no`. */
const truths: ReadonlyMap<string, boolean> = new Map([
  ...["true", "yes", "on", "1", "y"].map((word) => [word, true] as const),
  ...["false", "no", "off", "0", "n"].map((word) => [word, false] as const)
])

export const truth: Reader<boolean> = reader("true or false", (text) => truths.get(text.toLowerCase()), "truth")

export const oneOf = <const A extends string>(
  choices: ReadonlyArray<A>,
  alsoKnown: ReadonlyMap<string, A> = new Map()
): Reader<A> =>
  reader(
    `one of ${choices.join(", ")}`,
    (text) => choices.find((choice) => choice.toLowerCase() === text.toLowerCase()) ?? alsoKnown.get(text.toUpperCase())
  )

/** Any of the choices, with commas between them; "none" for none of them. */
export const anyOf = <const A extends string>(choices: ReadonlyArray<A>): Reader<ReadonlyArray<A>> =>
  reader(`${choices.join(" or ")}, several with commas between them, or none`, (text) => {
    if (text.toLowerCase() === "none") return []
    const words = text.split(",").map((word) => word.trim().toLowerCase())
    const chosen = choices.filter((choice) => words.includes(choice))
    return chosen.length === new Set(words).size ? chosen : undefined
  })

/** The least level of a log line that is written; of the Python version's levels two have another name here. */
export const logLevel = oneOf(
  ["DEBUG", "INFO", "WARN", "ERROR"],
  new Map([
    ["WARNING", "WARN"],
    ["CRITICAL", "ERROR"]
  ])
)

/** What a shell would replace comes as it is from .env, systemd and quotation marks, and would name a new directory. */
const shellOnly = (text: string): string | null => {
  if (/^~[a-z_-]*(?:\/|$)/i.test(text)) return "~"
  return /\$[A-Za-z_({]/.test(text) ? "$" : null
}

const pathReader = (form: string): Reader<string> => ({
  form,
  kind: "path",
  read: (text) => {
    if (text === "") return Result.fail(`is empty; expected ${form}`)
    if (/\p{Cc}/u.test(text)) return Result.fail(`${quoted(text)} holds a control character; expected ${form}`)
    if (text.trim() !== text) return Result.fail(`${quoted(text)} begins or ends with a blank; expected ${form}`)
    const mark = shellOnly(text)
    return mark === null
      ? Result.succeed(text)
      : Result.fail(`${quoted(text)} has a ${mark} that only a shell replaces; write the whole path`)
  }
})

export const path: Reader<string> = pathReader("a path")

/** With a slash it is a path, without one it is looked up on PATH. */
export const program: Reader<string> = pathReader("a program's name or path")

/** What an HTTP header can carry; the value itself is never repeated. */
export const token: Reader<string> = {
  form: "a token of visible ASCII characters",
  kind: "secret",
  read: (text) => {
    if (text === "") return Result.fail("is empty; leave it out where no token is needed")
    if (text.length > 4096) return Result.fail("is longer than 4096 characters")
    return /^[\u0021-\u007e]+$/.test(text)
      ? Result.succeed(text)
      : Result.fail("holds a blank, a line break or a character outside ASCII, which no HTTP header carries")
  }
}

const addressForm = "an http or https address like http://localhost:3000 or http://[::1]:3000"

/** An address without user, query or fragment; what is read is how everybody writes it. */
export const address: Reader<string> = {
  form: addressForm,
  kind: "text",
  read: (text) => {
    const value = text.trim()
    // Nothing of an address with @ is repeated: before it may stand a password.
    if (value.includes("@")) {
      return Result.fail("an address must not hold a user or a password; use TINYSCHEDULER_MCP_TOKEN for a token")
    }
    // Nor of a query, in which many a service takes its key.
    if (/[?#]/.test(value)) return Result.fail("an address must not have a query or a fragment")
    if (!/^https?:\/\/[\u0021-\u007e]+$/i.test(value) || !URL.canParse(value) || URL.parse(value)?.port === "0") {
      return Result.fail(`${quoted(text)} is not ${addressForm}`)
    }
    const read = parseEndpoint(value, { allowInsecure: true })
    return Result.isSuccess(read)
      ? Result.succeed(read.success.shown)
      : Result.fail(`${quoted(text)} can't be used: ${read.failure.reason}`)
  }
}
