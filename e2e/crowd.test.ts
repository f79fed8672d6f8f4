/** Many tasks to their end, by the daemon and as cron would do it: once each, within the slots, nothing early. */
import { expect, it } from "vitest"
import { crowdFlags, crowdSlots, earlyRuns, gatherCrowd, timesEach } from "./harness/crowd.ts"
import { type Ground, makeGround } from "./harness/Ground.ts"
import { linesOf } from "./harness/program.ts"
import { mostAtOnce, mostByAgent, overlaps } from "./harness/records.ts"
import { until } from "./harness/until.ts"

/** All tasks are complete, and no attempt of any is left. */
const isOver = (ground: Ground): boolean =>
  ground.tinytask.database.open() === 0 && ground.files("running").length === 0

const checkCrowd = (ground: Ground, secondsTaken: number): void => {
  const runs = ground.runs()
  const changes = ground.tinytask.database.changes()
  const most = mostByAgent(runs)
  console.log(`${secondsTaken.toFixed(1)} s, most at once ${mostAtOnce(runs)} of 20: ${JSON.stringify(most)}`)
  expect(timesEach(runs.map(({ task }) => task))).toEqual([1])
  expect(timesEach(changes.filter(({ after }) => after === "working").map(({ task }) => task))).toEqual([1])
  expect(timesEach(changes.filter(({ after }) => after === "complete").map(({ task }) => task))).toEqual([1])
  expect(runs.filter(({ endMs }) => endMs === Number.POSITIVE_INFINITY)).toEqual([])
  expect(overlaps(runs)).toEqual([])
  expect(Object.keys(most)).toEqual(Object.keys(crowdSlots).sort())
  const over = Object.entries(most).filter(([agent, count]) => count > (crowdSlots[agent] ?? 0))
  expect(over).toEqual([])
  // Without a crowd at the door the slots would have proven nothing.
  expect(Object.entries(most).filter(([agent, count]) => count === crowdSlots[agent]).length).toBeGreaterThan(4)
  expect(earlyRuns(ground, runs)).toEqual([])
  expect({ claims: ground.files("claims"), stops: ground.files("stops") }).toEqual({ claims: [], stops: [] })
}

it("200 tasks over 8 agents with 20 slots: the daemon brings each to its end once, within the slots, none early", async () => {
  const ground = await makeGround()
  await gatherCrowd(ground, 1)
  const begun = performance.now()
  const daemon = ground.start(["run", "--daemon", ...crowdFlags(ground)])
  await until("every task is complete and no attempt is left", () => isOver(ground) || daemon.child.exitCode !== null)
  const seconds = (performance.now() - begun) / 1000
  daemon.kill("SIGTERM")
  const { code, stderr, stdout } = await daemon.ended
  expect({ code, stdout, errors: linesOf(stderr).filter((line) => / (?:WARN|ERROR) /.test(line)) }).toEqual({
    code: 0,
    stdout: "",
    errors: []
  })
  checkCrowd(ground, seconds)
})

it("the same by `run --once` again and again, as cron would do it", async () => {
  const ground = await makeGround()
  await gatherCrowd(ground, 2)
  const begun = performance.now()
  let passes = 0
  while (!isOver(ground)) {
    const { code, stderr } = await ground.cli(["run", "--once", ...crowdFlags(ground)])
    expect({ code, errors: linesOf(stderr).filter((line) => / (?:WARN|ERROR) /.test(line)) }).toEqual({
      code: 0,
      errors: []
    })
    passes += 1
  }
  console.log(`${passes} passes`)
  checkCrowd(ground, (performance.now() - begun) / 1000)
})
