/** Launches with real supervisors: what is refused early, what reaches the agent, and that nothing of ours is held. */
import { assert, describe, it } from "@effect/vitest"
import { spawn } from "node:child_process"
import * as fs from "node:fs"
import * as Effect from "effect/Effect"
import { afterEach, beforeEach } from "vitest"
import type { AgentLaunch } from "@tinyscheduler/core/domain/AgentLaunch"
import type { StartingLease } from "@tinyscheduler/core/domain/Lease"
import { AgentLauncher } from "@tinyscheduler/core/ports/AgentLauncher"
import { type AgentLauncherOptions, layer } from "../src/AgentLauncher.ts"
import { thisMachine } from "../src/thisMachine.ts"
import { exitOf, fixture, isLiving, node, Scene, supervisorCommand, until } from "./harness.ts"

let scene: Scene
beforeEach(() => {
  scene = new Scene()
})
afterEach(() => scene.close())

const entry = (changes: Partial<AgentLaunch> = {}): AgentLaunch => ({
  command: ["true"],
  gooseBin: "goose",
  recipesDirectory: scene.recipesDir,
  prompt: null,
  cwd: scene.base,
  env: {},
  ...changes
})

const launchSettings = () => ({ recipesDir: scene.recipesDir, heartbeatSec: 0.1, stopGraceSec: 30 })

const optionsOf = (launch: AgentLaunch | null, changes: Partial<AgentLauncherOptions> = {}): AgentLauncherOptions => ({
  supervisorCommand,
  runningDir: scene.runningDir,
  claimsDir: scene.claimsDir,
  logDir: scene.logDir,
  tmpDir: scene.tmpDir,
  environment: process.env,
  current: () => ({ ...launchSettings(), describe: () => launch }),
  ...changes
})

interface Attempt {
  readonly lease?: Partial<StartingLease>
  readonly description?: string | null
  readonly options?: Partial<AgentLauncherOptions>
}

const launch = (launchOf: AgentLaunch | null, { lease = {}, description = null, options = {} }: Attempt = {}) =>
  Effect.gen(function* () {
    scene.writeLease(scene.lease(lease))
    const launcher = yield* AgentLauncher
    yield* launcher.launch({ lease: scene.lease(lease), title: "Fix the roof", description })
  }).pipe(Effect.provide(layer(optionsOf(launchOf, options))))

const finished = Effect.promise(() => scene.finished())

