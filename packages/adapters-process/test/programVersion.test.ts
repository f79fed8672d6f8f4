/** Asking a program for its version: what it may say, and that nothing of it is left. */
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { startOf } from "../src/Machine.ts"
import { askVersion, parseVersion } from "../src/programVersion.ts"
import { thisMachine } from "../src/thisMachine.ts"

const folder = mkdtempSync(join(tmpdir(), "tinyscheduler-version-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const inFolder = (name: string): string => join(folder, name)

const ask = (script: string, waitMs = 30_000) => {
  const program = inFolder("program")
  writeFileSync(program, `#!/bin/sh\n${script}\n`)
  chmodSync(program, 0o755)
  const environment = { PATH: process.env["PATH"] ?? "", FOLDER: folder }
  return askVersion({ program, cwd: "/", environment, waitMs })
}

describe("a version", () => {
  it.each([
    { said: " 1.53.0\n", text: "1.53.0" },
    { said: "2.1.14 (Claude Code)", text: "2.1.14" },
    { said: "codex-cli 0.169.0", text: "0.169.0" },
    { said: "warning: slow disk\ngoose v1.9\n", text: "1.9" },
    { said: "1.60.2-rc1", text: "1.60.2" }
  ])("is found anywhere: $said", ({ said, text }) => {
    const answer = parseVersion(said)
    assert.strictEqual(answer._tag === "Version" ? answer.text : answer.why, text)
  })

  it("is not told by words alone", () => {
    assert.deepStrictEqual(parseVersion("no idea 7"), { _tag: "Untold", why: "said no version" })
  })

  it.live("may be said on stderr", () =>
    Effect.map(ask("echo goose 1.40.1 >&2"), (answer) =>
      assert.deepStrictEqual(answer, { _tag: "Version", text: "1.40.1", numbers: [1, 40, 1] })
    )
  )

  it.live("is not believed of a program that fails, or can't be run", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* ask("echo 1.40.1; exit 3"), { _tag: "Untold", why: "ended with 3" })
      const nowhere = { program: inFolder("nowhere"), cwd: "/", environment: {}, waitMs: 30_000 }
      assert.strictEqual((yield* askVersion(nowhere))._tag, "Untold")
    })
  )
})

/** A process is killed before it is waited for by whoever inherits it. */
const gone = (pid: number) =>
  Effect.gen(function* () {
    while (startOf(thisMachine, pid) !== null) yield* Effect.sleep("10 millis")
  })

describe("a program that is asked", () => {
  it.live("reads nothing, is given up after a while, and leaves nothing of its group", () =>
    Effect.gen(function* () {
      const answer = yield* ask('cat > "$FOLDER/input"; sleep 600 & echo $! > "$FOLDER/child"; wait', 1500)
      assert.deepStrictEqual(answer, { _tag: "Untold", why: "did not answer within 1.5 s" })
      assert.strictEqual(readFileSync(inFolder("input"), "utf8"), "")
      yield* gone(Number(readFileSync(inFolder("child"), "utf8")))
    })
  )

  it.live("leaves nothing behind that holds its output open", () =>
    Effect.gen(function* () {
      rmSync(inFolder("child"), { force: true })
      const answer = yield* ask('sleep 600 & echo $! > "$FOLDER/child"; echo 1.2.3')
      assert.strictEqual(answer._tag, "Version")
      assert.isTrue(existsSync(inFolder("child")))
      yield* gone(Number(readFileSync(inFolder("child"), "utf8")))
    })
  )
})
