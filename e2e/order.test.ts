/** What starts first, where it matters most: a window full of what can't start must hide nothing. */
import { expect, it } from "vitest"
import { makeGround } from "./harness/Ground.ts"
import { until } from "./harness/until.ts"

it("one ready low-priority task behind 1 000 blocked high-priority ones starts in the first pass", async () => {
  const ground = await makeGround()
  ground.agents([ground.worker("vaela", "dev")])
  const blocker = await ground.tinytask.add({ queue: "nobody's" })
  for (let number = 0; number < 1000; number += 1) {
    await ground.tinytask.add({ queue: "dev", priority: 100, blockedBy: blocker })
  }
  const ready = await ground.tinytask.add({ queue: "dev", priority: -100 })
  const begun = performance.now()
  const { code, stdout } = await ground.cli(["run", "--once", ...ground.endpoint])
  console.log(`the pass over 1 002 tasks took ${Math.round(performance.now() - begun)} ms, its process included`)
  expect({ code, stdout }).toEqual({
    code: 0,
    stdout: "pass: 1 started, 0 ended, 0 stopping, 1 running, 1001 waiting\n"
  })
  await until("its agent has started", () => ground.runs().length === 1)
  expect(ground.runs().map(({ task }) => task)).toEqual([ready])
})

it("tasks start by what waits on them, then by priority, then by age; by priority alone when so ordered", async () => {
  const titles = ["low", "high", "blocks two", "high, younger"]
  const startOrder = async (flags: ReadonlyArray<string>) => {
    const ground = await makeGround()
    ground.agents([ground.worker("vaela", "dev", { env: { WORK_MS: "1-2" } })])
    const { tinytask } = ground
    await tinytask.add({ title: "low", queue: "dev", priority: 1 })
    await tinytask.add({ title: "high", queue: "dev", priority: 9 })
    const root = await tinytask.add({ title: "blocks two", queue: "dev", priority: 0 })
    await tinytask.add({ title: "high, younger", queue: "dev", priority: 9 })
    const next = await tinytask.add({ title: "waits", queue: "nobody's", blockedBy: root })
    await tinytask.add({ title: "waits longer", queue: "nobody's", blockedBy: next })
    const daemon = ground.start(["run", "--daemon", ...ground.endpoint, ...flags])
    await until("all four have run", () => ground.runs().length === titles.length && tinytask.database.open() === 2)
    daemon.kill("SIGTERM")
    await daemon.ended
    return ground.runs().map(({ task }) => titles[task - 1])
  }
  expect(await startOrder([])).toEqual(["blocks two", "high", "high, younger", "low"])
  expect(await startOrder(["--order", "priority"])).toEqual(["high", "high, younger", "low", "blocks two"])
})