describe("a launch", () => {
  it.live("renders the command, and gives the task's text in a file for its owner only", () =>
    Effect.gen(function* () {
      const print = `for each in "$@"; do echo "$each"; done; cat "$1"; stat -c %a "$1" "$(dirname "$1")"`
      const command = ["sh", "-c", print, "sh", "{{promptFile}}", "{{taskId}}", "{{agent}}-{{attempt}}", "{{queue}}"]
      yield* launch(entry({ command, prompt: "You are {{agent}}." }), { description: "It leaks; $(reboot) {{taskId}}" })
      yield* finished
      assert.deepStrictEqual(scene.log().trimEnd().split("\n"), [
        `${scene.logDir}/tasks/42/7.prompt`,
        "42",
        "vaela-2",
        "dev",
        "You are vaela.",
        "",
        "Fix the roof",
        "",
        "It leaks; $(reboot) {{taskId}}",
        "600",
        "700"
      ])
    })
  )

  it.live("gives the agent our environment without what is ours, then the attempt's own", () =>
    Effect.gen(function* () {
      const environment = {
        PATH: process.env["PATH"],
        KEPT: "kept",
        TINYSCHEDULER_MCP_TOKEN: "secret",
        GONE: undefined
      }
      yield* launch(entry({ command: ["env"], env: { EXTRA: "more" } }), { options: { environment } })
      yield* finished
      const lines = scene.log().trimEnd().split("\n")
      assert.deepStrictEqual(lines.filter((line) => line.startsWith("TINYSCHEDULER_")).toSorted(), [
        "TINYSCHEDULER_AGENT=vaela",
        "TINYSCHEDULER_ATTEMPT=2",
        "TINYSCHEDULER_EPOCH=7",
        `TINYSCHEDULER_LEASE=${scene.token}`,
        "TINYSCHEDULER_MCP_ENDPOINT=http://localhost:3000",
        "TINYSCHEDULER_TASK_ID=42"
      ])
      assert.include(lines, "KEPT=kept")
      assert.include(lines, "EXTRA=more")
      assert.include(lines, `TMPDIR=${scene.tmpDir}/42.7`)
      assert.isTrue(lines.some((line) => line.startsWith("HOME=/")))
      assert.isFalse(lines.some((line) => line.startsWith("GONE=")))
    })
  )

  it.live("starts a supervisor that carries the token from exec on, and no secret, in a session of its own", () =>
    Effect.gen(function* () {
      const environment = { ...process.env, TINYSCHEDULER_MCP_TOKEN: "secret" }
      yield* launch(entry({ command: ["sleep", "1000"] }), { options: { environment } })
      const { pid } = yield* Effect.promise(() => scene.running())
      const environ = fs.readFileSync(`/proc/${pid}/environ`, "latin1").split("\0")
      assert.deepStrictEqual(
        environ.filter((line) => line.startsWith("TINYSCHEDULER_")),
        [`TINYSCHEDULER_LEASE=${scene.token}`]
      )
      assert.strictEqual(fs.readlinkSync(`/proc/${pid}/cwd`), "/")
      const row = thisMachine.scan().find((row) => row.pid === pid)
      assert.strictEqual(row?.session, pid)
      const links = fs.readdirSync(`/proc/${pid}/fd`).map((fd) => fs.readlinkSync(`/proc/${pid}/fd/${fd}`))
      assert.isFalse(links.some((link) => link.includes(scene.runningDir) || link.includes(process.cwd())))
    })
  )

  it.live("outlives its scheduler, whose death is a SIGKILL", () =>
    Effect.gen(function* () {
      const command = ["sh", fixture("gates.sh"), scene.path("up"), scene.path("go")]
      scene.writeLease()
      const { current: _, environment: __, ...options } = optionsOf(null)
      const lease = scene.order([]).lease
      const request = JSON.stringify({ options, settings: launchSettings(), launch: entry({ command }), lease })
      const scheduler = spawn(process.execPath, [...node.slice(1), fixture("launch.ts"), request], {
        detached: true,
        stdio: ["ignore", "pipe", "inherit"]
      })
      scene.track(scheduler.pid)
      yield* Effect.promise(() => new Promise((resolve) => scheduler.stdout.once("data", resolve)))
      scheduler.kill("SIGKILL")
      assert.strictEqual((yield* Effect.promise(() => exitOf(scheduler))).signal, "SIGKILL")
      const { pid, agent } = yield* Effect.promise(() => scene.running())
      yield* Effect.promise(() => until(() => fs.existsSync(scene.path("up"))))
      assert.isTrue(isLiving(pid) && isLiving(agent.pid))
      fs.writeFileSync(scene.path("go"), "")
      assert.strictEqual((yield* finished).exit.code, 0)
    })
  )

  it.live("of Goose has its recipe, its parameters and its own settings", () =>
    Effect.gen(function* () {
      const goose = scene.path("goose")
      fs.writeFileSync(goose, '#!/bin/sh\necho "$@"\necho $GOOSE_MODE\n', { mode: 0o700 })
      fs.writeFileSync(`${scene.recipesDir}/vaela.yaml`, "")
      yield* launch(entry({ command: null, gooseBin: goose }), { lease: { recipe: "vaela.yaml" } })
      yield* finished
      assert.strictEqual(
        scene.log(),
        `run --recipe ${scene.recipesDir}/vaela.yaml --params task_id=42 --params agent_name=vaela --no-session --quiet --output-format stream-json\nauto\n`
      )
    })
  )
})

