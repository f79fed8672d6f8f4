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

it("a task that is added, all agents paused or resumed together; --detailed-exitcode tells whether anything is otherwise", async () => {
  const ground = await makeGround()
  ground.agents([ground.worker("vaela", "dev"), ground.worker("oscar", "qa")])
  const first = await ground.tinytask.add({ queue: "dev" })
  const plan = (...flags: ReadonlyArray<string>) => ground.cli(["plan", ...flags, ...ground.endpoint])
  const before = digestOf(treeOf(ground.base).join("\n"))

  const urgent = await plan("--add-task", "queue=dev,title=Now, please,priority=9", "--detailed-exitcode")
  expect({ code: urgent.code, stderr: urgent.stderr }).toEqual({ code: 5, stderr: "" })
  expect(urgent.stdout.trimEnd().split("\n")).toEqual([
    `task ${first}: start task ${first} on vaela (epoch 1, attempt 1) -> wait task ${first}: no free slot: queue dev 1/1`,
    `task ${first + 1}: not there -> start task ${first + 1} on vaela (epoch 1, attempt 1)`
  ])
  const chain = ["--add-task", "assignee=oscar", "--add-task", `queue=qa,blockedBy=${first + 1}`]
  expect(JSON.parse((await plan(...chain, "--json")).stdout)).toMatchObject({
    suppositions: [
      { _tag: "AddTask", task: { queue: null, assignee: "oscar", title: "a supposed task" } },
      { _tag: "AddTask", task: { queue: "qa", assignee: null, blockedBy: first + 1 } }
    ],
    differences: [
      { taskId: first + 1, before: null, after: { _tag: "Start", agent: "oscar" } },
      { taskId: first + 2, before: null, after: { _tag: "Wait", reasons: [{ _tag: "Blocked" }] } }
    ]
  })
  const paused = await plan("--pause-all", "--detailed-exitcode")
  expect(paused.code).toBe(5)
  expect(paused.stdout).toContain(`task ${first}: start task ${first} on vaela (epoch 1, attempt 1) -> wait`)
  const same = await plan("--resume-all", "--detailed-exitcode")
  expect({ code: same.code, stdout: same.stdout }).toEqual({ code: 0, stdout: "the plan would be the same\n" })
  expect((await plan("--detailed-exitcode")).code).toBe(5)
  const wrong = await plan("--add-task", "prioritty=9", "--pause-all", "--resume-all")
  expect({ code: wrong.code, out: wrong.stdout }).toEqual({ code: 2, out: "" })
  expect(wrong.stderr).toContain('--add-task knows no "prioritty": did you mean priority?')
  expect(wrong.stderr).toContain("--pause-all and --resume-all contradict each other")
  const down = await ground.cli(["plan", "--add-task", "queue=dev", "--mcp-endpoint", "http://127.0.0.1:9"])
  expect({ code: down.code, out: down.stdout }).toEqual({ code: 1, out: "" })
  expect(digestOf(treeOf(ground.base).join("\n"))).toBe(before)
})
