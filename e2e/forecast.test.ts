/** `forecast` as people type it: of what Tinytask holds, of a file of tasks, and of what they mistyped. */
import { readFileSync } from "node:fs"
import { expect, it } from "vitest"
import { makeGround, treeOf } from "./harness/Ground.ts"

const hour = 3_600_000

it("forecasts what waits in Tinytask, and writes no state", async () => {
  const ground = await makeGround()
  ground.agents([ground.worker("vaela", "dev", { slots: 2 })])
  const first = await ground.tinytask.add({ queue: "dev", title: "first <b>" })
  await ground.tinytask.add({ queue: "dev", blockedBy: first })
  await ground.tinytask.add({ queue: "ops" })
  const before = treeOf(ground.base)
  const { code, stderr, stdout } = await ground.cli(["forecast", "--duration", "dev=1h", "--gantt", ...ground.endpoint])
  expect([code, stderr]).toEqual([0, ""])
  expect(stdout).toMatch(/^1 +first <b> +vaela +now +\+1h$/m)
  expect(stdout).toContain("all done in: 2h")
  expect(stdout).toContain("never starts, no agent serves queue ops: 3")
  expect(stdout).toMatch(/^1 vaela \|█+ +\|$/m)
  const json = await ground.cli(["forecast", "--json", "--runs", "5", "--duration", "1h+-30m", ...ground.endpoint])
  const made = JSON.parse(json.stdout)
  expect(made.makespanMs).toBe(2 * hour)
  expect(made.durations).toEqual({ given: 2 })
  expect(made.samples.runs).toBe(5)
  expect(treeOf(ground.base)).toEqual(before)
})

it("goes by what the history shows, and says where it shows nothing", async () => {
  const ground = await makeGround()
  ground.agents([ground.worker("vaela", "dev")])
  await ground.tinytask.add({ queue: "dev" })
  const unknown = await ground.cli(["forecast", ...ground.endpoint])
  expect(unknown.stdout).toContain("warning: nothing is known of how long 1 of them take: 10m each are assumed")
  const month = new Date().toISOString().slice(0, 7)
  const line = {
    version: 1,
    task_id: 9,
    epoch: 1,
    token: "00000009-0001-4000-8000-000000000000",
    agent_name: "vaela",
    queue: "dev",
    started_at: `${month}-01T04:00:00Z`,
    ended_at: `${month}-01T04:07:00Z`,
    outcome: "done",
    detail: "exit 0"
  }
  ground.write(`state/history/${month.replace("-", "")}.jsonl`, `${JSON.stringify(line)}\n`)
  const old = { ...line, token: "00000008-0001-4000-8000-000000000000", ended_at: "2020-01-01T09:00:00Z" }
  ground.write("state/history/202001.jsonl", `${JSON.stringify({ ...old, started_at: "2020-01-01T01:00:00Z" })}\n`)
  const known = await ground.cli(["forecast", ...ground.endpoint])
  expect(known.stdout).toContain("all done in: 7m")
})

it("plans capacity from a file: ten tasks of an hour take two slots five hours; Tinytask is not asked", async () => {
  const ground = await makeGround()
  ground.agents([ground.worker("vaela", "dev", { slots: 2 })])
  const tasks = ground.write("tasks.json", JSON.stringify([{ queue: "dev", count: 10, duration: "1h" }]))
  const svg = ground.path("forecast.svg")
  const nowhere = ["--mcp-endpoint", "http://127.0.0.1:9"]
  const { code, stdout } = await ground.cli(["forecast", "--tasks", tasks, "--json", "--svg", svg, ...nowhere])
  expect(code).toBe(0)
  expect(JSON.parse(stdout).makespanMs).toBe(5 * hour)
  expect(readFileSync(svg, "utf8").match(/<title>/g)).toHaveLength(10)
})

it("forecasts what is supposed, with the flags of plan, and changes nothing", async () => {
  const ground = await makeGround()
  ground.agents([ground.worker("vaela", "dev")])
  const first = await ground.tinytask.add({ queue: "dev" })
  await ground.tinytask.add({ queue: "dev", blockedBy: first })
  const before = treeOf(ground.base)
  const makespan = async (...flags: ReadonlyArray<string>): Promise<number> => {
    const { code, stdout } = await ground.cli(["forecast", "--duration", "1h", "--json", ...flags, ...ground.endpoint])
    expect(code, flags.join(" ")).toBe(0)
    return JSON.parse(stdout).makespanMs
  }
  expect(await makespan()).toBe(2 * hour)
  expect(await makespan("--finish", String(first))).toBe(hour)
  expect(await makespan("--add-task", "queue=dev,priority=9", "--add-task", "assignee=vaela")).toBe(4 * hour)
  expect(await makespan("--set", "agent.vaela.slots=2", "--add-task", "queue=dev")).toBe(2 * hour)
  expect(await makespan("--pause-all")).toBe(0)
  expect(treeOf(ground.base)).toEqual(before)
})

