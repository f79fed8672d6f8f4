/**
 * A run under siege: agents of several queues, tasks that block each other, limits of each kind; and whom of all that
 * lives at a moment one may kill: the scheduler, a supervisor, an agent, a process that an agent started.
 */
import { mkdirSync, readFileSync } from "node:fs"
import { isBystander } from "./bystanders.ts"
import { crowdSlots, randomOf } from "./crowd.ts"
import type { Ground } from "./Ground.ts"
import { isLiving, type Marked, markVariable, processesWhere } from "./processes.ts"
import { fixture } from "./program.ts"
import type { Run } from "./records.ts"

export const memberKinds = ["scheduler", "supervisor", "agent", "grandchild"] as const
export type MemberKind = (typeof memberKinds)[number]

/** One kill that was made. */
export interface Kill {
  readonly kind: MemberKind
  readonly pid: number
  /** When it was over, since boot. */
  readonly atMs: number
}

/** Below what the slots of its agents would allow, so that each kind of limit is reached. */
export const siegeQueueLimit = { queue: "dev", limit: 6 }
export const siegeAtOnce = 12

const queuesOf: Readonly<Record<string, string | ReadonlyArray<string>>> = {
  arno: "dev",
  bela: "dev",
  cato: ["dev", "qa"],
  dora: "docs",
  emil: "qa",
  fara: "product",
  gero: ["product", "docs"],
  hana: "dev"
}
const taskQueues = ["dev", "dev", "dev", "qa", "qa", "product", "product", "docs"]

/** Milliseconds since boot, on the clock by which the agents note their times. */
export const sinceBootMs = (): number => {
  const [up = "0"] = readFileSync("/proc/uptime", "utf8").split(" ")
  return Math.round(Number(up) * 1000)
}

/** Answers what adds tasks up to a number: by a seed, a fifth of them blocked by an earlier one. */
export const gatherSiege = (ground: Ground, seed: number): ((upTo: number) => Promise<void>) => {
  const random = randomOf(seed)
  const pick = (count: number): number => Math.floor(random() * count)
  const locks = ground.path("locks")
  mkdirSync(locks)
  ground.agents(
    Object.entries(queuesOf).map(([agentName, agentType]) => ({
      agentName,
      agentType,
      slots: crowdSlots[agentName],
      command: ["/bin/sh", fixture("besieged.sh"), ground.record, locks],
      env: { WORK_MS: "100-300" }
    }))
  )
  let number = 0
  return async (upTo) => {
    while (number < upTo) {
      number += 1
      const blocked = number > 20 && random() < 0.2
      await ground.tinytask.add({
        title: `task ${number}`,
        queue: taskQueues[pick(taskQueues.length)] ?? "dev",
        priority: pick(10),
        ...(blocked ? { blockedBy: 1 + pick(number - 1) } : {})
      })
    }
  }
}

/** Every budget is larger than what the kills could use up, and nobody waits longer than he must. */
export const siegeFlags = (ground: Ground): ReadonlyArray<string> => [
  ...ground.endpoint,
  ..."--heartbeat 1 --loop-interval 1 --stop-grace 1 --backoff-base 0 --max-attempts 10000 --max-lost 10000".split(" "),
  ...`--queue-limits ${siegeQueueLimit.queue}:${siegeQueueLimit.limit} --max-concurrent ${siegeAtOnce}`.split(" ")
]

/** A supervisor carries its token, an agent and what it starts the task's number too. */
const kindOf = ({ command, environment }: Marked): MemberKind => {
  if (environment["TINYSCHEDULER_TASK_ID"] === undefined) return "supervisor"
  return command.includes("besieged.sh") ? "agent" : "grandchild"
}

/** Who may be killed at this moment, by kind: looked up anew in /proc, starting ones too. */
export const membersOf = (ground: Ground, scheduler: Marked): Readonly<Record<MemberKind, ReadonlyArray<Marked>>> => {
  const members: Record<MemberKind, Array<Marked>> = {
    scheduler: isLiving(scheduler.pid) ? [scheduler] : [],
    supervisor: [],
    agent: [],
    grandchild: []
  }
  for (const found of carriers(ground)) members[kindOf(found)].push(found)
  return members
}

/** Whatever of any attempt lives: the token is in its environment. */
export const carriers = (ground: Ground): ReadonlyArray<Marked> =>
  processesWhere(
    (environment) =>
      environment[markVariable] === ground.base &&
      environment["TINYSCHEDULER_LEASE"] !== undefined &&
      !isBystander(environment)
  )

/** Runs with the ends of those that were killed; an agent that noted no end ended at the latest by its kill. */
export const endedRuns = (runs: ReadonlyArray<Run>, kills: ReadonlyArray<Kill>): ReadonlyArray<Run> =>
  runs.map((run) => {
    if (run.endMs !== Number.POSITIVE_INFINITY) return run
    const kill = kills.find(({ atMs, pid }) => pid === run.pid && atMs >= run.startMs)
    return { ...run, endMs: kill?.atMs ?? Number.POSITIVE_INFINITY }
  })
