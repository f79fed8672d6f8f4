/**
 * Takes and releases the lock again and again, until it is killed. The oracle is a file that says who holds it: whoever
 * is granted the lock must find nobody there who lives, and itself when it leaves. Grants and violations are appended.
 */
import { appendFileSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import { SchedulerLock } from "@tinyscheduler/core/ports/SchedulerLock"
import { layer } from "../../src/SchedulerLock.ts"
import { resolveStatePaths, stateDefaults } from "../../src/StatePaths.ts"

const [, , basePath = ""] = process.argv
const paths = resolveStatePaths({ basePath, ...stateDefaults })
const startOf = (pid: string): string | null => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8")
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
    return fields[0] === "Z" || fields[0] === "X" ? null : (fields[19] ?? null)
  } catch {
    return null
  }
}
const writer = { pid: process.pid, pidStart: Number(startOf("self")), bootId: "b" }
const me = `${process.pid} ${writer.pidStart}`
const oracle = join(basePath, "oracle")

const readOracle = Effect.sync(() => {
  try {
    return readFileSync(oracle, "utf8")
  } catch {
    return ""
  }
})

const violate = (what: string) => Effect.sync(() => appendFileSync(join(basePath, "violations"), `${me}: ${what}\n`))

/** The kernel frees the lock of a killed process a moment before /proc shows it as dead. */
const awaitDeath = Effect.fnUntraced(function* (holder: string) {
  const [pid = "", start] = holder.split(" ")
  for (let tries = 0; tries < 200; tries += 1) {
    if (startOf(pid) !== start) return
    yield* Effect.sleep(5)
  }
  yield* violate(`${holder} holds it and lives`)
})

const once = Effect.gen(function* () {
  const lock = yield* SchedulerLock
  const { term } = yield* lock.acquire
  const before = yield* readOracle
  if (before !== "") yield* awaitDeath(before)
  yield* Effect.sync(() => {
    writeFileSync(oracle, me)
    appendFileSync(join(basePath, "grants"), `${process.pid} ${term}\n`)
  })
  yield* lock.confirm.pipe(Effect.catch((error) => violate(error.message)))
  yield* Effect.sleep(Math.random() * 6)
  if ((yield* readOracle) !== me) yield* violate("somebody else took it meanwhile")
  yield* lock.confirm.pipe(Effect.catch((error) => violate(error.message)))
  yield* Effect.sync(() => writeFileSync(oracle, ""))
})

const loop = Effect.scoped(once).pipe(
  Effect.catchTag("LockHeld", () => Effect.void),
  Effect.andThen(Effect.sleep(Math.random() * 4)),
  Effect.forever
)

await Effect.runPromise(loop.pipe(Effect.provide(layer({ paths, writer }))))
