/** The scheduler is killed again and again while it works: nothing is lost, nothing done twice, no agent notices. */
import { expect, it } from "vitest"
import { crowdFlags, crowdSize, crowdSlots, earlyRuns, gatherCrowd, randomOf, timesEach } from "./harness/crowd.ts"
import { makeGround } from "./harness/Ground.ts"
import { mostByAgent, overlaps } from "./harness/records.ts"
import { until } from "./harness/until.ts"

const kills = 10

it("a daemon killed with SIGKILL ten times at random moments brings each task to complete once, and no agent notices", async () => {
  const ground = await makeGround()
  const { database } = ground.tinytask
  const seed = Date.now() % 1_000_000
  const random = randomOf(seed)
  console.log(`moments of the kills by seed ${seed}`)
  await gatherCrowd(ground, 3)
  const start = () => ground.start(["run", "--daemon", ...crowdFlags(ground)])
  const begun = performance.now()
  const killedAt: Array<number> = []
  let daemon = start()
  for (let kill = 0; kill < kills; kill += 1) {
    const started = Math.floor(((kill + random()) * crowdSize) / (kills + 1))
    await until(`${started} tasks have started`, () => ground.runs().length >= started)
    // The moment within a pass is what matters, and it must be any.
    await new Promise((resolve) => setTimeout(resolve, random() * 400))
    daemon.kill("SIGKILL")
    killedAt.push(Date.now())
    expect((await daemon.ended).signal).toBe("SIGKILL")
    daemon = start()
  }
  await until("every task is complete and no attempt is left", () => {
    return database.open() === 0 && ground.files("running").length === 0
  })
  daemon.kill("SIGTERM")
  expect((await daemon.ended).code).toBe(0)

  const runs = ground.runs()
  const changes = database.changes()
  const spanning = runs.filter(({ endMs, startMs }) => killedAt.some((at) => startMs < at && at < endMs))
  const undone = Array.from({ length: crowdSize }, (_, index) => ground.outcomes(index + 1)).filter(
    (outcomes) => outcomes.join() !== "done"
  )
  console.log(
    `${((performance.now() - begun) / 1000).toFixed(1)} s, ${runs.length} runs, ${spanning.length} of them went on over a kill, ${undone.length} starts were undone`
  )
  expect(timesEach(changes.filter(({ after }) => after === "complete").map(({ task }) => task))).toEqual([1])
  expect(overlaps(runs)).toEqual([])
  expect(runs.filter(({ endMs }) => endMs === Number.POSITIVE_INFINITY)).toEqual([])
  expect(spanning.length).toBeGreaterThan(0)
  expect(Object.entries(mostByAgent(runs)).filter(([agent, most]) => most > (crowdSlots[agent] ?? 0))).toEqual([])
  expect(earlyRuns(ground, runs)).toEqual([])
  // More than was promised: what a killed scheduler had begun is carried on, so nobody's work is done again.
  expect(timesEach(runs.map(({ task }) => task))).toEqual([1])
  expect({ claims: ground.files("claims"), stops: ground.files("stops") }).toEqual({ claims: [], stops: [] })
})
