import { chmodSync, mkdirSync, symlinkSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { parse } from "dotenv"
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
    ["a byte order mark", "\ufeffA=1", ["A=1"]],
    ["a colon for =", "A: 1\nB=2", ["A=1", "B=2"]],
    ["all three quotation marks", 'A=\'{"a": 1}\'\nB=" x "\nC=`it\'s`', ['A={"a": 1}', "B= x ", "C=it's"]],
    ["line breaks for \\n, within double marks only", `A="a\\nb\\\\d"\nB='a\\nb'`, ["A=a\nb\\\\d", "B=a\\nb"]],
    ["a value that begins with a mark, within another", `A='"x"'\nB="it's"`, ['A="x"', "B=it's"]],
    ["a value that begins with its own mark", `A=''"\`'`, [`A='"\``]],
    ["a value over several lines", "A='{\n\"a\": 1\n=\nB=2\n\n}' # c\nC=2", ['A={\n"a": 1\n=\nB=2\n\n}', "C=2"]],
    ["an empty value with a blank behind it, which takes no other line", "A= \nB=1", ["A=", "B=1"]],
    ["a second = as part of the value", "A==b=", ["A==b="]],
    ["variables that are not expanded", "A=$HOME/x", ["A=$HOME/x"]],
    ["a prototype's name as a name", "constructor=y\ntoString=z", ["constructor=y", "toString=z"]],
    ["nothing", "\n \n#", []]
  ])("takes %s", (_name, text, variables) => {
    assert.deepStrictEqual(variablesOf(text), variables)
    assert.deepStrictEqual([parseDotEnv(text).faults, parseDotEnv(text).notices], [[], []])
  })

  it.each([
    ["never ends", "A=1\nB='x\nC=2", "line 2: the value of B begins with ' and never ends"],
    ["never ends, before one that does", "B='x\nC='2'", "line 1: the value of B begins with ' and never ends"],
    [
      "ends in what it takes for a comment",
      "B='it's # so'",
      "line 1: something follows the ' that ends the value of B"
    ],
    ["ends before the line does", 'A="x" y', 'line 1: something follows the " that ends the value of A']
  ])("a value in quotation marks that %s is a fault with its line", (_name, text, fault) => {
    assert.deepStrictEqual(parseDotEnv(text).faults, [fault])
  })

  it("a line that is no assignment, and a variable that is set twice, are told with their lines and without values", () => {
    const { faults, notices, variables } = parseDotEnv(
      "TINYSCHEDULER_MCP_TOKEN hush\nhush hush\n=hush\nA=hush\nB C=hush\nA=2\n__proto__=hush\n"
    )
    assert.deepStrictEqual([...variables], [["A", "2"]])
    assert.deepStrictEqual(faults, [])
    assert.deepStrictEqual(notices, [
      "line 1 (TINYSCHEDULER_MCP_TOKEN) is no assignment; expected NAME=value",
      "line 2 is no assignment; expected NAME=value",
      "line 3 is no assignment; expected NAME=value",
      "line 5 is no assignment; expected NAME=value",
      "line 6 sets A again; line 4 counts for nothing",
      "line 7 is no assignment; expected NAME=value"
    ])
  })

  it("a # that cuts a bare value off within a word is told, since it may belong to it", () => {
    const { notices, variables } = parseDotEnv("A=hush#hush\nB=x # y\nC='x#y'\nD=#z")
    assert.deepStrictEqual([...variables.values()], ["hush", "x", "x#y", ""])
    assert.deepStrictEqual(notices, [
      "line 1: the value of A ends before the #; what holds one stands in quotation marks"
    ])
  })

  it("of any text the values are the library's, and what is told holds neither them nor a control character", () => {
    // § stands in values only: no name of the library's holds one.
    const parts = ["A=", "\nexport A='§", "\nB=§", "\n\n", "§#§", ..."AB=: §#\"'`\\\n\r\u0000\u2028\u001b".split("")]
    const piece = fc.constantFrom(...parts)
    fc.assert(
      fc.property(fc.string({ unit: piece, maxLength: 40 }), (text) => {
        const { faults, notices, variables } = parseDotEnv(text)
        assert.deepStrictEqual(Object.fromEntries(variables), { ...parse(text) })
        for (const sentence of [...faults, ...notices]) assert.notMatch(sentence, /[\p{Cc}\u2028§]/u)
      }),
      { numRuns: 2000 }
    )
  })

  it("any number of blank lines takes little time", () => {
    // Their square would be minutes, which is what the library's older way of parsing needs.
    const { notices } = parseDotEnv(`${"\n".repeat(200_000)}!`)
    assert.deepStrictEqual(notices, ["line 200001 is no assignment; expected NAME=value"])
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
        assert.deepStrictEqual(notices, [`${path}: line 2 is no assignment; expected NAME=value`])
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

  it.live("one that is no .env at all is told of in a few lines", () =>
    Effect.gen(function* () {
      const { base } = yield* makePaths
      const path = put(join(base, "novel.txt"), "It was a dark night\n".repeat(1000))
      const { notices } = yield* readDotEnv(path)
      assert.lengthOf(notices, 21)
      assert.strictEqual(notices.at(-1), `${path}: 980 more lines like these`)
    })
  )
})
