/** Taking over leases of the Python version: what lives is kept, what is dead given back, what is odd held; nothing runs twice. */
import { spawnSync } from "node:child_process"
import { chmodSync, mkdirSync, renameSync, rmSync, symlinkSync } from "node:fs"
import { describe, expect, it } from "vitest"
import type { Ground } from "./harness/Ground.ts"
import { isLiving, startOf } from "./harness/processes.ts"
import type { Ended } from "./harness/program.ts"
import { agentOf, deadPid, leaseForms, pass, startWrapper, takenOver, writeLease } from "./harness/python.ts"
import { until } from "./harness/until.ts"

const leftAlone = (task: number) =>
  `running task ${task} on vaela (epoch 0): a lease of the old form, alive and left alone`

const completed = (ground: Ground, open = 0) =>
  until("everything else is complete", async () => {
    await pass(ground)
    return ground.tinytask.database.open() === open
  })

describe.each(leaseForms)("a lease in %s", (form) => {
  it("whose wrapper lives is kept: its slot is held, its processes get no signal, its task no second start", async () => {
    const ground = await takenOver(1)
    const wrapper = await startWrapper(ground)
    const path = writeLease(ground, { task: 1, agent: "vaela", pid: wrapper.pid, form })
    const text = ground.read("state/running/task_1.json")
    const next = await ground.tinytask.add({ queue: "dev" })
    for (const flags of [[], ["--max-runtime", "1"], ["--max-concurrent", "0"]]) {
      const { code, stderr } = await pass(ground, ...flags)
      expect(code).toBe(0)
      expect(stderr).toContain(leftAlone(1))
      expect(stderr).toMatch(new RegExp(`wait task ${next}: (no free slot: queue dev 1/1|global limit)`))
    }
    expect(ground.read("state/running/task_1.json")).toBe(text)
    expect({ lives: wrapper.lives(), signalled: wrapper.wasSignalled() }).toEqual({ lives: true, signalled: false })

    // It ends as that wrapper does: the task is completed, then the lease is deleted.
    await ground.tinytask.update(1, { status: "complete" })
    rmSync(path)
    await wrapper.kill()
    await completed(ground)
    expect(ground.runs().map(({ task }) => task)).toEqual([next])
    expect(ground.outcomes(1)).toEqual([])
  })

  it("whose process is dead is reclaimed: the task is given back with a comment, and started by us exactly once", async () => {
    const ground = await takenOver(1)
    writeLease(ground, { task: 1, agent: "vaela", pid: deadPid(), form, agoSec: 60 })
    const { code, stdout } = await pass(ground)
    expect({ code, stdout: stdout.trim() }).toEqual({
      code: 0,
      stdout: "pass: 1 started, 1 ended, 0 stopping, 1 running, 0 waiting"
    })
    await completed(ground)
    expect(ground.runs()).toHaveLength(1)
    expect(ground.outcomes(1)).toEqual(["lost", "done"])
    const [comment, ...others] = ground.tinytask.database.comments(1)
    expect(comment).toContain("a lease of the old form whose process is gone")
    expect(others).toEqual([])
    expect(ground.tinytask.database.changes().map(({ after }) => after)).toEqual([
      "working",
      "idle",
      "working",
      "complete"
    ])
  })

  it("whose pid is another process's by now is reclaimed, and that process left alone", async () => {
    const ground = await takenOver(1)
    const stranger = await startWrapper(ground)
    writeLease(ground, { task: 1, agent: "vaela", pid: stranger.pid, form, agoSec: 3600 })
    expect((await pass(ground)).stdout).toContain("1 ended")
    expect(ground.outcomes(1)[0]).toBe("lost")
    expect({ lives: stranger.lives(), signalled: stranger.wasSignalled() }).toEqual({ lives: true, signalled: false })
  })
})

it("a wrapper that was killed leaves its agent: the task is held until that has ended too", async () => {
  const ground = await takenOver(1)
  const wrapper = await startWrapper(ground)
  writeLease(ground, { task: 1, agent: "vaela", pid: wrapper.pid })
  const agent = agentOf(ground, wrapper.pid) ?? 0
  await wrapper.kill()
  const held = await pass(ground)
  expect(held.stderr).toContain(leftAlone(1))
  expect(isLiving(agent)).toBe(true)
  expect(ground.runs()).toEqual([])
  process.kill(agent, "SIGKILL")
  await until("the agent is gone", () => startOf(agent) === null)
  await completed(ground)
  expect(ground.runs()).toHaveLength(1)
})

it("a lease of another host is held and said to be unknown, and given up only when its beat has stood still", async () => {
  const ground = await takenOver(1)
  writeLease(ground, { task: 1, agent: "vaela", pid: deadPid(), host: "elsewhere" })
  for (let number = 0; number < 3; number += 1) {
    expect((await pass(ground)).stderr).toContain("liveness unknown, its slot is held")
  }
  expect((await ground.cli(["status", ...ground.endpoint])).stdout).toContain("liveness unknown")
  expect(ground.runs()).toEqual([])
  await until("it is given up by the clock", async () => {
    await pass(ground, "--unknown-lost", "1")
    return ground.outcomes(1)[0] === "lost"
  })
  await completed(ground)
  expect(ground.runs()).toHaveLength(1)
})

