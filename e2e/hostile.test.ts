/**
 * The built program among hostile values: typed, in the environment, in tasks, in a server's answers, in the state. Of
 * each class a sample, since the tables of the packages' hostile.test.ts try all; what only a process shows is judged
 * here: its exit code, its streams, what it left on the disk, what it started, and that it ends.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { gzipSync } from "node:zlib"
import { describe, expect, it } from "vitest"
import { findUncleanLine, hostileContents, hostileTexts } from "../packages/core/test/hostileValues.ts"
import { forward, serveFake } from "./harness/fakeServer.ts"
import { Ground, makeGround, treeOf } from "./harness/Ground.ts"
import { environmentOf } from "./harness/processes.ts"
import type { Ended } from "./harness/program.ts"
import { stackTrace } from "./harness/sentences.ts"
import { until } from "./harness/until.ts"

/** What a process can be given as an argument or a variable. */
const typable = Object.entries(hostileTexts).filter(([, text]) => !text.includes("\u0000") && text.length < 1000)

const documented: ReadonlySet<number | null> = new Set([0, 1, 2, 3])

const expectClean = (ended: Ended, what: string): void => {
  expect({ what, code: documented.has(ended.code), signal: ended.signal }).toEqual({
    what,
    code: true,
    signal: null
  })
  for (const stream of [ended.stdout, ended.stderr]) {
    expect({ what, unclean: findUncleanLine(stream) }).toEqual({ what, unclean: null })
    expect(stream).not.toMatch(stackTrace)
  }
}

/** Runs them a few at a time. */
const each = async <A>(items: ReadonlyArray<A>, run: (item: A, index: number) => Promise<void>): Promise<void> => {
  const waiting = [...items.entries()]
  const worker = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await run(next[1], next[0])
  }
  await Promise.all([worker(), worker(), worker()])
}

describe("what is typed", () => {
  it("and hostile, wherever it stands, is told in clean lines with exit code 2, and makes nothing", async () => {
    const ground = new Ground()
    const places: ReadonlyArray<(text: string) => ReadonlyArray<string>> = [
      (text) => [text],
      (text) => ["run", "--once", text],
      (text) => ["run", "--once", `--${text}`],
      (text) => ["tinytask", "add", "a title", "--parent", text],
      (text) => ["run", "--once", "--stop-wait", text],
      (text) => ["run", "--once", "--base-path", `./none/${text}`],
      (text) => ["run", "--once", "--agent-limit", text],
      (text) => ["init", "--agent", text, "--yes"]
    ]
    const before = treeOf(ground.base)
    await each(typable, async ([what, text], index) => {
      const args = places[index % places.length]?.(text) ?? []
      const ended = await ground.cli(args)
      expectClean(ended, `${what}: ${JSON.stringify(args)}`)
      // Help is shown for nothing typed, and for what is no command.
      if (text.trim() !== "" && text !== "--") expect({ what, args, code: ended.code }).toMatchObject({ code: 2 })
    })
    expect(treeOf(ground.base)).toEqual(before)
  })
})

describe("a working directory and a base path", () => {
  it("whose names move cursors and break lines are shown escaped", async () => {
    const ground = await makeGround()
    await each(
      ["esc\u001b]0;owned\u0007\u009b2J", "two\nlines", "\u202egnp", "-rf", "$(touch owned)"],
      async (name) => {
        const base = join(ground.base, name)
        mkdirSync(base)
        writeFileSync(join(base, "agent-control.json"), "[")
        for (const args of [["run", "--once"], ["status"], ["config", "--show"], ["validate-config"]]) {
          expectClean(
            await ground.cli([...args, ...ground.endpoint], { cwd: base }),
            `${JSON.stringify(name)} ${args[0]}`
          )
        }
        writeFileSync(join(base, "agent-control.json"), "[]")
        expectClean(await ground.cli(["status", ...ground.endpoint], { cwd: base }), JSON.stringify(name))
      }
    )
    expect(readdirSync(ground.base)).not.toContain("owned")
  })
})

