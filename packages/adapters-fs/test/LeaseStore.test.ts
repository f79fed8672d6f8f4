import { execFileSync } from "node:child_process"
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync
} from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Lease } from "@tinyscheduler/core/domain/Lease"
import { LeaseStore, type StoredLease } from "@tinyscheduler/core/ports/LeaseStore"
import { layer } from "../src/LeaseStore.ts"
import { layerReadOnly } from "../src/SchedulerLock.ts"
import { tidy } from "../src/tidy.ts"
import {
  claim,
  epoch,
  finishedLease,
  heldLock,
  jsonAt,
  leaseAt,
  leaseText,
  makePaths,
  modeOf,
  put,
  runningLease,
  startingLease,
  stopRecord,
  taskId,
  token,
  writer
} from "./fixture.ts"

const world = Effect.gen(function* () {
  const paths = yield* makePaths
  const context = yield* Layer.build(layer({ paths, writer }).pipe(Layer.provide(heldLock)))
  const store = yield* LeaseStore.pipe(Effect.provide(context))
  return { paths, store }
})

const id = taskId(1001)

const leaseOf = Effect.fnUntraced(function* (content: string | Uint8Array) {
  const { paths, store } = yield* world
  put(leaseAt(paths, 1001), content)
  const [scanned] = yield* store.scan
  const read = yield* store.read(id)
  assert.deepStrictEqual(scanned, read)
  return read.lease
}, Effect.scoped)

const summary = (lease: StoredLease): string =>
  lease._tag === "Unreadable" ? `${lease.problem} [${lease.agentName}]` : lease._tag

