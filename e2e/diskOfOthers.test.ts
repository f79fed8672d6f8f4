/** A state directory that becomes another user's while agents run: looking, stopping and telling go on, nothing else. */
import { chmodSync, chownSync, readdirSync } from "node:fs"
import { join } from "node:path"
import { expect, it } from "vitest"
import { makeGround } from "./harness/Ground.ts"
import { isLiving } from "./harness/processes.ts"
import { placeProgram } from "./harness/program.ts"
import { troublesOf } from "./harness/sentences.ts"
import { until } from "./harness/until.ts"

const isRoot = process.getuid?.() === 0
const nobody = 65_534

/** Each directory of the state, itself too; its files stay whose they are. */
const directoriesOf = (path: string): ReadonlyArray<string> => [
  path,
  ...readdirSync(path, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap((entry) => directoriesOf(join(path, entry.name)))
]

it.skipIf(!isRoot)(
  "a state that this user may no longer write: nothing starts, nobody healthy is ended, what must be stopped is; given back, all is done (needs root)",
  async () => {
    const ground = await makeGround()
    const gate = ground.path("gate")
    const work = `while [ ! -e ${gate} ]; do sleep 0.05; done`
    ground.agents([
      { agentName: "healthy", agentType: "healthy", command: ["/bin/sh", "-c", work], slots: 2 },
      {
        agentName: "endless",
        agentType: "endless",
        command: ["/bin/sh", "-c", `trap '' INT TERM; ${work}`],
        maxRuntimeSec: 1
      }
    ])
    for (const path of [ground.base, ground.home]) chownSync(path, nobody, nobody)
    const command = [
      "setpriv",
      `--reuid=${nobody}`,
      `--regid=${nobody}`,
      "--clear-groups",
      process.execPath,
      "--",
      placeProgram(ground.base)
    ]
    const pass = () =>
      ground.cli(["run", "--once", ...ground.endpoint, "--backoff-base", "0", "--stop-grace", "1"], { command })
    const [healthy, endless] = [
      await ground.tinytask.add({ queue: "healthy" }),
      await ground.tinytask.add({ queue: "endless" })
    ]
    await pass()
    await until("both run", () => [healthy, endless].every((task) => ground.lease(task)?.phase === "running"))
    const agents = [healthy, endless].map((task) => ground.lease(task)?.agent?.pid ?? 0)
    const waiting = await ground.tinytask.add({ queue: "healthy" })
    const directories = directoriesOf(ground.path("state"))
    for (const path of directories) {
      chownSync(path, 0, 0)
      chmodSync(path, 0o755)
    }
    await until("one runs for too long, and is gone", async () => {
      const ended = await pass()
      expect(ended.code).toBe(1)
      // Beside it the log file that can't be written, and the supervisor that can't write how its agent ended.
      const told = troublesOf(ended.stderr).filter((line) => !/\/logs\/|^task \d+: process /.test(line))
      expect(told).toEqual([
        expect.stringMatching(/^nothing will be started: \/.*\/term .*permission denied \(EACCES\); make/)
      ])
      return !isLiving(agents[1] ?? 0)
    })
    expect(isLiving(agents[0] ?? 0)).toBe(true)
    expect([healthy, endless].map((task) => ground.lease(task)?.phase)).toEqual(["running", "running"])
    expect(ground.tinytask.database.task(waiting)).toMatchObject({ status: "idle", assigned_to: null })

    for (const path of directories) {
      chownSync(path, nobody, nobody)
      chmodSync(path, 0o700)
    }
    ground.write("gate", "")
    await until("all are complete", async () => (await pass(), ground.tinytask.database.open() === 0))
    expect([healthy, endless, waiting].map((task) => ground.outcomes(task).at(-1))).toEqual(["done", "done", "done"])
    expect(ground.outcomes(healthy)).toEqual(["done"])
  }
)
