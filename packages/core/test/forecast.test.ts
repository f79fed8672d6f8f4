/** The forecast on small worlds: what is predicted, and what is said of the rest. */
import { describe, expect, it } from "vitest"
import { makeDurationModel } from "../src/forecast/DurationModel.ts"
import { forecast } from "../src/forecast/forecast.ts"
import { sampleRuns } from "../src/forecast/sampleRuns.ts"
import { agentName, at, epoch, evidence, nowMs, runningLease, taskId, tokenOf, WorldBuilder } from "./builders.ts"

const minute = 60_000
const tenMinutes = () => 10 * minute

/** "task agent start-end" in minutes from now. */
const rows = (made: ReturnType<typeof forecast>): ReadonlyArray<string> =>
  made.attempts.map(
    ({ agent, endMs, startMs, taskId: id }) =>
      `${id} ${agent} ${(startMs - nowMs) / minute}-${(endMs - nowMs) / minute}`
  )

const crowd = (tasks: number, slots: number): WorldBuilder => {
  const world = new WorldBuilder().addAgent("vaela", { slots })
  for (let id = 1; id <= tasks; id += 1) world.addTask(id)
  return world
}

describe("a forecast", () => {
  it("ten tasks of an hour on two slots take five hours", () => {
    const made = forecast(crowd(10, 2).build(), () => 60 * minute)
    expect(made.makespanMs).toBe(5 * 60 * minute)
    expect(made.agents).toEqual([{ agent: "vaela", slots: 2, busyMs: 10 * 60 * minute, share: 1 }])
    expect(made.never).toEqual([])
    expect(made.whole).toBe(true)
  })

  it("a blocked task begins when its blocker ends, and no sooner", () => {
    const world = crowd(1, 2).addTask(2, { blockedBy: taskId(1), blocked: true })
    expect(rows(forecast(world.build(), tenMinutes))).toEqual(["1 vaela 0-10", "2 vaela 10-20"])
  })

  it("a parent is completed with its last subtask, and frees whom it blocks", () => {
    const world = new WorldBuilder()
      .addAgent("vaela")
      .addTask(1)
      .addTask(2, { parent: taskId(1) })
      .addTask(3, { parent: taskId(1) })
      .addTask(4, { blockedBy: taskId(1), blocked: true })
    const made = forecast(world.build(), tenMinutes)
    expect(rows(made)).toEqual(["2 vaela 0-10", "3 vaela 10-20", "4 vaela 20-30"])
    expect(made.parents).toEqual([{ taskId: 1, endMs: nowMs + 20 * minute }])
  })

  it("what runs ends at its start and duration; what should have ended gets a tenth of it", () => {
    const world = new WorldBuilder().addAgent("vaela", { slots: 2 }).addRunning(1, "vaela").addRunning(2, "vaela")
    const made = forecast(world.build(), ({ taskId: id }) => (id === 1 ? 10 * minute : 50_000))
    expect(rows(made)).toEqual(["1 vaela -1-9", `2 vaela -1-${5 / 60}`])
    expect(made.attempts.map(({ overdue }) => overdue)).toEqual([false, true])
  })

  it("what waits for a backoff or a pause begins when that is over", () => {
    const world = new WorldBuilder()
      .addAgent("vaela", {}, { pausedBy: "maria", pausedUntil: at(600) })
      .addTask(1)
      .addRecord(1, {
        attempts: {
          version: 1,
          taskId: taskId(1),
          endpoint: "http://localhost:3000",
          taskCreatedAt: at(-7200),
          last: null,
          outcomes: [],
          counts: { failures: 1, losses: 0 },
          notBefore: at(900),
          parked: null,
          observed: null
        }
      })
    expect(rows(forecast(world.build(), tenMinutes))).toEqual(["1 vaela 15-25"])
  })

  it("a task that was lost is reclaimed, and begins again after its backoff", () => {
    const world = new WorldBuilder()
      .addAgent("vaela")
      .addTask(1, { status: "working", assignee: "vaela" })
      .addLease(runningLease(1, 1, "vaela"), evidence.dead)
    const made = forecast(world.build(), tenMinutes)
    expect(made.attempts).toHaveLength(1)
    expect(made.attempts[0]?.startMs).toBeGreaterThan(nowMs)
    expect(made.attempts[0]?.startMs).toBeLessThanOrEqual(nowMs + 60_000)
  })

  it("an attempt that is being stopped keeps its slot for its grace, and its task begins again", () => {
    const world = new WorldBuilder()
      .addAgent("vaela")
      .addTask(1, { status: "working", assignee: "vaela" })
      .addLease(runningLease(1, 1, "vaela", { maxRuntimeSec: 30 }), evidence.healthy)
      .addTask(2)
    const made = forecast(world.build(), tenMinutes)
    expect(rows(made)[0]).toBe(`2 vaela ${10 / 60}-${10 + 10 / 60}`)
    expect(made.attempts.map(({ taskId: id }) => id)).toEqual([2, 1])
  })

  it("an attempt of which nobody can say whether it lives counts as one that does", () => {
    const world = new WorldBuilder()
      .addAgent("vaela")
      .addTask(1, { status: "working", assignee: "vaela" })
      .addLease(runningLease(1, 1, "vaela"), evidence.unknown)
      .addTask(2)
    expect(rows(forecast(world.build(), tenMinutes))).toEqual(["1 vaela -1-9", "2 vaela 9-19"])
  })

  it("what never starts is told with its reasons, and what is worked on outside as such", () => {
    const world = crowd(1, 1)
      .addTask(2, { queue: "ops" })
      .addTask(3, { status: "working", assignee: "maria" })
      .addTask(4, { blockedBy: taskId(3), blocked: true })
    const made = forecast(world.build(), tenMinutes)
    expect(made.never.map(({ reasons, taskId: id }) => [id, reasons.map(({ _tag }) => _tag)])).toEqual([
      [2, ["NoAgentServesQueue"]],
      [4, ["Blocked"]]
    ])
    expect(made.outside).toEqual([3])
  })

  it("a task that is passed over again and again is told of as starving", () => {
    const world = new WorldBuilder().addAgent("vaela", { slots: 1 }).addAgent("oscar", { slots: 20, queues: [] })
    for (let id = 1; id <= 20; id += 1) world.addTask(id, { priority: 5, assignee: id % 2 === 0 ? "vaela" : null })
    world.addTask(21, { priority: 0 })
    const made = forecast(world.build(), ({ taskId: id }) => (id === 20 ? 500 * minute : minute))
    expect(made.starving.map(({ taskId: id }) => id)).toEqual([21])
  })

  it("stops after as many looks as it may take, and says so", () => {
    const made = forecast(crowd(10, 1).build(), tenMinutes, { looksMax: 3 })
    expect(made.whole).toBe(false)
    expect(made.attempts).toHaveLength(3)
    expect(made.never).toHaveLength(7)
  })

  it("goes on at the same moment where a pass may start only so many", () => {
    const made = forecast(crowd(6, 6).withPolicy({ startsMax: 2 }).build(), tenMinutes)
    expect(made.makespanMs).toBe(10 * minute)
  })

  it("a thousand tasks take a moment", () => {
    const made = forecast(crowd(1000, 10).build(), ({ taskId: id }) => (1 + (id % 7)) * minute)
    expect(made.attempts).toHaveLength(1000)
  })
})

