import { execFileSync } from "node:child_process"
import { chmodSync, chownSync, linkSync, mkdirSync, symlinkSync, truncateSync } from "node:fs"
import { createServer } from "node:net"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { readSafely, type ReadRules } from "../src/safeFile.ts"
import { isRoot, makePaths, put } from "./fixture.ts"

const rules: ReadRules = { maxBytes: 64 * 1024, trust: "state" }
const problemAt = (path: string, with_: ReadRules = rules): string => {
  const file = readSafely(path, with_)
  return file._tag === "Refused" ? file.problem : file._tag
}

describe("safeFile", () => {
  it.live("reads an ordinary file whole, and says when there is none", () =>
    Effect.gen(function* () {
      const { base } = yield* makePaths
      const file = readSafely(put(join(base, "a"), "é{}\n"), rules)
      assert.strictEqual(file._tag === "Read" ? file.text : file._tag, "é{}\n")
      assert.strictEqual(readSafely(join(base, "none"), rules)._tag, "Missing")
    })
  )

  it.live("refuses whatever is not a file of ours, in one line each", () =>
    Effect.gen(function* () {
      const { base } = yield* makePaths
      const real = put(join(base, "real"), "{}")
      symlinkSync(real, join(base, "link"))
      symlinkSync(join(base, "nowhere"), join(base, "dangling"))
      mkdirSync(join(base, "directory"))
      execFileSync("mkfifo", [join(base, "pipe")])
      const server = createServer().listen(join(base, "socket"))
      yield* Effect.promise(() => new Promise((resolve) => server.once("listening", resolve)))
      assert.strictEqual(problemAt(join(base, "link")), "is a symbolic link")
      assert.strictEqual(problemAt(join(base, "dangling")), "is a symbolic link")
      assert.strictEqual(problemAt(join(base, "directory")), "is a directory, not a file")
      assert.strictEqual(problemAt(join(base, "pipe")), "is a named pipe, not a file")
      assert.strictEqual(problemAt(join(base, "socket")), "is a socket or a device, not a file")
      assert.strictEqual(problemAt("/dev/zero"), "is a device, not a file")
      server.close()
    })
  )

  it.live("follows a link only where it is told to", () =>
    Effect.gen(function* () {
      const { base } = yield* makePaths
      symlinkSync(put(join(base, "real"), "A=1"), join(base, "link"))
      assert.strictEqual(problemAt(join(base, "link"), { ...rules, followLinks: true }), "Read")
      symlinkSync("loop", join(base, "loop"))
      const problem = problemAt(join(base, "loop"), { ...rules, followLinks: true })
      assert.strictEqual(problem, "is a symbolic link that leads to itself")
    })
  )

  it.live("reads no more than its bound: a sparse file of 1 GiB is refused at once", () =>
    Effect.gen(function* () {
      const { base } = yield* makePaths
      const path = put(join(base, "huge"), '{"agent_name": "vaela",')
      truncateSync(path, 1024 * 1024 * 1024)
      const file = readSafely(path, rules)
      assert.strictEqual(problemAt(path), "is larger than 64 KiB")
      assert.isTrue(file._tag === "Refused" && (file.head?.length ?? 0) <= 16 * 1024)
      put(path, "x".repeat(64 * 1024))
      assert.strictEqual(problemAt(path), "Read")
      put(path, "x".repeat(64 * 1024 + 1))
      assert.strictEqual(problemAt(path), "is larger than 64 KiB")
    })
  )

  it.live("refuses a state file that others can write, and a control file that everybody can", () =>
    Effect.gen(function* () {
      const { base } = yield* makePaths
      const path = put(join(base, "a"), "{}")
      const config: ReadRules = { ...rules, trust: "config" }
      chmodSync(path, 0o664)
      assert.strictEqual(problemAt(path), "can be written by its group or by others")
      assert.strictEqual(problemAt(path, config), "Read")
      chmodSync(path, 0o666)
      assert.strictEqual(problemAt(path, config), "can be written by everybody")
      chmodSync(path, 0o644)
      assert.strictEqual(problemAt(path), "Read")
    })
  )

  it.live.skipIf(!isRoot)("refuses another user's file (needs root to plant one)", () =>
    Effect.gen(function* () {
      const { base } = yield* makePaths
      const path = put(join(base, "a"), "{}")
      chownSync(path, 65_534, 65_534)
      assert.strictEqual(problemAt(path), "belongs to user 65534, not to us")
    })
  )

  it.live("takes a second link for what a crash leaves, and refuses what is not UTF-8", () =>
    Effect.gen(function* () {
      const { base } = yield* makePaths
      const path = put(join(base, "a"), "{}")
      linkSync(path, join(base, ".tmp-1-2-x"))
      assert.strictEqual(problemAt(path), "Read")
      assert.strictEqual(problemAt(put(join(base, "b"), Uint8Array.of(0x7b, 0xff, 0x7d))), "is not UTF-8 text")
    })
  )
})
