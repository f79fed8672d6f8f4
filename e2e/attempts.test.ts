/** What happens to an attempt while it runs and when it ends: protocol, sections 6 and 7, with real agents. */
import { existsSync } from "node:fs"
import { describe, expect, it } from "vitest"
import { type Ground, makeGround } from "./harness/Ground.ts"
import { isLiving, signal, startOf } from "./harness/processes.ts"
import { overlaps } from "./harness/records.ts"
import { until } from "./harness/until.ts"

type Step = readonly [word: string, ...args: ReadonlyArray<unknown>]

/** A task for the scripted agent. */
const addScripted = (ground: Ground, steps: ReadonlyArray<Step>, queue = "dev"): Promise<number> =>
  ground.tinytask.add({ queue, description: JSON.stringify(steps) })

/** A ground whose one agent "vaela" serves "dev" by script. */
const scriptedGround = async (rest: Readonly<Record<string, unknown>> = {}): Promise<Ground> => {
  const ground = await makeGround()
  ground.agents([ground.scripted("vaela", "dev", rest)])
  return ground
}

/** One pass; answers the words of its verdicts by task, of its last round. */
const pass = async (
  ground: Ground,
  flags: ReadonlyArray<string> = []
): Promise<{ readonly code: number | null; readonly summary: string; readonly log: string }> => {
  const { code, stderr, stdout } = await ground.cli(["run", "--once", ...ground.endpoint, ...flags])
  return { code, summary: stdout.trimEnd(), log: stderr }
}

const startedIn = (ground: Ground, task: number): boolean =>
  ground.lines().some((line) => line.task === task && line.what === "start")

const phaseIs = (ground: Ground, task: number, phase: string) =>
  until(`task ${task} is ${phase}`, () => ground.lease(task)?.phase === phase)

const hasStarted = (ground: Ground, task: number) =>
  until(
    `the agent of task ${task} has started`,
    () => startedIn(ground, task) && ground.lease(task)?.phase === "running"
  )

const ended = (ground: Ground, task: number) =>
  until(`the agent of task ${task} has noted its end`, () =>
    ground.lines().some((line) => line.task === task && line.what === "end")
  )

describe("a limit lowered below what runs", () => {
  const cases = [
    {
      name: "of the agent",
      before: ["--agent-limit", "vaela=3"],
      after: ["--agent-limit", "vaela=1"],
      says: /no free slot: .*3\/1/
    },
    {
      name: "of the queue",
      before: ["--agent-limit", "vaela=9", "--queue-limits", "dev:3"],
      after: ["--agent-limit", "vaela=9", "--queue-limits", "dev:1"],
      says: /queue limit: dev 3\/1/
    },
    {
      name: "of all",
      before: ["--agent-limit", "vaela=9", "--max-concurrent", "3"],
      after: ["--agent-limit", "vaela=9", "--max-concurrent", "1"],
      says: /global limit: 3\/1/
    }
  ]
  it.each(cases)(
    "$name stops nobody, and nothing starts until there is room again",
    async ({ after, before, says }) => {
      const ground = await scriptedGround()
      const gates = [1, 2, 3, 4].map((number) => ground.path(`gate.${number}`))
      for (const gate of gates) await addScripted(ground, [["await", gate]])
      expect((await pass(ground, before)).summary).toContain("3 started")
      for (const task of [1, 2, 3]) await hasStarted(ground, task)

      const lowered = await pass(ground, after)
      expect(lowered.summary).toBe("pass: 0 started, 0 ended, 0 stopping, 3 running, 1 waiting")
      expect(lowered.log).toMatch(says)

      // Two of three end: one is still as many as the limit allows.
      for (const task of [1, 2]) {
        ground.write(`gate.${task}`, "")
        await phaseIs(ground, task, "finished")
      }
      expect((await pass(ground, after)).summary).toBe("pass: 0 started, 2 ended, 0 stopping, 1 running, 1 waiting")
      expect(startedIn(ground, 4)).toBe(false)

      ground.write("gate.3", "")
      await phaseIs(ground, 3, "finished")
      expect((await pass(ground, after)).summary).toBe("pass: 1 started, 1 ended, 0 stopping, 1 running, 0 waiting")
      ground.write("gate.4", "")
      await phaseIs(ground, 4, "finished")
      await pass(ground, after)
      expect(ground.tinytask.database.open()).toBe(0)
      expect(new Set(ground.runs().map(({ task }) => task))).toEqual(new Set([1, 2, 3, 4]))
      expect(ground.runs()).toHaveLength(4)
    }
  )
})

