/**
 * What must hold of every text and value that comes from outside, tried on fast-check's: names, file names, escapes,
 * prompts. RUNS (default 2000) and SEED come from the environment: the test command sees the same values each time.
 */
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { unknownPlaceholders } from "../src/domain/AgentLaunch.ts"
import { AgentName, QueueName, Timestamp, Token } from "../src/domain/identifiers.ts"
import { LeaseFile } from "../src/domain/Lease.ts"
import { escapeJsonText, escapeText } from "../src/domain/plainText.ts"
import { RequestFile } from "../src/domain/Request.ts"
import * as layout from "../src/protocol/layout.ts"
import { findUnclean, hostileTexts, placesIn, replaceAt } from "./hostileValues.ts"
import { runningLease } from "./builders.ts"

const parameters = {
  numRuns: Number(process.env["RUNS"] ?? 2000),
  seed: Number(process.env["SEED"] ?? 20_261_123)
}

/** Every code unit, also halves of characters; and what is known to be evil, alone and within others. */
const texts = fc.oneof(
  fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)) }),
  fc.string({ unit: "binary" }),
  fc.string({ unit: "grapheme" }),
  fc.constantFrom(...Object.values(hostileTexts).filter((text) => text.length < 500)),
  fc
    .tuple(
      fc.string(),
      fc.constantFrom(...Object.values(hostileTexts).filter((text) => text.length < 500)),
      fc.string()
    )
    .map((parts) => parts.join(""))
)

const holds = (property: (text: string) => void): void => fc.assert(fc.property(texts, property), parameters)

describe("a text from outside", () => {
  it("is, once escaped, one line that no terminal obeys; escaping it again changes nothing", () => {
    holds((text) => {
      const escaped = escapeText(text)
      if (escaped.length < 2000) expect(findUnclean(escaped)).toBeNull()
      expect(escapeText(escaped)).toBe(escaped)
    })
  })

  it("means the same in JSON that was escaped, which no terminal obeys", () => {
    holds((text) => {
      const json = escapeJsonText(JSON.stringify([text]))
      expect(JSON.parse(json)).toEqual([text])
      if (json.length < 2000) expect(findUnclean(json)).toBeNull()
    })
  })

  it("is an agent's name only in the form of one, and a queue's only without control characters", () => {
    holds((text) => {
      if (Schema.is(AgentName)(text)) expect(text).toMatch(/^[A-Za-z0-9_][A-Za-z0-9_-]{0,63}$(?![^])/)
      if (Schema.is(QueueName)(text)) expect(escapeText(text)).not.toMatch(/\\u00[0189]/)
      if (Schema.is(Timestamp)(text)) expect(Number.isNaN(Date.parse(text))).toBe(false)
      if (Schema.is(Token)(text)) expect(text).toHaveLength(36)
    })
  })

  it("is a file name of ours only when we would write it so", () => {
    holds((text) => {
      const id = layout.parseTaskFileName(text)
      if (id !== null) expect(`task_${id}.json`).toBe(text)
      const claim = layout.parseClaimFileName(text)
      if (claim !== null) expect(`${claim.taskId}.${claim.epoch}`).toBe(text)
      const stop = layout.parseStopFileName(text)
      if (stop !== null) expect(`${stop.taskId}.${stop.epoch}.json`).toBe(text)
      for (const parse of [layout.parseLogFileName, layout.parsePromptFileName, layout.parseTaskDirectoryName]) {
        if (parse(text) !== null) expect(text).toMatch(/^[0-9]+(?:\.log|\.prompt)?$/)
      }
      if (layout.parseTemporaryName(text) !== null) expect(text.startsWith(".tmp-")).toBe(true)
    })
  })

  it("has placeholders that can be told without an end", () => {
    holds((text) => {
      for (const name of unknownPlaceholders(text)) expect(text).toContain(`{{${name}}}`)
    })
  })
})

describe("a value from outside", () => {
  const valid = Schema.encodeSync(LeaseFile)(runningLease(1, 1, "vaela"))
  const places = placesIn(valid)
  const decodeLease = Schema.decodeUnknownResult(LeaseFile)
  const decodeRequest = Schema.decodeUnknownResult(RequestFile)

  it("is a lease or is refused; what is accepted comes back as it was", () => {
    const mutated = fc
      .tuple(fc.constantFrom(...places), fc.oneof(fc.anything(), fc.jsonValue(), texts))
      .map(([place, value]) => replaceAt(valid, place, value))
    fc.assert(
      fc.property(fc.oneof(mutated, fc.anything({ withNullPrototype: true })), (value) => {
        const decoded = decodeLease(value)
        if (Result.isFailure(decoded)) return
        const written = JSON.parse(JSON.stringify(Schema.encodeSync(LeaseFile)(decoded.success)))
        expect(Result.getOrNull(decodeLease(written))).toEqual(decoded.success)
      }),
      parameters
    )
  })

  it("is a request or is refused, without an exception", () => {
    fc.assert(
      fc.property(fc.oneof(fc.anything({ withNullPrototype: true }), fc.jsonValue()), (value) => {
        decodeRequest(value)
      }),
      parameters
    )
  })
})
