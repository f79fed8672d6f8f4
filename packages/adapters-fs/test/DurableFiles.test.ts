import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { makeDurableFiles } from "../src/DurableFiles.ts"
import { nodeFileCalls } from "../src/fileCalls.ts"
import { resolveStatePaths, stateDefaults } from "../src/StatePaths.ts"
import { makePaths, modeOf, put, writer } from "./fixture.ts"

describe("DurableFiles", () => {
  it.live("puts back what a deletion was not meant for", () =>
    Effect.gen(function* () {
      const { base } = yield* makePaths
      const path = put(join(base, "a"), "one")
      const files = makeDurableFiles(writer, null)
      assert.isFalse(files.remove(path, "mark", () => false))
      assert.strictEqual(readFileSync(path, "utf8"), "one")
      assert.isTrue(files.remove(path, "mark", () => true))
      assert.deepStrictEqual(readdirSync(base), [])
      assert.throws(() => files.remove(path, "mark", () => true), /ENOENT/)
    })
  )

  it.live("lets a newer file stand that was written while the older one was aside", () =>
    Effect.gen(function* () {
      const { base } = yield* makePaths
      const path = put(join(base, "a"), "older")
      const meant = (aside: string) => {
        assert.match(aside, /\/\.tmp-\d+-12345-[0-9a-f]{16}-mark$/)
        writeFileSync(path, "newer", { mode: 0o600 })
        return false
      }
      assert.isFalse(makeDurableFiles(writer, null).remove(path, "mark", meant))
      assert.deepStrictEqual(readdirSync(base), ["a"])
      assert.strictEqual(readFileSync(path, "utf8"), "newer")
    })
  )

  it.live("opens a temporary file never through a link and never one that is there", () =>
    Effect.gen(function* () {
      const { base } = yield* makePaths
      symlinkSync(join(base, "victim"), join(base, ".tmp-1-2-x"))
      assert.throws(() => nodeFileCalls.openExclusive(join(base, ".tmp-1-2-x")), /EEXIST/)
      put(join(base, "there"), "")
      assert.throws(() => nodeFileCalls.openExclusive(join(base, "there")), /EEXIST/)
      assert.deepStrictEqual(readdirSync(base).sort(), [".tmp-1-2-x", "there"])
    })
  )

  it.live("makes directories 0700 on the way, and takes one that is a link of its owner's", () =>
    Effect.gen(function* () {
      const { base } = yield* makePaths
      const files = makeDurableFiles(writer, null)
      files.replace(join(base, "x/y/z/a"), "one")
      for (const path of ["x", "x/y", "x/y/z"]) assert.strictEqual(modeOf(join(base, path)), 0o700)
      mkdirSync(join(base, "real"), { mode: 0o700 })
      symlinkSync(join(base, "real"), join(base, "link"))
      files.create(join(base, "link/a"), "two")
      assert.strictEqual(readFileSync(join(base, "real/a"), "utf8"), "two")
    })
  )
})

describe("StatePaths", () => {
  it("puts the state beside the running directory, wherever that is", () => {
    const paths = resolveStatePaths({ basePath: "/base", ...stateDefaults, runningDir: "var/run" })
    assert.deepStrictEqual(
      [paths.running, paths.claims, paths.term, paths.lock, paths.logs],
      ["/base/var/run", "/base/var/claims", "/base/var/term", "/base/state/tinyscheduler.lock", "/base/state/logs"]
    )
    assert.strictEqual(resolveStatePaths({ basePath: "/base", ...stateDefaults, logDir: "/log/" }).logs, "/log")
  })
})
