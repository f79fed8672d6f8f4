import { execFileSync, spawnSync } from "node:child_process"
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { LeaseStore } from "@tinyscheduler/core/ports/LeaseStore"
import { AttemptHistory } from "@tinyscheduler/core/ports/AttemptHistory"
import type { FileCalls } from "@tinyscheduler/core/protocol/durableWrite"
import * as AttemptHistoryFiles from "../src/AttemptHistory.ts"
import { nodeFileCalls } from "../src/fileCalls.ts"
import { layer } from "../src/LeaseStore.ts"
import type { StatePaths } from "../src/StatePaths.ts"
import {
  attempts,
  claim,
  heldLock,
  historyLine,
  isRoot,
  leaseAt,
  makePaths,
  startingLease,
  stopRecord,
  taskId,
  token,
  writer
} from "./fixture.ts"

const storeOf = Effect.fnUntraced(function* (paths: StatePaths, calls: FileCalls = nodeFileCalls) {
  const options = { paths, writer, calls }
  const layers = Layer.mergeAll(layer(options), AttemptHistoryFiles.layer(options)).pipe(Layer.provide(heldLock))
  const context = yield* Layer.build(layers)
  return {
    store: yield* LeaseStore.pipe(Effect.provide(context)),
    history: yield* AttemptHistory.pipe(Effect.provide(context))
  }
})

const failure = (code: string): never => {
  throw Object.assign(new Error(`${code}: injected`), { code })
}

/** Node's calls, of which the n-th fails. Closing a descriptor is left out: it is called on the way out. */
const failing = (at: number, code: string) => {
  let count = 0
  const step = <A>(run: () => A): A => {
    count += 1
    return count === at ? failure(code) : run()
  }
  const calls: FileCalls = {
    openExclusive: (path) => step(() => nodeFileCalls.openExclusive(path)),
    openDirectory: (path) => step(() => nodeFileCalls.openDirectory(path)),
    write: (descriptor, bytes, offset) =>
      step(() => nodeFileCalls.write(descriptor, bytes.subarray(0, offset + 100), offset)),
    fsync: (descriptor) => step(() => nodeFileCalls.fsync(descriptor)),
    close: nodeFileCalls.close,
    link: (existing, path) => step(() => nodeFileCalls.link(existing, path)),
    rename: (from, to) => step(() => nodeFileCalls.rename(from, to)),
    unlink: (path) => step(() => nodeFileCalls.unlink(path))
  }
  return { calls, reached: () => count >= at }
}

const id = taskId(1001)

