/** What runs until it is asked to end: the daemon and `up`, their signals, and whom they leave alone when they go. */
import { describe, expect, it } from "vitest"
import { serveFake } from "./harness/fakeServer.ts"
import { type Ground, makeGround, Ground as Folder } from "./harness/Ground.ts"
import { environmentOf, isLiving } from "./harness/processes.ts"
import { linesOf } from "./harness/program.ts"
import { addTask, TaskDatabase } from "./harness/tinytask.ts"
import { until } from "./harness/until.ts"

const gateScript = (ground: Ground): string => JSON.stringify([["await", ground.path("gate")]])

/** A server that takes connections and never answers; `asked` waits until somebody has asked. */
const silentServer = async () => {
  let requests = 0
  const url = await serveFake(() => (requests += 1))
  return { url, asked: (times: number) => until("it has been asked", () => requests >= times) }
}

describe("run --daemon", () => {
  it.each(["SIGTERM", "SIGINT"] as const)("ends on %s with exit code 0 and leaves its agents running", async (name) => {
    const ground = await makeGround()
    ground.agents([ground.scripted("vaela", "dev")])
    const task = await ground.tinytask.add({ queue: "dev", description: gateScript(ground) })
    const daemon = ground.start(["run", "--daemon", ...ground.endpoint])
    await until("its agent runs", () => ground.lease(task)?.phase === "running" && ground.runs().length === 1)
    daemon.kill(name)
    expect(await daemon.ended).toMatchObject({ code: 0, signal: null, stdout: "" })
    const [supervisor, agent] = [ground.lease(task)?.pid ?? 0, ground.runs()[0]?.pid ?? 0]
    expect([supervisor, agent].map(isLiving)).toEqual([true, true])
    ground.write("gate", "")
    await until("its ending stands", () => ground.lease(task)?.phase === "finished")
    expect((await ground.cli(["run", "--once", ...ground.endpoint])).stdout).toContain("1 ended")
    expect(ground.outcomes(task)).toEqual(["done"])
  })

  it("ends at once with exit code 130 on a second signal, also in the middle of a pass", async () => {
    const silent = await silentServer()
    const ground = await makeGround()
    ground.agents([ground.worker("vaela", "dev")])
    const daemon = ground.start(["run", "--daemon", "--mcp-endpoint", silent.url])
    await silent.asked(1)
    // Two different ones: the system may deliver two of a kind as one.
    daemon.kill("SIGTERM")
    daemon.kill("SIGINT")
    expect(await daemon.ended).toMatchObject({ code: 130, signal: null })
    expect((await ground.cli(["run", "--once", ...ground.endpoint])).code).toBe(0)
  })

  it("goes on when a pass fails, and tells it", async () => {
    const ground = await makeGround()
    ground.agents([ground.worker("vaela", "dev", { env: { WORK_MS: "1-2" } })])
    const daemon = ground.start(["run", "--daemon", ...ground.endpoint, "--loop-interval", "1"])
    await daemon.says("daemon: a pass every 1 s")
    await ground.tinytask.down()
    await daemon.says(/ERROR Tinytask at .* nothing listens there/)
    await ground.tinytask.up()
    await ground.tinytask.add({ queue: "dev" })
    await until("the task is complete", () => ground.tinytask.database.open() === 0)
    daemon.kill("SIGTERM")
    expect((await daemon.ended).code).toBe(0)
  })

  it("starts what waited as soon as an agent ends, long before its interval is over", async () => {
    const ground = await makeGround()
    ground.agents([ground.worker("vaela", "dev", { env: { WORK_MS: "1-2" } })])
    for (let number = 0; number < 5; number += 1) await ground.tinytask.add({ queue: "dev" })
    const daemon = ground.start(["run", "--daemon", ...ground.endpoint, "--loop-interval", "86400"])
    await until("all are complete", () => ground.tinytask.database.open() === 0)
    expect(ground.runs()).toHaveLength(5)
    daemon.kill("SIGTERM")
    expect((await daemon.ended).code).toBe(0)
  })
})

describe("run --once", () => {
  it("ends on SIGINT with exit code 130 and frees the lock", async () => {
    const silent = await silentServer()
    const ground = await makeGround()
    ground.agents([ground.worker("vaela", "dev")])
    const pass = ground.start(["run", "--once", "--mcp-endpoint", silent.url])
    await silent.asked(1)
    pass.kill("SIGINT")
    const ended = await pass.ended
    expect(ended).toMatchObject({ code: 130, signal: null, stdout: "" })
    expect(ended.stderr).not.toMatch(/^\s+at /m)
    expect((await ground.cli(["run", "--once", ...ground.endpoint])).code).toBe(0)
  })
})

