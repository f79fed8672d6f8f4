/**
 * What README and docs say is so: their commands exist with the flags they show, their examples decode, their links lead
 * somewhere, every command and setting is told of. What can be executed is, by e2e/gettingStarted and e2e/pages.
 */
import { existsSync, readdirSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { prefix, settingKeys, settingTable } from "../src/settings/settingTable.ts"
import { blockFaults, commandFaults } from "./documents/blockChecks.ts"
import { commands, flagsOf, runSource, sharedFlags } from "./documents/commandLine.ts"
import { anchorsOf, blocksOf, codeOf, inRoot, linksOf, pages, proseOf, read } from "./documents/markdown.ts"

/** Its blocks are declarations as the compiler emits them; a test of the core compares the whole page. */
const generated = "docs/api.md"

const allText = pages.map((page) => read(page)).join("\n")

describe("pages", () => {
  it("have one first-level heading each", () => {
    for (const page of pages) assert.strictEqual([...proseOf(page).matchAll(/^# /gm)].length, 1, page)
  })

  it("have links that lead somewhere, anchors too", () => {
    const broken = pages.flatMap(linksOf).filter(({ anchor, path }) => {
      if (!existsSync(inRoot(path))) return true
      return anchor !== "" && !anchorsOf(path).has(anchor)
    })
    assert.deepStrictEqual(broken, [])
  })

  it("can each be reached from the README by links", () => {
    const reached = new Set(["README.md"])
    for (const page of reached) {
      for (const { path } of linksOf(page)) if (pages.includes(path)) reached.add(path)
    }
    assert.deepStrictEqual(
      pages.filter((page) => !reached.has(page)),
      []
    )
  })

  it("speak of nobody's working place", () => {
    const places = /\/work\/|\/root\/|\/tmp\/helpers|seed-README|seed's/
    assert.deepStrictEqual(
      pages.filter((page) => places.test(read(page))),
      []
    )
  })
})

describe("code", () => {
  const blocks = pages.filter((page) => page !== generated).map(blocksOf)

  it.each(
    blocks.flatMap((ofPage) =>
      ofPage.map((block, at) => ({ name: `${block.page}:${block.line}`, block, previous: ofPage[at - 1] }))
    )
  )("the block at $name is what its language says, with commands and flags that exist", async ({ block, previous }) => {
    assert.deepStrictEqual(await blockFaults(block, previous), [])
  })

  it("that is marked to be run stands on a page that an e2e test follows", () => {
    const marked = pages.filter((page) => blocksOf(page).some(({ marker }) => marker !== ""))
    const tests = readdirSync(inRoot("e2e"))
      .filter((name) => name.endsWith(".test.ts"))
      .map((name) => read(`e2e/${name}`))
      .join("\n")
    assert.isAbove(marked.length, 4)
    assert.deepStrictEqual(
      marked.filter((page) => !tests.includes(`"${page}"`)),
      []
    )
  })

  it.each(pages)("%s: each command line of ours within a sentence exists", (page) => {
    const lines = codeOf(page).filter((code) => /^(?:(?:\.\/)?tinyscheduler [a-z-]|npx -y pnpm@12 )/.test(code))
    assert.deepStrictEqual(
      lines.flatMap((line) => commandFaults(line.replace(/[…<>|]/g, "X"))),
      []
    )
  })
})

describe("completeness", () => {
  it.each([
    { page: "docs/configuration.md is what the settings say", script: "scripts/configuration-page.ts" },
    { page: "docs/outcomes.md is what the tables of endings and outcomes say", script: "scripts/outcomes-page.ts" },
    { page: "docs/forecast.svg and docs/graph.svg are what the commands draw", script: "scripts/pictures.ts" }
  ])("$page", ({ script }) => {
    const { status, stderr } = runSource(script, ["--check"])
    assert.strictEqual(status, 0, stderr)
  })

  it("every setting has its variable and its flag in the reference", () => {
    const page = read("docs/configuration.md")
    for (const key of settingKeys) {
      assert.include(page, `\`${prefix}${settingTable[key].variable}\``)
      assert.include(page, `\`--${settingTable[key].flag}\``)
    }
  })

  it("every command, and every flag of its own, is told of", () => {
    const untold = commands.flatMap((command) => [
      ...(allText.includes(`tinyscheduler ${command.join(" ")}`) ? [] : [command.join(" ")]),
      ...[...flagsOf(command)]
        .filter((flag) => flag !== "" && !sharedFlags.has(flag) && !allText.includes(flag))
        .map((flag) => `${command.join(" ")} ${flag}`)
    ])
    assert.deepStrictEqual(untold, [])
  })
})
