/** For commands that own all agents of their folder (the demo): ends what still runs when the command is cut short. */
import * as Effect from "effect/Effect"
import { startOf } from "@tinyscheduler/adapters-process/Machine"
import { thisMachine } from "@tinyscheduler/adapters-process/thisMachine"
import { makeLeaseScan } from "@tinyscheduler/adapters-fs/scanLeases"
import type { StatePaths } from "@tinyscheduler/adapters-fs/StatePaths"

/** Asks each supervisor to end its agent, by identity; a supervisor does so on SIGTERM and records the ending. */
export const endAgents = (paths: StatePaths): Effect.Effect<void> =>
  makeLeaseScan(paths).pipe(
    Effect.map((stored) => {
      for (const { lease } of stored) {
        if (lease._tag !== "Read" || lease.lease.phase !== "running") continue
        const { pid, pidStart } = lease.lease
        if (startOf(thisMachine, pid) === pidStart) process.kill(pid, "SIGTERM")
      }
    }),
    // The folder may be gone or half made: then nothing was started either.
    Effect.ignore
  )
