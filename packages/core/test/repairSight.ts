/** What the tests of repair share: a sight around a world made by hand, and findings in short words. */
import type { HistoryLine } from "../src/domain/Attempts.ts"
import type { Outcome } from "../src/domain/Outcome.ts"
import { careOf } from "../src/repair/Finding.ts"
import type { Finding } from "../src/repair/Finding.ts"
import { findings } from "../src/repair/findings.ts"
import type { Carrier, RepairSight } from "../src/repair/RepairSight.ts"
import type { Guess, Inventory, UnreadableFile } from "../src/ports/StateInventory.ts"
import type { Token } from "../src/domain/identifiers.ts"
import { agentName, at, epoch, nowMs, taskId, tokenOf } from "./builders.ts"
import type { World, WorldBuilder } from "./builders.ts"

export const noInventory: Inventory = {
  history: [],
  historyProblem: null,
  historySkipped: 0,
  termProblem: null,
  unreadable: [],
  odd: []
}

export const sightOf = (
  { observed }: World,
  fields: Partial<Omit<RepairSight, "observed" | "inventory">> = {},
  inventory: Partial<Inventory> = {}
): RepairSight => ({
  observed,
  inventory: { ...noInventory, ...inventory },
  agentsProblem: null,
  carriers: [],
  namedAlive: new Set(),
  marks: new Map(),
  litter: [],
  purge: false,
  ...fields
})

/** A living process with a token, which does not say what it is about. */
export const carrier = (pid: number, token: Token): Carrier => ({ pid, token, statedTask: null })

/** A line of the history: an attempt that was begun an hour ago, or that many seconds from now. */
export const ended = (
  id: number,
  attempt: number,
  name: string,
  outcome: Outcome = "failed",
  startedAt = -3600
): HistoryLine => ({
  version: 1,
  taskId: taskId(id),
  epoch: epoch(attempt),
  token: tokenOf(id, attempt),
  agentName: agentName(name),
  queue: "dev",
  startedAt: at(startedAt),
  endedAt: at(startedAt + 60),
  outcome,
  detail: `recorded as ${outcome}`
})

const noGuess: Guess = { token: null, host: null, processes: [], epoch: null }

/** The unreadable lease of a task, as the inventory knows it. */
export const tornLease = (id: number, guess: Partial<Guess> = {}): UnreadableFile => ({
  path: `state/running/task_${id}.json`,
  problem: "not JSON",
  modifiedMs: nowMs - 60_000,
  guess: { ...noGuess, ...guess }
})

/** What is found of a world. */
export const found = (
  builder: WorldBuilder,
  fields: Partial<Omit<RepairSight, "observed" | "inventory">> = {},
  inventory: Partial<Inventory> = {}
): ReadonlyArray<Finding> => {
  const world = builder.build()
  return findings(sightOf(world, fields, inventory), world.desired)
}

/** Kind, task and who mends it: "ForgottenTask 1: mend". */
export const short = (all: ReadonlyArray<Finding>): ReadonlyArray<string> =>
  all.map((finding) => `${finding._tag}${"taskId" in finding ? ` ${finding.taskId}` : ""}: ${careOf(finding)}`)
