/**
 * A supervisor that is late: its start was given up before it came so far (protocol, sections 2.4 to 2.6). Each case
 * holds a real supervisor before one of its steps, lets passes go by, and lets it go on at the worst moment.
 */
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { describe, expect, it } from "vitest"
import { type Ground, makeGround } from "./harness/Ground.ts"
import { isLiving } from "./harness/processes.ts"
import { fixture } from "./harness/program.ts"
import { until } from "./harness/until.ts"

type Step = "claim" | "claimed" | "start" | "running"

/** The processes whose environment bears the token of an attempt. */
const attemptProcesses = (ground: Ground, token: string): ReadonlyArray<number> =>
  ground
    .processes()
    .filter(({ environment }) => environment["TINYSCHEDULER_LEASE"] === token)
    .map(({ pid }) => pid)

/** A pass whose supervisors can be held. */
const pass = (ground: Ground, ...flags: ReadonlyArray<string>) =>
  ground.cli(["run", "--once", ...ground.endpoint, "--backoff-base", "0", ...flags], {
    env: { NODE_OPTIONS: `--require=${fixture("heldSupervisor.cjs")}` }
  })

const heldGround = async (): Promise<Ground> => {
  const ground = await makeGround()
  ground.agents([ground.worker("vaela", "dev", { env: { WORK_MS: "10-20" } })])
  return ground
}

const hold = (ground: Ground, holds: Readonly<Record<string, Step>>): void => {
  const orders = Object.entries(holds).map(([attempt, at]) => [attempt, { at, until: ground.path(`go.${attempt}`) }])
  ground.write("holds.json", JSON.stringify(Object.fromEntries(orders)))
}

const reached = (ground: Ground, attempt: string) =>
  until(`the supervisor of ${attempt} stands where it is held`, () => existsSync(ground.path(`go.${attempt}.reached`)))

/** Starts task 1 with a supervisor that is held; answers the token of the attempt. */
const startHeld = async (ground: Ground, at: Step): Promise<string> => {
  hold(ground, { "1.1": at })
  await ground.tinytask.add({ queue: "dev" })
  await pass(ground)
  await reached(ground, "1.1")
  const token = ground.lease(1)?.token ?? ""
  expect(attemptProcesses(ground, token)).toHaveLength(1)
  return token
}

/** As if the grace of a start were over: the lease says that it was begun a minute earlier. */
const age = (ground: Ground): void => {
  const lease: Record<string, unknown> = JSON.parse(readFileSync(ground.leasePath(1), "utf8"))
  const aged = { ...lease, start_mono_ms: Number(lease["start_mono_ms"]) - 60_000 }
  writeFileSync(ground.leasePath(1), JSON.stringify(aged, null, 2))
}

/** Lets the held supervisor go on, and waits until it is gone. */
const release = async (ground: Ground, token: string, attempt = "1.1"): Promise<void> => {
  const processes = attemptProcesses(ground, token)
  ground.write(`go.${attempt}`, "")
  await until("the late supervisor is gone", () => !processes.some(isLiving))
}

/** Passes until the task is complete and nothing is left of it. */
const toTheEnd = (ground: Ground) =>
  until("task 1 is complete and nothing of it is left", async () => {
    await pass(ground)
    return ground.tinytask.database.open() === 0 && ground.lease(1) === null && ground.files("claims").length === 0
  })

const expectOneRun = (ground: Ground, epoch: number): void => {
  expect(ground.runs().map((run) => run.epoch)).toEqual([epoch])
  expect(ground.tinytask.database.changes().filter(({ after }) => after === "complete")).toHaveLength(1)
  expect({ stops: ground.files("stops"), processes: ground.processes() }).toEqual({ stops: [], processes: [] })
}

