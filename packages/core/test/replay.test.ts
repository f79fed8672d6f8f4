/** Replay and bisection over records of small worlds, and over a day of passes in the simulation. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { Situation } from "../src/domain/Situation.ts"
import { reconcile } from "../src/reconcile/reconcile.ts"
import { applyLine, nextId, parseLine } from "../src/record/RecordLine.ts"
import type { RecordLine } from "../src/record/RecordLine.ts"
import { decidesSomething, recordRound } from "../src/record/recordRound.ts"
import type { Recorded } from "../src/record/recordRound.ts"
import { makeSituationReader } from "../src/record/situationOf.ts"
import { tallyOf } from "../src/record/tally.ts"
import { withoutSecrets } from "../src/record/withoutSecrets.ts"
import { makeBisection } from "../src/replay/bisect.ts"
import type { Turn } from "../src/replay/bisect.ts"
import { holds, parseCondition } from "../src/replay/Condition.ts"
import { fieldDifferences } from "../src/replay/fieldDifferences.ts"
import { replay } from "../src/replay/replay.ts"
import { makeRerun } from "../src/replay/rerun.ts"
import type { Replayed } from "../src/replay/replay.ts"
import { makeWalk } from "../src/replay/walk.ts"
import { exit, finishedLease, oneAgent, taskId } from "./builders.ts"
import { agent, desiredWith, passes, startScheduler } from "./passHarness.ts"
import { completesAfter, World } from "../src/simulation/api.ts"

const lineFrom = (text: string): RecordLine => Result.getOrThrow(parseLine(text))

const recorder = () => {
  const lines: Array<string> = []
  let before: Recorded | null = null
  return {
    lines,
    record: (situation: Situation) => {
      const plan = reconcile(situation.observed, situation.desired)
      if (!decidesSomething(plan, before)) return
      const round = recordRound(situation, plan, before ?? { id: null, parts: null })
      lines.push(round.line)
      before = round
    }
  }
}

const replayed = (lines: ReadonlyArray<string>): ReadonlyArray<Replayed> => {
  const walk = makeWalk()
  const read = makeSituationReader()
  return lines.map((line) => replay(Result.getOrThrow(walk(lineFrom(line))), read))
}

const turnsOf = (lines: ReadonlyArray<string>, condition: string): ReadonlyArray<Turn> => {
  const walk = makeWalk()
  const asked = Result.getOrThrow(parseCondition(condition))
  const bisect = makeBisection((plan) => holds(asked, plan), makeSituationReader())
  return lines.flatMap((line) => {
    const turn = Result.getOrThrow(bisect(Result.getOrThrow(walk(lineFrom(line)))))
    return turn === null ? [] : [turn]
  })
}

/** An agent with one slot; task 17 runs, task 42 waits for the slot; what happens then is added to each. */
const busy = () => oneAgent().addRunning(17, "ada").addTask(42)
const free = () => oneAgent().addTask(42)

const withWorlds = (situations: ReadonlyArray<Situation>): ReadonlyArray<string> => {
  const { lines, record } = recorder()
  for (const situation of situations) record(situation)
  return lines
}

