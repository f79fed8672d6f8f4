/** The large case of several tests: 200 tasks over 8 agents with 20 slots in all; some wait for others, all by one seed. */
import type { Ground } from "./Ground.ts"
import type { Run } from "./records.ts"

export const crowdSize = 200

/** By agent; 20 in all. */
export const crowdSlots: Readonly<Record<string, number>> = {
  arno: 4,
  bela: 3,
  cato: 2,
  dora: 1,
  emil: 4,
  fara: 3,
  gero: 2,
  hana: 1
}

/** Numbers from 0 to 1 that are the same for the same seed (mulberry32). */
export const randomOf = (seed: number): (() => number) => {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

const workMs = "100-1500"

/** Half of the agents complete their tasks themselves, for the other half the scheduler does. */
const crowdAgents = (ground: Ground) => {
  const goose = (name: string, queue: string | ReadonlyArray<string>) =>
    ground.goose(name, queue, {
      slots: crowdSlots[name],
      env: { STAND_IN_RECORD: ground.record, STAND_IN_MS: workMs }
    })
  const worker = (name: string, queue: string | ReadonlyArray<string>) =>
    ground.worker(name, queue, { slots: crowdSlots[name], env: { WORK_MS: workMs } })
  return [
    goose("arno", "dev"),
    worker("bela", "dev"),
    goose("cato", ["dev", "qa"]),
    worker("dora", "docs"),
    worker("emil", "qa"),
    goose("fara", "product"),
    worker("gero", ["product", "docs"]),
    worker("hana", "dev")
  ]
}

const queues = ["dev", "dev", "dev", "qa", "qa", "product", "product", "docs"]

/** Makes agents and tasks; a quarter of the tasks is blocked by an earlier one, so that chains form and no cycle. */
export const gatherCrowd = async (ground: Ground, seed: number): Promise<void> => {
  const random = randomOf(seed)
  const pick = (count: number): number => Math.floor(random() * count)
  ground.agents(crowdAgents(ground))
  ground.installGoose()
  for (let number = 1; number <= crowdSize; number += 1) {
    const blocked = number > 8 && random() < 0.25
    await ground.tinytask.add({
      title: `task ${number}`,
      queue: queues[pick(queues.length)] ?? "dev",
      priority: pick(10),
      ...(blocked ? { blockedBy: 1 + pick(number - 1) } : {})
    })
  }
}

/** The flags that every scheduler of the crowd gets. */
export const crowdFlags = (ground: Ground): ReadonlyArray<string> => [
  ...ground.endpoint,
  "--goose-bin",
  ground.path("bin/goose")
]

/** Runs that began before their task's blocker was complete in Tinytask. */
export const earlyRuns = (ground: Ground, runs: ReadonlyArray<Run>): ReadonlyArray<Run> => {
  const { database } = ground.tinytask
  const completedAt = new Map(
    database
      .changes()
      .filter(({ after }) => after === "complete")
      .map(({ at, task }) => [task, at])
  )
  const blockers = new Map(database.tasks().map((task) => [task.id, task.blocked_by_task_id]))
  return runs.filter(({ startMs, task }) => {
    const blocker = blockers.get(task) ?? null
    return blocker !== null && startMs < Math.floor(completedAt.get(blocker) ?? Number.POSITIVE_INFINITY)
  })
}

/** How often each task made a step, as a list of distinct counts: [1] when every task made it once. */
export const timesEach = (tasks: ReadonlyArray<number>): ReadonlyArray<number> => {
  const counts = new Map(Array.from({ length: crowdSize }, (_, index) => [index + 1, 0]))
  for (const task of tasks) counts.set(task, (counts.get(task) ?? 0) + 1)
  return [...new Set(counts.values())]
}
