/** What README and docs say is so: their commands exist, their examples decode, their generated page is up to date. */
import { spawnSync } from "node:child_process"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import { decodeAgentControl } from "@tinyscheduler/adapters-fs/AgentControl"
import { recipeSight } from "@tinyscheduler/adapters-process/recipeSight"

const root = fileURLToPath(new URL("../../..", import.meta.url))
const inRoot = (path: string): string => join(root, path)
const read = (path: string): string => readFileSync(inRoot(path), "utf8")

const documents = [
  "README.md",
  "ARCHITECTURE.md",
  "CONTRIBUTING.md",
  "CHANGELOG.md",
  ...readdirSync(inRoot("docs"))
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`)
]

const blocks = (language: string) =>
  documents.flatMap((document) =>
    [...read(document).matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, "gm"))].map(
      (match): readonly [string, string] => [document, match[1] ?? ""]
    )
  )

const runSource = (args: ReadonlyArray<string>) =>
  spawnSync(process.execPath, ["--conditions=source", inRoot("packages/cli/src/bin.ts"), ...args], {
    encoding: "utf8",
    cwd: root
  })

const helps = new Map<string, ReturnType<typeof runSource>>()
const helpOf = (command: ReadonlyArray<string>) => {
  const key = command.join(" ")
  const help = helps.get(key) ?? runSource([...command, "--help"])
  helps.set(key, help)
  return help
}

/** Command lines of ours that a document shows: in sh blocks and in inline code. */
const commandLines = (): ReadonlyArray<readonly [string, string]> => [
  ...blocks("sh").flatMap(([document, text]) =>
    text
      .split("\n")
      .map((line): readonly [string, string] => [document, line.replace(/\s+#.*$/, "").trim()])
      .filter(([, line]) => line !== "")
  ),
  ...documents.flatMap((document) =>
    [...read(document).matchAll(/`((?:\.\/)?tinyscheduler [a-z][^`]*|npx -y pnpm@12 [^`]+)`/g)].map(
      (match): readonly [string, string] => [document, match[1] ?? ""]
    )
  )
]

const scripts: Readonly<Record<string, string>> = JSON.parse(read("package.json")).scripts

describe("documents", () => {
  it("show commands", () => {
    assert.isAbove(commandLines().length, 20)
  })

  it.each(commandLines())("%s: %s is a command that there is, with flags that it has", (_document, line) => {
    const pnpm = /^npx -y pnpm@12 ([a-z]+)/.exec(line)?.[1]
    if (pnpm !== undefined) {
      assert.property(scripts, pnpm)
      return
    }
    const ours = /^(?:\.\/)?tinyscheduler (.*)$/.exec(line)?.[1]
    if (ours === undefined) {
      assert.match(line, /^(cp|cd) /)
      return
    }
    const words = ours.match(/"[^"]*"|\S+/g) ?? []
    const command = words.slice(0, words[0] === "tinytask" ? 2 : 1)
    const help = helpOf(command)
    assert.strictEqual(help.status, 0, help.stderr)
    for (const flag of words.filter((word) => word.startsWith("--"))) assert.include(help.stdout, flag)
  })

  it.each(blocks("json"))("%s: a control file that is shown is one", (document, text) => {
    const { faults, warnings } = decodeAgentControl(document, JSON.parse(text))
    assert.deepStrictEqual([...faults, ...warnings], [])
  })

  it("docs/configuration.md is what the settings say", () => {
    const { status, stderr } = spawnSync(
      process.execPath,
      ["--conditions=source", inRoot("scripts/configuration-page.ts"), "--check"],
      { encoding: "utf8", cwd: root }
    )
    assert.strictEqual(status, 0, stderr)
  })

  it.each(
    documents.flatMap((document) =>
      [...read(document).matchAll(/\]\((?!https?:)([^)#]+)\)/g)].map((match): readonly [string, string] => [
        document,
        match[1] ?? ""
      ])
    )
  )("%s: the link to %s leads somewhere", (document, target) => {
    assert.isTrue(existsSync(join(dirname(inRoot(document)), target)))
  })

  it("every document has one first-level heading", () => {
    for (const document of documents) {
      const text = read(document).replace(/^```[\s\S]*?^```/gm, "")
      assert.strictEqual([...text.matchAll(/^# /gm)].length, 1, document)
    }
  })
})

describe("examples", () => {
  it("examples/team has a recipe for each of its agents", () => {
    const { entries, faults, warnings } = decodeAgentControl(
      "team",
      JSON.parse(read("examples/team/agent-control.json"))
    )
    assert.deepStrictEqual([...faults, ...warnings], [])
    for (const { name } of entries) {
      assert.strictEqual(recipeSight(inRoot("examples/team/recipes"), `${name}.yaml`).state, "present")
    }
  })

  it("examples/embed decides over ports of its own", () => {
    const { status, stderr, stdout } = spawnSync(
      process.execPath,
      ["--conditions=source", inRoot("examples/embed/main.ts")],
      { encoding: "utf8", cwd: root }
    )
    assert.strictEqual(status, 0, stderr)
    assert.deepStrictEqual(stdout.trim().split("\n"), [
      "start task 1 on vaela (epoch 1, attempt 1)",
      "wait task 2: blocked by 1",
      "wait task 3: no free slot: queue dev 1/1"
    ])
  })
})