describe("LeaseStore reading", () => {
  it.live("finds nothing, and creates nothing, where there is no state directory", () =>
    Effect.gen(function* () {
      const { paths, store } = yield* world
      assert.deepStrictEqual(yield* store.scan, [])
      assert.deepStrictEqual(yield* store.read(id), { taskId: id, lease: { _tag: "Missing" }, claims: [], stops: [] })
      assert.deepStrictEqual(readdirSync(paths.base), [])
    })
  )

  it.live("returns each phase of a lease as it was written", () =>
    Effect.gen(function* () {
      const leases: ReadonlyArray<Lease> = [startingLease(), runningLease(), finishedLease()]
      for (const lease of leases) assert.deepStrictEqual(yield* leaseOf(leaseText(lease)), { _tag: "Read", lease })
    })
  )

  it.live("puts leases, claims and stop records together by task and epoch, and ignores other names", () =>
    Effect.gen(function* () {
      const { paths, store } = yield* world
      yield* store.create(startingLease({ taskId: taskId(20) }))
      yield* store.create(startingLease({ taskId: taskId(3) }))
      yield* store.tombstone(claim({ taskId: taskId(3), epoch: epoch(10) }))
      yield* store.tombstone(claim({ taskId: taskId(3), epoch: epoch(9) }))
      yield* store.tombstone(claim({ taskId: taskId(100), epoch: epoch(1) }))
      yield* store.writeStop(stopRecord({ taskId: taskId(20), epoch: epoch(7) }))
      for (const name of [".tmp-1-2-x", "task_x.json", "task_7.json.bak", "task_07.json", "notes.txt"]) {
        put(join(paths.running, name), "{}")
      }
      put(join(paths.stops, "20.8.json"), "torn{")
      const tasks = yield* store.scan
      assert.deepStrictEqual(
        tasks.map((task) => [task.taskId, task.lease._tag, task.claims.map((one) => one.epoch), task.stops.length]),
        [
          [3, "Read", [9, 10], 0],
          [20, "Read", [], 1],
          [100, "Missing", [1], 0]
        ]
      )
      assert.deepStrictEqual(yield* store.read(taskId(3)), tasks[0])
    })
  )

  const lines = leaseText(runningLease()).split("\n")
  it.live.each([
    ["an empty file", "", "is empty [null]"],
    ["null", "null", "is not a JSON object [null]"],
    ["a list", "[]", "is not a JSON object [null]"],
    [
      "an unknown phase",
      leaseText(runningLease()).replace('"running"', '"dancing"'),
      'phase "dancing" is not known [vaela]'
    ],
    ["no phase", leaseText(runningLease()).replace('"phase"', '"fase"'), "phase is missing [vaela]"],
    [
      "a later version",
      leaseText(runningLease()).replace('"version": 1', '"version": 2'),
      "version 2 is not known [vaela]"
    ],
    ["a wrong type", leaseText(runningLease()).replace('"pid": 42318', '"pid": "x"'), "pid: Expected number [vaela]"],
    [
      "another task's",
      leaseText(runningLease({ taskId: taskId(5) })),
      "is named after task 1001 but is task 5's [vaela]"
    ],
    ["a missing field", lines.filter((line) => !line.includes('"token"')).join("\n"), "token: Missing key [vaela]"],
    [
      "an agent that is no name",
      leaseText(runningLease()).replace('"vaela"', '"-rf"'),
      /^agent_name: letters, .* \[null\]$/
    ],
    ["a truncated file", leaseText(runningLease()).slice(0, 200), /^is not JSON: .* \[vaela\]$/],
    ["control characters", "\u001b[31m{\n", /^is not JSON: \P{Cc}* \[null\]$/u],
    [
      "nesting without end",
      `{"version":1,"phase":"running","host":${"[".repeat(30_000)}${"]".repeat(30_000)}}`,
      / \[null\]$/
    ]
  ] as const)("tells %s apart and keeps it in the scan", ([, content, expected]) =>
    Effect.gen(function* () {
      const found = summary(yield* leaseOf(content))
      if (typeof expected === "string") assert.strictEqual(found, expected)
      else assert.match(found, expected)
      assert.notInclude(found, "\n")
    })
  )

  it.live("keeps whatever stands in a lease's place in the scan, and never hangs on it", () =>
    Effect.gen(function* () {
      const { paths, store } = yield* world
      const outside = put(join(paths.base, "outside.json"), leaseText(runningLease({ taskId: taskId(1) })))
      mkdirSync(paths.running, { recursive: true })
      symlinkSync(outside, leaseAt(paths, 1))
      execFileSync("mkfifo", [leaseAt(paths, 2)])
      mkdirSync(leaseAt(paths, 3))
      truncateSync(put(leaseAt(paths, 4), '{"agent_name": "oscar", "x": "'), 1024 ** 3)
      chmodSync(put(leaseAt(paths, 5), leaseText(runningLease({ taskId: taskId(5) }))), 0o666)
      assert.deepStrictEqual(
        (yield* store.scan).map((task) => summary(task.lease)),
        [
          "is a symbolic link [null]",
          "is a named pipe, not a file [null]",
          "is a directory, not a file [null]",
          "is larger than 64 KiB [oscar]",
          "can be written by its group or by others [null]"
        ]
      )
    })
  )

  it.live("takes nothing from prototype keys", () =>
    Effect.gen(function* () {
      const text = leaseText(runningLease())
      const inherited = `{"__proto__": ${text.trim()}, "constructor": {"prototype": {"polluted": true}}}`
      assert.match(summary(yield* leaseOf(inherited)), /\[null\]$/)
      const mixed = text.replace("{", '{"__proto__": {"polluted": true},')
      const lease = yield* leaseOf(mixed)
      assert.deepStrictEqual(lease, { _tag: "Read", lease: runningLease() })
      assert.isFalse("polluted" in {})
    })
  )

  it.live("tells claims that are odd or contradict their names", () =>
    Effect.gen(function* () {
      const { paths, store } = yield* world
      yield* store.tombstone(claim({ taskId: taskId(1), epoch: epoch(1) }))
      renameSync(join(paths.claims, "1.1"), join(paths.claims, "1.2"))
      put(join(paths.claims, "1.3"), "torn{")
      symlinkSync("/etc/passwd", join(paths.claims, "1.4"))
      const [task] = yield* store.scan
      assert.deepStrictEqual(
        task?.claims.map((one) => [one.epoch, one._tag === "Unreadable" ? one.problem.slice(0, 24) : one._tag]),
        [
          [2, "contradicts its file nam"],
          [3, "is not JSON: Unexpected "],
          [4, "is a symbolic link"]
        ]
      )
    })
  )

  it.live("remembers nothing that changed a moment ago: two changes may bear one time", () =>
    Effect.gen(function* () {
      const { paths, store } = yield* world
      for (let round = 0; round < 200; round += 1) {
        for (const digit of ["1", "2"]) {
          put(leaseAt(paths, 1001), leaseText(startingLease({ token: token(digit) })))
          const [task] = yield* store.scan
          assert.strictEqual(task?.lease._tag === "Read" ? task.lease.lease.token : "", token(digit))
        }
      }
    })
  )

  it.live("sees every later change of a lease that it remembers", () =>
    Effect.gen(function* () {
      const { paths, store } = yield* world
      const path = put(leaseAt(paths, 1001), leaseText(startingLease()))
      const old = new Date(Date.now() - 60_000)
      utimesSync(path, old, old)
      const phases = Effect.map(store.scan, (tasks) =>
        tasks.map(({ lease }) => (lease._tag === "Read" ? lease.lease.phase : summary(lease)))
      )
      // Remembered only once its last change lies more than a second back.
      yield* Effect.sleep(1100)
      assert.deepStrictEqual(yield* phases, ["starting"])
      assert.deepStrictEqual(yield* phases, ["starting"])
      const next = put(join(paths.running, ".tmp-next"), leaseText(runningLease()))
      utimesSync(next, old, old)
      renameSync(next, path)
      assert.deepStrictEqual(yield* phases, ["running"])
      yield* Effect.sleep(1100)
      assert.deepStrictEqual(yield* phases, ["running"])
      chmodSync(path, 0o666)
      assert.deepStrictEqual(yield* phases, ["can be written by its group or by others [null]"])
      chmodSync(path, 0o600)
      yield* Effect.sleep(1100)
      assert.deepStrictEqual(yield* phases, ["running"])
      // Even what none of our writers does: the same inode, size and modification time.
      const text = readFileSync(path, "utf8")
      writeFileSync(path, text.replace('"running"', '"dancing"'))
      utimesSync(path, old, old)
      assert.deepStrictEqual(yield* phases, ['phase "dancing" is not known [vaela]'])
    })
  )
})

