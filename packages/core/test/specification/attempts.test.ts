/** What becomes of an attempt: each rule of its table, and the rows of the protocol that made it. Ada serves dev with one slot. */
import { describe, expect, it } from "vitest"
import type { Task } from "../../src/domain/Task.ts"
import type { Evidence, TaskRecord } from "../../src/domain/TaskRecord.ts"
import { millisOf } from "../../src/domain/time.ts"
import type { WorldBuilder } from "../builders.ts"
import {
  agentPid,
  at,
  attempts,
  claim,
  claimSight,
  epoch,
  evidence,
  finishedLease,
  here,
  legacyLease,
  mono,
  oneAgent,
  orphaned,
  recordedOutcome,
  runningLease,
  sighting,
  startingLease,
  stopRecord,
  stopRequest,
  tokenOf,
  unreadable
} from "../builders.ts"
import { specify } from "./specify.ts"

const otherHost = { ...here, host: "other/9c1d" }
const otherBoot = { ...here, bootId: "boot-1" }
const otherNamespace = { ...here, pidNs: 1 }

/** Task 1, at work on ada in Tinytask. */
const working = (fields: Partial<Task> = {}): WorldBuilder =>
  oneAgent().addTask(1, { status: "working", assignee: "ada", ...fields })
const started = attempts(1, { epoch: 3, agent: "ada" })
const ownClaim = (seen: Evidence) => [claimSight(claim(1, 3, "ada"), seen)]
const tombstone = [claimSight(claim(1, 3, "ada", { kind: "tombstone" }), evidence.tombstone)]
const withOutcome = (outcome: "failed" | "lost" | "done") =>
  attempts(1, { epoch: 3, agent: "ada" }, { outcomes: [recordedOutcome(1, 3, outcome)] })

const intent = (ageSec: number, place = here): WorldBuilder =>
  oneAgent()
    .addTask(1)
    .addLease(startingLease(1, 3, "ada", { startMonoMs: mono(-ageSec) }, place), evidence.nobody, { claims: [] })

describe("an intent", () => {
  specify([
    {
      name: "is starting, and holds its slot, while it may yet be claimed",
      world: intent(29).addTask(2),
      lines: ["running task 1 on ada (epoch 3): starting", "wait task 2: no free slot: queue dev 1/1"]
    },
    {
      name: "nobody claimed it in time: undone through a tombstone, which decides",
      world: intent(30),
      lines: [
        "reclaim task 1 from ada (epoch 3): start-failed, nobody claimed it in time",
        "  end as start-failed through a tombstone"
      ]
    },
    {
      name: "its launch failed: undone at once, through a tombstone too",
      world: intent(1).addFault(1, 3, "failed", "no such file"),
      lines: [
        "reclaim task 1 from ada (epoch 3): start-failed, its start was given up",
        "  end as start-failed through a tombstone"
      ]
    },
    {
      name: "its task was no longer what the plan saw: void, which counts for nothing",
      world: intent(1).addFault(1, 3, "void", "the task is blocked"),
      lines: ["reclaim task 1 from ada (epoch 3): void, its start was given up", "  end as void through a tombstone"]
    },
    {
      name: "a fault of another attempt is none of its",
      world: intent(1).addFault(1, 2, "failed", "no such file"),
      lines: ["running task 1 on ada (epoch 3): starting"]
    },
    {
      name: "of an earlier boot: undone at once",
      world: intent(1, otherBoot),
      lines: [
        "reclaim task 1 from ada (epoch 3): start-failed, nobody claimed it in time",
        "  end as start-failed through a tombstone"
      ]
    },
    {
      name: "of another host: not ours to undo, held as unknown",
      world: intent(600, otherHost),
      lines: ["running task 1 on ada (epoch 3): liveness unknown, its slot is held", "  note: unknown since 0 s"]
    },
    {
      name: "a tombstone stands: the undo goes on",
      world: oneAgent()
        .addTask(1)
        .addLease(startingLease(1, 3, "ada"), evidence.nobody, { claims: tombstone }),
      lines: [
        "reclaim task 1 from ada (epoch 3): start-failed, its undo goes on",
        "  end as start-failed through a tombstone"
      ]
    },
    {
      name: "a tombstone stands, and this process knows why: the reason is kept",
      world: oneAgent()
        .addTask(1)
        .addLease(startingLease(1, 3, "ada"), evidence.nobody, { claims: tombstone })
        .addFault(1, 3, "void", "the task is blocked"),
      lines: ["reclaim task 1 from ada (epoch 3): void, its undo goes on", "  end as void through a tombstone"]
    },
    {
      name: "claimed: its supervisor is judged by the claim, and it is starting",
      world: working().addLease(startingLease(1, 3, "ada", { startMonoMs: mono(-44) }), evidence.claimedOnly),
      lines: ["running task 1 on ada (epoch 3): starting"]
    },
    {
      name: "claimed, launch error or not: the claim won, the fault is void",
      world: working()
        .addLease(startingLease(1, 3, "ada", { startMonoMs: mono(-10) }), evidence.claimedOnly)
        .addFault(1, 3, "failed", "timeout"),
      lines: ["running task 1 on ada (epoch 3): starting"]
    },
    {
      name: "claimed and proven dead: lost",
      world: working().addLease(startingLease(1, 3, "ada"), evidence.claimDead),
      lines: ["reclaim task 1 from ada (epoch 3): lost, nothing of it lives", "  end as lost"]
    },
    {
      name: "its claim can't be read: held until mended, its slot taken",
      world: oneAgent()
        .addTask(1)
        .addTask(2)
        .addLease(startingLease(1, 3, "ada"), evidence.nobody, {
          claims: [{ _tag: "Unreadable", epoch: epoch(3), path: "state/claims/1.3", problem: "empty" }]
        }),
      lines: ["wait task 1: lease unreadable at state/claims/1.3: empty", "wait task 2: no free slot: queue dev 1/1"]
    }
  ])
})

