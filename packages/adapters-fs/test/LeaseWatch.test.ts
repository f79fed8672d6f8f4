import { mkdirSync, renameSync, rmSync, unlinkSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import type { Lease } from "@tinyscheduler/core/domain/Lease"
import { leaseChanges } from "../src/LeaseWatch.ts"
import type { StatePaths } from "../src/StatePaths.ts"
import {
  finishedLease,
  leaseAt,
  leaseText,
  makePaths,
  put,
  runningLease,
  startingLease,
  taskId,
  token
} from "./fixture.ts"

/** As a supervisor does: a temporary file, then rename. */
const replace = (paths: StatePaths, lease: Lease) =>
  Effect.sync(() => {
    const path = leaseAt(paths, lease.taskId)
    renameSync(put(join(paths.running, `.tmp-1-2-${Math.random()}`), leaseText(lease)), path)
  })

const watching = Effect.fnUntraced(function* (paths: StatePaths) {
  const wakes = yield* Queue.unbounded<void>()
  yield* leaseChanges(paths, { debounce: 20, retry: 50 }).pipe(
    Stream.runForEach(() => Queue.offer(wakes, undefined)),
    Effect.forkScoped
  )
  yield* Effect.sleep(100)
  const woken = Queue.take(wakes).pipe(Effect.timeout("5 seconds"))
  const quiet = Effect.sleep(200).pipe(Effect.andThen(Queue.size(wakes)))
  return { woken, quiet }
})

describe("LeaseWatch", () => {
  it.live("wakes for leases that are there, for each phase and for a lease that goes; never for beats or litter", () =>
    Effect.gen(function* () {
      const paths = yield* makePaths
      put(leaseAt(paths, 5), leaseText(runningLease({ taskId: taskId(5) })))
      const { quiet, woken } = yield* watching(paths)
      // A pass may have read it a moment before it came to where it is.
      yield* woken
      assert.strictEqual(yield* quiet, 0)
      yield* replace(paths, startingLease())
      yield* woken
      yield* replace(paths, runningLease())
      yield* woken
      for (let beat = 0; beat < 20; beat += 1) {
        yield* replace(paths, runningLease({ beatMonoMs: beat }))
        yield* replace(paths, runningLease({ taskId: taskId(5), beatMonoMs: beat }))
      }
      yield* Effect.sync(() => put(join(paths.running, "notes.txt"), ""))
      assert.strictEqual(yield* quiet, 0)
      yield* replace(paths, finishedLease())
      yield* woken
      yield* Effect.sync(() => unlinkSync(leaseAt(paths, 1001)))
      yield* woken
      yield* replace(paths, runningLease({ taskId: taskId(5), token: token("2") }))
      yield* woken
      assert.strictEqual(yield* quiet, 0)
    }).pipe(Effect.scoped)
  )

  it.live("many changes that nobody took are one wake", () =>
    Effect.gen(function* () {
      const paths = yield* makePaths
      mkdirSync(paths.running, { recursive: true })
      const { quiet, woken } = yield* watching(paths)
      for (let id = 1; id <= 100; id += 1) put(leaseAt(paths, id), leaseText(startingLease({ taskId: taskId(id) })))
      yield* woken
      assert.strictEqual(yield* quiet, 0)
    }).pipe(Effect.scoped)
  )

  it.live("waits for a directory that is not there yet, and for one that was deleted", () =>
    Effect.gen(function* () {
      const paths = yield* makePaths
      const { quiet, woken } = yield* watching(paths)
      assert.strictEqual(yield* quiet, 0)
      put(leaseAt(paths, 1), leaseText(startingLease({ taskId: taskId(1) })))
      yield* woken
      rmSync(paths.running, { recursive: true })
      yield* woken
      put(leaseAt(paths, 2), leaseText(startingLease({ taskId: taskId(2) })))
      yield* woken
    }).pipe(Effect.scoped)
  )
})
