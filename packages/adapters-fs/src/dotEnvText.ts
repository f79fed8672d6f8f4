/**
 * The text of a .env file: one assignment a line, as shells and systemd write them. Not Node's parser: that one takes
 * the next line for the value of `A= `, lets an open quotation mark swallow the lines up to the next one, and passes
 * silently over what it doesn't understand. Values are never repeated in what is told: they may be secrets.
 */
import { oneLine } from "./oneLine.ts"

export interface DotEnvText {
  readonly variables: ReadonlyMap<string, string>
  /** Why the file can't be used; each begins with its line's number. */
  readonly faults: ReadonlyArray<string>
  /** What its writer should know, in the same form. */
  readonly notices: ReadonlyArray<string>
}

interface Quoted {
  readonly value: string
  /** What stands behind the closing mark, on its line. */
  readonly rest: string
  /** How many lines it takes. */
  readonly lines: number
}

const assignment = /^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_.-]*)[ \t]*=[ \t]*(.*)$/s
const ourName = /^\s*(?:export\s+)?(TINYSCHEDULER_[A-Z0-9_]*)/

/** Within double quotation marks only. */
const escapes: Readonly<Record<string, string>> = { n: "\n", '"': '"', "\\": "\\" }

const unescape = (text: string): string =>
  text.replace(/\\(.)/g, (whole, character: string) => escapes[character] ?? whole)

const closed = { '"': /^"([^"\\]*(?:\\[^][^"\\]*)*)"/, "'": /^'([^']*)'/, "`": /^`([^`]*)`/ } as const

const isMark = (character: string | undefined): character is keyof typeof closed =>
  character !== undefined && Object.hasOwn(closed, character)

/** A value in quotation marks, over as many lines as it takes; null when it never ends. */
const quotedValue = (mark: keyof typeof closed, text: string): Quoted | null => {
  const match = closed[mark].exec(text)
  if (match === null) return null
  const [whole, inside = ""] = match
  const rest = text.slice(whole.length)
  const end = rest.indexOf("\n")
  return {
    value: mark === '"' ? unescape(inside) : inside,
    rest: end < 0 ? rest : rest.slice(0, end),
    lines: whole.split("\n").length
  }
}

/** Up to a # that begins the value or follows a blank. */
const plainValue = (text: string): string => text.replace(/(?:^|\s)#.*$/s, "").trim()

/** Reads the text of a .env file. */
export const parseDotEnv = (text: string): DotEnvText => {
  const lines = text.replace(/\r\n?/g, "\n").split("\n")
  const variables = new Map<string, string>()
  const setIn = new Map<string, number>()
  const faults: Array<string> = []
  const notices: Array<string> = []
  let index = 0
  while (index < lines.length) {
    const line = lines[index] ?? ""
    const number = index + 1
    index += 1
    if (/^\s*(?:#|$)/.test(line)) continue
    const match = assignment.exec(line)
    if (match === null) {
      const ours = ourName.exec(line)?.[1]
      notices.push(
        `line ${number}${ours === undefined ? "" : ` (${oneLine(ours, 60)})`} is no assignment and is passed over; expected NAME=value`
      )
      continue
    }
    const [, name = "", begin = ""] = match
    let value = plainValue(begin)
    if (isMark(begin[0])) {
      const read = quotedValue(begin[0], begin) ?? quotedValue(begin[0], [begin, ...lines.slice(index)].join("\n"))
      if (read === null) {
        faults.push(`line ${number}: the value of ${oneLine(name, 60)} begins with ${begin[0]} and never ends`)
        break
      }
      const last = number + read.lines - 1
      if (!/^\s*(?:#.*)?$/.test(read.rest)) {
        faults.push(`line ${last}: something follows the ${begin[0]} that ends the value of ${oneLine(name, 60)}`)
      }
      value = read.value
      index = last
    }
    const earlier = setIn.get(name)
    if (earlier !== undefined) {
      notices.push(`line ${number} sets ${oneLine(name, 60)} again; line ${earlier} counts for nothing`)
    }
    setIn.set(name, number)
    variables.set(name, value)
  }
  return { variables, faults, notices }
}
