/** Checks many drawn histories; a violation is shrunk. What the test command and `simulate` share. */
import * as fc from "fast-check"
import { history } from "./passHistory.ts"
import type { History } from "./passHistory.ts"
import { runHistory } from "./passHistoryRun.ts"

export interface CheckInput {
  readonly seed: number
  /** As many histories, or as many as so much time is enough for, whichever is less; null = any time. */
  readonly runs: number
  readonly seconds: number | null
  /** Where a shrunk history of this seed stands: then that one alone is run. */
  readonly path: string | null
}

export interface Checked {
  readonly histories: number
  readonly passes: number
  readonly starts: number
  readonly faults: ReadonlyMap<string, number>
  readonly seconds: number
  /** The shortest history that still goes wrong; null when none did. */
  readonly violation: { readonly history: History; readonly path: string; readonly foundAfter: number } | null
}

/** The test's runner and a user's Ctrl-C get a turn after so many histories. */
const breatheEvery = 20
const breathe = () => new Promise((resolve) => setImmediate(resolve))

export const checkHistories = async ({ path, runs, seconds, seed }: CheckInput): Promise<Checked> => {
  const began = performance.now()
  const faults = new Map<string, number>()
  let histories = 0
  let passes = 0
  let starts = 0
  const property = fc.asyncProperty(history, async (drawn) => {
    const run = runHistory(drawn)
    histories += 1
    passes += run.passes
    starts += run.starts
    for (const [kind, count] of run.faults) faults.set(kind, (faults.get(kind) ?? 0) + count)
    if (histories % breatheEvery === 0) await breathe()
    return run.wrongs.length === 0
  })
  const details = await fc.check(property, {
    seed,
    ...(seconds === null ? {} : { interruptAfterTimeLimit: seconds * 1000 }),
    ...(path === null ? { numRuns: runs } : { numRuns: 1, path, endOnFailure: true })
  })
  const { counterexample, counterexamplePath, errorInstance, numRuns } = details
  // A property that answers false has no error of its own: one that has is a fault of the simulation.
  if (details.failed && counterexample === null) throw errorInstance
  return {
    histories,
    passes,
    starts,
    faults,
    seconds: (performance.now() - began) / 1000,
    violation:
      counterexample === null
        ? null
        : { history: counterexample[0], path: counterexamplePath ?? "", foundAfter: numRuns }
  }
}

/** One line: how much was seen. */
export const summaryOf = ({ faults, histories, passes, seconds, starts, violation }: Checked): string => {
  const counted = [...faults].sort(([, left], [, right]) => right - left)
  const total = counted.reduce((sum, [, count]) => sum + count, 0)
  const crashes = counted.filter(([kind]) => kind.startsWith("crash")).reduce((sum, [, count]) => sum + count, 0)
  return [
    `${histories} histories, ${passes} passes, ${starts} starts, ${total} faults (${counted.map(([kind, count]) => `${kind} ${count}`).join(", ")})`,
    `${crashes} crashes, ${violation === null ? 0 : 1} violations, ${seconds.toFixed(1)} s`
  ].join("; ")
}
