/**
 * The text of a .env file. The library alone makes the values; what is told beside them, for it says nothing of what it
 * passes over, is found by asking it again about pieces of the text. Values are never repeated: they may be secrets.
 */
import { parse } from "dotenv"
import { oneLine } from "./oneLine.ts"

export interface DotEnvText {
  readonly variables: ReadonlyMap<string, string>
  /** Why the file can't be used; each begins with its line's number. */
  readonly faults: ReadonlyArray<string>
  /** What its writer should know, in the same form. */
  readonly notices: ReadonlyArray<string>
}

/** The library's older way of parsing needs minutes for two hundred thousand blank lines. */
const read = (text: string) => parse(text, { fast: true })

/** From the lines that don't stand within a value, each up to the next one: an assignment, a comment, or neither. */
const pieces = (lines: ReadonlyArray<string>) => {
  // An assignment put before each line is found again exactly where no value in quotation marks was open.
  const probe = (index: number) => `..line.${index}`
  const found = read(lines.map((line, index) => `${probe(index)}=-\n${line}`).join("\n"))
  const begins = [...lines.keys()].filter((index) => Object.hasOwn(found, probe(index)))
  return begins.map((begin, index) => ({ number: begin + 1, text: lines.slice(begin, begins[index + 1]).join("\n") }))
}

const ourName = /^\s*(?:export\s+)?(TINYSCHEDULER_[A-Z0-9_]*)/

/** What may be wrong with the value of an assignment, by how it is written and how it was read. */
const problemOf = (name: string, written: string, value: string) => {
  const mark = /^["'`]/.exec(written)?.[0]
  if (mark === undefined) {
    return /^[^#\n]*[^#\s]#/.test(written)
      ? { fault: false, text: `: the value of ${name} ends before the #; what holds one stands in quotation marks` }
      : null
  }
  // The library drops a pair of marks and leaves a single one.
  if (!value.startsWith(mark) || !written.startsWith(value)) return null
  return written.includes(mark, 1)
    ? { fault: true, text: `: something follows the ${mark} that ends the value of ${name}` }
    : { fault: true, text: `: the value of ${name} begins with ${mark} and never ends` }
}

/** Reads the text of a .env file. */
export const parseDotEnv = (text: string): DotEnvText => {
  const setIn = new Map<string, number>()
  const faults: Array<string> = []
  const notices: Array<string> = []
  for (const piece of pieces(text.split(/\r\n?|\n/))) {
    if (/^\s*(?:#|$)/.test(piece.text)) continue
    const line = `line ${piece.number}`
    const assignments = Object.entries(read(piece.text))
    if (assignments.length === 0) {
      const ours = ourName.exec(piece.text)?.[1]
      const named = ours === undefined ? "" : ` (${oneLine(ours, 60)})`
      notices.push(`${line}${named} is no assignment; expected NAME=value`)
    }
    for (const [name, value] of assignments) {
      const shown = oneLine(name, 60)
      const problem = problemOf(shown, piece.text.replace(/^[^=:]*[=:]\s*/, ""), value)
      if (problem !== null) (problem.fault ? faults : notices).push(line + problem.text)
      const earlier = setIn.get(name)
      if (earlier !== undefined) notices.push(`${line} sets ${shown} again; line ${earlier} counts for nothing`)
      setIn.set(name, piece.number)
    }
  }
  return { variables: new Map(Object.entries(read(text))), faults, notices }
}
