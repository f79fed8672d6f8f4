/** What people may suppose on the command line, and in which words the rest is refused. */
import { describe, expect, it } from "vitest"
import { policyDefaults } from "@tinyscheduler/core/domain/DesiredState"
import type { DesiredState } from "@tinyscheduler/core/domain/DesiredState"
import { AgentName, QueueName, TaskId } from "@tinyscheduler/core/domain/identifiers"
import type { ObservedState } from "@tinyscheduler/core/domain/ObservedState"
import * as Result from "effect/Result"
import { parseAddedTask } from "../src/supposing/addedTask.ts"
import { comparedWhatIf, compareFlag } from "../src/supposing/comparedWhatIf.ts"
import { suppositionsOf } from "../src/supposing/suppositions.ts"

const desired: DesiredState = {
  mode: "queues",
  endpoint: "",
  agents: [
    {
      name: AgentName.make("vaela"),
      queues: [QueueName.make("dev")],
      slots: 1,
      enabled: true,
      recipe: null,
      success: "exit",
      maxRuntimeSec: 3600,
      stopGraceSec: 10,
      stopSignal: "SIGINT"
    }
  ],
  queueLimits: [{ queue: QueueName.make("a,b"), limit: 1 }],
  maxConcurrent: null,
  policy: policyDefaults
}

const observed: ObservedState = {
  nowMs: 0,
  monoMs: 0,
  here: { host: "h", bootId: "b", pidNs: 0 },
  tinytask: {
    _tag: "Read",
    tasks: [
      {
        id: TaskId.make(17),
        title: "t",
        status: "idle",
        queue: "ops",
        assignee: null,
        priority: 0,
        tags: [],
        parent: null,
        blockedBy: null,
        blocked: false,
        createdAt: "2026-01-20T04:00:00Z",
        archived: false
      }
    ],
    lookedUp: []
  },
  records: [],
  agents: [],
  paused: null,
  requests: [],
  recipes: [],
  startFaults: [],
  startsOffReason: null
}

const plain = {
  title: "a supposed task",
  queue: null,
  assignee: null,
  priority: 0,
  tags: [],
  parent: null,
  blockedBy: null
}

describe("--add-task", () => {
  it.each([
    ["queue=dev", { queue: "dev" }],
    ["queue=ops,priority=-1.5", { queue: "ops", priority: -1.5 }],
    ["queue=a,b,priority=9", { queue: "a,b", priority: 9 }],
    ["title=First this, then that = all,assignee=vaela", { title: "First this, then that = all", assignee: "vaela" }],
    ["blockedBy=17,parent=17", { blockedBy: 17, parent: 17 }]
  ])("%s", (typed, fields) => {
    expect(parseAddedTask(typed, observed, desired)).toEqual(Result.succeed({ ...plain, ...fields }))
  })

  it.each([
    ["queu=dev", '--add-task knows no "queu": did you mean queue?'],
    ["dev", '--add-task knows no "dev": there are queue, assignee, priority, title, blockedBy, parent'],
    ["queue", '--add-task knows no "queue": expected queue=value'],
    ["", '--add-task knows no "": there are queue, assignee, priority, title, blockedBy, parent'],
    ["queue=devv", '--add-task: queue is "devv": did you mean dev?'],
    ["queue=docs", '--add-task: queue is "docs": there are a,b, dev, ops'],
    ["assignee=maria", '--add-task: assignee is "maria": there are vaela'],
    ["priority=high", '--add-task: priority is "high", expected a number'],
    ["title=", '--add-task: title is "", expected 1 to 200 characters'],
    ["blockedBy=18", '--add-task: blockedBy is "18", expected the number of an open task'],
    ["queue=dev,queue=ops", "--add-task says queue twice"],
    ["queue=\u001b[31m", '--add-task: queue is "\\u001b[31m": there are a,b, dev, ops']
  ])("%s is refused in a sentence", (typed, sentence) => {
    expect(parseAddedTask(typed, observed, desired)).toEqual(Result.fail(sentence))
  })
})

describe("--compare", () => {
  const supposedBy = (text: string) => suppositionsOf(comparedWhatIf(text), { observed, desired }, compareFlag)

  it("takes settings and the words of the other flags, in one text; a queue's name may hold a comma", () => {
    expect(supposedBy("agent.vaela.slots=5,queue.a,b.limit=2,pause=vaela,finish=17,resume-all")).toEqual(
      Result.succeed([
        { _tag: "AgentSlots", agent: "vaela", slots: 5 },
        { _tag: "QueueLimit", queue: "a,b", limit: 2 },
        { _tag: "Pause", agent: "vaela" },
        { _tag: "Resume", agent: null },
        { _tag: "Finish", taskId: 17 }
      ])
    )
  })

  it.each([
    ["maxConcurrent", '--compare maxConcurrent is "", expected a whole number from 0 to 10000, or unlimited'],
    ["maxConcurent=3", '--compare knows no "maxConcurent": did you mean maxConcurrent?'],
    ["paus=vaela", '--compare knows no "paus": did you mean pause?'],
    ["pause=vaella", 'no agent is called "vaella": did you mean vaela?'],
    ["finish=18", "there is no open task 18"]
  ])("%s is refused in a sentence", (text, sentence) => {
    expect(supposedBy(text)).toEqual(Result.fail([sentence]))
  })

  it("of nothing is refused, and lists what there is", () => {
    expect(Result.getOrElse(supposedBy(""), (faults) => faults.join())).toMatch(
      /^--compare knows no "": there are pause, resume, finish, retry, pause-all, resume-all, agent\.vaela\.slots, /
    )
  })
})
