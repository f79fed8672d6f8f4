import { mkdirSync, rmSync, unlinkSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import { requestFileName } from "@tinyscheduler/core/protocol/layout"
import { requestArrivals } from "../src/RequestWatch.ts"
import type { StatePaths } from "../src/StatePaths.ts"
import { makePaths, put, token } from "./fixture.ts"

const pathOf = (paths: StatePaths, digit: string): string =>
  join(paths.requests, requestFileName({ at: "2026-01-20T04:00:00.000Z", uuid: token(digit) }))

const watching = Effect.fnUntraced(function* (paths: StatePaths) {
  const wakes = yield* Queue.unbounded<void>()
  yield* requestArrivals(paths, { debounce: 20, retry: 50 }).pipe(
    Stream.runForEach(() => Queue.offer(wakes, undefined)),
    Effect.forkScoped
  )
  yield* Effect.sleep(100)
  const woken = Queue.take(wakes).pipe(Effect.timeout("5 seconds"))
  const quiet = Effect.sleep(200).pipe(Effect.andThen(Queue.size(wakes)))
  return { woken, quiet }
})

describe("RequestWatch", () => {
  it.live("wakes for a request that was there before, and for each that comes; not for one that stays or goes", () =>
    Effect.gen(function* () {
      const paths = yield* makePaths
      put(pathOf(paths, "1"), "{}")
      const { quiet, woken } = yield* watching(paths)
      yield* woken
      put(pathOf(paths, "2"), "{}")
      yield* woken
      put(join(paths.requests, ".tmp-1-2-x"), "")
      put(join(paths.answers, `${token("1")}.json`), "{}")
      unlinkSync(pathOf(paths, "1"))
      assert.strictEqual(yield* quiet, 0)
      put(pathOf(paths, "3"), "{}")
      yield* woken
    })
  )

  it.live("waits for its directory, and watches the one that comes after it", () =>
    Effect.gen(function* () {
      const paths = yield* makePaths
      const { quiet, woken } = yield* watching(paths)
      assert.strictEqual(yield* quiet, 0)
      mkdirSync(paths.requests, { recursive: true })
      put(pathOf(paths, "1"), "{}")
      yield* woken
      rmSync(paths.requests, { recursive: true })
      yield* Effect.sleep(100)
      put(pathOf(paths, "2"), "{}")
      yield* woken
    })
  )
})
