/** What people and machines get wrong: each thing one sentence and the right exit code, and nothing is lost. */
import { chmodSync, readFileSync, symlinkSync } from "node:fs"
import { describe, expect, it } from "vitest"
import { mountSmallDisk, noMount } from "./disk/smallDisk.ts"
import { serveFake } from "./harness/fakeServer.ts"
import { Ground, makeGround, treeOf } from "./harness/Ground.ts"
import { isLiving } from "./harness/processes.ts"
import { placeProgram } from "./harness/program.ts"
import { expectTrouble, troublesOf } from "./harness/sentences.ts"
import { until } from "./harness/until.ts"

const isRoot = process.getuid?.() === 0

const once = ["run", "--once"]

describe("state that can't be used", () => {
  it.each([
    { name: "a lease that is no JSON", text: "{ torn" },
    { name: "a lease with a missing field", text: '{ "task_id": 1, "phase": "running" }' },
    { name: "a lease that is too large", text: " ".repeat(70_000) },
    { name: "an empty lease", text: "" }
  ])("$name holds its task, is reported in every pass, and is left as it is; others start", async ({ text }) => {
    const ground = await makeGround()
    ground.agents([ground.worker("vaela", "dev", { slots: 2 })])
    await ground.cli([...once, ...ground.endpoint])
    const [held, other] = [await ground.tinytask.add({ queue: "dev" }), await ground.tinytask.add({ queue: "dev" })]
    ground.write(`state/running/task_${held}.json`, text)
    chmodSync(ground.leasePath(held), 0o600)
    for (let number = 0; number < 2; number += 1) {
      const ended = await ground.cli([...once, ...ground.endpoint])
      expectTrouble(ended, 1, /the lease of task 1 can't be read .*task_1\.json.*; the task is held/)
      expect(readFileSync(ground.leasePath(held), "utf8")).toBe(text)
    }
    await until("the other task ran", () => ground.runs().length === 1)
    expect(ground.runs().map(({ task }) => task)).toEqual([other])
    expect(ground.tinytask.database.task(held).status).toBe("idle")
    expect((await ground.cli(["status", ...ground.endpoint])).stdout).toContain("lease unreadable at")
  })

  it("an attempts file that can't be read holds its task and is left as it is", async () => {
    const ground = await makeGround()
    ground.agents([ground.worker("vaela", "dev")])
    await ground.cli([...once, ...ground.endpoint])
    const held = await ground.tinytask.add({ queue: "dev" })
    ground.write(`state/attempts/task_${held}.json`, "garbage")
    const ended = await ground.cli([...once, ...ground.endpoint])
    expectTrouble(ended, 1, /the attempts file of task 1 can't be read .*; the task is held/)
    expect(readFileSync(ground.path("state/attempts/task_1.json"), "utf8")).toBe("garbage")
    expect(ground.tinytask.database.task(held).status).toBe("idle")
  })

  it("a lease that is a symbolic link is not followed", async () => {
    const ground = await makeGround()
    ground.agents([ground.worker("vaela", "dev")])
    await ground.cli([...once, ...ground.endpoint])
    const held = await ground.tinytask.add({ queue: "dev" })
    symlinkSync(ground.write("elsewhere.json", "{}"), ground.leasePath(held))
    expectTrouble(await ground.cli([...once, ...ground.endpoint]), 1, /the lease of task 1 can't be read .*link/)
    expect(ground.runs()).toEqual([])
  })

  it.skipIf(!isRoot)("a state directory that this user may not write: one sentence, no start, no change", async () => {
    const ground = await makeGround()
    ground.agents([ground.worker("vaela", "dev")])
    await ground.tinytask.add({ queue: "dev" })
    await ground.cli([...once, ...ground.endpoint, "--enabled=false"])
    chmodSync(ground.base, 0o755)
    chmodSync(ground.path("state"), 0o755)
    const placed = placeProgram(ground.base)
    const asNobody = {
      command: ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", process.execPath, "--", placed]
    }
    const before = treeOf(ground.path("state"))
    const ended = await ground.cli([...once, ...ground.endpoint], asNobody)
    expectTrouble(ended, 1, /state.*(?:EACCES|permission|not allowed)/i)
    expect(treeOf(ground.path("state"))).toEqual(before)
    expect(ground.tinytask.database.changes()).toEqual([])
  })

  it("a full disk starts nothing, changes no task, and loses no lease; with room again all goes on", async ({
    skip
  }) => {
    const ground = await makeGround()
    ground.agents([ground.scripted("vaela", "dev", { slots: 9 })])
    const disk = mountSmallDisk(ground) ?? skip(noMount)
    const running = await ground.tinytask.add({
      queue: "dev",
      description: JSON.stringify([["await", ground.path("gate")]])
    })
    await ground.cli([...once, ...ground.endpoint])
    await until("its agent runs", () => ground.lease(running)?.phase === "running" && ground.runs().length === 1)
    disk.fill()
    const lease = readFileSync(ground.leasePath(running), "utf8")
    const waiting = await ground.tinytask.add({ queue: "dev", description: "[]" })

    const full = await ground.cli([...once, ...ground.endpoint])
    expect(full.code).toBe(1)
    expect(full.stderr).toMatch(/ENOSPC|no space/i)
    expect(full.stderr).not.toMatch(/^\s+at /m)
    expect(ground.tinytask.database.task(waiting)).toMatchObject({ status: "idle", assigned_to: null })
    expect(readFileSync(ground.leasePath(running), "utf8")).toBe(lease)
    expect(ground.runs()).toHaveLength(1)
    expect(isLiving(ground.runs()[0]?.pid ?? 0)).toBe(true)

    // The agent ends while nothing can be written: its supervisor keeps the ending until it can.
    ground.write("gate", "")
    await until("the agent has ended", () => !isLiving(ground.runs()[0]?.pid ?? 0))
    expect(ground.lease(running)?.phase).toBe("running")
    disk.empty()
    await until("its ending stands", () => ground.lease(running)?.phase === "finished")
    await until("both are complete", async () => {
      await ground.cli([...once, ...ground.endpoint, "--backoff-base", "0"])
      return ground.tinytask.database.open() === 0
    })
    expect(ground.runs().map(({ task }) => task)).toEqual([running, waiting])
  })
})

it("a disk that fills up under a daemon: it goes on looking, starts nothing, and starts when there is room", async ({
  skip
}) => {
  const ground = await makeGround()
  ground.agents([ground.worker("vaela", "dev")])
  const disk = mountSmallDisk(ground) ?? skip(noMount)
  const daemon = ground.start(["run", "--daemon", ...ground.endpoint, "--loop-interval", "1", "--backoff-base", "0"])
  await daemon.says("daemon: a pass every")
  const first = await ground.tinytask.add({ queue: "dev" })
  await until("the first task is complete", () => ground.tinytask.database.open() === 0 && ground.lease(first) === null)
  disk.fill()
  const task = await ground.tinytask.add({ queue: "dev" })
  await daemon.says(/ERROR .*no space is left on the device/)
  expect(ground.tinytask.database.task(task)).toMatchObject({ status: "idle", assigned_to: null })
  disk.empty()
  await until("the second task is complete", () => ground.tinytask.database.open() === 0)
  expect(ground.runs().map((run) => run.task)).toEqual([first, task])
  daemon.kill("SIGTERM")
  const { code, stderr } = await daemon.ended
  expect(code).toBe(0)
  expect(stderr).not.toMatch(/^\s+at /m)
})

describe("a Tinytask that can't be used is an error and never 'no work'", () => {
  /** One agent that runs, with its Tinytask gone; answers everything that must stay as it is. */
  const withRunningAgent = async () => {
    const ground = await makeGround()
    ground.agents([ground.scripted("vaela", "dev", { slots: 2 })])
    await ground.tinytask.add({ queue: "dev", description: JSON.stringify([["await", ground.path("gate")]]) })
    await ground.cli([...once, ...ground.endpoint, "--heartbeat", "600"])
    await until("its agent runs", () => ground.lease(1)?.phase === "running" && ground.runs().length === 1)
    const held = () => ({
      lease: readFileSync(ground.leasePath(1), "utf8"),
      claims: ground.files("claims"),
      tasks: ground.tinytask.database.dump(),
      living: isLiving(ground.runs()[0]?.pid ?? 0)
    })
    return { ground, held }
  }

  it("nothing listens there: one sentence, exit code 1, and what runs goes on with its slot", async () => {
    const { ground, held } = await withRunningAgent()
    const before = held()
    await ground.tinytask.down()
    const [pass, dry, status, list] = await Promise.all([
      ground.cli([...once, ...ground.endpoint]),
      ground.cli([...once, "--dry-run", ...ground.endpoint]),
      ground.cli(["status", ...ground.endpoint]),
      ground.cli(["tinytask", "list", ...ground.endpoint])
    ])
    for (const ended of [pass, dry, status, list]) {
      expectTrouble(
        ended,
        1,
        /^Tinytask at http:\/\/127\.0\.0\.1:\d+ can't be used: nothing listens there \(ECONNREFUSED\)/
      )
    }
    expect(pass.stdout).toBe("pass: 0 started, 0 ended, 0 stopping, 1 running, 0 waiting, 1 error\n")
    expect(status.stdout).toMatch(/running task 1 on vaela .*\n?/)
    expect(status.stdout).toContain("1/2")
    expect(list.stdout).toBe("")
    expect(held()).toEqual(before)
  })

  it("it never answers, or not to the end: every command ends within its timeouts, and what runs goes on", async () => {
    const { ground, held } = await withRunningAgent()
    const before = held()
    const silent = await serveFake(() => {})
    const stalling = await serveFake((_request, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" }).write("event: message\n")
    })
    const begun = performance.now()
    const [pass, ...others] = await Promise.all([
      ground.cli([...once, "--mcp-endpoint", silent]),
      ground.cli([...once, "--dry-run", "--mcp-endpoint", silent]),
      ground.cli(["status", "--mcp-endpoint", stalling]),
      ground.cli(["tinytask", "list", "--mcp-endpoint", stalling])
    ])
    console.log(`the longest took ${((performance.now() - begun) / 1000).toFixed(1)} s`)
    for (const ended of [pass, ...others]) expectTrouble(ended, 1, /can't be used: no answer within 30 s/)
    expect(held()).toEqual(before)
  })

  it.each([
    {
      name: "speaks only the legacy SSE transport",
      says: /it speaks only the legacy HTTP\+SSE transport; restart Tinytask with streamable HTTP/
    },
    { name: "is some web server", says: /HTTP 404, there is no MCP endpoint at \/mcp/ },
    { name: "wants another token", says: /HTTP 401, it refuses the token or its absence/ },
    { name: "redirects", says: /it redirects to .*, which is not followed/ },
    { name: "answers with HTML", says: /it answers with text\/html, which no Tinytask does/ },
    { name: "answers with another JSON", says: /its JSON is not an answer to the request/ }
  ])("it $name: one sentence, exit code 1", async ({ name, says }) => {
    const url = await serveFake((request, response) => {
      const legacy = name.startsWith("speaks")
      if (legacy && request.method === "GET") {
        response.writeHead(200, { "content-type": "text/event-stream" })
        response.write("event: endpoint\ndata: /messages?sessionId=1\n\n")
        return
      }
      const answers: Readonly<Record<string, () => void>> = {
        "is some web server": () => response.writeHead(404).end("not found"),
        "wants another token": () => response.writeHead(401).end("no"),
        redirects: () => response.writeHead(302, { location: "https://example.org/login" }).end(),
        "answers with HTML": () => response.writeHead(200, { "content-type": "text/html" }).end("<html>"),
        "answers with another JSON": () => response.writeHead(200, { "content-type": "application/json" }).end("{}")
      }
      const answer = answers[name] ?? (() => response.writeHead(404).end("Cannot POST /mcp"))
      answer()
    })
    const ground = new Ground()
    ground.agents([ground.worker("vaela", "dev")])
    expectTrouble(await ground.cli([...once, "--mcp-endpoint", url]), 1, says)
  })

  it("an agent that ends while Tinytask is down keeps its ending until Tinytask is there again", async () => {
    const { ground } = await withRunningAgent()
    await ground.tinytask.down()
    ground.write("gate", "")
    await until("its ending stands", () => ground.lease(1)?.phase === "finished")
    const down = await ground.cli([...once, ...ground.endpoint])
    expect(troublesOf(down.stderr)).toHaveLength(1)
    expect(ground.lease(1)?.phase).toBe("finished")
    expect(ground.outcomes(1)).toEqual([])
    await ground.tinytask.up()
    expect((await ground.cli([...once, ...ground.endpoint])).stdout).toContain("1 ended")
    expect(ground.tinytask.database.open()).toBe(0)
  })
})
