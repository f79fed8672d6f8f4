/** Who stands still is not dead: stopped schedulers, supervisors and agents, and a machine on which everything was paused. */
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { describe, expect, it } from "vitest"
import { serveFake } from "./harness/fakeServer.ts"
import { type Ground, makeGround } from "./harness/Ground.ts"
import { isLiving, type Marked, signal, startOf } from "./harness/processes.ts"
import { until } from "./harness/until.ts"

const identityOf = (pid: number): Pick<Marked, "pid" | "start"> => ({ pid, start: startOf(pid) ?? "" })

const isStopped = (pid: number): boolean => /^State:\s+T/m.test(readFileSync(`/proc/${pid}/status`, "utf8"))

/** Sends SIGSTOP to all, and waits until each stands. */
const stopAll = async (pids: ReadonlyArray<number>): Promise<void> => {
  for (const pid of pids) signal(identityOf(pid), "SIGSTOP")
  await until("all of them stand still", () => pids.every(isStopped))
}

const beatOf = (ground: Ground, task: number): number => {
  const { beat_mono_ms: beat }: { readonly beat_mono_ms: number } = JSON.parse(
    readFileSync(ground.leasePath(task), "utf8")
  )
  return beat
}

const daemonFlags = ["--heartbeat", "1", "--loop-interval", "1", "--backoff-base", "0"]
const startDaemon = (ground: Ground) => ground.start(["run", "--daemon", ...ground.endpoint, ...daemonFlags])

const isRunning = (ground: Ground, task: number) =>
  until(`task ${task} runs`, () => {
    return ground.lease(task)?.phase === "running" && ground.runs().some((run) => run.task === task)
  })

const end = async (daemon: ReturnType<typeof startDaemon>): Promise<void> => {
  daemon.kill("SIGTERM")
  expect((await daemon.ended).code).toBe(0)
}

describe("a scheduler that stands still", () => {
  it("holds its lock: a second one stays out, and the first goes on where it stood", async () => {
    const ground = await makeGround()
    ground.agents([ground.worker("vaela", "dev", { env: { WORK_MS: "10-20" } })])
    const daemon = startDaemon(ground)
    await daemon.says("daemon: a pass every")
    await stopAll([daemon.pid])
    await ground.tinytask.add({ queue: "dev" })
    expect((await ground.cli(["run", "--once", ...ground.endpoint])).code).toBe(3)
    expect(ground.runs()).toEqual([])
    daemon.kill("SIGCONT")
    await until("it has done its work", () => ground.tinytask.database.open() === 0)
    await end(daemon)
  })

  it("in the middle of a start, and whose lock is lost meanwhile: it neither claims the task that another has done since, nor starts it", async () => {
    const ground = await makeGround()
    ground.agents([ground.worker("vaela", "dev", { env: { WORK_MS: "10-20" } })])
    // Tinytask answers the look before the claim of the task when it is told to.
    const gate = Promise.withResolvers<void>()
    let held = false
    const slow = await serveFake(async (incoming, outgoing) => {
      const chunks: Array<Buffer> = []
      for await (const chunk of incoming) chunks.push(chunk)
      const body = Buffer.concat(chunks)
      const looks = body.includes('"get_task"') && !held
      if (looks) held = true
      const answer = await fetch(`${ground.tinytask.url}${incoming.url ?? ""}`, {
        method: incoming.method ?? "POST",
        headers: { "content-type": "application/json", accept: "application/json, text/event-stream" },
        ...(body.length === 0 ? {} : { body })
      })
      const text = await answer.text()
      if (looks) await gate.promise
      outgoing.writeHead(answer.status, { "content-type": answer.headers.get("content-type") ?? "text/plain" })
      outgoing.end(text)
    })
    await ground.tinytask.add({ queue: "dev" })
    const flags = ["--mcp-endpoint", slow, ...daemonFlags]
    const first = ground.start(["run", "--daemon", ...flags])
    await until("the first one looks at the task that it is about to claim", () => held)
    await stopAll([first.pid])

    // As by an operator who takes the lock's file for the reason why nothing goes on; the start's grace is over by then.
    rmSync(ground.path("state/tinyscheduler.lock"))
    const lease: Record<string, unknown> = JSON.parse(readFileSync(ground.leasePath(1), "utf8"))
    expect(lease["phase"]).toBe("starting")
    const aged = { ...lease, start_mono_ms: Number(lease["start_mono_ms"]) - 60_000 }
    writeFileSync(ground.leasePath(1), JSON.stringify(aged, null, 2))
    await until("the second one has done it", async () => {
      await ground.cli(["run", "--once", ...flags])
      return ground.tinytask.database.open() === 0 && ground.lease(1) === null
    })

    first.kill("SIGCONT")
    gate.resolve()
    await first.says("its file was replaced")
    await first.says("taking it anew")
    const next = await ground.tinytask.add({ queue: "dev" })
    await until("it makes passes again", () => ground.tinytask.database.task(next).status === "complete")
    first.kill("SIGTERM")
    expect((await first.ended).code).toBe(0)
    expect(ground.outcomes(1)).toEqual(["start-failed", "done"])
    expect(ground.runs().map(({ epoch, task }) => [task, epoch])).toEqual([
      [1, 2],
      [2, 1]
    ])
    const ofFirst = ground.tinytask.database.changes().filter(({ task }) => task === 1)
    expect(ofFirst.map(({ after }) => after)).toEqual(["working", "complete"])
  })
})

