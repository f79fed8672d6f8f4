/** A kept plan: carried out while all is as it was, refused with the difference once anything is not. */
import { readFileSync, statSync, symlinkSync } from "node:fs"
import { describe, expect, it } from "vitest"
import { digestOf, type Ground, makeGround, treeOf } from "./harness/Ground.ts"
import { until } from "./harness/until.ts"

const entries = (ground: Ground) => [ground.scripted("vaela", "dev", { slots: 2 }), ground.scripted("oscar", "qa")]

const cli = (ground: Ground, ...args: ReadonlyArray<string>) => ground.cli([...args, ...ground.endpoint])

const pass = (ground: Ground) => cli(ground, "run", "--once", "--backoff-base", "3600")

const keep = (ground: Ground) => cli(ground, "plan", "-o", "kept.json", "--backoff-base", "3600")

const apply = (ground: Ground, ...flags: ReadonlyArray<string>) =>
  cli(ground, "apply", "kept.json", "--backoff-base", "3600", ...flags)

/** What attempts leave behind. The lock's file and the day's log tell who asked, and are no part of it. */
const footprint = (ground: Ground): string =>
  digestOf(
    ["running", "claims", "attempts", "stops", "history", "requests"]
      .flatMap((name) => treeOf(ground.path(`state/${name}`)))
      .join("\n")
  )

/** One task runs, one failed and backs off, one is ready. */
const makeScene = async () => {
  const ground = await makeGround()
  ground.agents(entries(ground))
  const add = (queue: string, ...steps: ReadonlyArray<ReadonlyArray<unknown>>) =>
    ground.tinytask.add({ queue, description: JSON.stringify(steps) })
  const running = await add("dev", ["await", ground.path("never")])
  await pass(ground)
  await until("it runs", () => ground.lease(running)?.phase === "running")
  const ready = await add("dev", ["await", ground.path("never")])
  expect((await keep(ground)).code).toBe(0)
  return { ground, running, ready }
}

type Scene = Awaited<ReturnType<typeof makeScene>>

describe("a kept plan", () => {
  it("that still holds is carried out, and starts exactly what it said", async () => {
    const { ground, ready, running } = await makeScene()
    expect(statSync(ground.path("kept.json")).mode & 0o777).toBe(0o600)
    const later = await cli(ground, "plan", "--detailed-exitcode", "--backoff-base", "3600")
    expect({ code: later.code, out: later.stdout }).toEqual({
      code: 5,
      out: expect.stringContaining(`start task ${ready} on vaela`)
    })
    const { code, stdout } = await apply(ground, "--json")
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ version: 1, applied: true, started: 1, errors: [] })
    await until("both run", () => [running, ready].every((id) => ground.lease(id)?.phase === "running"))
    expect((await cli(ground, "plan", "--detailed-exitcode", "--backoff-base", "3600")).code).toBe(0)
    expect(await apply(ground)).toMatchObject({ code: 1, stderr: expect.stringContaining("holds no more") })
  })

  it.each<readonly [name: string, change: (scene: Scene) => Promise<unknown>, says: (scene: Scene) => string]>([
    [
      "a lease appeared",
      async ({ ground, ready, running }) => {
        const lease = readFileSync(ground.leasePath(running), "utf8")
        ground.write(`state/running/task_${ready}.json`, lease.replace(`"task_id": ${running}`, `"task_id": ${ready}`))
      },
      ({ ready }) => `the lease of task ${ready} was`
    ],
    [
      "its task was given to somebody else",
      ({ ground, ready }) => ground.tinytask.update(ready, { assigned_to: "maria" }),
      ({ ready }) => `planned no more: start task ${ready} on vaela`
    ],
    [
      "its task was completed",
      ({ ground, ready }) => ground.tinytask.update(ready, { status: "complete" }),
      ({ ready }) => `task ${ready} was part of the plan and is not`
    ],
    [
      "its task was blocked",
      ({ ground, ready, running }) => ground.tinytask.update(ready, { blocked_by_task_id: running }),
      ({ ready }) => `planned no more: start task ${ready} on vaela`
    ]
  ])("is refused when %s, with the difference, and nothing is done", async (_name, change, says) => {
    const scene = await makeScene()
    const { ground } = scene
    await change(scene)
    const before = footprint(ground)
    const { code, stderr, stdout } = await apply(ground)
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" })
    expect(stderr).toContain("the plan in kept.json holds no more: nothing was done")
    expect(stderr).toContain(says(scene))
    expect(footprint(ground)).toBe(before)
  })

  it("is refused when limits, agents or the configuration are others, with the difference, and nothing is done", async () => {
    const { ground } = await makeScene()
    const before = footprint(ground)
    expect(await apply(ground, "--max-concurrent", "7")).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("the limit of all was unlimited and is 7")
    })
    ground.agents(entries(ground).slice(0, 1))
    expect(await apply(ground)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("agent oscar was there and is not")
    })
    ground.agents([ground.scripted("vaela", ["dev", "docs"], { slots: 2 }), ground.scripted("oscar", "qa")])
    expect(await apply(ground)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("and is enabled, 2 slots, queues dev docs")
    })
    expect(footprint(ground)).toBe(before)
  })

  it("is refused when the clock has passed a backoff, with the difference, and nothing is done", async () => {
    const ground = await makeGround()
    ground.agents(entries(ground))
    const flags = ["--backoff-base", "8"]
    const task = await ground.tinytask.add({ queue: "qa", description: JSON.stringify([["exit", 3]]) })
    await cli(ground, "run", "--once", ...flags)
    await until("it has failed", () => ground.lease(task)?.phase === "finished")
    await cli(ground, "run", "--once", ...flags)
    const { not_before: notBefore }: { readonly not_before: string } = JSON.parse(
      ground.read(`state/attempts/task_${task}.json`)
    )
    expect((await cli(ground, "plan", "-o", "kept.json", "--detailed-exitcode", ...flags)).code).toBe(0)
    await until("its backoff is over", () => Date.now() > Date.parse(notBefore))
    const before = footprint(ground)
    const { code, stderr } = await cli(ground, "apply", "kept.json", ...flags)
    expect(code).toBe(1)
    expect(stderr).toContain(`the time at which a verdict changes by itself was ${notBefore} and is never`)
    expect(stderr).toContain(`planned anew: start task ${task} on oscar (epoch 2`)
    expect(footprint(ground)).toBe(before)
  })

  it("that is none, was changed or is a link is refused in one sentence", async () => {
    const ground = await makeGround()
    ground.agents(entries(ground))
    expect(await apply(ground)).toMatchObject({ code: 1, stderr: expect.stringContaining("there is no plan file") })
    expect((await keep(ground)).code).toBe(0)
    const text = ground.read("kept.json")
    ground.write("kept.json", text.replace('"maxConcurrent": null', '"maxConcurrent": 7'))
    expect((await apply(ground)).stderr).toContain("was changed after it was written")
    ground.write("kept.json", "{}")
    expect((await apply(ground)).stderr).toContain("is no plan file of this version")
    symlinkSync(ground.path("kept.json"), ground.path("link.json"))
    expect((await cli(ground, "apply", "link.json")).stderr).toContain("is a symbolic link")
    expect((await cli(ground, "plan", "-o", "link.json")).stderr).toContain("is a symbolic link")
    expect((await apply(ground, "--dry-run")).code).toBe(2)
  })
})
