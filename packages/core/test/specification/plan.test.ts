/**
 * What a plan says beside its verdicts: how full everything is, in which order it is carried out, when it may change by
 * itself, and what a saved plan is bound to.
 */
import { describe, expect, it } from "vitest"
import type { Evidence } from "../../src/domain/TaskRecord.ts"
import { actionTaskId } from "../../src/reconcile/actionTaskId.ts"
import {
  at,
  attempts,
  claim,
  claimSight,
  evidence,
  finishedLease,
  here,
  legacyLease,
  mono,
  nowMs,
  oneAgent,
  queueName,
  recordedOutcome,
  runningLease,
  startingLease,
  stopRequest,
  taskId,
  tokenOf,
  unreadable,
  world
} from "../builders.ts"
import type { WorldBuilder } from "../builders.ts"
import { specify } from "./specify.ts"

describe("usage", () => {
  it("counts what is held and what is started, by name, also of agents and queues that have no limit any more", () => {
    const { usage } = world()
      .addAgent("zoe", { slots: 3 })
      .addAgent("ada", { slots: 2, queues: [queueName("ops")] })
      .limitQueue("ops", 4)
      .limitQueue("alone", 1)
      .limitAll(9)
      .addRunning(1, "zoe")
      .addRunning(2, "gone", { queue: null })
      .addRecord(3, { lease: unreadable(3, null) })
      .addTask(4)
      .addTask(5, { queue: "ops" })
      .addTask(6, { queue: null, assignee: "ada" })
      .plan()
    expect(usage).toEqual({
      agents: [
        { name: "ada", held: 0, started: 2, limit: 2 },
        { name: "gone", held: 1, started: 0, limit: 0 },
        { name: "zoe", held: 1, started: 1, limit: 3 }
      ],
      queues: [
        { name: "alone", held: 0, started: 0, limit: 1 },
        { name: "dev", held: 1, started: 1, limit: null },
        { name: "ops", held: 0, started: 1, limit: 4 }
      ],
      total: { name: "total", held: 3, started: 3, limit: 9 }
    })
  })
})

describe("a plan's actions", () => {
  it("keep the state true first, then stop, end and sweep, each by task; starts come last, in the order of choice", () => {
    const dead = claimSight(claim(8, 1, "ada"), evidence.claimDead)
    const { actions } = oneAgent({ slots: 20 })
      .addTask(1)
      .addTask(2, { priority: 3 })
      .addRunning(3, "ada")
      .addTask(4, { status: "working", assignee: "ada" })
      .addLease(finishedLease(4, 1, "ada"), evidence.dead)
      .addTask(5, { status: "working", assignee: "ada" })
      .addRecord(5, { lease: legacyLease(5, "ada", "dead") })
      .addTask(6, { status: "working", assignee: "ada" })
      .addLease(runningLease(6, 1, "ada"), { ...evidence.dead, others: [7] })
      .addTask(7, { status: "working", assignee: "ada" })
      .addRecord(7, {
        claims: [claimSight(claim(7, 1, "ada"), evidence.claimDead)],
        attempts: attempts(7, { epoch: 1, agent: "ada" })
      })
      .addTask(8)
      .addRecord(8, {
        claims: [dead],
        attempts: attempts(8, { epoch: 2, agent: "ada" }, { outcomes: [recordedOutcome(8, 2, "failed")] })
      })
      .addTask(9, { status: "working", assignee: "ada" })
      .addLease(runningLease(9, 1, "ada"), evidence.unknown)
      .addTask(10, { status: "working", assignee: "ada" })
      .addLease(finishedLease(10, 1, "ada"), evidence.dead)
      .plan()
    expect(actions.map((action) => `${action._tag} ${actionTaskId(action)}`)).toEqual([
      "Note 9",
      "Rebuild 7",
      "Stop 6",
      "End 4",
      "End 10",
      "EndLegacy 5",
      "Sweep 8",
      "Start 2",
      "Start 1",
      "Start 8"
    ])
  })
})

