/**
 * What is wrong with a text that a person wrote as JSON: where, what stands there, what belongs there; and keys that
 * stand twice, of which JSON.parse silently keeps the last and of which its messages tell neither. JSON.parse alone makes
 * values and decides what JSON is; nothing here does.
 */
import { printParseErrorCode, visit } from "jsonc-parser"
import { parseJson } from "./jsonFile.ts"
import { quoted } from "./oneLine.ts"

export interface JsonFault {
  readonly problem: "is not JSON" | "is nested too deeply"
  /** Counted from 1. */
  readonly line: number
  readonly column: number
  /** From the beginning of the text, counted from 1. */
  readonly character: number
  /** A character in quotation marks, "the end of the line", "the end", or what is wrong with a text. */
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
  /** Null where JSON.parse accepts the text, unless that is nested too deeply; and where only JSON.parse finds a fault. */
  readonly fault: JsonFault | null
  /** Up to the fault. */
  readonly repeated: ReadonlyArray<RepeatedKey>
}

/** The most repeated keys that are told of one text. */
const repeatedMax = 20

/** The library calls itself for each level, and whoever walks through the value will too. */
const depthMax = 100

/** Ends the library's walk: it would go on behind a fault. */
class Stop extends Error {
  readonly fault: JsonFault
  constructor(fault: JsonFault) {
    super(fault.problem)
    this.fault = fault
  }
}

const foundAt = (text: string, offset: number): string => {
  const point = text.codePointAt(offset)
  if (point === undefined) return "the end"
  return point === 0x0a || point === 0x0d ? "the end of the line" : quoted(String.fromCodePoint(point))
}

type Code = ReturnType<typeof printParseErrorCode>

/** What the library says only of a whole token, and not where in it. */
const inText: Partial<Record<Code, readonly [found: string, expected: string]>> = {
  InvalidCharacter: ["a text with a control character", "an escape like \\t"],
  InvalidEscapeCharacter: ["a text with a wrong escape", 'an escape like \\n, \\" or \\\\'],
  InvalidUnicode: ["a text with a wrong escape", "\\u and four hexadecimal digits"]
}

/** What a token lacks at its end. */
const atEnd: Partial<Record<Code, string>> = {
  UnexpectedEndOfNumber: "a digit",
  UnexpectedEndOfString: "a closing quotation mark"
}

const name = "a name in double quotation marks"

/** Where a text stops being JSON, and which keys stand twice in it. */
export const inspectJson = (text: string): JsonInspection => {
  const repeated: Array<RepeatedKey> = []
  const open: Array<{ readonly close: string; readonly keys: Set<string> }> = []
  // The codes of the library don't tell a wrong word in the place of a value from one in the place of a name.
  let expected = "a value"
  const begin = (close: string, inside: string) => (offset: number, _length: number, line: number, column: number) => {
    if (open.length === depthMax) {
      const at = { line: line + 1, column: column + 1, character: offset + 1, found: foundAt(text, offset) }
      throw new Stop({ problem: "is nested too deeply", ...at, expected: `at most ${depthMax} levels` })
    }
    open.push({ close, keys: new Set() })
    expected = `${inside} or ${close}`
  }
  const ended = () => {
    const close = open.at(-1)?.close
    expected = close === undefined ? "nothing more" : `a comma or ${close}`
  }
  const end = () => {
    open.pop()
    ended()
  }
  try {
    visit(
      text,
      {
        onObjectBegin: begin("}", name),
        onArrayBegin: begin("]", "a value"),
        onObjectEnd: end,
        onArrayEnd: end,
        onLiteralValue: ended,
        onSeparator: (character) => {
          expected = character === "," && open.at(-1)?.close === "}" ? name : "a value"
        },
        onObjectProperty: (key, _offset, _length, line, _column, path) => {
          const keys = open.at(-1)?.keys
          if (keys?.has(key) === true && repeated.length < repeatedMax) {
            repeated.push({ path: path(), key, line: line + 1 })
          }
          keys?.add(key)
          expected = "a colon"
        },
        onError: (error, offset, length, line, column) => {
          const code = printParseErrorCode(error)
          const lacking = atEnd[code]
          const skipped = lacking === undefined ? 0 : length
          const [found, wanted] = inText[code] ?? [foundAt(text, offset + skipped), lacking ?? expected]
          throw new Stop({
            problem: "is not JSON",
            line: line + 1,
            column: column + skipped + 1,
            character: offset + skipped + 1,
            found,
            // The end of an object or list is announced before it is missed.
            expected: code === "CloseBraceExpected" ? "}" : code === "CloseBracketExpected" ? "]" : wanted
          })
        }
      },
      { disallowComments: true, allowTrailingComma: false }
    )
    return { fault: null, repeated }
  } catch (stop) {
    if (!(stop instanceof Stop)) throw stop
    const overruled = stop.fault.problem === "is not JSON" && parseJson(text).ok
    return { fault: overruled ? null : stop.fault, repeated }
  }
}