const run = (seen: Evidence, fields: Parameters<typeof runningLease>[3] = {}, place = here): WorldBuilder =>
  working().addLease(runningLease(1, 3, "ada", fields, place), seen)

describe("a running attempt", () => {
  specify([
    { name: "lives", world: run(evidence.healthy), lines: ["running task 1 on ada (epoch 3): running"] },
    {
      name: "adopted after a restart of the scheduler: it is on disk, so it is never started again",
      world: run(evidence.healthy).addTask(2),
      lines: ["running task 1 on ada (epoch 3): running", "wait task 2: no free slot: queue dev 1/1"]
    },
    {
      name: "its claim is missing: it lives, and that is told",
      world: working().addLease(runningLease(1, 3, "ada"), evidence.healthy, { claims: [] }),
      lines: ["running task 1 on ada (epoch 3): its claim is missing"]
    },
    {
      name: "proven dead: lost",
      world: run(evidence.dead),
      lines: ["reclaim task 1 from ada (epoch 3): lost, nothing of it lives", "  end as lost"]
    },
    {
      name: "proven dead without a claim: ended through a tombstone",
      world: working().addLease(runningLease(1, 3, "ada"), evidence.dead, { claims: [] }),
      lines: ["reclaim task 1 from ada (epoch 3): lost, nothing of it lives", "  end as lost through a tombstone"]
    },
    {
      name: "both pids are gone but nobody looked for the rest: not proven, held",
      world: run(evidence.deadUnscanned),
      lines: ["running task 1 on ada (epoch 3): its supervisor is silent"]
    },
    {
      name: "its supervisor is dead and its agent lives: the orphan is stopped",
      world: run(orphaned(1)),
      lines: ["stop task 1 on ada (epoch 3): orphaned-agent, interrupt, alive: 20001", "  interrupt, next at 10 s"]
    },
    {
      name: "supervisor and agent are dead and a grandchild lives: stopped, the slot is held",
      world: run({ ...evidence.dead, others: [4711] }).addTask(2),
      lines: [
        "stop task 1 on ada (epoch 3): orphaned-agent, interrupt, alive: 4711",
        "  interrupt, next at 10 s",
        "wait task 2: no free slot: queue dev 1/1"
      ]
    },
    {
      name: "the agent is gone and the supervisor about to say so: it lives",
      world: run(evidence.agentGone),
      lines: ["running task 1 on ada (epoch 3): running"]
    },
    {
      name: "of another host: unknown, never signalled, held, whatever its run time",
      world: run(evidence.unknown, { startMonoMs: mono(-9000) }, otherHost),
      lines: ["running task 1 on ada (epoch 3): liveness unknown, its slot is held", "  note: unknown since 0 s"]
    },
    {
      name: "of another pid namespace: unknown as well",
      world: run(evidence.unknown, {}, otherNamespace),
      lines: ["running task 1 on ada (epoch 3): liveness unknown, its slot is held", "  note: unknown since 0 s"]
    },
    {
      name: "of an earlier boot: dead, and its run time on that boot's clock is no matter",
      world: run(evidence.dead, { startMonoMs: mono(-9000) }, otherBoot),
      lines: ["reclaim task 1 from ada (epoch 3): lost, nothing of it lives", "  end as lost"]
    },
    {
      name: "its run time is over: stopped",
      world: run(evidence.healthy, { startMonoMs: mono(-3600) }),
      lines: ["stop task 1 on ada (epoch 3): max-runtime, interrupt", "  interrupt, next at 10 s"]
    },
    {
      name: "a command asked for its stop",
      world: run(evidence.healthy).addRequest(stopRequest(1, 3)),
      lines: ["stop task 1 on ada (epoch 3): requested, interrupt", "  interrupt, next at 10 s"]
    },
    {
      name: "a command asked for the stop of an attempt before it: it runs on",
      world: run(evidence.healthy).addRequest(stopRequest(1, 2)),
      lines: ["running task 1 on ada (epoch 3): running"]
    },
    {
      name: "a command asked for its stop, and nobody can say whether it lives: never signalled",
      world: run(evidence.unknown, {}, otherHost).addRequest(stopRequest(1, 3)),
      lines: ["running task 1 on ada (epoch 3): liveness unknown, its slot is held", "  note: unknown since 0 s"]
    },
    {
      name: "its run time is not over: what counts is the clock that no one sets, not the start's date",
      world: run(evidence.healthy, { startTime: at(-90_000), startMonoMs: mono(-3599) }),
      lines: ["running task 1 on ada (epoch 3): running"]
    },
    {
      name: "a run time of 0 has no end",
      world: run(evidence.healthy, { startMonoMs: mono(-7000), maxRuntimeSec: 0 }),
      lines: ["running task 1 on ada (epoch 3): running"]
    },
    {
      name: "its agent was silent for as long as its lease allows: stopped",
      world: run(evidence.healthy, { idleTimeoutSec: 600, silentMs: 600_000 }),
      lines: ["stop task 1 on ada (epoch 3): idle, interrupt", "  interrupt, next at 10 s"]
    },
    {
      name: "its agent was silent for less: what counts is the silence that was watched, not the time of the last output",
      world: run(evidence.healthy, { idleTimeoutSec: 600, silentMs: 599_999, lastOutput: at(-90_000) }),
      lines: ["running task 1 on ada (epoch 3): running"]
    },
    {
      name: "its agent may be silent for as long as it likes",
      world: run(evidence.healthy, { silentMs: 90_000_000 }),
      lines: ["running task 1 on ada (epoch 3): running"]
    },
    {
      name: "the ending is recorded and nothing lives: the remaining steps are done, with the recorded outcome",
      world: working().addLease(runningLease(1, 3, "ada"), evidence.dead, { attempts: withOutcome("failed") }),
      lines: ["reclaim task 1 from ada (epoch 3): failed, its ending goes on", "  end as failed"]
    },
    {
      name: "the ending is recorded and something lives: it is held, not forgotten",
      world: working().addLease(runningLease(1, 3, "ada"), orphaned(1), { attempts: withOutcome("failed") }),
      lines: ["stop task 1 on ada (epoch 3): orphaned-agent, interrupt, alive: 20001", "  interrupt, next at 10 s"]
    },
    {
      name: "attempts that can't be read: a dead attempt is held until they are mended",
      world: working().addLease(runningLease(1, 3, "ada"), evidence.dead, {
        attempts: null,
        attemptsProblem: "not JSON"
      }),
      lines: ["wait task 1: attempts unreadable: not JSON"]
    }
  ])
})

