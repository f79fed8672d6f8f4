/** Every command as a person meets it: help, configuration, tasks by hand, status; streams and exit codes. */
import { lstatSync } from "node:fs"
import { describe, expect, it } from "vitest"
import { Ground, makeGround, treeOf } from "./harness/Ground.ts"
import { type Ended, linesOf, program } from "./harness/program.ts"
import { expectTrouble } from "./harness/sentences.ts"
import { until } from "./harness/until.ts"

// oxlint-disable-next-line no-control-regex -- the escape character is exactly what is looked for
const escapeSequence = /\u001b/

const expectPlain = ({ stderr, stdout }: Ended): void => {
  expect(stdout).not.toMatch(escapeSequence)
  expect(stderr).not.toMatch(escapeSequence)
}

describe("help and version", () => {
  const commands = [
    [],
    ["run"],
    ["up"],
    ["status"],
    ["why"],
    ["config"],
    ["init"],
    ["validate-config"],
    ["tinytask"],
    ["tinytask", "serve"],
    ["tinytask", "add"],
    ["tinytask", "list"],
    ["demo"]
  ]
  it.each(commands.map((command) => ({ command, name: ["tinyscheduler", ...command].join(" ") })))(
    "$name --help tells its use on stdout, exits with 0 and makes nothing",
    async ({ command, name }) => {
      const ground = new Ground()
      const before = treeOf(ground.base)
      const ended = await ground.cli([...command, "--help"])
      expect({ code: ended.code, stderr: ended.stderr }).toEqual({ code: 0, stderr: "" })
      expect(ended.stdout).toContain(`  ${name} `)
      expect(ended.stdout).toMatch(/^DESCRIPTION\n {2}\S/)
      expectPlain(ended)
      expect(treeOf(ground.base)).toEqual(before)
    }
  )

  it("--version prints name and version", async () => {
    const ground = new Ground()
    const ended = await ground.cli(["--version"])
    expect({ ...ended, signal: undefined }).toEqual({
      code: 0,
      signal: undefined,
      stderr: "",
      stdout: expect.stringMatching(/^tinyscheduler v\d+\.\d+\.\d+\n$/)
    })
  })

  it("without a command it shows its help", async () => {
    const { code, stdout } = await new Ground().cli([])
    expect(code).toBe(0)
    expect(stdout).toContain("SUBCOMMANDS")
  })
})

interface ShownSetting {
  readonly variable: string
  readonly value: unknown
  readonly origin: string
  readonly detail: string
}

const settingsOf = (ended: Ended): ReadonlyMap<string, ShownSetting> => {
  expect(ended.code).toBe(0)
  const { settings }: { readonly settings: ReadonlyArray<ShownSetting> } = JSON.parse(ended.stdout)
  return new Map(settings.map((setting) => [setting.variable.replace("TINYSCHEDULER_", ""), setting]))
}

