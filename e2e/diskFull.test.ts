/**
 * A disk that fills up, or becomes read-only, at every moment of an attempt: nothing starts without its intent, nobody
 * healthy is ended, no slot is given away, what must be stopped is stopped in time; with room again all is done, once.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { describe, expect, it } from "vitest"
import { mountSmallDisk, noMount } from "./disk/smallDisk.ts"
import type { SmallDisk } from "./disk/smallDisk.ts"
import { makeGround } from "./harness/Ground.ts"
import type { Ground } from "./harness/Ground.ts"
import { isLiving } from "./harness/processes.ts"
import { fixture, program } from "./harness/program.ts"
import { expectTrouble, troublesOf } from "./harness/sentences.ts"
import { until } from "./harness/until.ts"

const flags = ["--backoff-base", "0", "--stop-grace", "1", "--heartbeat", "1"]
const once = (ground: Ground, ...more: ReadonlyArray<string>) =>
  ground.cli(["run", "--once", ...ground.endpoint, ...flags, ...more])

/** The two ways in which a disk takes nothing more. */
const refusals: ReadonlyArray<{
  readonly name: string
  readonly begin: (disk: SmallDisk) => void
  readonly end: (disk: SmallDisk) => void
  readonly cause: RegExp
}> = [
  {
    name: "full to the last byte",
    begin: (disk) => disk.fill(),
    end: (disk) => disk.empty(),
    cause: /no space is left on the device \(ENOSPC\)/
  },
  {
    name: "read-only",
    begin: (disk) => disk.readOnly(true),
    end: (disk) => disk.readOnly(false),
    cause: /the file system is read-only \(EROFS\)/
  }
]

const steps = (...script: ReadonlyArray<ReadonlyArray<unknown>>): string => JSON.stringify(script)

const byNumber = (left: number, right: number): number => left - right

/** Passes until all tasks are complete; each was done once, and nothing is left of any attempt. */
const expectEachDoneOnce = async (ground: Ground, tasks: ReadonlyArray<number>) => {
  await until("all tasks are complete", async () => {
    await once(ground)
    return ground.tinytask.database.open() === 0 && ground.files("running").length === 0
  })
  const completed = ground.tinytask.database.changes().filter(({ after }) => after === "complete")
  expect(completed.map(({ task }) => task).sort(byNumber)).toEqual([...tasks].sort(byNumber))
  const ended = ground.lines().filter(({ what }) => what === "end")
  expect(ended.map(({ task }) => task).sort(byNumber)).toEqual([...tasks].sort(byNumber))
  expect([...ground.files("claims"), ...ground.files("stops"), ...ground.files("tmp")]).toEqual([])
}