describe("the time at which a plan may change by itself", () => {
  const waiting = (notBefore: number) =>
    oneAgent()
      .addTask(1)
      .addAttempts(1, attempts(1, null, { notBefore: at(notBefore) }))
  /** Of an attempt before the last, both of which have ended. */
  const lateClaim = (seen: Evidence) =>
    oneAgent()
      .addTask(1)
      .addRecord(1, {
        claims: [claimSight(claim(1, 2, "ada"), seen)],
        attempts: attempts(
          1,
          { epoch: 3, agent: "ada" },
          { outcomes: [recordedOutcome(1, 2, "lost"), recordedOutcome(1, 3, "handed-over")] }
        ),
        epochMax: 3
      })
  const seconds = (time: number | null, from: number): number | null => (time === null ? null : (time - from) / 1000)
  it.each<readonly [name: string, world: WorldBuilder, wallSec: number | null, monoSec: number | null]>([
    ["nothing is waited for", oneAgent().addTask(1), null, null],
    ["a backoff", waiting(45), 45, null],
    [
      "the sooner of two",
      waiting(45)
        .addTask(2)
        .addAttempts(2, attempts(2, null, { notBefore: at(30) })),
      30,
      null
    ],
    [
      "an agent's pause",
      world()
        .addAgent("ada", {}, { pausedBy: "maria", pausedUntil: at(20) })
        .addTask(1),
      20,
      null
    ],
    ["a pause without end", world().addAgent("ada", {}, { pausedBy: "maria" }).addTask(1), null, null],
    [
      "an agent set aside",
      world()
        .addAgent("ada", {}, { setAsideUntil: at(25) })
        .addTask(1),
      25,
      null
    ],
    ["the pause of all", oneAgent().withPause("maria", 15), 15, null],
    ["a pause of all that is over", oneAgent().withPause("maria", -15), null, null],
    ["a pause of all without end", oneAgent().withPause("maria", null), null, null],
    ["a run time", oneAgent().addRunning(1, "ada"), null, 3540],
    [
      "an intent's grace",
      oneAgent()
        .addTask(1)
        .addLease(startingLease(1, 3, "ada", { startMonoMs: mono(-10), maxRuntimeSec: 0 }), evidence.nobody, {
          claims: []
        }),
      null,
      20
    ],
    [
      "a supervisor seen overdue",
      oneAgent()
        .addTask(1, { status: "working", assignee: "ada" })
        .addLease(runningLease(1, 3, "ada", { beatMonoMs: mono(-100) }), evidence.healthy),
      null,
      30
    ],
    [
      "a liveness that is not known",
      oneAgent()
        .addTask(1, { status: "working", assignee: "ada" })
        .addLease(runningLease(1, 3, "ada", { maxRuntimeSec: 0 }), evidence.unknown),
      null,
      300
    ],
    [
      "a liveness that is not known, for ever",
      oneAgent()
        .addTask(1, { status: "working", assignee: "ada" })
        .addLease(runningLease(1, 3, "ada", { maxRuntimeSec: 0 }), evidence.unknown)
        .withPolicy({ unknownLostSec: 0 }),
      null,
      null
    ],
    [
      "a task that is complete",
      oneAgent()
        .addLookedUp(1, { status: "complete", assignee: "ada" })
        .addLease(runningLease(1, 3, "ada"), evidence.healthy),
      null,
      120
    ],
    [
      "an old lease of which nobody knows",
      oneAgent()
        .addTask(1)
        .addRecord(1, { lease: legacyLease(1, "ada", "unknown") }),
      null,
      300
    ],
    ["a late claim of which nobody knows", lateClaim(evidence.unknown), null, 300],
    [
      "a late claim of which nobody knows, for ever",
      lateClaim(evidence.unknown).withPolicy({ unknownLostSec: 0 }),
      null,
      null
    ],
    ["a late claim whose supervisor lives", lateClaim(evidence.claimedOnly), null, null],
    ["a late claim that goes now", lateClaim(evidence.claimDead), null, null],
    [
      "an old lease of which nobody knows, for ever",
      oneAgent()
        .addTask(1)
        .addRecord(1, { lease: legacyLease(1, "ada", "unknown") })
        .withPolicy({ unknownLostSec: 0 }),
      null,
      null
    ]
  ])("is that of %s", (_name, made, wallSec, monoSec) => {
    const plan = made.plan()
    expect([seconds(plan.nextWallMs, nowMs), seconds(plan.nextMonoMs, mono(0))]).toEqual([wallSec, monoSec])
  })
})

