/**
 * Hostile texts as the value of every setting, from a flag, the environment and .env: a value of its kind or one clean
 * sentence that names what is to be mended; nothing is made, and the token is not repeated.
 */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, assert, beforeEach, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { readAgentFlag } from "tinyscheduler/starter/agentFlag"
import { loadSettings } from "tinyscheduler/settings/loadSettings"
import { placeFaults } from "tinyscheduler/settings/places"
import { nameOf, settingKeys, settingTable } from "tinyscheduler/settings/settingTable"
import { findUnclean, hostileContents, hostileTexts } from "../../core/test/hostileValues.ts"

let folder = ""
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tinyscheduler-hostile-"))
})
afterEach(() => {
  rmSync(folder, { recursive: true, force: true })
})

const origins = ["flag", "environment", "env file"] as const

interface Given {
  readonly flags?: ReadonlyMap<string, string>
  readonly pairs?: ReadonlyArray<string>
  readonly environment?: Readonly<Record<string, string>>
}

/** Every sentence that is told, of settings that are refused and of those that can't be put to use. */
const told = ({ environment = {}, flags = new Map(), pairs = [] }: Given): Effect.Effect<ReadonlyArray<string>> =>
  loadSettings({
    flags: { texts: flags, agentLimitPairs: pairs, envFile: null },
    environment,
    workingDirectory: folder
  }).pipe(
    Effect.map((loaded) => [...loaded.notices, ...placeFaults(loaded, folder)]),
    Effect.catchTag("ConfigurationError", ({ faults }) => Effect.succeed(faults))
  )

const expectClean = (sentences: ReadonlyArray<string>, where: string): void => {
  for (const sentence of sentences) assert.isNull(findUnclean(sentence), `${where}: ${sentence.slice(0, 300)}`)
}

describe("a hostile text", () => {
  for (const [index, key] of settingKeys.entries()) {
    const setting = settingTable[key]
    it.effect(`as the value of ${nameOf(setting)} is its value or told in clean sentences`, () =>
      Effect.gen(function* () {
        for (const [number, [what, text]] of Object.entries(hostileTexts).entries()) {
          const origin = origins[(index + number) % origins.length]
          if (origin === "env file") {
            writeFileSync(join(folder, ".env"), `${nameOf(setting)}=${text}\n`)
            expectClean(yield* told({}), `${what} in .env`)
            writeFileSync(join(folder, ".env"), "")
          } else if (origin === "flag") {
            expectClean(yield* told({ flags: new Map([[setting.flag, text]]) }), `${what} as a flag`)
          } else {
            expectClean(yield* told({ environment: { [nameOf(setting)]: text } }), `${what} in the environment`)
          }
          assert.deepStrictEqual(
            readdirSync(folder).filter((name) => name !== ".env"),
            []
          )
        }
        assert.isFalse("polluted" in {})
      })
    )
  }

  it.effect("as a name of a variable, as --agent-limit and as init's --agent is told in clean sentences", () =>
    Effect.gen(function* () {
      for (const [what, text] of Object.entries(hostileTexts)) {
        expectClean(yield* told({ environment: { [`TINYSCHEDULER_${text}`]: "x" } }), what)
        expectClean(yield* told({ pairs: [text, `a=${text}`, `${text}=1`] }), what)
        writeFileSync(join(folder, ".env"), `TINYSCHEDULER_${text}=1\n${text}\n`)
        expectClean(yield* told({}), what)
        writeFileSync(join(folder, ".env"), "")
        for (const wish of [text, `${text}=dev`, `a=${text}`, `a=dev:${text}`]) {
          const read = readAgentFlag(wish)
          if (Result.isFailure(read)) expectClean([read.failure], `${what} as --agent`)
        }
      }
    })
  )

  it.effect("in a token is nowhere repeated", () =>
    Effect.gen(function* () {
      for (const text of Object.values(hostileTexts).filter((hostile) => hostile.trim() !== "")) {
        const token = `s3cret${text}`
        const sentences = [
          ...(yield* told({ environment: { TINYSCHEDULER_MCP_TOKEN: token } })),
          ...(yield* told({ environment: { TINYSCHEDULER_MCP_ENDPOINT: `http://u:${token}@host/` } }))
        ]
        for (const sentence of sentences) assert.notInclude(sentence, "s3cret")
      }
    })
  )

  it.effect("for the whole of .env is told in clean sentences", () =>
    Effect.gen(function* () {
      for (const [what, content] of Object.entries(hostileContents)) {
        writeFileSync(join(folder, ".env"), content)
        expectClean(yield* told({}), what)
      }
    })
  )
})
