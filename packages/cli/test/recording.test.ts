/** Records of passes as the settings want them: whatever becomes of them, no pass fails with it. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import { onTestFinished } from "vitest"
import { policyDefaults } from "@tinyscheduler/core/domain/DesiredState"
import { AgentName, QueueName, TaskId } from "@tinyscheduler/core/domain/identifiers"
import type { Situation } from "@tinyscheduler/core/domain/Situation"
import { reconcile } from "@tinyscheduler/core/reconcile/reconcile"
import { eventOf } from "../src/output/logLine.ts"
import type { LogEvent } from "../src/output/logLine.ts"
import { makeRecording } from "../src/recording.ts"

const queue = QueueName.make("dev")
const nowMs = Date.UTC(2026, 0, 20, 4)

/** As many tasks for one agent as are said: each number is another decision. */
const situation = (tasks: number): Situation => ({
  observed: {
    nowMs,
    monoMs: 0,
    here: { host: "calypso/4f2c", bootId: "boot-1", pidNs: 1 },
    tinytask: {
      _tag: "Read",
      tasks: Array.from({ length: tasks }, (_, at) => ({
        id: TaskId.make(at + 1),
        title: `task ${at + 1}`,
        status: "idle",
        queue,
        assignee: null,
        priority: 0,
        tags: [],
        parent: null,
        blockedBy: null,
        blocked: false,
        createdAt: "2026-01-20T03:00:00Z",
        archived: false
      })),
      lookedUp: []
    },
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
    agents: [
      {
        name: AgentName.make("ada"),
        queues: [queue],
        slots: 1,
        enabled: true,
        recipe: null,
        success: "exit",
        maxRuntimeSec: 3600,
        stopGraceSec: 10,
        stopSignal: "SIGINT"
      }
    ],
    queueLimits: [],
    maxConcurrent: null,
    policy: policyDefaults
  }
})

const makeScene = () => {
  const base = mkdtempSync(join(tmpdir(), "tinyscheduler-recording-"))
  onTestFinished(() => rmSync(base, { recursive: true, force: true }))
  const directory = join(base, "records")
  const settings = { recordKeepDays: 7, recordKeepMb: 1 }
  const recording = makeRecording(() => ({ paths: { base: base, records: directory }, settings }))
  const told: Array<LogEvent> = []
  const logger = Logger.make((options) => void told.push(eventOf(options, [])))
  return {
    directory,
    settings,
    told,
    record: (tasks: number) => {
      const made = situation(tasks)
      const plan = reconcile(made.observed, made.desired)
      return recording({ ...made, plan, withheld: [] }).pipe(Effect.provide(Logger.layer([logger])))
    }
  }
}

it.effect("what can't be recorded is told once, and once more only after records could be kept again", () =>
  Effect.gen(function* () {
    const { directory, record, told } = makeScene()
    writeFileSync(directory, "in its place")
    yield* record(1)
    yield* record(2)
    assert.strictEqual(told.length, 1)
    assert.strictEqual(told[0]?.level, "WARN")
    assert.include(told[0]?.message, `passes are not recorded: ${directory}`)
    assert.deepStrictEqual(told[0]?.fields, { event: "not-recorded" })
    rmSync(directory)
    yield* record(3)
    assert.strictEqual(readdirSync(directory).length, 1)
    rmSync(directory, { recursive: true })
    writeFileSync(directory, "in its place again")
    yield* record(4)
    assert.strictEqual(told.length, 2)
  })
)

it.effect("0 MiB records nothing, from the pass on that has the new setting", () =>
  Effect.gen(function* () {
    const { directory, record, settings, told } = makeScene()
    settings.recordKeepMb = 0
    yield* record(1)
    assert.throws(() => readdirSync(directory))
    settings.recordKeepMb = 1
    yield* record(2)
    assert.strictEqual(readdirSync(directory).length, 1)
    assert.deepStrictEqual(told, [])
  })
)
