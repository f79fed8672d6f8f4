/** Properties of the files: what is written is read as it was; whatever is read never throws and never vanishes. */
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Schema from "effect/Schema"
import * as fc from "fast-check"
import { TaskId, type Epoch } from "@tinyscheduler/core/domain/identifiers"
import { Claim, FinishedLease, RunningLease, StartingLease, type Lease } from "@tinyscheduler/core/domain/Lease"
import { LeaseStore } from "@tinyscheduler/core/ports/LeaseStore"
import { readClaimFile, readLeaseFile } from "../src/leaseFiles.ts"
import { layer } from "../src/LeaseStore.ts"
import { finishedLease, heldLock, leaseAt, leaseText, makePaths, put, taskId, writer } from "./fixture.ts"

const arbitraryOf = <A>(schema: Schema.Codec<A, unknown>) =>
  fc.nat().map((seed): A => {
    const [value] = Effect.runSync(Arbitrary.sampleEffect(Arbitrary.schema(schema), { seed, count: 1 }))
    if (value === undefined) throw new Error("no sample")
    return value
  })

const anyLease: fc.Arbitrary<Lease> = fc.oneof(
  arbitraryOf(StartingLease),
  arbitraryOf(RunningLease),
  arbitraryOf(FinishedLease)
)

const valid = Buffer.from(leaseText(finishedLease()))

/** Bytes without sense, valid leases with bytes changed, cut or repeated, and JSON of any form. */
const anyBytes: fc.Arbitrary<Uint8Array> = fc.oneof(
  fc.uint8Array({ maxLength: 300 }),
  fc
    .tuple(fc.nat(valid.length), fc.uint8Array({ maxLength: 4 }), fc.nat(20))
    .map(([at, bytes, cut]) => Buffer.concat([valid.subarray(0, at), bytes, valid.subarray(at + cut)])),
  fc.json().map((text) => Buffer.from(text)),
  fc
    .dictionary(fc.constantFrom("phase", "version", "task_id", "agent", "pid", "__proto__", "host"), fc.jsonValue())
    .map((value) => Buffer.from(JSON.stringify(value)))
)

describe("lease files, for all values", () => {
  it.live("a lease is read as it was written", () =>
    Effect.gen(function* () {
      const { running } = yield* makePaths
      yield* Effect.sync(() =>
        fc.assert(
          fc.property(anyLease, (lease) => {
            put(join(running, `task_${lease.taskId}.json`), leaseText(lease))
            // Through JSON: it knows no minus zero.
            const expected: unknown = JSON.parse(JSON.stringify({ _tag: "Read", lease }))
            assert.deepStrictEqual<unknown>(readLeaseFile(running, lease.taskId).value, expected)
          }),
          { numRuns: 300 }
        )
      )
    })
  )

  it.live("a claim is read as the store wrote it", () =>
    Effect.gen(function* () {
      const paths = yield* makePaths
      const run = Effect.runSyncWith(yield* Effect.context())
      const store = yield* LeaseStore.pipe(
        Effect.provide(yield* Layer.build(layer({ paths, writer }).pipe(Layer.provide(heldLock))))
      )
      const seen = new Set<string>()
      yield* Effect.sync(() =>
        fc.assert(
          fc.property(arbitraryOf(Claim), (claim) => {
            const result = run(store.tombstone(claim))
            const name = `${claim.taskId}.${claim.epoch}`
            assert.strictEqual(result, seen.has(name) ? "exists" : "won")
            if (seen.has(name)) return
            seen.add(name)
            const expected = { _tag: "Read", epoch: claim.epoch, claim: { ...claim, kind: "tombstone" } }
            assert.deepStrictEqual<unknown>(readClaimFile(paths.claims, claim.taskId, claim.epoch).value, expected)
          })
        )
      )
    })
  )

  it.live("whatever bytes stand in a lease or claim, they are told in one line and stay in the scan", () =>
    Effect.gen(function* () {
      const paths = yield* makePaths
      const run = Effect.runSyncWith(yield* Effect.context())
      const store = yield* LeaseStore.pipe(
        Effect.provide(yield* Layer.build(layer({ paths, writer }).pipe(Layer.provide(heldLock))))
      )
      const { epoch } = finishedLease()
      yield* Effect.sync(() =>
        fc.assert(
          fc.property(anyBytes, (bytes) => {
            put(leaseAt(paths, 1001), bytes)
            put(join(paths.claims, `1001.${epoch}`), bytes)
            const tasks = run(store.scan)
            assert.strictEqual(tasks.length, 1)
            const { claims, lease } = tasks[0]!
            assert.notStrictEqual(lease._tag, "Missing")
            assert.strictEqual(claims.length, 1)
            if (lease._tag === "Unreadable") assert.match(lease.problem, /^\P{Cc}{1,300}$/u)
          }),
          { numRuns: 1000 }
        )
      )
    })
  )

  it("no id is too large for its file name", () => {
    const largest = TaskId.make(Number.MAX_SAFE_INTEGER)
    const claim: { readonly epoch: Epoch } = { epoch: finishedLease().epoch }
    assert.strictEqual(readClaimFile("/nowhere", largest, claim.epoch).value, null)
    assert.strictEqual(readLeaseFile("/nowhere", taskId(1)).value._tag, "Missing")
  })
})