describe("a saved plan", () => {
  /** Task 1 runs, task 2 starts, task 3 waits for its turn. */
  const saved = (fields: Parameters<typeof runningLease>[3] = {}): WorldBuilder =>
    world()
      .addTask(1, { status: "working", assignee: "ada" })
      .addLease(runningLease(1, 1, "ada", { maxRuntimeSec: 0, ...fields }), evidence.healthy)
  const ada = { slots: 2, queues: [queueName("ops"), queueName("dev")] }
  const plain = (): WorldBuilder => saved().addAgent("ada", ada, {}).addTask(2)
  const hash = (made: WorldBuilder): string => made.plan().precondition
  const held = hash(plain())

  it.each<readonly [name: string, world: WorldBuilder]>([
    [
      "a beat",
      saved({ beatMonoMs: mono(-1), lastHeartbeat: at(-1) })
        .addAgent("ada", ada, {})
        .addTask(2)
    ],
    ["the time", plain().later(5)],
    ["a task that nothing is done about", plain().addTask(9, { status: "working", assignee: "maria" })],
    [
      "the order in which queues are named",
      saved()
        .addAgent("ada", { ...ada, queues: ada.queues.toReversed() }, {})
        .addTask(2)
    ],
    ["a request that stops nothing", plain().addRequest({ ...stopRequest(1, 9), kind: "retry" })]
  ])("holds whatever happens to %s", (_name, made) => {
    expect(hash(made)).toBe(held)
  })

  it.each<readonly [name: string, world: WorldBuilder]>([
    [
      "another epoch of a lease",
      saved({ token: tokenOf(1, 1, 1) })
        .addAgent("ada", ada, {})
        .addTask(2)
    ],
    [
      "a lease's phase",
      world()
        .addTask(1, { status: "working", assignee: "ada" })
        .addLease(startingLease(1, 1, "ada", { maxRuntimeSec: 0 }), evidence.claimedOnly)
        .addAgent("ada", ada, {})
        .addTask(2)
    ],
    ["a lease more", plain().addRecord(3, { lease: unreadable(3, null) })],
    [
      "files of one that was never leased",
      plain().addAttempts(2, attempts(2, null, { outcomes: [recordedOutcome(2, 1, "failed")] }))
    ],
    ["the status of a task that starts", saved().addAgent("ada", ada, {}).addTask(2, { status: "working" })],
    ["its assignee", saved().addAgent("ada", ada, {}).addTask(2, { assignee: "ada" })],
    ["its queue", saved().addAgent("ada", ada, {}).addTask(2, { queue: "ops" })],
    [
      "an agent's slots",
      saved()
        .addAgent("ada", { ...ada, slots: 3 }, {})
        .addTask(2)
    ],
    [
      "an agent's queues",
      saved()
        .addAgent("ada", { ...ada, queues: [queueName("dev")] }, {})
        .addTask(2)
    ],
    [
      "an agent's recipe",
      saved()
        .addAgent("ada", { ...ada, recipe: "plan.yaml" }, {})
        .addTask(2)
    ],
    [
      "an agent that is disabled",
      saved()
        .addAgent("ada", { ...ada, enabled: false }, {})
        .addTask(2)
    ],
    ["an agent more", plain().addAgent("bo", { slots: 0 })],
    ["an agent's pause", saved().addAgent("ada", ada, { pausedBy: "maria" }).addTask(2)],
    [
      "an agent set aside",
      saved()
        .addAgent("ada", ada, { setAsideUntil: at(60) })
        .addTask(2)
    ],
    ["a queue's limit", plain().limitQueue("dev", 5)],
    ["the limit of all", plain().limitAll(5)],
    ["starts that are off", plain().withPolicy({ starts: "drain" })],
    ["starts that are off by what was observed", plain().withStartsOff("boot id unreadable")],
    ["a pause of all", plain().withPause("maria", null)],
    ["a stop that was asked for", plain().addRequest(stopRequest(1, 9))],
    ["the order", plain().withPolicy({ order: "priority" })],
    ["what parents do", plain().withPolicy({ parents: "run" })],
    ["blocking", plain().withPolicy({ disableBlocking: true })],
    ["a Tinytask that can't be read", plain().withoutTinytask()],
    [
      "the time at which it changes by itself",
      plain()
        .addTask(3)
        .addAttempts(3, attempts(3, null, { notBefore: at(9) }))
    ]
  ])("is void after a change of %s", (_name, made) => {
    expect(hash(made)).not.toBe(held)
  })

  it("is void after a change of the blocker of a task that starts", () => {
    const blockedBy = (id: number | null) =>
      hash(
        oneAgent()
          .withPolicy({ disableBlocking: true })
          .addTask(2, { blocked: id !== null, blockedBy: taskId(id ?? 7) })
      )
    expect(new Set([blockedBy(null), blockedBy(7), blockedBy(8)]).size).toBe(3)
  })

  it.each<readonly [name: string, world: WorldBuilder]>([
    ["starts", oneAgent().withPolicy({ starts: "drain" })],
    ["what keeps starts off", oneAgent().withStartsOff("boot id unreadable")],
    ["a pause of all", oneAgent().withPause("maria", null)],
    ["Tinytask", oneAgent().withoutTinytask()],
    ["the agent's recipe", oneAgent({ recipe: "plan.yaml" })],
    ["the agent's pause", world().addAgent("ada", {}, { pausedBy: "maria" })]
  ])("is void after a change of %s also while nothing starts", (_name, made) => {
    expect(hash(made)).not.toBe(hash(oneAgent()))
  })

  it("tells pauses apart by who paused and until when", () => {
    const paused = (by: string, until: number | null) => hash(plain().withPause(by, until))
    expect(new Set([paused("maria", null), paused("jo", null), paused("maria", 60), paused("maria", 90)]).size).toBe(4)
  })

  it("is the same whatever order things were found in", () => {
    const one = world().addAgent("ada").addAgent("bo").limitQueue("dev", 3).limitQueue("ops", 2).addTask(1).addTask(2)
    const other = world().addAgent("bo").addAgent("ada").limitQueue("ops", 2).limitQueue("dev", 3).addTask(2).addTask(1)
    expect(hash(one)).toBe(hash(other))
  })
})