describe("a supervisor that comes too late to claim", () => {
  it("comes after its start was undone, which had to wait for Tinytask: it exits, and only the next attempt runs", async () => {
    const ground = await heldGround()
    const token = await startHeld(ground, "claim")
    age(ground)
    await ground.tinytask.down()
    await pass(ground)
    expect(ground.lease(1)).toMatchObject({ epoch: 1, phase: "starting" })
    await ground.tinytask.up()
    await pass(ground)
    expect(ground.outcomes(1)).toEqual(["start-failed"])
    await release(ground, token)
    await toTheEnd(ground)
    expectOneRun(ground, 2)
  })

  it("finds its tombstone where a scheduler died right after setting it: it exits, touching nothing", async () => {
    const ground = await heldGround()
    const token = await startHeld(ground, "claim")
    const lease = JSON.parse(readFileSync(ground.leasePath(1), "utf8"))
    ground.write("state/claims/1.1", tombstoneText(lease))
    const written = () => ({
      lease: readFileSync(ground.leasePath(1), "utf8"),
      tombstone: readFileSync(ground.path("state/claims/1.1"), "utf8"),
      files: ["", "running", "claims", "stops", "attempts", "logs"].map((directory) => ground.files(directory))
    })
    const before = written()
    await release(ground, token)
    expect(written()).toEqual(before)
    expect(ground.runs()).toEqual([])
    await toTheEnd(ground)
    expectOneRun(ground, 2)
  })

  it("comes between the deletion of the lease and that of the tombstone: it exits", async () => {
    const ground = await heldGround()
    const token = await startHeld(ground, "claim")
    const lease = JSON.parse(readFileSync(ground.leasePath(1), "utf8"))
    ground.write("state/claims/1.1", tombstoneText(lease))
    rmSync(ground.leasePath(1))
    await release(ground, token)
    expect({ lease: ground.lease(1), runs: ground.runs() }).toEqual({ lease: null, runs: [] })
    await toTheEnd(ground)
    expectOneRun(ground, 2)
  })

  it("comes after the deletion of lease and tombstone: it wins its epoch, finds no lease, and exits", async () => {
    const ground = await heldGround()
    const token = await startHeld(ground, "claim")
    // The outcome was recorded and both files are gone; only then does the scheduler die, before any new start.
    rmSync(ground.leasePath(1))
    await release(ground, token)
    expect(ground.files("claims")).toEqual(["1.1"])
    expect({ lease: ground.lease(1), runs: ground.runs() }).toEqual({ lease: null, runs: [] })
    await toTheEnd(ground)
    expectOneRun(ground, 2)
  })

  it("comes while the next attempt is starting: it wins its own epoch, sees another's lease, and exits", async () => {
    const ground = await heldGround()
    hold(ground, { "1.1": "claim", "1.2": "claim" })
    await ground.tinytask.add({ queue: "dev" })
    await pass(ground)
    await reached(ground, "1.1")
    const token = ground.lease(1)?.token ?? ""
    age(ground)
    await pass(ground)
    await reached(ground, "1.2")
    expect(ground.lease(1)).toMatchObject({ epoch: 2, phase: "starting" })
    const lease = readFileSync(ground.leasePath(1), "utf8")
    await release(ground, token)
    expect(readFileSync(ground.leasePath(1), "utf8")).toBe(lease)
    expect(ground.runs()).toEqual([])
    ground.write("go.1.2", "")
    await toTheEnd(ground)
    expectOneRun(ground, 2)
  })

  it("comes while the next attempt runs: it touches neither lease nor agent", async () => {
    const ground = await heldGround()
    ground.agents([ground.scripted("vaela", "dev")])
    hold(ground, { "1.1": "claim" })
    await ground.tinytask.add({ queue: "dev", description: JSON.stringify([["await", ground.path("gate")]]) })
    await pass(ground)
    await reached(ground, "1.1")
    const token = ground.lease(1)?.token ?? ""
    age(ground)
    await pass(ground)
    await until("the second attempt runs", () => ground.lease(1)?.phase === "running" && ground.runs().length === 1)
    const lease = readFileSync(ground.leasePath(1), "utf8")
    await release(ground, token)
    expect(readFileSync(ground.leasePath(1), "utf8")).toBe(lease)
    // Passes see a claim of a lower epoch beside the running attempt, and only sweep it.
    await pass(ground)
    await pass(ground)
    expect(ground.lease(1)).toMatchObject({ epoch: 2, phase: "running" })
    expect(ground.files("claims")).toEqual(["1.2"])
    ground.write("gate", "")
    await toTheEnd(ground)
    expectOneRun(ground, 2)
  })
})

describe("a supervisor that claimed and stands still", () => {
  it.each<{ readonly at: Step }>([{ at: "claimed" }, { at: "start" }])(
    "before its step $at: the grace of a start takes nothing from who has claimed; there is no second start",
    async ({ at }) => {
      const ground = await heldGround()
      const token = await startHeld(ground, at)
      age(ground)
      for (let number = 0; number < 3; number += 1) {
        expect((await pass(ground)).stdout).toContain("0 started, 0 ended, 0 stopping, 1 running")
      }
      expect(ground.lease(1)).toMatchObject({ epoch: 1, token })
      ground.write("go.1.1", "")
      await toTheEnd(ground)
      expectOneRun(ground, 1)
    }
  )

  it("and whose lease was deleted under it exits before it starts an agent", async () => {
    const ground = await heldGround()
    const token = await startHeld(ground, "claimed")
    rmSync(ground.leasePath(1))
    expect((await pass(ground)).stdout).toContain("0 started")
    await release(ground, token)
    expect(ground.runs()).toEqual([])
    await toTheEnd(ground)
    expectOneRun(ground, 2)
  })

  it("and whose claim was deleted under it never writes again and ends its agent", async () => {
    const ground = await heldGround()
    ground.agents([ground.scripted("vaela", "dev")])
    hold(ground, { "1.1": "running" })
    await ground.tinytask.add({ queue: "dev", description: JSON.stringify([["await", ground.path("never")]]) })
    await pass(ground, "--heartbeat", "1")
    await reached(ground, "1.1")
    await until("its agent has started", () => ground.runs().length === 1)
    const token = ground.lease(1)?.token ?? ""
    // As by an operator's hand: lease and claim of a living attempt are gone.
    rmSync(ground.leasePath(1))
    rmSync(ground.path("state/claims/1.1"))
    await release(ground, token)
    expect({ lease: ground.lease(1), claims: ground.files("claims") }).toEqual({ lease: null, claims: [] })
    expect(attemptProcesses(ground, token)).toEqual([])
  })
})

/** The scheduler's claim on an epoch, as it links it before it undoes a start. */
const tombstoneText = (lease: Readonly<Record<string, unknown>>): string =>
  JSON.stringify({
    kind: "tombstone",
    task_id: lease["task_id"],
    epoch: lease["epoch"],
    token: lease["token"],
    agent_name: lease["agent_name"],
    host: lease["host"],
    boot_id: lease["boot_id"],
    pid_ns: lease["pid_ns"],
    pid: 1,
    pid_start: 1,
    log: "",
    version: 1
  })
