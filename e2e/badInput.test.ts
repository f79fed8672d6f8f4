/** What people and machines get wrong: each thing one sentence and the right exit code, and nothing is lost. */
import { execFileSync } from "node:child_process"
import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs"
import { describe, expect, it, onTestFinished } from "vitest"
import { serveFake } from "./harness/fakeServer.ts"
import { Ground, makeGround, treeOf } from "./harness/Ground.ts"
import { isLiving } from "./harness/processes.ts"
import { linesOf, program } from "./harness/program.ts"
import { expectTrouble, troublesOf } from "./harness/sentences.ts"
import { until } from "./harness/until.ts"

const isRoot = process.getuid?.() === 0

interface Wrong {
  readonly name: string
  readonly args: ReadonlyArray<string>
  readonly env?: Readonly<Record<string, string>>
  readonly files?: Readonly<Record<string, string>>
  readonly says: RegExp
}

const once = ["run", "--once"]
const control = (text: string) => ({ "agent-control.json": text })

describe("a wrong command line or configuration is told in one sentence, with exit code 2, and nothing is made", () => {
  const wrongs: ReadonlyArray<Wrong> = [
    { name: "an unknown flag", args: ["run", "--once", "--frobnicate"], says: /^Unrecognized flag: --frobnicate/ },
    { name: "an unknown flag before the command", args: ["--frobnicate", "run"], says: /--frobnicate/ },
    { name: "an unknown command", args: ["frobnicate"], says: /^Unknown subcommand "frobnicate"/ },
    { name: "a missing argument", args: ["tinytask", "add"], says: /^Missing required argument: title/ },
    { name: "run without a mode", args: ["run"], says: /^run needs exactly one of --once .* and --daemon/ },
    { name: "run with both modes", args: ["run", "--once", "--daemon"], says: /^run needs exactly one of/ },
    { name: "a port that there is not", args: ["up", "--port", "99999"], says: /--port: "99999"/ },
    { name: "a number that is none", args: [...once, "--stop-wait", "soon"], says: /--stop-wait: "soon"/ },
    {
      name: "a missing --env-file",
      args: [...once, "--env-file", "nope.env"],
      says: /^--env-file nope\.env: there is no such file$/
    },
    {
      name: "slots in a flag",
      args: [...once, "--agent-limits", "vaela:many"],
      says: /^--agent-limits .*expected a whole number from 0 to 10000$/
    },
    {
      name: "slots in the environment",
      args: once,
      env: { TINYSCHEDULER_AGENT_LIMITS: '{"vaela": -1}' },
      says: /^TINYSCHEDULER_AGENT_LIMITS: entry 1: found "-1"/
    },
    {
      name: "slots in .env",
      args: once,
      files: { ".env": "TINYSCHEDULER_AGENT_LIMITS={\n" },
      says: /^TINYSCHEDULER_AGENT_LIMITS in .*\.env: it begins with \{ and is not JSON/
    },
    {
      name: "one agent's slots",
      args: [...once, "--agent-limit", "vaela"],
      says: /^--agent-limit: .*found no =, expected name=number$/
    },
    {
      name: "an interval",
      args: ["run", "--daemon", "--loop-interval", "0"],
      says: /^--loop-interval .*"0" is not a whole number from 1/
    },
    {
      name: "a word for true",
      args: once,
      env: { TINYSCHEDULER_ENABLED: "maybe" },
      says: /^TINYSCHEDULER_ENABLED: "maybe" is not true or false$/
    },
    { name: "an order", args: [...once, "--order", "random"], says: /is not one of blockers, priority$/ },
    {
      name: "an endpoint that is no URL",
      args: [...once, "--mcp-endpoint", "localhost"],
      says: /is not an http or https address/
    },
    {
      name: "an endpoint with a password",
      args: [...once, "--mcp-endpoint", "http://me:secret@localhost"],
      says: /^--mcp-endpoint .*: an address must not hold a user or a password/
    },
    {
      name: "plain http to another machine",
      args: [...once, "--mcp-endpoint", "http://192.0.2.1:3000"],
      says: /is refused: plain http to another machine is readable on the way/
    },
    {
      name: "a control file that is named and missing",
      args: [...once, "--agent-control-file", "nope.json"],
      says: /AGENT_CONTROL_FILE: there is no .*nope\.json$/
    },
    {
      name: "a control file without a field",
      args: once,
      files: control('[{ "agentName": "vaela" }]'),
      says: /^agent-control\.json: entry 1 \("vaela"\): agentType is missing; expected a queue name/
    },
    {
      name: "a control file that is no JSON",
      args: once,
      files: control("[{"),
      says: /^agent-control\.json: is not JSON/
    },
    {
      name: "a control file that is no list",
      args: once,
      files: control("{}"),
      says: /^agent-control\.json: is an object; expected a list of entries$/
    },
    { name: "an empty control file", args: once, files: control(""), says: /^agent-control\.json: is empty$/ },
    {
      name: "an agent's name",
      args: once,
      files: control('[{ "agentName": "-rf", "agentType": "dev" }]'),
      says: /agentName is .*-rf/
    },
    {
      name: "a recipe outside its directory",
      args: once,
      files: control('[{ "agentName": "a", "agentType": "dev", "recipe": "../../etc/passwd.yaml" }]'),
      says: /recipe is .*; expected the name of a \.yaml or \.json file/
    },
    {
      name: "an unknown placeholder",
      args: once,
      files: control('[{ "agentName": "a", "agentType": "dev", "command": ["x", "{{title}}"] }]'),
      says: /command names the placeholder \{\{title\}\}, which is not known/
    },
    {
      name: "entries of one agent that differ",
      args: once,
      files: control(
        '[{ "agentName": "a", "agentType": "dev", "slots": 1 }, { "agentName": "a", "agentType": "qa", "slots": 2 }]'
      ),
      says: /entry 2 \("a"\): slots: differs from entry 1/
    }
  ]
  it.each(wrongs)("$name", async ({ args, env, files, says }) => {
    const ground = new Ground()
    for (const [name, content] of Object.entries(files ?? {})) ground.write(name, content)
    const before = treeOf(ground.base)
    const ended = await ground.cli(args, env === undefined ? {} : { env })
    expectTrouble(ended, 2, says)
    expect(ended.stdout).toBe("")
    expect(treeOf(ground.base)).toEqual(before)
  })

  it("all faults of a control file are told at once, one line each", async () => {
    const ground = new Ground()
    ground.write("agent-control.json", '[{ "agentName": "a" }, { "agentType": 7, "slots": -1, "agentName": "b" }]')
    const { code, stderr } = await ground.cli(once)
    expect({ code, lines: linesOf(stderr).length }).toEqual({ code: 2, lines: 3 })
  })
})

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

  it.each([
    { name: "the state directory", make: (ground: Ground) => void ground.write("state", "") },
    {
      name: "the lock",
      make: (ground: Ground) => void mkdirSync(ground.path("state/tinyscheduler.lock"), { recursive: true })
    },
    { name: "the directory of leases", make: (ground: Ground) => void ground.write("state/running", "") }
  ])("$name is something else: one sentence and exit code 1", async ({ make }) => {
    const ground = await makeGround()
    ground.agents([ground.worker("vaela", "dev")])
    make(ground)
    await ground.tinytask.add({ queue: "dev" })
    const { code, stderr } = await ground.cli([...once, ...ground.endpoint])
    expect(code).toBe(1)
    // Where several things can't be used each has its sentence.
    for (const trouble of troublesOf(stderr)) expect(trouble).toMatch(/state/)
    expect(stderr).not.toMatch(/^\s+at /m)
    expect(ground.tinytask.database.changes()).toEqual([])
  })

  it.skipIf(!isRoot)("a state directory that this user may not write: one sentence, no start, no change", async () => {
    const ground = await makeGround()
    ground.agents([ground.worker("vaela", "dev")])
    await ground.tinytask.add({ queue: "dev" })
    await ground.cli([...once, ...ground.endpoint, "--enabled=false"])
    chmodSync(ground.base, 0o755)
    chmodSync(ground.path("state"), 0o755)
    writeFileSync(ground.path("program.js"), readFileSync(program))
    const asNobody = {
      command: [
        "setpriv",
        "--reuid=65534",
        "--regid=65534",
        "--clear-groups",
        process.execPath,
        "--",
        ground.path("program.js")
      ]
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
    if (!mountSmallState(ground)) skip(noMount)
    const running = await ground.tinytask.add({
      queue: "dev",
      description: JSON.stringify([["await", ground.path("gate")]])
    })
    await ground.cli([...once, ...ground.endpoint])
    await until("its agent runs", () => ground.lease(running)?.phase === "running" && ground.runs().length === 1)
    const blocks = fill(ground.path("state/ballast"))
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
    blocks.free()
    await until("its ending stands", () => ground.lease(running)?.phase === "finished")
    await until("both are complete", async () => {
      await ground.cli([...once, ...ground.endpoint, "--backoff-base", "0"])
      return ground.tinytask.database.open() === 0
    })
    expect(ground.runs().map(({ task }) => task)).toEqual([running, waiting])
  })
})

