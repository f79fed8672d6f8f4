/**
 * Tries to link a claim or a tombstone for one epoch after another, each at the moment agreed with its rival, and prints
 * what came of each.
 */
import { join } from "node:path"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { ClaimFile } from "@tinyscheduler/core/domain/Lease"
import { LeaseStore } from "@tinyscheduler/core/ports/LeaseStore"
import { makeDurableFiles } from "../../src/DurableFiles.ts"
import { encodeFile } from "../../src/encodeFile.ts"
import { layer } from "../../src/LeaseStore.ts"
import { resolveStatePaths, stateDefaults } from "../../src/StatePaths.ts"
import { claim, epoch, heldLock } from "../fixture.ts"

const [, , basePath = "", kind = "", startMs = "", rounds = ""] = process.argv
const paths = resolveStatePaths({ basePath, ...stateDefaults })
const writer = { pid: process.pid, pidStart: 1, bootId: "b" }
const files = makeDurableFiles(writer, null)
const encode = encodeFile(ClaimFile)

const link = Effect.fnUntraced(function* (round: number) {
  const wanted = claim({ epoch: epoch(round) })
  if (kind === "tombstone") return yield* (yield* LeaseStore).tombstone(wanted)
  const path = join(paths.claims, `${wanted.taskId}.${round}`)
  return yield* Effect.try({
    try: () => files.create(path, encode({ ...wanted, kind: "claim" })),
    catch: () => "exists" as const
  }).pipe(Effect.match({ onFailure: (exists) => exists, onSuccess: () => "won" as const }))
})

const program = Effect.gen(function* () {
  const results: Array<string> = []
  for (let round = 1; round <= Number(rounds); round += 1) {
    yield* Effect.sleep(Math.max(0, Number(startMs) + round * 20 - Date.now() - 2))
    while (Date.now() < Number(startMs) + round * 20) {
      // Both begin within the same millisecond.
    }
    results.push(yield* link(round))
  }
  yield* Effect.sync(() => process.stdout.write(`${JSON.stringify(results)}\n`))
})

await Effect.runPromise(program.pipe(Effect.provide(layer({ paths, writer }).pipe(Layer.provide(heldLock)))))