describe("config --show", () => {
  const show = async (
    ground: Ground,
    args: ReadonlyArray<string> = [],
    env: Readonly<Record<string, string>> = {}
  ): Promise<ReadonlyMap<string, ShownSetting>> =>
    settingsOf(await ground.cli(["config", "--show", "--json", ...args], { env }))

  it("takes a flag before the environment before .env before the default, and says which it was", async () => {
    const ground = new Ground()
    ground.write(".env", "TINYSCHEDULER_HEARTBEAT_SEC=3\nTINYSCHEDULER_STOP_GRACE_SEC=3\nTINYSCHEDULER_MAX_LOST=3\n")
    const env = { TINYSCHEDULER_HEARTBEAT_SEC: "2", TINYSCHEDULER_STOP_GRACE_SEC: "2" }
    const shown = await show(ground, ["--heartbeat", "1"], env)
    expect(
      ["HEARTBEAT_SEC", "STOP_GRACE_SEC", "MAX_LOST", "MAX_ATTEMPTS"].map((name) => {
        const { detail, origin, value } = shown.get(name) ?? { detail: "", origin: "", value: null }
        return [value, origin, detail]
      })
    ).toEqual([
      [1, "flag", "--heartbeat"],
      [2, "environment", "TINYSCHEDULER_STOP_GRACE_SEC"],
      [3, "env file", expect.stringContaining("TINYSCHEDULER_MAX_LOST in ")],
      [3, "default", ""]
    ])
  })

  it("counts an empty variable as not set", async () => {
    const ground = new Ground()
    ground.write(".env", "TINYSCHEDULER_HEARTBEAT_SEC=3\n")
    const shown = await show(ground, [], { TINYSCHEDULER_HEARTBEAT_SEC: "", TINYSCHEDULER_ENABLED: "" })
    expect([shown.get("HEARTBEAT_SEC")?.value, shown.get("ENABLED")?.origin]).toEqual([3, "default"])
  })

  it("reads another file of variables in place of .env, and only that one", async () => {
    const ground = new Ground()
    ground.write(".env", "TINYSCHEDULER_MAX_LOST=4\nTINYSCHEDULER_HEARTBEAT_SEC=4\n")
    ground.write("other.env", "# a comment\nexport TINYSCHEDULER_MAX_LOST='5'\n")
    const shown = await show(ground, ["--env-file", "other.env"])
    expect([shown.get("MAX_LOST")?.value, shown.get("HEARTBEAT_SEC")?.value]).toEqual([5, 15])
  })

  it("never shows a secret, wherever it came from", async () => {
    const ground = new Ground()
    const secret = "s3cr3t-t0ken"
    ground.write("file.env", `TINYSCHEDULER_MCP_TOKEN=${secret}\n`)
    for (const [args, env] of [
      [["--mcp-token", secret], {}],
      [[], { TINYSCHEDULER_MCP_TOKEN: secret }],
      [["--env-file", "file.env"], {}]
    ] as const) {
      for (const form of [["--json"], []]) {
        const { code, stderr, stdout } = await ground.cli(["config", ...form, ...args], { env })
        expect(code).toBe(0)
        expect(stdout + stderr).not.toContain(secret)
        expect(stdout).toContain("(set, not shown)")
      }
    }
  })

  it("shows all settings to people too, within 80 columns, each with where it comes from and what that stands over", async () => {
    const ground = new Ground()
    ground.write(".env", "TINYSCHEDULER_HEARTBEAT_SEC=3\n")
    const env = { TINYSCHEDULER_HEARTBEAT_SEC: "2" }
    const ended = await ground.cli(["config", "--agent-limits", "vaela:2,damien:1"], { env })
    expectPlain(ended)
    const lines = linesOf(ended.stdout)
    expect(lines[0]).toMatch(/^setting +value +from$/)
    expect(lines.find((line) => line.startsWith("TINYSCHEDULER_AGENT_LIMITS"))).toMatch(
      /\{"vaela":2,"damien":1\} +--agent-limits$/
    )
    expect(lines.find((line) => line.startsWith("TINYSCHEDULER_HEARTBEAT_SEC"))).toMatch(/ 2 +environment, over \.env$/)
    const rows = lines.filter((line) => line.startsWith("TINYSCHEDULER_"))
    expect(rows).toHaveLength(settingsOf(await ground.cli(["config", "--json"])).size)
    expect(rows.filter((row) => row.length > 80)).toEqual([])
    expect(ended.stdout).toMatch(/^legacy mode: there is no agent-control\.json/m)
  })

  it("shows what the settings amount to: paths, agents with the origin of their slots, warnings; and no secret", async () => {
    const ground = new Ground()
    ground.agents([
      ground.goose("vaela", ["dev", "qa"], { slots: 3 }),
      ground.goose("damien", "dev", { env: { OPENAI_API_KEY: "hush" }, slot: 1 }),
      { agentName: "sage", agentType: "ops", command: ["claude", "--key", "hush"], cwd: "work", enabled: false }
    ])
    const env = { TINYSCHEDULER_AGENT_LIMITS: "vaela:1,damien:2", TINYSCHEDULER_QUEUE_LIMITS: "none:1" }
    const ended = await ground.cli(["config", "--show", "--json", "--mcp-token", "hush", "--goose-bin", "bin/goose"], {
      env
    })
    expect(ended.code).toBe(0)
    expect(ended.stdout + ended.stderr).not.toContain("hush")
    const common = { success: "tinytask", maxRuntimeSec: 3600, stopSignal: "SIGINT", stopGraceSec: 10 }
    const goose = { ...common, enabled: true, program: ground.path("bin/goose"), cwd: ground.base }
    expect(JSON.parse(ended.stdout)).toEqual({
      version: 1,
      mode: "queues",
      settings: expect.any(Array),
      paths: {
        base: ground.base,
        state: ground.path("state"),
        running: ground.path("state/running"),
        logs: ground.path("state/logs"),
        recipes: ground.path("recipes"),
        lock: ground.path("state/tinyscheduler.lock"),
        controlFile: ground.path("agent-control.json"),
        envFile: ground.path(".env")
      },
      agents: [
        {
          ...goose,
          name: "vaela",
          queues: ["dev", "qa"],
          slots: 3,
          slotsFrom: "entry",
          recipe: "vaela.yaml",
          env: ["STAND_IN_RECORD", "STAND_IN_MS"]
        },
        {
          ...goose,
          name: "damien",
          queues: ["dev"],
          slots: 2,
          slotsFrom: "AGENT_LIMITS",
          recipe: "damien.yaml",
          env: ["OPENAI_API_KEY"]
        },
        {
          ...common,
          name: "sage",
          queues: ["ops"],
          slots: 1,
          slotsFrom: "DEFAULT_SLOTS",
          enabled: false,
          program: "claude",
          recipe: null,
          cwd: ground.path("work"),
          env: [],
          success: "exit"
        }
      ],
      notices: [],
      warnings: [
        'agent-control.json: entry 2 ("damien"): "slot" is not a known field and is ignored; did you mean slots?',
        'TINYSCHEDULER_QUEUE_LIMITS names "none", a queue that no agent serves'
      ],
      faults: []
    })
    expect(linesOf(ended.stderr)).toHaveLength(2)
  })

  it("shows the settings of a configuration that nothing can run with, says why on stderr, and exits with 2", async () => {
    const ground = new Ground()
    ground.write("agent-control.json", '[{ "agentName": "a", "agentType": "dev", "slots": -1 }]')
    const args = ["config", "--json", "--log-dir", "agent-control.json"]
    const { code, stderr, stdout } = await ground.cli(args)
    expect(code).toBe(2)
    const shown = JSON.parse(stdout)
    expect(shown).toMatchObject({ mode: null, agents: [], paths: { controlFile: ground.path("agent-control.json") } })
    expect(linesOf(stderr)).toEqual(shown.faults)
    expect(shown.faults).toEqual([
      expect.stringMatching(
        /^--log-dir \(TINYSCHEDULER_LOG_DIR\): .*agent-control\.json is a file, expected a directory$/
      ),
      'agent-control.json: entry 1 ("a"): slots is -1; expected a whole number from 0 to 10000'
    ])
    const text = await ground.cli(args.filter((word) => word !== "--json"))
    expect({ code: text.code, stderr: text.stderr }).toEqual({ code, stderr })
    expect(text.stdout).toMatch(/^TINYSCHEDULER_LOG_DIR +agent-control\.json +--log-dir$/m)
  })

  it("gives notice of variables that mean nothing, of misspelt ones, and of a .env that is not read", async () => {
    const ground = new Ground()
    ground.write("base/.env", "TINYSCHEDULER_MAX_LOST=7\n")
    ground.write("base/agent-control.json", "[]")
    const env = { TINYSCHEDULER_BIN_DIR: "/bin", TINYSCHEDULER_HEARTBEET_SEC: "1" }
    const { code, stderr } = await ground.cli(["config", "--base-path", "base"], { env })
    expect(code).toBe(0)
    expect(linesOf(stderr)).toEqual([
      "TINYSCHEDULER_BIN_DIR is accepted for compatibility and not used",
      "TINYSCHEDULER_HEARTBEET_SEC is no setting of this version; did you mean TINYSCHEDULER_HEARTBEAT_SEC?",
      `${ground.path("base/.env")} is not read: .env is looked for in the working directory; name it with --env-file`
    ])
  })

  it("reads the same flags before and after the subcommand", async () => {
    const ground = new Ground()
    const flags = ["--heartbeat", "7", "--agent-limit", "vaela=2", "--agent-limit", "damien=3", "--disable-blocking"]
    const after = await ground.cli(["config", "--json", ...flags])
    const before = await ground.cli([...flags, "config", "--json"])
    expect(before).toEqual(after)
    expect(settingsOf(before).get("AGENT_LIMITS")?.value).toEqual({ vaela: 2, damien: 3 })
    expect(settingsOf(before).get("DISABLE_BLOCKING")?.value).toBe(true)
  })

  it("keeps quiet when its reader goes away", async () => {
    const ground = new Ground()
    ground.write("agent-control.json", "[]")
    const { code, stderr, stdout } = await ground.cli(["config"], {
      command: ["/bin/sh", "-c", '"$@" | head -n 1', "sh", process.execPath, "--", program]
    })
    expect({ code, stderr, lines: linesOf(stdout).length }).toEqual({ code: 0, stderr: "", lines: 1 })
  })
})