describe("LeaseStore, leases of before", () => {
  const seed = {
    task_id: 1001,
    agent_name: "vaela",
    pid: 42_318,
    start_time: "2026-01-20T04:00:00Z",
    last_heartbeat: "2026-01-20T04:05:30Z",
    max_runtime_sec: 3600
  }
  const python = {
    task_id: "1001",
    agent: "vaela",
    pid: 42_318,
    recipe: "vaela.yaml",
    started_at: "2026-01-20T04:00:00.250000Z",
    heartbeat: "2026-01-20T04:05:30.250000Z",
    host: "calypso",
    state: "running",
    metadata: {}
  }
  const legacy = (startTime: string | null, host: string | null, lastHeartbeat = "2026-01-20T04:05:30.000Z") => ({
    taskId: id,
    agentName: "vaela",
    pid: 42_318,
    startTime,
    lastHeartbeat,
    host
  })
  const pythonBeat = "2026-01-20T04:05:30.250Z"
  it.live.each([
    ["the six fields", seed, legacy("2026-01-20T04:00:00.000Z", null)],
    ["the Python version's", python, legacy("2026-01-20T04:00:00.250Z", "calypso", pythonBeat)],
    [
      "a zone in numbers",
      { ...python, started_at: "2026-01-20T05:00:00.5+01:00" },
      legacy("2026-01-20T04:00:00.500Z", "calypso", pythonBeat)
    ],
    ["no zone: not guessed", { ...python, started_at: "2026-01-20T04:00:00" }, legacy(null, "calypso", pythonBeat)],
    ["no time at all", { ...seed, start_time: 5 }, legacy(null, null)],
    ["a pid in quotes", { ...seed, pid: "42318" }, legacy("2026-01-20T04:00:00.000Z", null)]
  ] as const)("reads %s", ([, file, expected]) =>
    Effect.gen(function* () {
      const lease = yield* leaseOf(JSON.stringify(file))
      assert.deepStrictEqual<unknown>(lease._tag === "Legacy" ? { ...lease.lease } : summary(lease), expected)
    })
  )

  it.live("an old form without an agent or a pid is unreadable, not dropped", () =>
    Effect.gen(function* () {
      assert.match(summary(yield* leaseOf(JSON.stringify({ ...seed, pid: null }))), /^pid: .* \[vaela\]$/)
      assert.match(summary(yield* leaseOf("{}")), /\[null\]$/)
    })
  )

  it.live("deletes an old form, and never a new one in its place", () =>
    Effect.gen(function* () {
      const { paths, store } = yield* world
      put(leaseAt(paths, 1001), JSON.stringify(seed))
      yield* store.removeLegacyLease(id)
      assert.deepStrictEqual(readdirSync(paths.running), [])
      yield* store.removeLegacyLease(id)
      yield* store.create(startingLease())
      const error = yield* Effect.flip(store.removeLegacyLease(id))
      assert.include(error.message, "it is no lease of an old form")
      assert.isTrue(existsSync(leaseAt(paths, 1001)))
    })
  )
})

