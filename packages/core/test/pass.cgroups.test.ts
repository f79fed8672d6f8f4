/** Attempts in cgroups of their own: what escaped every other trace is found by them, and killed in one piece. */
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { LeaseFile } from "../src/domain/Lease.ts"
import { runPass } from "../src/pass/pass.ts"
import { Cgroups } from "../src/ports/Cgroups.ts"
import type { CgroupsShape } from "../src/ports/Cgroups.ts"
import { exitsWith, World } from "../src/simulation/api.ts"
import type { Leftover } from "../src/simulation/api.ts"
import {
  agent,
  desiredWith,
  later,
  outcomes,
  passes,
  processesLeft,
  processOf,
  runningLease,
  startScheduler,
  verdictsOf
} from "./passHarness.ts"

const delegated = "/sys/fs/cgroup/system.slice/tinyscheduler.service"
const desired = desiredWith({ agents: [agent("vaela", { isolation: "cgroup", success: "exit" })] })

/** A session of its own, a cleaned environment, deaf to what asks kindly; its parent ends before it. */
const escaped: Leftover = { session: "own", carriesToken: false, obeys: [], livesMs: null }

/** A world whose one task's agent runs by now. */
const runningWorld = Effect.fnUntraced(function* (options: {
  readonly delegated: string | null
  readonly leaves?: ReadonlyArray<Leftover>
}) {
  const world = new World()
  world.machine.delegated = options.delegated
  const id = world.addTask()
  world.script = () => exitsWith(0, 60_000, { leaves: options.leaves ?? [escaped] })
  const scheduler = yield* startScheduler(world, { desired })
  yield* scheduler.pass()
  yield* later(world, 1)
  return { world, id, ...scheduler }
})

describe("an attempt whose agent asks for a cgroup", () => {
  it.effect("has one where one is delegated, and its lease says where", () =>
    Effect.gen(function* () {
      const { id, world } = yield* runningWorld({ delegated })
      const { cgroup, token } = runningLease(world, id)
      assert.strictEqual(cgroup, `${delegated}/tinyscheduler-1.1-${token}`)
      assert.deepStrictEqual([...world.machine.cgroups], [cgroup])
    })
  )

  it.effect("runs without one where none is delegated, and its lease names none", () =>
    Effect.gen(function* () {
      const { id, world } = yield* runningWorld({ delegated: null })
      assert.notProperty(runningLease(world, id), "cgroup")
      assert.strictEqual(world.machine.cgroups.size, 0)
    })
  )

  it.effect("is not over while anything lives in it; that is killed, and then the cgroup goes", () =>
    Effect.gen(function* () {
      const { id, pass, world } = yield* runningWorld({ delegated })
      const daemon = processOf(world, id, "leftover")
      yield* later(world, 60)
      assert.deepStrictEqual(verdictsOf(yield* pass()), [
        `stop task 1 on vaela (epoch 1): leftovers, terminate, alive: ${daemon.pid}`
      ])
      assert.deepStrictEqual(outcomes(world), [])
      yield* passes(world, { pass }, 2, 5)
      assert.deepStrictEqual(outcomes(world), ["done"])
      assert.strictEqual(processesLeft(world), 0)
      assert.strictEqual(world.machine.cgroups.size, 0)
    })
  )

  it.effect("could not be told from a stranger without one", () =>
    Effect.gen(function* () {
      const { pass, world } = yield* runningWorld({ delegated: null })
      yield* later(world, 60)
      yield* pass()
      assert.deepStrictEqual(outcomes(world), ["done"])
      assert.strictEqual(processesLeft(world), 1)
    })
  )

  it.effect("keeps its slot when its supervisor and its agent are dead, and a later scheduler ends the rest", () =>
    Effect.gen(function* () {
      const { end, id, world } = yield* runningWorld({ delegated })
      yield* end
      world.machine.kill(processOf(world, id, "supervisor"))
      world.machine.kill(processOf(world, id, "agent"))
      // Another login: what its own cgroup is says nothing of where attempts stand.
      world.machine.delegated = null
      const next = yield* startScheduler(world, { desired })
      assert.match(verdictsOf(yield* next.pass())[0] ?? "", /^stop task 1 .* orphaned-agent, interrupt, alive: \d+$/)
      yield* passes(world, next, 3, 10)
      assert.deepStrictEqual(outcomes(world), ["lost"])
      assert.strictEqual(processesLeft(world), 0)
      assert.strictEqual(world.machine.cgroups.size, 0)
    })
  )
})

