/** A state directory of its own for each test, and the smallest valid values to put into it. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { AgentName, Epoch, TaskId, Term, Token } from "@tinyscheduler/core/domain/identifiers"
import type { Attempts, HistoryLine, StopRecord } from "@tinyscheduler/core/domain/Attempts"
import {
  LeaseFile,
  type Claim,
  type FinishedLease,
  type Lease,
  type RunningLease,
  type StartingLease
} from "@tinyscheduler/core/domain/Lease"
import { SchedulerLock } from "@tinyscheduler/core/ports/SchedulerLock"
import type { Writer } from "../src/DurableFiles.ts"
import { resolveStatePaths, stateDefaults, type StatePaths } from "../src/StatePaths.ts"

export const isRoot = process.geteuid?.() === 0

export const taskId = (id: number) => TaskId.make(id)
export const epoch = (value: number) => Epoch.make(value)
export const token = (digit = "1") => Token.make(`${digit.repeat(8)}-0000-4000-8000-000000000000`)

export const writer: Writer = { pid: process.pid, pidStart: 12_345, bootId: "boot-1" }

/** A fresh base directory; removed when the scope closes. */
export const makePaths = Effect.acquireRelease(
  Effect.sync(() => resolveStatePaths({ basePath: mkdtempSync(join(tmpdir(), "adapters-fs-")), ...stateDefaults })),
  (paths) => Effect.sync(() => rmSync(paths.base, { recursive: true, force: true }))
)

/** A lock that is always held: for tests of what happens under it. */
export const heldLock = Layer.succeed(SchedulerLock, {
  acquire: Effect.succeed({ term: Term.make(1), termProblem: null }),
  confirm: Effect.void
})

export const startingLease = (overrides: Partial<StartingLease> = {}): StartingLease => ({
  taskId: taskId(1001),
  agentName: AgentName.make("vaela"),
  pid: null,
  startTime: "2026-01-20T04:00:00Z",
  lastHeartbeat: null,
  maxRuntimeSec: 3600,
  phase: "starting",
  host: "calypso/4f2c",
  bootId: "boot-1",
  pidNs: 4_026_531_836,
  pidStart: null,
  token: token("1"),
  epoch: epoch(7),
  term: Term.make(31),
  attempt: 2,
  recipe: "vaela.yaml",
  queue: "dev",
  endpoint: "http://localhost:3000",
  taskCreatedAt: "2026-01-19T04:00:00.123Z",
  prior: { status: "idle", assignee: null },
  startMonoMs: 1000.5,
  beatMonoMs: null,
  agent: null,
  lastOutput: null,
  log: "state/logs/tasks/1001/7.log",
  version: 1,
  ...overrides
})

export const runningLease = (overrides: Partial<RunningLease> = {}): RunningLease => ({
  ...startingLease(),
  phase: "running",
  pid: 42_318,
  pidStart: 123_456,
  lastHeartbeat: "2026-01-20T04:05:30Z",
  beatMonoMs: 5000,
  agent: { pid: 42_320, pidStart: 123_460, group: 42_320 },
  lastOutput: null,
  ...overrides
})

export const finishedLease = (overrides: Partial<FinishedLease> = {}): FinishedLease => ({
  ...runningLease(),
  phase: "finished",
  exit: { code: 0, signal: null, error: null, at: "2026-01-20T04:06:00Z", tail: "done\n" },
  ...overrides
})

export const claim = (overrides: Partial<Claim> = {}): Claim => ({
  kind: "tombstone",
  taskId: taskId(1001),
  epoch: epoch(7),
  token: token("1"),
  agentName: AgentName.make("vaela"),
  host: "calypso/4f2c",
  bootId: "boot-1",
  pidNs: 4_026_531_836,
  pid: 1,
  pidStart: 2,
  log: "state/logs/tasks/1001/7.log",
  version: 1,
  ...overrides
})

export const stopRecord = (overrides: Partial<StopRecord> = {}): StopRecord => ({
  version: 1,
  taskId: taskId(1001),
  epoch: epoch(7),
  token: token("1"),
  reason: "max-runtime",
  since: "2026-01-20T05:00:00Z",
  bootId: "boot-1",
  rung: "interrupt",
  sinceMonoMs: 1,
  nextMonoMs: 2,
  aloneSinceMonoMs: null,
  targets: [],
  ...overrides
})

export const attempts = (overrides: Partial<Attempts> = {}): Attempts => ({
  version: 1,
  taskId: taskId(1001),
  endpoint: "http://localhost:3000",
  taskCreatedAt: "2026-01-19T04:00:00.123Z",
  last: null,
  outcomes: [],
  counts: { failures: 0, losses: 0 },
  notBefore: null,
  parked: null,
  observed: null,
  ...overrides
})

export const historyLine = (overrides: Partial<HistoryLine> = {}): HistoryLine => ({
  version: 1,
  taskId: taskId(1001),
  epoch: epoch(7),
  token: token("1"),
  agentName: AgentName.make("vaela"),
  queue: "dev",
  startedAt: "2026-01-20T04:00:00Z",
  endedAt: "2026-01-20T04:06:00Z",
  outcome: "done",
  detail: "exit 0",
  ...overrides
})

const encodeLease = Schema.encodeSync(LeaseFile)
export const leaseText = (lease: Lease): string => `${JSON.stringify(encodeLease(lease), null, 2)}\n`

/** Puts a file there as somebody else would: no temporary file, no fsync. */
export const put = (path: string, content: string | Uint8Array, mode = 0o600): string => {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  writeFileSync(path, content, { mode })
  return path
}

export const modeOf = (path: string): number => statSync(path).mode & 0o777
export const jsonAt = (path: string): unknown => JSON.parse(readFileSync(path, "utf8"))
export const leaseAt = (paths: StatePaths, id: number): string => join(paths.running, `task_${id}.json`)
