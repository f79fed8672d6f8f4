/** The ladder: which rung is due when, and whom it may address. The grace is 10 s unless a row says otherwise. */
import { describe, expect, it } from "vitest"
import type { StopReason, StopRecord } from "../../src/domain/Attempts.ts"
import { ladderStep } from "../../src/reconcile/ladder.ts"
import {
  agentName,
  agentPid,
  epoch,
  evidence,
  here,
  mono,
  monoMs,
  nowMs,
  oneAgent,
  runningLease,
  startingLease,
  stopRecord,
  taskId,
  tokenOf
} from "../builders.ts"
import { specify } from "./specify.ts"

const step = (
  record: StopRecord | null,
  options: {
    readonly atSec?: number
    readonly alone?: boolean
    readonly reason?: StopReason
    readonly graceSec?: number
  } = {}
) =>
  ladderStep({
    reference: { taskId: taskId(1), epoch: epoch(3), token: tokenOf(1, 3), agent: agentName("ada"), phase: "running" },
    reason: options.reason ?? "max-runtime",
    record,
    graceSec: options.graceSec ?? 10,
    nowMs,
    monoMs: monoMs + (options.atSec ?? 0) * 1000,
    bootId: here.bootId,
    alone: options.alone ?? false
  })

/** What each look at a stop finds that lasts until something gives: [second, rung, sent now, with supervisor]. */
const climb = (options: Parameters<typeof step>[1], looks: ReadonlyArray<number>) => {
  let record: StopRecord | null = null
  return looks.map((atSec) => {
    const taken = step(record, { ...options, atSec })
    if (taken.due) record = taken.record
    return [
      atSec,
      taken.rung,
      taken.due ? "sent" : "waits",
      taken.due && taken.includeSupervisor ? "with supervisor" : "agent only"
    ]
  })
}

describe("the ladder", () => {
  it.each([
    {
      name: "grace 10 s: SIGINT at 0 s, SIGTERM at 10 s, SIGKILL at 15 s, and again every 5 s",
      options: {},
      looks: [
        [0, "interrupt", "sent", "agent only"],
        [9.9, "interrupt", "waits", "agent only"],
        [10, "terminate", "sent", "agent only"],
        [14.9, "terminate", "waits", "agent only"],
        [15, "kill", "sent", "agent only"],
        [19.9, "kill", "waits", "agent only"],
        [20, "kill", "sent", "agent only"],
        [25, "kill", "sent", "agent only"]
      ]
    },
    {
      name: "a late look climbs one rung, never two",
      options: {},
      looks: [
        [0, "interrupt", "sent", "agent only"],
        [600, "terminate", "sent", "agent only"],
        [600, "terminate", "waits", "agent only"],
        [605, "kill", "sent", "agent only"]
      ]
    },
    {
      name: "what a finished agent left behind gets no SIGINT",
      options: { reason: "leftovers" as const },
      looks: [
        [0, "terminate", "sent", "agent only"],
        [5, "kill", "sent", "agent only"]
      ]
    },
    {
      name: "a hung supervisor is a target from the first rung",
      options: { reason: "hung-supervisor" as const },
      looks: [
        [0, "interrupt", "sent", "with supervisor"],
        [10, "terminate", "sent", "with supervisor"]
      ]
    },
    {
      name: "another supervisor only after nothing else has lived for a full grace",
      options: { alone: true },
      looks: [
        [0, "interrupt", "sent", "agent only"],
        [10, "terminate", "sent", "with supervisor"]
      ]
    },
    {
      name: "a grace of 0 is no loop of signals within one pass",
      options: { graceSec: 0 },
      looks: [
        [0, "interrupt", "sent", "agent only"],
        [0, "interrupt", "waits", "agent only"],
        [0.1, "terminate", "sent", "agent only"],
        [0.2, "kill", "sent", "agent only"]
      ]
    }
  ])("$name", ({ looks, options }) => {
    expect(
      climb(
        options,
        looks.map(([atSec]) => Number(atSec))
      )
    ).toEqual(looks)
  })

  it("an agent that ended late leaves its supervisor a full grace from then", () => {
    const first = step(null)
    const second = step(first.record, { atSec: 10, alone: true })
    const third = step(second.record, { atSec: 15, alone: true })
    const fourth = step(third.record, { atSec: 20, alone: true })
    expect([second, third, fourth].map(({ includeSupervisor }) => includeSupervisor)).toEqual([false, false, true])
  })

  it("the record keeps why and since when, whatever reason a later look has", () => {
    const first = step(null, { reason: "max-runtime" })
    const second = step(first.record, { atSec: 10, reason: "task-taken-away" })
    expect([second.record.reason, second.record.since, second.record.sinceMonoMs]).toEqual([
      "max-runtime",
      first.record.since,
      monoMs
    ])
  })

  it("a record of an earlier boot begins anew", () => {
    expect(step(stopRecord(1, 3, { bootId: "boot-1", rung: "kill" })).rung).toBe("interrupt")
  })
})

