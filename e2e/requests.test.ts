/** The commands that ask something of the scheduler: beside a daemon, and where nobody schedules. */
import { chmodSync, mkdirSync, readdirSync } from "node:fs"
import { describe, expect, it } from "vitest"
import { type Ground, makeGround } from "./harness/Ground.ts"
import { placeProgram } from "./harness/program.ts"
import type { Running } from "./harness/program.ts"
import { hasScript, keys, onTerminal } from "./harness/terminal.ts"
import { until } from "./harness/until.ts"

type Step = readonly [word: string, ...args: ReadonlyArray<unknown>]

/** Two agents; what fails is parked at once. */
const groundOfTwo = async (): Promise<Ground> => {
  const ground = await makeGround()
  ground.agents([
    ground.scripted("vaela", "dev", { stopGraceSec: 1 }),
    ground.scripted("oscar", "qa", { stopGraceSec: 1 })
  ])
  return ground
}

const add = (ground: Ground, steps: ReadonlyArray<Step>, queue = "dev"): Promise<number> =>
  ground.tinytask.add({ queue, description: JSON.stringify(steps) })

const once = (ground: Ground, ...flags: ReadonlyArray<string>) =>
  ground.cli(["run", "--once", ...ground.endpoint, "--max-attempts", "1", "--backoff-base", "0", ...flags])

/** A daemon that passes by itself only once an hour: what happens sooner somebody asked for. */
const startDaemon = async (ground: Ground): Promise<Running> => {
  const daemon = ground.start([
    "run",
    "--daemon",
    ...ground.endpoint,
    "--loop-interval",
    "3600",
    "--max-attempts",
    "1",
    "--backoff-base",
    "0"
  ])
  await daemon.says("daemon: a pass every")
  return daemon
}

const end = async (daemon: Running): Promise<void> => {
  daemon.kill("SIGTERM")
  expect((await daemon.ended).code).toBe(0)
}

const ask = async (ground: Ground, ...args: ReadonlyArray<string>) => {
  const { code, stderr, stdout } = await ground.cli([...args, ...ground.endpoint])
  return { code, out: stdout.trimEnd(), err: stderr }
}

const isRunning = (ground: Ground, task: number, epoch = 1) =>
  until(`task ${task} runs`, () => ground.lease(task)?.phase === "running" && ground.lease(task)?.epoch === epoch)

/** A task that failed once and is parked. */
const parkedTask = async (ground: Ground): Promise<number> => {
  const task = await add(ground, [["await", ground.path("never-mind")]])
  await once(ground)
  await isRunning(ground, task)
  expect((await ask(ground, "stop", String(task), "--max-lost", "1")).code).toBe(0)
  expect((await once(ground)).stdout).toContain("1 waiting")
  ground.write("never-mind", "")
  return task
}

const requests = (ground: Ground) => ground.files("requests").filter((name) => name !== "answers")

