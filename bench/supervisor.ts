/**
 * What a supervisor costs beside a bare Node: the time until its claim is linked, and the memory of one that has beaten
 * for hours. Runs are interleaved and compared as ratios of medians: a shared machine drifts.
 *
 *     node --conditions=source bench/supervisor.ts [runs]
 */
import { type ChildProcess, spawn } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { fileURLToPath } from "node:url"
import { build } from "esbuild"
import type { SupervisorOrder } from "../packages/adapters-process/src/supervisor/spec.ts"

const runs = Math.max(11, Number(process.argv[2] ?? 11))
/** Two hours of a heartbeat of 15 seconds. */
const beats = 480

const base = fs.mkdtempSync(path.join(os.tmpdir(), "ts-bench-"))
const bundle = path.join(base, "supervisor.mjs")

const exited = (child: ChildProcess): Promise<unknown> =>
  child.exitCode === null && child.signalCode === null
    ? new Promise((resolve) => child.once("exit", resolve))
    : Promise.resolve()

const until = async (condition: () => boolean): Promise<void> => {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 1))
}

interface Memory {
  readonly privateKib: number
  readonly residentKib: number
}

const memoryOf = (pid: number): Memory => {
  const rollup = fs.readFileSync(`/proc/${pid}/smaps_rollup`, "utf8")
  const field = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(rollup)?.[1])
  return { privateKib: field("Private_Clean") + field("Private_Dirty"), residentKib: field("Rss") }
}

const bareStart = async (): Promise<number> => {
  const begun = performance.now()
  await exited(spawn(process.execPath, ["-e", ""], { stdio: "ignore" }))
  return performance.now() - begun
}

const bareMemory = async (): Promise<Memory> => {
  const child = spawn(process.execPath, ["-e", "process.stdout.write('.'); setInterval(() => {}, 1e6)"], {
    stdio: ["ignore", "pipe", "ignore"]
  })
  await new Promise((resolve) => child.stdout.once("data", resolve))
  const memory = memoryOf(child.pid ?? 0)
  child.kill("SIGKILL")
  await exited(child)
  return memory
}

let attempts = 0

interface Supervised extends Memory {
  readonly claimedMs: number
}

/** One attempt whose agent only waits: the time to its claim, and the supervisor's memory after its beats. */
const supervise = async (): Promise<Supervised> => {
  const scene = path.join(base, String(attempts++))
  const directories = {
    runningDir: `${scene}/running`,
    claimsDir: `${scene}/claims`,
    logDir: `${scene}/logs`,
    tmpDir: `${scene}/tmp`
  }
  for (const directory of Object.values(directories)) fs.mkdirSync(directory, { recursive: true })
  const lease = { task_id: 1, epoch: 1, token: "11111111-1111-4111-8111-111111111111", phase: "starting" }
  const leasePath = `${directories.runningDir}/task_1.json`
  fs.writeFileSync(leasePath, JSON.stringify(lease))
  const order: SupervisorOrder = {
    ...directories,
    lease,
    argv: ["sleep", "1000000"],
    env: {},
    cwd: "/",
    heartbeatSec: 0.001,
    stopGraceSec: 10,
    hold: null
  }
  let written = 0
  const watcher = fs.watch(directories.runningDir, (_, name) => {
    if (name === "task_1.json") written++
  })
  const begun = performance.now()
  const child = spawn(process.execPath, [bundle], { stdio: ["pipe", "ignore", "inherit"] })
  child.stdin.end(JSON.stringify(order))
  await until(() => fs.existsSync(`${directories.claimsDir}/1.1`))
  const claimedMs = performance.now() - begun
  await until(() => written >= beats)
  const memory = memoryOf(child.pid ?? 0)
  watcher.close()
  child.kill("SIGTERM")
  await exited(child)
  return { ...memory, claimedMs }
}

const median = (values: ReadonlyArray<number>): number =>
  values.toSorted((left, right) => left - right)[Math.floor(values.length / 2)] ?? Number.NaN

const print = (name: string, unit: string, bare: ReadonlyArray<number>, ours: ReadonlyArray<number>): void => {
  const [from, to] = [median(bare), median(ours)]
  const ratio = (to / from).toFixed(2)
  process.stdout.write(`${name.padEnd(44)} bare ${from.toFixed(1)} ${unit}, ours ${to.toFixed(1)} ${unit}: ${ratio}x\n`)
}

try {
  await build({
    entryPoints: [fileURLToPath(new URL("../packages/adapters-process/src/supervisor/entry.ts", import.meta.url))],
    bundle: true,
    conditions: ["source"],
    format: "esm",
    logLevel: "error",
    minify: true,
    outfile: bundle,
    platform: "node"
  })
  const starts: Array<number> = []
  const bare: Array<Memory> = []
  const ours: Array<Supervised> = []
  for (let run = 0; run < runs; run++) {
    starts.push(await bareStart())
    bare.push(await bareMemory())
    ours.push(await supervise())
  }
  process.stdout.write(`medians of ${runs} interleaved runs, memory after ${beats} beats\n`)
  const claimed = ours.map((each) => each.claimedMs)
  print("start to claim linked, node -e '' to its exit", "ms", starts, claimed)
  const inMib = (memories: ReadonlyArray<Memory>, field: keyof Memory) => memories.map((each) => each[field] / 1024)
  print("private memory, idle", "MiB", inMib(bare, "privateKib"), inMib(ours, "privateKib"))
  print("resident memory, idle", "MiB", inMib(bare, "residentKib"), inMib(ours, "residentKib"))
} finally {
  fs.rmSync(base, { recursive: true, force: true })
}
