/** The mishaps of one pass as a fault hook: at the call that each names, the call fails, the scheduler dies, or the world changes. */
import { crash } from "../src/simulation/api.ts"
import type { FaultHook } from "../src/simulation/api.ts"
import type { Mishap } from "./passHistory.ts"

/** Calls that can't answer with an error: a mishap there can only be the end of the process. */
const infallible = new Set([
  "ProcessTable.monotonicMs",
  "ProcessTable.startedAtMs",
  "ProcessTable.signal",
  "ProcessTable.describe",
  "AgentLauncher.lookAtRecipes",
  "AgentLauncher.drawToken"
])

const stateErrors = ["EIO: input/output error", "EACCES: permission denied", "ENOSPC: no space left on device"]

const errorOf = (name: string, call: number): string | null => {
  if (infallible.has(name) || name.startsWith("Cgroups.")) return null
  return name.startsWith("TaskQueue.") ? "the request timed out" : (stateErrors[call % stateErrors.length] ?? null)
}

/** What of a mishap is not the call's own failure. */
export type Disturbance = Exclude<Mishap["kind"], "fail" | "crash">

export interface MishapListener {
  readonly onMishap: (mishap: Mishap, name: string, what: string) => void
  readonly disturb: (kind: Disturbance, call: number) => void
}

export const faultsOf = (mishaps: ReadonlyArray<Mishap>, listener: MishapListener): FaultHook => {
  let calls = 0
  return (name, moment) => {
    if (moment === "before") calls += 1
    const found = mishaps.find((candidate) => candidate.call === calls && candidate.moment === moment)
    if (found === undefined) return null
    const { kind } = found
    if (kind === "crash") {
      listener.onMishap(found, name, `crash ${moment}`)
      return crash
    }
    if (kind === "fail") {
      const error = errorOf(name, calls)
      if (error !== null) listener.onMishap(found, name, `${error.split(":")[0] ?? error} ${moment}`)
      return error
    }
    listener.onMishap(found, name, `${kind} within a pass`)
    listener.disturb(kind, calls)
    return null
  }
}
