/**
 * What records of passes take: bytes for each of a day of 500 tasks, over the simulated machine, and how long a replay of
 * that day is; then the processor time of the built daemon for a pass over 500 waiting tasks, each of which decides
 * something, with records and without.
 *
 *     node --conditions=source bench/record.ts [passes of the daemon]
 */
import { spawn } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { makePassRecords } from "../packages/adapters-fs/src/PassRecords.ts"
import { readRecords } from "../packages/adapters-fs/src/readRecords.ts"
import { makeSituationReader } from "@tinyscheduler/core/record/situationOf"
import { replay } from "@tinyscheduler/core/replay/replay"
import { TinytaskServer } from "../e2e/harness/tinytask.ts"
import { recordedDay } from "../packages/core/test/recordedDay.ts"

const daemonPasses = Number(process.argv[2] ?? 200)
const waiting = 500
const base = fs.mkdtempSync(path.join(os.tmpdir(), "ts-bench-"))

const usedMs = (): number => {
  const { system, user } = process.cpuUsage()
  return (system + user) / 1000
}

const day = Effect.gen(function* () {
  const directory = path.join(base, "records")
  const { record } = makePassRecords({ directory, base, rules: () => ({ keepDays: 7, keepBytes: 64 * 1024 * 1024 }) })
  let rounds = 0
  let recordingMs = 0
  const began = usedMs()
  const { complete, passes } = yield* recordedDay(60, (situation, plan) => {
    const before = usedMs()
    Effect.runSync(record({ ...situation, plan, withheld: [] }))
    rounds += 1
    recordingMs += usedMs() - before
  })
  const passMs = (usedMs() - began - recordingMs) / passes
  return { directory, complete, passes, rounds, recordingMs, passMs }
})

const tellDay = (made: Effect.Success<typeof day>): void => {
  const read = makeSituationReader()
  const sizes: Array<number> = []
  let same = 0
  const began = usedMs()
  for (const found of readRecords({ _tag: "Kept", directory: made.directory })) {
    if (found._tag === "Odd") throw new Error(found.problem)
    sizes.push(found.bytes)
    if (replay(found.round, read).result._tag === "Same") same += 1
  }
  const replayMs = usedMs() - began
  const total = sizes.reduce((sum, bytes) => sum + bytes, 0)
  const middle = sizes.toSorted((left, right) => left - right)[Math.floor(sizes.length / 2)]
  process.stdout.write(
    [
      `a day of ${made.passes} passes: ${made.complete} tasks done, ${made.rounds} rounds, ${sizes.length} recorded`,
      `${total} bytes in ${fs.readdirSync(made.directory).length} files; ${Math.round(total / sizes.length)} a record, the median ${middle}`,
      `recording took ${(made.recordingMs / sizes.length).toFixed(2)} ms a record; the rest of a simulated pass, without disk and network, ${made.passMs.toFixed(2)} ms`,
      `replay: ${same} of ${sizes.length} identical, ${(replayMs / sizes.length).toFixed(2)} ms a record`,
      ""
    ].join("\n")
  )
}

/** The processor time of all threads of a process, in milliseconds. */
const threadsMs = (pid: number): number =>
  fs
    .readdirSync(`/proc/${pid}/task`)
    .map((thread) => Number(fs.readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ")[0]) / 1e6)
    .reduce((sum, ms) => sum + ms, 0)

const program = fileURLToPath(new URL("../packages/cli/dist/tinyscheduler.js", import.meta.url))

/** A daemon that makes a pass when it is told to, each over one more task that waits. */
const startDaemon = async (keepMb: number) => {
  const folder = path.join(base, `daemon-${keepMb}`)
  fs.mkdirSync(folder)
  const agents = [{ agentName: "none", agentType: "dev", command: ["true"], slots: 0 }]
  fs.writeFileSync(path.join(folder, "agent-control.json"), JSON.stringify(agents))
  const server = await TinytaskServer.start(path.join(folder, "tasks.db"))
  const add = () => server.add({ queue: "dev", title: "a task that waits, with a title as long as people write them" })
  for (let number = 0; number < waiting; number += 1) await add()
  const flags = ["--mcp-endpoint", server.url, "--log-level", "DEBUG", "--loop-interval", "3600"]
  const daemon = spawn(
    process.execPath,
    ["--", program, "run", "--daemon", ...flags, "--record-keep-mb", String(keepMb)],
    { cwd: folder, env: { PATH: process.env["PATH"] ?? "", HOME: folder }, stdio: ["ignore", "ignore", "pipe"] }
  )
  const pid = daemon.pid ?? 0
  const lines = createInterface({ input: daemon.stderr })[Symbol.asyncIterator]()
  const passEnds = async (): Promise<void> => {
    for (let line = await lines.next(); line.done !== true; line = await lines.next()) {
      if (line.value.includes("5 assign")) return
    }
    throw new Error("the daemon has ended")
  }
  await passEnds()
  return {
    pass: async (): Promise<void> => {
      await add()
      daemon.kill("SIGUSR1")
      await passEnds()
    },
    usedMs: () => threadsMs(pid),
    records: () =>
      [...readRecords({ _tag: "Kept", directory: path.join(folder, "state/records") })].filter(
        ({ _tag }) => _tag === "Round"
      ).length,
    end: async (): Promise<void> => {
      daemon.kill("SIGTERM")
      await new Promise((resolve) => daemon.once("exit", resolve))
      await server.close()
    }
  }
}

tellDay(await Effect.runPromise(Effect.scoped(day).pipe(Effect.provide(TestClock.layer()))))

// In turn, so that whatever else the machine does disturbs both alike.
const daemons = [await startDaemon(0), await startDaemon(64)]
const passEach = async (count: number): Promise<void> => {
  for (let made = 0; made < count; made += 1) for (const daemon of daemons) await daemon.pass()
}
await passEach(Math.ceil(daemonPasses / 4))
const before = daemons.map((daemon) => daemon.usedMs())
await passEach(daemonPasses)
const [without = Number.NaN, recorded = Number.NaN] = daemons.map(
  (daemon, at) => (daemon.usedMs() - (before[at] ?? 0)) / daemonPasses
)
const kept = daemons.map((daemon) => daemon.records())
for (const daemon of daemons) await daemon.end()
process.stdout.write(
  `a pass of the daemon over ${waiting} waiting tasks and one more each time, with ${kept.join(" and ")} records: ` +
    `${without.toFixed(1)} and ${recorded.toFixed(1)} ms of processor time, ` +
    `${(((recorded - without) / recorded) * 100).toFixed(0)} % of a pass for records\n`
)
fs.rmSync(base, { recursive: true, force: true })