describe("a task that changes while its agent runs", () => {
  it("completed by hand: the agent goes on, and at its end the outcome is done whatever its exit code", async () => {
    const ground = await scriptedGround()
    const task = await addScripted(ground, [
      ["await", ground.path("gate")],
      ["note", "end"],
      ["exit", 3]
    ])
    await pass(ground)
    await hasStarted(ground, task)
    await ground.tinytask.update(task, { status: "complete" })
    const during = await pass(ground)
    expect(during.summary).toBe("pass: 0 started, 0 ended, 0 stopping, 1 running, 0 waiting")
    expect(isLiving(ground.runs()[0]?.pid ?? 0)).toBe(true)
    ground.write("gate", "")
    await phaseIs(ground, task, "finished")
    expect((await pass(ground)).summary).toContain("1 ended")
    expect(ground.outcomes(task)).toEqual(["done"])
    expect(ground.tinytask.database.comments(task)).toEqual([])
    expect(ground.tinytask.database.changes().filter(({ after }) => after === "complete")).toHaveLength(1)
  })

  it("handed to another queue by its agent: the other queue's agent takes it, and nobody failed", async () => {
    const ground = await makeGround()
    ground.agents([ground.scripted("vaela", "dev"), ground.worker("oscar", "qa")])
    const task = await addScripted(ground, [
      ["call", "move_task_to_queue", { task_id: "$task", new_queue_name: "qa" }],
      ["call", "update_task", { id: "$task", status: "idle", assigned_to: "" }]
    ])
    await pass(ground)
    await phaseIs(ground, task, "finished")
    const handed = await pass(ground)
    // What its ending freed was used by the same pass.
    expect(handed.summary).toContain("1 started, 1 ended")
    expect(ground.outcomes(task)).toEqual(["handed-over"])
    await phaseIs(ground, task, "finished")
    await pass(ground)
    expect(ground.outcomes(task)).toEqual(["handed-over", "done"])
    expect(ground.runs().map(({ agent, epoch }) => [agent, epoch])).toEqual([
      ["vaela", 1],
      ["oscar", 2]
    ])
    expect(ground.tinytask.database.comments(task)).toEqual([])
  })

  it("moved to another queue and nothing else: it is left as its agent left it, no failure is counted", async () => {
    const ground = await scriptedGround()
    const task = await addScripted(ground, [["call", "move_task_to_queue", { task_id: "$task", new_queue_name: "qa" }]])
    await pass(ground)
    await phaseIs(ground, task, "finished")
    expect((await pass(ground)).code).toBe(0)
    expect(ground.outcomes(task)).toEqual(["handed-over"])
    expect(ground.tinytask.database.task(task)).toMatchObject({
      queue_name: "qa",
      status: "working",
      assigned_to: "vaela"
    })
    expect((await ground.cli(["status", ...ground.endpoint])).stdout).toContain(`worked on outside: ${task}`)
  })

  it("handed to another agent by move_task: that agent goes on with it", async () => {
    const ground = await makeGround()
    ground.agents([ground.scripted("vaela", "dev"), ground.worker("damien", "dev")])
    const task = await ground.tinytask.add({
      queue: "dev",
      assignee: "vaela",
      description: JSON.stringify([
        ["call", "move_task", { task_id: "$task", current_agent: "vaela", new_agent: "damien", comment: "yours" }]
      ])
    })
    await pass(ground)
    await phaseIs(ground, task, "finished")
    await pass(ground)
    await phaseIs(ground, task, "finished")
    await pass(ground)
    expect(ground.outcomes(task)).toEqual(["handed-over", "done"])
    expect(ground.runs().map(({ agent }) => agent)).toEqual(["vaela", "damien"])
  })

  it("given subtasks by its agent: it waits as their parent and completes with them", async () => {
    const ground = await scriptedGround({ slots: 2 })
    const part = { parent_task_id: "$task", created_by: "vaela", description: "[]" }
    const parent = await addScripted(ground, [
      ["call", "create_subtask", { ...part, title: "one half" }],
      ["call", "create_subtask", { ...part, title: "the other half" }]
    ])
    await pass(ground)
    await phaseIs(ground, parent, "finished")
    const next = await pass(ground)
    expect(ground.outcomes(parent)).toEqual(["handed-over"])
    expect(next.summary).toBe("pass: 2 started, 1 ended, 0 stopping, 2 running, 1 waiting")
    expect(next.log).toContain(`wait task ${parent}: parent of 2 open subtasks`)
    for (const task of [2, 3]) await phaseIs(ground, task, "finished")
    await pass(ground)
    expect(ground.tinytask.database.open()).toBe(0)
    expect(new Set(ground.runs().map(({ task }) => task))).toEqual(new Set([1, 2, 3]))
    expect(ground.runs()).toHaveLength(3)
  })

  it("blocked, put last, its agent's limit set to none: it runs on to its end", async () => {
    const ground = await scriptedGround()
    const blocker = await ground.tinytask.add({ queue: "nobody's" })
    const task = await addScripted(ground, [["await", ground.path("gate")]])
    await pass(ground)
    await hasStarted(ground, task)
    await ground.tinytask.update(task, { blocked_by_task_id: blocker, priority: -9 })
    const during = await pass(ground, ["--agent-limit", "vaela=0"])
    expect(during.summary).toContain("0 stopping, 1 running")
    ground.write("gate", "")
    await phaseIs(ground, task, "finished")
    await pass(ground)
    expect(ground.outcomes(task)).toEqual(["done"])
  })

  it("given to somebody else: its agent is stopped and the task is left alone", async () => {
    const ground = await scriptedGround()
    const task = await addScripted(ground, [["await", ground.path("never")]])
    await pass(ground)
    await hasStarted(ground, task)
    await ground.tinytask.update(task, { assigned_to: "somebody", status: "idle" })
    expect((await pass(ground)).summary).toContain("0 stopping, 0 running")
    expect(isLiving(ground.runs()[0]?.pid ?? 0)).toBe(false)
    expect(ground.outcomes(task)).toEqual(["handed-over"])
    expect(ground.tinytask.database.task(task)).toMatchObject({ assigned_to: "somebody", status: "idle" })
  })
})