describe("up", () => {
  it("serves a Tinytask, starts what `tinytask add` adds, ends on SIGTERM with 0, and leaves its agents running", async () => {
    const ground = new Folder()
    ground.agents([ground.scripted("vaela", "dev"), ground.worker("damien", "qa")])
    const up = ground.start(["up", "--port", "0", "--loop-interval", "1"])
    await up.says(/Tinytask listens at http:\/\/127\.0\.0\.1:\d+/)
    const url = /http:\/\/127\.0\.0\.1:\d+/.exec(up.said().stderr)?.[0] ?? ""
    const endpoint = ["--mcp-endpoint", url]
    expect((await ground.cli(["tinytask", "add", "quick", "--queue", "qa", ...endpoint])).stdout).toBe("task 1 added\n")
    await until("the quick one has run and is off the list", async () => {
      return (await ground.cli(["tinytask", "list", "--json", ...endpoint])).stdout === "[]\n"
    })
    const task = await addTask(url, { queue: "dev", description: gateScript(ground) })
    await until("the long one runs", () => ground.lease(task)?.phase === "running" && ground.runs().length === 2)
    expect((await ground.cli(["status", ...endpoint])).stdout).toContain(`running task ${task} on vaela`)
    up.kill("SIGTERM")
    expect(await up.ended).toMatchObject({ code: 0, signal: null, stdout: "" })
    const agent = ground.runs()[1]?.pid ?? 0
    expect(isLiving(agent)).toBe(true)

    // Its tasks are in a file of the state; the next `up` finds them, and ends what the last one began.
    ground.write("gate", "")
    const again = ground.start(["up", "--port", "0"])
    const database = new TaskDatabase(ground.path("state/tinytask.db"))
    await until("the long one is complete", () => database.open() === 0)
    database.close()
    await until("its attempt is over", () => ground.outcomes(task).length === 1 && ground.lease(task) === null)
    expect(ground.outcomes(task)).toEqual(["done"])
    again.kill("SIGINT")
    expect((await again.ended).code).toBe(0)
  })
})

describe("a scheduler that is started from an agent's shell", () => {
  it.each([
    ["run", "--daemon"],
    ["up", "--port", "0"]
  ])("%s %s replaces itself by one without the attempt's marks, and is no part of the attempt", async (...command) => {
    const ground = await makeGround()
    ground.agents([ground.worker("vaela", "dev")])
    const marks = {
      TINYSCHEDULER_LEASE: "11111111-2222-4333-8444-555555555555",
      TINYSCHEDULER_TASK_ID: "7",
      TINYSCHEDULER_AGENT: "vaela",
      TINYSCHEDULER_ATTEMPT: "1",
      TINYSCHEDULER_EPOCH: "1"
    }
    const settings = { TINYSCHEDULER_HEARTBEAT_SEC: "9", OTHER: "kept" }
    const started = ground.start([...command, ...ground.endpoint], { env: { ...marks, ...settings } })
    await started.says("daemon: a pass every")
    const environment = environmentOf(started.pid)
    expect(environment).toMatchObject(settings)
    expect(Object.keys(environment).filter((name) => name in marks)).toEqual([])
    started.kill("SIGTERM")
    const { code, stderr } = await started.ended
    expect(code).toBe(0)
    expect(linesOf(stderr).filter((line) => !/ INFO /.test(line))).toEqual([])
  })

  it("by an agent of its own: its agents live on when that agent has ended", async () => {
    const ground = await makeGround()
    ground.agents([ground.worker("vaela", "dev", { env: { WORK_MS: "1-2" } })])
    const marked = { TINYSCHEDULER_LEASE: "11111111-2222-4333-8444-555555555555" }
    const task = await ground.tinytask.add({ queue: "dev" })
    expect((await ground.cli(["run", "--once", ...ground.endpoint], { env: marked })).code).toBe(0)
    await until("its ending stands", () => ground.lease(task)?.phase === "finished")
    expect(ground.lease(task)?.token).not.toBe(marked.TINYSCHEDULER_LEASE)
    expect((await ground.cli(["run", "--once", ...ground.endpoint], { env: marked })).stdout).toContain("1 ended")
  })
})
