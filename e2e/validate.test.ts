/** `validate-config` from the outside: what it finds, in which words, with which exit code; and what --fix does. */
import { chmodSync, lstatSync, mkdirSync, readFileSync, rmSync, symlinkSync } from "node:fs"
import { describe, expect, it } from "vitest"
import { serveFake } from "./harness/fakeServer.ts"
import { Ground, makeGround, treeOf } from "./harness/Ground.ts"
import { linesOf, placeProgram, repository } from "./harness/program.ts"

interface Check {
  readonly level: "ok" | "warning" | "error"
  readonly area: string
  readonly what: string
  readonly says: string
  readonly todo: string | null
}

interface Report {
  readonly version: 1
  readonly errors: number
  readonly warnings: number
  readonly made: ReadonlyArray<string>
  readonly closed: ReadonlyArray<string>
  readonly checks: ReadonlyArray<Check>
}

const recipe = readFileSync(`${repository}examples/recipes/developer.yaml`, "utf8")

/** A base path on which there is nothing to find but a state that is not there yet. */
const prepared = async (): Promise<Ground> => {
  const ground = await makeGround()
  ground.agents([ground.goose("vaela", "dev", { slots: 2 }), ground.worker("damien", "qa", { slots: 1 })])
  ground.write("recipes/vaela.yaml", recipe.replace("http://localhost:3000", ground.tinytask.url))
  ground.installGoose()
  return ground
}

const flags = (ground: Ground) => [...ground.endpoint, "--goose-bin", ground.path("bin/goose")]

const validate = async (ground: Ground, args: ReadonlyArray<string> = flags(ground)) => {
  const { code, stderr, stdout } = await ground.cli(["validate-config", "--json", ...args])
  const report: Report = JSON.parse(stdout)
  expect(stderr).toBe("")
  expect(code).toBe(report.errors > 0 ? 2 : 0)
  return report
}

/** What is said of the machine that the tests run on is its own matter: its clock, its disk. */
const ofThisMachine = new Set(["clock", "disk", "running directory"])

const troubles = ({ checks }: Report): ReadonlyArray<string> =>
  checks
    .filter(({ level, what }) => level !== "ok" && !ofThisMachine.has(what))
    .map(({ level, says, what }) => `${level} ${what}: ${says}`)

const modeOf = (path: string): string => (lstatSync(path).mode & 0o777).toString(8)

