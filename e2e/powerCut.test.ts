/**
 * The power fails while state is written: what was acknowledged stands, what was deleted stays away, nothing is torn, and
 * the passes after it bring every task to its end. POWER_CUTS says how many times (`pnpm soak:power 1000`).
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { expect, it, onTestFinished } from "vitest"
import { copyImage, makeImage, mountImage, noLoop, unmount } from "./disk/loopDisk.ts"
import type { WriterOrder } from "./disk/stateWriter.ts"
import { acknowledged, lossesOf, readSteps } from "./disk/steps.ts"
import { storedContents } from "./disk/storedContents.ts"
import { randomOf } from "./harness/crowd.ts"
import { makeGround } from "./harness/Ground.ts"
import type { Ground } from "./harness/Ground.ts"
import { launch } from "./harness/program.ts"
import type { Running } from "./harness/program.ts"
import { until } from "./harness/until.ts"
import { thisMachine } from "../packages/adapters-process/src/thisMachine.ts"

const cuts = Number(process.env["POWER_CUTS"] ?? "20")
/** So many cuts of one writer; after the last of them passes go on from what is left. */
const cutsOfWriter = 10
const taskCount = 6

const isStopped = ({ pid }: Running): boolean => /^\d+ \(.*\) [TD] /.test(readFileSync(`/proc/${pid}/stat`, "utf8"))

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null

/** A Tinytask with the tasks of the writer, by the times of their creation. */
const groundWithTasks = async () => {
  const ground = await makeGround()
  ground.agents([ground.worker("vaela", "dev", { slots: taskCount, env: { WORK_MS: "10-20" } })])
  const createdAt: Record<string, string> = {}
  for (let count = 0; count < taskCount; count += 1) {
    const id = await ground.tinytask.add({ queue: "dev" })
    const task = await ground.tinytask.call("get_task", { id })
    createdAt[id] = isRecord(task) ? String(task["created_at"]) : ""
  }
  return { ground, createdAt }
}

const startWriter = (order: WriterOrder): Running => {
  const script = new URL("disk/stateWriter.ts", import.meta.url).pathname
  const command = [process.execPath, "--conditions=source", script, JSON.stringify(order)]
  const writer = launch({ command, cwd: "/", env: { PATH: process.env["PATH"] ?? "" } })
  onTestFinished(() => writer.kill("SIGKILL"))
  return writer
}

/** Mounts a disk that was cut off, recovering its journal, and unmounts it again. */
const onDisk = async <A>(copy: string, directory: string, use: () => Promise<A>): Promise<A> => {
  mountImage(copy, directory)
  try {
    return await use()
  } finally {
    unmount(directory)
  }
}

/** Cuts the disk of a running writer off, and answers what it had acknowledged by then. */
const cutOff = async (writer: Running, steps: string, image: string, copy: string) => {
  writer.kill("SIGSTOP")
  await until("it stands still", () => isStopped(writer))
  const told = readSteps(steps)
  copyImage(image, copy)
  writer.kill("SIGCONT")
  return told
}

/** The scheduler on what is left: whatever was under way is of an earlier boot, and each task is done once from here on. */
const carryOn = async (ground: Ground): Promise<ReadonlyArray<string>> => {
  const daemon = ground.start(["run", "--daemon", "--loop-interval", "1", "--backoff-base", "0", ...ground.endpoint])
  try {
    await until(
      "every task is complete",
      () => ground.tinytask.database.open() === 0 && ground.files("running").length === 0
    )
  } catch {
    return [`the passes came to no end: ${daemon.said().stderr}`]
  } finally {
    daemon.kill("SIGTERM")
    await daemon.ended
  }
  const ends = ground.lines().filter(({ what }) => what === "end")
  return ends.length === taskCount && new Set(ends.map(({ task }) => task)).size === taskCount
    ? []
    : [`${ends.length} agents worked to the end, on tasks ${ends.map(({ task }) => task).join()}`]
}

/** One writer and its cuts; null where nothing can be mounted. */
const oneWriter = async (seed: number, count: number) => {
  const shelf = mkdtempSync(join(tmpdir(), "tinyscheduler-power-"))
  onTestFinished(() => rmSync(shelf, { recursive: true, force: true }))
  const image = join(shelf, "image")
  const copy = join(shelf, "copy")
  const steps = join(shelf, "steps")
  const base = join(shelf, "base")
  const looked = join(shelf, "looked")
  if (!makeImage(image, `${base}/state`)) return null
  onTestFinished(() => unmount(`${base}/state`))
  const random = randomOf(seed)
  const { createdAt, ground } = await groundWithTasks()
  const { here } = thisMachine.identify()
  const writer = startWriter({ base, steps, seed, host: here.host, endpoint: ground.tinytask.url, createdAt })
  await until("it writes", () => readSteps(steps).length > 50 || writer.child.exitCode !== null)
  const wrong: Array<string> = []
  for (let cut = 1; cut <= count; cut += 1) {
    await new Promise((resolve) => setTimeout(resolve, random() * 60))
    const told = await cutOff(writer, steps, image, copy)
    const { contents, torn } = await onDisk(copy, `${looked}/state`, () => storedContents(looked))
    const all = [...torn.map((name) => `${name} is torn`), ...lossesOf(told, contents)]
    wrong.push(...all.map((one) => `seed ${seed}, cut ${cut}: ${one}`))
  }
  writer.kill("SIGKILL")
  await writer.ended
  wrong.push(
    ...writer
      .said()
      .stderr.split("\n")
      .filter((line) => line !== "")
  )
  wrong.push(...(await onDisk(copy, ground.path("state"), () => carryOn(ground))))
  return { steps: acknowledged(readSteps(steps)), wrong }
}

it(
  `after each of ${cuts} power cuts what was acknowledged stands, and passes carry on from it`,
  { timeout: 0 },
  async ({ skip }) => {
    const wrong: Array<string> = []
    const first = Date.now() % 1_000_000
    let steps = 0
    for (let made = 0; made < cuts; made += cutsOfWriter) {
      const written = (await oneWriter(first + made, Math.min(cutsOfWriter, cuts - made))) ?? skip(noLoop)
      wrong.push(...written.wrong)
      steps += written.steps
    }
    console.log(`${cuts} power cuts from seed ${first} on, ${steps} steps acknowledged, ${wrong.length} violations`)
    expect(wrong).toEqual([])
  }
)
