/**
 * Runs a history in which repairs are asked for in between, over the real passes and a simulated machine. When its faults
 * are over, what was torn stays torn: passes and repairs alone bring everything to its end.
 */
import { RequestId } from "../src/domain/Request.ts"
import { timestampOf } from "../src/domain/time.ts"
import type { World } from "../src/simulation/api.ts"
import type { History } from "./passHistory.ts"
import { accounts, heal, isAtRest } from "./passHistoryEnd.ts"
import { HistoryMachine } from "./passHistoryMachine.ts"
import { HistorySchedulers, isSchedulers } from "./passHistorySchedulers.ts"
import { scripts } from "./passHistoryScripts.ts"
import { settingsAtFirst } from "./passHistorySettings.ts"
import { wrongsNow } from "./passHistoryWrongs.ts"

export interface RepairedHistory {
  readonly wrongs: ReadonlyArray<string>
  /** How many findings were mended. */
  readonly mended: number
}

const passesMax = 120

/** Everything that a machine does to itself is over; what only a repair can mend is as it was. */
const healExceptFiles = (world: World): void => {
  const { files } = world
  const problems = [...files.attemptsProblems]
  const torn = [...files.leases].filter(([, lease]) => lease._tag === "Unreadable")
  heal(world)
  for (const [id, problem] of problems) files.attemptsProblems.set(id, problem)
  for (const [id, lease] of torn) files.leases.set(id, lease)
}

/** What a person does of whom a repair only tells: parked tasks are released, what nobody can prove is given back. */
const release = ({ files, tinytask }: World, giveBack: boolean): void => {
  for (const [id, attempts] of files.attempts) {
    if (attempts.parked === null) continue
    files.attempts.set(id, { ...attempts, parked: null, notBefore: null, counts: { failures: 0, losses: 0 } })
  }
  if (!giveBack) return
  for (const [id, { task }] of tinytask.tasks) {
    const isParent = [...tinytask.tasks.values()].some((other) => other.task.parent === id)
    const isHeld = files.leases.has(id) || files.claims.of(id).length > 0
    if (task.status === "working" && !isParent && !isHeld) tinytask.change(id, { status: "idle", assignee: null })
  }
}

const isEnded = ({ files }: World, token: string): boolean => files.history.some((line) => line.token === token)

/** `repairs`: after which steps one is asked for. */
export const runRepairedHistory = (history: History, repairs: ReadonlySet<number>): RepairedHistory => {
  const machine = new HistoryMachine()
  const { people, starts, world } = machine
  const schedulers = new HistorySchedulers(machine, null)
  const wrongs: Array<string> = []
  let healed = false
  let asked = 0
  world.script = ({ epoch, taskId }) =>
    healed
      ? scripts.completes
      : scripts[history.scripts[(taskId * 7 + epoch * 13) % history.scripts.length] ?? "completes"]
  const ask = (): RequestId => {
    asked += 1
    const uuid = RequestId.make(`00000000-0000-4000-9000-${String(asked).padStart(12, "0")}`)
    const at = timestampOf(world.machine.nowMs)
    world.files.requests.set(`${at}-${uuid}`, { version: 1, uuid, at, by: "maria", kind: "repair" })
    return uuid
  }
  const lookForWrongs = (): void => {
    people.noteParents()
    const { wasOvertaken } = schedulers
    wrongs.push(...schedulers.wrongs.splice(0), ...wrongsNow({ world, people, starts, wasOvertaken }))
  }

  /** Passes, in which a repair may replace an attempts file: of a start that it alone told of nobody can know any more. */
  const forgetting = (pass: () => void): void => {
    const torn = [...world.files.attemptsProblems.keys()].map((id) => [id, world.files.attempts.get(id)?.last] as const)
    pass()
    for (const [id, last] of torn) {
      if (last == null || world.files.attemptsProblems.has(id)) continue
      if (world.files.attempts.get(id)?.last?.token !== last.token && !isEnded(world, last.token))
        starts.delete(last.token)
    }
  }

  for (const [index, step] of history.steps.entries()) {
    if (isSchedulers(step)) forgetting(() => schedulers.take(step))
    else machine.befall(step)
    machine.keepLeases()
    if (repairs.has(index)) ask()
    lookForWrongs()
    if (wrongs.length > 0) return { wrongs, mended: 0 }
  }

  healed = true
  healExceptFiles(world)
  schedulers.configure(settingsAtFirst)
  schedulers.restart()
  let made = 0
  for (; made < passesMax && !isAtRest(world) && wrongs.length === 0; made += 1) {
    ask()
    forgetting(() => schedulers.pass([]))
    release(world, made > passesMax / 2)
    machine.later(60)
    lookForWrongs()
  }
  if (wrongs.length === 0 && !isAtRest(world)) wrongs.push(`[comes to its end] not at rest: ${schedulers.written()}`)
  const last = ask()
  schedulers.pass([])
  const says = world.files.answers.get(last)?.says ?? "no answer"
  if (wrongs.length === 0 && says !== "nothing to mend") wrongs.push(`[nothing is left to mend] ${says}`)
  if (wrongs.length === 0) wrongs.push(...accounts(world, people, starts))
  const counts = [...world.files.answers.values()].map(({ says: text }) => Number(/^(\d+) mended/.exec(text)?.[1] ?? 0))
  return { wrongs, mended: counts.reduce((sum, count) => sum + count, 0) }
}
