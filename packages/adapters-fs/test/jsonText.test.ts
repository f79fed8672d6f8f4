import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { inspectJson } from "../src/jsonText.ts"

const told = (text: string): string => {
  const { fault } = inspectJson(text)
  return fault === null ? "" : `${fault.line}:${fault.column} ${fault.found}, expected ${fault.expected}`
}

describe("a text that is no JSON", () => {
  it.each([
    ["{a: 1}", '1:2 "a", expected a name in double quotation marks or }'],
    ["{'a': 1}", '1:2 "\'", expected a name in double quotation marks or }'],
    ['{"a": x}', '1:7 "x", expected a value'],
    ['{"a": 1', "1:8 the end, expected }"],
    ['{"a" 1}', '1:6 "1", expected a colon'],
    ['{"a": 1,}', '1:9 "}", expected a name in double quotation marks'],
    ['{"a": 1\n "b": 2}', '2:2 """, expected a comma or }'],
    ['{"a": 01}', '1:8 "1", expected a comma or }'],
    ["[1, 2", "1:6 the end, expected ]"],
    ["[1,]", '1:4 "]", expected a value'],
    ["[", "1:2 the end, expected ]"],
    ["{} {}", '1:4 "{", expected nothing more'],
    ['["a\n"]', "1:4 the end of the line, expected a closing quotation mark"],
    ['["a\\n b', "1:8 the end, expected a closing quotation mark"],
    ['["\\x"]', '1:2 a text with a wrong escape, expected an escape like \\n, \\" or \\\\'],
    ['["\\u12"]', "1:2 a text with a wrong escape, expected \\u and four hexadecimal digits"],
    ['["\t"]', "1:2 a text with a control character, expected an escape like \\t"],
    ["[1.x]", '1:4 "x", expected a digit'],
    ['{"a" x: 1}', '1:6 "x", expected a colon'],
    ["[1 x]", '1:4 "x", expected a comma or ]'],
    ['[{"a": {}, b: 1}]', '1:12 "b", expected a name in double quotation marks'],
    ["[1]\r\n\r\n ,", '3:2 ",", expected nothing more'],
    ["// no\n[]", '1:1 "/", expected a value'],
    ["[\u201c1\u201d]", '1:2 "\u201c", expected a value or ]'],
    ["", "1:1 the end, expected a value"]
  ])("%j: %s", (text, sentence) => {
    assert.strictEqual(told(text), sentence)
  })

  it("is exactly what JSON.parse refuses", () => {
    const small = fc.json({ maxDepth: 2, stringUnit: fc.constantFrom("a", '"', "\\", "\n") })
    const put = fc.constantFrom(...'{}[]:,"\\ 0-.e\n\u0001x'.split(""))
    // One character more, less or another than what is right finds more than any noise.
    const broken = fc.tuple(small, fc.nat(), fc.nat({ max: 1 }), put).map(([text, at, gone, character]) => {
      const offset = at % (text.length + 1)
      return text.slice(0, offset) + character + text.slice(offset + gone)
    })
    fc.assert(
      fc.property(fc.oneof(small, broken), (text) => {
        assert.strictEqual(inspectJson(text).fault === null, parses(text))
      }),
      { numRuns: 5000 }
    )
  })

  it("nor does it nest deeper than anybody writes, be it JSON or not", () => {
    const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth)
    assert.strictEqual(told(nested(100)), "")
    for (const text of ["[".repeat(100_000), nested(101), `\n${nested(100_000)}`, '{"a":'.repeat(100_000)]) {
      assert.match(told(text), /^[12]:(?:101 "\["|501 "\{"), expected at most 100 levels$/)
      assert.strictEqual(inspectJson(text).fault?.problem, "is nested too deeply")
    }
  })
})

const parses = (text: string): boolean => {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

it("a key that stands twice in one object is told with its path and line, however it is spelt", () => {
  assert.deepStrictEqual(
    inspectJson('[{"a": 1, "env": {"x": 1,\n"\\u0078": 2}}, {"a": 1, "a": [], "a": 2}]').repeated,
    [
      { path: [0, "env"], key: "x", line: 2 },
      { path: [1], key: "a", line: 2 },
      { path: [1], key: "a", line: 2 }
    ]
  )
  assert.deepStrictEqual(inspectJson('{"__proto__": 1, "__proto__": 2}').repeated, [
    { path: [], key: "__proto__", line: 1 }
  ])
  assert.deepStrictEqual(inspectJson('{"a": {"b": 1}, "b": {"b": 1}, "c": [{"b": 1}, {"b": 1}]}').repeated, [])
})
