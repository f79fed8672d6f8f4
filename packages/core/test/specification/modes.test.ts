/** What may start at all: without a control file, with starts switched off, while Tinytask can't be read. */
import { describe } from "vitest"
import type { WorldBuilder } from "../builders.ts"
import {
  attempts,
  claim,
  claimSight,
  evidence,
  finishedLease,
  legacyLease,
  mono,
  oneAgent,
  orphaned,
  runningLease,
  startingLease,
  world
} from "../builders.ts"
import { specify } from "./specify.ts"

const legacy = (): WorldBuilder => world().legacy().addAgent("ada", { queues: [] })

describe("without a control file", () => {
  specify([
    {
      name: "assigned tasks start, whatever their queue",
      world: legacy().addTask(1, { assignee: "ada", queue: "anything" }),
      lines: ["start task 1 on ada (epoch 1, attempt 1)"]
    },
    {
      name: "tasks that nobody has are left to people",
      world: legacy().addTask(1),
      lines: ["wait task 1: nobody assigned, and without a control file only assigned tasks start"]
    },
    {
      name: "slots and blocking count as ever",
      world: legacy().addRunning(9, "ada").addTask(1, { assignee: "ada" }),
      lines: ["wait task 1: no free slot: ada 1/1", "running task 9 on ada (epoch 1): running"]
    }
  ])
})

describe("starts off", () => {
  specify([
    {
      name: "disabled: nothing starts, what runs is looked after",
      world: oneAgent().withPolicy({ starts: "disabled" }).addTask(1).addRunning(9, "ada"),
      lines: ["wait task 1: starts are off: disabled", "running task 9 on ada (epoch 1): running"]
    },
    {
      name: "drain: endings are carried out",
      world: oneAgent()
        .withPolicy({ starts: "drain" })
        .addTask(1)
        .addTask(9, { status: "working", assignee: "ada" })
        .addLease(finishedLease(9, 1, "ada"), evidence.dead),
      lines: ["wait task 1: starts are off: drain", "finish task 9 on ada (epoch 1): done, exit 0", "  end as done"]
    },
    {
      name: "paused as a whole: nothing starts, what runs is looked after",
      world: oneAgent().withPause("maria", null).addTask(1).addRunning(9, "ada"),
      lines: [
        "wait task 1: starts are off: paused (by maria until it is resumed)",
        "running task 9 on ada (epoch 1): running"
      ]
    },
    {
      name: "a pause that is over pauses nothing",
      world: oneAgent().withPause("maria", 0).addTask(1),
      lines: ["start task 1 on ada (epoch 1, attempt 1)"]
    },
    {
      name: "a machine that can't be identified starts nothing, whatever the policy says",
      world: oneAgent().withStartsOff("boot id unreadable").addTask(1),
      lines: ["wait task 1: starts are off: observe-only (boot id unreadable)"]
    },
    {
      name: "a task that could not start anyway says that, not that starts are off",
      world: oneAgent().withPolicy({ starts: "disabled" }).addTask(1, { blockedBy: null, blocked: true }),
      lines: ["wait task 1: blocked by 1"]
    }
  ])
})

const down = (): WorldBuilder => oneAgent().withoutTinytask()

describe("while Tinytask can't be read", () => {
  specify([
    {
      name: "nothing is started: unread is not empty, and tasks are not known to be open",
      world: down().addTask(1),
      lines: []
    },
    {
      name: "a finished attempt keeps its lease and its slot",
      world: down().addLease(finishedLease(9, 1, "ada"), evidence.dead),
      lines: ["wait task 9: Tinytask could not be read"]
    },
    {
      name: "a dead attempt is not ended",
      world: down().addLease(runningLease(9, 1, "ada"), evidence.dead),
      lines: ["wait task 9: Tinytask could not be read"]
    },
    {
      name: "a start is not undone",
      world: down()
        .addLease(startingLease(9, 1, "ada"), evidence.nobody, { claims: [] })
        .addFault(9, 1, "failed", "no disk"),
      lines: ["wait task 9: Tinytask could not be read"]
    },
    {
      name: "stopping goes on: an orphan is stopped",
      world: down().addLease(runningLease(9, 1, "ada"), orphaned(9)),
      lines: ["stop task 9 on ada (epoch 1): orphaned-agent, interrupt, alive: 20009", "  interrupt, next at 10 s"]
    },
    {
      name: "a run time that is over is stopped",
      world: down().addLease(runningLease(9, 1, "ada", { startMonoMs: mono(-3600) }), evidence.healthy),
      lines: ["stop task 9 on ada (epoch 1): max-runtime, interrupt", "  interrupt, next at 10 s"]
    },
    {
      name: "a lost lease is rebuilt: that is between the files alone",
      world: down().addRecord(9, {
        claims: [claimSight(claim(9, 1, "ada"), evidence.claimDead)],
        attempts: attempts(9, { epoch: 1, agent: "ada" })
      }),
      lines: [
        "running task 9 on ada (epoch 1): its lease is missing, its claim stands",
        "  rebuild its lease from its claim"
      ]
    },
    {
      name: "an old lease of a dead process stays",
      world: down().addRecord(9, { lease: legacyLease(9, "ada", "dead") }),
      lines: ["wait task 9: Tinytask could not be read"]
    },
    {
      name: "a single task that was not looked up is unread by itself, the others go on",
      world: oneAgent({ slots: 2 })
        .addTask(1)
        .addLease(runningLease(9, 1, "ada"), evidence.dead),
      lines: ["start task 1 on ada (epoch 1, attempt 1)", "wait task 9: Tinytask could not be read"]
    }
  ])
})