describe("stopping", () => {
  it("an agent that runs for too long and ignores SIGINT and SIGTERM is killed with its child; the task goes back", async () => {
    const ground = await scriptedGround({ maxRuntimeSec: 1, stopGraceSec: 1 })
    const task = await addScripted(ground, [
      ["ignore", "SIGINT", "SIGTERM"],
      ["child", ground.path("never")],
      ["await", ground.path("never")]
    ])
    const daemon = ground.start(["run", "--daemon", ...ground.endpoint])
    await until("its ending is recorded", () => ground.outcomes(task).length > 0 && ground.lease(task) === null)
    expect(ground.outcomes(task)).toEqual(["timed-out"])
    const words = ground.lines().map(({ what }) => what)
    expect(words).toEqual(["start", "child", "ignored SIGINT", "ignored SIGTERM"])
    const child = ground.lines().find(({ what }) => what === "child")?.note
    expect([ground.runs()[0]?.pid ?? 0, Number(child)].map(isLiving)).toEqual([false, false])
    expect(ground.tinytask.database.task(task)).toMatchObject({ status: "idle", assigned_to: null })
    expect(ground.tinytask.database.comments(task)).toEqual([expect.stringMatching(/attempt 1 by vaela: timed-out/)])
    expect((await ground.cli(["status", ...ground.endpoint])).stdout).toMatch(/waiting, backoff until .*: 1/)
    expect(ground.processes().map(({ pid }) => pid)).toEqual([daemon.pid])
  })

  it("an agent that says nothing for too long, as one that waits for a permission, and not one that talks", async () => {
    const ground = await makeGround()
    const talk = ["sh", "-c", "for word in a b c d e f g h i j k l; do echo $word; sleep 0.3; done"]
    ground.agents([
      { agentName: "waits", agentType: "quiet", command: ["sleep", "86400"], idleTimeoutSec: 2 },
      { agentName: "talks", agentType: "loud", command: talk, idleTimeoutSec: 2 }
    ])
    const quiet = await ground.tinytask.add({ queue: "quiet" })
    const loud = await ground.tinytask.add({ queue: "loud" })
    const flags = ["--heartbeat", "1", "--loop-interval", "1", "--max-attempts", "1"]
    const daemon = ground.start(["run", "--daemon", ...ground.endpoint, ...flags])
    await until("both have ended", () => ground.outcomes(quiet).length > 0 && ground.outcomes(loud).length > 0)
    expect([ground.outcomes(quiet), ground.outcomes(loud)]).toEqual([["stalled"], ["done"]])
    await until("it is told on the task", () => ground.tinytask.database.comments(quiet).length > 0)
    expect(ground.tinytask.database.comments(quiet)).toEqual([expect.stringMatching(/by waits: stalled/)])
    daemon.kill("SIGTERM")
    expect((await daemon.ended).code).toBe(0)
  })

  it("`run --once` goes on over the ladder that it began, and ends when the agent has", async () => {
    const ground = await scriptedGround({ maxRuntimeSec: 1, stopGraceSec: 1 })
    const task = await addScripted(ground, [
      ["ignore", "SIGINT"],
      ["await", ground.path("never")]
    ])
    await pass(ground)
    await hasStarted(ground, task)
    await until("it has run for too long", async () => (await pass(ground)).summary.includes("1 ended"))
    expect(ground.outcomes(task)).toEqual(["timed-out"])
    expect(ground.processes()).toEqual([])
  })

  it("what a finished agent left running is ended before its slot is free; its outcome stands", async () => {
    const ground = await scriptedGround({ stopGraceSec: 1 })
    const task = await addScripted(ground, [["child", ground.path("never")]])
    await pass(ground)
    await phaseIs(ground, task, "finished")
    const child = Number(ground.lines().find(({ what }) => what === "child")?.note)
    expect(isLiving(child)).toBe(true)
    expect((await pass(ground)).summary).toContain("1 ended")
    expect(isLiving(child)).toBe(false)
    expect(ground.outcomes(task)).toEqual(["done"])
  })

  it("an agent orphaned by the SIGKILL of its supervisor is ended and started anew, never beside itself", async () => {
    const ground = await scriptedGround({ stopGraceSec: 1 })
    const task = await addScripted(ground, [["await", ground.path("gate")]])
    const daemon = ground.start(["run", "--daemon", ...ground.endpoint, "--loop-interval", "1", "--backoff-base", "0"])
    await hasStarted(ground, task)
    const supervisor = ground.lease(task)?.pid ?? 0
    const agent = ground.runs()[0]?.pid ?? 0
    signal({ pid: supervisor, start: startOf(supervisor) ?? "" }, "SIGKILL")
    await until("it has started a second time", () => ground.runs().length === 2)
    expect(isLiving(agent)).toBe(false)
    ground.write("gate", "")
    await until("it is complete", () => ground.tinytask.database.open() === 0 && ground.lease(task) === null)
    expect(ground.outcomes(task)).toEqual(["lost", "done"])
    expect(ground.runs().map(({ epoch }) => epoch)).toEqual([1, 2])
    daemon.kill("SIGTERM")
    expect((await daemon.ended).code).toBe(0)
  })

  it("a supervisor that stands still for a while, as on a paused machine, is not taken for dead", async () => {
    const ground = await scriptedGround({ stopGraceSec: 1 })
    const task = await addScripted(ground, [["await", ground.path("gate")]])
    await pass(ground, ["--heartbeat", "1"])
    await hasStarted(ground, task)
    const supervisor = ground.lease(task)?.pid ?? 0
    const hung = { pid: supervisor, start: startOf(supervisor) ?? "" }
    signal(hung, "SIGSTOP")
    expect((await pass(ground)).summary).toContain("0 started, 0 ended, 0 stopping, 1 running")
    signal(hung, "SIGCONT")
    ground.write("gate", "")
    await phaseIs(ground, task, "finished")
    await pass(ground)
    expect(ground.outcomes(task)).toEqual(["done"])
    expect(ground.runs()).toHaveLength(1)
  })
})

