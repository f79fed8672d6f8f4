/** Identity and liveness against real processes of every kind, and signals that reach only who is meant. */
import { assert, describe, it } from "@effect/vitest"
import { type ChildProcess, spawn, spawnSync } from "node:child_process"
import * as fs from "node:fs"
import * as Effect from "effect/Effect"
import { afterEach, beforeEach } from "vitest"
import {
  ancestorsOf,
  judgeLiveness,
  type ProcessIdentity,
  processesOfAttempt
} from "@tinyscheduler/core/domain/ProcessIdentity"
import { ProcessTable } from "@tinyscheduler/core/ports/ProcessTable"
import type { Machine } from "../src/Machine.ts"
import { layer, layerOf } from "../src/ProcessTable.ts"
import { thisMachine } from "../src/thisMachine.ts"
import { exitOf, fixture, isLiving, node, Scene, until } from "./harness.ts"

let scene: Scene
beforeEach(() => {
  scene = new Scene()
})
afterEach(() => scene.close())

const start = (argv: ReadonlyArray<string>): ChildProcess => {
  const [file = "", ...args] = argv
  const child = spawn(file, args, {
    env: { ...process.env, TINYSCHEDULER_LEASE: scene.token },
    stdio: ["ignore", "pipe", "inherit"]
  })
  scene.track(child.pid)
  return child
}

const firstLineOf = (child: ChildProcess): Promise<string> =>
  new Promise((resolve) => {
    let text = ""
    child.stdout?.on("data", (chunk) => {
      text += String(chunk)
      if (text.includes("\n")) resolve(text.slice(0, text.indexOf("\n")))
    })
  })

const identityOf = (pid: number): ProcessIdentity => {
  const sight = thisMachine.look([pid]).get(pid)
  if (sight?._tag !== "Seen") throw new Error(`process ${pid} is not there`)
  return { ...thisMachine.identify().here, pid, pidStart: sight.pidStart }
}

const livenessOf = Effect.fnUntraced(function* (identity: ProcessIdentity) {
  const table = yield* ProcessTable
  const { here } = yield* table.ourselves
  return judgeLiveness(identity, here, (yield* table.look([identity.pid])).get(identity.pid) ?? { _tag: "Absent" })
})

const stateOf = (pid: number): string | null => {
  const sight = thisMachine.look([pid]).get(pid)
  return sight?._tag === "Seen" ? sight.state : null
}

describe("identity", () => {
  it.effect("is the same whenever a process asks", () =>
    Effect.gen(function* () {
      const table = yield* ProcessTable
      const ourselves = yield* table.ourselves
      assert.deepStrictEqual(yield* table.ourselves, ourselves)
      assert.strictEqual(ourselves.pid, process.pid)
      assert.match(ourselves.here.host, /^[^/]+\/[0-9a-f]*$/)
      assert.match(ourselves.here.bootId, /^[0-9a-f-]{36}$/)
      assert.isAbove(ourselves.here.pidNs, 0)
    }).pipe(Effect.provide(layer))
  )

  it.effect("that can't be read is a typed error, and so is a list that can't be read", () => {
    const broken = () => {
      throw new Error("/proc is not mounted")
    }
    const machine: Machine = {
      identify: broken,
      look: broken,
      scan: broken,
      startedAtMs: broken,
      statedTask: broken,
      describe: broken
    }
    return Effect.gen(function* () {
      const table = yield* ProcessTable
      assert.strictEqual((yield* Effect.flip(table.ourselves))._tag, "HostUnidentified")
      assert.strictEqual((yield* Effect.flip(table.scan))._tag, "ProcessesUnreadable")
      assert.strictEqual((yield* Effect.flip(table.look([1])))._tag, "ProcessesUnreadable")
      assert.isNull(yield* table.startedAtMs(1))
      assert.isNull(yield* table.describe(1))
      assert.strictEqual((yield* Effect.flip(table.statedTask(1)))._tag, "ProcessesUnreadable")
      assert.strictEqual(yield* table.signal({ pid: 4242, pidStart: 1 }, "SIGKILL"), "refused")
    }).pipe(Effect.provide(layerOf(machine)))
  })
})

