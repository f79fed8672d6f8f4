/** `graph` as people run it: what its page says, its formats read back, and what it refuses. */
import { chmodSync, mkdirSync } from "node:fs"
import { expect, it } from "vitest"
import { digestOf, type Ground, makeGround, treeOf } from "./harness/Ground.ts"
import { followPage } from "./harness/page.ts"
import { program } from "./harness/program.ts"

interface GraphJson {
  readonly version: number
  readonly nodes: ReadonlyArray<{ readonly taskId: number; readonly state: string; readonly title: string }>
  readonly edges: ReadonlyArray<{ readonly blocker: number; readonly blocked: number; readonly kind: string }>
  readonly cycles: ReadonlyArray<{ readonly members: ReadonlyArray<number> }>
  readonly criticalPath: { readonly taskIds: ReadonlyArray<number>; readonly length: number }
}

const graphJson = async (ground: Ground, ...args: ReadonlyArray<string>): Promise<GraphJson> =>
  JSON.parse((await ground.cli(["graph", ...args, ...ground.endpoint])).stdout)

it("docs/graph.md does what it says, command by command", async () => {
  const ground = await makeGround()
  mkdirSync(ground.path("notes"))
  const launcher = ground.write("bin/tinyscheduler", `#!/bin/sh\nexec '${process.execPath}' -- '${program}' "$@"\n`)
  chmodSync(launcher, 0o755)
  ground.agents([ground.worker("vaela", "dev")])
  ground.write(".env", `TINYSCHEDULER_MCP_ENDPOINT=${ground.tinytask.url}\n`)
  const steps = await followPage("docs/graph.md", {
    cwd: ground.base,
    env: { ...ground.environment(), PATH: `${ground.path("bin")}:${process.env["PATH"] ?? ""}` },
    notes: ground.path("notes"),
    typed: (text) => text
  })
  expect(steps).toBe(4)
})

it("every format tells of the same graph, nothing is written, and a hostile title stays a title", async () => {
  const ground = await makeGround()
  ground.agents([ground.worker("vaela", "dev", { slots: 0 })])
  const { tinytask } = ground
  const first = await tinytask.add({ queue: "dev", title: 'x"]; end\n%%{init: {}}%%\u001b[31m' })
  const second = await tinytask.add({ queue: "dev", blockedBy: first })
  const alone = await tinytask.add({ queue: "dev" })
  const before = digestOf(treeOf(ground.base).join("\n"))

  const json = await graphJson(ground, "--json")
  expect(json.version).toBe(1)
  expect(json.edges).toEqual([{ blocker: first, blocked: second, kind: "blocker" }])
  expect(json.nodes.map(({ state, taskId }) => [taskId, state])).toEqual([
    [first, "waiting"],
    [second, "waiting"]
  ])
  expect(json.criticalPath).toEqual({ taskIds: [first, second], length: 2 })
  expect(json.cycles).toEqual([])
  expect((await graphJson(ground, "--format", "json", "--all")).nodes.map(({ taskId }) => taskId)).toContain(alone)
  expect((await graphJson(ground, `${alone}`, "--json")).nodes).toHaveLength(1)

  const counts = { text: 5, mermaid: 5, dot: 7 }
  for (const [format, lines] of Object.entries(counts)) {
    const { code, stderr, stdout } = await ground.cli(["graph", "--format", format, ...ground.endpoint])
    expect({ format, code, stderr }).toEqual({ format, code: 0, stderr: "" })
    expect(stdout).not.toContain("\u001b")
    expect(stdout.trimEnd().split("\n"), stdout).toHaveLength(lines)
  }
  expect(digestOf(treeOf(ground.base).join("\n"))).toBe(before)
})

it("refuses in one sentence: another format, two formats, a task that is not there, a Tinytask that is not", async () => {
  const ground = await makeGround()
  ground.agents([ground.worker("vaela", "dev")])
  const refused = async (args: ReadonlyArray<string>, code: number, says: string) => {
    const ended = await ground.cli(["graph", ...args])
    expect({ args, code: ended.code }).toEqual({ args, code })
    expect(ended.stderr).toContain(says)
    expect(ended.stderr.trimEnd().split("\n"), ended.stderr).toHaveLength(1)
    return ended.stdout
  }
  expect(await refused(["--format", "svg", ...ground.endpoint], 2, "--format")).toBe("")
  expect(await refused(["--json", "--format", "dot", ...ground.endpoint], 2, "contradict each other")).toBe("")
  expect(await refused(["99", ...ground.endpoint], 2, "task 99 is not open and blocks no open task")).toBe("")
  expect(await refused(["one", ...ground.endpoint], 2, "task")).toBe("")
  expect(await refused(["--mcp-endpoint", "http://127.0.0.1:9"], 1, "127.0.0.1:9")).toBe("")
  const unread: { readonly tinytask: { readonly _tag: string } } = JSON.parse(
    await refused(["--json", "--mcp-endpoint", "http://127.0.0.1:9"], 1, "127.0.0.1:9")
  )
  expect(unread.tinytask._tag).toBe("Unread")
})
