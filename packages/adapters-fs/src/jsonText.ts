/**
 * What is wrong with a text that a person wrote as JSON: where, what stands there, what belongs there; and keys that
 * stand twice, of which JSON.parse silently keeps the last and of which its messages tell neither. JSON.parse alone makes
 * values; nothing here does.
 */
import { quoted } from "./oneLine.ts"

export interface JsonFault {
  /** Counted from 1. */
  readonly line: number
  readonly column: number
  /** From the beginning of the text, counted from 1. */
  readonly character: number
  /** A character in quotation marks, "the end of the line" or "the end". */
  readonly found: string
  readonly expected: string
}

export interface RepeatedKey {
  /** From the root to the object: indexes of lists and keys of objects. */
  readonly path: ReadonlyArray<string | number>
  readonly key: string
  readonly line: number
}

export interface JsonInspection {
  /** Null exactly when JSON.parse accepts the text. */
  readonly fault: JsonFault | null
  /** Up to the fault. */
  readonly repeated: ReadonlyArray<RepeatedKey>
}

/** An object or list that is open. */
interface Open {
  readonly close: "}" | "]"
  readonly keys: Set<string>
  /** Where in it we are. */
  at: string | number
}

const scalar = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false|null/y
const escape = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y
const blanks = /[ \t\n\r]*/y

const matchAt = (pattern: RegExp, text: string, offset: number): string | null => {
  pattern.lastIndex = offset
  return pattern.exec(text)?.[0] ?? null
}

const name = "a name in double quotation marks"

/** The most repeated keys that are told of one text. */
const repeatedMax = 20

class Stop extends Error {
  readonly offset: number
  readonly expected: string
  constructor(offset: number, expected: string) {
    super(expected)
    this.offset = offset
    this.expected = expected
  }
}

/** The end of the text in quotation marks that begins at an offset. */
const endOfText = (text: string, begin: number): number => {
  let offset = begin + 1
  for (;;) {
    const code = text.charCodeAt(offset)
    if (code === 0x22) return offset + 1
    // A line break cannot stand in a text: most often the closing mark of the line is missing.
    if (Number.isNaN(code) || code < 0x20) throw new Stop(offset, "a closing quotation mark")
    if (code !== 0x5c) offset += 1
    else {
      const escaped = matchAt(escape, text, offset)
      if (escaped === null) throw new Stop(offset, 'an escape like \\n, \\" or \\\\')
      offset += escaped.length
    }
  }
}

const lineOf = (text: string, offset: number): number => text.slice(0, offset).split("\n").length

/** Walks through the text, without recursion: people's texts nest as deep as they like. */
const walk = (text: string, repeated: Array<RepeatedKey>): void => {
  const stack: Array<Open> = []
  let offset = 0
  const skip = () => {
    offset += matchAt(blanks, text, offset)?.length ?? 0
  }
  const key = (open: Open, expected: string) => {
    if (text[offset] !== '"') throw new Stop(offset, expected)
    const end = endOfText(text, offset)
    const read: unknown = JSON.parse(text.slice(offset, end))
    const spelt = String(read)
    if (open.keys.has(spelt) && repeated.length < repeatedMax) {
      repeated.push({ path: stack.slice(0, -1).map(({ at }) => at), key: spelt, line: lineOf(text, offset) })
    }
    open.keys.add(spelt)
    open.at = spelt
    offset = end
    skip()
    if (text[offset] !== ":") throw new Stop(offset, "a colon")
    offset += 1
    skip()
  }
  /** Begins a value; false when it is whole at once. */
  const begin = (expected: string): boolean => {
    const character = text[offset]
    if (character === '"') {
      offset = endOfText(text, offset)
      return false
    }
    if (character !== "{" && character !== "[") {
      const read = matchAt(scalar, text, offset)
      if (read === null) throw new Stop(offset, expected)
      offset += read.length
      return false
    }
    offset += 1
    const open: Open = { close: character === "{" ? "}" : "]", keys: new Set(), at: 0 }
    stack.push(open)
    skip()
    if (text[offset] === open.close) return false
    if (open.close === "}") key(open, `${name} or }`)
    return true
  }
  skip()
  let expected = "a value"
  for (;;) {
    if (begin(expected)) {
      expected = stack.at(-1)?.close === "]" ? "a value or ]" : "a value"
      continue
    }
    for (;;) {
      skip()
      const open = stack.at(-1)
      if (open === undefined) {
        if (offset < text.length) throw new Stop(offset, "nothing more")
        return
      }
      const character = text[offset]
      if (character !== open.close && character !== ",") throw new Stop(offset, `a comma or ${open.close}`)
      offset += 1
      if (character === open.close) {
        stack.pop()
        continue
      }
      skip()
      if (open.close === "}") key(open, name)
      else if (typeof open.at === "number") open.at += 1
      expected = "a value"
      break
    }
  }
}

const foundOf = (point: number | undefined): string => {
  if (point === undefined) return "the end"
  return point === 0x0a || point === 0x0d ? "the end of the line" : quoted(String.fromCodePoint(point))
}

const faultAt = (text: string, { expected, offset }: Stop): JsonFault => {
  const before = text.slice(0, offset)
  return {
    line: lineOf(text, offset),
    column: offset - before.lastIndexOf("\n"),
    character: offset + 1,
    found: foundOf(text.codePointAt(offset)),
    expected
  }
}

/** Where a text stops being JSON, and which keys stand twice in it. */
export const inspectJson = (text: string): JsonInspection => {
  const repeated: Array<RepeatedKey> = []
  try {
    walk(text, repeated)
    return { fault: null, repeated }
  } catch (stop) {
    if (!(stop instanceof Stop)) throw stop
    return { fault: faultAt(text, stop), repeated }
  }
}