describe("a running attempt whose task changed", () => {
  const changed = (fields: Partial<Task> | null): WorldBuilder => {
    const world = oneAgent().addLease(runningLease(1, 3, "ada"), evidence.healthy)
    return fields === null
      ? world.addLookedUp(1, null)
      : world.addTask(1, { status: "working", assignee: "ada", ...fields })
  }
  const takenAway = ["stop task 1 on ada (epoch 3): task-taken-away, interrupt", "  interrupt, next at 10 s"]
  const runs = ["running task 1 on ada (epoch 3): running"]
  specify([
    { name: "gone: stopped", world: changed(null), lines: takenAway },
    { name: "assigned to somebody else: stopped", world: changed({ assignee: "maria" }), lines: takenAway },
    { name: "another task under its number: stopped", world: changed({ createdAt: at(-10) }), lines: takenAway },
    {
      name: "archived unfinished: stopped",
      world: oneAgent()
        .addLease(runningLease(1, 3, "ada"), evidence.healthy)
        .addLookedUp(1, { status: "working", assignee: "ada", archived: true }),
      lines: takenAway
    },
    { name: "newly blocked: it runs on", world: changed({ blocked: true, blockedBy: null }), lines: runs },
    { name: "reprioritised: it runs on", world: changed({ priority: -9 }), lines: runs },
    { name: "unassigned by a person: it runs on", world: changed({ assignee: null }), lines: runs },
    {
      name: "its agent was paused or its limit lowered: it runs on",
      world: changed({}).limitAll(0).limitQueue("dev", 0),
      lines: runs
    },
    {
      name: "complete: it has 120 s to end, counted from when that was first seen",
      world: oneAgent()
        .addLease(runningLease(1, 3, "ada"), evidence.healthy)
        .addLookedUp(1, { status: "complete", assignee: "ada" }),
      lines: [...runs, "  note: complete since 0 s"]
    },
    {
      name: "complete for 119 s: it runs on, and nothing new is noted",
      world: oneAgent()
        .addLease(runningLease(1, 3, "ada"), evidence.healthy, {
          attempts: attempts(
            1,
            { epoch: 3, agent: "ada" },
            { observed: sighting(3, { completeSinceMonoMs: mono(-119) }) }
          )
        })
        .addLookedUp(1, { status: "complete", assignee: "ada" }),
      lines: runs
    },
    {
      name: "complete for 120 s: stopped",
      world: oneAgent()
        .addLease(runningLease(1, 3, "ada"), evidence.healthy, {
          attempts: attempts(
            1,
            { epoch: 3, agent: "ada" },
            { observed: sighting(3, { completeSinceMonoMs: mono(-120) }) }
          )
        })
        .addLookedUp(1, { status: "complete", assignee: "ada" }),
      lines: ["stop task 1 on ada (epoch 3): task-complete, interrupt", "  interrupt, next at 10 s"]
    },
    {
      name: "complete by somebody else's hand: it is not taken away, it has its 120 s",
      world: oneAgent()
        .addLease(runningLease(1, 3, "ada"), evidence.healthy)
        .addLookedUp(1, { status: "complete", assignee: "maria", archived: true }),
      lines: [...runs, "  note: complete since 0 s"]
    }
  ])
})

