/** Legacy mode: without a control file the agents are those of AGENT_LIMITS, and take what is assigned to them. */
import { mkdirSync, rmSync } from "node:fs"
import { describe, expect, it } from "vitest"
import { type Ground, makeGround } from "./harness/Ground.ts"
import type { Ended } from "./harness/program.ts"
import { troublesOf } from "./harness/sentences.ts"
import { until } from "./harness/until.ts"

const entries = (...agents: ReadonlyArray<readonly [name: string, queue: string]>): string =>
  JSON.stringify(agents.map(([agentName, agentType]) => ({ agentName, agentType })))

/** Goose as a stand-in on PATH, a recipe for each of these, and no control file. */
const legacyGround = async (...recipes: ReadonlyArray<string>): Promise<Ground> => {
  const ground = await makeGround()
  ground.installGoose()
  mkdirSync(ground.path("recipes"))
  for (const name of recipes) ground.write(`recipes/${name}.yaml`, "version: 1.0.0\n")
  return ground
}

const environment = (ground: Ground, limits: string) => ({
  PATH: `${ground.path("bin")}:${process.env["PATH"] ?? ""}`,
  STAND_IN_RECORD: ground.record,
  STAND_IN_MS: "20-50",
  TINYSCHEDULER_AGENT_LIMITS: limits
})

const run = (ground: Ground, args: ReadonlyArray<string>, limits: string): Promise<Ended> =>
  ground.cli([...args, ...ground.endpoint], { env: environment(ground, limits) })

const once = ["run", "--once"]
const waitOf = (ended: Ended, task: number): string | undefined =>
  new RegExp(`3 wait task ${task}: (.*)`).exec(ended.stderr)?.[1]

describe("without a control file", () => {
  it.each([
    ["JSON", '{"vaela": 2, "oscar": 1, "idler": 0, "bare": 1}'],
    ["pairs", "vaela:2,oscar:1,idler:0,bare:1"]
  ])("assigned tasks start, within the limits as %s; each other one waits with its reason", async (_form, limits) => {
    const ground = await legacyGround("vaela", "oscar", "idler")
    const assignees = ["vaela", "vaela", "vaela", "oscar", "idler", "bare", "max"]
    for (const assignee of assignees) await ground.tinytask.add({ assignee })
    await ground.tinytask.add({ queue: "dev" })
    await ground.tinytask.add({ queue: "dev", assignee: "oscar" })

    const first = await run(ground, once, limits)
    expect(first.stdout.trim()).toBe("pass: 3 started, 0 ended, 0 stopping, 3 running, 6 waiting")
    expect([3, 5, 6, 7, 8, 9].map((task) => waitOf(first, task))).toEqual([
      "no free slot: vaela 2/2",
      "no free slot: idler 0/0",
      `recipe missing at ${ground.path("recipes/bare.yaml")}`,
      "assigned to max, which is no agent of ours",
      "nobody assigned, and without a control file only assigned tasks start",
      "no free slot: oscar 1/1"
    ])
    await until("all that can be done is complete", async () => {
      await run(ground, once, limits)
      return ground.tinytask.database.open() === 4
    })
    const recipes = ground.runs().map(({ agent, task }) => `${task} ${agent}`)
    expect(recipes.sort()).toEqual(["1 vaela", "2 vaela", "3 vaela", "4 oscar", "9 oscar"])
    expect(ground.outcomes(1)).toEqual(["done"])
  })

  it("and without AGENT_LIMITS nothing can start, and every command that may be asked says so", async () => {
    const ground = await legacyGround()
    await ground.tinytask.add({ assignee: "vaela" })
    const ended = await run(ground, once, "")
    expect(ended.code).toBe(0)
    expect(troublesOf(ended.stderr).join("\n")).toContain(
      "TINYSCHEDULER_AGENT_LIMITS names no agent: nothing can start"
    )
    expect((await run(ground, ["validate-config"], "")).stdout).toContain("nothing can start")
  })

  it("config, status and validate-config call it legacy mode, for people and for programs", async () => {
    const ground = await legacyGround("vaela")
    for (const command of ["config", "status", "validate-config"]) {
      const ended = await run(ground, [command], "vaela:1")
      expect({ command, said: /legacy mode/.test(ended.stdout) }).toEqual({ command, said: true })
    }
    for (const command of ["config", "status"]) {
      const { mode }: { readonly mode: unknown } = JSON.parse(
        (await run(ground, [command, "--json"], "vaela:1")).stdout
      )
      expect({ command, mode }).toEqual({ command, mode: "legacy" })
    }
  })

  it("a control file that appears ends legacy mode with the next pass; one that goes brings it back", async () => {
    const ground = await legacyGround("vaela")
    const task = await ground.tinytask.add({ queue: "dev" })
    const before = await run(ground, once, "vaela:1")
    expect(waitOf(before, task)).toMatch(/^nobody assigned/)
    ground.write("agent-control.json", entries(["vaela", "dev"]))
    expect((await run(ground, once, "vaela:1")).stdout).toContain("pass: 1 started")
    await until("the task is complete", () => ground.tinytask.database.open() === 0)
    rmSync(ground.path("agent-control.json"))
    await until("its end is recorded in legacy mode too", async () => {
      await run(ground, once, "vaela:1")
      return ground.outcomes(task)[0] === "done"
    })
  })
})

it("a running daemon takes a control file that appears, and keeps the last one when it goes", async () => {
  const ground = await legacyGround("vaela")
  const task = await ground.tinytask.add({ queue: "dev" })
  const daemon = ground.start(["run", "--daemon", ...ground.endpoint], { env: environment(ground, "vaela:1") })
  await daemon.says(`wait task ${task}: nobody assigned`)
  const path = ground.write("agent-control.json", entries(["vaela", "dev"]))
  await until("the task is complete", () => ground.tinytask.database.open() === 0)
  rmSync(path)
  await daemon.says(`${path} is gone`)
  await ground.tinytask.add({ queue: "dev" })
  daemon.kill("SIGUSR1")
  await until("the next task is complete too", () => ground.tinytask.database.open() === 0)
  daemon.kill("SIGTERM")
  expect((await daemon.ended).code).toBe(0)
})

describe("the control file", () => {
  it("is found in docs/technical, where the Python version has it; one in the base path wins", async () => {
    const ground = await legacyGround("vaela", "oscar")
    const task = await ground.tinytask.add({ queue: "dev" })
    const old = ground.write("docs/technical/agent-control.json", entries(["vaela", "dev"]))
    expect((await run(ground, ["config"], "vaela:1")).stdout).toContain(`\nagents: ${old}\n`)
    expect((await run(ground, [...once, "--dry-run"], "vaela:1")).stdout).toContain(`start task ${task} on vaela`)
    const own = ground.write("agent-control.json", entries(["oscar", "dev"]))
    expect((await run(ground, ["config"], "vaela:1")).stdout).toContain(`\nagents: ${own}\n`)
    expect((await run(ground, [...once, "--dry-run"], "oscar:1")).stdout).toContain(`start task ${task} on oscar`)
  })

  it("that is broken is an error, where the Python version fell back to legacy mode", async () => {
    const ground = await legacyGround("vaela")
    await ground.tinytask.add({ assignee: "vaela" })
    ground.write("docs/technical/agent-control.json", "[{")
    const ended = await run(ground, once, "vaela:1")
    expect(ended.code).toBe(2)
    expect(ended.stderr).toContain("agent-control.json")
    expect(ground.tinytask.database.changes()).toEqual([])
  })
})