describe("failing", () => {
  it("a task that fails three times is parked, says so in status and in Tinytask, and is not started again", async () => {
    const ground = await scriptedGround()
    const task = await addScripted(ground, [
      ["print", "out of ideas"],
      ["note", "end"],
      ["exit", 7]
    ])
    const flags = ["--backoff-base", "0"]
    for (let attempt = 1; attempt <= 3; attempt += 1) {
      await pass(ground, flags)
      await until(
        `attempt ${attempt} has ended`,
        () => ground.lease(task)?.epoch === attempt && ground.lease(task)?.phase === "finished"
      )
    }
    const last = await pass(ground, flags)
    expect(last.summary).toBe("pass: 0 started, 1 ended, 0 stopping, 0 running, 1 waiting")
    expect(last.log).toContain(`wait task ${task}: parked after 3 (failed)`)
    expect(ground.outcomes(task)).toEqual(["failed", "failed", "failed"])
    const comments = ground.tinytask.database.comments(task)
    expect(comments).toHaveLength(3)
    expect(comments[2]).toMatch(
      /attempt 3 by vaela: failed \(exit 7\)\.\nIt is parked.*\n\nThe end of its output:\n\n {4}out of ideas/s
    )
    expect(ground.tinytask.database.task(task)).toMatchObject({ status: "idle", assigned_to: null })
    expect(overlaps(ground.runs())).toEqual([])
  })

  it("an agent like Goose that exits with 0 without completing its task has not reported, which counts as a failure", async () => {
    const ground = await scriptedGround({ success: "tinytask" })
    const task = await addScripted(ground, [])
    await pass(ground)
    await phaseIs(ground, task, "finished")
    await pass(ground)
    expect(ground.outcomes(task)).toEqual(["unreported"])
    expect(ground.tinytask.database.task(task).status).toBe("idle")
  })

  it("an agent whose program is missing fails at its start; the task goes back and its lease is gone", async () => {
    const ground = await makeGround()
    ground.agents([{ agentName: "vaela", agentType: "dev", command: ["/no/such/program"] }])
    const task = await ground.tinytask.add({ queue: "dev" })
    const { code, log } = await pass(ground)
    expect(code).toBe(1)
    expect(log).toContain("/no/such/program does not exist")
    expect(ground.outcomes(task)).toEqual(["start-failed"])
    expect(ground.tinytask.database.task(task)).toMatchObject({ status: "idle", assigned_to: null })
    expect({ lease: existsSync(ground.leasePath(task)), claims: ground.files("claims") }).toEqual({
      lease: false,
      claims: []
    })
  })
})

it("a scheduler adopts what an earlier one left running: it knows the slot is taken and ends it well", async () => {
  const ground = await scriptedGround()
  const first = await addScripted(ground, [["await", ground.path("gate")]])
  const second = await addScripted(ground, [])
  const killed = ground.start(["run", "--daemon", ...ground.endpoint])
  await hasStarted(ground, first)
  killed.kill("SIGKILL")
  await killed.ended
  const daemon = ground.start(["run", "--daemon", ...ground.endpoint])
  await daemon.says(`running task ${first} on vaela (epoch 1): running`)
  expect(startedIn(ground, second)).toBe(false)
  ground.write("gate", "")
  await ended(ground, second)
  await until("both are complete", () => ground.tinytask.database.open() === 0)
  expect(ground.runs().map(({ epoch, task }) => [task, epoch])).toEqual([
    [first, 1],
    [second, 1]
  ])
  daemon.kill("SIGTERM")
  expect((await daemon.ended).code).toBe(0)
})