describe("a finished attempt", () => {
  const finish = (seen: Evidence, fields: Parameters<typeof finishedLease>[3] = {}): WorldBuilder =>
    working().addLease(finishedLease(1, 3, "ada", fields), seen)
  specify([
    {
      name: "nothing of it lives: ended as it was recorded",
      world: finish(evidence.dead),
      lines: ["finish task 1 on ada (epoch 3): done, exit 0", "  end as done"]
    },
    {
      name: "its supervisor may still live for a moment: ended all the same",
      world: finish(evidence.agentGone),
      lines: ["finish task 1 on ada (epoch 3): done, exit 0", "  end as done"]
    },
    {
      name: "something it left behind lives: stopped, beginning with SIGTERM, and its slot is held",
      world: finish({ ...evidence.agentGone, others: [4711] }).addTask(2),
      lines: [
        "stop task 1 on ada (epoch 3): leftovers, terminate, alive: 4711",
        "  terminate, next at 5 s",
        "wait task 2: no free slot: queue dev 1/1"
      ]
    },
    {
      name: "nobody looked for what it left: held, and neither its age nor its silence stops it",
      world: finish(
        { ...evidence.deadUnscanned, supervisor: "alive" },
        { startMonoMs: mono(-9000), beatMonoMs: mono(-3) }
      ),
      lines: ["running task 1 on ada (epoch 3): liveness unknown, its slot is held"]
    },
    {
      name: "its agent can't be looked at: unknown, held",
      world: finish({ ...evidence.agentGone, agent: "unknown" }),
      lines: ["running task 1 on ada (epoch 3): liveness unknown, its slot is held"]
    },
    {
      name: "its ending is recorded: the recorded one is carried out, whatever its exit says",
      world: working().addLease(finishedLease(1, 3, "ada"), evidence.dead, { attempts: withOutcome("failed") }),
      lines: ["reclaim task 1 from ada (epoch 3): failed, its ending goes on", "  end as failed"]
    },
    {
      name: "its agent could not be started: start-failed",
      world: finish(evidence.claimDead, {
        agent: null,
        exit: { code: null, signal: null, error: "ENOENT", at: at(-2), tail: "" }
      }),
      lines: ["finish task 1 on ada (epoch 3): start-failed, it could not be started: ENOENT", "  end as start-failed"]
    }
  ])
})