it("--compare puts other settings beside it, in numbers and in the tasks that end at another time", async () => {
  const ground = await makeGround()
  ground.agents([ground.worker("vaela", "dev")])
  const tasks = ground.write("tasks.json", JSON.stringify([{ queue: "dev", count: 4, duration: "1h", title: "part" }]))
  const forecast = (...flags: ReadonlyArray<string>) => ground.cli(["forecast", "--tasks", tasks, ...flags])
  const two = await forecast("--compare", "agent.vaela.slots=2", "--runs", "3")
  expect({ code: two.code, stderr: two.stderr }).toEqual({ code: 0, stderr: "" })
  expect(two.stdout.trimEnd().split("\n")).toEqual([
    "                            as it is       agent.vaela.slots=2",
    "all done in                 4h             2h",
    "half of 3 by chance within  4h             2h",
    "nine of ten within          4h             2h",
    "busy: vaela                 1 slot, 100 %  2 slots, 100 %",
    "never start                 0              0",
    "starve                      0              0",
    "",
    "with agent.vaela.slots=2 3 end sooner, 0 later:",
    "task  title  as it is  then",
    "4     part   4h        2h    2h sooner",
    "2     part   2h        1h    1h sooner",
    "3     part   3h        2h    1h sooner"
  ])
  const more = ["--set", "agent.vaela.slots=2", "--compare", "maxConcurrent=1", "--compare", "pause=vaela"]
  const several = await forecast(...more, "--json")
  const made: {
    readonly columns: ReadonlyArray<{ readonly name: string; readonly makespanMs: number }>
    readonly tasks: ReadonlyArray<{ readonly ends: ReadonlyArray<string | null> }>
  } = JSON.parse(several.stdout)
  expect(Object.keys(JSON.parse(several.stdout))).toEqual(["version", "now", "columns", "tasks"])
  expect(made.columns.map(({ makespanMs, name }) => [name, makespanMs / hour])).toEqual([
    ["as supposed", 2],
    ["maxConcurrent=1", 4],
    ["pause=vaela", 0]
  ])
  expect(made.tasks.map(({ ends }) => ends[2])).toEqual([null, null, null, null])
  const same = await forecast("--compare", "agent.vaela.slots=1")
  expect(same.stdout).toContain("with agent.vaela.slots=1 every task ends when it would anyway")
})

it("a Tinytask that is down is an error, never an empty forecast", async () => {
  const ground = await makeGround()
  ground.agents([ground.worker("vaela", "dev")])
  const { code, stderr, stdout } = await ground.cli(["forecast", "--mcp-endpoint", "http://127.0.0.1:9"])
  expect([code, stdout]).toEqual([1, ""])
  expect(stderr).not.toBe("")
})

it("what can't be meant is refused in one sentence, with exit code 2", async () => {
  const ground = await makeGround()
  ground.agents([ground.worker("vaela", "dev")])
  const tasks = ground.write("tasks.json", JSON.stringify([{ queue: "dev" }]))
  const odd = ground.write("odd.json", JSON.stringify([{ queue: "dev", count: "many" }]))
  const refused: ReadonlyArray<readonly [ReadonlyArray<string>, RegExp]> = [
    [["--tasks", tasks, "--duration", "dev=soon"], /^--duration is "dev=soon": expected a length of time/],
    [["--tasks", tasks, "--duration", "qa=1h"], /no agent and no queue has that name; there are: dev, vaela/],
    [["--tasks", tasks, "--runs", "0"], /--runs/],
    [["--tasks", tasks, "--seed", "-1"], /--seed/],
    [["--tasks", ground.path("none.json")], /is not there/],
    [["--tasks", tasks, "--set", "agent.vaela.slot=2"], /--set knows no "agent\.vaela\.slot": did you mean/],
    [["--tasks", tasks, "--compare", "agent.vaela.slot=2"], /--compare knows no "agent\.vaela\.slot": did you mean/],
    [["--tasks", tasks, "--compare", "maxConcurrent=1", "--gantt"], /^--compare prints numbers side by side/],
    [["--tasks", odd], /odd\.json, entry 1: count/],
    [["--tasks", tasks, "--svg", ground.path("no/such/place.svg")], /the picture was not written to/],
    [["--tasks", tasks, "--svg", tasks], /^--svg names the file of --tasks/]
  ]
  for (const [args, sentence] of refused) {
    const { code, stderr, stdout } = await ground.cli(["forecast", ...args])
    expect([code, stdout], args.join(" ")).toEqual([2, ""])
    expect(stderr).toMatch(sentence)
    expect(stderr.trimEnd().split("\n"), args.join(" ")).toHaveLength(1)
  }
})
