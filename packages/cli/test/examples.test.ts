/** The examples work: each team's file gives every queue an agent, each recipe runs with nobody there. */
import { cpSync, mkdtempSync, readdirSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import { assert, describe, it } from "@effect/vitest"
import { inspectRecipe } from "@tinyscheduler/adapters-process/recipe/inspectRecipe"
import { recipeSight } from "@tinyscheduler/adapters-process/recipeSight"
import { makePassMemory, plan } from "@tinyscheduler/core"
import { layerSimulation, World } from "@tinyscheduler/core/simulation"
import { configurationOf } from "../src/settings/Configuration.ts"
import { loadSettings } from "../src/settings/loadSettings.ts"
import { runSource } from "./documents/commandLine.ts"
import { inRoot, read } from "./documents/markdown.ts"

const filesIn = (folder: string, ending: string): ReadonlyArray<string> =>
  readdirSync(inRoot(folder))
    .filter((name) => name.endsWith(ending))
    .sort()

const teams = filesIn("examples/agent-control", ".json")
const recipes = filesIn("examples/recipes", ".yaml")

/** A base path as the README of the examples makes one: a team's file and the recipes beside it. */
const basePathOf = (team: string) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const base = mkdtempSync(join(tmpdir(), "tinyscheduler-examples-"))
      cpSync(inRoot(`examples/agent-control/${team}`), join(base, "agent-control.json"))
      cpSync(inRoot("examples/recipes"), join(base, "recipes"), { recursive: true })
      return base
    }),
    (base) => Effect.sync(() => rmSync(base, { recursive: true }))
  )

describe("examples/agent-control", () => {
  it("has a team of each size, and its README names each", () => {
    assert.deepStrictEqual(teams, ["medium.json", "multi-queue.json", "small.json"])
    for (const team of teams) assert.include(read("examples/agent-control/README.md"), `(${team})`)
  })

  it.effect.each(teams)("%s: every queue of the team has an agent that takes its task", (team) =>
    Effect.gen(function* () {
      const base = yield* basePathOf(team)
      const flags = { texts: new Map([["base-path", base]]), agentLimitPairs: [], envFile: null }
      const loaded = yield* loadSettings({ flags, environment: {}, workingDirectory: base })
      const config = yield* configurationOf(loaded, base)
      assert.deepStrictEqual(config.warnings, [])
      for (const queue of new Set(config.desired.agents.flatMap((agent) => agent.queues))) {
        const world = new World()
        world.recipes = config.desired.agents.flatMap(({ recipe }) =>
          recipe === null ? [] : [recipeSight(config.recipesDir, recipe)]
        )
        world.addTask({ queue })
        const { plan: made } = yield* plan({
          desired: config.desired,
          memory: yield* makePassMemory,
          startsOffReason: null
        }).pipe(Effect.provide(layerSimulation(world)))
        assert.deepStrictEqual(
          made.verdicts.map(({ _tag }) => _tag),
          ["Start"],
          queue
        )
      }
    }).pipe(Effect.scoped)
  )
})

describe("examples/recipes", () => {
  it("has a recipe for each kind of work, and its README names each", () => {
    assert.deepStrictEqual(recipes, ["developer.yaml", "product.yaml", "reviewer.yaml", "triage.yaml"])
    for (const recipe of recipes) assert.include(read("examples/recipes/README.md"), `(${recipe})`)
  })

  it.each(recipes)("%s has what Goose needs with nobody there", (name) => {
    const text = read(`examples/recipes/${name}`)
    assert.deepStrictEqual(inspectRecipe(text), [])
    assert.include(text, "type: streamable_http\n    name: tinytask\n    uri: http://localhost:3000/mcp")
  })
})

describe("examples/embed", () => {
  it("decides over ports of its own, and asks what if, why and until when", () => {
    const { status, stderr, stdout } = runSource("examples/embed/main.ts")
    assert.strictEqual(status, 0, stderr)
    const told = [...read("docs/embedding.md").matchAll(/^- `(.*)`$/gm)].map(([, line]) => line)
    assert.deepStrictEqual(told, stdout.trim().split("\n"))
    assert.deepStrictEqual(told, [
      "start task 1 on vaela (epoch 1, attempt 1)",
      "wait task 2: blocked by 1",
      "wait task 3: no free slot: queue dev 1/1",
      "task 3 would start now: one more slot for vaela",
      "with two slots: start task 3 on vaela (epoch 1, attempt 1)",
      "done in 30 minutes, with two slots in 20"
    ])
  })
})
