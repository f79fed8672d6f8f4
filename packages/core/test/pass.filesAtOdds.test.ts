/**
 * Whatever the files of a task say together: passes and a repair bring it to its end, once; and while an attempt of which
 * they tell lives, no second one begins beside it.
 */
import * as Exit from "effect/Exit"
import { describe, expect, it } from "vitest"
import { RequestId } from "../src/domain/Request.ts"
import type { TaskStatus } from "../src/domain/Task.ts"
import { timestampOf } from "../src/domain/time.ts"
import { completesAfter, World } from "../src/simulation/api.ts"
import type { SimulatedProcess } from "../src/simulation/api.ts"
import { epoch, runningLease, taskId, tokenOf } from "./builders.ts"
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
/** A repair is asked for after that many passes: each may leave something to the next pass, and that to the next repair. */
const repairedAfter = new Set([5, 11, 14])
/** What only a person could end is ended by one. */
const endedAfter = 10
const desired = desiredWith({ endpoint: "http://localhost:3000", agents: [agent("ada")] })
const { here } = new World().machine

/** What lives of an attempt, and which of its files name its supervisor. */
interface Living {
  readonly attempt: number
  readonly named: "by its claim" | "by its lease" | "by both"
  /** A supervisor that works makes its lease anew where it is missing, and beats; one that hangs does nothing. */
  readonly what: "a supervisor that works, and its agent" | "a supervisor that hangs, and its agent" | "its agent alone"
}

const place = ({ files }: World, { attempts, claims, lease }: FilesAtOdds): void => {
  if (lease._tag === "Read") files.leases.set(taskId(1), { _tag: "Read", lease: lease.lease })
  if (lease._tag === "Legacy") files.leases.set(taskId(1), { _tag: "Legacy", path: lease.path, lease: lease.lease })
  if (lease._tag === "Unreadable") files.tearLease(taskId(1), lease.agentName)
  for (const sight of claims) files.claims.set(taskId(1), sight.epoch, sight._tag === "Read" ? sight.claim : null)
  if (attempts !== null) files.attempts.set(taskId(1), attempts)
}

const heartbeatMs = 15_000

/** As the protocol has it: while its own claim stands, and no other's lease. */
const beat = (world: World, attempt: number, { supervisor, agent: worker }: Born): void => {
  const { files, machine } = world
  if (!machine.lives(supervisor)) return
  const claim = files.claims.get(taskId(1), epoch(attempt))
  const token = files.leaseToken(taskId(1))
  const mayWrite =
    claim?.kind === "claim" && claim.token === tokenOf(1, attempt) && (token === null || token === claim.token)
  if (!machine.lives(worker) || !mayWrite) {
    machine.end(worker)
    return machine.end(supervisor)
  }
  const { pid, pidStart } = supervisor
  const lease = runningLease(
    1,
    attempt,
    "ada",
    { pid, pidStart, maxRuntimeSec: 300, beatMonoMs: machine.monoMs() },
    here
  )
  files.leases.set(taskId(1), {
    _tag: "Read",
    lease: { ...lease, agent: { pid: worker.pid, pidStart: worker.pidStart, group: worker.group } }
  })
  machine.after(heartbeatMs, () => {
    beat(world, attempt, { supervisor, agent: worker })
  })
}

interface Born {
  readonly supervisor: SimulatedProcess
  readonly agent: SimulatedProcess
}

const bear = (world: World, { attempt, named, what }: Living): Born => {
  const { files, machine } = world
  const token = tokenOf(1, attempt)
  const spawn = (role: "supervisor" | "agent", parent: number): SimulatedProcess => {
    const born: SimulatedProcess = machine.spawn({
      parent,
      token,
      attempt: { taskId: taskId(1), epoch: epoch(attempt), role },
      onSignal: (signal) => {
        if (signal === "SIGKILL" || role === "agent") machine.end(born)
      }
    })
    return born
  }
  const supervisor = spawn("supervisor", 1)
  const { pid, pidStart } = supervisor
  const claim = files.claims.get(taskId(1), epoch(attempt))
  if (claim != null && named !== "by its lease") {
    files.claims.set(taskId(1), claim.epoch, { ...claim, pid, pidStart })
  }
  const stored = files.leases.get(taskId(1))
  if (stored?._tag === "Read" && stored.lease.phase !== "starting" && named !== "by its claim") {
    files.leases.set(taskId(1), { _tag: "Read", lease: { ...stored.lease, pid, pidStart } })
  }
  const born: Born = { supervisor, agent: spawn("agent", pid) }
  if (what === "its agent alone") machine.end(supervisor)
  if (what === "a supervisor that works, and its agent") {
    machine.after(heartbeatMs, () => {
      beat(world, attempt, born)
    })
  }
  return born
}