describe("tasks", () => {
  it("with hostile titles, descriptions, queues, assignees and tags reach agents as data, and people escaped", async () => {
    const ground = await makeGround()
    const command = ["/bin/sh", "-c", 'cat "$1" >> "$2"; echo done', "agent", "{{promptFile}}", ground.path("prompts")]
    ground.agents([{ agentName: "vaela", agentType: "dev", command, success: "exit", slots: 99 }])
    const texts = Object.entries(hostileTexts).filter(([, text]) => text.trim() !== "" && text.length < 20_000)
    const add = async (task: Parameters<typeof ground.tinytask.add>[0]): Promise<void> => {
      // The server refuses some of them, as it should.
      await ground.tinytask.add(task).catch(() => {})
    }
    for (const [, text] of texts) {
      const title = text.slice(0, 200)
      await add({ title, description: text, queue: "dev" })
      await add({ title, queue: text })
      await add({ title, assignee: text })
      await add({ title, queue: "dev", assignee: "vaela", tags: [`recipe:${text}`, text] })
    }
    const said = [
      await ground.cli(["run", "--once", "--dry-run", ...ground.endpoint]),
      await ground.cli(["run", "--once", "--log-level", "DEBUG", ...ground.endpoint])
    ]
    await until("its agents have ended", () => ground.processes().length === 0)
    said.push(
      await ground.cli(["run", "--once", "--json", ...ground.endpoint]),
      await ground.cli(["status", ...ground.endpoint]),
      await ground.cli(["status", "--json", ...ground.endpoint]),
      await ground.cli(["tinytask", "list", "--all", ...ground.endpoint]),
      await ground.cli(["tinytask", "list", "--all", "--json", ...ground.endpoint])
    )
    const logs = ground.files("logs").filter((name) => name.endsWith(".log"))
    for (const [index, ended] of said.entries()) {
      const streams = { ...ended, stdout: ended.stdout.replace(/.{1500}/gs, "$&\n") }
      expectClean(streams, `output ${index}`)
    }
    for (const name of logs)
      expect(findUncleanLine(ground.read(`state/logs/${name}`).replace(/.{1500}/gs, "$&\n"))).toBeNull()
    expect(JSON.parse(said[6]?.stdout ?? "")).toBeInstanceOf(Array)
    // What was done: every task of the queue had its whole text in its prompt, and no shell ran any of it.
    const prompts = ground.read("prompts")
    for (const [, text] of texts.filter(([, plain]) => plain.isWellFormed() && !plain.includes("\u0000"))) {
      expect(prompts).toContain(text)
    }
    expect(readdirSync(ground.base).sort()).toEqual(["agent-control.json", "home", "prompts", "state"])
  })
})

describe("the state", () => {
  it("with hostile contents in every file: each pass ends, tells it in clean lines, and other tasks are done", async () => {
    const ground = await makeGround()
    ground.agents([ground.worker("vaela", "dev", { slots: 99, env: { WORK_MS: "1-2" } })])
    await ground.cli(["run", "--once", ...ground.endpoint])
    for (const [what, content] of Object.entries(hostileContents)) {
      const [lease, claim, attempts] = [
        await ground.tinytask.add({ title: what, queue: "dev" }),
        await ground.tinytask.add({ title: what, queue: "dev" }),
        await ground.tinytask.add({ title: what, queue: "dev" })
      ]
      for (const [name, mode] of [
        [`running/task_${lease}.json`, 0o600],
        [`claims/${claim}.1`, 0o600],
        [`stops/${lease}.1.json`, 0o600],
        [`attempts/task_${attempts}.json`, 0o600],
        [`requests/2026-${lease}.json`, 0o600]
      ] as const) {
        writeFileSync(ground.path(`state/${name}`), content, { mode })
      }
    }
    const fine = await ground.tinytask.add({ queue: "dev" })
    const first = await ground.cli(["run", "--once", ...ground.endpoint])
    expectClean(first, "the first pass")
    expect(first.code).toBe(1)
    await until("its agent has ended", () => ground.processes().length === 0)
    expectClean(await ground.cli(["run", "--once", ...ground.endpoint]), "the second pass")
    expectClean(await ground.cli(["status", ...ground.endpoint]), "status")
    expect(ground.runs().map(({ task }) => task)).toEqual([fine])
    expect(ground.tinytask.database.task(fine).status).toBe("complete")
  })
})

