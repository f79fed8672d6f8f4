/** A process that SIGKILL does not end, held by the freezer of cgroup v1: its slot stays taken, and every pass says so. */
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs"
import { expect, it, onTestFinished } from "vitest"
import { makeGround } from "./harness/Ground.ts"
import { isLiving } from "./harness/processes.ts"
import { until } from "./harness/until.ts"

/** A cgroup of the freezer for this test; null where there can be none. */
const freezer = ((): string | null => {
  const directory = `/sys/fs/cgroup/freezer/tinyscheduler-e2e-${process.pid}`
  try {
    mkdirSync(directory)
    rmdirSync(directory)
    return directory
  } catch {
    return null
  }
})()

/** From here on a signal reaches the process only when it is let go; so it does when the test is over. */
const freeze = async (directory: string, pid: number): Promise<() => Promise<void>> => {
  mkdirSync(directory)
  const letGo = async () => {
    if (!existsSync(directory)) return
    writeFileSync(`${directory}/freezer.state`, "THAWED")
    if (isLiving(pid)) process.kill(pid, "SIGKILL")
    await until("what was held is gone", () => readFileSync(`${directory}/cgroup.procs`, "utf8") === "")
    rmdirSync(directory)
  }
  onTestFinished(letGo)
  writeFileSync(`${directory}/cgroup.procs`, `${pid}`)
  writeFileSync(`${directory}/freezer.state`, "FROZEN")
  await until("it is held", () => readFileSync(`${directory}/freezer.state`, "utf8").trim() === "FROZEN")
  return letGo
}

it.skipIf(freezer === null)(
  "what outlives SIGKILL keeps its slot and is told in every pass, and is forgotten when it is gone (needs root and a v1 freezer)",
  async () => {
    const ground = await makeGround()
    const note = ground.path("left")
    const command = ["/bin/sh", "-c", `sleep 1000 & echo $! >${note}`]
    ground.agents([{ agentName: "vaela", agentType: "dev", command, stopGraceSec: 0 }])
    const task = await ground.tinytask.add({ queue: "dev" })
    const other = await ground.tinytask.add({ queue: "dev" })
    const once = (wait: number) => ground.cli(["run", "--once", ...ground.endpoint, "--stop-wait", String(wait)])
    expect(await once(0)).toMatchObject({ code: 0 })
    await until("the agent's end is written", () => ground.lease(task)?.phase === "finished")
    const left = Number(ground.read("left"))
    const letGo = await freeze(freezer ?? "", left)

    const told = `task ${task}: process ${left} (sleep) is left of epoch 1 and holds its slot: the kernel does not let go of it (state D)`
    for (const wait of [3, 0, 0]) {
      const { code, stderr } = await once(wait)
      expect({ code, told: stderr.includes(told) }).toEqual({ code: 1, told: true })
      expect([isLiving(left), ground.outcomes(task), ground.lease(other)]).toEqual([true, [], null])
    }

    await letGo()
    expect(await once(0)).toMatchObject({ code: 0 })
    expect([ground.outcomes(task), ground.lease(task), ground.lease(other)?.epoch]).toEqual([["done"], null, 1])
  }
)
