/**
 * Which attempt a task's files are about, where they are at odds with each other, and what must be dead before it is
 * ended. Ada serves dev; the files are those of task 1.
 */
import { describe, expect, it } from "vitest"
import type { Outcome } from "../../src/domain/Outcome.ts"
import type { ClaimSight, Evidence, TaskRecord } from "../../src/domain/TaskRecord.ts"
import { violationsOf } from "../../src/reconcile/invariants/invariants.ts"
import { attemptView } from "../../src/reconcile/attemptView.ts"
import {
  agentName,
  agentPid,
  attempts,
  claim,
  claimSight,
  epoch,
  evidence,
  finishedLease,
  mono,
  oneAgent,
  recordedOutcome,
  runningLease,
  startingLease,
  stopRecord,
  stopRequest,
  supervisorPid,
  tokenOf,
  unreadable
} from "../builders.ts"
import type { WorldBuilder } from "../builders.ts"
import { specify } from "./specify.ts"

const working = (): WorldBuilder => oneAgent().addTask(1, { status: "working", assignee: "ada" })
const started = attempts(1, { epoch: 3, agent: "ada" })
const closed = (last: number) =>
  attempts(1, { epoch: last, agent: "ada" }, { outcomes: [recordedOutcome(1, last, "failed")] })
const claimed = (attempt: number, seen: Evidence): ClaimSight => claimSight(claim(1, attempt, "ada"), seen)
const tombstone = (attempt: number): ClaimSight =>
  claimSight(claim(1, attempt, "ada", { kind: "tombstone" }), evidence.tombstone)
const torn = (attempt: number): ClaimSight => ({
  _tag: "Unreadable",
  epoch: epoch(attempt),
  path: `state/claims/1.${attempt}`,
  problem: "empty"
})
const viewOf = (fields: Partial<TaskRecord>) => {
  const [record] = oneAgent().addRecord(1, fields).build().observed.records
  if (record === undefined) throw new Error("no record")
  return attemptView(record)
}

const dead = evidence.claimDead
const alive = evidence.claimedOnly
const unknown = evidence.unknown
const nobodyKnows: Evidence = { ...dead, supervisor: "unknown" }

describe("what is left of attempts that ended", () => {
  it.each<readonly [name: string, claims: ReadonlyArray<ClaimSight>, liveness: string]>([
    ["a dead claim", [claimed(3, dead)], "dead"],
    ["a tombstone, for which nobody looks", [tombstone(3)], "dead"],
    ["a supervisor that lives", [claimed(3, alive)], "alive"],
    ["whatever carries its token, whoever supervises it", [claimed(3, { ...nobodyKnows, others: [7] })], "alive"],
    ["a supervisor of which nobody knows", [claimed(3, nobodyKnows)], "unknown"],
    ["a dead supervisor whose others were not looked for", [claimed(3, { ...dead, scanned: false })], "unknown"],
    ["two dead claims", [claimed(2, dead), claimed(3, dead)], "dead"],
    ["alive below dead", [claimed(2, alive), claimed(3, dead)], "alive"],
    ["dead below alive", [claimed(2, dead), claimed(3, alive)], "alive"],
    ["unknown below dead", [claimed(2, nobodyKnows), claimed(3, dead)], "unknown"],
    ["dead below unknown", [claimed(2, dead), claimed(3, nobodyKnows)], "unknown"],
    ["unknown below alive", [claimed(2, nobodyKnows), claimed(3, alive)], "alive"],
    ["alive below unknown", [claimed(2, alive), claimed(3, nobodyKnows)], "alive"],
    ["one that can't be read below a dead one", [torn(2), claimed(3, dead)], "unknown"]
  ])("is as alive as the most alive of its claims: %s", (_name, claims, liveness) => {
    expect(viewOf({ claims, attempts: closed(4) })).toMatchObject({ _tag: "Remains", liveness })
  })
})