describe("a request about an attempt", () => {
  specify([
    {
      name: "to try its task again does not stop it",
      world: oneAgent()
        .addRunning(1, "ada")
        .addRequest({ ...stopRequest(1, 1), kind: "retry" }),
      lines: ["running task 1 on ada (epoch 1): running"]
    }
  ])
})

describe("what is told of a pool", () => {
  const paused = (count: number): WorldBuilder => {
    const made = world().addTask(1)
    for (let index = 1; index <= count; index++) made.addAgent(`a${index}`, { enabled: false })
    return made
  }
  it("is at most eight agents' reasons", () => {
    const reasonsOf = (made: WorldBuilder) =>
      made.plan().verdicts.flatMap((verdict) => (verdict._tag === "Wait" ? verdict.reasons : []))
    expect(reasonsOf(paused(8))).toHaveLength(8)
    expect(reasonsOf(paused(9))).toHaveLength(8)
  })
})

describe("an attempt of another boot that nobody can look at", () => {
  specify([
    {
      name: "has no run time on our clock",
      world: oneAgent()
        .addTask(1, { status: "working", assignee: "ada" })
        .addLease(
          runningLease(1, 3, "ada", { startMonoMs: mono(-9000) }, { ...here, bootId: "boot-1", host: "other/1" }),
          evidence.unknown
        ),
      lines: ["running task 1 on ada (epoch 3): liveness unknown, its slot is held", "  note: unknown since 0 s"]
    }
  ])
})
