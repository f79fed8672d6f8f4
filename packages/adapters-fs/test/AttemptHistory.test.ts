import { appendFileSync, chmodSync, mkdirSync, readdirSync, readFileSync, symlinkSync, truncateSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { AgentName } from "@tinyscheduler/core/domain/identifiers"
import { AttemptHistory } from "@tinyscheduler/core/ports/AttemptHistory"
import { layer } from "../src/AttemptHistory.ts"
import { readHistory } from "../src/historyFile.ts"
import { layerReadOnly } from "../src/SchedulerLock.ts"
import { attempts, epoch, heldLock, historyLine, makePaths, modeOf, put, taskId, token, writer } from "./fixture.ts"

const world = Effect.gen(function* () {
  const paths = yield* makePaths
  const context = yield* Layer.build(layer({ paths, writer }).pipe(Layer.provide(heldLock)))
  return { paths, history: yield* AttemptHistory.pipe(Effect.provide(context)) }
})

const id = taskId(1001)

const full = attempts({
  last: {
    epoch: epoch(7),
    token: token("1"),
    agentName: AgentName.make("vaela"),
    queue: null,
    prior: { status: "idle", assignee: "vaela" },
    startedAt: "2026-01-20T04:00:00Z",
    startMonoMs: 12.5,
    bootId: "boot-1"
  },
  outcomes: [{ epoch: epoch(6), token: token("2"), outcome: "lost", at: "2026-01-20T03:00:00Z", detail: "gone" }],
  counts: { failures: 1, losses: 2 },
  notBefore: "2026-01-20T05:00:00Z",
  parked: { since: "2026-01-20T04:30:00Z", outcome: "failed", count: 3 },
  observed: {
    epoch: epoch(7),
    bootId: "boot-1",
    hungBeatMonoMs: 1,
    hungSinceMonoMs: 2,
    unknownSinceMonoMs: null,
    completeSinceMonoMs: null
  }
})

describe("AttemptHistory", () => {
  it.live("remembers attempts as they were written, by task", () =>
    Effect.gen(function* () {
      const { history, paths } = yield* world
      assert.deepStrictEqual(yield* history.scan, [])
      assert.deepStrictEqual(readdirSync(paths.base), [])
      yield* history.write(full)
      yield* history.write(attempts({ taskId: taskId(20) }))
      assert.deepStrictEqual(yield* history.read(id), { taskId: id, attempts: full, problem: null, logEpochMax: 0 })
      assert.deepStrictEqual(
        (yield* history.scan).map((stored) => stored.taskId),
        [20, 1001]
      )
      yield* history.write({ ...full, counts: { failures: 0, losses: 0 } })
      assert.deepStrictEqual((yield* history.read(id)).attempts?.counts, { failures: 0, losses: 0 })
      assert.strictEqual(modeOf(join(paths.attempts, "task_1001.json")), 0o600)
      assert.strictEqual(modeOf(paths.attempts), 0o700)
    })
  )

  it.live("tells an attempts file that is odd, and lets the logs speak for its epochs", () =>
    Effect.gen(function* () {
      const { history, paths } = yield* world
      put(join(paths.attempts, "task_1.json"), "torn{")
      put(join(paths.logs, "tasks/1/5.log"), "")
      put(join(paths.logs, "tasks/2/9.log"), "")
      put(join(paths.logs, "tasks/2/10.log"), "")
      put(join(paths.logs, "tasks/2/10.prompt"), "")
      put(join(paths.logs, "tasks/3"), "a file")
      mkdirSync(join(paths.logs, "tasks/4"))
      put(join(paths.logs, "tasks/x/7.log"), "")
      yield* history.write(attempts({ taskId: taskId(6) }))
      put(join(paths.logs, "tasks/6/99.log"), "")
      const stored = yield* history.scan
      assert.deepStrictEqual(
        stored.map((one) => [
          one.taskId,
          one.attempts === null,
          one.problem?.includes("is not JSON") ?? null,
          one.logEpochMax
        ]),
        [
          [1, true, true, 5],
          [2, true, null, 10],
          [6, false, null, 0]
        ]
      )
      assert.deepStrictEqual(yield* history.read(taskId(2)), stored[1])
      symlinkSync("/etc/passwd", join(paths.attempts, "task_7.json"))
      assert.include((yield* history.read(taskId(7))).problem, "is a symbolic link")
      put(join(paths.attempts, "task_8.json"), readFileSync(join(paths.attempts, "task_6.json")))
      assert.include((yield* history.read(taskId(8))).problem, "is task 6's")
    })
  )

  it.live("writes no attempts file that it could not read again", () =>
    Effect.gen(function* () {
      const { history, paths } = yield* world
      const detail = "x".repeat(300 * 1024)
      const outcomes = full.outcomes.map((outcome) => ({ ...outcome, detail }))
      const error = yield* Effect.flip(history.write({ ...full, outcomes }))
      assert.include(error.message, "it would be larger than 256 KiB")
      assert.deepStrictEqual(readdirSync(paths.base), [])
    })
  )

  it.live("keeps the agents' records, and never takes an unreadable file for no pauses", () =>
    Effect.gen(function* () {
      const { history, paths } = yield* world
      assert.deepStrictEqual(yield* history.readAgents, { agents: [], paused: null })
      const records = [
        {
          agentName: AgentName.make("oscar"),
          pausedBy: "anna",
          pausedUntil: null,
          lastStart: "2026-01-20T04:00:00Z",
          startFailures: 2,
          setAsideUntil: null
        }
      ]
      for (const paused of [null, { by: "root (deploying)", until: "2026-01-20T06:00:00Z" }]) {
        yield* history.writeAgents({ agents: records, paused })
        assert.deepStrictEqual(yield* history.readAgents, { agents: records, paused })
      }
      for (const [content, reason] of [
        ["", "it is empty"],
        ["[]", "it "],
        ['{"version": 1, "agents": 5}', "it agents: "]
      ] as const) {
        put(paths.agents, content)
        const error = yield* Effect.flip(history.readAgents)
        assert.include(error.message, `${paths.agents} can't be read: ${reason}`)
      }
    })
  )

  it.live("writes nothing without the lock", () =>
    Effect.gen(function* () {
      const paths = yield* makePaths
      const context = yield* Layer.build(layer({ paths, writer }).pipe(Layer.provide(layerReadOnly(paths))))
      const history = yield* AttemptHistory.pipe(Effect.provide(context))
      for (const write of [
        history.write(full),
        history.writeAgents({ agents: [], paused: null }),
        history.append(historyLine())
      ]) {
        assert.strictEqual((yield* Effect.flip(write))._tag, "LockLost")
      }
      assert.deepStrictEqual(readdirSync(paths.base), [])
    })
  )
})

describe("history", () => {
  it.live("appends to the month of the end, and keeps the last line of a token", () =>
    Effect.gen(function* () {
      const { history, paths } = yield* world
      assert.deepStrictEqual(yield* readHistory(paths), { lines: [], skipped: 0 })
      const january = historyLine({ endedAt: "2026-01-31T23:59:59.999Z", startedAt: "2026-01-31T23:00:00Z" })
      const february = historyLine({ token: token("2"), endedAt: "2026-02-01T00:00:00Z" })
      const again = { ...january, detail: "repeated after a crash" }
      for (const line of [january, february, again]) yield* history.append(line)
      assert.deepStrictEqual(readdirSync(paths.history).sort(), ["202601.jsonl", "202602.jsonl"])
      assert.strictEqual(readFileSync(join(paths.history, "202601.jsonl"), "utf8").split("\n").length, 3)
      assert.deepStrictEqual(yield* readHistory(paths), { lines: [again, february], skipped: 0 })
      assert.deepStrictEqual((yield* readHistory(paths, "202602")).lines, [february])
      assert.strictEqual(modeOf(join(paths.history, "202601.jsonl")), 0o600)
    })
  )

  it.live("a torn last line is skipped, and the next append begins on a line of its own", () =>
    Effect.gen(function* () {
      const { history, paths } = yield* world
      const file = join(paths.history, "202601.jsonl")
      const lines = ["1", "2", "3"].map((digit) => historyLine({ token: token(digit), detail: "ü".repeat(20_000) }))
      const [first = historyLine(), second = historyLine(), third = historyLine()] = lines
      yield* history.append(first)
      yield* history.append(second)
      truncateSync(file, readFileSync(file).length - 7)
      assert.deepStrictEqual(yield* readHistory(paths), { lines: [first], skipped: 1 })
      yield* history.append(third)
      assert.deepStrictEqual(yield* readHistory(paths), { lines: [first, third], skipped: 1 })
      appendFileSync(file, `${"x".repeat(200_000)}\nnull\n\n`)
      yield* history.append(second)
      assert.deepStrictEqual(yield* readHistory(paths), { lines: [first, third, second], skipped: 3 })
    })
  )

  it.live("writes and reads through no link, and refuses a file that others write", () =>
    Effect.gen(function* () {
      const { history, paths } = yield* world
      const victim = put(join(paths.base, "victim"), "")
      mkdirSync(paths.history, { recursive: true, mode: 0o700 })
      symlinkSync(victim, join(paths.history, "202601.jsonl"))
      assert.include((yield* Effect.flip(history.append(historyLine()))).message, "it is a symbolic link")
      assert.include((yield* Effect.flip(readHistory(paths))).message, "it is a symbolic link")
      assert.strictEqual(readFileSync(victim, "utf8"), "")
      chmodSync(put(join(paths.history, "202603.jsonl"), ""), 0o666)
      const march = historyLine({ endedAt: "2026-03-01T00:00:00Z" })
      assert.include((yield* Effect.flip(history.append(march))).message, "can be written by its group or by others")
    })
  )
})
