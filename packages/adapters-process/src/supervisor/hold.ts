/** Standing still before a step: how tests lay an interleaving down. It costs one comparison when nothing is held. */
import * as fs from "node:fs"
import type { HoldStep, SupervisorSpec } from "./spec.ts"

/** Stops the whole program, as a paused machine would, until the awaited file is there. */
export const holdBefore = (spec: SupervisorSpec, step: HoldStep): void => {
  if (spec.hold?.at !== step) return
  const { until } = spec.hold
  fs.writeFileSync(`${until}.reached`, "")
  const cell = new Int32Array(new SharedArrayBuffer(4))
  while (!fs.existsSync(until)) Atomics.wait(cell, 0, 0, 5)
}
