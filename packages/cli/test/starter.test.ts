/** The texts that `init` and `--fix` write: each passes the reader that it is written for. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { decodeAgentControl } from "@tinyscheduler/adapters-fs/AgentControl"
import { readDotEnv } from "@tinyscheduler/adapters-fs/DotEnv"
import { formatRecipe } from "@tinyscheduler/adapters-process/recipe/formatRecipe"
import { inspectRecipe } from "@tinyscheduler/adapters-process/recipe/inspectRecipe"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { afterAll, onTestFinished } from "vitest"
import { agentPrograms } from "../src/starter/agentPrograms.ts"
import { makeAll } from "../src/starter/newFiles.ts"
import { controlFileText, dotEnvText } from "../src/starter/starterFiles.ts"
import { starterRecipe } from "../src/starter/starterRecipe.ts"

const folder = mkdtempSync(join(tmpdir(), "tinyscheduler-starter-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe("starter texts", () => {
  it("a control file of every program has no fault and nothing to warn of", () => {
    const agents = agentPrograms.map((program) => ({ name: program, program, queues: ["dev", "qa"], slots: 2 }))
    const { entries, faults, warnings } = decodeAgentControl("control", JSON.parse(controlFileText(agents)))
    assert.deepStrictEqual([...faults, ...warnings], [])
    assert.deepStrictEqual(
      entries.map(({ name, slots }) => `${name} ${slots}`),
      agentPrograms.map((program) => `${program} 2`)
    )
  })

  it.each(["vaela.yaml", "vaela.json"])("a recipe passes the checks as %s, and leads to the endpoint", (name) => {
    const text = formatRecipe(starterRecipe("vaela", { mcpEndpoint: "http://127.0.0.1:3000/mcp/" }), name)
    assert.deepStrictEqual(inspectRecipe(text), [])
    assert.include(text, "http://127.0.0.1:3000/mcp")
    assert.notInclude(text, "/mcp/mcp")
  })

  it.effect.each([
    "plain",
    `a'b"c\\d`,
    "#no comment",
    "$HOME `x` ${y}",
    "'",
    '"',
    "'\"`",
    '{"dev": 2}',
    "\\n\\",
    "a=b"
  ])("a value comes back from .env as it went in: %s", (value) =>
    Effect.gen(function* () {
      const path = join(folder, ".env")
      writeFileSync(path, dotEnvText(new Map([["mcpToken", value]])))
      const { notices, variables } = yield* readDotEnv(path)
      assert.deepStrictEqual(notices, [])
      assert.strictEqual(variables.get("TINYSCHEDULER_MCP_TOKEN"), value)
    })
  )
})

describe("new files", () => {
  const fresh = (): string => {
    const path = mkdtempSync(join(folder, "files-"))
    onTestFinished(() => rmSync(path, { recursive: true, force: true }))
    return path
  }

  it("are made with the directories above them, for this user alone", () => {
    const base = fresh()
    const made = makeAll([{ path: join(base, "a/b/file"), text: "x", mode: 0o600 }])
    assert.deepStrictEqual(
      Result.getOrNull(made),
      ["a", "a/b", "a/b/file"].map((name) => join(base, name))
    )
    assert.deepStrictEqual(
      ["a", "a/b", "a/b/file"].map((name) => statSync(join(base, name)).mode & 0o777),
      [0o700, 0o700, 0o600]
    )
  })

  it("are all taken back when one is there already, which stays as it is", () => {
    const base = fresh()
    writeFileSync(join(base, "mine"), "mine")
    mkdirSync(join(base, "d"))
    const made = makeAll(
      ["new/one", "d/two", "mine"].map((name) => ({ path: join(base, name), text: "ours", mode: 0o600 }))
    )
    assert.isTrue(Result.isFailure(made))
    assert.deepStrictEqual(readdirSync(base).sort(), ["d", "mine"])
    assert.deepStrictEqual(readdirSync(join(base, "d")), [])
    assert.strictEqual(readFileSync(join(base, "mine"), "utf8"), "mine")
  })
})
