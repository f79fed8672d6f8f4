/** How attempts end that end badly, with real agents: what is recorded, what the task is told, and when it goes on. */
import { chmodSync, existsSync } from "node:fs"
import { describe, expect, it } from "vitest"
import { type AgentEntry, type Ground, makeGround } from "./harness/Ground.ts"
import { isLiving, signal, startOf } from "./harness/processes.ts"
import { until } from "./harness/until.ts"

/** A program of the given name that is a shell script, and the entry of an agent that runs it. */
const programmed = (
  ground: Ground,
  name: string,
  script: string,
  rest: Readonly<Record<string, unknown>> & { readonly args: ReadonlyArray<string> }
): AgentEntry => {
  const program = ground.write(`bin/${name}`, `#!/bin/sh\n${script}\n`)
  chmodSync(program, 0o755)
  const { args, ...fields } = rest
  return { agentName: name, agentType: name, command: [program, ...args], ...fields }
}

const said = (event: object): string => `echo '${JSON.stringify(event)}'`

const pass = async (ground: Ground): Promise<string> => {
  const { code, stderr, stdout } = await ground.cli(["run", "--once", ...ground.endpoint])
  expect(code, stderr).toBe(0)
  return stdout + stderr
}

/** Starts what is ready, waits until all of it has finished, and ends it. */
const runToTheEnd = async (ground: Ground, tasks: ReadonlyArray<number>): Promise<void> => {
  await pass(ground)
  await until("every agent has finished", () => tasks.every((task) => ground.lease(task)?.phase === "finished"))
  await pass(ground)
}

interface Remembered {
  readonly counts: { readonly failures: number; readonly losses: number }
  readonly not_before: string | null
  readonly parked: { readonly outcome: string } | null
}

const remembered = (ground: Ground, task: number): Remembered => {
  const attempts: Remembered = JSON.parse(ground.read(`state/attempts/task_${task}.json`))
  return attempts
}

const streamJson = ["--output-format", "stream-json"]

describe("an attempt ends by its agent's own word", () => {
  it("a rate limit in the agent's events is no failure: it waits for the reset that was told, and says so", async () => {
    const ground = await makeGround()
    const reset = Math.ceil(Date.now() / 1000) + 1800
    const script = [
      said({ type: "rate_limit_event", rate_limit_info: { status: "rejected", resetsAt: reset } }),
      said({
        type: "result",
        subtype: "success",
        is_error: true,
        api_error_status: 429,
        result: "usage limit reached"
      }),
      // The program goes on to print, and exits as if all were well.
      "seq 1 5000"
    ].join("\n")
    ground.agents([programmed(ground, "claude", script, { args: ["-p", ...streamJson], success: "exit" })])
    const task = await ground.tinytask.add({ queue: "claude" })
    await runToTheEnd(ground, [task])

    expect(ground.outcomes(task)).toEqual(["rate-limited"])
    const { counts, not_before: notBefore, parked } = remembered(ground, task)
    expect({ counts, parked }).toEqual({ counts: { failures: 0, losses: 1 }, parked: null })
    const waitsUntil = Date.parse(notBefore ?? "")
    expect(waitsUntil).toBeGreaterThanOrEqual(reset * 1000)
    expect(waitsUntil).toBeLessThanOrEqual(reset * 1000 + 30_000)
    const [comment = "", ...more] = ground.tinytask.database.comments(task)
    expect(more).toEqual([])
    expect(comment).toMatch(/attempt 1 by claude: rate-limited \(usage limit reached, exit 0\)\.\n/)
    expect(comment).toContain(`The next attempt begins after ${notBefore}.\n`)
    expect(ground.tinytask.database.task(task)).toMatchObject({ status: "idle", assigned_to: null })
    expect(await pass(ground)).toContain(`wait task ${task}: backoff until ${notBefore}`)
  })

  it("refused credentials park at once, a failed run is no done for its exit code, and prose is no event", async () => {
    const ground = await makeGround()
    const refused = said({ type: "error", error: "Authentication error: bad key" })
    const failed = said({ type: "turn.failed", error: { message: "stream disconnected" } })
    ground.agents([
      programmed(ground, "goose", `${refused}\nexit 1`, { args: ["run", ...streamJson], success: "tinytask" }),
      programmed(ground, "codex", failed, { args: ["exec", "--json"], success: "exit" }),
      programmed(ground, "prose", refused, { args: [], success: "exit" })
    ])
    const goose = await ground.tinytask.add({ queue: "goose" })
    const codex = await ground.tinytask.add({ queue: "codex" })
    const prose = await ground.tinytask.add({ queue: "prose" })
    await runToTheEnd(ground, [goose, codex, prose])

    expect([goose, codex, prose].map((task) => ground.outcomes(task))).toEqual([["auth"], ["failed"], ["done"]])
    expect(remembered(ground, goose).parked?.outcome).toBe("auth")
    expect(remembered(ground, codex)).toMatchObject({ counts: { failures: 1, losses: 0 }, parked: null })
    expect(ground.tinytask.database.comments(goose)[0]).toContain(
      `It is parked: no further attempt until \`tinyscheduler retry ${goose}\`.`
    )
    expect(ground.tinytask.database.comments(codex)[0]).toContain("failed (stream disconnected, exit 0)")
    expect(ground.tinytask.database.comments(prose)).toEqual([])
  })
})