describe("LeaseStore writing", () => {
  it.live("creates the intent once: 0600 in 0700, the user's field names first, no litter", () =>
    Effect.gen(function* () {
      const { paths, store } = yield* world
      yield* store.create(startingLease())
      const error = yield* Effect.flip(store.create(startingLease({ token: token("2") })))
      assert.strictEqual(error._tag, "LeaseTaken")
      assert.strictEqual(modeOf(leaseAt(paths, 1001)), 0o600)
      assert.strictEqual(modeOf(paths.running), 0o700)
      assert.strictEqual(modeOf(paths.state), 0o700)
      assert.deepStrictEqual(readdirSync(paths.running), ["task_1001.json"])
      const file = jsonAt(leaseAt(paths, 1001))
      assert.include(JSON.stringify(file), `"token":"${token("1")}"`)
      assert.include(JSON.stringify(file), '"max_runtime_sec":3600')
      assert.isTrue(readFileSync(leaseAt(paths, 1001), "utf8").includes('\n  "task_id": 1001,\n'))
    })
  )

  it.live("never writes through a link planted at a lease's or claim's path", () =>
    Effect.gen(function* () {
      const { paths, store } = yield* world
      const victim = put(join(paths.base, "victim"), "precious")
      mkdirSync(paths.running, { recursive: true, mode: 0o700 })
      mkdirSync(paths.claims, { mode: 0o700 })
      mkdirSync(paths.stops, { mode: 0o700 })
      symlinkSync(victim, leaseAt(paths, 1001))
      symlinkSync(join(paths.base, "new"), join(paths.claims, "1001.7"))
      symlinkSync(victim, join(paths.stops, "1001.7.json"))
      assert.strictEqual((yield* Effect.flip(store.create(startingLease())))._tag, "LeaseTaken")
      assert.strictEqual(yield* store.tombstone(claim()), "exists")
      yield* store.writeStop(stopRecord())
      assert.strictEqual(readFileSync(victim, "utf8"), "precious")
      assert.isFalse(existsSync(join(paths.base, "new")))
      assert.isTrue(statSync(join(paths.stops, "1001.7.json")).isFile())
    })
  )

  it.live("refuses state directories that others can write, and files in a directory's place", () =>
    Effect.gen(function* () {
      const { paths, store } = yield* world
      mkdirSync(paths.running, { recursive: true })
      chmodSync(paths.running, 0o777)
      assert.include((yield* Effect.flip(store.create(startingLease()))).message, "chmod 700 it")
      put(paths.claims, "a file")
      assert.include((yield* Effect.flip(store.tombstone(claim()))).message, "is not a directory")
      unlinkSync(paths.claims)
      symlinkSync(join(paths.base, "nowhere"), paths.claims)
      assert.include((yield* Effect.flip(store.tombstone(claim()))).message, "is a symbolic link that leads nowhere")
      assert.strictEqual(readdirSync(paths.running).length, 0)
    })
  )

  it.live("links a tombstone once, whoever was first", () =>
    Effect.gen(function* () {
      const { paths, store } = yield* world
      assert.strictEqual(yield* store.tombstone(claim({ kind: "claim" })), "won")
      assert.strictEqual(yield* store.tombstone(claim()), "exists")
      const [task] = yield* store.scan
      const [first] = task?.claims ?? []
      assert.deepStrictEqual(first, { _tag: "Read", epoch: epoch(7), claim: claim() })
      assert.strictEqual(modeOf(join(paths.claims, "1001.7")), 0o600)
    })
  )

  it.live("removes a lease only while it bears the token that is meant", () =>
    Effect.gen(function* () {
      const { paths, store } = yield* world
      yield* store.create(startingLease())
      assert.isFalse(yield* store.removeLease(id, token("2")))
      assert.deepStrictEqual(readdirSync(paths.running), ["task_1001.json"])
      assert.isTrue(yield* store.removeLease(id, token("1")))
      assert.deepStrictEqual(readdirSync(paths.running), [])
      assert.isTrue(yield* store.removeLease(id, token("1")))
      put(leaseAt(paths, 1001), "torn{")
      assert.isFalse(yield* store.removeLease(id, token("1")))
      assert.strictEqual(readFileSync(leaseAt(paths, 1001), "utf8"), "torn{")
    })
  )

  it.live("sets odd leases aside under new names, and keeps them all", () =>
    Effect.gen(function* () {
      const { paths, store } = yield* world
      yield* store.setLeaseAside(id)
      for (const content of ["one", "two"]) {
        put(leaseAt(paths, 1001), content)
        yield* store.setLeaseAside(id)
      }
      mkdirSync(leaseAt(paths, 1001))
      yield* store.setLeaseAside(id)
      assert.deepStrictEqual(readdirSync(paths.running), [])
      assert.deepStrictEqual(readdirSync(paths.aside).sort(), [
        "task_1001.1.json",
        "task_1001.2.json",
        "task_1001.3.json"
      ])
      assert.strictEqual(readFileSync(join(paths.aside, "task_1001.2.json"), "utf8"), "two")
      yield* store.create(startingLease())
    })
  )

  it.live("removes stop records and claims up to an epoch, set-aside ones too, and no others", () =>
    Effect.gen(function* () {
      const { paths, store } = yield* world
      for (const number of [6, 7, 8]) {
        yield* store.tombstone(claim({ epoch: epoch(number) }))
        yield* store.writeStop(stopRecord({ epoch: epoch(number) }))
        yield* store.tombstone(claim({ taskId: taskId(2), epoch: epoch(number) }))
      }
      yield* store.setClaimAside(id, epoch(6))
      yield* store.setClaimAside(id, epoch(6))
      assert.deepStrictEqual(readdirSync(paths.aside), ["claim_1001.6.1"])
      yield* store.removeClaims(id, epoch(7))
      assert.deepStrictEqual(readdirSync(paths.claims).sort(), ["1001.8", "2.6", "2.7", "2.8"])
      assert.deepStrictEqual(readdirSync(paths.stops), ["1001.8.json"])
      assert.deepStrictEqual(readdirSync(paths.aside), [])
      yield* store.removeClaims(id, epoch(7))
    })
  )

  it.live("writes nothing, and makes no directory, without the lock", () =>
    Effect.gen(function* () {
      const paths = yield* makePaths
      const context = yield* Layer.build(layer({ paths, writer }).pipe(Layer.provide(layerReadOnly(paths))))
      const store = yield* LeaseStore.pipe(Effect.provide(context))
      const errors = [
        yield* Effect.flip(store.create(startingLease())),
        yield* Effect.flip(store.tombstone(claim())),
        yield* Effect.flip(store.writeStop(stopRecord())),
        yield* Effect.flip(store.removeLease(id, token())),
        yield* Effect.flip(store.removeLegacyLease(id)),
        yield* Effect.flip(store.removeClaims(id, epoch(1))),
        yield* Effect.flip(store.setLeaseAside(id)),
        yield* Effect.flip(store.setClaimAside(id, epoch(1)))
      ]
      for (const error of errors) {
        assert.strictEqual(error._tag, "LockLost")
        assert.include(error.message, "this command only looks")
      }
      assert.deepStrictEqual(readdirSync(paths.base), [])
    })
  )
})

