/**
 * Hostile values on the way to a process: the order that a supervisor reads, the name of a recipe, the text of a task,
 * the text of a recipe. Nothing of it leads out of the recipes' directory or into an argument.
 */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, sep } from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { renderLaunch } from "@tinyscheduler/core/domain/AgentLaunch"
import { startingLease } from "../../core/test/builders.ts"
import {
  findUnclean,
  hostileContents,
  hostileJson,
  hostileTexts,
  placesIn,
  replaceAt
} from "../../core/test/hostileValues.ts"
import { inspectRecipe } from "../src/recipe/inspectRecipe.ts"
import { recipeSight } from "../src/recipeSight.ts"
import { decodeSpec } from "../src/supervisor/spec.ts"

let folder = ""
beforeAll(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "tinyscheduler-hostile-")))
  mkdirSync(join(folder, "recipes"))
  writeFileSync(join(folder, "recipes/vaela.yaml"), "")
  writeFileSync(join(folder, "outside.yaml"), "")
  symlinkSync(join(folder, "outside.yaml"), join(folder, "recipes/link.yaml"))
  symlinkSync(folder, join(folder, "recipes/up"))
})
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

describe("a hostile name of a recipe", () => {
  const names = [
    ...Object.values(hostileTexts),
    ...Object.values(hostileTexts).map((text) => `${text}/../vaela.yaml`),
    "../outside.yaml",
    "link.yaml",
    "up/outside.yaml",
    "./../recipes/../outside.yaml",
    "vaela.yaml/",
    "up"
  ]
  it("is never present unless it is a file in the recipes' directory, links followed", () => {
    for (const name of names) {
      const sight = recipeSight(join(folder, "recipes"), name)
      if (sight.state !== "present") continue
      assert.isTrue(realpathSync(sight.path).startsWith(join(folder, "recipes") + sep), name)
    }
    for (const name of ["../outside.yaml", "link.yaml", "up/outside.yaml"]) {
      assert.strictEqual(recipeSight(join(folder, "recipes"), name).state, "outside")
    }
  })
})

describe("a hostile text of a task", () => {
  it("is in the prompt, whole, and in no argument and no variable", () => {
    const launch = {
      command: ["/bin/agent", "--task={{taskId}}", "{{promptFile}}", "{{attempt}}"],
      gooseBin: "goose",
      recipesDirectory: "/recipes",
      prompt: "Do {{taskId}}:",
      cwd: "/",
      env: {}
    }
    const plain = renderLaunch(
      launch,
      startingLease(1, 1, "vaela"),
      { title: "", description: null },
      { promptFile: "/p" }
    )
    for (const text of Object.values(hostileTexts)) {
      for (const command of [launch.command, null]) {
        const task = { title: text, description: text }
        const rendered = renderLaunch({ ...launch, command }, startingLease(1, 1, "vaela"), task, { promptFile: "/p" })
        if (command !== null) assert.deepStrictEqual(rendered.argv, plain.argv)
        assert.include(rendered.promptText, text)
        if (text.length > 3) {
          for (const word of [...rendered.argv, ...Object.values(rendered.env)]) assert.notInclude(word, text)
        }
      }
    }
  })
})

describe("a hostile order to a supervisor", () => {
  const valid = {
    lease: { task_id: 1, epoch: 1, token: "t" },
    runningDir: "/s/running",
    claimsDir: "/s/claims",
    logDir: "/s/logs",
    tmpDir: "/s/tmp",
    argv: ["/bin/true"],
    env: { A: "b" },
    cwd: "/",
    heartbeatSec: 15,
    stopGraceSec: 10,
    hold: null
  }
  it("is one of the right form, or none", () => {
    assert.isNotNull(decodeSpec(JSON.stringify(valid)))
    for (const place of placesIn(valid)) {
      for (const [what, hostile] of Object.entries(hostileJson)) {
        // The writer of orders is JSON.stringify too, which gives up at some depth.
        if (what.includes("deep as")) continue
        const spec = decodeSpec(JSON.stringify(replaceAt(valid, place, hostile)))
        if (spec === null) continue
        for (const path of [spec.runningDir, spec.claimsDir, spec.logDir, spec.tmpDir, spec.cwd]) {
          assert.isTrue(path.startsWith("/"), what)
        }
        assert.isTrue(Number.isSafeInteger(spec.taskId) && Number.isSafeInteger(spec.epoch), what)
      }
    }
    for (const content of Object.values(hostileContents)) {
      if (typeof content === "string") assert.isNull(decodeSpec(content))
    }
  })
})

describe("a hostile recipe", () => {
  const bomb = `a: &a [x,x,x,x,x,x,x,x,x]\n${"bcdefgh"
    .split("")
    .map((name, index) => `${name}: &${name} [${Array.from({ length: 9 }, () => `*${"abcdefg"[index]}`).join(",")}]`)
    .join("\n")}`
  it("is told in clean sentences, and costs no more than its length", () => {
    const texts = [
      bomb,
      ...Object.values(hostileContents).flatMap((content) => (typeof content === "string" ? [content] : [])),
      ...Object.values(hostileTexts).flatMap((text) => [text, `title: ${JSON.stringify(text)}\nprompt: ${text}`])
    ]
    for (const text of texts.filter(({ length }) => length <= 128 * 1024)) {
      for (const { says } of inspectRecipe(text)) {
        assert.isNull(findUnclean(says), `${text.slice(0, 60)}: ${says.slice(0, 200)}`)
      }
    }
  })
})
