/** What a service manager is told of a daemon, through a stand-in for systemd-notify that notes its words. */
import { chmodSync, existsSync } from "node:fs"
import { describe, expect, it } from "vitest"
import { type Ground, makeGround } from "./harness/Ground.ts"
import { environmentOf } from "./harness/processes.ts"
import { linesOf } from "./harness/program.ts"
import { until } from "./harness/until.ts"

/** Puts the stand-in on a PATH; answers the environment of a service under a manager that watches it. */
const underManager = (ground: Ground, watchdogUsec: string) => {
  const path = ground.write(
    "bin/systemd-notify",
    `#!/bin/sh\nfor word in "$@"; do printf '%s\\n' "$word" >>"${ground.path("notes")}"; done\n`
  )
  chmodSync(path, 0o755)
  return {
    PATH: `${ground.path("bin")}:${process.env["PATH"] ?? ""}`,
    NOTIFY_SOCKET: ground.path("nobody"),
    WATCHDOG_USEC: watchdogUsec
  }
}

const notes = (ground: Ground): ReadonlyArray<string> =>
  existsSync(ground.path("notes")) ? linesOf(ground.read("notes")) : []

describe("a daemon under a service manager", () => {
  it("tells that it is ready, what it does, that it still turns, and that it ends", async () => {
    const ground = await makeGround()
    const gate = JSON.stringify([["await", ground.path("gate")]])
    ground.agents([ground.scripted("vaela", "dev")])
    const task = await ground.tinytask.add({ queue: "dev", description: gate })
    const daemon = ground.start(["run", "--daemon", ...ground.endpoint], { env: underManager(ground, "200000") })
    await until("it has told its state", () => notes(ground).some((note) => note.startsWith("STATUS=1 running")))
    expect(notes(ground).indexOf("READY=1")).toBeLessThan(notes(ground).indexOf("STATUS=1 running, 0 waiting"))
    await until("it beats", () => notes(ground).filter((note) => note === "WATCHDOG=1").length > 3)
    await until("its agent runs", () => ground.runs().length === 1)
    const lease = ground.lease(task)
    for (const pid of [lease?.pid ?? 0, ground.runs()[0]?.pid ?? 0]) {
      expect(environmentOf(pid)).toHaveProperty("TINYSCHEDULER_LEASE")
      expect(Object.keys(environmentOf(pid)).filter((name) => /^(NOTIFY_|WATCHDOG_)/.test(name))).toEqual([])
    }
    daemon.kill("SIGTERM")
    expect((await daemon.ended).code).toBe(0)
    expect(notes(ground)).toContain("STOPPING=1")
  })

  it("does not beat for another process", async () => {
    const ground = await makeGround()
    ground.agents([ground.worker("vaela", "dev")])
    const env = { ...underManager(ground, "2000"), WATCHDOG_PID: "1" }
    const daemon = ground.start(["run", "--daemon", ...ground.endpoint], { env })
    await until("it has told its state", () => notes(ground).some((note) => note.startsWith("STATUS=0 running")))
    daemon.kill("SIGTERM")
    expect((await daemon.ended).code).toBe(0)
    expect(notes(ground)).not.toContain("WATCHDOG=1")
  })

  it("warns once and goes on where the manager can't be told", async () => {
    const ground = await makeGround()
    ground.agents([ground.worker("vaela", "dev", { env: { WORK_MS: "1-2" } })])
    // With systemd-notify or without: nobody listens.
    const env = { NOTIFY_SOCKET: ground.path("nobody"), WATCHDOG_USEC: "200000" }
    const daemon = ground.start(["run", "--daemon", ...ground.endpoint], { env })
    await daemon.says(/WARN .*systemd could not be told .*; is systemd-notify there\?/)
    const task = await ground.tinytask.add({ queue: "dev" })
    daemon.kill("SIGUSR1")
    await until("it works", () => ground.tinytask.database.task(task)?.status === "complete")
    daemon.kill("SIGTERM")
    const { code, stderr } = await daemon.ended
    expect(code).toBe(0)
    expect(linesOf(stderr).filter((line) => line.includes("systemd could not be told"))).toHaveLength(1)
  })
})