const stopped = (fields: Partial<StopRecord>, others: ReadonlyArray<number> = [agentPid(1)]) =>
  oneAgent()
    .addTask(1, { status: "working", assignee: "ada" })
    .addLease(
      runningLease(1, 3, "ada"),
      { supervisor: "alive", agent: others.length > 0 ? "alive" : "dead", others, scanned: true },
      { stop: stopRecord(1, 3, fields) }
    )

describe("stopping", () => {
  specify([
    {
      name: "a rung that is not due sends nothing: the verdict says what was sent and who lives",
      world: stopped({ rung: "interrupt", nextMonoMs: mono(4) }),
      lines: ["stop task 1 on ada (epoch 3): max-runtime, interrupt was sent, alive: 20001"]
    },
    {
      name: "escalation follows what lives: SIGKILL again while a survivor is there, and it is reported each time",
      world: stopped({ rung: "kill", nextMonoMs: mono(0) }),
      lines: ["stop task 1 on ada (epoch 3): max-runtime, kill, alive: 20001", "  kill, next at 5 s"]
    },
    {
      name: "the first rung of a healthy attempt does not count as nobody else being alive: nobody has looked yet",
      world: oneAgent()
        .addTask(1, { status: "working", assignee: "ada" })
        .addLease(runningLease(1, 3, "ada", { startMonoMs: mono(-3600) }), evidence.healthy),
      lines: ["stop task 1 on ada (epoch 3): max-runtime, interrupt", "  interrupt, next at 10 s"]
    },
    {
      name: "a supervisor that outlives its agent for a full grace becomes a target itself",
      world: stopped({ rung: "kill", nextMonoMs: mono(0), aloneSinceMonoMs: mono(-10) }, []),
      lines: ["stop task 1 on ada (epoch 3): max-runtime, kill", "  kill with its supervisor, next at 5 s"]
    },
    {
      name: "and not a moment before",
      world: stopped({ rung: "terminate", nextMonoMs: mono(0), aloneSinceMonoMs: mono(-9.9) }, []),
      lines: ["stop task 1 on ada (epoch 3): max-runtime, kill", "  kill, next at 5 s"]
    },
    {
      name: "its agent's own grace counts",
      world: oneAgent({ stopGraceSec: 60 })
        .addTask(1, { status: "working", assignee: "ada" })
        .addLease(runningLease(1, 3, "ada", { startMonoMs: mono(-3600) }), evidence.healthy),
      lines: ["stop task 1 on ada (epoch 3): max-runtime, interrupt", "  interrupt, next at 60 s"]
    }
  ])

  it.each([
    { name: "its agent lives", lease: runningLease(1, 3, "ada", { startMonoMs: mono(-3600) }), seen: evidence.healthy },
    {
      name: "no agent is known, and nobody looked for one",
      lease: startingLease(1, 3, "ada", { startMonoMs: mono(-3600) }),
      seen: evidence.claimedOnly
    }
  ])("the first stop does not begin the supervisor's own grace: $name", ({ lease, seen }) => {
    const [action] = oneAgent().addTask(1, { status: "working", assignee: "ada" }).addLease(lease, seen).plan().actions
    expect(action?._tag === "Stop" ? action.record.aloneSinceMonoMs : "no stop").toBeNull()
  })

  it("the plan says when the next rung is due", () => {
    expect(stopped({ rung: "interrupt", nextMonoMs: mono(4) }).plan().nextMonoMs).toBe(mono(4))
  })
})
