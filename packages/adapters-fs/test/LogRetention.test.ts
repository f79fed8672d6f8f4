/** Which logs go and which stay; and that the ones that go take no epoch with them. */
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, symlinkSync, utimesSync } from "node:fs"
import { join, resolve } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { AttemptsFile, type Attempts } from "@tinyscheduler/core/domain/Attempts"
import { AgentName } from "@tinyscheduler/core/domain/identifiers"
import { AttemptHistory } from "@tinyscheduler/core/ports/AttemptHistory"
import { layer as layerHistory } from "../src/AttemptHistory.ts"
import { removeOldLogs, type RetentionRules } from "../src/LogRetention.ts"
import type { StatePaths } from "../src/StatePaths.ts"
import { attempts, epoch, heldLock, isRoot, makePaths, put, taskId, token, writer } from "./fixture.ts"

const nowMs = Date.UTC(2026, 0, 20, 12)
const dayMs = 86_400_000
const dayOf = (atMs: number): string => new Date(atMs).toISOString().slice(0, 10).replaceAll("-", "")

const rules = (overrides: Partial<RetentionRules> = {}): RetentionRules => ({
  nowMs,
  keepDays: 14,
  keepBytes: 1_000_000,
  dayOf,
  ...overrides
})

const putLog = (paths: StatePaths, name: string, { bytes = 10, daysOld = 0 } = {}): string => {
  const path = put(join(paths.logs, name), "x".repeat(bytes))
  utimesSync(path, nowMs / 1000, (nowMs - daysOld * dayMs) / 1000)
  return path
}

const encodeAttempts = Schema.encodeSync(AttemptsFile)
const putAttempts = (paths: StatePaths, id: number, overrides: Partial<Attempts> = {}): string =>
  put(
    join(paths.attempts, `task_${id}.json`),
    JSON.stringify(encodeAttempts(attempts({ taskId: taskId(id), ...overrides })))
  )

const lastStart = (value: number) => ({
  epoch: epoch(value),
  token: token("1"),
  agentName: AgentName.make("vaela"),
  queue: "dev",
  prior: { status: "idle" as const, assignee: null },
  startedAt: "2026-01-01T04:00:00Z",
  startMonoMs: 1,
  bootId: "boot-1"
})
const outcome = (value: number) => ({
  epoch: epoch(value),
  token: token("1"),
  outcome: "failed" as const,
  at: "2026-01-01T04:00:00Z",
  detail: "exit 3"
})
const parked = { since: "2026-01-01T04:00:00Z", outcome: "failed" as const, count: 3 }

