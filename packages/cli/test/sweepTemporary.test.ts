/** Sweeping the TMPDIRs of ended attempts: never one whose attempt may run. */
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { resolveStatePaths, stateDefaults } from "@tinyscheduler/adapters-fs/StatePaths"
import { assert, it } from "@effect/vitest"
import { onTestFinished } from "vitest"
import { sweepTemporary } from "../src/sweepTemporary.ts"

/** A state with the TMPDIRs of two attempts; only the first has its claim still. */
const twoAttempts = () => {
  const base = mkdtempSync(join(tmpdir(), "tinyscheduler-sweep-"))
  onTestFinished(() => rmSync(base, { recursive: true, force: true }))
  const paths = resolveStatePaths({ basePath: base, ...stateDefaults })
  const temporaryDir = join(paths.state, "tmp")
  for (const name of ["1.1", "2.1"]) mkdirSync(join(temporaryDir, name), { recursive: true })
  mkdirSync(paths.claims)
  writeFileSync(join(paths.claims, "1.1"), "")
  return { paths, temporaryDir, left: () => ["1.1", "2.1"].filter((name) => existsSync(join(temporaryDir, name))) }
}

it("what a dead attempt left is removed, what a claim stands for is kept", () => {
  const { left, ...state } = twoAttempts()
  assert.deepStrictEqual(sweepTemporary(state), [])
  assert.deepStrictEqual(left(), ["1.1"])
})

it("nothing is removed while the claims can't be looked at", () => {
  const { left, ...state } = twoAttempts()
  rmSync(state.paths.claims, { recursive: true })
  symlinkSync(state.paths.claims, state.paths.claims)
  assert.deepStrictEqual(sweepTemporary(state), ["1.1", "2.1"])
  assert.deepStrictEqual(left(), ["1.1", "2.1"])
})
