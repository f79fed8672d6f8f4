/**
 * Whether the daemon's memory grows: the built daemon makes passes one after another, each woken by a signal, over a
 * queue that waits, an agent that runs and a task now and then that is started and ends. Its private memory in the last
 * fifth of the passes is set against that in the second fifth, when its caches are warm.
 *
 *     node --conditions=source bench/daemonMemory.ts [passes]
 */
import { spawn } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import { TinytaskServer } from "../e2e/harness/tinytask.ts"

const passes = Number(process.argv[2] ?? 10_000)
const samples = 100
const waiting = 200
/** A task is started and ends every so many passes. */
const taskEvery = 50

const program = fileURLToPath(new URL("../packages/cli/dist/tinyscheduler.js", import.meta.url))
const base = fs.mkdtempSync(path.join(os.tmpdir(), "ts-bench-"))

const privateKib = (pid: number): number => {
  const rollup = fs.readFileSync(`/proc/${pid}/smaps_rollup`, "utf8")
  const field = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(rollup)?.[1])
  return field("Private_Clean") + field("Private_Dirty")
}

const median = (values: ReadonlyArray<number>): number =>
  values.toSorted((left, right) => left - right)[Math.floor(values.length / 2)] ?? Number.NaN

fs.writeFileSync(
  path.join(base, "agent-control.json"),
  JSON.stringify([
    { agentName: "quick", agentType: "quick", command: ["true"] },
    { agentName: "slow", agentType: "slow", command: ["sleep", "86400"], maxRuntimeSec: 0 }
  ])
)
const server = await TinytaskServer.start(path.join(base, "tasks.db"))
for (let number = 0; number <= waiting; number += 1) await server.add({ queue: "slow" })

const flags = ["--mcp-endpoint", server.url, "--log-level", "DEBUG", "--loop-interval", "3600"]
const daemon = spawn(process.execPath, ["--", program, "run", "--daemon", ...flags], {
  cwd: base,
  env: { PATH: process.env["PATH"] ?? "", HOME: base },
  stdio: ["ignore", "ignore", "pipe"]
})
const pid = daemon.pid ?? 0
const taken: Array<number> = []
let made = 0
for await (const line of createInterface({ input: daemon.stderr })) {
  if (!line.includes("5 assign")) continue
  made += 1
  if (made % (passes / samples) === 0) {
    taken.push(privateKib(pid))
    if (process.stdout.isTTY) process.stdout.write(`\r${made} passes, ${taken.at(-1)} KiB`)
  }
  if (made % taskEvery === 0) await server.add({ queue: "quick" })
  if (made >= passes) break
  daemon.kill("SIGUSR1")
}
daemon.kill("SIGTERM")
await new Promise((resolve) => daemon.once("exit", resolve))
await server.close()
const lease = fs.readdirSync(path.join(base, "state/running")).find((name) => name.endsWith(".json"))
const { agent, pid: supervisor } = JSON.parse(fs.readFileSync(path.join(base, "state/running", lease ?? ""), "utf8"))
process.kill(supervisor, "SIGKILL")
process.kill(agent.pid, "SIGKILL")
const fifth = samples / 5
const [warm, last] = [median(taken.slice(fifth, 2 * fifth)), median(taken.slice(-fifth))]
process.stdout.write(
  `\n${made} passes over ${waiting} waiting tasks, ${Math.floor(made / taskEvery)} attempts\n` +
    `private memory: ${(warm / 1024).toFixed(1)} MiB in the second fifth, ${(last / 1024).toFixed(1)} MiB in the last: ${(last / warm).toFixed(3)}x\n`
)
fs.rmSync(base, { recursive: true, force: true })
