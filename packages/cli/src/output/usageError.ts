/** A refused command line in the words of whoever typed it, who knows of no schema: one line, escaped, of bounded length. */
import { escapeShort, escapeText } from "./escape.ts"

/** As much of a refused value is repeated. */
const shownMax = 80

const plain = (message: string): string =>
  message
    .replace(
      /\n\n {2}Did you mean this\?\n {4}([\s\S]+)$/,
      (_, names: string) => `. Did you mean ${names.split(/\s+/).join(" or ")}?`
    )
    .replace(/: Schema validation failed: Expected /, " ")
    .replace(
      /^Invalid value for flag (\S+): "(\d+) occurrences"\. Expected: at most 1 value/,
      "$1 stands there $2 times, expected once"
    )
    .replace(/\bExpected (?:a string representing a finite number|an integer)$/, "Expected a whole number")
    .replace(/\bExpected a value between (\d+) and (\d+)$/, (_, least: string, most: string) =>
      Number(most) >= Number.MAX_SAFE_INTEGER
        ? `Expected a whole number from ${least} on`
        : `Expected a whole number from ${least} to ${most}`
    )
    .replace(/\bExpected a value with a length of at most (\d+)$/, "Expected at most $1 characters")
    .replace(
      /(for (?:flag|argument) \S+: )"([\s\S]*)"(\. Expected)/,
      (_, where: string, typed: string, rest: string) => `${where}"${escapeShort(typed, shownMax)}"${rest}`
    )

const oneLine = (text: string): string => {
  const joined = text.replace(/\s*\n\s*/g, " ").trim()
  return /[.?!]$/.test(joined) ? joined : `${joined}.`
}

export const usageError = (message: string): string => escapeText(oneLine(plain(message)))