describe("a supervisor that stands still", () => {
  it("hangs when it was seen so twice: it is ended with its agent, and until both are dead nobody has its slot", async () => {
    const ground = await makeGround()
    ground.agents([ground.scripted("vaela", "dev", { stopGraceSec: 1 })])
    const description = JSON.stringify([["await", ground.path("gate")]])
    await ground.tinytask.add({ queue: "dev", description })
    const daemon = startDaemon(ground)
    await isRunning(ground, 1)
    const supervisor = ground.lease(1)?.pid ?? 0
    const agent = ground.lease(1)?.agent?.pid ?? 0
    await stopAll([supervisor])
    await until("it is run a second time", () => ground.runs().length === 2)
    expect([supervisor, agent].map(isLiving)).toEqual([false, false])
    ground.write("gate", "")
    await until("it is complete", () => ground.tinytask.database.open() === 0 && ground.lease(1) === null)
    expect(ground.outcomes(1)).toEqual(["lost", "done"])
    expect(ground.runs().map(({ epoch }) => epoch)).toEqual([1, 2])
    expect(daemon.said().stderr).toContain("running task 1 on vaela (epoch 1): its supervisor is silent")
    await end(daemon)
  })
})

describe("an agent that stands still", () => {
  it("is found by its silence, and the first rung wakes and ends it", async () => {
    const ground = await makeGround()
    const talk = 'echo started; trap "exit 130" INT; while :; do echo word; sleep 0.2; done'
    ground.agents([
      { agentName: "vaela", agentType: "dev", command: ["sh", "-c", talk], idleTimeoutSec: 2, stopGraceSec: 60 }
    ])
    await ground.tinytask.add({ queue: "dev" })
    const daemon = ground.start(["run", "--daemon", ...ground.endpoint, ...daemonFlags, "--max-attempts", "1"])
    await until("it runs", () => ground.lease(1)?.phase === "running" && ground.lease(1)?.agent !== null)
    const agent = ground.lease(1)?.agent?.pid ?? 0
    await stopAll([agent])
    await until("its end is recorded", () => ground.outcomes(1).length > 0 && ground.lease(1) === null)
    expect(ground.outcomes(1)).toEqual(["stalled"])
    expect(isLiving(agent)).toBe(false)
    await end(daemon)
  })
})

it("a machine that stood still for longer than every limit of silence: nobody is stopped, nothing is run twice", async () => {
  const ground = await makeGround()
  const talks = (gate: string) => [
    "sh",
    "-c",
    'while ! test -e "$0"; do echo word; sleep 0.3; done; echo "{\\"what\\":\\"end\\"}" >>"$0.ended"',
    gate
  ]
  ground.agents([
    { agentName: "vaela", agentType: "dev", command: talks(ground.path("gate")), slots: 3, idleTimeoutSec: 2 }
  ])
  for (let task = 1; task <= 3; task += 1) await ground.tinytask.add({ queue: "dev" })
  const daemon = startDaemon(ground)
  await until("all run", () => [1, 2, 3].every((task) => (ground.lease(task)?.agent ?? null) !== null))
  const all = ground.processes().map(({ pid }) => pid)
  expect(all.length).toBeGreaterThanOrEqual(7)
  const living = all.filter(isLiving)
  for (const pid of living) signal(identityOf(pid), "SIGSTOP")
  // More than three beats and the two between two looks, and than the limit of silence: that is what is to be seen.
  await new Promise((resolve) => setTimeout(resolve, 6000))
  for (const pid of living) signal(identityOf(pid), "SIGCONT")
  const before = beatOf(ground, 1)
  await until("supervisors have beaten three times and more", () => {
    return beatOf(ground, 1) > before + 3000
  })
  ground.write("gate", "")
  await until("all are complete", () => ground.tinytask.database.open() === 0 && ground.files("running").length === 0)
  await end(daemon)
  expect([1, 2, 3].map((task) => ground.outcomes(task))).toEqual([["done"], ["done"], ["done"]])
  expect(daemon.said().stderr).not.toMatch(/stop task|reclaim task/)
  expect(existsSync(ground.path("gate.ended"))).toBe(true)
})
