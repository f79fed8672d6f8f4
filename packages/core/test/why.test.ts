/** What people read when they ask why, one small world per answer. */
import { describe, expect, it } from "vitest"
import { describeVerdict } from "../src/reconcile/describe.ts"
import { spanWords } from "../src/why/changeWords.ts"
import type { WhyAnswer } from "../src/why/WhyAnswer.ts"
import { why } from "../src/why/why.ts"
import { at, attempts, oneAgent, recordedOutcome, taskId, world } from "./builders.ts"
import type { WorldBuilder } from "./builders.ts"

const ask = (builder: WorldBuilder, id: number): WhyAnswer => why(builder.build(), builder.plan(), taskId(id))

type Judged = Extract<WhyAnswer, { readonly _tag: "Judged" }>

const judged = (builder: WorldBuilder, id: number): Judged => {
  const answer = ask(builder, id)
  if (answer._tag !== "Judged") throw new Error(`task ${id} is ${answer.where}`)
  return answer
}

const wordsFor = (builder: WorldBuilder, id: number): string => {
  const { counterfactual } = judged(builder, id)
  return counterfactual._tag === "Found" ? counterfactual.words : counterfactual._tag
}

const failedTwice = { outcomes: [recordedOutcome(7, 1, "failed"), recordedOutcome(7, 2, "failed")] }

describe("the smallest change under which a task would start now", () => {
  it.each<{ readonly name: string; readonly builder: WorldBuilder; readonly words: string }>([
    { name: "none is looked for where it starts", builder: oneAgent().addTask(7), words: "NotSought" },
    {
      name: "its blocker is finished, not what blocks that one in turn",
      builder: world()
        .addAgent("ada", { slots: 5 })
        .addTask(1)
        .addTask(2, { blockedBy: taskId(1), blocked: true })
        .addTask(7, { blockedBy: taskId(2), blocked: true }),
      words: "finish task 2"
    },
    {
      name: "a task that runs is finished: cheaper than another slot",
      builder: oneAgent().addRunning(1, "ada").addTask(7),
      words: "finish task 1"
    },
    {
      name: "a slot of either agent of its pool, where nothing else would do",
      builder: world().addAgent("ada", { slots: 0 }).addAgent("bo", { slots: 0 }).addTask(7),
      words: "one more slot for ada or bo"
    },
    {
      name: "the end of its backoff",
      builder: oneAgent()
        .addTask(7)
        .addAttempts(7, attempts(7, null, { notBefore: at(250) })),
      words: "wait 4 m 10 s"
    },
    {
      name: "a parked task is released",
      builder: oneAgent()
        .addTask(7)
        .addAttempts(7, attempts(7, null, { ...failedTwice, parked: { since: at(-30), outcome: "failed", count: 3 } })),
      words: "retry task 7"
    },
    {
      name: "its agent is resumed",
      builder: world().addAgent("ada", {}, { pausedBy: "maria", pausedUntil: null }).addTask(7),
      words: "resume ada"
    },
    {
      name: "a recipe is added",
      builder: oneAgent({ recipe: "ada.yaml" }).addRecipe("ada.yaml", "missing").addTask(7),
      words: "add recipes/ada.yaml"
    },
    {
      name: "starts are turned on",
      builder: oneAgent().withPolicy({ starts: "drain" }).addTask(7),
      words: "turn starts on"
    },
    {
      name: "a task in no queue is given to somebody",
      builder: oneAgent().addTask(7, { queue: null }),
      words: "assign it to ada"
    },
    {
      name: "a queue's limit",
      builder: oneAgent().limitQueue("dev", 0).addTask(7),
      words: "one more for the limit of queue dev (1)"
    },
    {
      name: "the global limit",
      builder: oneAgent().limitAll(0).addTask(7),
      words: "one more for the global limit (1)"
    },
    { name: "an agent that is disabled", builder: oneAgent({ enabled: false }).addTask(7), words: "enable agent ada" },
    {
      name: "none where two things are in its way",
      builder: oneAgent({ slots: 0 })
        .addTask(1)
        .addTask(7, { blockedBy: taskId(1), blocked: true }),
      words: "None"
    }
  ])("$name", ({ builder, words }) => {
    expect(wordsFor(builder, 7)).toBe(words)
  })

  it("says so when there was more to try than it may try", () => {
    const full = oneAgent({ slots: 0 }).addTask(7)
    const answer = why(full.build(), full.plan(), taskId(7), { triesMax: 0 })
    expect(answer._tag === "Judged" && answer.counterfactual).toEqual({ _tag: "None", tried: [], bounded: true })
  })
})

describe("why", () => {
  it("tells who is ahead for the same slots, in the common order", () => {
    const busy = oneAgent().addTask(1).addTask(2, { priority: 5 }).addTask(3, { queue: "docs" }).addTask(7)
    expect(judged(busy, 7).ahead).toEqual({ count: 2, first: [2, 1] })
  })

  it("follows the blockers to their root, with each one's verdict", () => {
    const chain = oneAgent()
      .addTask(1)
      .addTask(2, { blockedBy: taskId(1), blocked: true })
      .addTask(7, { blockedBy: taskId(2), blocked: true })
    const { blockers } = judged(chain, 7)
    expect(blockers.cycle).toBeNull()
    expect(blockers.chain.map(({ verdict }) => verdict === null || describeVerdict(verdict))).toEqual([
      "wait task 2: blocked by 1",
      "start task 1 on ada (epoch 1, attempt 1)"
    ])
  })

  it("names the cycle in which a chain of blockers ends", () => {
    const cycle = oneAgent()
      .addTask(1, { blockedBy: taskId(2), blocked: true })
      .addTask(2, { blockedBy: taskId(1), blocked: true })
      .addTask(7, { blockedBy: taskId(1), blocked: true })
    expect(judged(cycle, 7).blockers).toMatchObject({ chain: [{ taskId: 1 }, { taskId: 2 }], cycle: [1, 2] })
  })

  it("names the rule that judged an attempt, and where its log is", () => {
    const { attempts: sofar, rule } = judged(oneAgent().addRunning(1, "ada"), 1)
    expect(rule).toBe("it lives")
    expect(sofar?.last).toMatchObject({ epoch: 1, agent: "ada", log: "tasks/1/1.log" })
  })

  it("says where a task is that is in no list", () => {
    const done = oneAgent().addLookedUp(1, { status: "complete" }).addLookedUp(2, null)
    expect([1, 2, 3].map((id) => ask(done, id))).toMatchObject([
      { where: "complete" },
      { where: "gone" },
      { where: "not listed" }
    ])
    expect(ask(oneAgent().withoutTinytask(), 1)).toMatchObject({ where: "Tinytask unread" })
  })
})

describe("a span in words", () => {
  it.each([
    [0, "0 s"],
    [400, "1 s"],
    [250_000, "4 m 10 s"],
    [90_061_000, "1 d 1 h 1 m 1 s"]
  ] as const)("%i ms: %s", (ms, words) => {
    expect(spanWords(ms)).toBe(words)
  })
})
