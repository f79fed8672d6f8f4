/** Sites that want to be asked: nothing begins until somebody has applied a kept plan, under cron and under a daemon. */
import { describe, expect, it } from "vitest"
import { makeGround } from "./harness/Ground.ts"
import type { Ground } from "./harness/Ground.ts"
import { until } from "./harness/until.ts"

const makeScene = async () => {
  const ground = await makeGround()
  ground.agents([ground.scripted("vaela", "dev")])
  return { ground, cli: (...args: ReadonlyArray<string>) => ground.cli([...args, ...ground.endpoint]) }
}

const forever = (ground: Ground) => JSON.stringify([["await", ground.path("never")]])

const statusOf = (ground: Ground, task: number) => ground.tinytask.database.task(task)?.status

const phaseOf = (ground: Ground, task: number) => ground.lease(task)?.phase

describe("with --require-approval starts", () => {
  it("single passes start nothing until the plan is applied, which needs no more than that", async () => {
    const { cli, ground } = await makeScene()
    const task = await ground.tinytask.add({ queue: "dev", description: forever(ground) })
    const careful = ["--require-approval", "starts"]
    const waits = await cli("run", "--once", ...careful)
    expect(waits).toMatchObject({ code: 0, stdout: expect.stringContaining("0 started") })
    expect(waits.stdout).toContain("1 awaiting approval")
    expect(waits.stderr).toContain(`start task ${task} on vaela (epoch 1, attempt 1): waits for approval`)
    expect(waits.stderr).toContain("1 action waits for approval: tinyscheduler plan -o FILE shows and keeps them")
    expect((await cli("status", ...careful)).stdout).toContain(
      `awaiting approval (tinyscheduler plan -o FILE, then tinyscheduler apply FILE): ${task}`
    )
    expect((await cli("why", String(task), ...careful)).stdout).toContain("\nit waits for approval: tinyscheduler plan")
    expect(JSON.parse((await cli("status", "--json", ...careful)).stdout)).toMatchObject({ awaitingApproval: [task] })
    expect((await cli("plan", "-o", "kept.json", ...careful)).code).toBe(0)
    expect((await cli("apply", "kept.json", ...careful)).stdout).toContain("1 started")
    await until("it runs", () => phaseOf(ground, task) === "running")
    expect((await cli("run", "--once", ...careful)).stdout).toContain("1 running, 0 waiting")
  })

  it("a daemon says once what waits, and starts what is applied beside it", async () => {
    const { cli, ground } = await makeScene()
    const first = await ground.tinytask.add({ queue: "dev", description: "[]" })
    const daemon = ground.start([
      "run",
      "--daemon",
      ...ground.endpoint,
      "--loop-interval",
      "1",
      "--log-level",
      "DEBUG",
      "--require-approval",
      "starts"
    ])
    await daemon.says("1 action waits for approval")
    expect((await cli("plan", "-o", "old.json")).code).toBe(0)
    expect((await cli("plan", "-o", "kept.json")).code).toBe(0)
    const done = await cli("apply", "kept.json", "--wait", "--json")
    expect(done.code).toBe(0)
    expect(JSON.parse(done.stdout)).toMatchObject({
      applied: true,
      kind: "apply",
      result: "done",
      says: "carried out: 1 action"
    })
    await until("it is complete", () => statusOf(ground, first) === "complete")
    expect(await cli("apply", "old.json")).toMatchObject({
      code: 1,
      stdout: "",
      stderr: expect.stringContaining("the plan in old.json holds no more: nothing was done")
    })
    const second = await ground.tinytask.add({ queue: "dev", description: "[]" })
    await daemon.says(`start task ${second} on vaela (epoch 1, attempt 1): waits for approval`)
    daemon.kill("SIGTERM")
    const { code, stderr } = await daemon.ended
    expect(code).toBe(0)
    expect(stderr.split("\n").filter((line) => / INFO .*1 action waits for approval/.test(line))).toHaveLength(2)
    expect(statusOf(ground, second)).toBe("idle")
  })

  it("anything but starts, stops and none is a mistake", async () => {
    const { cli } = await makeScene()
    expect(await cli("run", "--once", "--require-approval", "starts,ends")).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("starts or stops, several with commas between them, or none")
    })
  })
})