describe("odd files", () => {
  const files = (seen: Evidence, fields: object = {}): WorldBuilder =>
    working().addRecord(1, { claims: ownClaim(seen), attempts: started, ...fields })
  const lower = claimSight(claim(1, 2, "ada"), evidence.claimDead)
  specify([
    {
      name: "lease missing, claim standing, supervisor alive: held, its supervisor writes it anew",
      world: files(evidence.claimedOnly).addTask(2),
      lines: [
        "running task 1 on ada (epoch 3): its lease is missing, its claim stands",
        "wait task 2: no free slot: queue dev 1/1"
      ]
    },
    {
      name: "lease missing, supervisor dead: rebuilt from the claim, nothing started",
      world: files(evidence.claimDead),
      lines: [
        "running task 1 on ada (epoch 3): its lease is missing, its claim stands",
        "  rebuild its lease from its claim"
      ]
    },
    {
      name: "lease unreadable, supervisor dead: set aside and rebuilt from the claim",
      world: files(evidence.claimDead, { lease: unreadable(1, "ada") }),
      lines: [
        "running task 1 on ada (epoch 3): its lease is unreadable, its claim stands",
        "  rebuild its lease from its claim, set aside: lease-unreadable"
      ]
    },
    {
      name: "lease unreadable, supervisor alive: held",
      world: files(evidence.claimedOnly, { lease: unreadable(1, null) }),
      lines: ["running task 1 on ada (epoch 3): its lease is unreadable, its claim stands"]
    },
    {
      name: "lease unreadable without a claim: held until mended; its agent's slot is taken where the name can be read",
      world: oneAgent()
        .addTask(1)
        .addTask(2)
        .addRecord(1, { lease: unreadable(1, "ada") }),
      lines: [
        "wait task 1: lease unreadable at state/running/task_1.json: not JSON",
        "wait task 2: no free slot: queue dev 1/1"
      ]
    },
    {
      name: "lease unreadable, name too: the task is held, one odd file stops no pass",
      world: oneAgent()
        .addTask(1)
        .addTask(2)
        .addRecord(1, { lease: unreadable(1, null) }),
      lines: [
        "wait task 1: lease unreadable at state/running/task_1.json: not JSON",
        "start task 2 on ada (epoch 1, attempt 1)"
      ]
    },
    {
      name: "the claim of a higher epoch wins over the lease",
      world: files(evidence.claimDead, {
        lease: { _tag: "Read", lease: runningLease(1, 2, "ada"), evidence: evidence.dead }
      }),
      lines: [
        "running task 1 on ada (epoch 3): its lease contradicts its claim",
        "  rebuild its lease from its claim, set aside: lease-contradicts-claim"
      ]
    },
    {
      name: "a lease that contradicts its claim, and has living processes of its own: held",
      world: files(evidence.claimDead, {
        lease: {
          _tag: "Read",
          lease: runningLease(1, 3, "ada", { token: tokenOf(1, 3, 1) }),
          evidence: evidence.healthy
        }
      }),
      lines: ["running task 1 on ada (epoch 3): its lease contradicts its claim"]
    },
    {
      name: "such a lease whose ending is written, and of which only the supervisor lives: it holds nothing",
      world: files(evidence.claimDead, {
        lease: { _tag: "Read", lease: finishedLease(1, 2, "ada"), evidence: evidence.agentGone }
      }),
      lines: [
        "running task 1 on ada (epoch 3): its lease contradicts its claim",
        "  rebuild its lease from its claim, set aside: lease-contradicts-claim"
      ]
    },
    {
      name: "such a lease of another host keeps nobody from stopping what the claim's agent left behind",
      world: files(
        { ...evidence.claimDead, others: [4711] },
        {
          lease: {
            _tag: "Read",
            lease: finishedLease(1, 2, "ada", { host: "elsewhere" }),
            evidence: evidence.unknown
          }
        }
      ),
      lines: ["stop task 1 on ada (epoch 3): orphaned-agent, interrupt, alive: 4711", "  interrupt, next at 10 s"]
    },
    {
      name: "a claim without lease and attempts file: lost, and the task given back though its queue is not known",
      world: working().addRecord(1, { claims: ownClaim(evidence.claimDead) }),
      lines: ["reclaim task 1 from ada (epoch 3): lost, nothing of it lives", "  end as lost"]
    },
    {
      name: "lower epochs are not judged against the lease, only swept when dead",
      world: working().addLease(runningLease(1, 3, "ada"), evidence.healthy, {
        claims: [lower, ...ownClaim(evidence.healthy)]
      }),
      lines: ["running task 1 on ada (epoch 3): running", "  sweep claims up to epoch 2"]
    },
    {
      name: "under a lease that is unreadable they stay: it may be of any epoch",
      world: files(evidence.claimedOnly, {
        lease: unreadable(1, null),
        claims: [lower, ...ownClaim(evidence.claimedOnly)]
      }),
      lines: ["running task 1 on ada (epoch 3): its lease is unreadable, its claim stands"]
    },
    {
      name: "under a lease of their own epoch they stay, also where a later claim wins over it",
      world: files(evidence.claimedOnly, {
        lease: { _tag: "Read", lease: runningLease(1, 2, "ada"), evidence: evidence.dead },
        claims: [claimSight(claim(1, 1, "ada"), evidence.claimDead), lower, ...ownClaim(evidence.claimedOnly)]
      }),
      lines: ["running task 1 on ada (epoch 3): its lease contradicts its claim", "  sweep claims up to epoch 1"]
    },
    {
      name: "the claim of the latest start, its ending recorded: the end goes on, for the claim is what it removes last",
      world: oneAgent()
        .addTask(1)
        .addRecord(1, { claims: ownClaim(evidence.claimDead), attempts: withOutcome("failed") }),
      lines: ["reclaim task 1 from ada (epoch 3): failed, its ending goes on", "  end as failed"]
    },
    {
      name: "claims of an earlier start are swept, and the task is free",
      world: oneAgent()
        .addTask(1)
        .addRecord(1, {
          claims: ownClaim(evidence.claimDead),
          attempts: attempts(
            1,
            { epoch: 4, agent: "ada" },
            { outcomes: [recordedOutcome(1, 3, "failed"), recordedOutcome(1, 4, "failed")] }
          )
        }),
      lines: ["start task 1 on ada (epoch 5, attempt 1)", "  sweep claims up to epoch 3"]
    },
    {
      name: "a claim of an earlier start whose ending is remembered no more: swept, not judged",
      world: oneAgent()
        .addTask(1)
        .addRecord(1, {
          claims: ownClaim(evidence.claimDead),
          attempts: attempts(1, { epoch: 4, agent: "ada" }, { outcomes: [recordedOutcome(1, 4, "failed")] })
        }),
      lines: ["start task 1 on ada (epoch 5, attempt 1)", "  sweep claims up to epoch 3"]
    },
    {
      name: "claims of a recorded ending that nobody has looked for: held",
      world: oneAgent()
        .addTask(1)
        .addRecord(1, { claims: ownClaim({ ...evidence.claimDead, scanned: false }), attempts: withOutcome("failed") }),
      lines: ["wait task 1: earlier attempt (epoch 3) unknown", "  note: unknown since 0 s"]
    },
    {
      name: "the only claim can't be read: held, its slot taken",
      world: oneAgent()
        .addTask(1)
        .addTask(2)
        .addRecord(1, {
          claims: [{ _tag: "Unreadable", epoch: epoch(3), path: "state/claims/1.3", problem: "empty" }],
          attempts: started
        }),
      lines: ["wait task 1: lease unreadable at state/claims/1.3: empty", "wait task 2: no free slot: queue dev 1/1"]
    }
  ])
})

