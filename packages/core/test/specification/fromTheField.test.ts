/** What users of such systems ran into, as rules that a plan keeps. Named by the rule; one world each that would break it. */
import { describe, expect, it } from "vitest"
import type { Task } from "../../src/domain/Task.ts"
import {
  agentPid,
  at,
  attempts,
  claim,
  claimSight,
  evidence,
  exit,
  finishedLease,
  here,
  mono,
  oneAgent,
  orphaned,
  recordedOutcome,
  runningLease,
  startingLease,
  stopRecord,
  taskId,
  world
} from "../builders.ts"
import { specify } from "./specify.ts"

const ours: Partial<Task> = { status: "working", assignee: "ada" }
const noSlot = "wait task 2: no free slot: queue dev 1/1"
const runs = "running task 1 on ada (epoch 3): running"

describe("from the field", () => {
  specify([
    {
      name: "a restart never dispatches living work again, and its slots count from the first plan on",
      world: oneAgent()
        .addTask(1, ours)
        .addTask(2)
        .addLease(runningLease(1, 3, "ada"), evidence.healthy),
      lines: [runs, noSlot]
    },
    {
      name: "a task being spawned is neither absent nor dead, though Tinytask does not show it yet",
      world: oneAgent()
        .addTask(1)
        .addTask(2)
        .addLease(startingLease(1, 3, "ada", { startMonoMs: mono(-5) }), evidence.nobody, { claims: [] }),
      lines: ["running task 1 on ada (epoch 3): starting", noSlot]
    },
    {
      name: "reclaiming proves death first: a kill that does not land keeps the lease, and says who survives",
      world: oneAgent()
        .addTask(1, ours)
        .addTask(2)
        .addLease(runningLease(1, 3, "ada"), orphaned(1), {
          stop: stopRecord(1, 3, { rung: "kill", nextMonoMs: mono(3) })
        }),
      lines: ["stop task 1 on ada (epoch 3): max-runtime, kill was sent, alive: 20001", noSlot]
    },
    {
      name: "and the reverse: a dead holder is released",
      world: oneAgent()
        .addTask(1, ours)
        .addLease(runningLease(1, 3, "ada"), evidence.dead),
      lines: ["reclaim task 1 from ada (epoch 3): lost, nothing of it lives", "  end as lost"]
    },
    {
      name: "a pid is no identity: the lease of another machine is unknown, however its pids look here",
      world: oneAgent()
        .addTask(1, ours)
        .addTask(2)
        .addLease(runningLease(1, 3, "ada", {}, { ...here, host: "calypso/another-id" }), evidence.unknown),
      lines: [
        "running task 1 on ada (epoch 3): liveness unknown, its slot is held",
        "  note: unknown since 0 s",
        noSlot
      ]
    },
    {
      name: "what an agent started must end with it: a grandchild keeps the slot of a finished attempt",
      world: oneAgent()
        .addTask(1, ours)
        .addTask(2)
        .addLease(finishedLease(1, 3, "ada"), { ...evidence.dead, others: [agentPid(1) + 1] }),
      lines: ["stop task 1 on ada (epoch 3): leftovers, terminate, alive: 20002", "  terminate, next at 5 s", noSlot]
    },
    {
      name: "if the supervisor is killed, the agent does not go on unsupervised",
      world: oneAgent()
        .addTask(1, ours)
        .addLease(runningLease(1, 3, "ada"), orphaned(1)),
      lines: ["stop task 1 on ada (epoch 3): orphaned-agent, interrupt, alive: 20001", "  interrupt, next at 10 s"]
    },
    {
      name: "a long run under a fresh beat is no hang: age and silence are two things",
      world: oneAgent()
        .addTask(1, ours)
        .addLease(runningLease(1, 3, "ada", { startMonoMs: mono(-3500), beatMonoMs: mono(-1) }), evidence.healthy),
      lines: [runs]
    },
    {
      name: "what is slow or unknown is not killed: one look is no proof",
      world: oneAgent()
        .addTask(1, ours)
        .addLease(runningLease(1, 3, "ada", { beatMonoMs: mono(-900) }), evidence.healthy),
      lines: ["running task 1 on ada (epoch 3): its supervisor is silent", "  note: hung since 0 s"]
    },
    {
      name: "an exit code alone is never trusted: exit 0 with an open task is unreported",
      world: oneAgent({ recipe: "ada.yaml", success: "tinytask" })
        .addTask(1, ours)
        .addLease(finishedLease(1, 3, "ada", { recipe: "ada.yaml" }), evidence.dead),
      lines: ["finish task 1 on ada (epoch 3): unreported, exit 0, but its task is not complete", "  end as unreported"]
    },
    {
      name: "a time-out is never reported as success",
      world: oneAgent()
        .addTask(1, ours)
        .addLease(finishedLease(1, 3, "ada", { exit: exit({ code: 0 }) }), evidence.dead, { stop: stopRecord(1, 3) }),
      lines: ["finish task 1 on ada (epoch 3): timed-out, stopped (max-runtime), exit 0", "  end as timed-out"]
    },
    {
      name: "done before its process was reaped: a task that is complete is done, and is not run again",
      world: oneAgent()
        .addLookedUp(1, { ...ours, status: "complete" })
        .addLease(runningLease(1, 3, "ada"), evidence.dead),
      lines: ["reclaim task 1 from ada (epoch 3): done, nothing of it lives", "  end as done"]
    },
    {
      name: "backoff is on the wall clock and in files: a restart forgets nothing",
      world: oneAgent()
        .addTask(1)
        .addAttempts(
          1,
          attempts(
            1,
            { epoch: 3, agent: "ada" },
            {
              outcomes: [recordedOutcome(1, 3, "failed")],
              counts: { failures: 1, losses: 0 },
              notBefore: at(28)
            }
          )
        ),
      lines: ["wait task 1: backoff until 2026-03-01T12:00:28.000Z"]
    },
    {
      name: "every open task says why it does not run, each for its own reason",
      world: world()
        .addAgent("ada", {}, { pausedBy: "maria" })
        .addTask(1)
        .addTask(2, { assignee: "maria" })
        .addTask(3, { queue: "ops" })
        .addTask(4, { blockedBy: taskId(1), blocked: true })
        .addTask(5, { status: "working", assignee: "maria" })
        .addTask(6, { queue: null }),
      lines: [
        "wait task 1: agent ada paused by maria until it is resumed",
        "wait task 2: assigned to maria, which is no agent of ours",
        "wait task 3: no agent serves queue ops",
        "wait task 4: blocked by 1",
        "ignore task 5: worked on outside",
        "wait task 6: no queue and nobody assigned"
      ]
    },
    {
      name: "a deadlock is seen, and named",
      world: oneAgent()
        .addTask(1, { blockedBy: taskId(2), blocked: true })
        .addTask(2, { blockedBy: taskId(1), blocked: true }),
      lines: ["wait task 1: blocking cycle 1 > 2 > 1", "wait task 2: blocking cycle 1 > 2 > 1"]
    },
    {
      name: "one odd file stops no pass: its task is held, the others go on",
      world: oneAgent({ slots: 3 })
        .addTask(1)
        .addTask(2)
        .addRecord(1, {
          claims: [{ _tag: "Unreadable", epoch: claim(1, 3, "ada").epoch, path: "state/claims/1.3", problem: "empty" }]
        }),
      lines: ["wait task 1: lease unreadable at state/claims/1.3: empty", "start task 2 on ada (epoch 1, attempt 1)"]
    },
    {
      name: "somebody else's work is not claimed a second time",
      world: oneAgent().addTask(1, { status: "working", assignee: "maria" }),
      lines: ["ignore task 1: worked on outside"]
    }
  ])

  it("a mass death of many attempts at once frees nothing that is not looked for", () => {
    const mass = world().addAgent("ada", { slots: 50 })
    for (let id = 1; id <= 50; id += 1)
      mass.addTask(id, ours).addLease(runningLease(id, 1, "ada"), evidence.deadUnscanned)
    expect(mass.plan().actions).toEqual([])
  })

  it("a slot is never free twice: ten orphans and ten claims hold twenty", () => {
    const many = world().addAgent("ada", { slots: 20 })
    for (let id = 1; id <= 10; id += 1) many.addTask(id, ours).addLease(runningLease(id, 1, "ada"), orphaned(id))
    for (let id = 11; id <= 20; id += 1) {
      many.addTask(id, ours).addRecord(id, {
        claims: [claimSight(claim(id, 1, "ada"), evidence.claimedOnly)],
        attempts: attempts(id, { epoch: 1, agent: "ada" })
      })
    }
    many.addTask(99)
    expect(many.plan().usage.total.held).toBe(20)
    expect(many.plan().actions.filter(({ _tag }) => _tag === "Start")).toEqual([])
  })
})