/** All files below the log directory, relative to it. */
const left = (paths: StatePaths): ReadonlyArray<string> =>
  readdirSync(paths.logs, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map(({ name, parentPath }) => join(parentPath, name).slice(paths.logs.length + 1))
    .sort()

describe("logs that are older than their days", () => {
  it.effect(
    "go: the scheduler's by the day in their name, an attempt's with its prompt, and its directory when empty",
    () =>
      Effect.gen(function* () {
        const paths = yield* makePaths
        // The name counts, not when somebody touched the file.
        putLog(paths, "scheduler_20260105.log")
        putLog(paths, "scheduler_20260106.log", { daysOld: 300 })
        putLog(paths, "scheduler_20260120.log", { daysOld: 300 })
        putLog(paths, "tasks/1/1.log", { daysOld: 15 })
        putLog(paths, "tasks/1/1.prompt", { daysOld: 15 })
        putLog(paths, "tasks/1/.tmp-7-8-log", { daysOld: 15 })
        putLog(paths, "tasks/2/1.log", { daysOld: 15 })
        putLog(paths, "tasks/2/2.log", { daysOld: 13 })
        mkdirSync(join(paths.logs, "tasks/3"))
        const report = yield* removeOldLogs(paths, rules())
        assert.deepStrictEqual(left(paths), ["scheduler_20260106.log", "scheduler_20260120.log", "tasks/2/2.log"])
        assert.deepStrictEqual(readdirSync(join(paths.logs, "tasks")), ["2"])
        assert.deepStrictEqual(report, { removed: 5, removedBytes: 50, leftBytes: 30, bounded: false, problems: [] })
      })
  )

  it.effect("stay while an attempt of their task may live, whatever their age and the room that they take", () =>
    Effect.gen(function* () {
      const paths = yield* makePaths
      put(join(paths.running, "task_1.json"), "not even JSON")
      put(join(paths.claims, "2.5"), "")
      putAttempts(paths, 3, { last: lastStart(2), outcomes: [outcome(1)] })
      put(join(paths.attempts, "task_4.json"), "not even JSON")
      putAttempts(paths, 5, { last: lastStart(1), outcomes: [outcome(1)] })
      for (const id of [1, 2, 3, 4, 5]) putLog(paths, `tasks/${id}/1.log`, { daysOld: 99 })
      yield* removeOldLogs(paths, rules({ keepBytes: 0 }))
      assert.deepStrictEqual(left(paths), ["tasks/1/1.log", "tasks/2/1.log", "tasks/3/1.log", "tasks/4/1.log"])
    })
  )

  it.effect("stay while their task is parked: somebody has yet to see its first failure", () =>
    Effect.gen(function* () {
      const paths = yield* makePaths
      putAttempts(paths, 1, { last: lastStart(3), outcomes: [outcome(1), outcome(2), outcome(3)], parked })
      for (const value of [1, 2, 3]) putLog(paths, `tasks/1/${value}.log`, { daysOld: 99 })
      yield* removeOldLogs(paths, rules())
      assert.lengthOf(left(paths), 3)
      putAttempts(paths, 1, { last: lastStart(3), outcomes: [outcome(1), outcome(2), outcome(3)] })
      yield* removeOldLogs(paths, rules())
      assert.lengthOf(left(paths), 0)
    })
  )

  it.effect("are not taken for logs when we never give such names, nor followed through links", () =>
    Effect.gen(function* () {
      const paths = yield* makePaths
      const outside = join(paths.base, "outside")
      const victims = [put(join(outside, "1.log"), "x"), put(join(outside, "scheduler_20200101.log"), "x")]
      for (const victim of victims) utimesSync(victim, 1, 1)
      const strange = [
        "notes.log",
        "scheduler_2026.log",
        "tasks/1/a.log",
        "tasks/1/1.log.gz",
        "tasks/x/1.log",
        "tasks/7"
      ]
      for (const name of strange) putLog(paths, name, { daysOld: 99 })
      symlinkSync(outside, join(paths.logs, "tasks/2"))
      symlinkSync(victims[0] ?? "", join(paths.logs, "tasks/1/2.log"))
      symlinkSync(victims[1] ?? "", join(paths.logs, "scheduler_20200101.log"))
      const before = left(paths)
      const report = yield* removeOldLogs(paths, rules({ keepBytes: 0 }))
      assert.deepStrictEqual(left(paths), before)
      assert.deepStrictEqual(victims.map(existsSync), [true, true])
      assert.strictEqual(report.removed, 0)
    })
  )
})

describe("logs that are too many together", () => {
  it.effect("go oldest first until the rest fits; those of parked tasks last, today's and living ones never", () =>
    Effect.gen(function* () {
      const paths = yield* makePaths
      putAttempts(paths, 1, { last: lastStart(1), outcomes: [outcome(1)], parked })
      put(join(paths.running, "task_2.json"), "")
      putLog(paths, "tasks/1/1.log", { bytes: 100, daysOld: 9 })
      putLog(paths, "tasks/2/1.log", { bytes: 100, daysOld: 8 })
      putLog(paths, "tasks/3/1.log", { bytes: 100, daysOld: 7 })
      putLog(paths, "scheduler_20260114.log", { bytes: 100, daysOld: 6 })
      putLog(paths, "tasks/4/1.log", { bytes: 100, daysOld: 5 })
      putLog(paths, "scheduler_20260120.log", { bytes: 100, daysOld: 0 })
      const keeping = (keepBytes: number) => Effect.map(removeOldLogs(paths, rules({ keepBytes })), () => left(paths))
      assert.lengthOf(yield* keeping(600), 6)
      assert.notInclude(yield* keeping(599), "tasks/3/1.log")
      assert.notInclude(yield* keeping(400), "scheduler_20260114.log")
      assert.deepStrictEqual(yield* keeping(300), ["scheduler_20260120.log", "tasks/1/1.log", "tasks/2/1.log"])
      assert.deepStrictEqual(yield* keeping(1), ["scheduler_20260120.log", "tasks/2/1.log"])
      const report = yield* removeOldLogs(paths, rules({ keepBytes: 1 }))
      assert.strictEqual(report.leftBytes, 200)
    })
  )

  it.effect("go in portions: one call removes only so many", () =>
    Effect.gen(function* () {
      const paths = yield* makePaths
      for (const id of [1, 2, 3]) putLog(paths, `tasks/${id}/1.log`, { daysOld: 99 })
      const bounded = rules({ removalsMax: 2 })
      assert.deepInclude(yield* removeOldLogs(paths, bounded), { removed: 2, bounded: true })
      assert.deepInclude(yield* removeOldLogs(paths, bounded), { removed: 1, bounded: false })
    })
  )

  it.effect("let others have their turn while they are looked through", () =>
    Effect.gen(function* () {
      const paths = yield* makePaths
      for (let value = 1; value <= 1000; value += 1) putLog(paths, `tasks/1/${value}.log`, { daysOld: 99 })
      let turns = 0
      const other = yield* Effect.sync(() => (turns += 1)).pipe(
        Effect.andThen(Effect.yieldNow),
        Effect.forever,
        Effect.forkChild
      )
      yield* removeOldLogs(paths, rules())
      yield* Fiber.interrupt(other)
      // A thousand files are looked at, and then removed, two hundred at a time; the other has a turn in every second gap.
      assert.isAtLeast(turns, 4)
      assert.lengthOf(left(paths), 0)
    })
  )
})

/** Nobody stops root: what it owns is given away, and its rights are laid down for the while. */
const asNobody = <A, E>(paths: StatePaths, effect: Effect.Effect<A, E>): Effect.Effect<A, E> => {
  if (!isRoot) return effect
  const nobody = 65_534
  const giveAway = Effect.sync(() => {
    for (const path of [paths.base, ...readdirSync(paths.base, { recursive: true, encoding: "utf8" })]) {
      chownSync(resolve(paths.base, path), nobody, nobody)
    }
    process.seteuid?.(nobody)
  })
  return Effect.acquireUseRelease(
    giveAway,
    () => effect,
    () => Effect.sync(() => process.seteuid?.(0))
  )
}

describe("a log that can't be removed", () => {
  it.effect("is named, and the others go all the same", () =>
    Effect.gen(function* () {
      const paths = yield* makePaths
      const held = putLog(paths, "tasks/1/1.log", { daysOld: 99 })
      putLog(paths, "tasks/2/1.log", { daysOld: 99 })
      chmodSync(join(paths.logs, "tasks/1"), 0o500)
      const report = yield* asNobody(paths, removeOldLogs(paths, rules())).pipe(
        Effect.ensuring(Effect.sync(() => chmodSync(join(paths.logs, "tasks/1"), 0o700)))
      )
      assert.deepStrictEqual(left(paths), ["tasks/1/1.log"])
      assert.deepStrictEqual(report.problems, [`${held}: permission denied (EACCES)`])
    })
  )

  it.effect("is every attempt's while the claims can't be read", () =>
    Effect.gen(function* () {
      const paths = yield* makePaths
      put(paths.claims, "a file in the place of the directory")
      putLog(paths, "tasks/1/1.log", { daysOld: 99 })
      putLog(paths, "scheduler_20200101.log")
      const report = yield* removeOldLogs(paths, rules())
      assert.deepStrictEqual(left(paths), ["tasks/1/1.log"])
      assert.lengthOf(report.problems, 1)
    })
  )
})

it.effect("an epoch is as high without its logs as it was with them", () =>
  Effect.gen(function* () {
    const paths = yield* makePaths
    const context = yield* Layer.build(layerHistory({ paths, writer }).pipe(Layer.provide(heldLock)))
    const history = yield* AttemptHistory.pipe(Effect.provide(context))
    putAttempts(paths, 1, { last: lastStart(7), outcomes: [outcome(6), outcome(7)] })
    putLog(paths, "tasks/1/6.log", { daysOld: 99 })
    putLog(paths, "tasks/1/7.log", { daysOld: 99 })
    const before = yield* history.scan
    yield* removeOldLogs(paths, rules())
    assert.deepStrictEqual(left(paths), [])
    assert.deepStrictEqual(yield* history.scan, before)
    assert.strictEqual(before[0]?.attempts?.last?.epoch, 7)
  })
)