describe("runs with durations by chance", () => {
  const line = (id: number, minutes: number) => ({
    version: 1 as const,
    taskId: taskId(id),
    epoch: epoch(1),
    token: tokenOf(id, 1),
    agentName: agentName("vaela"),
    queue: "dev",
    startedAt: at(-7200),
    endedAt: at(-7200 + minutes * 60),
    outcome: "done" as const,
    detail: ""
  })
  const model = makeDurationModel([line(101, 5), line(102, 10), line(103, 30)])

  it("give the same numbers for the same seed, and others for another", () => {
    const world = crowd(4, 2).build()
    const made = sampleRuns(world, model, { runs: 20, seed: 7 })
    expect(sampleRuns(world, model, { runs: 20, seed: 7 })).toEqual(made)
    expect(sampleRuns(world, model, { runs: 20, seed: 8 })).not.toEqual(made)
    expect(made.makespanMs.p50).toBeLessThanOrEqual(made.makespanMs.p90)
    expect(made.tasks.map(({ runs }) => runs)).toEqual([20, 20, 20, 20])
  })

  it("lie within the samples", () => {
    const made = sampleRuns(crowd(1, 1).build(), model, { runs: 50, seed: 1 })
    expect(made.makespanMs).toEqual({ p50: 10 * minute, p90: 30 * minute })
  })
})
