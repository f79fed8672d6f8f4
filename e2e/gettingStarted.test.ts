/**
 * README and docs/getting-started.md, from the first command to the last, in a folder of their own. The commands are the
 * page's; only three things are supplied: the clone comes from this repository, `npx -y pnpm@12 build` puts the program
 * there that the build has left, and Goose is the stand-in. Tinytask's port is a free one in place of 3000.
 */
import { chmodSync, mkdirSync, readdirSync } from "node:fs"
import { createServer } from "node:net"
import { dirname } from "node:path"
import { expect, it } from "vitest"
import { Ground } from "./harness/Ground.ts"
import { followPage, lacksProgramOf } from "./harness/page.ts"
import { program, repository } from "./harness/program.ts"

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer()
    server.once("error", reject)
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0))
    })
  })

const executable = (ground: Ground, name: string, text: string): void => chmodSync(ground.write(name, text), 0o755)

/** The build that a newcomer would wait for, as this test command has already made it. */
const build = `#!/bin/sh
[ "$*" = "-y pnpm@12 build" ] && [ -f package.json ] || { echo "unexpected: npx $*"; exit 2; }
mkdir -p packages/cli/dist && cp -r '${dirname(program)}'/* packages/cli/dist/
ln -s '${repository}node_modules' node_modules
`

const publishedAt = "https://github.com/ericroliver/tinyscheduler.git"

/** Git fetches the published address from here, whoever owns the files. */
const gitHere = {
  GIT_CONFIG_COUNT: "2",
  GIT_CONFIG_KEY_0: `url.${repository}.insteadOf`,
  GIT_CONFIG_VALUE_0: publishedAt,
  GIT_CONFIG_KEY_1: "safe.directory",
  GIT_CONFIG_VALUE_1: "*"
}

/** A machine on which nothing is set up: an empty home, git, and what the page asks for. */
const newcomer = async () => {
  const ground = new Ground()
  const port = String(await freePort())
  for (const folder of ["work", "notes"]) mkdirSync(ground.path(folder))
  executable(ground, "bin/npx", build)
  ground.installGoose()
  const options = {
    cwd: ground.path("work"),
    env: { ...ground.environment(gitHere), PATH: `${ground.path("bin")}:${process.env["PATH"] ?? ""}` },
    notes: ground.path("notes"),
    typed: (text: string) => text.replaceAll("3000", port)
  }
  return { ground, port, options }
}

it.skipIf(lacksProgramOf("docs/getting-started.md"))(
  "docs/getting-started.md leads from a clone to tasks done, command by command",
  async () => {
    const { ground, options } = await newcomer()
    expect(await followPage("docs/getting-started.md", options)).toBeGreaterThan(15)
    expect(readdirSync(ground.path("work/agents/state/attempts")).sort()).toEqual(
      [1, 2, 3, 4, 5].map((task) => `task_${task}.json`)
    )
    expect(ground.read("work/agents/.env")).not.toContain("GOOSE_BIN")
  }
)

it("README.md leads from a clone to a daemon, command by command", async () => {
  const { ground, options, port } = await newcomer()
  const { code } = await ground.cli(["clone", "-q", publishedAt, ground.path("clone")], {
    command: ["git"],
    env: gitHere
  })
  expect(code).toBe(0)
  const tinytask = ground.start(["tinytask", "serve", "--port", port])
  await tinytask.says("Tinytask listens at")
  const env = { ...options.env, TINYSCHEDULER_MCP_ENDPOINT: `http://localhost:${port}` }
  expect(await followPage("README.md", { ...options, cwd: ground.path("clone"), env })).toBe(2)
})
