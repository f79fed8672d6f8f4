/** Whatever the files of a task say together: when nothing of it lives, passes and a repair bring it to its end, once. */
import * as Exit from "effect/Exit"
import { expect, it } from "vitest"
import { RequestId } from "../src/domain/Request.ts"
import type { TaskStatus } from "../src/domain/Task.ts"
import { timestampOf } from "../src/domain/time.ts"
import { completesAfter, World } from "../src/simulation/api.ts"
import { taskId } from "./builders.ts"
import { filesAtOdds, shortFiles } from "./filesAtOdds.ts"
import type { FilesAtOdds } from "./filesAtOdds.ts"
import { agent, desiredWith } from "./passHarness.ts"
import { SyncScheduler } from "./passSync.ts"

const nowMs = 1_772_366_400_000
/** The task is as old as the files say. */
const ageMs = 7_200_000
const faultsMax = 20
const passesMax = 30
const everyMs = 60_000
const desired = desiredWith({ endpoint: "http://localhost:3000", agents: [agent("ada")] })
const { here } = new World().machine

const place = ({ files }: World, { attempts, claims, lease }: FilesAtOdds): void => {
  if (lease._tag === "Read") files.leases.set(taskId(1), { _tag: "Read", lease: lease.lease })
  if (lease._tag === "Unreadable") files.tearLease(taskId(1), lease.agentName)
  for (const sight of claims) {
    if (sight._tag === "Read") files.claims.set(taskId(1), sight.epoch, sight.claim)
  }
  if (attempts !== null) files.attempts.set(taskId(1), attempts)
}

const askRepair = ({ files, machine }: World): void => {
  const at = timestampOf(machine.nowMs)
  const uuid = RequestId.make("00000000-0000-4000-9000-000000000001")
  files.requests.set(`${at}-${uuid}`, { version: 1, uuid, at, by: "maria", kind: "repair" })
}

/** What passes alone can do they do before. */
const repairedAfter = 5

/** What went wrong; empty = nothing. */
const wrongsOf = (combination: FilesAtOdds, status: TaskStatus): ReadonlyArray<string> => {
  const world = new World(nowMs - ageMs)
  const { files, machine, supervision, tinytask } = world
  world.script = () => completesAfter(1000)
  const id = world.addTask()
  tinytask.change(id, status === "idle" ? { status } : { status, assignee: "ada" })
  world.settle(nowMs)
  place(world, combination)
  const wrongs: Array<string> = []
  const scheduler = new SyncScheduler(world, { onCall: () => {}, onPlan: () => {}, onResults: () => {} })
  for (let made = 0; made < passesMax && tinytask.read(id)?.status !== "complete"; made += 1) {
    if (made === repairedAfter) askRepair(world)
    const exit = scheduler.pass(desired)
    if (Exit.isFailure(exit)) wrongs.push("a pass failed")
    else wrongs.push(...exit.value.errors.filter((error) => error.includes("breaks invariant")))
    world.settle(machine.nowMs + everyMs)
  }
  scheduler.pass(desired)
  scheduler.end()
  // Without a start that is remembered nothing proves that a working task is ours to give back: a person is told of it.
  const isProven = status === "idle" || combination.attempts?.last != null
  if (isProven && tinytask.read(id)?.status !== "complete") wrongs.push("it is not complete")
  if (supervision.overlaps.length > 0) wrongs.push("it ran twice at once")
  if (supervision.runs.length > 1) wrongs.push(`it ran ${supervision.runs.length} times`)
  if (files.leases.size + files.claims.size > 0) wrongs.push("lease or claims are left")
  return wrongs
}

it.each(filesAtOdds({ epochs: [1, 2], place: here, mayLive: false }))(
  "%s beside every combination of claims and attempts file",
  (_name, combinations) => {
    const faults = combinations.flatMap((combination) =>
      (["idle", "working"] as const).flatMap((status) =>
        wrongsOf(combination, status).map((wrong) => `${wrong} (${status}): ${shortFiles(combination)}`)
      )
    )
    expect(faults.slice(0, faultsMax)).toEqual([])
  }
)
