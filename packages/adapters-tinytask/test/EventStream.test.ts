import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { makeEventStreamDecoder } from "../src/EventStream.ts"

const stream =
  "event: a\ndata: 1\ndata:2\n\n: comment\r\ndata: \u2028\r\n\r\ndata\n\nid: 9\n\nevent: lost\n\ndata: last"
const events = [
  { event: "a", data: "1\n2" },
  { event: "message", data: "\u2028" },
  { event: "message", data: "" }
]

describe("an event stream", () => {
  it("gives each event as soon as its blank line is there, whichever line ends it has", () => {
    const { push } = makeEventStreamDecoder()
    assert.deepStrictEqual(push("data: x\r\n\r"), [])
    assert.deepStrictEqual(push("\n"), [{ event: "message", data: "x" }])
    assert.deepStrictEqual(push("data: y\n\n"), [{ event: "message", data: "y" }])
  })

  it("gives the same events however it is cut into pieces", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 12 }), { minLength: stream.length }), (lengths) => {
        const { end, push } = makeEventStreamDecoder()
        let at = 0
        const given = lengths.flatMap((length) => push(stream.slice(at, (at += length))))
        assert.deepStrictEqual(given, events)
        assert.deepStrictEqual(end(), [{ event: "message", data: "last" }])
      })
    )
  })
})
