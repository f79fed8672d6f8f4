/**
 * For the demo, which owns all agents of its folder: ends what still runs when it is cut short, and waits for it. A
 * supervisor whose folder vanished under it would try for ever to record the ending.
 */
import * as Effect from "effect/Effect"
import { makeLeaseScan } from "@tinyscheduler/adapters-fs/scanLeases"
import type { StatePaths } from "@tinyscheduler/adapters-fs/StatePaths"
import { startOf } from "@tinyscheduler/adapters-process/Machine"
import { thisMachine } from "@tinyscheduler/adapters-process/thisMachine"
import type { StoredTask } from "@tinyscheduler/core/ports/LeaseStore"

interface Named {
  readonly pid: number
  readonly pidStart: number
}

const lives = ({ pid, pidStart }: Named): boolean => startOf(thisMachine, pid) === pidStart

const supervisorsOf = (stored: ReadonlyArray<StoredTask>): ReadonlyArray<Named> =>
  stored.flatMap(({ claims }) =>
    claims.flatMap((sight) =>
      sight._tag === "Read" && sight.claim.kind === "claim" && lives(sight.claim) ? [sight.claim] : []
    )
  )

const isIntended = ({ lease }: StoredTask): boolean => lease._tag === "Read" && lease.lease.phase === "starting"

const lookEveryMs = 50
/** A supervisor ends its agent by SIGINT, and by SIGKILL after its grace of 10 s. */
const looksMax = 15_000 / lookEveryMs
/** A supervisor that was launched claims within this many looks, or never. */
const claimLooks = 3000 / lookEveryMs

/** Asks each supervisor to end its agent (SIGTERM, by identity) until none is left, for fifteen seconds at most. */
export const endAgents = (paths: StatePaths): Effect.Effect<void> =>
  Effect.gen(function* () {
    const scan = makeLeaseScan(paths)
    const asked = new Set<number>()
    for (let look = 0; look < looksMax; look += 1) {
      const stored = yield* scan
      const left = supervisorsOf(stored)
      if (left.length === 0 && (look >= claimLooks || !stored.some(isIntended))) return
      for (const { pid } of left.filter((supervisor) => !asked.has(supervisor.pid))) {
        asked.add(pid)
        process.kill(pid, "SIGTERM")
      }
      yield* Effect.sleep(lookEveryMs)
    }
  }).pipe(
    // The folder may be half made: then nothing was started either.
    Effect.ignore
  )
