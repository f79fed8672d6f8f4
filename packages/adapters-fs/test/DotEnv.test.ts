import { chmodSync, mkdirSync, symlinkSync } from "node:fs"
import { join } from "node:path"
import { parseEnv } from "node:util"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "fast-check"
import { readDotEnv } from "../src/DotEnv.ts"
import { parseDotEnv } from "../src/dotEnvText.ts"
import { makePaths, put } from "./fixture.ts"

const variablesOf = (text: string): ReadonlyArray<string> =>
  [...parseDotEnv(text).variables].map(([name, value]) => `${name}=${value}`)

describe("the text of a .env file", () => {
  it.each([
    ["blanks around name and value", " A = 1 \n\tB=2\t", ["A=1", "B=2"]],
    ["export", "export A=1\n  export  B = 2", ["A=1", "B=2"]],
    ["line ends of Windows", "A=1\r\nB='x\r\ny'\r\n", ["A=1", "B=x\ny"]],
    ["comments", "# A=0\nA=1 # one\nB='#2' # two\n  # three", ["A=1", "B=#2"]],
    ["a # within a word, which begins no comment", "A=x#y\nB=#z", ["A=x#y", "B="]],
    ["all three quotation marks", 'A=\'{"a": 1}\'\nB=" x "\nC=`it\'s`', ['A={"a": 1}', "B= x ", "C=it's"]],
    ["escapes, within double marks only", `A="a\\nb\\"c\\\\d\\e"\nB='a\\nb'`, ['A=a\nb"c\\d\\e', "B=a\\nb"]],
    ["a value over several lines", "A='{\n\"a\": 1\n}'\nB=2", ['A={\n"a": 1\n}', "B=2"]],
    ["an empty value with a blank behind it, which takes no other line", "A= \nB=1", ["A=", "B=1"]],
    ["a second = as part of the value", "A==b=", ["A==b="]],
    ["variables that are not expanded", "A=$HOME/x", ["A=$HOME/x"]],
    ["names of prototypes as names", "__proto__=x\nconstructor=y", ["__proto__=x", "constructor=y"]],
    ["nothing", "\n \n#", []]
  ])("takes %s", (_name, text, variables) => {
    assert.deepStrictEqual(variablesOf(text), variables)
    assert.deepStrictEqual([parseDotEnv(text).faults, parseDotEnv(text).notices], [[], []])
  })

  it.each([
    ["never ends", "A=1\nB='x\nC=2", "line 2: the value of B begins with ' and never ends"],
    ["ends where the next one begins", "B='x\nC='2'", "line 2: something follows the ' that ends the value of B"],
    ["ends before the line does", 'A="x" y', 'line 1: something follows the " that ends the value of A']
  ])("a value in quotation marks that %s is a fault with its line", (_name, text, fault) => {
    assert.deepStrictEqual(parseDotEnv(text).faults, [fault])
  })

  it("a line that is no assignment, and a variable that is set twice, are told with their lines and without values", () => {
    const { faults, notices, variables } = parseDotEnv(
      "TINYSCHEDULER_MCP_TOKEN: hush\nhush hush\n=hush\nA=hush\nB C=hush\nA=2\n"
    )
    assert.deepStrictEqual([...variables], [["A", "2"]])
    assert.deepStrictEqual(faults, [])
    assert.deepStrictEqual(notices, [
      "line 1 (TINYSCHEDULER_MCP_TOKEN) is no assignment and is passed over; expected NAME=value",
      "line 2 is no assignment and is passed over; expected NAME=value",
      "line 3 is no assignment and is passed over; expected NAME=value",
      "line 5 is no assignment and is passed over; expected NAME=value",
      "line 6 sets A again; line 4 counts for nothing"
    ])
  })

  it("is read as Node reads it where it is well formed", () => {
    const name = fc.stringMatching(/^[A-Z_][A-Z0-9_]{0,5}$/)
    const value = fc.oneof(
      fc.stringMatching(/^[!$-&(-_a-~]([ !$-&(-_a-~]{0,8}[!$-&(-_a-~])?$/),
      fc.stringMatching(/^'[ -&(-~\n]{0,9}'$/),
      fc.stringMatching(/^"[ !#-[\]-~\n]{0,9}"$/)
    )
    const line = fc.oneof(
      { weight: 5, arbitrary: fc.tuple(name, value).map(([left, right]) => `${left}=${right}`) },
      fc.constantFrom("", "# x='", "export X=1", "Y=")
    )
    fc.assert(
      fc.property(fc.array(line, { maxLength: 6 }), (lines) => {
        const text = lines.join("\n")
        assert.deepStrictEqual(Object.fromEntries(parseDotEnv(text).variables), { ...parseEnv(text) })
      })
    )
  })

  it("of any text it says what it can't read in lines without control characters", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(..."A=\"'`\\\n\r# x\u0000\u2028\u001b".split("")) }), (text) => {
        const { faults, notices } = parseDotEnv(text)
        for (const sentence of [...faults, ...notices]) assert.notMatch(sentence, /[\p{Cc}\u2028]/u)
      })
    )
  })
})

describe("the .env file", () => {
  it.live(
    "a missing one is told apart from one that can't be used; a link is followed, a mark of order is not read",
    () =>
      Effect.gen(function* () {
        const { base } = yield* makePaths
        const path = join(base, ".env")
        assert.strictEqual((yield* Effect.flip(readDotEnv(path))).message, `there is no ${path}`)
        symlinkSync(put(join(base, "shared.env"), "\ufeffA=1\nB"), path)
        const { notices, variables } = yield* readDotEnv(path)
        assert.deepStrictEqual([...variables], [["A", "1"]])
        assert.deepStrictEqual(notices, [`${path}: line 2 is no assignment and is passed over; expected NAME=value`])
        put(join(base, "shared.env"), "A='")
        assert.strictEqual(
          (yield* Effect.flip(readDotEnv(path))).message,
          `${path}: line 1: the value of A begins with ' and never ends`
        )
        chmodSync(join(base, "shared.env"), 0o666)
        const error = yield* Effect.flip(readDotEnv(path))
        assert.strictEqual(error._tag, "DotEnvInvalid")
        assert.strictEqual(error.message, `${path} can be written by everybody`)
        mkdirSync(join(base, "directory"))
        assert.strictEqual(
          (yield* Effect.flip(readDotEnv(join(base, "directory")))).message,
          `${join(base, "directory")} is a directory, not a file`
        )
      })
  )
})
