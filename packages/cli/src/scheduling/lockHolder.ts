/** Whether whoever is named in the lock file still runs. The lock itself is not tried: that would keep others from it. */
import * as Result from "effect/Result"
import { fieldOf, isRecord, readJson } from "@tinyscheduler/adapters-fs/jsonFile"
import { startOf } from "@tinyscheduler/adapters-process/Machine"
import { thisMachine } from "@tinyscheduler/adapters-process/thisMachine"

/** "untold": the file names nobody, or, as the Python version does, a number alone. */
type HolderSight = "alive" | "gone" | "untold"

export const seeHolder = (lock: string): HolderSight => {
  const file = readJson(lock, { maxBytes: 4096, trust: "config" })
  if (file._tag !== "Json" || !isRecord(file.value)) return "untold"
  const pid = fieldOf(file.value, "pid")
  const start = fieldOf(file.value, "start")
  if (typeof pid !== "number" || typeof start !== "number") return "untold"
  const lives = Result.try(() => startOf(thisMachine, pid) === start)
  // Where we may not look, somebody may live.
  return Result.getOrElse(lives, () => true) ? "alive" : "gone"
}
