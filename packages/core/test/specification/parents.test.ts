/** Parents of open subtasks: their status follows their subtasks, so they do not start. */
import { describe } from "vitest"
import { oneAgent, taskId } from "../builders.ts"
import { specify } from "./specify.ts"

describe("parents and subtasks", () => {
  specify([
    {
      name: "a parent of open subtasks waits, and says how many",
      world: oneAgent({ slots: 3 })
        .addTask(1)
        .addTask(2, { parent: taskId(1) })
        .addTask(3, { parent: taskId(1) }),
      lines: [
        "wait task 1: parent of 2 open subtasks",
        "start task 2 on ada (epoch 1, attempt 1)",
        "start task 3 on ada (epoch 1, attempt 1)"
      ]
    },
    {
      name: "a parent that Tinytask drives to working waits too: nobody works on it outside",
      world: oneAgent()
        .addTask(1, { status: "working" })
        .addTask(2, { parent: taskId(1) }),
      lines: ["wait task 1: parent of 1 open subtask", "start task 2 on ada (epoch 1, attempt 1)"]
    },
    {
      name: "with `parents: run` a parent competes like any other task",
      world: oneAgent()
        .withPolicy({ parents: "run" })
        .addTask(1, { priority: 1 })
        .addTask(2, { parent: taskId(1) }),
      lines: ["start task 1 on ada (epoch 1, attempt 1)", "wait task 2: no free slot: queue dev 1/1"]
    },
    {
      name: "a subtask whose parent is in no list starts",
      world: oneAgent().addTask(2, { parent: taskId(77) }),
      lines: ["start task 2 on ada (epoch 1, attempt 1)"]
    },
    {
      name: "a task at work without anything of ours is worked on outside, and takes no slot",
      world: oneAgent().addTask(1, { status: "working", assignee: "ada" }).addTask(2),
      lines: ["ignore task 1: worked on outside", "start task 2 on ada (epoch 1, attempt 1)"]
    },
    {
      name: "a parent says all that keeps it: subtasks and a blocker",
      world: oneAgent()
        .addTask(1, { blockedBy: taskId(900), blocked: true })
        .addTask(2, { parent: taskId(1), assignee: "maria" }),
      lines: [
        "wait task 1: parent of 1 open subtask; blocked by 900",
        "wait task 2: assigned to maria, which is no agent of ours"
      ]
    }
  ])
})
