/**
 * Hostile values in every field of every file of the state, and of the control file: whatever is read there, it is a
 * value of the right form or one clean sentence, never an exception, and nobody's prototype is changed.
 */
import { execFileSync } from "node:child_process"
import { existsSync, lchownSync, mkdirSync, symlinkSync, truncateSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { AgentsFile, AttemptsFile, HistoryLineFile, StopFile } from "@tinyscheduler/core/domain/Attempts"
import { ClaimFile, LeaseFile } from "@tinyscheduler/core/domain/Lease"
import { RequestAnswer, RequestFile } from "@tinyscheduler/core/domain/Request"
import { StateInventory } from "@tinyscheduler/core/ports/StateInventory"
import { findUnclean, hostileContents, hostileJson, placesIn, replaceAt } from "../../core/test/hostileValues.ts"
import { decodeAgentControl, parseAgentControl } from "../src/AgentControl.ts"
import { readHistory } from "../src/historyFile.ts"
import { makeDecoder, type Decoded } from "../src/jsonFile.ts"
import { readClaimFile, readLeaseFile, readStopFile } from "../src/leaseFiles.ts"
import { decodeLegacyLease } from "../src/legacyLease.ts"
import { readHolder } from "../src/SchedulerLock.ts"
import { layer as inventoryLayer } from "../src/StateInventory.ts"
import { lookAtTerm } from "../src/termFile.ts"
import * as fixture from "./fixture.ts"

const request = {
  version: 1,
  uuid: "11111111-0000-4000-8000-000000000000",
  at: "2026-01-20T05:00:00Z",
  by: "ada",
  kind: "retry",
  task_id: 1001,
  epoch: 7,
  token: fixture.token("1")
}

const agents = {
  version: 1,
  paused: { by: "ada", until: null },
  agents: [
    {
      agent_name: "vaela",
      paused_by: null,
      paused_until: null,
      last_start: "2026-01-20T05:00:00Z",
      start_failures: 0,
      set_aside_until: null
    }
  ]
}

const legacy = {
  task_id: "1001",
  agent: "vaela",
  pid: 4711,
  started_at: "2026-01-20T04:00:00Z",
  heartbeat: "2026-01-20T04:00:00Z",
  recipe: "vaela.yaml",
  host: "calypso",
  state: "running",
  metadata: {}
}

interface Form {
  readonly name: string
  readonly valid: unknown
  readonly decode: (value: unknown) => Decoded<unknown>
}

const form = <A, I>(name: string, schema: Schema.Codec<A, I>, valid: unknown): Form => ({
  name,
  valid,
  decode: makeDecoder(schema)
})

const forms: ReadonlyArray<Form> = [
  form("a lease in starting", LeaseFile, Schema.encodeSync(LeaseFile)(fixture.startingLease())),
  form("a lease in running", LeaseFile, Schema.encodeSync(LeaseFile)(fixture.runningLease())),
  form("a lease in finished", LeaseFile, Schema.encodeSync(LeaseFile)(fixture.finishedLease())),
  { name: "a lease of the old form", valid: legacy, decode: (value) => decodeLegacyLease(Object(value)) },
  form("a claim", ClaimFile, Schema.encodeSync(ClaimFile)(fixture.claim())),
  form(
    "a stop record",
    StopFile,
    Schema.encodeSync(StopFile)(fixture.stopRecord({ targets: [{ pid: 4711, pidStart: 5 }] }))
  ),
  form("an attempts file", AttemptsFile, Schema.encodeSync(AttemptsFile)(fixture.attempts())),
  form("the agents' file", AgentsFile, agents),
  form("a line of the history", HistoryLineFile, Schema.encodeSync(HistoryLineFile)(fixture.historyLine())),
  form("a request", RequestFile, request),
  form("an answer to a request", RequestAnswer, {
    version: 1,
    uuid: request.uuid,
    at: request.at,
    result: "done",
    says: "ok"
  })
]

const expectClean = (sentence: string, where: string): void => {
  assert.isNull(findUnclean(sentence), `${where}: ${sentence.slice(0, 200)}`)
}

const noPollution = (): void => assert.isFalse("polluted" in {}, "Object.prototype was changed")

describe("hostile values in every field", () => {
  for (const { decode, name, valid } of forms) {
    it(`of ${name}: decoded or refused in one clean sentence`, () => {
      assert.isTrue(decode(valid).ok, JSON.stringify(decode(valid)))
      for (const place of placesIn(valid)) {
        for (const [what, hostile] of Object.entries(hostileJson)) {
          const decoded = decode(replaceAt(valid, place, hostile))
          if (!decoded.ok) expectClean(decoded.problem, `${what} at ${place.join(".")}`)
        }
      }
      noPollution()
    })
  }

  it("of an entry of the control file: understood, or told in clean sentences", () => {
    const entry = {
      agentName: "vaela",
      agentType: ["dev"],
      slots: 1,
      recipe: "vaela.yaml",
      command: ["/bin/true", "{{taskId}}"],
      prompt: "go",
      cwd: "/",
      env: { A: "b" },
      success: "exit",
      maxRuntimeSec: 1,
      idleTimeoutSec: 1,
      stopSignal: "SIGINT",
      stopGraceSec: 1,
      isolation: "none",
      enabled: true,
      comment: "mine"
    }
    const valid = [entry]
    assert.deepStrictEqual(decodeAgentControl("agents", valid).faults, [])
    for (const place of placesIn(valid)) {
      for (const [what, hostile] of Object.entries(hostileJson)) {
        const { entries, faults, warnings } = decodeAgentControl("agents", replaceAt(valid, place, hostile))
        for (const sentence of [...faults, ...warnings]) expectClean(sentence, `${what} at ${place.join(".")}`)
        for (const { name } of entries) assert.match(name, /^[A-Za-z0-9_][A-Za-z0-9_-]{0,63}$/)
      }
    }
    // And keys instead of values.
    for (const [what, hostile] of Object.entries(hostileJson)) {
      if (typeof hostile !== "string") continue
      const named = JSON.parse(
        `[{"agentName":"a","agentType":"q","env":{${JSON.stringify(hostile)}:"x"},${JSON.stringify(hostile)}:1}]`
      )
      const { faults, warnings } = decodeAgentControl("agents", named)
      for (const sentence of [...faults, ...warnings]) expectClean(sentence, `${what} as a key`)
    }
    noPollution()
  })
})

/** What stands in the place of a file. */
const places: Readonly<Record<string, (path: string) => void>> = {
  ...Object.fromEntries(
    Object.entries(hostileContents).map(([name, content]) => [
      name,
      (path: string) => writeFileSync(path, content, { mode: 0o600 })
    ])
  ),
  "a sparse gibibyte": (path) => {
    writeFileSync(path, "{", { mode: 0o600 })
    truncateSync(path, 1024 ** 3)
  },
  "a named pipe": (path) => void execFileSync("mkfifo", ["-m", "600", path]),
  "a device": (path) => symlinkSync("/dev/zero", path),
  "a directory": (path) => mkdirSync(path),
  "a link to itself": (path) => symlinkSync(path, path)
}

describe("hostile contents in the place", () => {
  for (const [what, put] of Object.entries(places)) {
    it.live(`of each file of the state: ${what}`, () =>
      Effect.gen(function* () {
        const paths = yield* fixture.makePaths
        const [task, epoch] = [fixture.taskId(1), fixture.epoch(1)]
        const targets = {
          lease: join(paths.running, "task_1.json"),
          claim: join(paths.claims, "1.1"),
          stop: join(paths.stops, "1.1.json"),
          term: paths.term,
          lock: paths.lock
        }
        for (const path of Object.values(targets)) {
          mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
          put(path)
        }
        const lease = readLeaseFile(paths.running, task).value
        assert.strictEqual(lease._tag, "Unreadable")
        if (lease._tag === "Unreadable") expectClean(lease.problem, "lease")
        const claim = readClaimFile(paths.claims, task, epoch).value
        assert.strictEqual(claim?._tag, "Unreadable")
        if (claim?._tag === "Unreadable") expectClean(claim.problem, "claim")
        assert.isNull(readStopFile(paths.stops, task, epoch).value)
        const term = lookAtTerm(paths)
        assert.strictEqual(term.ok, what === "a number in place of all")
        if (!term.ok) expectClean(term.problem, "term")
        const holder = readHolder(paths.lock)
        if (holder !== null) expectClean(holder, "lock")
      }).pipe(Effect.scoped)
    )
  }

  it.live("of the history: odd lines are counted, all others are read", () =>
    Effect.gen(function* () {
      const paths = yield* fixture.makePaths
      const line = JSON.stringify(Schema.encodeSync(HistoryLineFile)(fixture.historyLine()))
      const odd = Object.entries(hostileContents).flatMap(([, content]) =>
        typeof content === "string" && !content.includes("\n") && content.trim() !== "" ? [content] : []
      )
      fixture.put(join(paths.history, "202601.jsonl"), [...odd, line, ...odd].join("\n"))
      const { lines, skipped } = yield* readHistory(paths)
      assert.strictEqual(lines.length, 1)
      assert.strictEqual(skipped, 2 * odd.length)
    }).pipe(Effect.scoped)
  )

  it("of the control file: told in one clean sentence each", () => {
    for (const content of Object.values(hostileContents)) {
      if (typeof content !== "string") continue
      const { entries, faults } = parseAgentControl("agents", content)
      assert.strictEqual(entries.length, 0)
      assert.isAbove(faults.length, 0)
      for (const fault of faults) expectClean(fault, content.slice(0, 40))
    }
  })
})

describe.skipIf(!fixture.isRoot)("another's link for a directory of the state (needs root to plant)", () => {
  it.live("leads no removal of what was set aside to what stands behind it", () =>
    Effect.gen(function* () {
      const paths = yield* fixture.makePaths
      const outside = fixture.put(join(paths.base, "outside/ours.json"), "ours")
      mkdirSync(paths.state, { mode: 0o700 })
      symlinkSync(dirname(outside), paths.aside)
      lchownSync(paths.aside, 65_534, 65_534)
      const inventory = yield* StateInventory.pipe(
        Effect.provide(
          inventoryLayer({ paths, writer: fixture.writer, temporaryDirectory: join(paths.state, "tmp") }).pipe(
            Layer.provide(fixture.heldLock)
          )
        )
      )
      const error = yield* Effect.flip(inventory.removeAside("ours.json"))
      expectClean(error.message, "aside")
      assert.include(error.message, "is a symbolic link of user 65534")
      assert.isTrue(existsSync(outside))
    }).pipe(Effect.scoped)
  )
})