describe("retry", () => {
  it("beside a daemon a parked task is released, and starts at once", async () => {
    const ground = await groundOfTwo()
    const task = await parkedTask(ground)
    const daemon = await startDaemon(ground)
    const { code, out } = await ask(ground, "retry", String(task))
    expect({ code, out }).toEqual({
      code: 0,
      out: expect.stringMatching(/^accepted: the scheduler \(pid \d+, term \d+\) carries it out with its next pass$/)
    })
    await until("it is complete", () => ground.tinytask.database.open() === 0)
    expect(ground.outcomes(task)).toEqual(["stopped", "done"])
    expect(requests(ground)).toEqual([])
    expect(ground.runs().map(({ epoch }) => epoch)).toEqual([1, 2])
    await end(daemon)
  })

  it("where nobody schedules the command does it itself; a second one finds nothing to release", async () => {
    const ground = await groundOfTwo()
    const task = await parkedTask(ground)
    const dry = await ask(ground, "retry", String(task), "--dry-run")
    expect(dry.out).toBe(
      `dry run, nothing was changed: task ${task} is released: it was parked after 1 (stopped); its counts begin anew`
    )
    const { code, out } = await ask(ground, "retry", String(task), "--json")
    expect(code).toBe(0)
    expect(JSON.parse(out)).toMatchObject({ version: 1, kind: "retry", task, epoch: 1, result: "done" })
    expect(await ask(ground, "retry", String(task))).toMatchObject({
      code: 0,
      out: `task ${task} is neither parked nor waiting after a failure: there is nothing to release`
    })
    await once(ground)
    await until("its second attempt has finished", () => ground.lease(task)?.phase === "finished")
    await once(ground)
    expect(ground.outcomes(task)).toEqual(["stopped", "done"])
    ground.write(`state/attempts/task_${task}.json`, "garbage")
    const says = expect.stringMatching(
      new RegExp(`^task ${task} can't be released while its attempts file can't be read`)
    )
    expect(await ask(ground, "retry", String(task))).toEqual({ code: 1, out: "", err: says })
    const told = await ask(ground, "retry", String(task), "--json")
    expect({ ...told, out: JSON.parse(told.out) }).toEqual({
      code: 1,
      out: { version: 1, kind: "retry", task, result: "refused", says },
      err: ""
    })
  })
})

describe("stop", () => {
  it("beside a daemon: the attempt is ended, its task goes back, and the command tells how it ended", async () => {
    const ground = await groundOfTwo()
    const task = await add(ground, [
      ["ignore", "SIGINT"],
      ["await", ground.path("never")]
    ])
    const daemon = await startDaemon(ground)
    await isRunning(ground, task)
    await until("it ignores SIGINT", () => ground.lines().some(({ what }) => what === "start"))
    expect((await ask(ground, "stop", String(task), "--dry-run")).out).toContain(
      `attempt 1 at task ${task} (vaela) would be stopped`
    )
    await ask(ground, "pause")
    const { code, out } = await ask(ground, "stop", String(task), "--wait")
    expect({ code, out }).toEqual({
      code: 0,
      out: expect.stringMatching(new RegExp(`^the attempt at task ${task} has ended: stopped \\(requested\\)`))
    })
    expect(ground.outcomes(task)).toEqual(["stopped"])
    expect(ground.tinytask.database.task(task)).toMatchObject({ status: "idle", assigned_to: null })
    expect(ground.tinytask.database.comments(task).join()).toContain("stopped (requested)")
    await end(daemon)
    expect(ground.processes()).toEqual([])
  })

  it("where nobody schedules the command climbs the ladder itself, and starts nothing", async () => {
    const ground = await groundOfTwo()
    const task = await add(ground, [
      ["ignore", "SIGINT"],
      ["await", ground.path("never")]
    ])
    await once(ground)
    await isRunning(ground, task)
    const other = await add(ground, [], "qa")
    const { code, err, out } = await ask(ground, "stop", String(task))
    // The log of its passes is in the day's file alone.
    expect({ code, err, out }).toEqual({
      code: 0,
      err: "",
      out: expect.stringMatching(/has ended: stopped \(requested\)/)
    })
    expect(ground.read(`state/logs/${ground.files("logs").find((name) => name.endsWith(".log"))}`)).toContain(
      "asked by"
    )
    expect(ground.processes()).toEqual([])
    expect(ground.lease(other)).toBeNull()
    expect(await ask(ground, "stop", String(task))).toMatchObject({
      code: 0,
      out: `nothing runs at task ${task}: there is nothing to stop`
    })
  })
})

