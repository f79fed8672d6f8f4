/** What must not leak and what must not act: secrets, other people's text, other people's files. */
import { lstatSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { expect, it } from "vitest"
import { forward, serveFake } from "./harness/fakeServer.ts"
import { type Ground, makeGround } from "./harness/Ground.ts"
import { environmentOf } from "./harness/processes.ts"
import { expectTrouble } from "./harness/sentences.ts"
import { until } from "./harness/until.ts"

const secret = "t0ken-that-nobody-may-read"

/** Every file below a path. */
const filesBelow = (path: string): ReadonlyArray<string> =>
  readdirSync(path, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? filesBelow(join(path, entry.name)) : entry.isFile() ? [join(path, entry.name)] : []
  )

/** A Tinytask behind a proxy that wants a token. */
const guarded = (ground: Ground): Promise<string> =>
  serveFake((request, response) => {
    if (request.headers.authorization === `Bearer ${secret}`) forward(ground.tinytask.url, request, response)
    else response.writeHead(401).end(`wrong token: ${request.headers.authorization ?? "none"}`)
  })

it("a token opens the way to Tinytask and stands nowhere else: no file, no output, no process of an agent", async () => {
  const ground = await makeGround()
  ground.agents([ground.scripted("vaela", "dev")])
  const url = await guarded(ground)
  const steps = [["environment"], ["await", ground.path("gate")]]
  const task = await ground.tinytask.add({ queue: "dev", description: JSON.stringify(steps) })
  const env = { TINYSCHEDULER_MCP_TOKEN: secret, TINYSCHEDULER_MCP_ENDPOINT: url, TINYSCHEDULER_LOG_LEVEL: "DEBUG" }
  const daemon = ground.start(["run", "--daemon"], { env })
  await until("its agent runs", () => ground.lease(task)?.phase === "running" && ground.runs().length === 1)
  const processes = ground.processes().filter(({ pid }) => pid !== daemon.pid)
  expect(processes.length).toBeGreaterThanOrEqual(2)
  for (const { command, pid } of processes) {
    expect(JSON.stringify(environmentOf(pid)) + command).not.toContain(secret)
  }
  const said = [
    await ground.cli(["status"], { env }),
    await ground.cli(["config"], { env }),
    await ground.cli(["validate-config"], { env }),
    await ground.cli(["run", "--once", "--dry-run", "--json"], { env })
  ]
  ground.write("gate", "")
  await until("the task is complete", () => ground.tinytask.database.open() === 0 && ground.lease(task) === null)
  daemon.kill("SIGTERM")
  said.push(await daemon.ended)
  // And with a token that is refused, by a server that repeats it.
  const wrong = await ground.cli(["run", "--once", "--mcp-endpoint", url, "--mcp-token", "an0ther-secret"])
  expectTrouble(wrong, 1, /HTTP 401, it refuses the token/)
  expect(wrong.stderr).not.toContain("an0ther-secret")
  for (const { stderr, stdout } of said) expect(stderr + stdout).not.toContain(secret)
  const files = filesBelow(ground.base).filter((path) => /t0ken-that|an0ther-secret/.test(readFileSync(path, "utf8")))
  expect(files).toEqual([])
})

it("an agent gets our environment less our settings, plus its entry's and its attempt's own", async () => {
  const ground = await makeGround()
  ground.agents([ground.scripted("vaela", "dev", { env: { OWN: "of the entry" } })])
  const task = await ground.tinytask.add({ queue: "dev", description: JSON.stringify([["environment"]]) })
  const env = { TINYSCHEDULER_HEARTBEAT_SEC: "3", TINYSCHEDULER_UNKNOWN: "x", INHERITED: "yes", OWN: "inherited" }
  await ground.cli(["run", "--once", ...ground.endpoint], { env })
  const line = await until("it noted its environment", () => ground.lines().find(({ what }) => what === "environment"))
  const seen = JSON.parse(JSON.stringify(line.note))
  expect(seen).toMatchObject({
    INHERITED: "yes",
    OWN: "of the entry",
    TINYSCHEDULER_TASK_ID: String(task),
    TINYSCHEDULER_AGENT: "vaela",
    TINYSCHEDULER_ATTEMPT: "1",
    TINYSCHEDULER_EPOCH: "1",
    TINYSCHEDULER_LEASE: expect.stringMatching(/^[0-9a-f-]{36}$/),
    TINYSCHEDULER_MCP_ENDPOINT: ground.tinytask.url,
    TMPDIR: expect.stringContaining("state/tmp/")
  })
  const ours = Object.keys(seen).filter((name) => name.startsWith("TINYSCHEDULER_"))
  expect(ours.sort()).toEqual(
    ["AGENT", "ATTEMPT", "EPOCH", "LEASE", "MCP_ENDPOINT", "TASK_ID"].map((name) => `TINYSCHEDULER_${name}`)
  )
})

it("escape sequences, line breaks and direction marks of other people's text reach neither terminal nor log", async () => {
  const ground = await makeGround()
  const script = JSON.stringify([
    ["print", "\u001b[2J\u001b]0;gone\u0007"],
    ["exit", 3]
  ])
  ground.agents([ground.scripted("vaela", "dev")])
  const title = "evil \u001b]0;owned\u0007\u001b[31m\u202e\n20261123 00:00:00 INFO forged 界🎉"
  await ground.tinytask.add({ title, queue: "dev", description: script })
  await ground.tinytask.add({ title, queue: "a\u001b[5mqueue" }).catch(() => ground.tinytask.add({ title, queue: "q" }))
  await ground.tinytask.add({ title, assignee: "x\u001b[1m\u202ey" })
  const said = [await ground.cli(["run", "--once", ...ground.endpoint, "--log-level", "DEBUG"])]
  await until("its agent has ended", () => ground.lease(1)?.phase === "finished")
  said.push(
    await ground.cli(["status", ...ground.endpoint]),
    await ground.cli(["tinytask", "list", ...ground.endpoint]),
    await ground.cli(["run", "--once", "--dry-run", ...ground.endpoint]),
    await ground.cli(["run", "--once", ...ground.endpoint, "--log-level", "DEBUG"])
  )
  const logs = ground
    .files("logs")
    .filter((name) => name.endsWith(".log"))
    .map((name) => ground.read(`state/logs/${name}`))
  // oxlint-disable-next-line no-control-regex -- control characters are exactly what is looked for
  const dangerous = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/
  for (const text of [...said.flatMap(({ stderr, stdout }) => [stderr, stdout]), ...logs]) {
    expect(text).not.toMatch(dangerous)
    expect(text).not.toMatch(/^20261123 00:00:00 INFO forged/m)
  }
  expect(said[2]?.stdout).toContain("evil \\u001b]0;owned\\u0007")
  expect(said.map(({ code }) => code)).toEqual([0, 0, 0, 0, 0])
})

it("everything of the state is its user's alone: directories 0700, files 0600", async () => {
  const ground = await makeGround()
  ground.agents([ground.worker("vaela", "dev", { env: { WORK_MS: "1-2" } }), ground.scripted("oscar", "qa")])
  await ground.tinytask.add({ queue: "dev" })
  await ground.tinytask.add({ queue: "qa", description: JSON.stringify([["await", ground.path("never")]]) })
  const flags = [...ground.endpoint]
  await ground.cli(["run", "--once", ...flags])
  await until(
    "one has ended, one runs",
    () => ground.lease(1)?.phase === "finished" && ground.lease(2)?.phase === "running"
  )
  await ground.cli(["run", "--once", ...flags])
  const open = [ground.path("state"), ...entriesBelow(ground.path("state"))].filter(
    (path) => (lstatSync(path).mode & 0o077) !== 0
  )
  expect(open).toEqual([])
})

const entriesBelow = (path: string): ReadonlyArray<string> =>
  readdirSync(path, { withFileTypes: true }).flatMap((entry) => {
    const whole = join(path, entry.name)
    return entry.isDirectory() ? [whole, ...entriesBelow(whole)] : [whole]
  })