describe("an open start: written down, and neither lease nor claim", () => {
  const open = (seen: Evidence | null, fields: Partial<Task> = {}): WorldBuilder =>
    oneAgent().addTask(1, fields).addTask(2).addRecord(1, { attempts: started, openStart: seen })
  const ours: Partial<Task> = { status: "working", assignee: "ada" }
  const noSlot = "wait task 2: no free slot: queue dev 1/1"
  specify([
    {
      name: "holds its task and slot until it was looked for",
      world: open(null),
      lines: ["wait task 1: earlier attempt (epoch 3) unknown", noSlot]
    },
    {
      name: "something carries its token: alive",
      world: open({ ...evidence.claimDead, others: [agentPid(1)] }),
      lines: ["wait task 1: earlier attempt (epoch 3) alive", noSlot]
    },
    {
      name: "nothing found, task bears our marks: reclaimed as lost",
      world: open(evidence.claimDead, ours),
      lines: [
        "reclaim task 1 from ada (epoch 3): lost, nothing of it lives",
        "  end as lost through a tombstone",
        noSlot
      ]
    },
    {
      name: "nothing found, task without our marks: closed as start-failed",
      world: open(evidence.claimDead),
      lines: [
        "reclaim task 1 from ada (epoch 3): start-failed, nobody claimed it in time",
        "  end as start-failed through a tombstone",
        noSlot
      ]
    },
    {
      name: "our marks on another task of the same number are not ours",
      world: open(evidence.claimDead, { ...ours, createdAt: at(-10) }),
      lines: [
        "reclaim task 1 from ada (epoch 3): start-failed, nobody claimed it in time",
        "  end as start-failed through a tombstone",
        noSlot
      ]
    },
    {
      name: "over the claims of an earlier attempt: held, and these are swept so that it can be looked for",
      world: oneAgent()
        .addTask(1)
        .addTask(2)
        .addRecord(1, {
          claims: [claimSight(claim(1, 2, "ada"), evidence.claimDead)],
          attempts: { ...started, outcomes: [recordedOutcome(1, 2, "failed")] }
        }),
      lines: ["wait task 1: earlier attempt (epoch 3) unknown", "  sweep claims up to epoch 2", noSlot]
    }
  ])
})