describe("replay", () => {
  it("finds every record of undisturbed rounds the same, and records no round that decided nothing", () => {
    const lines = withWorlds([busy().build(), busy().later(15).build(), free().later(60).build()])
    assert.strictEqual(lines.length, 2)
    assert.deepStrictEqual(
      replayed(lines).map(({ result }) => result),
      [{ _tag: "Same" }, { _tag: "Same" }]
    )
    assert.isBelow(lines[1]?.length ?? 0, lines[0]?.length ?? 0)
  })

  it("tells the first part that a plan has otherwise", () => {
    const [line = ""] = withWorlds([busy().build()])
    const [told] = replayed([line.replace('"used":1', '"used":2')])
    assert.strictEqual(told?.result._tag, "Differs")
    if (told?.result._tag !== "Differs") return
    assert.strictEqual(told.result.key, "verdict/42")
    assert.include(told.result.recorded, '"used":2')
    assert.include(told.result.made, '"used":1')
  })

  it("tells a record that can't be understood, and one that nothing stands before", () => {
    const [line = "", next = ""] = withWorlds([busy().build(), free().build()])
    const parsed = lineFrom(line)
    const { policy: _policy, ...set } = parsed.set
    const walk = makeWalk()
    const round = Result.getOrThrow(walk({ ...parsed, set }))
    const told = replay(round, makeSituationReader()).result
    assert.deepStrictEqual(told, { _tag: "Odd", problem: "the part policy of a record is missing" })
    assert.isTrue(Result.isFailure(makeWalk()(lineFrom(next))))
    assert.isTrue(Result.isFailure(parseLine(line.slice(0, -5))))
    assert.isTrue(Result.isFailure(parseLine('{"version":2}')))
  })

  it("makes the plan of what is supposed about the input", () => {
    const [line = ""] = withWorlds([busy().build()])
    const round = Result.getOrThrow(makeWalk()(lineFrom(line)))
    const told = replay(round, makeSituationReader(), ({ desired, observed }) => ({
      observed,
      desired: { ...desired, agents: desired.agents.map((one) => ({ ...one, slots: 2 })) }
    }))
    assert.strictEqual(told.result._tag, "Differs")
    assert.isTrue(told.plan?.verdicts.some(({ _tag, taskId }) => _tag === "Start" && taskId === 42))
  })

  it.effect("finds every pass of a simulated day the same", () =>
    Effect.gen(function* () {
      const world = new World()
      for (let made = 0; made < 24; made += 1) world.addTask({ priority: made % 3 })
      world.script = (attempt) =>
        completesAfter(600_000 + (attempt.taskId % 7) * 300_000, {
          ...(attempt.taskId % 5 === 0 ? { exit: { code: 3, signal: null }, atEnd: () => undefined } : {}),
          tail: "key=hunter2"
        })
      const { lines, record } = recorder()
      const desired = desiredWith({ agents: ["ada", "bo", "cy"].map((name) => agent(name, { slots: 2 })) })
      const scheduler = yield* startScheduler(world, {
        desired,
        onPlan: (observed) => {
          record({ observed, desired })
        }
      })
      yield* passes(world, scheduler, 96, 900)
      assert.isAbove(lines.length, 20)
      assert.notInclude(lines.join(""), "hunter2")
      assert.deepStrictEqual(
        replayed(lines).filter(({ result, wasAnother }) => result._tag !== "Same" || wasAnother),
        []
      )
      const begins = turnsOf(lines, "task 9 runs").map((turn) => turn.holds)
      assert.deepStrictEqual(begins.slice(0, 2), [true, false])
    })
  )
})

describe("a round of which actions are withheld", () => {
  it("is recorded with their places, once: what waits for approval in the next round too is no news", () => {
    const situation = free().addTask(7, { queue: "elsewhere" }).build()
    const plan = reconcile(situation.observed, situation.desired)
    assert.isTrue(decidesSomething(plan, null, plan.actions))
    const round = recordRound(situation, plan, { id: null, parts: null }, plan.actions)
    assert.deepStrictEqual(lineFrom(round.line).withheld, [0])
    assert.isFalse(decidesSomething(plan, round, plan.actions))
    assert.isTrue(decidesSomething(plan, round))
    assert.deepStrictEqual(replayed([round.line])[0]?.result, { _tag: "Same" })
  })
})

