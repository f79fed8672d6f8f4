/**
 * The units of deploy/ under a real systemd. The system's are the shipped files with the paths and the user of this test
 * in place of theirs, sandbox and all; the user's are the shipped files as they are.
 */
import { chownSync, cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs"
import { describe, expect, it } from "vitest"
import type { TestContext } from "vitest"
import { makeCheckout } from "./harness/checkout.ts"
import { type Ground, makeGround } from "./harness/Ground.ts"
import { startSystemd } from "./harness/privateSystemd.ts"
import type { PrivateSystemd } from "./harness/privateSystemd.ts"
import { environmentOf, isLiving, startOf } from "./harness/processes.ts"
import { fixture, launch, repository } from "./harness/program.ts"
import { until } from "./harness/until.ts"

const daemon = "tinyscheduler.service"
const oneshot = "tinyscheduler-oneshot.service"
const timer = "tinyscheduler.timer"

/** "nobody", whom every machine has. */
const user = { name: "nobody", id: 65_534 }

interface Installed {
  readonly ground: Ground
  readonly systemd: PrivateSystemd
  readonly task: number
}

/** A ground whose one agent works on one task until its gate is there, and a systemd; skips where there can be none. */
const prepare = async (context: TestContext, isolation: "none" | "cgroup" = "none"): Promise<Installed> => {
  const ground = await makeGround()
  const systemd = await startSystemd(ground)
  if (typeof systemd === "string") return context.skip(systemd)
  // A sandbox hides the repository where it is under /home or /root.
  cpSync(fixture("scripted.mjs"), ground.path("scripted.mjs"))
  const checkout = makeCheckout(ground, "checkout", { node: true })
  const command = [
    `${checkout}/node_modules/node/bin/node`,
    ground.path("scripted.mjs"),
    ground.record,
    "{{promptFile}}"
  ]
  ground.agents([{ agentName: "vaela", agentType: "dev", command, isolation }])
  const task = await ground.tinytask.add({
    queue: "dev",
    description: JSON.stringify([["await", ground.path("gate")]])
  })
  return { ground, systemd, task }
}

/** Nothing here may wait for an interval to be over. */
const environmentFile = ({ ground }: Installed): string =>
  `TINYSCHEDULER_MCP_ENDPOINT=${ground.tinytask.url}\nTINYSCHEDULER_LOOP_INTERVAL_SEC=86400\n`

const installForSystem = async (installed: Installed): Promise<void> => {
  const { ground, systemd } = installed
  const places: ReadonlyArray<readonly [string, string]> = [
    ["/opt/tinyscheduler", ground.path("checkout")],
    ["/srv/agents", ground.base],
    ["/etc/tinyscheduler.env", ground.write("service.env", environmentFile(installed))],
    ["User=tinyscheduler", `User=${user.name}`]
  ]
  for (const name of [daemon, oneshot, timer]) {
    const shipped = readFileSync(`${repository}deploy/${name}`, "utf8")
    writeFileSync(
      `${systemd.units}/${name}`,
      places.reduce((text, [from, to]) => text.replaceAll(from, to), shipped)
    )
  }
  chownSync(ground.base, user.id, user.id)
  await systemd.does("daemon-reload")
}

/** What an operator would write by `systemctl edit`. */
const edit = async ({ systemd }: Installed, unit: string, text: string): Promise<void> => {
  mkdirSync(`${systemd.units}/${unit}.d`)
  writeFileSync(`${systemd.units}/${unit}.d/override.conf`, text)
  await systemd.does("daemon-reload")
}

/** As docs/deployment.md says: a checkout and a base path in the home directory. */
const installForUser = async (installed: Installed): Promise<void> => {
  const { ground, systemd } = installed
  symlinkSync(ground.path("checkout"), `${ground.home}/tinyscheduler`)
  symlinkSync(ground.base, `${ground.home}/agents`)
  ground.write("home/.config/tinyscheduler.env", environmentFile(installed))
  for (const name of [daemon, oneshot, timer]) cpSync(`${repository}deploy/user/${name}`, `${systemd.units}/${name}`)
  await systemd.does("daemon-reload")
}

const agentStarts = async ({ ground, task }: Installed): Promise<number> => {
  await until("the agent runs", () => ground.lease(task)?.phase === "running" && ground.runs().length === 1)
  return ground.runs()[0]?.pid ?? 0
}

const agentEnds = async ({ ground, task }: Installed): Promise<void> => {
  ground.write("gate", "")
  await until("its ending stands", () => ground.lease(task)?.phase === "finished")
}

/** The scheduler's own log. */
const logOf = ({ ground }: Installed): string =>
  ground
    .files("logs")
    .filter((name) => name.startsWith("scheduler_"))
    .map((name) => ground.read(`state/logs/${name}`))
    .join("")

/** What the kernel says of a process. */
const statusOf = (pid: number): string => readFileSync(`/proc/${pid}/status`, "utf8")

/** The cgroup of a process, from its unit on. */
const cgroupOf = (pid: number): string =>
  /^0::.*\/(tinyscheduler(?:-oneshot)?\.service.*)$/m.exec(readFileSync(`/proc/${pid}/cgroup`, "utf8"))?.[1] ??
  "no unit's"

/** Where an agent that asks for a cgroup stands, in the unit that started it. */
const placeOf = ({ ground, task }: Installed, unit: string, isolation: "none" | "cgroup"): string =>
  isolation === "none" ? unit : `${unit}/tinyscheduler-${task}.1-${ground.lease(task)?.token ?? ""}`

describe.for([
  { whose: "the system's", install: installForSystem, isolation: "cgroup" as const },
  { whose: "the user's", install: installForUser, isolation: "none" as const }
])("$whose units, isolation: $isolation", ({ install, isolation }) => {
  it("make a pass by the timer, at whose end the agent goes on, and judge its end in a later pass", async (context) => {
    const installed = await prepare(context, isolation)
    const { ground, systemd, task } = installed
    await install(installed)
    await systemd.does("start", timer)
    const agent = await agentStarts(installed)
    await until("the pass is over", async () => (await systemd.show(oneshot))["ActiveState"] === "inactive")
    expect(await systemd.show(oneshot)).toMatchObject({ Result: "success", ExecMainStatus: "0" })
    expect([agent, ground.lease(task)?.pid ?? 0].map(isLiving)).toEqual([true, true])
    expect(cgroupOf(agent)).toBe(placeOf(installed, oneshot, isolation))
    await systemd.does("stop", timer)
    await agentEnds(installed)
    await systemd.does("start", oneshot)
    expect([ground.outcomes(task), ground.runs().length, ground.lease(task)]).toEqual([["done"], 1, null])
  })

  it("run a daemon; its agent goes on through reload, restart, stop and start", async (context) => {
    const installed = await prepare(context, isolation)
    const { ground, systemd, task } = installed
    await install(installed)
    await systemd.does("start", daemon)
    const agent = await agentStarts(installed)
    await until("systemd is told", async () => (await systemd.show(daemon))["StatusText"] === "1 running, 0 waiting")

    const first = await systemd.mainPid(daemon)
    await systemd.does("reload", daemon)
    await until("it has read its configuration anew", () => logOf(installed).includes("configuration: read anew"))
    expect(await systemd.mainPid(daemon)).toBe(first)
    await systemd.does("restart", daemon)
    const second = await systemd.mainPid(daemon)
    expect([isLiving(first), isLiving(second), second === first]).toEqual([false, true, false])
    await systemd.does("stop", daemon)
    expect(await systemd.show(daemon)).toMatchObject({ ActiveState: "inactive", Result: "success" })
    expect([agent, ground.lease(task)?.pid ?? 0, second].map(isLiving)).toEqual([true, true, false])

    const place = placeOf(installed, daemon, isolation)
    expect(cgroupOf(agent)).toBe(place)
    await systemd.does("start", daemon)
    expect(cgroupOf(agent)).toBe(place)
    await agentEnds(installed)
    await until("its attempt is over", () => ground.outcomes(task).length === 1 && ground.lease(task) === null)
    expect([ground.outcomes(task), ground.runs().length]).toEqual([["done"], 1])
  })
})

describe("the system's daemon", () => {
  it("confines its agents as the unit says, and passes on to them nothing by which they could speak for it", async (context) => {
    const installed = await prepare(context)
    await installForSystem(installed)
    await installed.systemd.does("start", daemon)
    const agent = await agentStarts(installed)
    const daemonPid = await installed.systemd.mainPid(daemon)
    for (const pid of [daemonPid, agent]) {
      const status = statusOf(pid)
      expect(status).toMatch(new RegExp(`^Uid:\\s+${user.id}\\s+${user.id}\\s`, "m"))
      expect(status).toMatch(/^CapBnd:\s+0+$/m)
      expect(status).toMatch(/^NoNewPrivs:\s+1$/m)
      expect(status).toMatch(/^Seccomp:\s+2$/m)
    }
    expect(environmentOf(daemonPid)).toHaveProperty("NOTIFY_SOCKET")
    expect(Object.keys(environmentOf(agent)).filter((name) => /^(NOTIFY_|WATCHDOG_)/.test(name))).toEqual([])
  })

  it("is started again when it is killed and when it hangs, and finds its agent", async (context) => {
    const installed = await prepare(context)
    const { ground, systemd, task } = installed
    await installForSystem(installed)
    await edit(installed, daemon, "[Unit]\nStartLimitIntervalSec=0\n[Service]\nRestartSec=0\nWatchdogSec=4\n")
    await systemd.does("start", daemon)
    const agent = await agentStarts(installed)
    for (const signal of ["SIGKILL", "SIGSTOP"] as const) {
      const before = await systemd.mainPid(daemon)
      const born = startOf(before)
      process.kill(before, signal)
      await until(`another is there after ${signal}`, async () => {
        const now = await systemd.show(daemon)
        return now["ActiveState"] === "active" && Number(now["MainPID"]) !== before
      })
      // A process that is stopped ends by nothing but a kill.
      expect(startOf(before)).not.toBe(born)
    }
    expect(isLiving(agent)).toBe(true)
    await agentEnds(installed)
    await until("its attempt is over", () => ground.outcomes(task).length === 1 && ground.lease(task) === null)
    expect([ground.outcomes(task), ground.runs().length]).toEqual([["done"], 1])
  })

  it("leaves behind agents that systemctl kill ends, and whose ends the next one judges", async (context) => {
    const installed = await prepare(context)
    const { ground, systemd, task } = installed
    await installForSystem(installed)
    await systemd.does("start", daemon)
    const agent = await agentStarts(installed)
    await systemd.does("stop", daemon)
    expect(isLiving(agent)).toBe(true)
    await systemd.does("kill", "--signal=SIGTERM", daemon)
    await until("its ending stands", () => ground.lease(task)?.phase === "finished")
    expect(isLiving(agent)).toBe(false)
    await systemd.does("start", oneshot)
    // Ended from outside: no fault of the agent's.
    expect(ground.outcomes(task)).toEqual(["lost"])
  })

  it("is not started again with a configuration that is wrong", async (context) => {
    const installed = await prepare(context)
    await installForSystem(installed)
    await edit(installed, daemon, "[Service]\nRestartSec=0\n")
    installed.ground.write(".env", "TINYSCHEDULER_MAX_ATTEMPTS=many\n")
    expect((await installed.systemd.systemctl("start", daemon)).code).not.toBe(0)
    expect(await installed.systemd.show(daemon)).toMatchObject({
      ActiveState: "failed",
      ExecMainStatus: "2",
      NRestarts: "0"
    })
  })

  it("waits for a lock that another scheduler holds, and takes it over", async (context) => {
    const installed = await prepare(context)
    const { ground, systemd } = installed
    await installForSystem(installed)
    await edit(installed, daemon, "[Unit]\nStartLimitIntervalSec=0\n[Service]\nRestartSec=100ms\n")
    mkdirSync(ground.path("state"), { mode: 0o700 })
    writeFileSync(ground.path("state/tinyscheduler.lock"), "", { mode: 0o600 })
    for (const name of ["state", "state/tinyscheduler.lock"]) chownSync(ground.path(name), user.id, user.id)
    const holder = launch({
      command: ["flock", ground.path("state/tinyscheduler.lock"), "sh", "-c", "echo held; exec sleep 1000"],
      cwd: ground.base,
      env: ground.environment()
    })
    await holder.says("held")
    expect((await systemd.systemctl("start", daemon)).code).not.toBe(0)
    await until("it has tried more than once", async () => Number((await systemd.show(daemon))["NRestarts"]) > 1)
    expect((await systemd.show(daemon))["ActiveState"]).not.toBe("failed")
    for (const { command, pid } of ground.processes()) if (command === "sleep 1000") process.kill(pid)
    await until("it holds the lock", async () => (await systemd.show(daemon))["ActiveState"] === "active")
  })
})
