/** The demo as a newcomer sees it: it ends well by itself, can be cut short, and leaves nothing behind. */
import { existsSync, mkdirSync, readdirSync } from "node:fs"
import { describe, expect, it } from "vitest"
import { Ground } from "./harness/Ground.ts"
import { linesOf, program } from "./harness/program.ts"
import { until } from "./harness/until.ts"

/** A ground whose temporary directory is its own, so that the demo's folder can be found, or found missing. */
const demoGround = () => {
  const ground = new Ground()
  mkdirSync(ground.path("tmp"))
  const leftBehind = () => ({
    processes: ground.processes().map(({ command }) => command),
    folders: readdirSync(ground.path("tmp"))
  })
  return { ground, env: { TMPDIR: ground.path("tmp") }, leftBehind }
}

const nothing = { processes: [], folders: [] }

// oxlint-disable-next-line no-control-regex -- the escape character is exactly what is looked for
const escapeSequence = /\u001b/

const promises = [
  "None of the 5 blocked tasks started before its blocker had ended.",
  "No task was started twice.",
  "No agent exceeded its slots."
]

describe("demo", () => {
  it("runs two dozen tasks to their end in plain lines, tells what ran where, exits with 0 and leaves nothing behind", async () => {
    const { env, ground, leftBehind } = demoGround()
    const begun = performance.now()
    const { code, stderr, stdout } = await ground.cli(["demo"], { env })
    console.log(`${((performance.now() - begun) / 1000).toFixed(1)} s`)
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" })
    const lines = linesOf(stdout)
    expect(stdout).not.toMatch(escapeSequence)
    expect(lines[0]).toMatch(/^24 tasks in dev, qa and product; 5 agents; Tinytask at http:\/\/127\.0\.0\.1:\d+/)
    expect(lines.filter((line) => / start task \d+ on /.test(line)).length).toBe(23)
    expect(lines.find((line) => /^agent +most at once +slots/.test(line))).toBeDefined()
    for (const promise of promises) expect(lines).toContain(promise)
    expect(lines.find((line) => line.startsWith("24 of 24 tasks are complete"))).toBeDefined()
    expect(leftBehind()).toEqual(nothing)
  })

  it.each(["SIGINT", "SIGTERM"] as const)(
    "cut short by %s it exits with 130, ends its agents and removes its folder",
    async (name) => {
      const { env, ground, leftBehind } = demoGround()
      const demo = ground.start(["demo"], { env })
      await until("agents are at work", () => {
        const agents = ground.processes().filter(({ environment }) => environment["STAND_IN_RECORD"] !== undefined)
        return agents.length >= 3
      })
      demo.kill(name)
      const { code, signal, stderr } = await demo.ended
      expect({ code, signal, stderr }).toEqual({ code: 130, signal: null, stderr: "" })
      await until("nothing of it lives", () => ground.processes().length === 0)
      expect(leftBehind()).toEqual(nothing)
    }
  )

  it("reads nothing of the person's own configuration", async () => {
    const { env, ground } = demoGround()
    ground.write(".env", "TINYSCHEDULER_MAX_CONCURRENT=0\n")
    ground.write("agent-control.json", "not JSON")
    const strange = { ...env, TINYSCHEDULER_ENABLED: "false", TINYSCHEDULER_MCP_ENDPOINT: "http://127.0.0.1:1" }
    const demo = ground.start(["demo"], { env: strange })
    await demo.says(/start task \d+ on /)
    demo.kill("SIGINT")
    expect((await demo.ended).code).toBe(130)
  })
})

const hasScript = existsSync("/usr/bin/script")

describe("on a terminal", () => {
  /** Runs a command line under a pseudo terminal of util-linux's script(1). */
  const onTerminal = (ground: Ground, args: ReadonlyArray<string>, env: Readonly<Record<string, string>>) => {
    const quoted = [process.execPath, "--", program, ...args].map((word) => `'${word}'`).join(" ")
    return ground.start([], {
      command: ["script", "-qec", `stty cols 100; exec ${quoted}`, "/dev/null"],
      env: { TERM: "xterm-256color", ...env }
    })
  }

  it.skipIf(!hasScript)(
    "the demo draws one table over itself and leaves the report in its place; --keep keeps its folder",
    async () => {
      const { env, ground } = demoGround()
      const { code, stdout } = await onTerminal(ground, ["demo", "--keep"], env).ended
      expect(code).toBe(0)
      // Up by as many lines as were drawn, and clear from there.
      // oxlint-disable-next-line no-control-regex -- the escape character is exactly what is looked for
      expect(stdout.match(/\u001b\[\d+A\u001b\[J/g)?.length ?? 0).toBeGreaterThan(10)
      expect(stdout).toMatch(/agent +slots +works on/)
      expect(stdout).toMatch(/vaela +2\/2 +\d+ /)
      for (const promise of promises) expect(stdout).toContain(promise)
      // oxlint-disable-next-line no-control-regex -- the escape character is exactly what is looked for
      expect(stdout.split(/\u001b\[J/).at(-1)).toContain("24 of 24 tasks are complete")
      const [folder = ""] = readdirSync(ground.path("tmp"))
      expect(stdout).toContain(`The folder is ${ground.path(`tmp/${folder}`)}`)
      expect(existsSync(ground.path(`tmp/${folder}/state/history`))).toBe(true)
      expect(ground.processes()).toEqual([])
    }
  )

  it.skipIf(!hasScript)("help has colours, and none with NO_COLOR", async () => {
    const ground = new Ground()
    const coloured = await onTerminal(ground, ["run", "--help"], {}).ended
    const plain = await onTerminal(ground, ["run", "--help"], { NO_COLOR: "1" }).ended
    expect([coloured.code, plain.code]).toEqual([0, 0])
    expect(coloured.stdout).toMatch(escapeSequence)
    expect(plain.stdout).not.toMatch(escapeSequence)
  })
})
