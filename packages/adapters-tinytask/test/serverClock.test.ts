/** How far a server's clock is off, told by a header of whole seconds. */
import { assert, it } from "@effect/vitest"
import { skewOf } from "../src/serverClock.ts"

const date = "Mon, 23 Nov 2026 04:00:00 GMT"
const at = Date.parse(date)

it.each([
  { name: "the same second", sent: at + 10, answered: at + 400, skew: 0 },
  { name: "the second changed on the way", sent: at - 100, answered: at + 100, skew: 0 },
  { name: "sent within the second before", sent: at - 900, answered: at, skew: 0 },
  { name: "the server is ahead", sent: at - 9000, answered: at - 8000, skew: 8000 },
  { name: "the server is behind", sent: at + 61_000, answered: at + 61_500, skew: -60_000 },
  { name: "a slow answer is no difference", sent: at - 30_000, answered: at + 30_000, skew: 0 }
])("$name: $skew ms", ({ answered, sent, skew }) => {
  assert.strictEqual(skewOf(date, sent, answered), skew)
})

it("a server without a readable Date tells nothing", () => {
  assert.isNull(skewOf(null, at, at))
  assert.isNull(skewOf("soon", at, at))
})
