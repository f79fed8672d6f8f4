/** The line of deploy/crontab, run as cron runs it: by its SHELL, with its PATH, and with next to nothing else. */
import { readFileSync } from "node:fs"
import { userInfo } from "node:os"
import * as Cron from "effect/Cron"
import * as Result from "effect/Result"
import { expect, it } from "vitest"
import { makeCheckout } from "./harness/checkout.ts"
import { makeGround } from "./harness/Ground.ts"
import { environmentOf, markVariable } from "./harness/processes.ts"
import { launch, linesOf, repository } from "./harness/program.ts"
import { until } from "./harness/until.ts"

interface Job {
  readonly schedule: string
  readonly command: string
}

const lines = linesOf(readFileSync(`${repository}deploy/crontab`, "utf8")).filter((line) => !line.startsWith("#"))

const variables = Object.fromEntries(
  lines.flatMap((line) => {
    const [, name, value] = /^(\w+)=(.*)$/.exec(line) ?? []
    return name === undefined || value === undefined ? [] : [[name, value]]
  })
)

const jobs: ReadonlyArray<Job> = lines.flatMap((line) => {
  const [, schedule, command] = /^((?:\S+\s+){4}\S+)\s+(.*)$/.exec(line) ?? []
  return schedule === undefined || command === undefined || /^\w+=/.test(line) ? [] : [{ schedule, command }]
})

it("is one job, every minute, as docs/deployment.md shows it, without the one character that cron takes for the end of a line", () => {
  expect(jobs).toHaveLength(1)
  expect(lines).toHaveLength(jobs.length + Object.keys(variables).length)
  for (const { command, schedule } of jobs) {
    expect(Result.isSuccess(Cron.parse(schedule))).toBe(true)
    expect(schedule).toBe("* * * * *")
    expect(command).not.toContain("%")
  }
  expect(readFileSync(`${repository}docs/deployment.md`, "utf8")).toContain(lines.join("\n"))
})

it("starts a task in one minute and completes it in another, without HOME; cron.log says what the last pass said", async () => {
  const ground = await makeGround()
  const checkout = makeCheckout(ground, "check out", { node: true })
  ground.agents([ground.scripted("vaela", "dev")])
  ground.write(".env", `TINYSCHEDULER_MCP_ENDPOINT=${ground.tinytask.url}\n`)
  const task = await ground.tinytask.add({
    queue: "dev",
    description: JSON.stringify([["await", ground.path("gate")]])
  })
  const minute = () => {
    const command = (jobs[0]?.command ?? "")
      .replaceAll("/srv/agents", ground.base)
      .replaceAll("/opt/tinyscheduler", `'${checkout}'`)
    const shell = variables["SHELL"] ?? "/bin/sh"
    return launch({ command: [shell, "-c", command], cwd: "/", env: { ...variables, [markVariable]: ground.base } })
      .ended
  }
  // Cron would mail what a job prints.
  expect(await minute()).toEqual({ code: 0, signal: null, stdout: "", stderr: "" })
  expect(ground.read("cron.log")).toContain("1 started")
  await until("the agent runs", () => ground.lease(task)?.phase === "running" && ground.runs().length === 1)
  expect(environmentOf(ground.runs()[0]?.pid ?? 0)).toMatchObject({ HOME: userInfo().homedir, PATH: variables["PATH"] })
  ground.write("gate", "")
  await until("its ending stands", () => ground.lease(task)?.phase === "finished")
  expect((await minute()).code).toBe(0)
  expect(ground.outcomes(task)).toEqual(["done"])
  expect(ground.tinytask.database.open()).toBe(0)
  const [date = "", ...said] = linesOf(ground.read("cron.log"))
  expect(Number.isNaN(Date.parse(date))).toBe(false)
  expect(said.join("\n")).toContain("1 ended")
  expect(said.join("\n")).not.toContain("1 started")
  const log = ground.files("logs").find((name) => /^scheduler_\d{8}\.log$/.test(name)) ?? ""
  expect(ground.read(`state/logs/${log}`)).toMatch(/start task 1 on vaela[\s\S]*finish task 1 on vaela/)

  ground.write(".env", "TINYSCHEDULER_MAX_ATTEMPTS=many\n")
  expect((await minute()).code).toBe(2)
  expect(ground.read("cron.log")).toContain("TINYSCHEDULER_MAX_ATTEMPTS")
})
