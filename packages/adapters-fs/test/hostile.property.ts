/**
 * Whatever text or value stands in a control file, a .env file or a file of the state: decoded, or told in clean
 * sentences. RUNS (default 1000) and SEED come from the environment.
 */
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { AttemptsFile, AgentsFile, StopFile } from "@tinyscheduler/core/domain/Attempts"
import { ClaimFile } from "@tinyscheduler/core/domain/Lease"
import { findUnclean, hostileTexts } from "../../core/test/hostileValues.ts"
import { decodeAgentControl, parseAgentControl } from "../src/AgentControl.ts"
import { parseDotEnv } from "../src/dotEnvText.ts"
import { makeDecoder, parseJson } from "../src/jsonFile.ts"
import { inspectJson } from "../src/jsonText.ts"
import { oneLine } from "../src/oneLine.ts"

const parameters = {
  numRuns: Number(process.env["RUNS"] ?? 1000),
  seed: Number(process.env["SEED"] ?? 20_261_123)
}

const evil = fc.constantFrom(...Object.values(hostileTexts).filter((text) => text.length < 500))
const texts = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.json(),
  evil,
  fc.array(fc.oneof(fc.string(), evil)).map((parts) => parts.join(""))
)
const values = fc.oneof(fc.anything({ withNullPrototype: true }), fc.jsonValue())

const expectClean = (sentences: ReadonlyArray<string>): void => {
  for (const sentence of sentences)
    expect({ sentence, unclean: findUnclean(sentence) }).toEqual({ sentence, unclean: null })
}

describe("a text from outside", () => {
  it("is a control file, or told in clean sentences", () => {
    fc.assert(
      fc.property(texts, (text) => {
        const { faults, warnings } = parseAgentControl("agents", text)
        expectClean([...faults, ...warnings])
      }),
      parameters
    )
  })

  it("is a .env file, or told in clean sentences", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          texts,
          texts.map((text) => `TINYSCHEDULER_A="${text}`)
        ),
        (text) => {
          const { faults, notices, variables } = parseDotEnv(text)
          expectClean([...faults, ...notices])
          expect(variables).toBeInstanceOf(Map)
        }
      ),
      parameters
    )
  })

  it("is JSON exactly where JSON.parse says so", () => {
    fc.assert(
      fc.property(texts, (text) => {
        const { fault } = inspectJson(text)
        if (fault?.problem !== "is nested too deeply") expect(fault === null).toBe(parseJson(text).ok)
        if (fault !== null) expectClean([fault.found, fault.expected])
      }),
      parameters
    )
  })

  it("is one bounded line once it is reported", () => {
    fc.assert(
      fc.property(texts, (text) => {
        expectClean([oneLine(text)])
      }),
      parameters
    )
  })
})

describe("a value from outside", () => {
  const entry = fc.record(
    {
      agentName: fc.oneof(values, fc.constant("a")),
      agentType: fc.oneof(values, fc.constant("q")),
      env: values,
      command: values,
      slots: values
    },
    { requiredKeys: [] }
  )
  it("is a list of entries, or told in clean sentences", () => {
    fc.assert(
      fc.property(fc.oneof(values, fc.array(fc.oneof(entry, values))), (value) => {
        const { faults, warnings } = decodeAgentControl("agents", value)
        expectClean([...faults, ...warnings])
      }),
      parameters
    )
  })

  it.each([
    ["a claim", makeDecoder(ClaimFile)],
    ["a stop record", makeDecoder(StopFile)],
    ["an attempts file", makeDecoder(AttemptsFile)],
    ["the agents' file", makeDecoder(AgentsFile)]
  ] as const)("is %s, or told in one clean sentence", (_name, decode) => {
    fc.assert(
      fc.property(values, (value) => {
        const decoded = decode(value)
        if (!decoded.ok) expectClean([decoded.problem])
      }),
      parameters
    )
  })
})