describe("tidy", () => {
  const deadPids = new Set([4711])
  const isDead = (pid: number) => deadPids.has(pid)

  it.live("sweeps what dead writers left, also a second link, and nothing of the living", () =>
    Effect.gen(function* () {
      const { paths, store } = yield* world
      yield* store.create(startingLease())
      linkSync(leaseAt(paths, 1001), join(paths.running, ".tmp-4711-1-abc"))
      put(join(paths.claims, ".tmp-4711-1-def"), "half")
      put(join(paths.running, ".tmp-4712-1-abc"), "of one who lives")
      put(join(paths.state, ".tmp-4711-9-ghi"), "a term")
      assert.strictEqual(yield* tidy(paths, isDead).pipe(Effect.provide(heldLock)), 3)
      assert.deepStrictEqual(readdirSync(paths.running).sort(), [".tmp-4712-1-abc", "task_1001.json"])
      assert.deepStrictEqual(readdirSync(paths.claims), [])
      assert.strictEqual(statSync(leaseAt(paths, 1001)).nlink, 1)
    })
  )

  it.live("ends a deletion that a crash cut short, and puts back a lease that was not the one meant", () =>
    Effect.gen(function* () {
      const { paths, store } = yield* world
      const aside = (number: number, mark: string) =>
        join(paths.running, `.tmp-4711-1-${number}-remove.${mark}.task_${number}.json`)
      put(aside(1, token("1")), leaseText(startingLease({ taskId: taskId(1) })))
      put(aside(2, token("9")), leaseText(startingLease({ taskId: taskId(2) })))
      put(aside(3, token("9")), leaseText(startingLease({ taskId: taskId(3) })))
      put(leaseAt(paths, 3), leaseText(runningLease({ taskId: taskId(3) })))
      put(aside(4, "legacy"), leaseText(startingLease({ taskId: taskId(4) })))
      put(aside(5, token("9")), "torn{")
      yield* tidy(paths, isDead).pipe(Effect.provide(heldLock))
      assert.deepStrictEqual(
        (yield* store.scan).map((task) => [task.taskId, task.lease._tag === "Read" ? task.lease.lease.phase : "odd"]),
        [
          [2, "starting"],
          [3, "running"],
          [4, "starting"],
          [5, "odd"]
        ]
      )
      assert.strictEqual(readdirSync(paths.running).filter((name) => name.startsWith(".tmp")).length, 0)
    })
  )
})
