/** What a state directory holds, as the real adapters read it, in the words of the steps; and what can't be read. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as AttemptHistoryFiles from "../../packages/adapters-fs/src/AttemptHistory.ts"
import { readHistory } from "../../packages/adapters-fs/src/historyFile.ts"
import * as LeaseStoreFiles from "../../packages/adapters-fs/src/LeaseStore.ts"
import { layerReadOnly } from "../../packages/adapters-fs/src/SchedulerLock.ts"
import { resolveStatePaths, stateDefaults } from "../../packages/adapters-fs/src/StatePaths.ts"
import { AttemptHistory } from "../../packages/core/src/ports/AttemptHistory.ts"
import { LeaseStore } from "../../packages/core/src/ports/LeaseStore.ts"
import type { Contents } from "./steps.ts"

export interface Stored {
  readonly contents: Contents
  readonly torn: ReadonlyArray<string>
}

export const storedContents = async (base: string): Promise<Stored> => {
  const paths = resolveStatePaths({ basePath: base, ...stateDefaults })
  const options = { paths, writer: { pid: process.pid, pidStart: 1, bootId: "" } }
  const layer = Layer.mergeAll(LeaseStoreFiles.layer(options), AttemptHistoryFiles.layer(options)).pipe(
    Layer.provide(layerReadOnly(paths))
  )
  const look = Effect.gen(function* () {
    const contents: Record<string, string> = {}
    const torn: Array<string> = []
    for (const { claims, lease, stops, taskId } of yield* LeaseStore.use(({ scan }) => scan)) {
      if (lease._tag === "Read") contents[`lease ${taskId}`] = `${lease.lease.phase} ${lease.lease.token}`
      else if (lease._tag !== "Missing") torn.push(`lease ${taskId}`)
      for (const claim of claims) {
        if (claim._tag === "Read") contents[`claim ${taskId}.${claim.epoch}`] = claim.claim.token
        else torn.push(`claim ${taskId}.${claim.epoch}`)
      }
      for (const stop of stops) contents[`stop ${taskId}.${stop.epoch}`] = stop.token
    }
    for (const { attempts, problem, taskId } of yield* AttemptHistory.use(({ scan }) => scan)) {
      if (problem !== null) torn.push(`attempts ${taskId}: ${problem}`)
      const ended = attempts?.outcomes.some(({ epoch }) => epoch === attempts.last?.epoch) === true
      if (attempts?.last != null) contents[`attempts ${taskId}`] = `${attempts.last.epoch} ${ended ? "ended" : "begun"}`
    }
    for (const line of (yield* readHistory(paths)).lines) contents[`history ${line.token}`] = line.outcome
    return { contents, torn }
  })
  return Effect.runPromise(look.pipe(Effect.provide(layer)))
}
