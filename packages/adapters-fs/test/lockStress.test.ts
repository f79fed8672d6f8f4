import type { ChildProcess } from "node:child_process"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { killed, spawnProgram } from "./children/start.ts"
import { makePaths } from "./fixture.ts"

const contendersCount = 4
/** More grants for a night: LOCK_GRANTS=5000. */
const grantsWanted = Number(process.env["LOCK_GRANTS"] ?? 200)
/** So that a slow machine, which starts contenders slowly, gets on too. */
const grantsPerKill = 3

const linesOf = (path: string): ReadonlyArray<string> => {
  try {
    return readFileSync(path, "utf8").split("\n").filter(Boolean)
  } catch {
    return []
  }
}

/** Kills one of ours: mostly the one that says it holds the lock, so that most kills hit a holder. */
const chooseVictim = (contenders: ReadonlyArray<ChildProcess>, base: string): number => {
  const holder = Number(linesOf(join(base, "oracle"))[0]?.split(" ")[0])
  const index = contenders.findIndex((child) => child.pid === holder)
  return index >= 0 && Math.random() < 0.8 ? index : Math.floor(Math.random() * contenders.length)
}

describe("SchedulerLock under many contenders", () => {
  it.live(
    "grants the lock to one at a time while its holders are killed",
    () =>
      Effect.gen(function* () {
        const { base } = yield* makePaths
        const contenders = Array.from({ length: contendersCount }, () => spawnProgram("contend.ts", [base]))
        yield* Effect.addFinalizer(() => Effect.promise(() => Promise.all(contenders.map(killed))))
        let kills = 0
        const grantCount = () => linesOf(join(base, "grants")).length
        let grantsAtKill = contendersCount
        while (grantCount() < grantsWanted) {
          yield* Effect.sleep(5)
          if (grantCount() < grantsAtKill + grantsPerKill) continue
          const victim = chooseVictim(contenders, base)
          const child = contenders[victim]
          if (child === undefined) continue
          grantsAtKill = grantCount()
          yield* Effect.promise(() => killed(child))
          kills += 1
          contenders[victim] = spawnProgram("contend.ts", [base])
        }
        const grants = linesOf(join(base, "grants"))
        const terms = grants.map((line) => Number(line.split(" ")[1]))
        const violations = linesOf(join(base, "violations"))
        console.info(`${grants.length} grants, ${kills} kills, ${violations.length} violations`)
        assert.deepStrictEqual(violations, [])
        assert.isAtLeast(grants.length, grantsWanted)
        assert.deepStrictEqual(
          terms,
          [...new Set(terms)].sort((left, right) => left - right)
        )
      }),
    120_000 + grantsWanted * 500
  )
})
