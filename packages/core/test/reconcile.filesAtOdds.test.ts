/** Whatever the files of a task say together, a plan of them breaks no invariant, so that the audit has nothing to refuse. */
import { describe, expect, it } from "vitest"
import { violationsOf } from "../src/reconcile/invariants/invariants.ts"
import { reconcile } from "../src/reconcile/reconcile.ts"
import { epochMaxOf, evidence, here, oneAgent } from "./builders.ts"
import { filesAtOdds, shortFiles } from "./filesAtOdds.ts"
import type { FilesAtOdds } from "./filesAtOdds.ts"

const faultsMax = 20

const faultsOf = (combinations: ReadonlyArray<FilesAtOdds>): ReadonlyArray<string> => {
  const faults: Array<string> = []
  for (const files of combinations) {
    for (const openStart of [null, evidence.claimDead]) {
      const { desired, observed } = oneAgent()
        .addTask(1)
        .addRecord(1, { ...files, openStart, epochMax: epochMaxOf(files) })
        .build()
      const broken = violationsOf(observed, desired, reconcile(observed, desired))
      faults.push(...broken.map(({ message }) => `${message}: ${shortFiles(files)}`))
    }
  }
  return faults
}

describe("every combination of claims and attempts file", () => {
  it.each(filesAtOdds({ epochs: [1, 2, 3], place: here, mayLive: "supervisors" }))(
    "over three epochs, beside %s",
    (_name, combinations) => {
      expect(combinations.length).toBeGreaterThan(1000)
      expect(faultsOf(combinations).slice(0, faultsMax)).toEqual([])
    }
  )

  it.each(filesAtOdds({ epochs: [1, 2], place: here, mayLive: "anything" }))(
    "over two epochs, with agents left alone and attempts that nobody can see, beside %s",
    (_name, combinations) => {
      expect(faultsOf(combinations).slice(0, faultsMax)).toEqual([])
    }
  )
})