describe("a lease's cgroup", () => {
  const decode = Schema.decodeUnknownResult(LeaseFile)
  it.effect.each([
    ["is an attempt's", (token: string) => `${delegated}/tinyscheduler-1.1-${token}`, true],
    ["is no service of somebody else", () => "/sys/fs/cgroup/system.slice/ssh.service", false],
    ["leads nowhere else", (token: string) => `/sys/fs/cgroup/../../tmp/tinyscheduler-1.1-${token}`, false],
    ["is a path", () => 7, false]
  ] as const)("%s", ([, pathOf, isRead]) =>
    Effect.gen(function* () {
      const { id, world } = yield* runningWorld({ delegated })
      const lease = runningLease(world, id)
      const file = { ...Schema.encodeSync(LeaseFile)(lease), cgroup: pathOf(lease.token) }
      assert.strictEqual(Result.isSuccess(decode(file)), isRead)
    })
  )
})

describe("an attempt of which two scans show nothing, while its cgroup has members", () => {
  it.effect("is not over; its cgroup is killed by the directory in its lease, and then it is", () =>
    Effect.gen(function* () {
      const { context, id, inputWith, world } = yield* runningWorld({ delegated, leaves: [] })
      const { cgroup = "" } = runningLease(world, id)
      // A process that is never the same for as long as a scan takes, or that is hidden from us.
      let members: ReadonlyArray<number> = [4242]
      const killed: Array<string> = []
      const cgroups: CgroupsShape = {
        ...Context.get(context, Cgroups),
        members: (directory) => Effect.sync(() => (directory === cgroup ? members : [])),
        kill: (directory) =>
          Effect.sync(() => {
            killed.push(directory)
            members = []
            return true
          })
      }
      const pass = () => Effect.provide(runPass(inputWith(desired)), Context.add(context, Cgroups, cgroups))
      yield* later(world, 60)
      assert.deepStrictEqual(verdictsOf(yield* pass()), [
        "stop task 1 on vaela (epoch 1): leftovers, terminate, alive: 4242"
      ])
      assert.deepStrictEqual([outcomes(world), killed, world.machine.signals], [[], [], []])
      yield* later(world, 5)
      yield* pass()
      assert.deepStrictEqual([outcomes(world), killed], [[], [cgroup]])
      yield* pass()
      assert.deepStrictEqual(outcomes(world), ["done"])
    })
  )
})

describe("a member of a cgroup that is shown as 0, since its pid namespace can't be seen", () => {
  it.effect("holds the slot, and nobody is told to signal 0: that is whoever types it", () =>
    Effect.gen(function* () {
      const { context, inputWith, world } = yield* runningWorld({ delegated, leaves: [] })
      const cgroups: CgroupsShape = {
        ...Context.get(context, Cgroups),
        members: () => Effect.succeed([0]),
        kill: () => Effect.succeed(false)
      }
      const pass = () => Effect.provide(runPass(inputWith(desired)), Context.add(context, Cgroups, cgroups))
      yield* later(world, 60)
      yield* passes(world, { pass }, 4, 5)
      const [told = "", ...more] = (yield* pass()).errors
      assert.match(
        told,
        /^task 1: a process that can't be seen from here is left of epoch 1 and holds its slot: .*cgroup/
      )
      assert.notMatch(told, /kill/)
      assert.deepStrictEqual(more, [])
      assert.deepStrictEqual([outcomes(world), world.machine.signals], [[], []])
    })
  )
})

describe("cgroups that outlived their attempts", () => {
  it.effect("are removed when they are ours by what is remembered, and left alone when they are not", () =>
    Effect.gen(function* () {
      const { pass, world } = yield* runningWorld({ delegated, leaves: [] })
      const [own = ""] = world.machine.cgroups
      const foreign = `${delegated}/tinyscheduler-1.1-99999999-9999-4999-8999-999999999999`
      world.machine.cgroups.add(foreign)
      yield* pass()
      assert.deepStrictEqual([...world.machine.cgroups], [own, foreign])
      yield* later(world, 60)
      yield* pass()
      // As a supervisor that was killed before its lease would leave it.
      world.machine.cgroups.add(own)
      yield* pass()
      assert.deepStrictEqual(outcomes(world), ["done"])
      assert.deepStrictEqual([...world.machine.cgroups], [foreign])
    })
  )
})
