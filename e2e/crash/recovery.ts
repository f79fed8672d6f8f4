/** What follows a crash: passes, at once and again, until everything is at rest. */
import { startOf } from "../harness/processes.ts"
import { until } from "../harness/until.ts"
import type { Pass } from "./Passes.ts"
import type { Scenario } from "./scenarios.ts"
import type { Stage } from "./Stage.ts"
import { ageStarts } from "./supervisors.ts"

export interface Recovered {
  readonly passes: ReadonlyArray<Pass>
  readonly rested: boolean
}

const passesMax = 10
const startGraceSec = 60

const isParked = (stage: Stage, task: number): boolean => {
  const text = stage.text(`state/attempts/task_${task}.json`)
  if (text === null) return false
  const { parked }: { readonly parked: object | null } = JSON.parse(text)
  return parked !== null
}

const isAtRest = (stage: Stage, { ends }: Scenario): boolean => {
  const tasks = stage.tasks.server.database.tasks()
  const isOver = tasks.every(({ id, status }) => (ends === "complete" ? status === "complete" : isParked(stage, id)))
  return isOver && stage.leases().length === 0 && stage.names("state/claims").length === 0
}

/** Looks for all processes of the stage only when those that it knew of are gone: a whole look costs milliseconds. */
const settle = async (stage: Stage): Promise<void> => {
  for (let known = stage.living(); known.length > 0; known = stage.living()) {
    await until("what was started has ended", () => known.every(({ pid, start }) => startOf(pid) !== start))
  }
}

/** Until each start that somebody may still carry out has been carried out: from then on its agent could meet another. */
const begun = (stage: Stage): Promise<true> =>
  until("whatever is starting runs or is dead", () => {
    const open = stage.leases().filter(({ phase }) => phase === "starting")
    if (open.length === 0) return true
    const carried = new Set(stage.living().map(({ environment }) => environment["TINYSCHEDULER_LEASE"]))
    return open.every(({ token }) => !carried.has(token))
  })

/**
 * The first pass comes while agents still run; they end only when what it started runs too. A start that nobody claimed
 * is given up only after its grace: its lease is aged once nothing lives that could still claim it.
 */
export const recover = async (stage: Stage, scenario: Scenario): Promise<Recovered> => {
  await stage.tasks.reach()
  const passes = [await stage.pass()]
  await begun(stage)
  stage.openGate()
  while (passes.length < passesMax) {
    await settle(stage)
    if (isAtRest(stage, scenario)) break
    if (stage.leases().some(({ phase }) => phase === "starting")) ageStarts(stage, startGraceSec)
    passes.push(await stage.pass())
  }
  const rested = isAtRest(stage, scenario)
  return { passes: [...passes, await stage.pass()], rested }
}