const askRepair = ({ files, machine }: World, nth: number): void => {
  const at = timestampOf(machine.nowMs)
  const uuid = RequestId.make(`00000000-0000-4000-9000-${String(nth).padStart(12, "0")}`)
  files.requests.set(`${at}-${uuid}`, { version: 1, uuid, at, by: "maria", kind: "repair" })
}

/** What went wrong; empty = nothing. */
const wrongsOf = (combination: FilesAtOdds, status: TaskStatus, living: Living | null): ReadonlyArray<string> => {
  const world = new World(nowMs - ageMs)
  const { files, machine, supervision, tinytask } = world
  world.script = () => completesAfter(1000)
  const id = world.addTask()
  tinytask.change(id, status === "idle" ? { status } : { status, assignee: "ada" })
  world.settle(nowMs)
  place(world, combination)
  const born = living === null ? null : bear(world, living)
  const isHanging = living?.what === "a supervisor that hangs, and its agent"
  const wrongs: Array<string> = []
  const scheduler = new SyncScheduler(world, { onCall: () => {}, onPlan: () => {}, onResults: () => {} })
  for (let made = 0; made < passesMax && tinytask.read(id)?.status !== "complete"; made += 1) {
    if (repairedAfter.has(made)) askRepair(world, made)
    if (made === endedAfter && born !== null) {
      if (!isHanging && machine.lives(born.agent)) wrongs.push("its agent was left to itself")
      machine.end(born.agent)
      machine.end(born.supervisor)
    }
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

const faultsOf = (
  combinations: ReadonlyArray<FilesAtOdds>,
  livingOf: (combination: FilesAtOdds) => ReadonlyArray<Living | null>
): ReadonlyArray<string> =>
  combinations.flatMap((combination) =>
    livingOf(combination).flatMap((living) =>
      (living === null ? (["idle", "working"] as const) : (["working"] as const)).flatMap((status) =>
        wrongsOf(combination, status, living).map(
          (wrong) =>
            `${wrong}: ${status}; ${shortFiles(combination)}${living === null ? "" : `; of ${living.attempt} lives ${living.what}, named ${living.named}`}`
        )
      )
    )
  )

const lives: ReadonlyArray<Living["what"]> = [
  "a supervisor that works, and its agent",
  "a supervisor that hangs, and its agent",
  "its agent alone"
]

const all = filesAtOdds({ epochs: [1, 2], place: here, mayLive: "nothing" })

describe("every combination of claims and attempts file", () => {
  it.each(all)("beside %s, when nothing of it lives", (_name, combinations) => {
    expect(faultsOf(combinations, () => [null]).slice(0, faultsMax)).toEqual([])
  })

  it.each(all)("beside %s, when an attempt lives that they name", (_name, combinations) => {
    const livingOf = ({ claims, lease }: FilesAtOdds): ReadonlyArray<Living> => {
      const claimed = claims.flatMap((sight) =>
        sight._tag === "Read" && sight.claim.kind === "claim" ? [sight.claim.epoch] : []
      )
      const leased = lease._tag === "Read" && lease.lease.phase === "running" ? lease.lease.epoch : null
      const named: ReadonlyArray<Omit<Living, "what">> = [
        ...claimed.map((attempt) => ({ attempt, named: "by its claim" as const })),
        ...(leased === null ? [] : [{ attempt: leased, named: "by its lease" as const }]),
        ...(leased !== null && claimed.includes(leased) ? [{ attempt: leased, named: "by both" as const }] : [])
      ]
      return named.flatMap((one) => lives.map((what): Living => ({ ...one, what })))
    }
    expect(faultsOf(combinations, livingOf).slice(0, faultsMax)).toEqual([])
  })
})
