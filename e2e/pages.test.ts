/**
 * The commands of the operator's pages, on a base path as they suppose one: a daemon runs, one task is at work, one
 * waits, one is parked.
 */
import { chmodSync, mkdirSync } from "node:fs"
import { expect, it } from "vitest"
import { read } from "../packages/cli/test/documents/markdown.ts"
import { Ground, makeGround } from "./harness/Ground.ts"
import { followPage, lacksProgramOf } from "./harness/page.ts"
import { program } from "./harness/program.ts"
import { addTask } from "./harness/tinytask.ts"
import { until } from "./harness/until.ts"

/** A base path that is in use, and what a terminal in it needs. */
const inUse = async (settings: string) => {
  const ground = new Ground()
  ground.installGoose()
  mkdirSync(ground.path("notes"))
  const launcher = ground.write("bin/tinyscheduler", `#!/bin/sh\nexec '${process.execPath}' -- '${program}' "$@"\n`)
  chmodSync(launcher, 0o755)
  ground.agents([ground.scripted("vaela", "dev"), ground.worker("oscar", "qa", { command: ["/bin/false"] })])
  const server = ground.start(["tinytask", "serve", "--port", "0"])
  await server.says(/listens at \S+/)
  const url = /http:\S+/.exec(server.said().stdout)?.[0] ?? ""
  ground.write(".env", `TINYSCHEDULER_MCP_ENDPOINT=${url}\nTINYSCHEDULER_MAX_ATTEMPTS=1\n${settings}`)
  ground.start(["run", "--daemon", "--loop-interval", "1"])
  const running = await addTask(url, { queue: "dev", description: JSON.stringify([["await", ground.path("gate")]]) })
  const failing = await addTask(url, { queue: "qa" })
  await addTask(url, { queue: "dev", blockedBy: running })
  await until("one runs and one is parked", () => ground.runs().length === 1 && ground.outcomes(failing).length === 1)
  const port = new URL(url).port
  return {
    cwd: ground.base,
    env: { ...ground.environment(), PATH: `${ground.path("bin")}:${process.env["PATH"] ?? ""}` },
    notes: ground.path("notes"),
    typed: (text: string) => text.replaceAll("3000", port)
  }
}

it("docs/commands.md names the fields of each command's JSON", async () => {
  const ground = await makeGround()
  ground.agents([ground.worker("vaela", "dev")])
  const rows = [...read("docs/commands.md").matchAll(/^\| `tinyscheduler ([^`]+ --json)` \| (.*) \|$/gm)]
  expect(rows.length).toBe(12)
  // So that the first of them, a pass, leaves a record.
  await ground.tinytask.add({ queue: "dev" })
  for (const [, command = "", fields = ""] of rows) {
    const elsewhere = command.startsWith("init") ? ["--yes", "--base-path", ground.path("new")] : []
    const words = [...command.matchAll(/"([^"]*)"|[^" ]+/g)].map(([word, quoted]) => quoted ?? word)
    const { stdout } = await ground.cli([...words, ...elsewhere, ...ground.endpoint])
    const named = [...fields.matchAll(/`(\w+)`/g)].map((match) => match[1] ?? "")
    expect(named.length, command).toBeGreaterThan(4)
    expect(Object.keys(JSON.parse(stdout)), command).toEqual(expect.arrayContaining(named))
  }
})

const follow = async (page: string, settings = ""): Promise<void> => {
  expect(await followPage(page, await inUse(settings))).toBeGreaterThan(0)
}

it.skipIf(lacksProgramOf("docs/operations.md"))("docs/operations.md does what it says, command by command", () =>
  follow("docs/operations.md")
)

it.skipIf(lacksProgramOf("docs/logs.md"))("docs/logs.md does what it says, command by command", () =>
  follow("docs/logs.md", "TINYSCHEDULER_LOG_FORMAT=json\n")
)

it.skipIf(lacksProgramOf("docs/troubleshooting.md"))(
  "docs/troubleshooting.md does what it says, command by command",
  () => follow("docs/troubleshooting.md")
)

it.skipIf(lacksProgramOf("docs/security.md"))("docs/security.md does what it says, command by command", () =>
  follow("docs/security.md")
)
