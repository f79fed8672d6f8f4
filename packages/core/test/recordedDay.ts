/**
 * A day of a scheduler that has 500 tasks to see done: ten agents with two slots each in three queues, attempts of a few
 * minutes to an hour of which some fail, tasks that come through the day, block each other and have parts. The real pass
 * makes it, over the simulated machine.
 */
import * as Effect from "effect/Effect"
import type { Plan } from "../src/domain/Plan.ts"
import { QueueName } from "../src/domain/identifiers.ts"
import type { TaskId } from "../src/domain/identifiers.ts"
import type { Situation } from "../src/domain/Situation.ts"
import { completesAfter, World } from "../src/simulation/api.ts"
import { agent, desiredWith, later, startScheduler } from "./passHarness.ts"

const tasks = 500
const daySec = 86_400
/** So many tasks are there in the morning; the rest come one by one, so many seconds apart. */
const atFirst = 200
const apartSec = 180

const queues = ["dev", "qa", "docs"].map((name) => QueueName.make(name))

/** A number below `below` that looks random and is the same in every run. */
const scattered = (index: number, below: number): number => (Math.imul(index + 1, 2_654_435_761) >>> 8) % below

const addTask = (world: World, index: number, before: ReadonlyArray<TaskId>): TaskId =>
  world.addTask({
    title: `Task ${index} of the day, with a title as long as people write them`,
    queue: queues[scattered(index, queues.length)] ?? null,
    priority: scattered(index, 5),
    blockedBy: index % 10 === 3 ? (before[index - 3] ?? null) : null,
    parent: index % 25 === 7 ? (before[index - 1] ?? null) : null
  })

const minutes = (count: number): number => count * 60_000

/** Tells of each round as soon as it is planned; answers how many passes there were and how many tasks are complete. */
export const recordedDay = Effect.fnUntraced(function* (
  passEverySec: number,
  onRound: (situation: Situation, plan: Plan) => void
) {
  const world = new World()
  const known: Array<TaskId> = []
  for (let index = 0; index < atFirst; index += 1) known.push(addTask(world, index, known))
  world.script = ({ epoch, taskId }) =>
    completesAfter(minutes(5 + scattered(taskId * 7 + epoch, 50)), {
      tail: `the last words of task ${taskId}: key=hunter2\n`,
      ...(scattered(taskId * 3 + epoch, 12) === 0 ? { exit: { code: 3, signal: null }, atEnd: () => undefined } : {})
    })
  const names = ["ada", "bo", "cy", "dee", "eva", "flo", "gus", "hal", "ida", "joe"]
  const desired = desiredWith({
    agents: names.map((name, at) =>
      agent(name, { slots: 2, queues: queues.filter((_queue, of) => (at + of) % 3 !== 0) })
    )
  })
  const scheduler = yield* startScheduler(world, {
    desired,
    onPlan: (observed, plan) => {
      onRound({ observed, desired }, plan)
    }
  })
  let passes = 0
  for (let sec = passEverySec; sec <= daySec; sec += passEverySec) {
    yield* later(world, passEverySec)
    const arrived = Math.min(tasks, atFirst + Math.floor(sec / apartSec))
    while (known.length < arrived) known.push(addTask(world, known.length, known))
    yield* scheduler.pass()
    passes += 1
  }
  const complete = [...world.tinytask.tasks.values()].filter(({ task }) => task.status === "complete").length
  return { tasks: known.length, passes, complete }
})
