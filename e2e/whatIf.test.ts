/** `plan` with something supposed: the difference from today's plan, and nothing kept or done. */
import { expect, it } from "vitest"
import { digestOf, makeGround, treeOf } from "./harness/Ground.ts"

it("what-if flags tell how the plan would differ, refuse what they don't know, and change nothing", async () => {
  const ground = await makeGround()
  ground.agents([ground.worker("vaela", "dev"), ground.worker("oscar", "qa")])
  const first = await ground.tinytask.add({ queue: "dev", priority: 2 })
  const second = await ground.tinytask.add({ queue: "dev" })
  const third = await ground.tinytask.add({ queue: "qa", blockedBy: first })
  const plan = (...flags: ReadonlyArray<string>) => ground.cli(["plan", ...flags, ...ground.endpoint])
  const before = digestOf(treeOf(ground.base).join("\n"))

  expect((await plan("--set", "agent.vaela.slots=2")).stdout).toBe(
    `task ${second}: wait task ${second}: no free slot: queue dev 1/1 -> start task ${second} on vaela (epoch 1, attempt 1)\n`
  )
  const several = await plan("--finish", String(first), "--pause", "vaela", "--set", "queue.qa.limit=1", "--json")
  expect(JSON.parse(several.stdout)).toMatchObject({
    version: 1,
    suppositions: [{ _tag: "QueueLimit" }, { _tag: "Pause" }, { _tag: "Finish" }],
    differences: [
      { taskId: first, after: null },
      { taskId: second, after: { _tag: "Wait" } },
      { taskId: third, after: { _tag: "Start", agent: "oscar" } }
    ]
  })
  expect((await plan("--set", "maxConcurrent=unlimited", "--set", "policy.order=priority")).stdout).toBe(
    "the plan would be the same\n"
  )
  const wrong = await plan("--set", "agent.vaela.slot=5", "--set", "maxConcurrent=many", "--pause", "oskar")
  expect({ code: wrong.code, out: wrong.stdout }).toEqual({ code: 2, out: "" })
  expect(wrong.stderr).toContain('--set knows no "agent.vaela.slot": did you mean agent.vaela.slots?')
  expect(wrong.stderr).toContain('--set maxConcurrent is "many", expected a whole number from 0 to 10000, or unlimited')
  expect(wrong.stderr).toContain('no agent is called "oskar": did you mean oscar?')
  expect(JSON.parse((await plan("--at", "+2h", "--json")).stdout)).toMatchObject({
    suppositions: [{ _tag: "Later", ms: 7_200_000 }],
    differences: []
  })
  expect((await plan("--at", "2h")).stderr).toContain('--at is "2h", expected a length of time like +45m')
  expect((await plan("--finish", "4711")).stderr).toContain("there is no open task 4711")
  expect((await plan("--pause", "vaela", "-o", "kept.json")).code).toBe(2)
  expect(digestOf(treeOf(ground.base).join("\n"))).toBe(before)
})
