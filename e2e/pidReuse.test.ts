/**
 * A pid is used again by somebody who has nothing to do with us: he gets no signal, holds nothing, and is taken for
 * nobody. Each case in a pid namespace of its own, where the kernel is told which pid comes next.
 */
import { describe, expect, it } from "vitest"
import { type Ground, makeGround } from "./harness/Ground.ts"
import { makePidNamespace, noPidNamespace, type PidNamespace } from "./harness/pidNamespace.ts"
import { until } from "./harness/until.ts"

if (noPidNamespace !== null) console.log(`reuse of pids is not shown: ${noPidNamespace}`)

interface Scene {
  readonly ground: Ground
  readonly space: PidNamespace
  readonly pass: (...flags: ReadonlyArray<string>) => Promise<string>
  /** Pids within the namespace. */
  readonly supervisor: number
  readonly agent: number
  readonly finish: () => Promise<void>
}

/** Task 1 runs in a namespace; its agent does these steps, and ends when the gate is there. */
const running = async (
  steps: ReadonlyArray<ReadonlyArray<string>> = [],
  fields: Readonly<Record<string, unknown>> = {}
): Promise<Scene> => {
  const ground = await makeGround()
  ground.agents([ground.scripted("vaela", "dev", { stopGraceSec: 1, ...fields })])
  const description = JSON.stringify([...steps, ["await", ground.path("gate")]])
  await ground.tinytask.add({ queue: "dev", description })
  const space = await makePidNamespace(ground)
  const pass = async (...flags: ReadonlyArray<string>): Promise<string> => {
    const args = ["run", "--once", "--backoff-base", "0", ...ground.endpoint, ...flags]
    const { code, stderr, stdout } = await space.cli(args)
    // 1 where it tells of a process that it may not signal.
    if (code !== 0 && code !== 1) throw new Error(`a pass ended with ${code}: ${stderr}`)
    return `${stderr}${stdout}`
  }
  await pass()
  await until("its agent has started", () => ground.lease(1)?.phase === "running" && ground.runs().length === 1)
  const lease = ground.lease(1)
  return {
    ground,
    space,
    pass,
    supervisor: lease?.pid ?? 0,
    agent: lease?.agent?.pid ?? 0,
    finish: async () => {
      ground.write("gate", "")
      await until("task 1 is complete, and nothing is left of it", async () => {
        await pass()
        return ground.tinytask.database.open() === 0 && ground.lease(1) === null
      })
    }
  }
}

const expectRunAgainOnce = ({ ground }: Scene, outcomes: ReadonlyArray<string>): void => {
  expect(ground.outcomes(1)).toEqual(outcomes)
  expect(ground.runs().map(({ epoch }) => epoch)).toEqual([1, 2])
  expect(ground.tinytask.database.changes().filter(({ after }) => after === "complete")).toHaveLength(1)
  expect({ claims: ground.files("claims"), stops: ground.files("stops") }).toEqual({ claims: [], stops: [] })
}

describe.skipIf(noPidNamespace !== null)("a bystander that has by now the pid", () => {
  it("of a dead supervisor: its agent is stopped as an orphan, the task run again once", async () => {
    const scene = await running()
    await scene.space.kill(scene.supervisor, "SIGKILL")
    const stranger = await scene.space.takePid(scene.supervisor, "plain")
    expect(await scene.pass()).toContain("orphaned-agent")
    await scene.finish()
    expect(stranger.harm()).toEqual([])
    expectRunAgainOnce(scene, ["lost", "done"])
  })

  it.each(["plain", "leader"] as const)(
    "of a dead agent, as a %s of its session: the attempt is dead, the task run again once",
    async (kind) => {
      const scene = await running()
      await scene.space.kill(scene.supervisor, "SIGKILL")
      await scene.space.kill(scene.agent, "SIGKILL")
      const stranger = await scene.space.takePid(scene.agent, kind)
      expect(await scene.pass()).toContain("1 started, 1 ended, 0 stopping")
      await scene.finish()
      expect(stranger.harm()).toEqual([])
      expectRunAgainOnce(scene, ["lost", "done"])
    }
  )

  it("of both, the dead agent's and the dead supervisor's", async () => {
    const scene = await running()
    await scene.space.kill(scene.supervisor, "SIGKILL")
    await scene.space.kill(scene.agent, "SIGKILL")
    const strangers = [
      await scene.space.takePid(scene.agent, "leader"),
      await scene.space.takePid(scene.supervisor, "leader")
    ]
    expect(await scene.pass()).toContain("1 started, 1 ended, 0 stopping")
    await scene.finish()
    expect(strangers.map(({ harm }) => harm())).toEqual([[], []])
    expectRunAgainOnce(scene, ["lost", "done"])
  })

  it("of a process that a stop has listed as a target: the later rungs pass it by", async () => {
    const steps = [
      ["ignore", "SIGINT"],
      ["child", "/nowhere"]
    ]
    const scene = await running(steps, { maxRuntimeSec: 3 })
    const { ground, pass, space } = scene
    await until("its child is there", () => ground.lines().some(({ what }) => what === "child"))
    const child = Number(ground.lines().find(({ what }) => what === "child")?.note)
    // The first rung, and no further: its record lists agent and child.
    await until("the stop has begun", async () => {
      return (await pass("--stop-wait", "0")).includes("1 stopping")
    })
    const listed: { readonly targets: ReadonlyArray<{ readonly pid: number }> } = JSON.parse(
      ground.read(`state/stops/${ground.files("stops")[0]}`)
    )
    expect(listed.targets.map(({ pid }) => pid)).toContain(child)
    await space.kill(child, "SIGKILL")
    const stranger = await space.takePid(child, "leader")
    await until("the ladder is over", async () => (await pass()).includes("1 ended"))
    await scene.finish()
    expect(stranger.harm()).toEqual([])
    expectRunAgainOnce(scene, ["timed-out", "done"])
  })

  it("of the agent, as of a leader that is gone: whose followers these are can't be told, so they are waited for and not signalled", async () => {
    const scene = await running()
    const { agent, ground, pass, space, supervisor } = scene
    await space.kill(supervisor, "SIGKILL")
    await space.kill(agent, "SIGKILL")
    const stranger = await space.takePid(agent, "follower")
    for (let number = 0; number < 2; number += 1) {
      expect(await pass("--stop-wait", "3")).toContain("0 started, 0 ended, 1 stopping")
    }
    expect(ground.lease(1)?.epoch).toBe(1)
    expect(stranger.harm()).toEqual([])
    await stranger.end()
    await scene.finish()
    expectRunAgainOnce(scene, ["lost", "done"])
  })
})