describe("a lease of the old form", () => {
  const old = (liveness: "alive" | "dead" | "unknown", fields: Partial<TaskRecord> = {}): WorldBuilder =>
    oneAgent()
      .addTask(1, { status: "working", assignee: "ada" })
      .addTask(2)
      .addRecord(1, { lease: legacyLease(1, "ada", liveness), epochMax: 4, ...fields })
  const noSlot = "wait task 2: no free slot: queue dev 1/1"
  const held = "running task 1 on ada (epoch 4): liveness unknown, its slot is held"
  const unknownSince = (sinceSec: number): WorldBuilder =>
    old("unknown", {
      attempts: attempts(1, null, {
        observed: sighting(5, { hungBeatMonoMs: millisOf(at(-600)), unknownSinceMonoMs: mono(sinceSec) })
      })
    })
  specify([
    {
      name: "alive: left alone, its slot taken",
      world: old("alive"),
      lines: ["running task 1 on ada (epoch 4): a lease of the old form, alive and left alone", noSlot]
    },
    {
      name: "unknown: held, and noted in an attempts file of its own",
      world: old("unknown"),
      lines: [held, "  note: unknown since 0 s", noSlot]
    },
    {
      name: "unknown while Tinytask can't be read: held; nobody knows of which task to begin a file",
      world: old("unknown").withoutTinytask(),
      lines: [held]
    },
    {
      name: "unknown for 300 s: lost, without proof",
      world: unknownSince(-300),
      lines: [
        "reclaim task 1 from ada (epoch 5): lost, its liveness stayed unknown for too long",
        "  end the old lease as epoch 5 without proof",
        noSlot
      ]
    },
    {
      name: "unknown for 300 s, UNKNOWN_LOST_SEC 0: never given up",
      world: unknownSince(-300).withPolicy({ unknownLostSec: 0 }),
      lines: [held, noSlot]
    },
    {
      name: "dead: ended as an attempt of ours, with a new epoch",
      world: old("dead"),
      lines: ["reclaim task 1 from ada (epoch 5): lost, nothing of it lives", "  end the old lease as epoch 5", noSlot]
    }
  ])
})