describe.each(refusals)("a disk that is $name", ({ begin, cause, end }) => {
  it("before a pass: one sentence with path and way out, nothing is started, no task is touched", async ({ skip }) => {
    const ground = await makeGround()
    const disk = mountSmallDisk(ground) ?? skip(noMount)
    ground.agents([ground.worker("vaela", "dev", { slots: 9 })])
    await once(ground)
    const tasks = [await ground.tinytask.add({ queue: "dev" }), await ground.tinytask.add({ queue: "dev" })]
    begin(disk)
    const ended = await once(ground)
    expect(ended.code).toBe(1)
    const told = troublesOf(ended.stderr).filter((line) => !line.includes("/logs/"))
    expect(told).toEqual([
      expect.stringMatching(/^nothing will be started: \/.*\/state\/term .*; make room there or give/)
    ])
    expect(told[0]).toMatch(cause)
    expect(ended.stderr).not.toMatch(/^\s+at /m)
    expect(ground.tinytask.database.changes()).toEqual([])
    expect(ground.runs()).toEqual([])
    end(disk)
    await expectEachDoneOnce(ground, tasks)
  })

  it("while agents run under a daemon: none is ended, each keeps its slot, and what ended meanwhile is recorded after it", async ({
    skip
  }) => {
    const ground = await makeGround()
    const disk = mountSmallDisk(ground) ?? skip(noMount)
    ground.agents([ground.scripted("vaela", "dev", { slots: 2 })])
    const ending = await ground.tinytask.add({ queue: "dev", description: steps(["await", ground.path("first")]) })
    const lasting = await ground.tinytask.add({ queue: "dev", description: steps(["await", ground.path("second")]) })
    const daemon = ground.start([
      "run",
      "--daemon",
      "--loop-interval",
      "1",
      "--log-level",
      "DEBUG",
      ...ground.endpoint,
      ...flags
    ])
    await until(
      "both run",
      () => ground.runs().length === 2 && [ending, lasting].every((task) => ground.lease(task)?.phase === "running")
    )
    begin(disk)
    const waiting = await ground.tinytask.add({ queue: "dev", description: "[]" })
    ground.write("first", "")
    await until("the first has ended", () => !isLiving(ground.runs().find(({ task }) => task === ending)?.pid ?? 0))
    // Hung would be who has not beaten for three beats, and is seen so twice, two beats apart.
    const passes = () => (daemon.said().stderr.match(/ 1 leases: /g) ?? []).length
    const before = passes()
    await until("seven passes, a second apart, found nothing to write to", () => passes() >= before + 7)
    expect(ground.tinytask.database.task(waiting)).toMatchObject({ status: "idle", assigned_to: null })
    expect(ground.files("running")).toEqual([`task_${ending}.json`, `task_${lasting}.json`])
    expect(ground.lease(ending)?.phase).toBe("running")
    expect(isLiving(ground.runs().find(({ task }) => task === lasting)?.pid ?? 0)).toBe(true)
    expect(daemon.said().stderr).toMatch(cause)
    expect(daemon.said().stderr).not.toMatch(/ stop task | reclaim task /)
    end(disk)
    await until("the one that ended is recorded, the one that waited is done", () => {
      return ground.outcomes(ending).join() === "done" && ground.outcomes(waiting).join() === "done"
    })
    ground.write("second", "")
    await until("all are complete", () => ground.tinytask.database.open() === 0)
    daemon.kill("SIGTERM")
    expect((await daemon.ended).code).toBe(0)
    await expectEachDoneOnce(ground, [ending, lasting, waiting])
  })

  it("between lease and claim: the supervisor leaves, no agent runs, and the task is begun anew", async ({ skip }) => {
    const ground = await makeGround()
    const disk = mountSmallDisk(ground) ?? skip(noMount)
    ground.agents([ground.worker("vaela", "dev", { env: { WORK_MS: "10-20" } })])
    ground.write("holds.json", JSON.stringify({ "1.1": { at: "claim", until: ground.path("go") } }))
    const task = await ground.tinytask.add({ queue: "dev" })
    await ground.cli(["run", "--once", ...ground.endpoint, ...flags], {
      env: { NODE_OPTIONS: `--require=${fixture("heldSupervisor.cjs")}` }
    })
    await until("it stands before its claim", () => existsSync(ground.path("go.reached")))
    begin(disk)
    const supervisor = ground.processes()
    ground.write("go", "")
    await until("it has left", () => supervisor.every(({ pid }) => !isLiving(pid)))
    const lease = readFileSync(ground.leasePath(task), "utf8")
    expect((await once(ground)).code).toBe(1)
    expect({ lease: readFileSync(ground.leasePath(task), "utf8"), runs: ground.runs() }).toEqual({ lease, runs: [] })
    expect(ground.files("claims")).toEqual([])
    end(disk)
    // As if the grace of its start were over.
    writeFileSync(ground.leasePath(task), lease.replace(/"start_mono_ms": [0-9.]+/, '"start_mono_ms": 1'))
    await expectEachDoneOnce(ground, [task])
    expect(ground.outcomes(task)).toEqual(["start-failed", "done"])
  })

  it("while a ladder climbs: an agent that ignores two signals is gone in time, its slot held until that can be written", async ({
    skip
  }) => {
    const ground = await makeGround()
    const disk = mountSmallDisk(ground) ?? skip(noMount)
    ground.agents([ground.scripted("vaela", "dev", { maxRuntimeSec: 1 })])
    const task = await ground.tinytask.add({
      queue: "dev",
      description: steps(["ignore", "SIGINT", "SIGTERM"], ["note", "ready"], ["await", ground.path("never")])
    })
    await once(ground)
    await until("it ignores signals", () => ground.lines().some(({ what }) => what === "ready"))
    const lease = ground.lease(task)
    await until("its run time is over", async () => (await once(ground, "--dry-run")).stdout.includes("stop task"))
    begin(disk)
    const stopping = await once(ground)
    expect(stopping.code).toBe(1)
    expect(ground.lines().map(({ what }) => what)).toEqual(["start", "ready", "ignored SIGINT", "ignored SIGTERM"])
    expect(isLiving(ground.runs()[0]?.pid ?? 0)).toBe(false)
    expect(ground.lease(task)).toMatchObject({ phase: "running", token: lease?.token })
    end(disk)
    await until(
      "it is given back",
      async () => (await once(ground, "--enabled=false"), ground.outcomes(task).length === 1)
    )
    expect(ground.tinytask.database.task(task).status).toBe("idle")
    expect(ground.runs()).toHaveLength(1)
  })
})