describe("what was seen of a lease that contradicts its claim", () => {
  const seen = (ofClaim: Evidence, ofLease: Evidence, phase: "starting" | "running" = "running") => {
    const fields = { token: tokenOf(1, 3, 1), pid: supervisorPid(1) + 500 }
    const view = viewOf({
      lease: {
        _tag: "Read",
        lease:
          phase === "running" ? runningLease(1, 3, "ada", fields) : startingLease(1, 3, "ada", { token: fields.token }),
        evidence: ofLease
      },
      claims: [claimed(3, ofClaim)],
      attempts: started
    })
    return view._tag === "Attempt" ? view.evidence : null
  }
  const leaseDead = evidence.dead
  it.each<readonly [name: string, ofClaim: Evidence, ofLease: Evidence, both: Evidence]>([
    ["both are dead", dead, leaseDead, leaseDead],
    [
      "the lease's supervisor lives",
      dead,
      { ...leaseDead, supervisor: "alive" },
      { ...leaseDead, supervisor: "alive" }
    ],
    ["the claim's supervisor lives", alive, leaseDead, { ...leaseDead, supervisor: "alive", scanned: false }],
    ["the lease's agent lives", dead, { ...leaseDead, agent: "alive" }, { ...leaseDead, agent: "alive" }],
    ["the lease's agent is not known", dead, { ...leaseDead, agent: null }, { ...leaseDead, agent: null }],
    [
      "both know an agent",
      { ...dead, agent: "dead" },
      { ...leaseDead, agent: "unknown" },
      { ...leaseDead, agent: "unknown" }
    ],
    [
      "only the claim does",
      { ...dead, agent: "unknown" },
      { ...leaseDead, agent: null },
      { ...leaseDead, agent: "unknown" }
    ],
    ["only the claim does, and it is dead", { ...dead, agent: "dead" }, { ...leaseDead, agent: null }, leaseDead],
    [
      "others of both",
      { ...dead, others: [40, 9] },
      { ...leaseDead, others: [9, 12] },
      { ...leaseDead, others: [9, 12, 40] }
    ],
    [
      "the lease's others were not looked for",
      dead,
      { ...leaseDead, scanned: false },
      { ...leaseDead, scanned: false }
    ],
    ["the claim's were not", { ...dead, scanned: false }, leaseDead, { ...leaseDead, scanned: false }]
  ])("counts with what was seen of the claim: %s", (_name, ofClaim, ofLease, both) => {
    expect(seen(ofClaim, ofLease)).toEqual(both)
  })

  it("counts for nothing where it was never claimed", () => {
    expect(seen(dead, evidence.nobody, "starting")).toEqual(dead)
  })
})

describe("a running lease", () => {
  const agentAlive: Evidence = { ...evidence.dead, agent: "alive" }
  const held = "running task 1 on ada (epoch 3): its supervisor is silent"
  specify([
    {
      name: "is judged by what was seen of it, not of its claim",
      world: working().addLease(runningLease(1, 3, "ada"), agentAlive, { claims: [claimed(3, dead)] }),
      lines: ["stop task 1 on ada (epoch 3): orphaned-agent, interrupt", "  interrupt, next at 10 s"]
    },
    {
      name: "whose claim can't be read runs on",
      world: working().addLease(runningLease(1, 3, "ada"), evidence.healthy, { claims: [torn(3)] }),
      lines: ["running task 1 on ada (epoch 3): running"]
    },
    {
      name: "whose claim can't be read is ended like any other, for there is something that shuts a late supervisor out",
      world: working().addLease(runningLease(1, 3, "ada"), evidence.dead, { claims: [torn(3)] }),
      lines: ["reclaim task 1 from ada (epoch 3): lost, nothing of it lives", "  end as lost"]
    },
    {
      name: "is not claimed by the claim of an earlier attempt",
      world: working().addLease(runningLease(1, 3, "ada"), evidence.healthy, { claims: [claimed(2, dead)] }),
      lines: ["running task 1 on ada (epoch 3): its claim is missing", "  sweep claims up to epoch 2"]
    },
    {
      name: "of whose supervisor alone nobody knows is unknown",
      world: working().addLease(runningLease(1, 3, "ada"), { ...evidence.dead, supervisor: "unknown" }),
      lines: ["running task 1 on ada (epoch 3): liveness unknown, its slot is held", "  note: unknown since 0 s"]
    },
    {
      name: "whose loss is recorded is not ended while it lives",
      world: working().addLease(runningLease(1, 3, "ada"), evidence.healthy, {
        attempts: attempts(1, { epoch: 3, agent: "ada" }, { outcomes: [recordedOutcome(1, 3, "lost")] })
      }),
      lines: ["running task 1 on ada (epoch 3): running"]
    },
    {
      name: "of which nobody knows is ended without proof only where its loss is what was recorded",
      world: working().addLease(runningLease(1, 3, "ada"), evidence.unknown, { attempts: closed(3) }),
      lines: ["running task 1 on ada (epoch 3): liveness unknown, its slot is held", "  note: unknown since 0 s"]
    },
    {
      name: "is stopped by its own request alone: one of the same epoch and another token is about another task",
      world: working()
        .addLease(runningLease(1, 3, "ada"), evidence.healthy)
        .addRequest({ ...stopRequest(1, 3), token: tokenOf(1, 3, 1) })
        .addRequest({ ...stopRequest(1, 3), epoch: epoch(2) }),
      lines: ["running task 1 on ada (epoch 3): running"]
    },
    {
      name: "whose supervisor is dead can't hang, however old its beat",
      world: working().addLease(runningLease(1, 3, "ada", { beatMonoMs: mono(-900) }), evidence.deadUnscanned),
      lines: [held]
    },
    {
      name: "beats as often as it says itself: one that beats each 60 s is not overdue after 100 s",
      world: working().addLease(
        runningLease(1, 3, "ada", { beatMonoMs: mono(-100), heartbeatSec: 60 }),
        evidence.healthy
      ),
      lines: ["running task 1 on ada (epoch 3): running"]
    }
  ])
})

