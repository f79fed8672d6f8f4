import { spawnSync } from "node:child_process"
import { existsSync, lstatSync, symlinkSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { makeDirectory } from "../src/makeDirectory.ts"
import { makePaths, put } from "./fixture.ts"

describe("making a directory", () => {
  it.live("makes what is missing above it, for this user alone, and answers what it made", () =>
    Effect.gen(function* () {
      const { base } = yield* makePaths
      const made = makeDirectory(join(base, "a/b/c"))
      assert.deepStrictEqual(made, [join(base, "a"), join(base, "a/b"), join(base, "a/b/c")])
      for (const path of made) assert.strictEqual(lstatSync(path).mode & 0o777, 0o700)
      assert.deepStrictEqual(makeDirectory(join(base, "a/b/c")), [])
    })
  )

  it.live("never makes the base path, nor what is above it", () =>
    Effect.gen(function* () {
      const { base } = yield* makePaths
      const gone = join(base, "a/base")
      assert.throws(() => makeDirectory(join(gone, "state/running"), gone), `there is no directory ${gone}`)
      assert.isFalse(existsSync(join(base, "a")))
      makeDirectory(gone)
      assert.deepStrictEqual(makeDirectory(join(gone, "state"), gone), [join(gone, "state")])
      // A state directory outside is no part of it.
      assert.deepStrictEqual(makeDirectory(join(base, "elsewhere"), join(base, "nowhere")), [join(base, "elsewhere")])
    })
  )

  it.live("says what stands in its way", () =>
    Effect.gen(function* () {
      const { base } = yield* makePaths
      put(join(base, "file"), "")
      assert.throws(() => makeDirectory(join(base, "file/x")), /ENOTDIR/)
      symlinkSync(join(base, "nowhere"), join(base, "link"))
      assert.throws(() => makeDirectory(join(base, "link")), /EEXIST/)
    })
  )

  // In a process of its own: what this guards against is never coming back.
  it.skipIf(process.platform !== "linux")("comes back from /proc, where nobody makes a directory", () => {
    const module = fileURLToPath(new URL("../src/makeDirectory.ts", import.meta.url))
    const program = `import(${JSON.stringify(module)}).then(({ makeDirectory }) => makeDirectory("/proc/nope/x"))`
    const { signal, stderr } = spawnSync(process.execPath, ["--conditions=source", "-e", program], {
      encoding: "utf8",
      timeout: 20_000
    })
    assert.strictEqual(signal, null)
    assert.match(stderr, /ENOENT/)
  })
})