describe("validate-config", () => {
  it("only looks: a base path without state gets one warning, exit code 0, and stays as it is", async () => {
    const ground = await prepared()
    const before = treeOf(ground.base)
    const ended = await ground.cli(["validate-config", ...flags(ground)])
    expect({ code: ended.code, stderr: ended.stderr }).toEqual({ code: 0, stderr: "" })
    const lines = linesOf(ended.stdout).filter((line) => !/^warning +(?:clock|disk|running directory): /.test(line))
    expect(lines.filter((line) => !line.startsWith("ok "))).toEqual([
      `warning  ${ground.path("state")}: is not there yet (nothing: the first pass makes it, or --fix does)`,
      expect.stringMatching(/^0 errors, \d+ warnings?$/)
    ])
    expect(ended.stdout).toMatch(/^ok +Tinytask: .* answers at http/m)
    expect(ended.stdout).toMatch(/^ok +Tinytask's clock: agrees with this machine's$/m)
    expect(ended.stdout).toMatch(/^ok +\/.*bin\/goose: is \/.*bin\/goose, version 1\.60\.2$/m)
    expect(treeOf(ground.base)).toEqual(before)
  })

  it("tells every fault of a broken control file with entry and field, and goes on with the other checks", async () => {
    const ground = await prepared()
    ground.write("agent-control.json", '[{ "agentName": "a" }, { "agentType": 7, "slots": -1, "agentName": "b" }]')
    const report = await validate(ground)
    expect(troubles(report).filter((line) => line.startsWith("error"))).toEqual([
      expect.stringMatching(/^error agent-control\.json: entry 1 \("a"\): agentType is missing/),
      expect.stringMatching(/^error agent-control\.json: entry 2 \("b"\): agentType is 7/),
      expect.stringMatching(/^error agent-control\.json: entry 2 \("b"\): slots is -1/)
    ])
    expect(report.checks.map(({ area, level }) => `${area} ${level}`)).toContain("tinytask ok")
  })

  it("tells every fault of the settings in its table, and makes no other check", async () => {
    const report = await validate(new Ground(), ["--heartbeat", "soon", "--order", "random"])
    expect(report.checks.map(({ area, level, says }) => ({ area, level, says }))).toEqual([
      { area: "settings", level: "error", says: expect.stringMatching(/--heartbeat .*soon/) },
      { area: "settings", level: "error", says: expect.stringMatching(/--order .*random/) }
    ])
  })

  interface Spoilt {
    readonly name: string
    readonly spoil: (ground: Ground) => void | Promise<void>
    readonly says: RegExp
  }
  it.each<Spoilt>([
    {
      name: "a recipe that waits for a person",
      spoil: (ground) =>
        ground.write("recipes/vaela.yaml", recipe.replace("requirement: required", "requirement: user_prompt")),
      says: /^error recipe of vaela: \/.*recipes\/vaela\.yaml:17 parameters\.1\.requirement is user_prompt/
    },
    {
      name: "a recipe that is no YAML",
      spoil: (ground) => ground.write("recipes/vaela.yaml", recipe.replace("title: Developer", 'title: "Developer')),
      says: /^error recipe of vaela: \/.*recipes\/vaela\.yaml:\d+ is not YAML: /
    },
    {
      name: "a recipe that leads out of its directory",
      spoil: (ground) => {
        rmSync(ground.path("recipes/vaela.yaml"))
        symlinkSync(ground.write("elsewhere.yaml", recipe), ground.path("recipes/vaela.yaml"))
      },
      says: /^error recipe of vaela: leads out of the recipes directory/
    },
    {
      name: "a missing Goose",
      spoil: (ground) => rmSync(ground.path("bin/goose")),
      says: /^error \/.*bin\/goose: .* does not exist or is closed to us; vaela can't start/
    },
    {
      name: "a Goose that may not be executed",
      spoil: (ground) => chmodSync(ground.path("bin/goose"), 0o644),
      says: /^error \/.*bin\/goose: .* may not be executed; vaela can't start/
    },
    {
      name: "a state that is a file",
      spoil: (ground) => void ground.write("state", "x"),
      says: /^error .*state(?:\/running)?: (?:is no directory|can't be looked at)/
    },
    {
      name: "a Tinytask that is down",
      spoil: (ground) => ground.tinytask.down(),
      says: /^error Tinytask: .*nothing listens there \(ECONNREFUSED\)/
    }
  ])("$name is an error and exit code 2", async ({ says, spoil }) => {
    const ground = await prepared()
    await spoil(ground)
    const errors = troubles(await validate(ground)).filter((line) => line.startsWith("error"))
    expect(errors).toContainEqual(expect.stringMatching(says))
  })

  it("names a server that speaks the legacy transport alone", async () => {
    const ground = await prepared()
    const legacy = await serveFake((_request, response) => {
      response.writeHead(400, { "content-type": "application/json" }).end('{"error":"Missing session ID"}')
    })
    const args = ["--goose-bin", ground.path("bin/goose"), "--mcp-endpoint", legacy]
    expect(troubles(await validate(ground, args)).filter((line) => line.startsWith("error"))).toEqual([
      expect.stringMatching(/^error Tinytask: .* legacy HTTP\+SSE transport/)
    ])
  })
})

describe("validate-config --fix", () => {
  it("makes the directories for this user alone, says so, and leaves nothing to warn of", async () => {
    const ground = await prepared()
    const report = await validate(ground, ["--fix", ...flags(ground)])
    const { made } = report
    expect(made).toContain(ground.path("state/running"))
    expect(made.map(modeOf)).toEqual(made.map(() => "700"))
    expect(troubles(report)).toEqual([])
  })

  it("in an empty directory makes a control file and a recipe that pass the checks; a second time it makes nothing", async () => {
    const ground = await makeGround()
    ground.installGoose()
    const first = await validate(ground, ["--fix", ...flags(ground)])
    expect(first.made).toEqual(
      expect.arrayContaining([ground.path("agent-control.json"), ground.path("recipes/vaela.yaml")])
    )
    expect(troubles(first)).toEqual([])
    expect(ground.read("recipes/vaela.yaml")).toContain(`uri: ${ground.tinytask.url}/mcp`)
    const before = treeOf(ground.base)
    const second = await validate(ground, ["--fix", ...flags(ground)])
    expect([second.made, second.closed]).toEqual([[], []])
    expect(treeOf(ground.base)).toEqual(before)
  })

  it("closes directories of ours that are open to others, but not beside a scheduler that runs", async () => {
    const ground = await prepared()
    mkdirSync(ground.path("state/running"), { recursive: true, mode: 0o755 })
    chmodSync(ground.path("state/running"), 0o755)
    const daemon = ground.start(["run", "--daemon", ...flags(ground)])
    await daemon.says("daemon: a pass every")
    const beside = await validate(ground, ["--fix", ...flags(ground)])
    expect([beside.closed, modeOf(ground.path("state/running"))]).toEqual([[], "755"])
    daemon.kill("SIGTERM")
    await daemon.ended
    const alone = await validate(ground, ["--fix", ...flags(ground)])
    expect(alone.closed).toContain(ground.path("state/running"))
    expect(modeOf(ground.path("state/running"))).toBe("700")
  })

  it("overwrites nothing: not a broken control file, not a link that leads nowhere, not agents of AGENT_LIMITS", async () => {
    const ground = await makeGround()
    const limits = ["--fix", "--agent-limits", "vaela:1", ...ground.endpoint]
    symlinkSync(ground.path("nowhere.yaml"), ground.path("link"))
    mkdirSync(ground.path("recipes"), { mode: 0o700 })
    symlinkSync(ground.path("nowhere.yaml"), ground.path("recipes/vaela.yaml"))
    expect((await validate(ground, limits)).made.filter((path) => !path.includes("/state"))).toEqual([])
    rmSync(ground.path("recipes/vaela.yaml"))
    expect((await validate(ground, limits)).made).toEqual([ground.path("recipes/vaela.yaml")])
    ground.write("agent-control.json", "[{")
    expect((await validate(ground, ["--fix", ...ground.endpoint])).made).toEqual([])
    expect(ground.read("agent-control.json")).toBe("[{")
  })

  it.skipIf(process.getuid?.() !== 0)(
    "for a user who may not write says once what can't be made, and why",
    async () => {
      const ground = await prepared()
      chmodSync(ground.base, 0o755)
      const asNobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", process.execPath, "--"]
      const command = [...asNobody, placeProgram(ground.base)]
      const args = ["--json", ...flags(ground)]
      const looked: Report = JSON.parse((await ground.cli(["validate-config", ...args], { command })).stdout)
      expect(troubles(looked)).toContain(
        `error ${ground.path("state")}: is not there, and this user can't make it: ${ground.base} is closed to it`
      )
      const fixed: Report = JSON.parse((await ground.cli(["validate-config", "--fix", ...args], { command })).stdout)
      expect(troubles(fixed).filter((line) => line.includes("can't be made or closed"))).toEqual([
        `error ${ground.path("state")}: can't be made or closed: permission denied (EACCES)`
      ])
      expect(fixed.made).toEqual([])
    }
  )
})
