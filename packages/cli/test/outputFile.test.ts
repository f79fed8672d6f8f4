/** Files that commands are told to write: whole or not at all, and only where a file or nothing is. */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import { onTestFinished } from "vitest"
import { writeOutputFile } from "../src/output/outputFile.ts"

const thing = { what: "the thing", flag: "-o" }

const inDirectory = () => {
  const directory = mkdtempSync(join(tmpdir(), "tinyscheduler-output-"))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  return { directory, path: join(directory, "thing.json") }
}

const failureOf = (result: Result.Result<void, string>): string => (Result.isFailure(result) ? result.failure : "")

describe("an output file", () => {
  it("is ours alone unless it is said otherwise, takes the place of another, and leaves nothing beside it", () => {
    const { directory, path } = inDirectory()
    assert.isTrue(Result.isSuccess(writeOutputFile(path, "first", thing)))
    assert.strictEqual(statSync(path).mode & 0o777, 0o600)
    chmodSync(path, 0o666)
    assert.isTrue(Result.isSuccess(writeOutputFile(path, "second", thing)))
    assert.deepStrictEqual([readFileSync(path, "utf8"), statSync(path).mode & 0o777], ["second", 0o600])
    assert.isTrue(Result.isSuccess(writeOutputFile(path, "third", { ...thing, mode: 0o644 })))
    assert.strictEqual(statSync(path).mode & 0o077, 0o044)
    assert.deepStrictEqual(readdirSync(directory), ["thing.json"])
  })

  it("takes the place of no link and no directory, and says by which flag another is named", () => {
    const { directory, path } = inDirectory()
    const victim = join(directory, "victim")
    writeFileSync(victim, "untouched")
    symlinkSync(victim, path)
    assert.strictEqual(
      failureOf(writeOutputFile(path, "x", thing)),
      `the thing was not written: ${path} is a symbolic link; name another with -o`
    )
    const place = join(directory, "place")
    mkdirSync(place)
    assert.include(
      failureOf(writeOutputFile(place, "x", { ...thing, flag: "--svg" })),
      "is not a file; name another with --svg"
    )
    assert.strictEqual(readFileSync(victim, "utf8"), "untouched")
    assert.deepStrictEqual(readdirSync(directory).sort(), ["place", "thing.json", "victim"])
  })

  it("that can't be written is one sentence, also where a directory on the way is none", () => {
    const { directory, path } = inDirectory()
    const nowhere = join(directory, "no", "such")
    assert.strictEqual(
      failureOf(writeOutputFile(nowhere, "x", thing)),
      `the thing was not written to ${nowhere}: there is no such file or directory (ENOENT)`
    )
    writeFileSync(path, "before")
    assert.include(failureOf(writeOutputFile(join(path, "below"), "x", thing)), "(ENOTDIR)")
    assert.isFalse(existsSync(nowhere))
    assert.strictEqual(readFileSync(path, "utf8"), "before")
  })
})
