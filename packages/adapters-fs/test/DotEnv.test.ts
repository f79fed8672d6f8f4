import { chmodSync, symlinkSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { readDotEnv } from "../src/DotEnv.ts"
import { makePaths, put } from "./fixture.ts"

describe("the .env file", () => {
  it.live("gives its variables, quotes and comments as Node reads them", () =>
    Effect.gen(function* () {
      const { base } = yield* makePaths
      const path = put(
        join(base, ".env"),
        `# where\nTINYSCHEDULER_BASE_PATH=/srv/x # here\nexport A="one\\ntwo"\nLIMITS='{"dispatcher": 1}'\n__proto__=x\nEMPTY=\n`
      )
      assert.deepStrictEqual(
        [...(yield* readDotEnv(path))]
          .filter(([name]) => name !== "__proto__")
          .map(([name, value]) => `${name}=${value}`)
          .sort(),
        ["A=one\ntwo", "EMPTY=", 'LIMITS={"dispatcher": 1}', "TINYSCHEDULER_BASE_PATH=/srv/x"]
      )
    })
  )

  it.live("a missing one is told apart from one that can't be used; a link is followed", () =>
    Effect.gen(function* () {
      const { base } = yield* makePaths
      const path = join(base, ".env")
      assert.strictEqual((yield* Effect.flip(readDotEnv(path))).message, `there is no ${path}`)
      symlinkSync(put(join(base, "shared.env"), "A=1"), path)
      assert.deepStrictEqual([...(yield* readDotEnv(path))], [["A", "1"]])
      chmodSync(join(base, "shared.env"), 0o666)
      const error = yield* Effect.flip(readDotEnv(path))
      assert.strictEqual(error._tag, "DotEnvUnreadable")
      assert.strictEqual(error.message, `${path} can be written by everybody`)
    })
  )
})