describe("bisection", () => {
  it("names the record at which a verdict turned, and the one changed part that did it", () => {
    const paused = () => oneAgent({}).addTask(42).addTask(7, { queue: "elsewhere" })
    const lines = withWorlds([
      paused().withPause("maria", null).build(),
      paused().later(60).addTask(8, { queue: "elsewhere" }).build(),
      paused().later(120).withPolicy({ starts: "drain" }).build()
    ])
    const turns = turnsOf(lines, "task 42 starts")
    assert.deepStrictEqual(
      turns.map((turn) => [turn.holds, turn.changed, turn.causes.map(({ key }) => key)]),
      [
        [true, ["clock", "paused", "task/8"], ["paused"]],
        [false, ["clock", "policy", "task/8"], ["policy"]]
      ]
    )
    const [cause] = turns[1]?.causes ?? []
    assert.deepStrictEqual(fieldDifferences(cause?.before ?? null, cause?.after ?? null), [
      { path: "starts", before: '"on"', after: '"drain"' }
    ])
    assert.strictEqual(turns[0]?.id, lineFrom(lines[1] ?? "").id)
    assert.strictEqual(turns[0]?.before, lineFrom(lines[0] ?? "").id)
  })

  it("tells that it took more than one part, and what held from the first record on", () => {
    const lines = withWorlds([
      oneAgent({ slots: 2 }).addTask(42).build(),
      oneAgent({ enabled: false })
        .addTask(42, { blocked: true, blockedBy: taskId(3) })
        .addTask(3)
        .build()
    ])
    const turns = turnsOf(lines, "task 42 starts")
    assert.deepStrictEqual(
      turns.map(({ causes, holds: held }) => [held, causes]),
      [
        [true, []],
        [false, []]
      ]
    )
  })

  it("understands conditions as people say them, and refuses what is none", () => {
    const plan = busy().plan()
    for (const [text, expected] of [
      ["task 42 waits", true],
      ["Task 42 waits: no free slot", true],
      ["task 42 waits: NoFreeSlot", true],
      ["task 42 waits: parked", false],
      ["task 42 starts", false],
      ["task 17 runs", true],
      ["task 17 is reclaimed", false]
    ] as const) {
      assert.strictEqual(holds(Result.getOrThrow(parseCondition(text)), plan), expected, text)
    }
    for (const text of [
      "",
      "42 starts",
      "task 42 sings",
      "task 0 starts",
      "task 42 starts: parked",
      "task 42 toString"
    ]) {
      assert.isTrue(Result.isFailure(parseCondition(text)), text)
    }
  })
})

describe("history under other settings", () => {
  const withSlots =
    (slots: number) =>
    ({ desired, observed }: Situation): Situation => ({
      observed,
      desired: { ...desired, agents: desired.agents.map((one) => ({ ...one, slots })) }
    })

  const rerun = (situations: ReadonlyArray<Situation>, suppose: (situation: Situation) => Situation) => {
    const walk = makeWalk()
    const read = makeSituationReader()
    const { add, result } = makeRerun(suppose, 1)
    for (const line of withWorlds(situations)) {
      const round = Result.getOrThrow(walk(lineFrom(line)))
      add(round.line, Result.getOrThrow(read(round.parts)))
    }
    return result()
  }

  it("tells what would have started sooner, once for each attempt, and the first plan that would be another", () => {
    const made = rerun(
      [busy().build(), busy().later(60).addTask(7, { queue: "elsewhere" }).build(), free().later(120).build()],
      withSlots(2)
    )
    const { first, ...counts } = made
    assert.deepStrictEqual(counts, {
      rounds: 3,
      changed: 2,
      agents: [{ agent: "ada", recorded: 1, supposed: 1 }],
      sooner: { count: 1, medianMs: 120_000 },
      later: { count: 0, medianMs: 0 },
      notThen: 0,
      onlyThen: 0
    })
    assert.deepStrictEqual(
      first.map(({ differences }) =>
        differences.map(({ after, before, taskId }) => [String(taskId), before?._tag, after?._tag])
      ),
      [[["42", "Wait", "Start"]]]
    )
  })

  it("tells what would not have started then, and what never did", () => {
    const fewer = rerun([free().build()], withSlots(0))
    assert.deepStrictEqual([fewer.notThen, fewer.onlyThen, fewer.agents[0]?.supposed], [1, 0, 0])
    const more = rerun([busy().build()], withSlots(2))
    assert.deepStrictEqual([more.notThen, more.onlyThen, more.agents[0]?.recorded], [0, 1, 0])
  })

  it("changes nothing where nothing is supposed", () => {
    const made = rerun([busy().build(), free().later(60).build()], (situation) => situation)
    assert.deepStrictEqual([made.rounds, made.changed, made.sooner.count, made.notThen], [2, 0, 0, 0])
  })
})

