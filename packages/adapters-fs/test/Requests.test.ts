import { chmodSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { AgentName } from "@tinyscheduler/core/domain/identifiers"
import { RequestId, type PauseRequest, type Request, type RetryRequest } from "@tinyscheduler/core/domain/Request"
import { Requests } from "@tinyscheduler/core/ports/Requests"
import { requestFileName } from "@tinyscheduler/core/protocol/layout"
import { nodeFileCalls } from "../src/fileCalls.ts"
import { layer } from "../src/Requests.ts"
import { layerReadOnly } from "../src/SchedulerLock.ts"
import { epoch, heldLock, jsonAt, makePaths, modeOf, put, taskId, token, writer } from "./fixture.ts"

const world = Effect.gen(function* () {
  const paths = yield* makePaths
  const context = yield* Layer.build(layer({ paths, writer }).pipe(Layer.provide(heldLock)))
  return { paths, requests: yield* Requests.pipe(Effect.provide(context)) }
})

const uuid = (digit: string) => RequestId.make(`${digit.repeat(8)}-0000-4000-9000-000000000000`)
const common = { version: 1, at: "2026-01-20T04:00:00.123Z", by: "maria" } as const

const retry = (fields: Partial<RetryRequest> = {}): RetryRequest => ({
  ...common,
  uuid: uuid("a"),
  kind: "retry",
  taskId: taskId(1001),
  epoch: epoch(7),
  token: token("1"),
  ...fields
})

const pause: PauseRequest = {
  ...common,
  uuid: uuid("b"),
  at: "2026-01-20T03:00:00.000Z",
  kind: "pause",
  agentName: AgentName.make("vaela"),
  until: null,
  reason: null
}

const answer = (request: Request, at = "2026-01-20T04:01:00Z") =>
  ({ version: 1, uuid: request.uuid, at, result: "done", says: "it is done" }) as const

const readOnes = (stored: ReadonlyArray<{ readonly _tag: string; readonly request?: Request }>) =>
  stored.map((sight) => sight.request ?? sight._tag)

describe("Requests", () => {
  it.live("are read as they were asked, the oldest first, and stand in files that only their owner may read", () =>
    Effect.gen(function* () {
      const { paths, requests } = yield* world
      assert.deepStrictEqual(yield* requests.pending, [])
      assert.deepStrictEqual(readdirSync(paths.base), [])
      yield* requests.submit(retry())
      yield* requests.submit(pause)
      assert.deepStrictEqual(readOnes(yield* requests.pending), [pause, retry()])
      const file = join(paths.requests, "20260120T040000.123Z-aaaaaaaa-0000-4000-9000-000000000000.json")
      assert.deepInclude(jsonAt(file), { kind: "retry", task_id: 1001, epoch: 7 })
      assert.strictEqual(modeOf(file), 0o600)
      assert.strictEqual(modeOf(paths.requests), 0o700)
    })
  )

  it.live("are answered once, and removed", () =>
    Effect.gen(function* () {
      const { paths, requests } = yield* world
      yield* requests.submit(retry())
      assert.isNull(yield* requests.answerOf(retry().uuid))
      yield* requests.answer(answer(retry()))
      yield* requests.answer({ ...answer(retry()), says: "another word" })
      assert.deepStrictEqual(yield* requests.answerOf(retry().uuid), answer(retry()))
      assert.strictEqual(modeOf(join(paths.answers, `${retry().uuid}.json`)), 0o600)
      yield* requests.remove(retry())
      yield* requests.remove(retry())
      assert.deepStrictEqual(yield* requests.pending, [])
    })
  )

  it.live("are forgotten with their answers after a while; what is no answer stays", () =>
    Effect.gen(function* () {
      const { paths, requests } = yield* world
      yield* requests.answer(answer(retry(), "2026-01-19T04:00:00Z"))
      yield* requests.answer(answer(pause, "2026-01-20T04:00:00Z"))
      put(join(paths.answers, `${uuid("c")}.json`), "torn{")
      put(join(paths.answers, "notes.txt"), "mine")
      assert.strictEqual(yield* requests.forgetAnswers(Date.parse("2026-01-20T00:00:00Z")), 1)
      assert.deepStrictEqual(readdirSync(paths.answers).sort(), [`${uuid("b")}.json`, `${uuid("c")}.json`, "notes.txt"])
    })
  )

  it.live("that nobody could have asked are told with what is wrong, and set aside", () =>
    Effect.gen(function* () {
      const { paths, requests } = yield* world
      yield* requests.submit(retry())
      const good = readFileSync(join(paths.requests, requestFileName(retry())), "utf8")
      const name = (digit: string) => requestFileName({ ...retry(), uuid: uuid(digit) })
      const at = (digit: string) => join(paths.requests, name(digit))
      const other = (change: object, digit: string): string =>
        JSON.stringify({ ...JSON.parse(good), uuid: uuid(digit), ...change })
      const victim = put(join(paths.base, "victim"), good)
      put(at("0"), "torn{")
      put(at("1"), good)
      put(at("2"), other({ task_id: -1 }, "2"))
      put(at("3"), other({ kind: "reboot" }, "3"))
      put(at("4"), `${other({}, "4")}${" ".repeat(17 * 1024)}`)
      put(at("5"), other({ by: "x".repeat(501) }, "5"))
      symlinkSync(victim, at("6"))
      mkdirSync(at("7"))
      chmodSync(put(at("8"), other({}, "8")), 0o666)
      put(at("9"), `{"__proto__": {"kind": "retry"}, "version": 1}`)
      put(join(paths.requests, "notes.txt"), "mine")
      // A crashed writer's is swept by others.
      put(join(paths.requests, ".tmp-1-2-abc"), "half")
      const problems = (yield* requests.pending).flatMap((sight) =>
        sight._tag === "Odd" ? [[sight.name, sight.problem] as const] : []
      )
      const problemOf = new Map(problems)
      const digits = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]
      assert.deepStrictEqual([...problemOf.keys()].sort(), [...digits.map(name), "notes.txt"].sort())
      assert.match(problemOf.get(name("0")) ?? "", /^is not JSON/)
      assert.strictEqual(problemOf.get(name("1")), "contradicts its file name")
      assert.match(problemOf.get(name("4")) ?? "", /^is larger than 16 KiB/)
      assert.strictEqual(problemOf.get(name("6")), "is a symbolic link")
      assert.strictEqual(problemOf.get(name("7")), "is a directory, not a file")
      assert.strictEqual(problemOf.get(name("8")), "can be written by its group or by others")
      assert.strictEqual(problemOf.get("notes.txt"), "is not named as a request is")
      for (const odd of problemOf.keys()) yield* requests.setAside(odd)
      assert.deepStrictEqual(readOnes(yield* requests.pending), [retry()])
      assert.strictEqual(readdirSync(paths.aside).length, 11)
      assert.strictEqual(readFileSync(victim, "utf8"), good)
    })
  )

  it.live("that are many are read a thousand at a time", () =>
    Effect.gen(function* () {
      const { paths, requests } = yield* world
      mkdirSync(paths.requests, { recursive: true, mode: 0o700 })
      for (let number = 0; number < 1003; number += 1) writeFileSync(join(paths.requests, `x${number}`), "")
      assert.strictEqual((yield* requests.pending).length, 1000)
    })
  )

  it.live("whose answer can't be read are not answered by that: whoever asks is told", () =>
    Effect.gen(function* () {
      const { paths, requests } = yield* world
      put(join(paths.answers, `${retry().uuid}.json`), "torn{")
      const error = yield* Effect.flip(requests.answerOf(retry().uuid))
      assert.match(error.message, /aaaaaaaa.*can't be read: it is not JSON/)
    })
  )

  it.live("need no lock to be asked, and the lock to be answered", () =>
    Effect.gen(function* () {
      const paths = yield* makePaths
      const context = yield* Layer.build(layer({ paths, writer }).pipe(Layer.provide(layerReadOnly(paths))))
      const requests = yield* Requests.pipe(Effect.provide(context))
      yield* requests.submit(retry())
      for (const write of [
        requests.answer(answer(retry())),
        requests.remove(retry()),
        requests.setAside("x"),
        requests.forgetAnswers(0)
      ]) {
        assert.strictEqual((yield* Effect.flip(write))._tag, "LockLost")
      }
      assert.deepStrictEqual(readdirSync(paths.requests).length, 1)
    })
  )

  it.live("on a full disk are told so, and leave nothing behind", () =>
    Effect.gen(function* () {
      const paths = yield* makePaths
      const full = Object.assign(new Error("full"), { code: "ENOSPC" })
      const calls = {
        ...nodeFileCalls,
        write: () => {
          throw full
        }
      }
      const context = yield* Layer.build(layer({ paths, writer, calls }).pipe(Layer.provide(heldLock)))
      const requests = yield* Requests.pipe(Effect.provide(context))
      for (const write of [requests.submit(retry()), requests.answer(answer(retry()))]) {
        assert.match((yield* Effect.flip(write)).message, /no space is left on the device/)
      }
      assert.deepStrictEqual(readdirSync(paths.requests), ["answers"])
      assert.deepStrictEqual(readdirSync(paths.answers), [])
    })
  )

  it.live("that could not be read again are not written", () =>
    Effect.gen(function* () {
      const { paths, requests } = yield* world
      const error = yield* Effect.flip(requests.submit(retry({ by: "x".repeat(501) })))
      assert.strictEqual(error._tag, "StateUnwritable")
      assert.deepStrictEqual(readdirSync(paths.base), [])
    })
  )
})

describe("requests that can't be looked at", () => {
  it.live("are an error of the pass, and no fault of ours", () =>
    Effect.gen(function* () {
      const { paths, requests } = yield* world
      symlinkSync(paths.state, paths.state)
      const error = yield* Effect.flip(requests.pending)
      assert.strictEqual(error._tag, "StateUnreadable")
      assert.include(error.message, `${paths.requests} can't be read: it is a symbolic link (ELOOP)`)
    }).pipe(Effect.scoped)
  )
})
