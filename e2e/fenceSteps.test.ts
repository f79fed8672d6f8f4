/**
 * A supervisor that stands still before any one of its file calls, for longer than the grace of a start, while passes go
 * by: either its start is undone before it has claimed, and it does nothing when it wakes, or it has claimed, and nobody
 * takes its attempt from it. Never both, never neither: each task is run once.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { expect, it } from "vitest"
import { type Ground, makeGround } from "./harness/Ground.ts"
import { fixture } from "./harness/program.ts"
import { until } from "./harness/until.ts"

/** So many stand still at a time: each is a process. */
const atOnce = 16

/** No beat is due while somebody stands: this is about the steps, not about hanging. */
const pass = (ground: Ground) =>
  ground.cli(["run", "--once", ...ground.endpoint, "--heartbeat", "600", "--backoff-base", "0"], {
    env: { NODE_OPTIONS: `--require=${fixture("delayedSupervisor.cjs")}` }
  })

/** As if the grace of a start were over: the lease says that it was begun a minute earlier. */
const age = (ground: Ground, task: number): void => {
  if (ground.lease(task)?.phase !== "starting") return
  const lease: Record<string, unknown> = JSON.parse(readFileSync(ground.leasePath(task), "utf8"))
  const aged = { ...lease, start_mono_ms: Number(lease["start_mono_ms"]) - 60_000 }
  writeFileSync(ground.leasePath(task), JSON.stringify(aged, null, 2))
}

const allComplete = (ground: Ground) =>
  until("all are complete and nothing of them is left", async () => {
    await pass(ground)
    const { database } = ground.tinytask
    return database.open() === 0 && ground.files("running").length === 0 && ground.files("claims").length === 0
  })

const nobodyLeft = (ground: Ground) => until("every supervisor is gone", () => ground.processes().length === 0)

it("before each of its file calls, while passes go by and the grace of its start is over: every task is run once", async () => {
  const ground = await makeGround()
  ground.agents([ground.worker("vaela", "dev", { slots: atOnce, env: { WORK_MS: "5-20" } })])
  // Of the first task nobody is held: it tells how many calls there are.
  await ground.tinytask.add({ queue: "dev" })
  await allComplete(ground)
  await nobodyLeft(ground)
  const calls: ReadonlyArray<string> = JSON.parse(ground.read("calls.1.1"))
  const tasks = Array.from({ length: calls.length }, (_, index) => index + 2)

  const heldAt: Array<string> = []
  for (let first = 0; first < tasks.length; first += atOnce) {
    const batch = tasks.slice(first, first + atOnce)
    for (const _ of batch) await ground.tinytask.add({ queue: "dev" })
    await pass(ground)
    await until("each supervisor stands where it is held", () =>
      batch.every((task) => existsSync(ground.path(`held.${task}`)))
    )
    for (const task of batch) {
      heldAt.push(ground.read(`held.${task}`))
      age(ground, task)
    }
    for (let number = 0; number < 2; number += 1) await pass(ground)
    for (const task of batch) ground.write(`go.${task}`, "")
    await allComplete(ground)
  }
  await nobodyLeft(ground)
  const undone = tasks.filter((task) => ground.outcomes(task).includes("start-failed"))
  console.log(`held before ${heldAt.length} calls, ${undone.length} of them before its claim`)
  expect(heldAt.map((call) => call.split(" ")[0])).toEqual(calls.map((call) => call.split(" ")[0]))
  const runs = ground.runs().map(({ epoch, task }) => [task, epoch])
  expect(runs.sort(([one = 0], [other = 0]) => one - other)).toEqual(
    [1, ...tasks].map((task) => [task, undone.includes(task) ? 2 : 1])
  )
  // Who stands before or within the writing of his claim has none yet; from its link on nobody is undone.
  const linked = calls.findIndex((call) => call.startsWith("linkSync"))
  expect(undone).toEqual(tasks.slice(0, linked + 1))
  const completed = ground.tinytask.database.changes().filter(({ after }) => after === "complete")
  expect(completed).toHaveLength(tasks.length + 1)
})