describe("a disk that fails", () => {
  it.live("at any call of any write: one sentence with the path, never a torn file, never a lost lease", () =>
    Effect.gen(function* () {
      let faults = 0
      for (const code of ["ENOSPC", "EIO", "EROFS"]) {
        for (let at = 1; at < 60; at += 1) {
          const paths = yield* makePaths
          const whole = yield* storeOf(paths)
          for (const directory of [paths.claims, paths.stops, paths.attempts])
            mkdirSync(directory, { recursive: true, mode: 0o700 })
          yield* whole.store.create(startingLease({ taskId: taskId(1) }))
          const { calls, reached } = failing(at, code)
          const { history, store } = yield* storeOf(paths, calls)
          const removed = yield* Effect.result(store.removeLease(taskId(1), token("2")))
          const results = [
            removed,
            yield* Effect.result(store.create(startingLease())),
            yield* Effect.result(store.tombstone(claim())),
            yield* Effect.result(store.writeStop(stopRecord())),
            yield* Effect.result(history.write(attempts()))
          ]
          const failed = results.flatMap((result) => (result._tag === "Failure" ? [result.failure] : []))
          assert.isAtMost(failed.length, 1)
          // A lease that is not the one meant is not even moved.
          assert.isTrue(removed._tag === "Success" && !removed.success)
          for (const error of failed) {
            faults += 1
            assert.strictEqual(error._tag, "StateUnwritable")
            assert.include(error.message, `${paths.state}/`)
            assert.include(error.message, `(${code})`)
          }
          const tasks = yield* whole.store.scan
          assert.isTrue(tasks.some((task) => task.taskId === 1 && task.lease._tag === "Read"))
          for (const task of tasks) {
            assert.include(["Read", "Missing"], task.lease._tag)
            for (const one of task.claims) assert.strictEqual(one._tag, "Read")
          }
          const remembered = yield* whole.history.read(id)
          assert.isNull(remembered.problem)
          if (!reached()) break
        }
      }
      assert.isAtLeast(faults, 60)
    }).pipe(Effect.scoped)
  )

  it.live("something in a temporary file's place is not taken for a rival's lease or claim", () =>
    Effect.gen(function* () {
      const paths = yield* makePaths
      const { store } = yield* storeOf(paths, { ...nodeFileCalls, openExclusive: () => failure("EEXIST") })
      for (const write of [store.create(startingLease()), store.tombstone(claim()).pipe(Effect.asVoid)]) {
        const error = yield* Effect.flip(write)
        assert.strictEqual(error._tag, "StateUnwritable")
        assert.include(error.message, "something else is in its place (EEXIST)")
      }
    })
  )

  it.live.skipIf(!isRoot)(
    "that is full takes nothing, leaves nothing, and works again with room (needs root to mount a tmpfs)",
    () =>
      Effect.gen(function* () {
        const paths = yield* makePaths
        mkdirSync(paths.running, { recursive: true, mode: 0o700 })
        if (spawnSync("mount", ["-t", "tmpfs", "-o", "size=16k,mode=700", "tmpfs", paths.running]).status !== 0) {
          console.info("skipped: a tmpfs can't be mounted here")
          return
        }
        yield* Effect.addFinalizer(() => Effect.sync(() => execFileSync("umount", [paths.running])))
        const { store } = yield* storeOf(paths)
        yield* store.create(startingLease({ taskId: taskId(1) }))
        const filler = join(paths.running, "filler")
        const fill = Effect.try({
          try: () => writeFileSync(filler, "x".repeat(1024), { flag: "a" }),
          catch: () => "full"
        })
        yield* Effect.ignore(Effect.forever(fill))
        const error = yield* Effect.flip(store.create(startingLease()))
        assert.include(error.message, "no space is left on the device (ENOSPC)")
        assert.deepStrictEqual(readdirSync(paths.running).sort(), ["filler", "task_1.json"])
        // What is deleted needs no room.
        assert.isTrue(yield* store.removeLease(taskId(1), token("1")))
        execFileSync("rm", [filler])
        yield* store.create(startingLease())
        assert.isTrue(existsSync(leaseAt(paths, 1001)))
      }).pipe(Effect.scoped)
  )

  it.live.skipIf(!isRoot)(
    "that lets another user only look is read as ever, and refuses each write (needs root and setpriv)",
    () =>
      Effect.gen(function* () {
        const paths = yield* makePaths
        const { history, store } = yield* storeOf(paths)
        yield* store.create(startingLease())
        yield* history.append(historyLine())
        for (const directory of [paths.base, paths.state, paths.running, paths.history]) chmodSync(directory, 0o755)
        chmodSync(leaseAt(paths, 1001), 0o644)
        const child = new URL("children/writeAll.ts", import.meta.url).pathname
        const args = ["--reuid=65534", "--clear-groups", process.execPath, "--conditions=source", child, paths.base]
        const run = spawnSync("setpriv", args, { encoding: "utf8" })
        assert.deepStrictEqual(
          run.stdout.trim().split("\n"),
          [
            "scan Read",
            ...[
              "create",
              "tombstone",
              "writeStop",
              "removeLease",
              "setLeaseAside",
              "writeAttempts",
              "writeAgents",
              "append",
              "submit"
            ].map((call) => `${call} permission denied (EACCES)`)
          ],
          run.stderr
        )
        assert.isTrue(readFileSync(leaseAt(paths, 1001), "utf8").includes(token("1")))
      }).pipe(Effect.scoped)
  )
})
