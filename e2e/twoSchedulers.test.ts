/** Two schedulers on one base path, started at the same moment: the lock lets one of them run. */
import { expect, it } from "vitest"
import { makeGround } from "./harness/Ground.ts"
import { linesOf } from "./harness/program.ts"
import { until } from "./harness/until.ts"

const rounds = 50

it("of two daemons started at once, 50 times on one base path, exactly one runs; the other says so and exits with 3", async () => {
  const ground = await makeGround()
  ground.agents([ground.worker("vaela", "dev", { slots: 100, env: { WORK_MS: "1-2" } })])
  const winners = { first: 0, second: 0 }
  for (let round = 1; round <= rounds; round += 1) {
    const task = await ground.tinytask.add({ queue: "dev" })
    const args = ["run", "--daemon", ...ground.endpoint]
    const pair = [ground.start(args), ground.start(args)] as const
    const loser = await Promise.race(pair.map(async (daemon) => (await daemon.ended, daemon)))
    const winner = loser === pair[0] ? pair[1] : pair[0]
    const lost = await loser.ended
    expect({ code: lost.code, stdout: lost.stdout, said: linesOf(lost.stderr).length }).toEqual({
      code: 3,
      stdout: "",
      said: 1
    })
    expect(lost.stderr).toMatch(
      /^[Aa]nother scheduler holds .*tinyscheduler\.lock.*\. It goes on; stop it first if this one is to run\.\n$/
    )
    await until(`task ${task} is complete`, () => ground.tinytask.database.open() === 0)
    winner.kill("SIGTERM")
    expect((await winner.ended).code).toBe(0)
    winners[winner === pair[0] ? "first" : "second"] += 1
  }
  console.log(`${rounds} rounds: the first won ${winners.first}, the second ${winners.second}`)
  expect(ground.runs()).toHaveLength(rounds)
  expect(new Set(ground.runs().map(({ task }) => task)).size).toBe(rounds)
})

it("`run --once` and `up` beside a daemon exit with 3 too, and what only looks works beside it", async () => {
  const ground = await makeGround()
  ground.agents([ground.worker("vaela", "dev")])
  const daemon = ground.start(["run", "--daemon", ...ground.endpoint])
  await daemon.says("daemon: a pass every")
  const beside = (args: ReadonlyArray<string>) => ground.cli([...args, ...ground.endpoint])
  expect((await beside(["run", "--once"])).code).toBe(3)
  expect((await beside(["up", "--port", "0"])).code).toBe(3)
  for (const looks of [["status"], ["run", "--once", "--dry-run"], ["config"], ["validate-config"]]) {
    expect({ looks, code: (await beside(looks)).code }).toEqual({ looks, code: 0 })
  }
  daemon.kill("SIGKILL")
  await daemon.ended
  // The kernel freed the lock; no file had to be deleted.
  expect((await beside(["run", "--once"])).code).toBe(0)
})
