import { execFileSync, spawn, spawnSync } from "node:child_process"
import {
  chmodSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync
} from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import { Term } from "@tinyscheduler/core/domain/identifiers"
import { SchedulerLock } from "@tinyscheduler/core/ports/SchedulerLock"
import { lockByHelper } from "../src/flock.ts"
import { layer, layerReadOnly, readHolder } from "../src/SchedulerLock.ts"
import type { StatePaths } from "../src/StatePaths.ts"
import { firstLine, killed, spawnProgram, startProgram } from "./children/start.ts"
import { isRoot, jsonAt, leaseAt, leaseText, makePaths, modeOf, put, runningLease, taskId, writer } from "./fixture.ts"

const lockOf = Effect.fnUntraced(function* (paths: StatePaths) {
  const context = yield* Layer.build(layer({ paths, writer }))
  return yield* SchedulerLock.pipe(Effect.provide(context))
})

const world = Effect.gen(function* () {
  const paths = yield* makePaths
  return { paths, lock: yield* lockOf(paths) }
})

describe("SchedulerLock", () => {
  it.live("is held by one at a time, and says by whom", () =>
    Effect.gen(function* () {
      const { lock, paths } = yield* world
      const held = yield* lock.acquire
      assert.deepStrictEqual(held, { term: Term.make(1), termProblem: null })
      yield* lock.confirm
      const error = yield* Effect.flip((yield* lockOf(paths)).acquire)
      assert.strictEqual(error.message, `another scheduler holds ${paths.lock} (pid ${process.pid}, term 1)`)
      assert.deepStrictEqual(jsonAt(paths.lock), { pid: process.pid, start: 12_345, boot_id: "boot-1", term: 1 })
      assert.strictEqual(modeOf(paths.lock), 0o600)
      assert.strictEqual(modeOf(paths.state), 0o700)
    }).pipe(Effect.scoped)
  )

  it.live("is released when its scope closes; its file stays, and each taking raises the term", () =>
    Effect.gen(function* () {
      const { lock, paths } = yield* world
      for (const term of [1, 2, 3]) {
        const scope = yield* Scope.make()
        assert.strictEqual((yield* lock.acquire.pipe(Scope.provide(scope))).term, term)
        yield* Scope.close(scope, Exit.void)
        assert.include((yield* Effect.flip(lock.confirm)).message, "this process does not hold it")
      }
      assert.isTrue(existsSync(paths.lock))
      assert.strictEqual(readFileSync(paths.term, "utf8"), "3\n")
    })
  )

  it.live("counts on from the leases when the term can't be read", () =>
    Effect.gen(function* () {
      for (const content of [null, "", "31x", "-4", "9007199254740993", "1e3"]) {
        const { lock, paths } = yield* world
        put(leaseAt(paths, 1), leaseText(runningLease({ taskId: taskId(1), term: Term.make(31) })))
        put(leaseAt(paths, 2), "torn{")
        if (content !== null) put(paths.term, content)
        assert.strictEqual((yield* lock.acquire).term, 32, `term ${content}`)
      }
      const { lock, paths } = yield* world
      put(paths.term, "40\n")
      assert.strictEqual((yield* lock.acquire).term, 41)
    }).pipe(Effect.scoped)
  )

  it.live("is held without a term where that can't be raised, and then lets nothing be written", () =>
    Effect.gen(function* () {
      const { lock, paths } = yield* world
      mkdirSync(paths.term, { recursive: true })
      const held = yield* lock.acquire
      assert.strictEqual(held.term, null)
      assert.include(held.termProblem, "can't be raised: there is a directory in its place (EISDIR)")
      assert.include((yield* Effect.flip(lock.confirm)).message, "can't be raised")
      assert.deepStrictEqual(
        readdirSync(paths.state).filter((name) => name.startsWith(".tmp")),
        []
      )
    }).pipe(Effect.scoped)
  )

  it.live.each([
    ["deleted", (paths: StatePaths) => unlinkSync(paths.lock), "its file was deleted"],
    [
      "replaced",
      (paths: StatePaths) => renameSync(put(join(paths.state, "x"), ""), paths.lock),
      "its file was replaced"
    ],
    [
      "made a link",
      (paths: StatePaths) => {
        renameSync(paths.lock, join(paths.state, "moved"))
        symlinkSync(join(paths.state, "moved"), paths.lock)
      },
      "its file was replaced"
    ],
    ["overtaken", (paths: StatePaths) => put(paths.term, "2\n"), "term 2 has begun after ours, 1"],
    ["left without a term", (paths: StatePaths) => put(paths.term, "?"), "term holds no term"],
    [
      "left with a term that nobody may read",
      (paths: StatePaths) => (rmSync(paths.term), mkdirSync(paths.term)),
      "term is a directory, not a file"
    ]
  ] as const)("is lost when it is %s", ([, harm, reason]) =>
    Effect.gen(function* () {
      const { lock, paths } = yield* world
      yield* lock.acquire
      harm(paths)
      const error = yield* Effect.flip(lock.confirm)
      assert.strictEqual(error._tag, "LockLost")
      assert.include(error.message, reason)
    }).pipe(Effect.scoped)
  )

  it.live("is not tried through links, pipes and directories", () =>
    Effect.gen(function* () {
      const plant = [
        ["it is a symbolic link (ELOOP)", (path: string) => symlinkSync("/etc/passwd", path)],
        ["it is a named pipe, not a file", (path: string) => execFileSync("mkfifo", [path])],
        ["there is a directory in its place (EISDIR)", (path: string) => mkdirSync(path)]
      ] as const
      for (const [reason, make] of plant) {
        const { lock, paths } = yield* world
        mkdirSync(paths.state, { mode: 0o700 })
        make(paths.lock)
        const error = yield* Effect.flip(lock.acquire)
        assert.strictEqual(error._tag, "LockUnavailable")
        assert.include(error.message, reason)
      }
    }).pipe(Effect.scoped)
  )

  it.live("says in one sentence that there is no flock program, or that it failed", () =>
    Effect.sync(() => {
      const descriptor = openSync("/dev/null", "r")
      const absent = lockByHelper(descriptor, ["no-such-flock", "/none/flock"])
      assert.deepStrictEqual(absent, {
        _tag: "Failed",
        reason: "the flock program is not on PATH (it comes with util-linux or busybox)"
      })
      const failed = lockByHelper(descriptor, ["/bin/ls"])
      assert.match(failed._tag === "Failed" ? failed.reason : failed._tag, /^flock\(1\) failed: /)
    })
  )

  it.live.skipIf(!isRoot)("an unwritable directory is one sentence for another user (needs root and setpriv)", () =>
    Effect.gen(function* () {
      const { paths } = yield* world
      mkdirSync(paths.state, { mode: 0o755 })
      chmodSync(paths.base, 0o755)
      const script = `
        import * as Effect from "effect/Effect"
        import { SchedulerLock } from "@tinyscheduler/core/ports/SchedulerLock"
        import { layer } from "${new URL("../src/SchedulerLock.ts", import.meta.url).pathname}"
        import { resolveStatePaths, stateDefaults } from "${new URL("../src/StatePaths.ts", import.meta.url).pathname}"
        const paths = resolveStatePaths({ basePath: ${JSON.stringify(paths.base)}, ...stateDefaults })
        const writer = { pid: process.pid, pidStart: 1, bootId: "b" }
        const program = Effect.scoped(Effect.flip(Effect.flatMap(SchedulerLock, (lock) => lock.acquire)))
        console.log((await Effect.runPromise(program.pipe(Effect.provide(layer({ paths, writer }))))).message)`
      const args = ["--reuid=65534", "--clear-groups", process.execPath, "--conditions=source", "--input-type=module"]
      const cwd = new URL("..", import.meta.url).pathname
      const run = spawnSync("setpriv", [...args, "-e", script], { cwd, encoding: "utf8" })
      assert.include(run.stdout, "can't be taken: permission denied (EACCES)", run.stderr)
    })
  )

  it.live("leaves the content alone until it is held", () =>
    Effect.gen(function* () {
      const { lock, paths } = yield* world
      const child = yield* startProgram(() => spawnProgram("holdLock.ts", [paths.base]))
      yield* Effect.promise(() => firstLine(child))
      const before = readFileSync(paths.lock, "utf8")
      const error = yield* Effect.flip(lock.acquire)
      assert.include(error.message, `(pid ${child.pid}, term 1)`)
      assert.strictEqual(readFileSync(paths.lock, "utf8"), before)
    }).pipe(Effect.scoped)
  )

  it.live("is freed by SIGKILL, although a child of the holder lives on", () =>
    Effect.gen(function* () {
      const { lock, paths } = yield* world
      const child = yield* startProgram(() => spawnProgram("holdLock.ts", [paths.base, "with-child"]))
      const line: { readonly child: number } = JSON.parse(yield* Effect.promise(() => firstLine(child)))
      assert.strictEqual((yield* Effect.flip(lock.acquire))._tag, "LockHeld")
      yield* Effect.promise(() => killed(child))
      process.kill(line.child, 0)
      const started = performance.now()
      assert.strictEqual((yield* lock.acquire).term, 2)
      console.info(`taken ${(performance.now() - started).toFixed(1)} ms after the holder's SIGKILL`)
      process.kill(line.child, "SIGKILL")
    }).pipe(Effect.scoped)
  )

  it.live("only looks when told so", () =>
    Effect.gen(function* () {
      const paths = yield* makePaths
      const lock = yield* SchedulerLock.pipe(Effect.provide(yield* Layer.build(layerReadOnly(paths))))
      assert.include((yield* Effect.flip(lock.acquire)).message, "this command only looks")
      assert.include((yield* Effect.flip(lock.confirm)).message, "this command only looks")
      assert.deepStrictEqual(readdirSync(paths.base), [])
    }).pipe(Effect.scoped)
  )

  it("reads what earlier holders wrote, and nothing into what they did not", () => {
    const path = put(`/tmp/adapters-fs-holder-${process.pid}`, "4711\n")
    assert.strictEqual(readHolder(path), "pid 4711")
    put(path, '{"pid": 5, "term": 7}')
    assert.strictEqual(readHolder(path), "pid 5, term 7")
    put(path, '{"pid": "\u001b[31m"}')
    assert.strictEqual(readHolder(path), null)
    unlinkSync(path)
    assert.strictEqual(readHolder(path), null)
  })
})

const hasPython = spawnSync("python3", ["-c", "import fcntl"]).status === 0

describe("SchedulerLock beside the Python version", () => {
  const python = `
import fcntl, sys, os
handle = open(sys.argv[1], "a")
try:
    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    print("held", flush=True)
except OSError:
    print("refused", flush=True)
sys.stdin.read()
`
  it.live.skipIf(!hasPython)("neither gets in while the other holds it (needs python3)", () =>
    Effect.gen(function* () {
      const { lock, paths } = yield* world
      mkdirSync(paths.state, { mode: 0o700 })
      const start = () => spawn("python3", ["-c", python, paths.lock], { stdio: ["pipe", "pipe", "inherit"] })
      const first = yield* startProgram(start)
      assert.strictEqual(yield* Effect.promise(() => firstLine(first)), "held")
      assert.strictEqual((yield* Effect.flip(lock.acquire))._tag, "LockHeld")
      yield* Effect.promise(() => killed(first))
      yield* lock.acquire
      const second = yield* startProgram(start)
      assert.strictEqual(yield* Effect.promise(() => firstLine(second)), "refused")
    }).pipe(Effect.scoped)
  )
})