describe("a launch that can't work", () => {
  const cases: ReadonlyArray<{
    readonly name: string
    readonly launch: () => AgentLaunch | null
    readonly attempt?: Attempt
    readonly reason: () => RegExp
  }> = [
    { name: "no such agent", launch: () => null, reason: () => /^no agent vaela is configured$/ },
    { name: "an empty command", launch: () => entry({ command: [] }), reason: () => /command is empty/ },
    {
      name: "no such program",
      launch: () => entry({ command: null, gooseBin: "no-such-goose", env: { PATH: "/bin:/usr/bin" } }),
      reason: () => /^no-such-goose was not found on PATH \(\/bin:\/usr\/bin\)$/
    },
    {
      name: "no such path",
      launch: () => entry({ command: ["./agent"] }),
      reason: () => new RegExp(`^${scene.base}/agent does not exist or is closed to us$`)
    },
    {
      name: "a file that may not be executed",
      launch: () => entry({ command: [fixture("gates.sh")] }),
      reason: () => /gates\.sh may not be executed$/
    },
    {
      name: "a directory as program",
      launch: () => entry({ command: ["/tmp"] }),
      reason: () => /does not exist or is closed to us$/
    },
    {
      name: "no such directory",
      launch: () => entry({ cwd: scene.path("nowhere") }),
      reason: () => /^the working directory .*\/nowhere does not exist or is closed to us$/
    },
    {
      name: "a directory that leads in a circle",
      launch: () => {
        fs.symlinkSync("circle", scene.path("circle"))
        return entry({ cwd: scene.path("circle") })
      },
      reason: () => /\/circle does not exist or is closed to us$/
    },
    {
      name: "a recipe that is gone",
      launch: () => entry(),
      attempt: { lease: { recipe: "gone.yaml" } },
      reason: () => /^the recipe .*\/gone\.yaml does not exist$/
    },
    {
      name: "a recipe that leads out",
      launch: () => entry(),
      attempt: { lease: { recipe: "../../etc/passwd" } },
      reason: () => /leads out of the recipes directory$/
    },
    {
      name: "a supervisor that is not there",
      launch: () => entry(),
      attempt: { options: { supervisorCommand: ["/no/such/node"] } },
      reason: () => /^the supervisor can't be started: spawn \/no\/such\/node ENOENT$/
    }
  ]

  for (const each of cases) {
    it.live(`says in one sentence: ${each.name}`, () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(launch(each.launch(), each.attempt))
        assert.strictEqual(error._tag, "LaunchFailed")
        assert.match(error.reason, each.reason())
        assert.deepStrictEqual(fs.readdirSync(scene.claimsDir), [])
      })
    )
  }

  const obstacles: ReadonlyArray<{ readonly name: string; readonly put: (at: string) => void }> = [
    { name: "over another file", put: (at) => fs.writeFileSync(at, "kept") },
    { name: "through a link", put: (at) => fs.symlinkSync(scene.path("victim"), at) }
  ]

  for (const { name, put } of obstacles) {
    it.live(`never writes a prompt ${name}`, () =>
      Effect.gen(function* () {
        fs.mkdirSync(`${scene.logDir}/tasks/42`, { recursive: true })
        const prompt = `${scene.logDir}/tasks/42/7.prompt`
        put(prompt)
        const error = yield* Effect.flip(launch(entry()))
        assert.match(error.reason, /^the prompt file can't be written/)
        assert.isFalse(fs.existsSync(scene.path("victim")))
        if (fs.existsSync(prompt)) assert.strictEqual(fs.readFileSync(prompt, "utf8"), "kept")
      })
    )
  }
})

describe("recipes", () => {
  it.effect("are present, missing or outside, after links", () =>
    Effect.gen(function* () {
      fs.writeFileSync(`${scene.recipesDir}/a.yaml`, "")
      fs.mkdirSync(`${scene.recipesDir}/sub`)
      fs.writeFileSync(`${scene.recipesDir}/sub/b.yaml`, "")
      fs.writeFileSync(scene.path("out.yaml"), "")
      fs.symlinkSync("../out.yaml", `${scene.recipesDir}/leak.yaml`)
      fs.symlinkSync("a.yaml", `${scene.recipesDir}/alias.yaml`)
      fs.symlinkSync("nowhere", `${scene.recipesDir}/dangling.yaml`)
      const expected = {
        "a.yaml": "present",
        "sub/b.yaml": "present",
        "alias.yaml": "present",
        "none.yaml": "missing",
        "dangling.yaml": "missing",
        sub: "missing",
        "leak.yaml": "outside",
        "../out.yaml": "outside",
        "/etc/passwd": "outside",
        "sub/../../out.yaml": "outside",
        "a\0.yaml": "outside",
        "": "outside",
        ".": "outside"
      } as const
      const launcher = yield* AgentLauncher
      const sights = yield* launcher.lookAtRecipes(Object.keys(expected))
      assert.deepStrictEqual(Object.fromEntries(sights.map((sight) => [sight.recipe, sight.state])), expected)
      assert.strictEqual(sights[0]?.path, `${scene.recipesDir}/a.yaml`)
    }).pipe(Effect.provide(layer(optionsOf(entry()))))
  )
})

it.effect("a drawn token is a UUID that was not drawn before", () =>
  Effect.gen(function* () {
    const launcher = yield* AgentLauncher
    const tokens = new Set<string>()
    for (let draw = 0; draw < 100; draw++) tokens.add(yield* launcher.drawToken)
    assert.strictEqual(tokens.size, 100)
    for (const token of tokens) assert.match(token, /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
  }).pipe(Effect.provide(layer(optionsOf(entry()))))
)
