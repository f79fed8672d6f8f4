/** Records on real files: going on, rotation, bounds, torn ends, and disks that fail. */
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  truncateSync,
  writeFileSync
} from "node:fs"
import { dirname, join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { policyDefaults } from "@tinyscheduler/core/domain/DesiredState"
import type { Situation } from "@tinyscheduler/core/domain/Situation"
import type { Task } from "@tinyscheduler/core/domain/Task"
import { reconcile } from "@tinyscheduler/core/reconcile/reconcile"
import { makePassRecords } from "../src/PassRecords.ts"
import type { RecordRules } from "../src/PassRecords.ts"
import { lastRecord, readRecords } from "../src/readRecords.ts"
import type { RecordSource } from "../src/readRecords.ts"
import { readRecordFile } from "../src/recordFiles.ts"
import type { ReadLine } from "../src/recordFiles.ts"
import { makePaths, modeOf, put, taskId } from "./fixture.ts"

const dayMs = 86_400_000
const beganMs = Date.UTC(2026, 0, 20, 4)
const roomy: RecordRules = { keepDays: 7, keepBytes: 64 * 1024 * 1024 }

const task = (id: number, title: string): Task => ({
  id: taskId(id),
  title,
  status: "idle",
  queue: "dev",
  assignee: null,
  priority: 0,
  tags: [],
  parent: null,
  blockedBy: null,
  blocked: false,
  createdAt: "2026-01-20T03:00:00Z",
  archived: false
})

/** Tasks that nobody may take; each count of them is another set of verdicts. */
const situation = (count: number, sec = 0, title = "t"): Situation => ({
  observed: {
    nowMs: beganMs + sec * 1000,
    monoMs: sec * 1000,
    here: { host: "calypso/4f2c", bootId: "boot-1", pidNs: 1 },
    tinytask: { _tag: "Read", tasks: Array.from({ length: count }, (_, at) => task(at + 1, title)), lookedUp: [] },
    records: [],
    agents: [],
    paused: null,
    requests: [],
    recipes: [],
    startFaults: [],
    startsOffReason: null
  },
  desired: {
    mode: "queues",
    endpoint: "http://127.0.0.1:3000",
    agents: [],
    queueLimits: [],
    maxConcurrent: null,
    policy: policyDefaults
  }
})

const keeper = (directory: string, rules: RecordRules = roomy) => {
  const { record } = makePassRecords({ directory, base: dirname(dirname(directory)), rules: () => rules })
  return (made: Situation) => record({ ...made, plan: reconcile(made.observed, made.desired), withheld: [] })
}

const world = Effect.map(makePaths, (paths) => ({ paths, directory: join(paths.state, "records") }))

const linesOf = (directory: string): ReadonlyArray<ReadonlyArray<ReadLine>> =>
  readdirSync(directory)
    .sort()
    .map((name) => [...readRecordFile(join(directory, name))])

const isBase = (read: ReadLine | undefined): boolean => read?._tag === "Line" && read.line.base === true

describe("records", () => {
  it.live("begin with a line that holds everything; what decided nothing is not recorded", () =>
    Effect.gen(function* () {
      const { directory } = yield* world
      const record = keeper(directory)
      for (const [count, sec] of [
        [3, 0],
        [3, 60],
        [4, 120]
      ] as const) {
        yield* record(situation(count, sec))
      }
      assert.deepStrictEqual(readdirSync(directory), ["20260120T040000000-0000.jsonl"])
      const [lines = []] = linesOf(directory)
      assert.deepStrictEqual(lines.map(isBase), [true, false])
      assert.strictEqual(modeOf(directory), 0o700)
      assert.strictEqual(modeOf(join(directory, "20260120T040000000-0000.jsonl")), 0o600)
    })
  )

  it.live("go on in the newest file when another process makes the next pass", () =>
    Effect.gen(function* () {
      const { directory } = yield* world
      yield* keeper(directory)(situation(3))
      yield* keeper(directory)(situation(3, 60))
      yield* keeper(directory)(situation(4, -60))
      const [lines = [], ...more] = linesOf(directory)
      assert.deepStrictEqual(more, [])
      assert.deepStrictEqual(
        lines.map((read) => (read._tag === "Line" ? String(read.line.id) : read._tag)),
        ["20260120T040000000-0000", "20260120T040000000-0001"]
      )
    })
  )

  it.live("begin another file after a torn end, and in between the torn line is no record", () =>
    Effect.gen(function* () {
      const { directory } = yield* world
      const file = join(directory, "20260120T040000000-0000.jsonl")
      yield* keeper(directory)(situation(3))
      yield* keeper(directory)(situation(4, 60))
      truncateSync(file, readFileSync(file).length - 9)
      yield* keeper(directory)(situation(5, 120))
      const [torn = [], next = []] = linesOf(directory)
      assert.deepStrictEqual(
        torn.map(({ _tag }) => _tag),
        ["Line", "Torn"]
      )
      assert.deepStrictEqual(next.map(isBase), [true])
      appendFileSync(file, "\n{}\n")
      assert.deepStrictEqual(
        (linesOf(directory)[0] ?? []).map(({ _tag }) => _tag),
        ["Line", "Odd", "Odd"]
      )
    })
  )

  it.live("begin another file when one is large or a day old, and keep to days and bytes", () =>
    Effect.gen(function* () {
      const { directory } = yield* world
      const rules = { keepDays: 2, keepBytes: 3 * 1024 * 1024 }
      const record = keeper(directory, rules)
      for (let made = 0; made < 24; made += 1) {
        yield* record(situation(1 + (made % 2), made, String(made).padEnd(150_000, "x")))
        const total = linesOf(directory).length
        assert.isAtMost(total, 3)
        const bytes = readdirSync(directory).map((name) => readFileSync(join(directory, name)).length)
        assert.isAtMost(
          bytes.reduce((sum, size) => sum + size, 0),
          rules.keepBytes
        )
      }
      assert.isAbove(readdirSync(directory).length, 1)
      yield* record(situation(7, dayMs / 1000 + 100))
      assert.include(readdirSync(directory).at(-1), "20260121T")
      yield* record(situation(8, (4 * dayMs) / 1000 + 200))
      assert.deepStrictEqual(
        readdirSync(directory).map((name) => name.slice(0, 8)),
        ["20260124"]
      )
    })
  )

  it.live("are none where none are to be kept", () =>
    Effect.gen(function* () {
      const { directory, paths } = yield* world
      yield* keeper(directory, { keepDays: 7, keepBytes: 0 })(situation(3))
      assert.deepStrictEqual(readdirSync(paths.base), [])
    })
  )

  it.live("go through no link and trust no directory of others", () =>
    Effect.gen(function* () {
      const { directory, paths } = yield* world
      const victim = put(join(paths.base, "victim"), "")
      mkdirSync(directory, { recursive: true, mode: 0o700 })
      symlinkSync(victim, join(directory, "20260120T040000000-0000.jsonl"))
      assert.include((yield* Effect.flip(keeper(directory)(situation(3)))).message, "it is a symbolic link")
      assert.strictEqual(readFileSync(victim, "utf8"), "")
      chmodSync(directory, 0o777)
      assert.include((yield* Effect.flip(keeper(directory)(situation(3)))).message, "can't be read")
    })
  )

  it.live("go on when there is room again, and leave nothing half made behind", () =>
    Effect.gen(function* () {
      const { directory, paths } = yield* world
      put(directory, "a file in its place")
      const record = keeper(directory)
      yield* Effect.flip(record(situation(3)))
      yield* Effect.flip(record(situation(3, 1)))
      const tight = keeper(join(paths.state, "others"), { keepDays: 7, keepBytes: 100 })
      assert.include((yield* Effect.flip(tight(situation(3)))).message, "larger than all may be together")
      assert.notInclude(readdirSync(paths.state), "others")
    })
  )
})

describe("records read back", () => {
  const readAll = (source: RecordSource, from = "") =>
    [...readRecords(source, from)].map((found) =>
      found._tag === "Round" ? String(found.round.line.id) : found.problem.replace(/^(is not JSON)[^;]*;/, "$1;")
    )

  const firstDay = "20260120T040000000-0000"
  const secondDay = "20260121T040140000-0000"

  /** Two files: four records on one day, one on the next. */
  const twoDays = Effect.gen(function* () {
    const { directory } = yield* world
    const record = keeper(directory)
    for (const count of [3, 4, 5, 6]) yield* record(situation(count, count - 3))
    yield* record(situation(7, dayMs / 1000 + 100))
    return { directory, first: join(directory, `${firstDay}.jsonl`), kept: { _tag: "Kept", directory } as const }
  })

  it.live("are whole rounds in their order; files that end before what is asked for are not read", () =>
    Effect.gen(function* () {
      const { first, kept } = yield* twoDays
      const all = readAll(kept)
      assert.deepStrictEqual([all.length, all[0], all[4]], [5, firstDay, secondDay])
      writeFileSync(first, "not read")
      assert.deepStrictEqual(readAll(kept, "20260121T050000000"), [secondDay])
      const last = lastRecord(kept)
      assert.strictEqual(last?.round.line.id, secondDay)
      assert.isTrue(last?.round.parts.has("task/7"))
    })
  )

  it.live("an odd line takes those with it that build on it, and none else", () =>
    Effect.gen(function* () {
      const { directory, first, kept } = yield* twoDays
      const lines = readFileSync(first, "utf8").trimEnd().split("\n")
      const base = lines[0] ?? ""
      writeFileSync(first, [base, "{", ...lines.slice(2), base, ""].join("\n"))
      const told = ["is not JSON; 2 records after it can't be read without it"]
      assert.deepStrictEqual(readAll(kept), [firstDay, ...told, firstDay, secondDay])
      assert.deepStrictEqual(readAll({ _tag: "Given", path: directory }), [firstDay, ...told, firstDay, secondDay])
      writeFileSync(first, lines.slice(1).join("\n"))
      assert.deepStrictEqual(readAll({ _tag: "Given", path: first }), [
        "changes a record that is not there; 1 record after it can't be read without it",
        "its end is torn off"
      ])
    })
  )

  it.live("lines on end that are no records are told of together, and too many of them end the file", () =>
    Effect.gen(function* () {
      const { first } = yield* twoDays
      const given: RecordSource = { _tag: "Given", path: first }
      const base = readFileSync(first, "utf8").split("\n")[0] ?? ""
      writeFileSync(first, ["{", "{", "{", base, ""].join("\n"))
      assert.deepStrictEqual(readAll(given), ["is not JSON; 2 lines after it are no record either", firstDay])
      writeFileSync(first, [...Array.from({ length: 5000 }, () => "{"), base, ""].join("\n"))
      assert.deepStrictEqual(readAll(given), [
        "is not JSON; 99 lines after it are no record either; the rest was not read"
      ])
    })
  )

  it.live("a torn end is a fault of a file that was passed on, and none of one that is being written", () =>
    Effect.gen(function* () {
      const { first, kept } = yield* twoDays
      truncateSync(first, readFileSync(first).length - 9)
      assert.deepStrictEqual(readAll(kept).length, 4)
      assert.deepStrictEqual(readAll({ _tag: "Given", path: first }).at(-1), "its end is torn off")
    })
  )
})