describe("a finished lease", () => {
  specify([
    {
      name: "whose agent is alive by its identity alone: what is left of it is stopped",
      world: working().addLease(finishedLease(1, 3, "ada"), { ...evidence.agentGone, agent: "alive" }),
      lines: ["stop task 1 on ada (epoch 3): leftovers, terminate", "  terminate, next at 5 s"]
    },
    {
      name: "gets no grace for a task that is complete: it has ended",
      world: oneAgent()
        .addLookedUp(1, { status: "complete", assignee: "ada" })
        .addLease(finishedLease(1, 3, "ada"), { ...evidence.deadUnscanned, supervisor: "alive" }),
      lines: ["running task 1 on ada (epoch 3): liveness unknown, its slot is held"]
    }
  ])
})

describe("a claim without a lease that could be used", () => {
  const files = (fields: Partial<TaskRecord>): WorldBuilder => working().addRecord(1, fields)
  const missing = "running task 1 on ada (epoch 3): its lease is missing, its claim stands"
  specify([
    {
      name: "is stopped on as its stop began",
      world: files({ claims: [claimed(3, alive)], attempts: started, stop: stopRecord(1, 3) }),
      lines: ["stop task 1 on ada (epoch 3): max-runtime, terminate", "  terminate, next at 5 s"]
    },
    {
      name: "is not stopped by the record of another epoch",
      world: files({ claims: [claimed(3, alive)], attempts: started, stop: stopRecord(1, 2) }),
      lines: [missing]
    },
    {
      name: "counts in the queue for which it was started",
      world: oneAgent({ slots: 2 })
        .limitQueue("dev", 1)
        .addTask(1, { status: "working", assignee: "ada" })
        .addTask(2)
        .addRecord(1, { claims: [claimed(3, alive)], attempts: started }),
      lines: [missing, "wait task 2: queue limit: dev 1/1"]
    },
    {
      name: "gets no grace for a task that is complete: there is no beat that would tell that it hangs",
      world: oneAgent()
        .addLookedUp(1, { status: "complete", assignee: "ada" })
        .addRecord(1, { claims: [claimed(3, alive)], attempts: started }),
      lines: [missing]
    },
    {
      name: "of a start that is not remembered: nothing tells how to rebuild its lease, so it is ended",
      world: files({ claims: [claimed(3, dead)], attempts: closed(2) }),
      lines: ["reclaim task 1 from ada (epoch 3): lost, nothing of it lives", "  end as lost"]
    },
    {
      name: "where no start is remembered at all: the same",
      world: files({ claims: [claimed(3, dead)], attempts: attempts(1, null) }),
      lines: ["reclaim task 1 from ada (epoch 3): lost, nothing of it lives", "  end as lost"]
    },
    {
      name: "beside a lease that can't be read is an attempt, though a later start proves that it ended: the lease must go",
      world: files({ lease: unreadable(1, "ada"), claims: [claimed(3, dead)], attempts: closed(4) }),
      lines: ["reclaim task 1 from ada (epoch 3): lost, nothing of it lives", "  end as lost"]
    },
    {
      name: "a tombstone of the latest start, whose ending is recorded: the end goes on, whatever is left of earlier ones",
      world: oneAgent()
        .addTask(1)
        .addRecord(1, { claims: [claimed(2, unknown), tombstone(3)], attempts: closed(3) }),
      lines: ["reclaim task 1 from ada (epoch 3): failed, its ending goes on", "  end as failed"]
    },
    {
      name: "an agent that outlived its attempt's end, alone: the ladder, whatever came after",
      world: oneAgent()
        .addTask(1)
        .addRecord(1, { claims: [claimed(2, { ...dead, others: [7] }), claimed(3, dead)], attempts: closed(3) }),
      lines: ["stop task 1 on ada (epoch 2): orphaned-agent, interrupt, alive: 7", "  interrupt, next at 10 s"]
    },
    {
      name: "the same while an earlier one lives: its claim would go with the end, and its task be started beside it",
      world: oneAgent()
        .addTask(1)
        .addRecord(1, { claims: [claimed(2, alive), tombstone(3)], attempts: closed(3) }),
      lines: ["wait task 1: earlier attempt (epoch 2) alive"]
    }
  ])

  it("is given back as unassigned where nobody remembers what the task was before", () => {
    const { actions } = files({ claims: [claimed(3, dead)] }).plan()
    expect(actions).toMatchObject([{ _tag: "End", prior: { status: "idle", assignee: null }, taskCreatedAt: null }])
  })

  it("is given back as what it was before its own start, and as no other task", () => {
    const remembered = attempts(1, null, {
      last: started.last && { ...started.last, prior: { status: "idle", assignee: agentName("ada") } }
    })
    const view = viewOf({ claims: [claimed(3, { ...dead, others: [agentPid(1)] })], attempts: closed(2) })
    expect(view).toMatchObject({ _tag: "Attempt", taskCreatedAt: null, prior: { assignee: null }, queue: null })
    expect(viewOf({ lease: unreadable(1, null), claims: [claimed(3, dead)], attempts: remembered })).toMatchObject({
      _tag: "Attempt",
      taskCreatedAt: started.taskCreatedAt,
      prior: { assignee: "ada" },
      queue: "dev"
    })
  })
})

