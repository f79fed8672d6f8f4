/**
 * Everybody is killed again and again, at moments and in an order that a printed seed gives: scheduler, supervisors,
 * agents, what agents started. Each task still comes to its end once, never twice at a time, and nobody else is touched.
 * SIEGE_TASKS, SIEGE_KILLS and SEED give another siege: `pnpm soak:siege`.
 */
import { randomUUID } from "node:crypto"
import { expect, it } from "vitest"
import { startBystander } from "./harness/bystanders.ts"
import { crowdSlots, earlyRuns, randomOf } from "./harness/crowd.ts"
import { makeGround } from "./harness/Ground.ts"
import { type Marked, signal, startOf } from "./harness/processes.ts"
import { mostAtOnce, mostByAgent, overlaps } from "./harness/records.ts"
import * as siege from "./harness/siege.ts"
import { until } from "./harness/until.ts"

const numberFrom = (name: string, otherwise: number): number => Number(process.env[name] ?? otherwise)
const tasks = numberFrom("SIEGE_TASKS", 60)
const kills = numberFrom("SIEGE_KILLS", 40)
const seed = numberFrom("SEED", Date.now() % 1_000_000)

it("random members are killed with SIGKILL again and again: each task is completed once, never run twice at a time, nobody else is touched", async () => {
  const ground = await makeGround()
  const { database } = ground.tinytask
  const random = randomOf(seed)
  console.log(`${tasks} tasks, ${kills} kills by seed ${seed}`)
  const addTasks = siege.gatherSiege(ground, seed)
  const bystanders = await Promise.all([
    startBystander(ground, { name: "beside" }),
    startBystander(ground, { name: "leader", session: true }),
    startBystander(ground, { name: "token", session: true, env: { TINYSCHEDULER_LEASE: randomUUID() } })
  ])
  const start = () => ground.start(["run", "--daemon", ...siege.siegeFlags(ground)])
  const schedulers = [start()]
  const scheduler = () => schedulers.at(-1) ?? start()
  const identity = (): Marked => {
    const { pid } = scheduler()
    return { pid, start: startOf(pid) ?? "", command: "", environment: {} }
  }
  const bootMs = Date.now() - siege.sinceBootMs()
  const begun = performance.now()

  const made: Array<siege.Kill> = []
  /** Whoever of a kind lives at some moment, each kind as likely, however rarely it is seen; else the scheduler. */
  const victimOf = async (kind: siege.MemberKind): Promise<readonly [siege.MemberKind, Marked]> => {
    let victim: Marked | undefined
    await until(`a ${kind} lives, or all is done`, () => {
      const living = siege.membersOf(ground, identity())[kind]
      victim = living[Math.floor(random() * living.length)]
      return victim !== undefined || database.open() === 0
    })
    return victim === undefined ? ["scheduler", identity()] : [kind, victim]
  }
  const killOne = async (): Promise<void> => {
    const [kind, victim] = await victimOf(siege.memberKinds[Math.floor(random() * siege.memberKinds.length)] ?? "agent")
    if (!signal(victim, "SIGKILL")) return
    if (kind === "scheduler") {
      expect((await scheduler().ended).signal).toBe("SIGKILL")
      schedulers.push(start())
    }
    made.push({ kind, pid: victim.pid, atMs: siege.sinceBootMs() })
  }
  while (made.length < kills) {
    // Tasks come as kills go on, so that on a fast machine, too, there is work until the last kill.
    const complete = Math.floor((made.length * tasks) / kills)
    await addTasks(Math.min(tasks, complete + 2 * siege.siegeAtOnce))
    await until(`${complete} tasks are complete`, () => {
      if (scheduler().child.exitCode !== null) throw new Error(`the scheduler ended:\n${scheduler().said().stderr}`)
      return database.tasks().filter(({ status }) => status === "complete").length >= complete
    })
    // The moment within a step is what matters, and it must be any.
    await new Promise((resolve) => setTimeout(resolve, random() * 250))
    await killOne()
  }
  await addTasks(tasks)
  await until("every task is complete and no attempt is left", () => {
    return database.open() === 0 && ground.files("running").length === 0 && ground.files("claims").length === 0
  })
  scheduler().kill("SIGTERM")
  expect((await scheduler().ended).code).toBe(0)

  const runs = siege.endedRuns(ground.runs(), made)
  const completed = database.changes().filter(({ after }) => after === "complete")
  const outcomes = completed.flatMap(({ task }) => ground.outcomes(task))
  const count = (wanted: string) => outcomes.filter((outcome) => outcome === wanted).length
  const queues = new Map(database.tasks().map((task) => [task.id, task.queue_name]))
  const inQueue = runs.filter(({ task }) => queues.get(task) === siege.siegeQueueLimit.queue)
  console.log(
    `${((performance.now() - begun) / 1000).toFixed(1)} s, killed: ${siege.memberKinds
      .map((kind) => `${made.filter((kill) => kill.kind === kind).length} ${kind}`)
      .join(
        ", "
      )}; ${outcomes.length} attempts ended, ${[...new Set(outcomes)].map((word) => `${count(word)} ${word}`).join(", ")}; ` +
      `${runs.length} runs, at most ${mostAtOnce(runs)} of ${siege.siegeAtOnce} at once`
  )
  expect(made.length).toBe(kills)
  expect(completed.map(({ task }) => task).sort((a, b) => a - b)).toEqual(
    Array.from({ length: tasks }, (_, index) => index + 1)
  )
  expect(ground.lines().filter(({ what }) => what === "overlap")).toEqual([])
  expect(overlaps(runs)).toEqual([])
  expect(runs.filter(({ endMs }) => endMs === Number.POSITIVE_INFINITY)).toEqual([])
  expect(Object.entries(mostByAgent(runs)).filter(([agent, most]) => most > (crowdSlots[agent] ?? 0))).toEqual([])
  expect(mostAtOnce(inQueue)).toBeLessThanOrEqual(siege.siegeQueueLimit.limit)
  expect(mostAtOnce(runs)).toBeLessThanOrEqual(siege.siegeAtOnce)
  const byWall = runs.map((run) => ({ ...run, startMs: run.startMs + bootMs }))
  expect(earlyRuns(ground, byWall)).toEqual([])
  expect(siege.carriers(ground)).toEqual([])
  expect(ground.files("stops")).toEqual([])
  expect(bystanders.map(({ harm }) => harm())).toEqual([[], [], []])
  const faults = schedulers.flatMap(({ said }) =>
    said()
      .stderr.split("\n")
      .filter((line) => /invariant|fault of TinyScheduler|^\s+at /.test(line))
  )
  expect(faults).toEqual([])
})