describe("what can't be read", () => {
  const odd: ReadonlyArray<readonly [name: string, make: (ground: Ground, task: number) => void]> = [
    ["garbage", (ground, task) => ground.write(leaseName(task), "\u0000\u0001 not a lease")],
    ["an empty file", (ground, task) => ground.write(leaseName(task), "")],
    ["half a lease", (ground, task) => ground.write(leaseName(task), `{"task_id": "${task}", "agent": "vae`)],
    ["no pid", (ground, task) => ground.write(leaseName(task), `{"task_id": "${task}", "agent": "vaela"}`)],
    ["another task's", (ground, task) => ground.write(leaseName(task), '{"task_id": 99, "agent": "vaela", "pid": 5}')],
    ["much too large", (ground, task) => ground.write(leaseName(task), `{"x":"${"x".repeat(100_000)}"}`)],
    ["a link", (ground, task) => symlinkSync("/etc/hostname", ground.leasePath(task))],
    ["a directory", (ground, task) => mkdirSync(ground.leasePath(task))],
    ["a named pipe", (ground, task) => spawnSync("mkfifo", [ground.leasePath(task)])],
    [
      "writable by everybody",
      (ground, task) => chmodSync(writeLease(ground, { task, agent: "vaela", pid: deadPid() }), 0o666)
    ]
  ]
  const leaseName = (task: number): string => `state/running/task_${task}.json`

  it("each such task is held and said in every pass, the others go on; with the file moved away it is free", async () => {
    const ground = await takenOver(odd.length, { slots: 20 })
    mkdirSync(ground.path("state/running"), { recursive: true, mode: 0o700 })
    for (const [index, [, make]] of odd.entries()) make(ground, index + 1)
    const other = await ground.tinytask.add({ queue: "dev" })
    const heldIn = ({ stderr }: Ended) =>
      odd.filter((_, index) => {
        const task = index + 1
        return stderr.includes(`wait task ${task}: lease unreadable at ${ground.leasePath(task)}: `)
      })
    for (let number = 0; number < 2; number += 1) {
      const ended = await pass(ground)
      expect({ code: ended.code, held: heldIn(ended).map(([name]) => name) }).toEqual({
        code: 1,
        held: odd.map(([name]) => name)
      })
    }
    await completed(ground, odd.length)
    expect(ground.runs().map(({ task }) => task)).toEqual([other])

    for (let task = 1; task <= odd.length; task += 1) {
      renameSync(ground.leasePath(task), ground.path(`put-away.${task}`))
      // Nobody knows any more that it was ours; a person gives it back.
      await ground.tinytask.update(task, { status: "idle" })
    }
    await completed(ground)
    expect(
      ground
        .runs()
        .map(({ task }) => task)
        .sort((left, right) => left - right)
    ).toEqual([...odd.map((_, index) => index + 1), other])
  })

  it("other names in the directory are nobody's lease, and stay", async () => {
    const ground = await takenOver(0)
    const names = ["task_abc.json", "task_7_k2x1.tmp", "task_.json", "notes.txt", "task_01.json"]
    for (const name of names) ground.write(`state/running/${name}`, "{}")
    const { code, stdout } = await pass(ground)
    expect({ code, stdout: stdout.trim() }).toEqual({
      code: 0,
      stdout: "pass: 0 started, 0 ended, 0 stopping, 0 running, 0 waiting"
    })
    expect(ground.files("running")).toEqual(names.sort())
  })
})

it("hundreds of leases in one directory: the living are kept, each of the dead is given back once", async () => {
  const ground = await takenOver(200, { slots: 200 })
  const wrapper = await startWrapper(ground)
  const gone = deadPid()
  const dead = (task: number) => task % 4 !== 0
  for (let task = 1; task <= 200; task += 1) {
    writeLease(ground, {
      task,
      agent: "vaela",
      pid: dead(task) ? gone : wrapper.pid,
      form: task % 2 === 0 ? leaseForms[0] : leaseForms[1]
    })
  }
  const { code, stdout } = await pass(ground, "--enabled", "false")
  expect({ code, stdout: stdout.trim() }).toEqual({
    code: 0,
    stdout: "pass: 0 started, 150 ended, 0 stopping, 50 running, 150 waiting"
  })
  const back = ground.tinytask.database.changes().filter(({ after }) => after === "idle")
  expect(back.map(({ task }) => task).sort((a, b) => a - b)).toEqual(
    Array.from({ length: 200 }, (_, index) => index + 1).filter(dead)
  )
  expect(ground.files("running")).toHaveLength(50)
  expect(wrapper.wasSignalled()).toBe(false)
})