describe("liveness", () => {
  it.live("a process is alive, and dead once it has ended", () =>
    Effect.gen(function* () {
      const child = start(["sleep", "1000"])
      const identity = identityOf(child.pid ?? 0)
      assert.strictEqual(yield* livenessOf(identity), "alive")
      child.kill("SIGKILL")
      yield* Effect.promise(() => exitOf(child))
      assert.strictEqual(yield* livenessOf(identity), "dead")
    }).pipe(Effect.provide(layer))
  )

  it.live("a zombie is dead, although its pid still exists", () =>
    Effect.gen(function* () {
      const parent = start(["sh", "-c", "sleep 1000 & echo $!; exec sleep 1000"])
      const pid = Number(yield* Effect.promise(() => firstLineOf(parent)))
      const identity = identityOf(pid)
      assert.strictEqual(yield* livenessOf(identity), "alive")
      process.kill(pid, "SIGKILL")
      yield* Effect.promise(() => until(() => stateOf(pid) === "Z"))
      assert.isTrue(process.kill(pid, 0))
      assert.strictEqual(yield* livenessOf(identity), "dead")
      const table = yield* ProcessTable
      assert.strictEqual(yield* table.signal(identity, "SIGKILL"), "gone")
    }).pipe(Effect.provide(layer))
  )

  it.live("a process whose first thread ended while another runs is alive, in a scan too", (context) =>
    Effect.gen(function* () {
      const script =
        "import ctypes,threading,time\nthreading.Thread(target=lambda: time.sleep(1000)).start()\nprint('up', flush=True)\nctypes.CDLL(None).pthread_exit(None)"
      if (spawnSync("python3", ["-c", "import ctypes"]).status !== 0) return context.skip("there is no python3 here")
      const stated = ["TINYSCHEDULER_TASK_ID=7", "TINYSCHEDULER_MCP_ENDPOINT=http://127.0.0.1:3000"]
      const child = start(["env", ...stated, "python3", "-c", script])
      yield* Effect.promise(() => firstLineOf(child))
      const pid = child.pid ?? 0
      yield* Effect.promise(() => until(() => stateOf(pid) === "Z"))
      assert.strictEqual(yield* livenessOf(identityOf(pid)), "alive")
      const table = yield* ProcessTable
      const row = (yield* table.scan).find((row) => row.pid === pid)
      assert.strictEqual(row?.state, "S")
      assert.strictEqual(row?.token, scene.token)
      assert.strictEqual((yield* table.describe(pid))?.state, "S")
      assert.deepStrictEqual(yield* table.statedTask(pid), { taskId: "7", endpoint: "http://127.0.0.1:3000" })
      assert.isNull(yield* table.statedTask(4_194_303))
    }).pipe(Effect.provide(layer))
  )

  it.live("a program whose name holds spaces and parentheses shows its own fields", () =>
    Effect.gen(function* () {
      const program = scene.path("a) S 1 (b")
      fs.symlinkSync("/bin/sleep", program)
      const child = start([program, "1000"])
      yield* Effect.promise(() =>
        until(() => fs.readFileSync(`/proc/${child.pid}/comm`, "utf8").startsWith("a) S 1 (b"))
      )
      assert.strictEqual(yield* livenessOf(identityOf(child.pid ?? 0)), "alive")
      const table = yield* ProcessTable
      const row = (yield* table.scan).find((row) => row.pid === child.pid)
      assert.strictEqual(row?.parent, process.pid)
      assert.strictEqual(row?.token, scene.token)
    }).pipe(Effect.provide(layer))
  )

  it.live("a pid that was given to another process is dead, and gets no signal", (context) =>
    Effect.gen(function* () {
      const first = start(["sleep", "1000"])
      const identity = identityOf(first.pid ?? 0)
      first.kill("SIGKILL")
      yield* Effect.promise(() => exitOf(first))
      const second = yield* Effect.promise(() => reuse(identity))
      if (second === null)
        return context.skip("pids can't be chosen here: ns_last_pid is not writable, or others took it")
      assert.strictEqual(second.pid, identity.pid)
      assert.isTrue(process.kill(identity.pid, 0))
      assert.strictEqual(yield* livenessOf(identity), "dead")
      const table = yield* ProcessTable
      assert.strictEqual(yield* table.signal(identity, "SIGKILL"), "gone")
      assert.isTrue(isLiving(identity.pid))
    }).pipe(Effect.provide(layer))
  )

  it.effect("numbers that are no pid are absent, and refused", () =>
    Effect.gen(function* () {
      const table = yield* ProcessTable
      const pids = [0, -1, 1.5, Number.NaN, 2 ** 31, 2 ** 53]
      const sights = yield* table.look(pids)
      for (const pid of pids) assert.deepStrictEqual(sights.get(pid), { _tag: "Absent" })
      for (const pid of [...pids.slice(0, 4), 1, process.pid]) {
        assert.strictEqual(yield* table.signal({ pid, pidStart: 0 }, "SIGKILL"), "refused")
      }
    }).pipe(Effect.provide(layer))
  )

  it.effect("the start of a process is a time of day", () =>
    Effect.gen(function* () {
      const table = yield* ProcessTable
      const startedAt = yield* table.startedAtMs(process.pid)
      // btime is a whole second; the process's uptime is its own.
      const expected = performance.timeOrigin
      assert.isBelow(Math.abs((startedAt ?? 0) - expected), 5000)
      assert.isNull(yield* table.startedAtMs(4_194_303))
    }).pipe(Effect.provide(layer))
  )
})

