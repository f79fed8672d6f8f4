import { mkdirSync, mkdtempSync, renameSync, rmSync, unlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import { fileChanges } from "../src/FileWatch.ts"

const makeDirectory = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "tinyscheduler-watch-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

const watching = Effect.fnUntraced(function* (paths: ReadonlyArray<string>) {
  const wakes = yield* Queue.unbounded<void>()
  yield* fileChanges(paths, { debounce: 20, retry: 50 }).pipe(
    Stream.runForEach(() => Queue.offer(wakes, undefined)),
    Effect.forkScoped
  )
  yield* Effect.sleep(100)
  return {
    woken: Queue.take(wakes).pipe(Effect.timeout("5 seconds")),
    quiet: Effect.sleep(200).pipe(
      Effect.andThen(Queue.clear(wakes)),
      Effect.map((left) => left.length)
    )
  }
})

describe("FileWatch", () => {
  it.live("wakes when a file appears, is written, is replaced and goes; never for its neighbours", () =>
    Effect.gen(function* () {
      const directory = yield* makeDirectory
      const path = join(directory, "agent-control.json")
      const { quiet, woken } = yield* watching([path, join(directory, ".env")])
      assert.strictEqual(yield* quiet, 0)
      const steps: ReadonlyArray<() => void> = [
        () => writeFileSync(path, "[]"),
        () => writeFileSync(path, "[ ]"),
        () => {
          writeFileSync(`${path}~`, "[  ]")
          renameSync(`${path}~`, path)
        },
        () => unlinkSync(path),
        () => writeFileSync(join(directory, ".env"), "A=1")
      ]
      for (const step of steps) {
        yield* Effect.sync(step)
        yield* woken
        yield* quiet
      }
      yield* Effect.sync(() => writeFileSync(join(directory, "other.json"), "[]"))
      assert.strictEqual(yield* quiet, 0)
    }).pipe(Effect.scoped)
  )

  it.live("many changes that nobody took are one wake", () =>
    Effect.gen(function* () {
      const directory = yield* makeDirectory
      const { quiet, woken } = yield* watching([join(directory, ".env")])
      yield* Effect.sync(() => {
        for (let time = 0; time < 50; time += 1) writeFileSync(join(directory, ".env"), `A=${time}`)
      })
      yield* woken
      assert.isBelow(yield* quiet, 3)
    }).pipe(Effect.scoped)
  )

  it.live("watches again when the directory has come back", () =>
    Effect.gen(function* () {
      const directory = join(yield* makeDirectory, "settings")
      const path = join(directory, ".env")
      const { quiet, woken } = yield* watching([path])
      yield* Effect.sync(() => mkdirSync(directory))
      yield* woken
      yield* Effect.sync(() => rmSync(directory, { recursive: true }))
      yield* woken
      yield* quiet
      yield* Effect.sync(() => {
        mkdirSync(directory)
        writeFileSync(path, "A=1")
      })
      yield* woken
    }).pipe(Effect.scoped)
  )
})