describe("a server", () => {
  const bomb = gzipSync(Buffer.alloc(1_000_000))
  const answers: Readonly<Record<string, Parameters<typeof serveFake>[0]>> = {
    "that is a compressed bomb": (_request, response) =>
      response.writeHead(200, { "content-type": "application/json", "content-encoding": "gzip" }).end(bomb),
    "that redirects": (_request, response) =>
      response.writeHead(307, { location: "http://169.254.169.254/latest" }).end(),
    "whose stream never ends": (_request, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" })
      response.write(": wait\n\n")
    },
    "that says nothing": () => {},
    "that answers a deep list": (_request, response) =>
      response.writeHead(200, { "content-type": "application/json" }).end("[".repeat(1_000_000)),
    "that moves cursors": (_request, response) =>
      response.writeHead(500, { "content-type": "text/plain" }).end(`${hostileTexts["a title of the window"]}\u009b2J`)
  }
  it.each(Object.entries(answers))(
    "%s is one clean sentence with exit code 1, and nothing starts",
    async (_name, listener) => {
      const ground = new Ground()
      ground.agents([ground.worker("vaela", "dev")])
      const url = await serveFake(listener)
      const ended = await ground.cli(["run", "--once", "--mcp-endpoint", url, "--mcp-timeout", "1"])
      expectClean(ended, url)
      expect(ended.code).toBe(1)
      expect(ground.runs()).toEqual([])
    }
  )
})

describe("the token", () => {
  const secret = "t0ken/that+nobody=may~read"
  it("is in nothing that a whole run leaves, not where it is refused, redirected or misspelt either", async () => {
    const ground = await makeGround()
    ground.agents([ground.scripted("vaela", "dev"), ground.worker("oscar", "qa")])
    const guarded = await serveFake((request, response) => {
      if (request.headers.authorization === `Bearer ${secret}`) forward(ground.tinytask.url, request, response)
      else response.writeHead(401).end(`wrong: ${request.headers.authorization ?? "none"}`)
    })
    const rude = await serveFake((request, response) =>
      response
        .writeHead(307, { location: `http://127.0.0.1:1/?${request.headers.authorization ?? ""}` })
        .end(`you sent ${request.headers.authorization ?? "none"}`)
    )
    const echo = await serveFake((request, response) => {
      const error = { code: -32000, message: `you sent ${request.headers.authorization ?? "none"}` }
      response.writeHead(200, { "content-type": "application/json" })
      response.end(JSON.stringify({ jsonrpc: "2.0", id: 1, error }))
    })
    await ground.tinytask.add({
      queue: "dev",
      description: JSON.stringify([["environment"], ["await", ground.path("gate")]])
    })
    await ground.tinytask.add({ queue: "qa" })
    await ground.tinytask.add({ queue: "dev", description: JSON.stringify([["exit", 3]]) })
    const env = (url: string) => ({
      TINYSCHEDULER_MCP_TOKEN: secret,
      TINYSCHEDULER_MCP_ENDPOINT: url,
      TINYSCHEDULER_LOG_LEVEL: "DEBUG",
      TINYSCHEDULER_LOG_FORMAT: "json"
    })
    const said: Array<Ended> = [await ground.cli(["run", "--once"], { env: env(guarded) })]
    await until("an agent waits", () => ground.lease(1)?.phase === "running" && ground.runs().length >= 2)
    for (const { command, pid } of ground.processes()) {
      expect(command + JSON.stringify(environmentOf(pid))).not.toContain(secret)
    }
    ground.write("gate", "")
    await until("all have ended", () => ground.processes().length === 0)
    for (const args of [
      ["run", "--once", "--json"],
      ["run", "--once", "--dry-run", "--json"],
      ["status", "--json"],
      ["config", "--show", "--json"],
      ["validate-config", "--json"]
    ]) {
      said.push(await ground.cli(args, { env: env(guarded) }))
    }
    for (const url of [rude, echo, "http://127.0.0.1:1", `http://x:${secret}@127.0.0.1:1`]) {
      said.push(await ground.cli(["run", "--once"], { env: env(url) }))
    }
    said.push(
      await ground.cli(["run", "--once"], { env: { TINYSCHEDULER_MCP_TOKEN: `${secret}\n`, TINYSCHEDULER_ORDER: "x" } })
    )
    for (const { stderr, stdout } of said) expect(stdout + stderr).not.toContain(secret)
    expect(ground.tinytask.database.dump()).not.toContain(secret)
    expect(leavings(ground.base).filter((path) => readFileSync(path).includes(secret))).toEqual([])
  })
})

/** Every file below a path. */
const leavings = (path: string): ReadonlyArray<string> =>
  readdirSync(path, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? leavings(join(path, entry.name)) : entry.isFile() ? [join(path, entry.name)] : []
  )
