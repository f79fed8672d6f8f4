/** What people break in a state directory by hand, each found, told and mended, beside nobody and beside a daemon; and never what lives. */
import { appendFileSync, chmodSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { expect, it } from "vitest"
import { Ground, makeGround, treeOf } from "./harness/Ground.ts"
import { isLiving } from "./harness/processes.ts"
import type { Ended } from "./harness/program.ts"
import { overlaps } from "./harness/records.ts"
import { stackTrace } from "./harness/sentences.ts"
import { until } from "./harness/until.ts"

const once = ["run", "--once", "--backoff-base", "0", "--heartbeat", "600"]

interface Told {
  readonly asked: string | null
  readonly findings: ReadonlyArray<{
    readonly kind: string
    readonly state: string
    readonly taskId: number | null
    readonly todo: string
    readonly processes: ReadonlyArray<{ readonly pid: number; readonly command: string | null }>
  }>
}

const told = (ended: Ended): Told => {
  expect(ended.stderr).not.toMatch(stackTrace)
  if (ended.stdout === "") throw new Error(`it said nothing but ${ended.stderr}`)
  const output: Told = JSON.parse(ended.stdout)
  return output
}

/** "ForgottenTask 1: mended", in the order of the tasks. */
const short = ({ findings }: Told): ReadonlyArray<string> =>
  findings.map(({ kind, state, taskId }) => `${kind}${taskId === null ? "" : ` ${taskId}`}: ${state}`).sort()

/** A task whose agent stays until the ground is open. */
const lastingTask = (ground: Ground) =>
  ground.tinytask.add({ queue: "dev", description: JSON.stringify([["await", ground.path("gate")]]) })

const running = (ground: Ground, task: number) =>
  until(`task ${task} runs`, () => {
    const lease = ground.lease(task)
    return lease?.phase === "running" && ground.runs().some((run) => run.task === task) ? lease : null
  })

/** Ends supervisor and agent of a task without a word, and waits until they are gone. */
const killAttempt = async (ground: Ground, task: number) => {
  const { pid } = await running(ground, task)
  const pids = [pid ?? 0, ground.runs().find((run) => run.task === task)?.pid ?? 0]
  for (const one of pids) process.kill(one, "SIGKILL")
  await until("both are gone", () => pids.every((one) => !isLiving(one)))
}

/** A file of the state, as our own would be. */
const place = (ground: Ground, name: string, text: string): void => {
  chmodSync(ground.write(`state/${name}`, text), 0o600)
}

const completeAll = async (ground: Ground) => {
  ground.write("gate", "")
  await until("all tasks are complete", async () => {
    const ended = await ground.cli([...once, ...ground.endpoint])
    expect(ended.stderr).not.toMatch(stackTrace)
    return ground.tinytask.database.open() === 0
  })
}

it("what was broken by hand is told by a dry run, mended by a repair, and every task is completed once", async () => {
  const ground = await makeGround()
  ground.agents([ground.scripted("vaela", ["dev", "ops"], { slots: 9 })])
  const repair = (...flags: ReadonlyArray<string>) => ground.cli(["repair", "--json", ...ground.endpoint, ...flags])
  const [moved, tornLease, tornClaim, tornAttempts] = [
    await lastingTask(ground),
    await lastingTask(ground),
    await lastingTask(ground),
    await ground.tinytask.add({ queue: "dev", description: '[["exit", 3]]' })
  ]
  await ground.cli([...once, ...ground.endpoint])
  for (const task of [moved, tornLease, tornClaim]) await running(ground, task)
  await until("the fourth has ended", () => ground.lease(tornAttempts)?.phase === "finished")

  // While it ran somebody moved the first to another queue: it stays working when its agent is gone.
  await ground.tinytask.update(moved, { queue_name: "ops" })
  for (const task of [moved, tornLease, tornClaim]) await killAttempt(ground, task)
  writeFileSync(ground.leasePath(tornLease), '{ "task_id": 2, "agent_name": "vaela", ')
  rmSync(ground.path(`state/claims/${tornLease}.1`))
  rmSync(ground.leasePath(tornClaim))
  writeFileSync(ground.path(`state/claims/${tornClaim}.1`), "")
  await ground.cli([...once, ...ground.endpoint, "--enabled=false"])
  expect(ground.outcomes(moved)).toEqual(["handed-over"])
  expect(ground.outcomes(tornAttempts)).toEqual(["failed"])
  appendFileSync(ground.path(`state/attempts/task_${tornAttempts}.json`), "and a word too many")
  place(ground, "agents.json", "not what it was")
  place(ground, "stops/77.1.json", "{}")
  place(ground, "claims/notes.txt", "mine")
  place(ground, "running/.tmp-1-1-x", "half a lease")
  ground.write("state/tmp/77.1/left", "behind")
  appendFileSync(ground.path(`state/history/${ground.files("history")[0]}`), '{"version":1,"ta')
  place(ground, "attempts/task_78.json", JSON.stringify({ epoch: 1, token: "00000000-0000-4000-8000-000000000078" }))
  chmodSync(ground.path("state/attempts/task_78.json"), 0o666)

  const before = treeOf(ground.path("state"))
  const dry = await repair("--dry-run")
  expect(dry.code).toBe(1)
  expect(short(told(dry))).toEqual([
    "ForgottenTask 1: would-mend",
    "Litter: would-mend",
    "OrphanedStop 77: would-mend",
    "StrangeFile: noted",
    "TornHistory: noted",
    "UnreadableAgents: would-mend",
    "UnreadableAttempts 4: would-mend",
    "UnreadableAttempts 78: left",
    "UnreadableClaim 3: would-mend",
    "UnreadableLease 2: would-mend"
  ])
  expect(treeOf(ground.path("state"))).toEqual(before)

  const mended = await repair()
  expect(short(told(mended)).filter((line) => line.endsWith(": mended"))).toEqual([
    "ForgottenTask 1: mended",
    "Litter: mended",
    "OrphanedStop 77: mended",
    "UnreadableAgents: mended",
    "UnreadableAttempts 4: mended",
    "UnreadableClaim 3: mended",
    "UnreadableLease 2: mended"
  ])
  const left = told(mended).findings.filter(({ state }) => state === "left")
  expect([mended.code, left.map(({ kind }) => kind)]).toEqual([1, ["UnreadableAttempts"]])
  expect(ground.tinytask.database.task(moved)).toMatchObject({ status: "idle", assigned_to: null })
  expect(ground.tinytask.database.comments(moved).join()).toMatch(/\[tinyscheduler repair .*set back to idle/)
  expect(ground.outcomes(tornAttempts)).toEqual(["failed"])
  expect(ground.files("aside").map((name) => name.replace(/\.\d+(?:\.json)?$/, ""))).toEqual([
    "agents",
    `attempts_${tornAttempts}`,
    `claim_${tornClaim}.1`,
    `task_${tornLease}`
  ])
  expect(ground.files("tmp")).not.toContain("77.1")
  expect(ground.files("stops")).toEqual([])

  // What is left is done as it says.
  const command = /chown .*$/.exec(left[0]?.todo ?? "")?.[0] ?? ""
  expect((await ground.cli(["-c", command], { command: ["/bin/sh"] })).code).toBe(0)
  // Trusted again, it is found to say nothing, and goes the way of the other one.
  expect(short(told(await repair()))).toContain("UnreadableAttempts 78: mended")
  expect((await repair()).code).toBe(0)

  // Until somebody resumes nothing starts.
  expect((await ground.cli([...once, ...ground.endpoint])).stdout).toMatch(/^pass: 0 started/)
  expect((await ground.cli(["resume", ...ground.endpoint])).code).toBe(0)
  await ground.tinytask.update(tornAttempts, { description: "[]" })
  await completeAll(ground)
  const completions = ground.tinytask.database.changes().filter(({ after }) => after === "complete")
  expect(completions.map(({ task }) => task).toSorted((left, right) => left - right)).toEqual([1, 2, 3, 4])
  expect(overlaps(ground.runs().filter(({ endMs }) => Number.isFinite(endMs)))).toEqual([])
  expect(new Set(ground.runs().map(({ epoch, task }) => `${task}.${epoch}`)).size).toBe(ground.runs().length)
  // The claim that was set aside went with the end of its attempt.
  expect(short(told(await repair("--purge"))).filter((line) => !line.endsWith(": noted"))).toEqual(
    Array.from({ length: 4 }, () => "AsideFile: mended")
  )
  expect(ground.files("aside")).toEqual([])
  expect(short(told(await repair("--dry-run")))).toEqual(["StrangeFile: noted", "TornHistory: noted"])
})

it("nothing of a living attempt is touched: its processes are named, and it goes on", async () => {
  const ground = await makeGround()
  ground.agents([ground.scripted("vaela", "dev")])
  const task = await lastingTask(ground)
  await ground.cli([...once, ...ground.endpoint])
  const { pid } = await running(ground, task)
  const supervisor = pid ?? 0
  const agent = ground.runs()[0]?.pid ?? 0
  // It would write the lease anew: here it hangs.
  process.kill(supervisor, "SIGSTOP")
  const claim = readFileSync(ground.path("state/claims/1.1"), "utf8")
  writeFileSync(ground.leasePath(task), "torn")
  const repair = () => ground.cli(["repair", "--json", ...ground.endpoint])

  const odd = await repair()
  expect([odd.code, short(told(odd))]).toEqual([1, ["OddLease 1: left"]])
  expect(told(odd).findings[0]?.processes).toEqual([
    { pid: supervisor, command: expect.stringContaining("supervisor") }
  ])

  writeFileSync(ground.path("state/claims/1.1"), "torn too")
  const held = () => treeOf(ground.path("state")).filter((line) => /running|claims|attempts/.test(line))
  const before = [held(), ground.tinytask.database.dump()]
  const both = await repair()
  expect([both.code, short(told(both))]).toEqual([1, ["UnreadableClaim 1: left", "UnreadableLease 1: left"]])
  const named = told(both).findings.flatMap(({ processes }) => processes.map((one) => one.pid))
  expect(named).toEqual(expect.arrayContaining([supervisor, agent]))
  expect([held(), ground.tinytask.database.dump()]).toEqual(before)
  expect([isLiving(supervisor), isLiving(agent)]).toEqual([true, true])

  writeFileSync(ground.path("state/claims/1.1"), claim)
  process.kill(supervisor, "SIGCONT")
  await completeAll(ground)
  expect(ground.runs()).toHaveLength(1)
  expect((await repair()).code).toBe(0)
})

it("a task that another scheduler of this machine has under way in the same name is left to it", async () => {
  const ground = await makeGround()
  const other = new Ground()
  const vaela = ground.scripted("vaela", "dev")
  for (const one of [ground, other]) one.agents([vaela])
  const task = await ground.tinytask.add({ queue: "dev", description: '[["exit", 3]]' })
  const pass = (where: Ground) => where.cli([...once, ...ground.endpoint])
  await pass(ground)
  await until("the first attempt has ended", () => ground.lease(task)?.phase === "finished")
  await ground.cli([...once, ...ground.endpoint, "--enabled=false"])
  expect(ground.outcomes(task)).toEqual(["failed"])

  await ground.tinytask.update(task, { description: JSON.stringify([["await", ground.path("gate")]]) })
  await pass(other)
  await until("the second attempt runs", () => ground.runs().length === 2)
  const repaired = await ground.cli(["repair", "--json", ...ground.endpoint])
  expect([repaired.code, short(told(repaired))]).toEqual([1, ["LivingTask 1: left"]])
  expect(told(repaired).findings[0]?.processes.map(({ pid }) => pid)).toContain(ground.runs()[1]?.pid)
  expect(ground.tinytask.database.task(task).status).toBe("working")
  await pass(ground)
  ground.write("gate", "")
  await until("the other scheduler has completed it", async () => {
    await pass(other)
    return ground.tinytask.database.open() === 0
  })
  expect(ground.runs()).toHaveLength(2)
})

it("beside a daemon the repair is asked of it, and its next pass carries it out", async () => {
  const ground = await makeGround()
  ground.agents([ground.scripted("vaela", "dev")])
  const task = await lastingTask(ground)
  await ground.cli([...once, ...ground.endpoint])
  await killAttempt(ground, task)
  writeFileSync(ground.leasePath(task), "torn")
  rmSync(ground.path("state/claims/1.1"))
  const daemon = ground.start(["run", "--daemon", "--backoff-base", "0", ...ground.endpoint])
  await daemon.says("the task is held")
  const term = ground.read("state/term")
  const asked = await ground.cli(["repair", "--wait", ...ground.endpoint])
  expect(asked.stderr).toBe("")
  expect(asked.code).toBe(0)
  expect(asked.stdout).toMatch(/^found {5}the lease of task 1 can't be read: .*\n.*\ndone {6}set it aside/)
  expect(asked.stdout).toMatch(/1 mended.*; 1 mended: the lease of task 1 can't be read/)
  expect(ground.read("state/term")).toBe(term)
  ground.write("gate", "")
  await until("the task is complete", () => ground.tinytask.database.open() === 0)
  expect(ground.outcomes(task)).toEqual(["lost", "done"])
  const nothing = await ground.cli(["repair", ...ground.endpoint])
  expect(nothing.stdout).toContain("aside")
  expect(nothing.code).toBe(0)
  daemon.kill("SIGTERM")
  expect((await daemon.ended).code).toBe(0)
})

it("where nothing is there nothing is found, and without Tinytask only files are looked at", async () => {
  const ground = await makeGround()
  ground.agents([ground.scripted("vaela", "dev")])
  const before = treeOf(ground.base)
  const dry = await ground.cli(["repair", "--dry-run", ...ground.endpoint])
  expect([dry.code, dry.stdout, dry.stderr]).toEqual([0, "nothing to repair\n", ""])
  expect(treeOf(ground.base)).toEqual(before)
  const task = await lastingTask(ground)
  await ground.cli([...once, ...ground.endpoint, "--enabled=false"])
  symlinkSync(ground.write("elsewhere", "{}"), ground.path("state/agents.json"))
  await ground.tinytask.down()
  const down = await ground.cli(["repair", ...ground.endpoint])
  expect(down.code).toBe(1)
  expect(down.stdout).toMatch(/the agents' records can't be read: .*symbolic link/)
  expect(down.stderr).toMatch(/^Tinytask at .* can't be used: .*; its tasks were not looked at\n$|ERROR Tinytask/)
  expect(ground.read("elsewhere")).toBe("{}")
  await ground.tinytask.up()
  expect(ground.tinytask.database.task(task).status).toBe("idle")
})
