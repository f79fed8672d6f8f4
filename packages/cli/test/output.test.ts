import { assert, describe, it } from "@effect/vitest"
import { demoReport, mostAtOnce } from "tinyscheduler/demo/demoReport"
import { tell } from "tinyscheduler/exits"
import { escapeShort, escapeText } from "tinyscheduler/output/escape"
import { agentNote } from "tinyscheduler/output/agentNote"
import { repairText } from "tinyscheduler/output/repairText"
import { table } from "tinyscheduler/output/table"
import { usageError } from "tinyscheduler/output/usageError"
import { ConfigurationError } from "tinyscheduler/settings/ConfigurationError"
import { newAgentRecord } from "@tinyscheduler/core/domain/Attempts"
import { policyDefaults } from "@tinyscheduler/core/domain/DesiredState"
import { AgentName, TaskId } from "@tinyscheduler/core/domain/identifiers"
import type { Task } from "@tinyscheduler/core/domain/Task"
import { LockHeld } from "@tinyscheduler/core/ports/SchedulerLock"

describe("other people's text", () => {
  it("reaches a terminal on one line, with nothing in it that a terminal obeys", () => {
    assert.strictEqual(escapeText("a\u001b[31mred\nnext\u0007\u202e"), "a\\u001b[31mred\\u000anext\\u0007\\u202e")
  })

  it("is cut with an ellipsis, after it was escaped", () => {
    assert.strictEqual(escapeShort("\u001bxyz", 6), "\\u001…")
  })

  it("keeps letters of every script", () => {
    assert.strictEqual(escapeText("größer 任务 🚀"), "größer 任务 🚀")
  })
})

describe("a table", () => {
  it("aligns its columns and leaves no blanks at line ends", () => {
    assert.strictEqual(
      table(
        ["agent", "slots"],
        [
          ["vaela", "1/2"],
          ["d", ""]
        ]
      ),
      "agent  slots\nvaela  1/2\nd"
    )
  })

  it("aligns what is two columns wide on a terminal", () => {
    assert.strictEqual(table(["task", "id"], [["任务🚀", "7"]]), "task    id\n任务🚀  7")
  })

  it("of tens of thousands of rows takes no longer for each of them", () => {
    const rows = Array.from({ length: 20_000 }, (_, id) => [String(id), "a task", "waits"])
    assert.strictEqual(table(["id", "title", "state"], rows).split("\n").length, 20_001)
  })
})

describe("a refused command line", () => {
  it.each([
    [
      'Invalid value for argument <task>: "abc". Expected a string representing a finite number',
      'Invalid value for argument <task>: "abc". Expected a whole number.'
    ],
    [
      'Invalid value for argument <task>: "0". Expected a value between 1 and 9007199254740991',
      'Invalid value for argument <task>: "0". Expected a whole number from 1 on.'
    ],
    [
      'Invalid value for flag --wait-timeout: "0". Expected a value between 1 and 604800',
      'Invalid value for flag --wait-timeout: "0". Expected a whole number from 1 to 604800.'
    ],
    [
      `Invalid value for flag --reason: "${"x\n".repeat(300)}". Expected a value with a length of at most 200`,
      `Invalid value for flag --reason: "${"x\\u000a".repeat(12).slice(0, 79)}…". Expected at most 200 characters.`
    ]
  ])("%j", (message, told) => {
    assert.strictEqual(usageError(message), told)
  })
})

describe("an agent in status", () => {
  it("has each reason for which it takes no task, and none that is past", () => {
    const name = AgentName.make("vaela")
    const nowMs = Date.parse("2026-01-20T04:00:00.000Z")
    const record = {
      ...newAgentRecord(name),
      pausedBy: "root (no tokens left)",
      pausedUntil: "2026-01-20T05:00:00.000Z",
      setAsideUntil: "2026-01-20T04:00:30.000Z"
    }
    const note = (enabled: boolean, atMs: number) =>
      agentNote({ name, enabled }, { agents: [record], nowMs: atMs }, policyDefaults)
    assert.strictEqual(
      note(false, nowMs),
      "disabled; paused by root (no tokens left) until 2026-01-20T05:00:00.000Z; set aside until 2026-01-20T04:00:30.000Z: its starts keep failing"
    )
    assert.strictEqual(note(true, nowMs + 3_600_000), "")
    assert.strictEqual(agentNote({ name, enabled: true }, { agents: [], nowMs }, policyDefaults), "")
  })
})

describe("a repair", () => {
  it("that could not look at the tasks does not say that there is nothing to repair at all", () => {
    const seen = { version: 1, asked: null, findings: [], tinytaskProblem: null } as const
    assert.strictEqual(repairText(seen), "nothing to repair")
    assert.strictEqual(
      repairText({ ...seen, tinytaskProblem: "nothing listens there" }),
      "nothing to repair among the files of the state"
    )
  })
})

describe("a failure", () => {
  it("is told in one sentence with the way out and its exit code", () => {
    assert.deepStrictEqual(tell(new LockHeld({ path: "/x/lock", holder: "pid 7, term 2" })), {
      code: 3,
      sentences: ["another scheduler holds /x/lock (pid 7, term 2). It goes on; stop it first if this one is to run."]
    })
    assert.deepStrictEqual(tell(new ConfigurationError({ faults: ["one", "two"] })), {
      code: 2,
      sentences: ["one", "two"]
    })
  })

  it("that nobody expected is not told as if it were the user's", () => {
    assert.isNull(tell(new TypeError("x is not a function")))
    assert.isNull(tell({ _tag: "Unheard", message: "of" }))
  })
})

const task = (id: number, blockedBy: number | null = null): Task => ({
  id: TaskId.make(id),
  title: "",
  status: "complete",
  queue: "dev",
  assignee: null,
  priority: 0,
  tags: [],
  parent: null,
  blockedBy: blockedBy === null ? null : TaskId.make(blockedBy),
  blocked: false,
  createdAt: "2026-01-20T04:00:00Z",
  archived: false
})
const run = (taskId: number, agent: string, startMs: number, endMs: number) => ({ task: taskId, agent, startMs, endMs })

describe("the demo's report", () => {
  it("counts what ran at once; an end and a start in the same moment don't overlap", () => {
    assert.strictEqual(mostAtOnce([run(1, "a", 0, 10), run(2, "a", 5, 15), run(3, "a", 10, 20)]), 2)
  })

  it("sees a blocked task that started early, a task that ran twice, an agent above its slots", () => {
    assert.isTrue(demoReport([run(1, "vaela", 0, 5), run(2, "vaela", 5, 9)], [task(1), task(2, 1)]).ok)
    assert.isFalse(demoReport([run(1, "vaela", 0, 5), run(2, "vaela", 4, 9)], [task(1), task(2, 1)]).ok)
    assert.isFalse(demoReport([run(1, "vaela", 0, 5), run(1, "vaela", 6, 9)], [task(1)]).ok)
    assert.isFalse(demoReport([run(1, "sage", 0, 5), run(2, "sage", 4, 9)], [task(1), task(2)]).ok)
  })
})