describe("a claim that can't be read, alone", () => {
  const two = (fields: Partial<TaskRecord>): WorldBuilder =>
    oneAgent({ slots: 2 }).limitQueue("dev", 1).addTask(1).addTask(2).addRecord(1, fields)
  const held = "wait task 1: lease unreadable at state/claims/1.3: empty"
  specify([
    {
      name: "counts in the queue for which it was started",
      world: two({ claims: [torn(3)], attempts: started }),
      lines: [held, "wait task 2: queue limit: dev 1/1"]
    },
    {
      name: "counts in none where its start is not remembered",
      world: two({ claims: [torn(3)], attempts: attempts(1, null) }),
      lines: [held, "start task 2 on ada (epoch 1, attempt 1)"]
    },
    {
      name: "nor where another start is",
      world: two({ claims: [torn(3)], attempts: closed(2) }),
      lines: [held, "start task 2 on ada (epoch 1, attempt 1)"]
    }
  ])
})

describe("a running lease whose claim was missing, and whose end was begun through a tombstone", () => {
  const begun = (outcome: Outcome, seen: Evidence): WorldBuilder =>
    working().addLease(runningLease(1, 3, "ada"), seen, {
      claims: [tombstone(3)],
      attempts: attempts(1, { epoch: 3, agent: "ada" }, { outcomes: [recordedOutcome(1, 3, outcome)] })
    })
  const goesOn = (outcome: Outcome) => `reclaim task 1 from ada (epoch 3): ${outcome}, its ending goes on`
  const held = "running task 1 on ada (epoch 3): liveness unknown, its slot is held"
  it.each<readonly [name: string, world: WorldBuilder, lines: ReadonlyArray<string>]>([
    ["dead: the end goes on", begun("failed", evidence.dead), [goesOn("failed"), "  end as failed"]],
    [
      "given up by the clock: the end goes on as it began, without proof",
      begun("lost", evidence.unknown),
      [goesOn("lost"), "  end as lost without proof"]
    ],
    [
      "dead when it was recorded, and now nobody can look: held until the clock gives it up",
      begun("failed", evidence.unknown),
      [held, "  note: unknown since 0 s"]
    ],
    ["alive after all: held", begun("lost", evidence.healthy), ["running task 1 on ada (epoch 3): running"]]
  ])("%s, and the plan breaks nothing", (_name, world, lines) => {
    const { desired, observed } = world.build()
    expect(world.lines()).toEqual(lines)
    expect(violationsOf(observed, desired, world.plan())).toEqual([])
  })
})