it("an agent that floods a full disk is not stopped by it, and its log says how much is missing", async ({ skip }) => {
  const ground = await makeGround()
  const disk = mountSmallDisk(ground) ?? skip(noMount)
  const untilThere = (name: string): string => `while [ ! -e ${name} ]; do sleep 0.02; done`
  const script = `echo before; ${untilThere("full")}; head -c 3000000 /dev/zero; : >flooded; ${untilThere("room")}`
  ground.agents([{ agentName: "flood", agentType: "dev", command: ["/bin/sh", "-c", script] }])
  const task = await ground.tinytask.add({ queue: "dev" })
  await once(ground)
  const log = ground.path(`state/logs/tasks/${task}/1.log`)
  await until("its first line is on disk", () => existsSync(log) && readFileSync(log, "utf8") === "before\n")
  await until("it is recorded as running", () => ground.lease(task)?.phase === "running")
  disk.fill()
  ground.write("full", "")
  await until("it has printed three megabytes into nowhere", () => existsSync(ground.path("flooded")))
  disk.empty()
  ground.write("room", "")
  await until("its task is complete", async () => (await once(ground), ground.outcomes(task).length === 1))
  expect(ground.outcomes(task)).toEqual(["done"])
  expect(readFileSync(log, "utf8")).toMatch(/^before\n[^b]*\n\[… \d{7} bytes dropped …\]\n$/)
})

it("a disk with room for a part of a file tears none: a write that is cut short is taken back", async ({ skip }) => {
  const ground = await makeGround()
  const disk = mountSmallDisk(ground) ?? skip(noMount)
  ground.agents([ground.scripted("vaela", "dev", { slots: 9 })])
  await once(ground)
  const tasks: Array<number> = []
  for (const pages of [1, 2, 3, 4, 5, 6]) {
    // The end of the output, 8 KiB, is a part of the ending: its lease takes three pages.
    const gate = ground.path(`gate-${pages}`)
    const task = await ground.tinytask.add({
      queue: "dev",
      description: steps(["print", "y".repeat(99), 100], ["await", gate])
    })
    tasks.push(task)
    await once(ground)
    await until("it runs", () => ground.lease(task)?.phase === "running")
    disk.fill(pages)
    ground.write(`gate-${pages}`, "")
    await until("the agent has ended", () => ground.lines().some((line) => line.what === "end" && line.task === task))
    for (let look = 0; look < 50; look += 1) expect(ground.lease(task)?.task_id).toBe(task)
    await once(ground)
    expect(ground.files("running").filter((name) => !name.startsWith(".tmp-")).length).toBeLessThanOrEqual(1)
    disk.empty()
    await until("its ending stands", () => ground.lease(task)?.phase !== "running")
  }
  await expectEachDoneOnce(ground, tasks)
})

it("a limit on the size of files cuts writes short: nothing is torn or begun, and without it all is done", async () => {
  const ground = await makeGround()
  ground.agents([ground.worker("vaela", "dev")])
  await once(ground)
  const task = await ground.tinytask.add({ queue: "dev" })
  const command = ["prlimit", "--fsize=500", process.execPath, "--", program]
  const ended = await ground.cli(["run", "--once", ...ground.endpoint, ...flags], { command })
  expectTrouble(
    { ...ended, stderr: ended.stderr.replace(/^.*(?:\/logs\/|passes are not recorded).*\n/gm, "") },
    1,
    /state\/attempts\/task_1\.json can't be written: .*\(EFBIG\)/
  )
  expect({ attempts: ground.files("attempts"), running: ground.files("running") }).toEqual({
    attempts: [],
    running: []
  })
  expect(ground.tinytask.database.changes()).toEqual([])
  await expectEachDoneOnce(ground, [task])
})
