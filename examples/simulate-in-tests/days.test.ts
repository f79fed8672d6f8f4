/** Whole days of passes on a machine in memory, with a virtual clock: what ran, and what the records of it say. */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as TestClock from "effect/testing/TestClock"
import {
  conditionHolds,
  decidesSomething,
  makeBisection,
  makePassMemory,
  makeSituationReader,
  makeWalk,
  parseCondition,
  parseRecordLine,
  recordRound,
  replay,
  runPass,
  SchedulerLock,
  suppose
} from "@tinyscheduler/core"
import type { NewRecord, Supposition } from "@tinyscheduler/core"
import { completesAfter, layerSimulation, World } from "@tinyscheduler/core/simulation"
import { desired, vaela } from "./team.ts"

/** Tasks of an hour each, a pass an hour until all are complete; answers with the records of the rounds. */
const hoursOf = (world: World) =>
  Effect.gen(function* () {
    const { term } = yield* Effect.flatMap(SchedulerLock, (lock) => lock.acquire)
    const memory = yield* makePassMemory
    const records: Array<NewRecord> = []
    let hours = 0
    while (hours < 24 && [...world.tinytask.tasks.values()].some(({ task }) => task.status !== "complete")) {
      yield* runPass({
        desired,
        memory,
        term,
        startsOffReason: null,
        logDirectory: "logs",
        onPlan: ({ observed, plan }) =>
          Effect.sync(() => {
            const before = records.at(-1) ?? null
            if (decidesSomething(plan, before)) {
              records.push(recordRound({ observed, desired }, plan, before ?? { id: null, parts: null }))
            }
          }),
        onResults: () => Effect.void
      })
      assert.isAtMost(world.supervision.runs.filter(({ endMs }) => endMs === null).length, 2)
      yield* TestClock.adjust("1 hour")
      world.settle(world.machine.nowMs + 3_600_000)
      hours += 1
    }
    return { hours, lines: records.map(({ line }) => line) }
  }).pipe(Effect.scoped, Effect.provide(layerSimulation(world)))

/** Each takes an hour, less what a pass needs to see it; the second one may take more. */
const worldOf = (tasks: number, hoursOfSecond = 1): World => {
  const world = new World()
  world.script = ({ taskId }) => completesAfter(((taskId === 2 ? hoursOfSecond : 1) * 60 - 1) * 60_000)
  for (let count = 0; count < tasks; count += 1) world.addTask({ queue: "dev" })
  return world
}

const roundsOf = (lines: ReadonlyArray<string>) => {
  const walk = makeWalk()
  return lines.map((line) => Result.getOrThrow(walk(Result.getOrThrow(parseRecordLine(line)))))
}

it.effect("ten tasks of an hour each take two slots five hours, and no third ever runs beside them", () =>
  Effect.map(hoursOf(worldOf(10)), ({ hours }) => assert.strictEqual(hours, 5))
)

it.effect("each record, replayed, is planned as it was; with a third slot the first plan is another", () =>
  Effect.map(hoursOf(worldOf(5)), ({ lines }) => {
    const read = makeSituationReader()
    const again = roundsOf(lines).map((round) => replay(round, read).result._tag)
    assert.deepStrictEqual(new Set(again), new Set(["Same"]))

    const slots: Supposition = { _tag: "AgentSlots", agent: vaela, slots: 3 }
    const [first] = roundsOf(lines).map((round) => replay(round, read, (situation) => suppose(situation, [slots])))
    assert.strictEqual(first?.result._tag, "Differs")
    assert.strictEqual(first?.plan?.verdicts.filter(({ _tag }) => _tag === "Start").length, 3)
  })
)

it.effect("the records say from which round on a task starts, and what made it so", () =>
  Effect.map(hoursOf(worldOf(3, 2)), ({ lines }) => {
    const condition = Result.getOrThrow(parseCondition("task 3 starts"))
    const turnAt = makeBisection((plan) => conditionHolds(condition, plan), makeSituationReader())
    const turns = roundsOf(lines).flatMap((round) => Result.getOrThrow(turnAt(round)) ?? [])
    const [begins] = turns
    assert.strictEqual(begins?.holds, true)
    assert.deepStrictEqual(
      begins?.causes.map(({ key }) => key),
      ["record/1"]
    )
  })
)