describe("an attempt is ended from outside", () => {
  it("by SIGTERM to its supervisor, as at a shutdown: its agent ends, and it is a loss, no failure of the agent", async () => {
    const ground = await makeGround()
    // Claude Code exits with 0 on SIGINT.
    const script = `trap 'exit 0' INT; : > "${ground.path("up")}"; while :; do sleep 0.05; done`
    ground.agents([programmed(ground, "sage", script, { args: [], success: "exit" })])
    const task = await ground.tinytask.add({ queue: "sage" })
    await pass(ground)
    const lease = await until("the agent runs", () => {
      const found = ground.lease(task)
      return found?.phase === "running" && existsSync(ground.path("up")) ? found : null
    })
    const supervisor = lease.pid ?? 0
    signal({ pid: supervisor, start: startOf(supervisor) ?? "" }, "SIGTERM")
    await until("its end is recorded", () => ground.lease(task)?.phase === "finished")
    expect(isLiving(lease.agent?.pid ?? 0)).toBe(false)
    await pass(ground)

    expect(ground.outcomes(task)).toEqual(["lost"])
    expect(remembered(ground, task).counts).toEqual({ failures: 0, losses: 1 })
    expect(ground.tinytask.database.comments(task)[0]).toContain(
      "lost (its supervisor was asked to end (SIGTERM), exit 0)"
    )
    expect(ground.tinytask.database.task(task)).toMatchObject({ status: "idle", assigned_to: null })
  })
})

describe("a comment on an ending", () => {
  it("quotes a hostile output: nothing of it commands a terminal, passes for ours or tells a secret", async () => {
    const ground = await makeGround()
    const script = [
      `printf '\\033[2J\\033]0;owned\\007\\n'`,
      `echo "[tinyscheduler $TINYSCHEDULER_LEASE] attempt 1 by eve: done (nothing to see)."`,
      "echo '```'",
      `echo "my key is $MODEL_API_KEY"`,
      "exit 3"
    ].join("\n")
    ground.agents([programmed(ground, "eve", script, { args: [], env: { MODEL_API_KEY: "sk-0123456789" } })])
    const task = await ground.tinytask.add({ queue: "eve" })
    await runToTheEnd(ground, [task])

    const [comment = "", ...more] = ground.tinytask.database.comments(task)
    expect(more).toEqual([])
    const [first, , , , , ...quote] = comment.split("\n")
    expect(first).toMatch(/^\[tinyscheduler [0-9a-f-]{36}\] attempt 1 by eve: failed \(exit 3\)\.$/)
    expect(quote).toEqual([
      "    \\u001b]0;owned\\u0007",
      `    [tinyscheduler ${first?.slice(15, 51)}] attempt 1 by eve: done (nothing to see).`,
      "    ```",
      "    my key is [MODEL_API_KEY]"
    ])
  })
})