describe.skipIf(!hasScript)("a person at a terminal", () => {
  it("is told what is waited for, and for how long", async () => {
    const ground = await groundOfTwo()
    const steps: ReadonlyArray<Step> = [
      ["ignore", "SIGINT"],
      ["await", ground.path("gate")]
    ]
    const [task, other] = [await add(ground, steps), await add(ground, steps, "qa")]
    await once(ground)
    for (const one of [task, other]) await isRunning(ground, one)
    await until("both ignore SIGINT", () => ground.lines().filter(({ what }) => what === "start").length === 2)
    const stop = onTerminal(ground, ["stop", String(task), ...ground.endpoint])
    await stop.sees(`nobody schedules, so this command stops the attempt at task ${task}: `, "")
    expect(await stop.ended).toMatchObject({
      code: 0,
      shown: expect.stringContaining("has ended: stopped (requested)")
    })
    const drain = onTerminal(ground, ["drain", "--wait", ...ground.endpoint])
    await drain.sees(`task ${other} still runs; waiting for 60 s at most`, keys.interrupt)
    expect(await drain.ended).toMatchObject({ code: 130, shown: expect.stringContaining("The pause stands; ") })
    ground.write("gate", "")
  })
})

describe("pause, drain and resume", () => {
  it("of one agent: it starts nothing, the others do; of all: nothing starts; what runs goes on", async () => {
    const ground = await groundOfTwo()
    const first = await add(ground, [["await", ground.path("gate")]])
    const daemon = await startDaemon(ground)
    await isRunning(ground, first)
    expect((await ask(ground, "pause", "oscar", "--for", "2h", "--reason", "no tokens left", "--wait")).out).toMatch(
      /^agent oscar starts nothing new until 2\d{3}-\S+Z; what it runs goes on$/
    )
    const second = await add(ground, [], "qa")
    daemon.kill("SIGUSR1")
    await daemon.says(new RegExp(`wait task ${second}: agent oscar paused by \\S+ \\(no tokens left\\) until`))
    const draining = ground.start(["drain", "--wait", "--json", ...ground.endpoint])
    expect((await ask(ground, "resume", "oscar", "--wait")).out).toMatch(/^agent oscar takes tasks again/)
    await until("all is paused", async () => (await ask(ground, "status")).out.includes("starts are off: paused by"))
    expect(ground.lease(first)?.phase).toBe("running")
    ground.write("gate", "")
    const drained = await draining.ended
    expect(drained.code).toBe(0)
    expect(JSON.parse(drained.stdout)).toMatchObject({ kind: "drain", agent: null, running: [], result: "done" })
    expect(ground.lease(second)).toBeNull()
    expect((await ask(ground, "resume")).out).toContain("accepted")
    await until("both are complete", () => ground.tinytask.database.open() === 0)
    await end(daemon)
  })

  it("are kept where nobody schedules, and hold for whoever schedules next", async () => {
    const ground = await groundOfTwo()
    const task = await add(ground, [])
    expect(await ask(ground, "drain")).toEqual({
      code: 0,
      err: "",
      out: "nothing new is started until it is resumed; what runs goes on; nothing runs any more"
    })
    expect((await once(ground)).stderr).toMatch(
      new RegExp(`wait task ${task}: starts are off: paused \\(by \\S+ until it is resumed\\)`)
    )
    expect((await ask(ground, "resume")).out).toBe("tasks are started again")
    expect((await once(ground)).stdout).toContain("1 started")
  })
})

describe("gc", () => {
  it("forgets tasks that are archived or gone, and keeps those that may come back", async () => {
    const ground = await groundOfTwo()
    const archived = await add(ground, [])
    const complete = await add(ground, [], "qa")
    const parked = await add(ground, [["exit", 3]])
    const daemon = await startDaemon(ground)
    await until("each was tried", () => [archived, complete, parked].every((id) => ground.outcomes(id).length === 1))
    await until("nothing runs", () => ground.files("running").length === 0)
    await ground.tinytask.call("archive_task", { id: archived })
    const dry = await ask(ground, "gc", "--dry-run")
    expect(dry.out).toContain(`1 task is archived or gone (${archived})`)
    expect(ground.files("attempts")).toHaveLength(3)
    expect(await ask(ground, "gc", "--wait")).toMatchObject({
      code: 0,
      out: "what was remembered of 1 task is removed: archived or gone in Tinytask"
    })
    expect(ground.files("attempts")).toEqual([`task_${complete}.json`, `task_${parked}.json`])
    await end(daemon)
    expect((await ask(ground, "gc")).out).toBe("no task is archived or gone of which something is remembered")
    await ground.tinytask.down()
    const { code, err } = await ask(ground, "gc")
    expect({ code, err }).toEqual({ code: 1, err: expect.stringContaining("can't be used") })
    expect(ground.files("attempts")).toHaveLength(2)
  })
})

