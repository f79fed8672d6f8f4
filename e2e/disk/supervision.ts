/** One attempt whose supervisor is traced and broken; after it the disk is whole, and the task has to be done once. */
import { readFileSync, writeFileSync } from "node:fs"
import { makeGround } from "../harness/Ground.ts"
import type { Ground } from "../harness/Ground.ts"
import { fixture } from "../harness/program.ts"
import { until } from "../harness/until.ts"
import { passFlags } from "./errand.ts"
import { readCalls, traced } from "./fileCalls.ts"
import type { Fault } from "./fileCalls.ts"

/** A pass whose first supervisor is traced, once it is said how. */
const pass = (ground: Ground) =>
  ground.cli([...passFlags, ...ground.endpoint], {
    env: { NODE_OPTIONS: `--require=${fixture("tracedSupervisor.cjs")}` }
  })

/** A supervisor that can't begin leaves; the grace that its start would still have is cut short. */
const cutGrace = (ground: Ground): void => {
  const lease = ground.lease(1)
  if (lease?.phase !== "starting") return
  const lives = ground.processes().some(({ environment }) => environment["TINYSCHEDULER_LEASE"] === lease.token)
  if (lives) return
  const text = readFileSync(ground.leasePath(1), "utf8")
  writeFileSync(ground.leasePath(1), text.replace(/"start_mono_ms": [0-9.]+/, '"start_mono_ms": 1'))
}

export const tracedSupervision = async (fault: Fault | null) => {
  const ground = await makeGround()
  const agent = ["/bin/sh", fixture("diskAgent.sh"), ground.record, ground.path("gate")]
  ground.agents([{ agentName: "quick", agentType: "quick", command: agent }])
  await pass(ground)
  const placed = ground.files("").find((name) => name.startsWith("supervisor-"))
  if (placed === undefined) throw new Error("the first pass placed no supervisor's program")
  const log = ground.path("calls")
  const real = [process.execPath, "-r", fixture("plainNames.cjs"), ground.path(`state/${placed}`)]
  const command = traced({ base: ground.base, log, fault, tokenOf: () => "" }, real)
  ground.write("traced.json", JSON.stringify(command))
  await ground.tinytask.add({ queue: "quick" })
  let last = ""
  const wrong: Array<string> = []
  try {
    await until("the task is complete", async () => {
      last = (await pass(ground)).stderr
      cutGrace(ground)
      return ground.tinytask.database.open() === 0 && ground.files("running").length === 0
    })
  } catch (error) {
    wrong.push(`${error instanceof Error ? error.message : String(error)}; the last pass said: ${last}`)
  }
  await until("no process of it is left", () => ground.processes().length === 0)
  await pass(ground)
  const ends = ground.lines().filter(({ what }) => what === "end").length
  const completed = ground.tinytask.database.changes().filter(({ after }) => after === "complete").length
  if (ends !== 1) wrong.push(`the task was done ${ends} times: ${ground.outcomes(1).join()}`)
  if (completed !== 1) wrong.push(`the task was completed ${completed} times`)
  for (const directory of ["running", "claims", "stops", "tmp"]) {
    const left = ground.files(directory)
    if (left.length > 0) wrong.push(`${directory} holds ${left.join(" ")}`)
  }
  const calls = readCalls(log, ground.base)
  await ground.close()
  return { calls, wrong }
}
