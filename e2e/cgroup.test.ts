/** Attempts in cgroups of their own, on the real ones of this machine: what no other trace leads to ends with its attempt. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it, onTestFinished } from "vitest"
import type { TestContext } from "vitest"
import { type AgentEntry, type Ground, makeGround } from "./harness/Ground.ts"
import { isLiving } from "./harness/processes.ts"
import { fixture } from "./harness/program.ts"
import { until } from "./harness/until.ts"

/** The directory of the cgroup that this test runs in; null where it can't be divided. */
const home = ((): string | null => {
  const mount = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"].find((path) => existsSync(`${path}/cgroup.procs`))
  const path = /^0::(.*)$/m.exec(readFileSync("/proc/self/cgroup", "utf8"))?.[1]
  if (mount === undefined || path === undefined) return null
  const own = join(mount, path)
  const probe = `${own}/tinyscheduler-e2e-${process.pid}`
  try {
    mkdirSync(probe)
    rmdirSync(probe)
    return own
  } catch {
    return null
  }
})()

interface Site {
  readonly ground: Ground
  readonly task: number
  /** Where its agent notes the pid of what it leaves behind. */
  readonly note: string
  readonly once: (...args: ReadonlyArray<string>) => ReturnType<Ground["cli"]>
}

/** The pids in a cgroup; none when it is gone. */
const membersOf = (cgroup: string): ReadonlyArray<number> =>
  existsSync(cgroup)
    ? readFileSync(`${cgroup}/cgroup.procs`, "utf8")
        .split("\n")
        .filter((line) => line !== "")
        .map(Number)
    : []

/** Whatever went wrong in a test, neither cgroup nor process of it stays. */
const endCgroup = async (cgroup: string): Promise<void> => {
  await until(`${cgroup} is gone`, () => {
    for (const pid of membersOf(cgroup)) if (isLiving(pid)) process.kill(pid, "SIGKILL")
    try {
      rmdirSync(cgroup)
    } catch {
      // The last of its dead has not been waited for.
    }
    return !existsSync(cgroup)
  })
}

/** A ground with one task, and one agent that leaves something behind. */
const prepare = async (
  context: TestContext,
  script: "escape.sh" | "hop.sh",
  entry: Partial<AgentEntry> = { isolation: "cgroup" }
): Promise<Site> => {
  if (home === null) context.skip("no cgroup v2 is delegated to this user here")
  const ground = await makeGround()
  const note = ground.path("left")
  const command = ["/bin/sh", fixture(script), note]
  ground.agents([{ agentName: "vaela", agentType: "dev", command, stopGraceSec: 1, ...entry }])
  const task = await ground.tinytask.add({ queue: "dev" })
  return { ground, task, note, once: (...args) => ground.cli(["run", "--once", ...ground.endpoint, ...args]) }
}

/** The attempt's cgroup, as its lease names it, once the agent has ended and left something behind. */
const agentEnds = async ({ ground, once, task }: Site): Promise<string | null> => {
  expect(await once()).toMatchObject({ code: 0 })
  await until("the agent's end is written", () => ground.lease(task)?.phase === "finished")
  const { cgroup }: { readonly cgroup?: string } = JSON.parse(ground.read(`state/running/task_${task}.json`))
  if (cgroup !== undefined) onTestFinished(() => endCgroup(cgroup))
  return cgroup ?? null
}

const pidsIn = (note: string): ReadonlyArray<number> => readFileSync(note, "utf8").trim().split("\n").map(Number)

describe("what an agent leaves behind by which nothing else shows whose it is", () => {
  it("ends with its attempt where that has a cgroup, and the cgroup goes too", async (context) => {
    const site = await prepare(context, "escape.sh")
    const { ground, note, once, task } = site
    const cgroup = await agentEnds(site)
    expect(cgroup).toBe(join(home ?? "", `tinyscheduler-${task}.1-${ground.lease(task)?.token ?? ""}`))
    const [escaped = 0] = pidsIn(note)
    expect(membersOf(cgroup ?? "")).toContain(escaped)
    const ended = await once("--stop-wait", "60")
    expect([ended.code, ground.outcomes(task), ground.lease(task)]).toEqual([0, ["done"], null])
    expect([isLiving(escaped), existsSync(cgroup ?? "")]).toEqual([false, false])
  })

  it("is nobody's where it has none: its attempt ends without it", async (context) => {
    const site = await prepare(context, "escape.sh", {})
    const { ground, note, once, task } = site
    expect(await agentEnds(site)).toBeNull()
    const [escaped = 0] = pidsIn(note)
    onTestFinished(() => {
      if (isLiving(escaped)) process.kill(escaped, "SIGKILL")
    })
    await once("--stop-wait", "60")
    expect([ground.outcomes(task), isLiving(escaped)]).toEqual([["done"], true])
  })

  it("is killed in one piece where it is never the same process for long", async (context) => {
    const site = await prepare(context, "hop.sh")
    const { ground, note, once, task } = site
    onTestFinished(() => void ground.write("left.stop", ""))
    const cgroup = (await agentEnds(site)) ?? ""
    await until("it has been many", () => pidsIn(note).length > 3)
    const ended = await once("--stop-wait", "60")
    expect([ended.code, ground.outcomes(task)]).toEqual([0, ["done"]])
    expect(existsSync(cgroup)).toBe(false)
    const noted = pidsIn(note).length
    expect(pidsIn(note).filter(isLiving)).toEqual([])
    console.log(`it was ${noted * 10} processes, one after the other`)
  })

  it("holds its slot when supervisor and agent are killed, and a later pass ends it", async (context) => {
    const site = await prepare(context, "escape.sh")
    const { ground, note, once, task } = site
    // An agent that stays: its remains are an orphan's.
    ground.agents([
      {
        agentName: "vaela",
        agentType: "dev",
        command: ["/bin/sh", "-c", `sh ${fixture("escape.sh")} ${note}; exec sleep 1000`],
        stopGraceSec: 1,
        isolation: "cgroup"
      }
    ])
    expect(await once()).toMatchObject({ code: 0 })
    await until("the agent runs, and has left something", () => {
      return ground.lease(task)?.phase === "running" && existsSync(note) && pidsIn(note)[0] !== 0
    })
    const [escaped = 0] = pidsIn(note)
    const lease = ground.lease(task)
    const cgroup = join(home ?? "", `tinyscheduler-${task}.1-${lease?.token ?? ""}`)
    onTestFinished(() => endCgroup(cgroup))
    for (const pid of [lease?.pid ?? 0, lease?.agent?.pid ?? 0]) process.kill(pid, "SIGKILL")
    await until("only that is left", () => membersOf(cgroup).filter(isLiving).join() === String(escaped))
    const other = await ground.tinytask.add({ queue: "dev" })
    await once("--stop-wait", "0")
    expect([isLiving(escaped), ground.outcomes(task), ground.lease(other)]).toEqual([true, [], null])
    await once("--stop-wait", "60")
    expect([isLiving(escaped), existsSync(cgroup), ground.outcomes(task)]).toEqual([false, false, ["lost"]])
    for (const name of readdirSync(home ?? "").filter((entry) => entry.startsWith(`tinyscheduler-${other}.`))) {
      if (name.endsWith(ground.lease(other)?.token ?? "none")) await endCgroup(join(home ?? "", name))
    }
  })
})
