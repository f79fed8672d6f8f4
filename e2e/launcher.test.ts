/** `./tinyscheduler` at the root: the seed's command lines from cron, through links, with and without a Node of its own. */
import { chmodSync, cpSync, mkdirSync, readFileSync, symlinkSync } from "node:fs"
import { dirname } from "node:path"
import { expect, it } from "vitest"
import { makeCheckout } from "./harness/checkout.ts"
import { Ground, makeGround } from "./harness/Ground.ts"
import { launch } from "./harness/program.ts"

/** As cron starts things: next to no environment. */
const bare = (command: ReadonlyArray<string>, cwd: string, env: Readonly<Record<string, string>> = {}) =>
  launch({ command, cwd, env: { PATH: "/usr/bin:/bin", ...env } }).ended

it("runs with cron's environment, from any directory, and passes arguments on as they are", async () => {
  const ground = new Ground()
  const root = makeCheckout(ground, "check out", { node: true })
  ground.agents([ground.worker("vaela", "a b")])
  ground.write("my vars.env", "TINYSCHEDULER_MAX_LOST=7\n")
  const ended = await bare(
    [`${root}/tinyscheduler`, "config", "--json", "--env-file", "my vars.env", "--queue-limits", "a b:1"],
    ground.base
  )
  expect({ code: ended.code, stderr: ended.stderr }).toEqual({ code: 0, stderr: "" })
  const { settings }: { settings: ReadonlyArray<{ variable: string; value: unknown }> } = JSON.parse(ended.stdout)
  const value = (name: string) => settings.find(({ variable }) => variable === `TINYSCHEDULER_${name}`)?.value
  expect([value("MAX_LOST"), value("QUEUE_LIMITS")]).toEqual([7, { "a b": 1 }])
})

it("runs through symbolic links, absolute and relative ones", async () => {
  const ground = new Ground()
  const root = makeCheckout(ground, "check out", { node: true })
  mkdirSync(ground.path("bin"))
  symlinkSync(`${root}/tinyscheduler`, ground.path("bin/first"))
  symlinkSync("first", ground.path("bin/second"))
  symlinkSync("../bin/second", ground.path("bin/third"))
  const ended = await bare([ground.path("bin/third"), "--version"], "/")
  expect(ended).toMatchObject({ code: 0, stderr: "", stdout: expect.stringMatching(/^tinyscheduler v/) })
})

it("is replaced by the scheduler, which signals reach, and which opens no debugger at SIGUSR1", async () => {
  const ground = await makeGround()
  const root = makeCheckout(ground, "check out", { node: true })
  ground.agents([ground.worker("vaela", "dev")])
  const command = [`${root}/tinyscheduler`]
  const daemon = ground.start(["run", "--daemon", ...ground.endpoint], { command })
  await daemon.says("daemon: a pass every")
  const words = readFileSync(`/proc/${daemon.pid}/cmdline`, "utf8").split("\0")
  expect(words.slice(0, 3)).toEqual([`${root}/node_modules/node/bin/node`, "--disable-sigusr1", "--"])
  daemon.kill("SIGTERM")
  expect(await daemon.ended).toMatchObject({ code: 0, signal: null, stdout: "" })
})

it("without a Node of its own takes one from PATH that is new enough", async () => {
  const ground = new Ground()
  const root = makeCheckout(ground, "check out", { node: false })
  const ended = await bare([`${root}/tinyscheduler`, "--version"], ground.base, {
    PATH: `${dirname(process.execPath)}:/usr/bin:/bin`
  })
  expect(ended).toMatchObject({ code: 0, stderr: "" })
})

it("says in one sentence what is missing: a Node that is new enough, or the build", async () => {
  const ground = new Ground()
  const root = makeCheckout(ground, "check out", { node: false })
  // A PATH with the few tools that the script needs and an old Node.
  mkdirSync(ground.path("tools"))
  for (const tool of ["dirname", "readlink", "sh"]) symlinkSync(`/usr/bin/${tool}`, ground.path(`tools/${tool}`))
  ground.write("tools/node", "#!/bin/sh\nexit 1\n")
  chmodSync(ground.path("tools/node"), 0o755)
  const places = ["/usr/local/bin/node", "/usr/bin/node", "/opt/homebrew/bin/node"]
  const command = ["/bin/sh", "-c", '"$0" --version', `${root}/tinyscheduler`]
  const none = await bare(command, ground.base, { PATH: ground.path("tools") })
  const elsewhere = none.code === 0
  if (!elsewhere) {
    expect({ places, ...none, signal: null }).toEqual({
      places,
      code: 2,
      signal: null,
      stdout: "",
      stderr: expect.stringMatching(/^TinyScheduler needs Node 22\.19 or newer, and found none; in .* run: .*\n$/)
    })
  }
  const unbuilt = ground.path("unbuilt")
  cpSync(`${root}/tinyscheduler`, `${unbuilt}/tinyscheduler`)
  const missing = await bare([`${unbuilt}/tinyscheduler`, "--version"], ground.base)
  expect(missing).toMatchObject({
    code: 1,
    stdout: "",
    stderr: expect.stringMatching(/^TinyScheduler is not built yet; in .* run: npx -y pnpm@12 build\n$/)
  })
})
