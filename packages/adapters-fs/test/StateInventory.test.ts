/** What a repair looks at: every odd file told with its kind, what can be made out in torn ones, and files put aside safely. */
import { chmodSync, existsSync, linkSync, lstatSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { StateInventory } from "@tinyscheduler/core/ports/StateInventory"
import { guessIn } from "../src/guessFile.ts"
import { layerReadOnly } from "../src/SchedulerLock.ts"
import { layer } from "../src/StateInventory.ts"
import {
  heldLock,
  leaseAt,
  leaseText,
  makePaths,
  put,
  runningLease,
  startingLease,
  taskId,
  token,
  writer
} from "./fixture.ts"

const world = Effect.gen(function* () {
  const paths = yield* makePaths
  const temporaryDirectory = join(paths.state, "tmp")
  const options = { paths, writer, temporaryDirectory }
  const inventory = yield* StateInventory.pipe(
    Effect.provide(yield* Layer.build(layer(options).pipe(Layer.provide(heldLock))))
  )
  const looking = yield* StateInventory.pipe(
    Effect.provide(yield* Layer.build(layer(options).pipe(Layer.provide(layerReadOnly(paths)))))
  )
  return { paths, temporaryDirectory, inventory, looking }
})

describe("a guess", () => {
  it("of a whole lease names its token, machine, epoch and both processes with their starts", () => {
    assert.deepStrictEqual(guessIn(leaseText(runningLease())), {
      token: token("1"),
      host: "calypso/4f2c",
      processes: [
        { pid: 42_318, pidStart: 123_456 },
        { pid: 42_320, pidStart: 123_460 }
      ],
      epoch: 7
    })
    assert.deepStrictEqual(guessIn(leaseText(startingLease())).processes, [])
  })

  it("of a torn one pairs no start with a pid that may be another's", () => {
    const text = leaseText(runningLease())
    const torn = text.slice(0, text.lastIndexOf('"pid_start"'))
    assert.deepStrictEqual(guessIn(torn).processes, [
      { pid: 42_318, pidStart: null },
      { pid: 42_320, pidStart: null }
    ])
  })

  it("of anything else is empty, also where numbers are absurd", () => {
    const nothing = { token: null, host: null, processes: [], epoch: null }
    for (const text of [
      "",
      "\u0000\u0001",
      '"token": "nobody\'s token, but 36 characters"',
      '"epoch": 9007199254740991',
      '"pid": 0'
    ]) {
      assert.deepStrictEqual(guessIn(text), nothing)
    }
  })
})

describe("the inventory", () => {
  it.effect("tells each odd file by its kind, and nothing of an ordinary state", () =>
    Effect.gen(function* () {
      const { inventory, paths, temporaryDirectory } = yield* world
      put(leaseAt(paths, 1), leaseText(startingLease({ taskId: taskId(1) })))
      put(join(paths.history, "202601.jsonl"), "")
      assert.deepStrictEqual((yield* inventory.take).odd, [])
      put(leaseAt(paths, 2), "{ torn")
      put(join(paths.claims, "3.4"), "")
      put(join(paths.attempts, "task_5.json"), '{ "token": "')
      put(join(paths.stops, "6.1.json"), "{}")
      put(join(paths.running, "notes.txt"), "mine")
      put(join(paths.running, ".tmp-77-88-x"), "half")
      put(join(paths.aside, "claim_7.2.1"), "{}")
      put(join(paths.aside, "whatever"), "{}")
      mkdirSync(join(temporaryDirectory, "8.1"), { recursive: true })
      mkdirSync(join(temporaryDirectory, "3.4"))
      chmodSync(put(paths.agents, "[]"), 0o622)
      mkdirSync(paths.term)
      symlinkSync("nowhere", join(paths.history, "link"))
      const { odd, termProblem, unreadable } = yield* inventory.take
      assert.deepStrictEqual(
        unreadable.map(({ path }) => path.slice(paths.state.length + 1)),
        ["running/task_2.json", "claims/3.4", "attempts/task_5.json"]
      )
      assert.match(termProblem ?? "", /term is a directory, not a file$/)
      const told = odd.map(({ _tag, path }) => `${_tag} ${path.slice(paths.state.length + 1)}`)
      assert.deepStrictEqual(told, [
        "Untrusted agents.json",
        "Aside aside/claim_7.2.1",
        "Aside aside/whatever",
        "Strange history/link",
        "Temporary running/.tmp-77-88-x",
        "Strange running/notes.txt",
        "UnreadableStop stops/6.1.json",
        "TemporaryDirectory tmp/8.1"
      ])
    })
  )

  it.effect("takes a history that can't be read whole as none, and says so", () =>
    Effect.gen(function* () {
      const { inventory, paths } = yield* world
      chmodSync(put(join(paths.history, "202601.jsonl"), ""), 0o666)
      put(join(paths.history, "202602.jsonl"), '{"torn"')
      const { history, historyProblem } = yield* inventory.take
      assert.deepStrictEqual(history, [])
      assert.match(historyProblem ?? "", /202601\.jsonl can't be read/)
    })
  )

  it.effect("creates nothing where there is nothing", () =>
    Effect.gen(function* () {
      const { looking, paths } = yield* world
      assert.deepStrictEqual((yield* looking.take).odd, [])
      assert.isFalse(existsSync(paths.state))
    })
  )
})

describe("putting aside", () => {
  it.effect("keeps a second name of an attempts file, once for each content; the first stays", () =>
    Effect.gen(function* () {
      const { inventory, paths } = yield* world
      const path = put(join(paths.attempts, "task_5.json"), "torn")
      yield* inventory.keepAttempts(taskId(5))
      yield* inventory.keepAttempts(taskId(5))
      assert.deepStrictEqual(readdirSync(paths.aside), ["attempts_5.1.json"])
      assert.strictEqual(lstatSync(path).ino, lstatSync(join(paths.aside, "attempts_5.1.json")).ino)
      yield* inventory.keepAgents
      assert.deepStrictEqual(readdirSync(paths.aside), ["attempts_5.1.json"])
    })
  )

  it.effect("keeps a link as a link", () =>
    Effect.gen(function* () {
      const { inventory, paths } = yield* world
      const target = put(join(paths.base, "elsewhere"), "another's")
      mkdirSync(paths.state, { recursive: true })
      symlinkSync(target, paths.agents)
      yield* inventory.keepAgents
      assert.isTrue(lstatSync(join(paths.aside, "agents.1.json")).isSymbolicLink())
      assert.strictEqual(readFileSync(target, "utf8"), "another's")
    })
  )

  it.effect("removes what was set aside, a directory too, and nothing else", () =>
    Effect.gen(function* () {
      const { inventory, paths } = yield* world
      put(join(paths.aside, "task_1.1.json", "within"), "")
      const lease = put(leaseAt(paths, 1), "{}")
      linkSync(lease, join(paths.aside, "task_1.2.json"))
      yield* inventory.removeAside("task_1.1.json")
      yield* inventory.removeAside("task_1.2.json")
      for (const name of ["../running/task_1.json", "..", ".", ""]) {
        assert.strictEqual((yield* Effect.exit(inventory.removeAside(name)))._tag, "Failure", name)
      }
      assert.deepStrictEqual([readdirSync(paths.aside), existsSync(lease)], [[], true])
    })
  )

  it.effect("writes nothing without the lock", () =>
    Effect.gen(function* () {
      const { looking, paths } = yield* world
      put(join(paths.attempts, "task_5.json"), "torn")
      put(join(paths.aside, "task_1.1.json"), "")
      for (const write of [looking.keepAttempts(taskId(5)), looking.keepAgents, looking.removeAside("task_1.1.json")]) {
        assert.strictEqual((yield* Effect.exit(write))._tag, "Failure")
      }
      assert.deepStrictEqual(readdirSync(paths.aside), ["task_1.1.json"])
    })
  )
})