/** A state directory on a file system of its own with little room; false where this machine lets nobody mount one. */
const mountSmallState = (ground: Ground): boolean => {
  mkdirSync(ground.path("state"), { mode: 0o700 })
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=512k,mode=700", "none", ground.path("state")], {
      stdio: "ignore"
    })
  } catch {
    return false
  }
  onTestFinished(() => void execFileSync("umount", ["-l", ground.path("state")]))
  return true
}

const noMount = "a full disk needs the right to mount a small one"

/** Fills what room there is with a file; `free` gives it back. */
const fill = (path: string): { readonly free: () => void } => {
  for (let size = 256 * 1024; size >= 1; size = Math.floor(size / 2)) {
    for (;;) {
      try {
        writeFileSync(path, Buffer.alloc(size), { flag: "a" })
      } catch {
        break
      }
    }
  }
  return { free: () => writeFileSync(path, "") }
}

it("a disk that fills up under a daemon: it goes on looking, starts nothing, and starts when there is room", async ({
  skip
}) => {
  const ground = await makeGround()
  ground.agents([ground.worker("vaela", "dev")])
  if (!mountSmallState(ground)) skip(noMount)
  const daemon = ground.start(["run", "--daemon", ...ground.endpoint, "--loop-interval", "1", "--backoff-base", "0"])
  await daemon.says("daemon: a pass every")
  const first = await ground.tinytask.add({ queue: "dev" })
  await until("the first task is complete", () => ground.tinytask.database.open() === 0 && ground.lease(first) === null)
  const ballast = fill(ground.path("state/ballast"))
  const task = await ground.tinytask.add({ queue: "dev" })
  await daemon.says(/ERROR .*no space is left on the device/)
  expect(ground.tinytask.database.task(task)).toMatchObject({ status: "idle", assigned_to: null })
  ballast.free()
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
    expect(pass.stdout).toBe("pass: 0 started, 0 ended, 0 stopping, 1 running, 0 waiting, 1 errors\n")
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