describe("a working directory that is gone", () => {
  it.each([["run", "--once"], ["validate-config"], ["init", "--yes"]])(
    "%s: one sentence, exit code 2",
    async (...args) => {
      const script = 'mkdir gone && cd gone && rmdir ../gone && exec "$@"'
      const command = ["/bin/sh", "-c", script, "sh", process.execPath, "--", program]
      expectTrouble(await new Ground().cli(args, { command }), 2, /^The working directory is gone/)
    }
  )
})

describe("tinytask", () => {
  it("serve listens until it is asked to end, add and list work by it, and what was added outlives it", async () => {
    const ground = new Ground()
    const serve = async () => {
      const server = ground.start(["tinytask", "serve", "--port", "0"])
      await server.says(/Tinytask listens at http:\/\/127\.0\.0\.1:\d+\n/)
      const url = /http:\S+/.exec(server.said().stdout)?.[0] ?? ""
      return { server, endpoint: ["--mcp-endpoint", url] }
    }
    const first = await serve()
    const added = await ground.cli([
      "tinytask",
      "add",
      "Write the exporter",
      "--queue",
      "dev",
      "--priority",
      "7",
      "--tag",
      "recipe:x.yaml",
      ...first.endpoint
    ])
    expect(added).toMatchObject({ code: 0, stdout: "task 1 added\n", stderr: "" })
    const second = await ground.cli(["tinytask", "add", "Test it", "--blocked-by", "1", "--json", ...first.endpoint])
    expect(JSON.parse(second.stdout)).toMatchObject({ id: 2, title: "Test it", blockedBy: 1, blocked: true })
    first.server.kill("SIGTERM")
    expect(await first.server.ended).toMatchObject({ code: 0, stderr: "" })

    const again = await serve()
    const listed = await ground.cli(["tinytask", "list", ...again.endpoint])
    expectPlain(listed)
    expect(linesOf(listed.stdout)).toEqual([
      expect.stringMatching(/^id +status +queue +assignee +priority +waits for +title$/),
      expect.stringMatching(/^1 +idle +dev +7 +Write the exporter$/),
      expect.stringMatching(/^2 +idle +0 +1 +Test it$/)
    ])
    const json = await ground.cli(["tinytask", "list", "--queue", "dev", "--json", ...again.endpoint])
    expect(JSON.parse(json.stdout)).toEqual([
      expect.objectContaining({ id: 1, queue: "dev", priority: 7, tags: ["recipe:x.yaml"] })
    ])
    again.server.kill("SIGINT")
    expect((await again.server.ended).code).toBe(0)
  })

  it("add of what Tinytask refuses, list of a server that is not there, serve on a taken port: one sentence, exit code 1", async () => {
    const ground = await makeGround()
    expectTrouble(await ground.cli(["tinytask", "add", "x", "--blocked-by", "9", ...ground.endpoint]), 1, /9/)
    const port = new URL(ground.tinytask.url).port
    expectTrouble(
      await ground.cli(["tinytask", "serve", "--port", port]),
      1,
      /port \d+ of 127\.0\.0\.1 is taken\. Choose another with --port/
    )
    const serve = ["tinytask", "serve", "--port", "0", "--db"]
    expectTrouble(await ground.cli([...serve, "state"]), 1, /can't be opened .* name another with --db/)
    await ground.tinytask.down()
    expectTrouble(await ground.cli(["tinytask", "list", ...ground.endpoint]), 1, /nothing listens there/)
  })
})

describe("status", () => {
  it("tells beside a running daemon what runs, who has free slots, and what waits for what", async () => {
    const ground = await makeGround()
    ground.agents([
      ground.scripted("vaela", "dev", { slots: 1 }),
      ground.worker("damien", "qa", { slots: 2 }),
      ground.worker("idle", "ops", { enabled: false })
    ])
    const gate = JSON.stringify([["await", ground.path("gate")]])
    const running = await ground.tinytask.add({ title: "the long one", queue: "dev", description: gate })
    const next = await ground.tinytask.add({ queue: "dev", description: "[]" })
    const blocked = await ground.tinytask.add({ queue: "qa", blockedBy: running })
    const outside = await ground.tinytask.add({ queue: "other" })
    await ground.tinytask.update(outside, { status: "working", assigned_to: "somebody" })
    const daemon = ground.start(["run", "--daemon", ...ground.endpoint])
    await until("it runs", () => ground.lease(running)?.phase === "running" && ground.runs().length === 1)
    // After this line it has nothing more to tell before its next interval.
    await daemon.says(`running task ${running} on vaela (epoch 1): running`)
    const before = treeOf(ground.path("state"))
    const text = await ground.cli(["status", ...ground.endpoint])
    expect({ code: text.code, stderr: text.stderr }).toEqual({ code: 0, stderr: "" })
    expectPlain(text)
    expect(linesOf(text.stdout)).toEqual([
      `scheduler: pid ${daemon.pid}, term 1`,
      `Tinytask: ${ground.tinytask.url}`,
      `agents: ${ground.path("agent-control.json")}`,
      expect.stringMatching(/^agent +queues +slots$/),
      expect.stringMatching(/^vaela +dev +1\/1$/),
      expect.stringMatching(/^damien +qa +0\/2$/),
      expect.stringMatching(/^idle +ops +0\/1 +disabled$/),
      `running task ${running} on vaela (epoch 1): running  the long one`,
      `worked on outside: ${outside}`,
      `waiting, no free slot: queue dev 1/1: ${next}`,
      `waiting, blocked by ${running}: ${blocked}`
    ])
    const json = JSON.parse((await ground.cli(["status", "--json", ...ground.endpoint])).stdout)
    expect(json).toMatchObject({ version: 1, holder: `pid ${daemon.pid}, term 1`, tinytask: { _tag: "Read" } })
    expect(json.verdicts.map((verdict: { readonly _tag: string }) => verdict._tag)).toEqual([
      "Running",
      "Wait",
      "Wait",
      "Ignore"
    ])
    expect(treeOf(ground.path("state"))).toEqual(before)
    daemon.kill("SIGTERM")
    await daemon.ended
    const after = await ground.cli(["status", ...ground.endpoint])
    expect(linesOf(after.stdout)[0]).toBe(`scheduler: none runs here, the last was pid ${daemon.pid}, term 1`)
    const jsonAfter = await ground.cli(["status", "--json", ...ground.endpoint])
    expect(JSON.parse(jsonAfter.stdout)).toMatchObject({ holder: null })
  })
})

describe("streams", () => {
  it("stdout has the result alone and stderr the log, in text and in JSON", async () => {
    const ground = await makeGround()
    ground.agents([ground.worker("vaela", "dev")])
    await ground.tinytask.add({ queue: "dev" })
    const pass = await ground.cli(["run", "--once", "--json", "--log-format", "json", ...ground.endpoint])
    expect(pass.code).toBe(0)
    expect(JSON.parse(pass.stdout)).toMatchObject({ started: 1, errors: [] })
    const lines: ReadonlyArray<{ readonly level: string; readonly message: string }> = linesOf(pass.stderr).map(
      (line) => JSON.parse(line)
    )
    expect(lines.map(({ level }) => level)).toEqual(lines.map(() => "INFO"))
    expect(lines.map(({ message }) => message)).toContain("5 start task 1 on vaela (epoch 1, attempt 1)")
    const quiet = await ground.cli(["run", "--once", "--log-level", "ERROR", ...ground.endpoint])
    expect(quiet).toMatchObject({ code: 0, stderr: "", stdout: expect.stringMatching(/^pass: /) })
  })

  it("a pass tells its five steps in order, each decision one line with its reason, and keeps them in the day's log", async () => {
    const ground = await makeGround()
    ground.agents([ground.worker("vaela", "dev")])
    const [one, two] = [await ground.tinytask.add({ queue: "dev" }), await ground.tinytask.add({ queue: "dev" })]
    const { stderr } = await ground.cli(["run", "--once", ...ground.endpoint])
    const steps = linesOf(stderr).map((line) => line.replace(/^\d{8} \d\d:\d\d:\d\d INFO +/, ""))
    expect(steps.slice(0, 7)).toEqual([
      "1 leases: 0 leases, 0 running",
      "2 stale: 0 finished, 0 being stopped, 0 reclaimed",
      "3 tasks: 2 tasks without an attempt, 1 waiting",
      `3 wait task ${two}: no free slot: queue dev 1/1`,
      "4 capacity: vaela 0+1/1, total 0+1/∞",
      "5 assign: 1 start",
      `5 start task ${one} on vaela (epoch 1, attempt 1)`
    ])
    const log = ground.files("logs").find((name) => /^scheduler_\d{8}\.log$/.test(name)) ?? ""
    expect(ground.read(`state/logs/${log}`)).toBe(stderr)
    expect((lstatSync(ground.path(`state/logs/${log}`)).mode & 0o777).toString(8)).toBe("600")
  })
})
