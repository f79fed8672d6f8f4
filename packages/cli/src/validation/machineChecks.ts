/** What the scheduler needs of the machine: processes that can be told apart, and a lock that the kernel frees. */
import * as Result from "effect/Result"
import { locksInOpen } from "@tinyscheduler/adapters-fs/flock"
import { findBinary } from "@tinyscheduler/adapters-process/findBinary"
import { thisMachine } from "@tinyscheduler/adapters-process/thisMachine"
import { checksOf } from "./Check.ts"
import type { Check } from "./Check.ts"

const { error, ok } = checksOf("machine")

const reasonIn = (failure: unknown): string => (failure instanceof Error ? failure.message : String(failure))

const flockCheck = (): Check => {
  if (locksInOpen(process.platform)) return ok("lock", "is taken by open(2)")
  // The lock is looked for there too: cron's PATH may be short.
  const found = findBinary("flock", "/", `${process.env["PATH"] ?? ""}:/usr/bin`)
  return found._tag === "Found"
    ? ok("flock", `is ${found.path}`)
    : error("flock", "is neither on PATH nor in /usr/bin", "install util-linux")
}

export const machineChecks = (): ReadonlyArray<Check> => {
  const identity = Result.try(() => thisMachine.identify())
  return [
    Result.isSuccess(identity)
      ? ok("this machine", "can be identified, and its processes too")
      : error(
          "this machine",
          `can't be identified: ${reasonIn(identity.failure)}`,
          "mount /proc whole (without hidepid, ProcSubset or ProtectProc)"
        ),
    flockCheck()
  ]
}
