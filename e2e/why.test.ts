/** `why` as a person meets it: before a pass, beside what runs, after a failure, with a Tinytask that is down. */
import { describe, expect, it } from "vitest"
import { type Ground, makeGround, treeOf } from "./harness/Ground.ts"
import { until } from "./harness/until.ts"

const ask = async (ground: Ground, ...args: ReadonlyArray<string>) => {
  const { code, stderr, stdout } = await ground.cli(["why", ...args, ...ground.endpoint])
  return { code, out: stdout.trimEnd().split("\n"), err: stderr }
}

const groundOfOne = async (): Promise<Ground> => {
  const ground = await makeGround()
  ground.agents([ground.scripted("vaela", "dev", { stopGraceSec: 1 })])
  return ground
}

const busy = (ground: Ground): Promise<number> =>
  ground.tinytask.add({ queue: "dev", description: JSON.stringify([["await", ground.path("never-mind")]]) })

const once = (ground: Ground, ...flags: ReadonlyArray<string>) =>
  ground.cli(["run", "--once", ...ground.endpoint, ...flags])

describe("why TASK", () => {
  it("names the task that is in its way, and who is ahead", async () => {
    const ground = await groundOfOne()
    const first = await busy(ground)
    const second = await busy(ground)
    const third = await busy(ground)
    await once(ground)
    await until("the first runs", () => ground.lease(first)?.phase === "running")
    const { code, err, out } = await ask(ground, String(third))
    expect({ code, err }).toEqual({ code: 0, err: "" })
    expect(out[0]).toContain(`wait task ${third}: no free slot: queue dev 1/1`)
    // Where the first is finished the second comes first: another slot would not do for the third either.
    expect(out).toContain("no single change would start it now")
    expect(out).toContain(`ahead of it: ${second}`)
    expect((await ask(ground, String(second))).out).toContain(`it would start now: finish task ${first}`)
    const running = (await ask(ground, String(first))).out
    expect(running).toContain("judged by the rule: it lives")
    expect(running.at(-1)).toMatch(/^attempt 1: since \S+Z on vaela \(.*\/tasks\/\d+\/1\.log\)$/)
  })

  it("tells when a backoff ends and how the attempts ended, as JSON too, and writes nothing", async () => {
    const ground = await makeGround()
    ground.agents([{ agentName: "oscar", agentType: "qa", command: ["/bin/false"] }])
    const task = await ground.tinytask.add({ queue: "qa" })
    await once(ground)
    await until("it has ended", () => ground.lease(task)?.phase === "finished")
    await once(ground)
    const before = treeOf(ground.base)
    const { out } = await ask(ground, String(task))
    expect(out[0]).toContain(`wait task ${task}: backoff until `)
    expect(out[1]).toMatch(/^it would start now: wait \d+ s$/)
    expect(out[2]).toMatch(/^by itself: its backoff ends at \S+Z, in \d+ s$/)
    expect(out[3]).toMatch(/^attempt 1: failed at \S+Z, .*exit 1.* \(.*\.log\)$/)
    const asJson = await ask(ground, String(task), "--json")
    expect(JSON.parse(asJson.out.join("\n"))).toMatchObject({
      version: 1,
      _tag: "Judged",
      counterfactual: { _tag: "Found", change: { _tag: "Later" } },
      attempts: { outcomes: [{ outcome: "failed" }], failures: 1 }
    })
    expect(treeOf(ground.base)).toEqual(before)
  })

  it("refuses a number that nobody knows, and what it can't make out, in one sentence each", async () => {
    const ground = await groundOfOne()
    expect(await ask(ground, "4711")).toEqual({
      code: 2,
      out: [""],
      err: "there is no task 4711; tinyscheduler tinytask list shows the open ones\n"
    })
    expect(await ask(ground)).toMatchObject({ code: 2, err: "name a task by its number, or say --all\n" })
    expect(await ask(ground, "1", "--all")).toMatchObject({ code: 2 })
  })

  it("says so when Tinytask is down, and exits with 1", async () => {
    const ground = await groundOfOne()
    const task = await busy(ground)
    const { url } = ground.tinytask
    await ground.tinytask.down()
    const { code, stderr, stdout } = await ground.cli(["why", String(task), "--mcp-endpoint", url])
    expect(code).toBe(1)
    expect(stdout).toContain("Tinytask could not be read")
    expect(stderr).toContain("can't be used")
  })
})

describe("why --all", () => {
  it("tells of all that wait, by their reasons", async () => {
    const ground = await groundOfOne()
    const inNoQueue = await ground.tinytask.add({})
    const elsewhere = await ground.tinytask.add({ queue: "ops" })
    const { code, out } = await ask(ground, "--all")
    expect({ code, out }).toEqual({
      code: 0,
      out: [
        "NoAgentServesQueue: 1",
        `  no agent serves queue ops: ${elsewhere}`,
        "NoQueue: 1",
        `  no queue and nobody assigned: ${inNoQueue}`
      ]
    })
  })
})