describe("given up by the clock", () => {
  const silent = (sinceSec: number, seen: Evidence, fields: { readonly beat?: number } = {}): WorldBuilder =>
    working().addLease(runningLease(1, 3, "ada"), seen, {
      attempts: attempts(
        1,
        { epoch: 3, agent: "ada" },
        {
          observed: sighting(3, { hungBeatMonoMs: mono(fields.beat ?? -5), unknownSinceMonoMs: mono(sinceSec) })
        }
      )
    })
  const held = "running task 1 on ada (epoch 3): liveness unknown, its slot is held"
  specify([
    { name: "unknown for 299 s: held", world: silent(-299, evidence.unknown), lines: [held] },
    {
      name: "unknown for 300 s: lost, without proof, and said so",
      world: silent(-300, evidence.unknown),
      lines: [
        "reclaim task 1 from ada (epoch 3): lost, its liveness stayed unknown for too long",
        "  end as lost without proof"
      ]
    },
    {
      name: "its beat moved meanwhile: the clock begins anew",
      world: silent(-300, evidence.unknown, { beat: -200 }),
      lines: [held, "  note: unknown since 0 s"]
    },
    {
      name: "UNKNOWN_LOST_SEC 0: never given up",
      world: silent(-4000, evidence.unknown).withPolicy({ unknownLostSec: 0 }),
      lines: [held]
    },
    {
      name: "something of it is known to live: never given up by the clock",
      world: silent(-300, { supervisor: "unknown", agent: "dead", others: [4711], scanned: true }),
      lines: [held, "  note: nothing out of the ordinary"]
    },
    {
      name: "a dead supervisor and an agent that can't be looked at are unknown too",
      world: silent(-300, { supervisor: "dead", agent: "unknown", others: [], scanned: true }),
      lines: [
        "reclaim task 1 from ada (epoch 3): lost, its liveness stayed unknown for too long",
        "  end as lost without proof"
      ]
    },
    {
      name: "its loss is recorded: the ending goes on without proof, its claim set aside first",
      world: working().addLease(runningLease(1, 3, "ada"), evidence.unknown, { attempts: withOutcome("lost") }),
      lines: ["reclaim task 1 from ada (epoch 3): lost, its ending goes on", "  end as lost without proof"]
    },
    {
      name: "Tinytask can't be read: not given up, held",
      world: oneAgent()
        .withoutTinytask()
        .addLease(runningLease(1, 3, "ada"), evidence.unknown, { attempts: withOutcome("lost") }),
      lines: ["wait task 1: Tinytask could not be read"]
    }
  ])
})

describe("the plan says when a running attempt", () => {
  // Everybody beats every 15 s; this one was started while it was 60 s, and beat 5 s ago.
  const slow = (fields: Parameters<typeof run>[1]) =>
    run(evidence.healthy, { maxRuntimeSec: 0, heartbeatSec: 60, ...fields }).plan().nextMonoMs

  it("may be found silent for too long: at the beat after the limit, as often as it beats itself", () => {
    expect(slow({ idleTimeoutSec: 600, silentMs: 590_000 })).toBe(mono(-5 + 10 + 60))
  })

  it("may be found hanging: twice as long as it beats itself, after it was first seen overdue", () => {
    expect(slow({ beatMonoMs: mono(-200) })).toBe(mono(2 * 60))
  })
})

describe("being stopped", () => {
  specify([
    {
      name: "the reason that began it stays, whatever else would now apply",
      world: working({ assignee: "maria" }).addLease(
        runningLease(1, 3, "ada"),
        { ...evidence.healthy, others: [agentPid(1)], scanned: true },
        { stop: stopRecord(1, 3, { reason: "max-runtime" }) }
      ),
      lines: ["stop task 1 on ada (epoch 3): max-runtime, terminate, alive: 20001", "  terminate, next at 5 s"]
    },
    {
      name: "it became unknown: it is signalled no more, and held",
      world: working().addLease(runningLease(1, 3, "ada"), evidence.unknown, { stop: stopRecord(1, 3) }),
      lines: ["running task 1 on ada (epoch 3): liveness unknown, its slot is held", "  note: unknown since 0 s"]
    },
    {
      name: "a stop record of another epoch is none of its",
      world: working().addLease(runningLease(1, 3, "ada"), evidence.healthy, { stop: stopRecord(1, 2) }),
      lines: ["running task 1 on ada (epoch 3): running"]
    },
    {
      name: "a stop record of an earlier boot stops nobody",
      world: working().addLease(runningLease(1, 3, "ada"), evidence.healthy, {
        stop: stopRecord(1, 3, { bootId: "boot-1" })
      }),
      lines: ["running task 1 on ada (epoch 3): running"]
    }
  ])
})