describe("the fields in which two parts differ", () => {
  it("are the innermost ones, in lists of one length by place", () => {
    const before = { same: 1, gone: true, list: [{ used: 1 }, { used: 2 }], other: [1] }
    const after = { same: 1, list: [{ used: 1 }, { used: 3 }], other: [1, 2], come: null }
    assert.deepStrictEqual(
      fieldDifferences(JSON.stringify(before), JSON.stringify(after)).map(({ after: right, before: left, path }) => [
        path,
        left,
        right
      ]),
      [
        ["gone", "true", null],
        ["list[1].used", "2", "3"],
        ["other", "[1]", "[1,2]"],
        ["come", null, "null"]
      ]
    )
    assert.deepStrictEqual(fieldDifferences(null, "{}"), [{ path: "", before: null, after: "{}" }])
    assert.deepStrictEqual(fieldDifferences("{}", "{}"), [])
  })
})

describe("what a record did", () => {
  it("is counted from its actions alone", () => {
    const ended = oneAgent({ slots: 3 })
      .addTask(42)
      .addTask(17, { status: "working", assignee: "ada" })
      .addLease(finishedLease(17, 1, "ada"), { supervisor: "dead", agent: "dead", others: [], scanned: true })
    const [line = ""] = withWorlds([ended.build()])
    assert.deepStrictEqual(tallyOf(Result.getOrThrow(makeWalk()(lineFrom(line))).parts), {
      starts: 1,
      finishes: 1,
      stops: 0,
      recovers: 0
    })
    assert.strictEqual(tallyOf(Result.getOrThrow(makeWalk()(lineFrom(line))).parts, [0, 1]).starts, 0)
  })
})

describe("what a record leaves out", () => {
  const secretive = (): Situation => {
    const tail = 'password hunter2\n{"status":"done","key":"hunter2"}\n'
    const lease = { ...finishedLease(17, 1, "ada"), endpoint: "http://u:hunter2@h/x?key=hunter2", exit: exit({ tail }) }
    const built = oneAgent({ success: "json" })
      .addTask(17, { status: "working", assignee: "ada" })
      .addLease(lease, { supervisor: "dead", agent: "dead", others: [], scanned: true })
      .build()
    return { ...built, desired: { ...built.desired, endpoint: lease.endpoint } }
  }

  it("is the end of an output but for its result, and whose address it is; the plan stays the same", () => {
    const situation = secretive()
    const plan = reconcile(situation.observed, situation.desired)
    const { line } = recordRound(situation, plan, { id: null, parts: null })
    assert.notInclude(line, "hunter2")
    assert.include(line, "http://h/x")
    assert.notInclude(line, '"differs"')
    assert.isTrue(plan.verdicts.some((verdict) => verdict._tag === "Finish" && verdict.outcome === "done"))
    const bare = withoutSecrets(situation)
    assert.strictEqual(withoutSecrets(bare), bare)
  })

  it("is told where it had a say in the plan", () => {
    const situation = secretive()
    const plan = reconcile(situation.observed, { ...situation.desired, agents: [] })
    const { line } = recordRound(situation, plan, { id: null, parts: null })
    assert.include(line, '"differs":true')
    assert.isTrue(replayed([line])[0]?.wasAnother)
  })
})

describe("ids of records", () => {
  it("sort as the rounds went, though the clock is set back", () => {
    const first = nextId(null, 1_772_366_400_000)
    const second = nextId(first, 1_772_366_400_000)
    const third = nextId(second, 1_772_000_000_000)
    const fourth = nextId(third, 1_772_366_400_001)
    assert.deepStrictEqual(
      [first, second, third, fourth],
      ["20260301T120000000-0000", "20260301T120000000-0001", "20260301T120000000-0002", "20260301T120000001-0000"]
    )
  })

  it("a base does away with all that stood before it", () => {
    const [line = ""] = withWorlds([free().build()])
    const kept = applyLine(new Map([["task/99", "{}"]]), lineFrom(line))
    assert.isFalse(kept?.has("task/99"))
  })
})
