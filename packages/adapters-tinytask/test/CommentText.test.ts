import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { cutComment } from "../src/CommentText.ts"

describe("a comment", () => {
  it("that fits stays as it is", () => {
    const text = "x".repeat(90_000)
    assert.strictEqual(cutComment(text), text)
    assert.notStrictEqual(cutComment(`${text}x`), `${text}x`)
  })

  it("is never longer in JSON than the server takes, whatever it is made of, and keeps its beginning", () => {
    const unit = fc.constantFrom("a", "é", "\u{1F680}", "\ud800", "\n", "\u0001", '"', "\u2028")
    fc.assert(
      fc.property(
        fc.string({ unit, maxLength: 20, minLength: 1 }),
        fc.integer({ min: 1, max: 20_000 }),
        (piece, times) => {
          const text = piece.repeat(times)
          const cut = cutComment(text)
          assert.isAtMost(Buffer.byteLength(JSON.stringify(cut)), 90_002)
          const note = `\n\n[cut: ${text.length} characters in all]`
          assert.isTrue(cut === text || (cut.endsWith(note) && text.startsWith(cut.slice(0, -note.length))))
        }
      ),
      { numRuns: 60 }
    )
  })
})
