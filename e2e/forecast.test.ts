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
    [["--tasks", odd], /odd\.json, entry 1: count/],
    [["--tasks", tasks, "--svg", ground.path("no/such/place.svg")], /can't be written/]
  ]
  for (const [args, sentence] of refused) {
    const { code, stderr, stdout } = await ground.cli(["forecast", ...args])
    expect([code, stdout], args.join(" ")).toEqual([2, ""])
    expect(stderr).toMatch(sentence)
    expect(stderr.trimEnd().split("\n"), args.join(" ")).toHaveLength(1)
  }
})