/** Another process under the same pid: a tick later, so that its start differs. */
const reuse = async (identity: ProcessIdentity): Promise<ChildProcess | null> => {
  const ticks = () => Math.floor(Number(fs.readFileSync("/proc/uptime", "utf8").split(" ")[0]) * 100)
  await until(() => ticks() > identity.pidStart + 1)
  for (let attempt = 0; attempt < 200; attempt++) {
    try {
      fs.writeFileSync("/proc/sys/kernel/ns_last_pid", String(identity.pid - 1))
    } catch {
      return null
    }
    const child = start(["sleep", "1000"])
    if (child.pid === identity.pid) return child
    child.kill("SIGKILL")
    await exitOf(child)
  }
  return null
}

const nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]

/** What another user's table shows of a process; null where we can't become another user who may read this checkout. */
const lookAsNobody = (pid: number, prefix: ReadonlyArray<string>) => {
  const { pidStart } = identityOf(pid)
  const [file, ...args] = [...prefix, ...nobody, ...node, fixture("look.ts"), String(pid), String(pidStart)]
  const result = spawnSync(file, args, { encoding: "utf8", env: { PATH: process.env["PATH"] } })
  return result.status === 0 ? JSON.parse(result.stdout) : null
}

describe("a process in words", () => {
  it.live("is its own name without what could move a cursor, its state, its user, and whether we may signal it", () =>
    Effect.gen(function* () {
      const child = start(["bash", "-c", `printf '%s' "$0" >/proc/$$/comm; kill -STOP $$`, "a) (b\u001b[2J"])
      const pid = child.pid ?? 0
      yield* Effect.promise(() => until(() => thisMachine.describe(pid)?.state === "T"))
      const { describe: inWords } = yield* ProcessTable
      const user = process.geteuid?.() ?? -1
      assert.deepStrictEqual(yield* inWords(pid), { name: "a) (b?[2J", state: "T", user, maySignal: true })
      assert.isNull(yield* inWords(2 ** 22 + 1))
    }).pipe(Effect.provide(layer))
  )
})

describe("processes of other users", () => {
  it.live("are alive, show no token, and their signal is refused", (context) =>
    Effect.sync(() => {
      const child = start(["sleep", "1000"])
      const seen = lookAsNobody(child.pid ?? 0, [])
      if (seen === null) return context.skip("we can't become another user here")
      assert.strictEqual(seen.sight._tag, "Seen")
      assert.isNull(seen.token)
      assert.strictEqual(seen.signalled, "refused")
      assert.isTrue(isLiving(child.pid ?? 0))
    })
  )

  it.live("that /proc hides are unreadable, never absent", (context) =>
    Effect.sync(() => {
      const child = start(["sleep", "1000"])
      const hidden = ["unshare", "--mount", "sh", "-c", 'mount -t proc -o hidepid=2 proc /proc && exec "$@"', "sh"]
      const seen = lookAsNobody(child.pid ?? 0, hidden)
      if (seen === null) return context.skip("/proc can't be mounted with hidepid here")
      assert.strictEqual(seen.sight._tag, "Unreadable")
      assert.strictEqual(seen.signalled, "refused")
      assert.isTrue(isLiving(child.pid ?? 0))
    })
  )
})

