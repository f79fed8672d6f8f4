/** Takes the lock of the directory given, says so, optionally leaves a child behind, and holds it until it is killed. */
import { spawn } from "node:child_process"
import * as Effect from "effect/Effect"
import { SchedulerLock } from "@tinyscheduler/core/ports/SchedulerLock"
import { layer } from "../../src/SchedulerLock.ts"
import { resolveStatePaths, stateDefaults } from "../../src/StatePaths.ts"

const [, , basePath = "", withChild = ""] = process.argv
const paths = resolveStatePaths({ basePath, ...stateDefaults })
const writer = { pid: process.pid, pidStart: 1, bootId: "b" }

const program = Effect.gen(function* () {
  const { term } = yield* (yield* SchedulerLock).acquire
  const child = withChild === "" ? undefined : spawn("sleep", ["60"], { detached: true, stdio: "ignore" })
  yield* Effect.sync(() => process.stdout.write(`${JSON.stringify({ term, child: child?.pid ?? null })}\n`))
  return yield* Effect.never
})

await Effect.runPromise(Effect.scoped(program).pipe(Effect.provide(layer({ paths, writer }))))