describe("what can't be", () => {
  it("is one sentence with the way out, and nothing is written", async () => {
    const ground = await groundOfTwo()
    const refusals: ReadonlyArray<readonly [string, RegExp]> = [
      ["retry 99", /^nothing is remembered of task 99: .*there is nothing to release/],
      ["stop 99", /^nothing runs at task 99, and none of its attempts is remembered/],
      ["retry 0", /^Invalid value for argument <task>.* Try: tinyscheduler retry --help$/],
      ["stop x", /^Invalid value for argument <task>.* Try: tinyscheduler stop --help$/],
      ["retry", /^Missing required argument: task\. Try: tinyscheduler retry --help$/],
      ["pause vela", /^no agent is called vela: did you mean vaela\?$/],
      ["resume nobody-of-ours", /^no agent is called nobody-of-ours: there are oscar, vaela\.$/],
      ["pause vaela --for soon", /^--for is "soon", expected a length of time like 45m/],
      ["drain --until 2020-01-01T00:00Z", /^--until is 2020-01-01T00:00:00\.000Z, which is past/],
      ["pause --for 1h --until 2099-01-01T00:00", /^--for and --until both say/]
    ]
    for (const [line, says] of refusals) {
      const { code, err, out } = await ask(ground, ...line.split(" "))
      expect({ line, code, out }).toEqual({ line, code: 2, out: "" })
      expect(err.trimEnd()).toMatch(says)
    }
    expect(readdirSync(ground.base)).not.toContain("state")
  })

  it("without the right to write is told, and nothing is asked", async () => {
    const ground = await groundOfTwo()
    const isRoot = process.geteuid?.() === 0
    mkdirSync(ground.path("state"))
    chmodSync(ground.base, 0o755)
    chmodSync(ground.path("state"), isRoot ? 0o755 : 0o555)
    const placed = placeProgram(ground.home)
    const command = ["setpriv", "--reuid=65534", "--clear-groups", process.execPath, "--", placed]
    const { code, stderr } = await ground.cli(["pause", ...ground.endpoint], isRoot ? { command } : {})
    expect(code).toBe(1)
    expect(stderr).toMatch(/^The scheduler lock|^the scheduler lock .*can't be taken: .*permission denied/i)
    expect(readdirSync(ground.path("state"))).toEqual([])
    chmodSync(ground.path("state"), 0o755)
  })

  it("yet is waited for only so long; Ctrl-C ends the wait with 130, and the request stands", async () => {
    const ground = await groundOfTwo()
    const daemon = await startDaemon(ground)
    daemon.kill("SIGSTOP")
    expect(await ask(ground, "pause", "vaela", "--wait", "--wait-timeout", "1")).toMatchObject({
      code: 1,
      out: expect.stringMatching(/^not yet: the scheduler \(pid \d+, term \d+\) carries it out with its next pass$/)
    })
    const waiting = ground.start(["pause", "oscar", "--wait", ...ground.endpoint])
    await until("its request is there", () => requests(ground).length === 2)
    waiting.kill("SIGINT")
    const { code, stderr } = await waiting.ended
    expect({ code, stderr }).toEqual({ code: 130, stderr: expect.stringMatching(/^The request stands: the scheduler/) })
    expect((await ask(ground, "status")).out).toContain(
      "\nasked for, the next pass carries it out: pause vaela, pause oscar\n"
    )
    daemon.kill("SIGCONT")
    await until("both are answered", () => requests(ground).length === 0)
    expect((await ask(ground, "status")).out).toMatch(/^vaela .*paused by .*\n^oscar .*paused by /m)
    await end(daemon)
  })
})