describe("the processes of an attempt", () => {
  it.live("are found in other sessions, behind a double fork, and with a clean environment below a living parent", () =>
    Effect.gen(function* () {
      const script = [
        `setsid sh -c 'echo $$ > ${scene.path("session")}; exec sleep 1000' &`,
        `( setsid sh -c 'echo $$ > ${scene.path("daemon")}; exec sleep 1000' & )`,
        `env -i ${process.execPath} -e 'require("fs").writeFileSync(process.argv[1], process.pid + "\\n"); setInterval(() => {}, 1e6)' ${scene.path("clean")} &`,
        "exec sleep 1000"
      ].join("\n")
      const agent = spawn("sh", ["-c", script], {
        detached: true,
        env: { ...process.env, TINYSCHEDULER_LEASE: scene.token },
        stdio: "ignore"
      })
      scene.track(agent.pid)
      const files = ["session", "daemon", "clean"].map((name) => scene.path(name))
      const textOf = (file: string) => (fs.existsSync(file) ? fs.readFileSync(file, "utf8") : "")
      yield* Effect.promise(() => until(() => files.every((file) => textOf(file).endsWith("\n"))))
      const pids = files.map((file) => Number(textOf(file)))
      for (const pid of pids) scene.track(pid)
      const { pid, pidStart } = identityOf(agent.pid ?? 0)
      const table = yield* ProcessTable
      const rows = yield* table.scan
      const traces = { token: scene.token, supervisor: null, agent: { pid, pidStart, group: pid }, known: [] }
      const found = processesOfAttempt(rows, traces, ancestorsOf(rows, process.pid))
      assert.deepStrictEqual(
        found.map((row) => row.pid),
        [pid, ...pids].toSorted((left, right) => left - right)
      )
      for (const row of found) assert.strictEqual(yield* table.signal(row, "SIGKILL"), "sent")
      yield* Effect.promise(() => until(() => [pid, ...pids].every((each) => !isLiving(each))))
    }).pipe(Effect.provide(layer))
  )

  it.live("carry the token from fork on: a variable that only looks like it is no token", () =>
    Effect.gen(function* () {
      const child = spawn("sleep", ["1000"], {
        env: { A: `TINYSCHEDULER_LEASE=${scene.token}`, XTINYSCHEDULER_LEASE: scene.token },
        stdio: "ignore"
      })
      scene.track(child.pid)
      const table = yield* ProcessTable
      assert.isNull((yield* table.scan).find((row) => row.pid === child.pid)?.token)
    }).pipe(Effect.provide(layer))
  )

  it.live("are listed while others come and go", () =>
    Effect.gen(function* () {
      const churn = start(["sh", "-c", "while :; do (exit 0); done"])
      const table = yield* ProcessTable
      for (let round = 0; round < 50; round++) {
        const rows = yield* table.scan
        assert.isTrue(rows.some((row) => row.pid === churn.pid))
      }
    }).pipe(Effect.provide(layer))
  )
})

describe("a signal", () => {
  it.live("reaches the process whose start is the same, and no other", () =>
    Effect.gen(function* () {
      const child = start(["sleep", "1000"])
      const { pid, pidStart } = identityOf(child.pid ?? 0)
      const table = yield* ProcessTable
      assert.strictEqual(yield* table.signal({ pid, pidStart: pidStart + 1 }, "SIGKILL"), "gone")
      assert.isTrue(isLiving(pid))
      assert.strictEqual(yield* table.signal({ pid, pidStart }, "SIGKILL"), "sent")
      assert.strictEqual((yield* Effect.promise(() => exitOf(child))).signal, "SIGKILL")
      assert.strictEqual(yield* table.signal({ pid, pidStart }, "SIGKILL"), "gone")
    }).pipe(Effect.provide(layer))
  )
})
