/** The scheduler's log as an operator meets it: its days, its fields, and what can go wrong with its file. */
import { lstatSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs"
import { describe, expect, it } from "vitest"
import { serveFake } from "./harness/fakeServer.ts"
import { type Ground, makeGround } from "./harness/Ground.ts"
import { fixture, linesOf, program } from "./harness/program.ts"
import { until } from "./harness/until.ts"

const minuteMs = 60_000
const dayMs = 24 * 60 * minuteMs

/** YYYYMMDD in a time zone. */
const dayIn = (timeZone: string, atMs: number): string =>
  new Intl.DateTimeFormat("sv-SE", { timeZone }).format(atMs).replaceAll("-", "")

/** How far a time zone is ahead of UTC at a moment. */
const aheadMs = (timeZone: string, atMs: number): number => {
  const wall = new Intl.DateTimeFormat("sv-SE", { timeZone, dateStyle: "short", timeStyle: "medium" }).format(atMs)
  return Date.parse(`${wall.replace(" ", "T")}Z`) - Math.floor(atMs / 1000) * 1000
}

/** A clock for processes of this ground; moving it moves theirs at once. */
const makeClock = (ground: Ground, timeZone = "UTC") => {
  const move = (shiftMs: number): void => {
    // Replaced whole: a process that looks meanwhile must not find an empty file.
    ground.write("shift.new", String(shiftMs))
    renameSync(ground.path("shift.new"), ground.path("shift"))
  }
  const nowMs = Date.now()
  const sinceMidnightMs = (nowMs + aheadMs(timeZone, nowMs)) % dayMs
  /** Moves the clock so that it is now so long after the midnight that this day began with. */
  const set = (afterMidnightMs: number): string => {
    const shiftMs = afterMidnightMs - sinceMidnightMs
    move(shiftMs)
    return dayIn(timeZone, nowMs + shiftMs)
  }
  const options = {
    command: [process.execPath, "--require", fixture("shiftedClock.cjs"), "--", program],
    env: { SHIFT_FILE: ground.path("shift"), TZ: timeZone }
  }
  return { set, options }
}

const gated = (ground: Ground, gate: string): string => JSON.stringify([["await", ground.path(gate)]])
const logOf = (ground: Ground, day: string): string => ground.read(`state/logs/scheduler_${day}.log`)
const modeOf = (path: string): string => (lstatSync(path).mode & 0o777).toString(8)

const makeWorld = async () => {
  const ground = await makeGround()
  ground.agents([ground.scripted("vaela", "dev"), ground.scripted("damien", "qa")])
  return ground
}

describe("the day's file", () => {
  // Zones without summer time: on no day is their midnight an hour off.
  it.each(["UTC", "Asia/Kolkata", "Pacific/Honolulu"])(
    "changes at midnight in %s under a running daemon",
    async (zone) => {
      const ground = await makeWorld()
      const clock = makeClock(ground, zone)
      const eve = clock.set(23 * 60 * minuteMs + 45 * minuteMs)
      const task = await ground.tinytask.add({ queue: "dev", description: gated(ground, "gate") })
      const daemon = ground.start(["run", "--daemon", ...ground.endpoint, "--loop-interval", "86400"], clock.options)
      await until("its agent runs", () => ground.lease(task)?.phase === "running")
      const morrow = clock.set(dayMs + 15 * minuteMs)
      ground.write("gate", "")
      await until("its attempt is over", () => ground.outcomes(task).length === 1 && ground.lease(task) === null)
      daemon.kill("SIGTERM")
      const { code, stderr } = await daemon.ended
      expect(code).toBe(0)

      expect(morrow > eve).toBe(true)
      expect(ground.files("logs").filter((name) => name.endsWith(".log"))).toEqual([
        `scheduler_${eve}.log`,
        `scheduler_${morrow}.log`
      ])
      const [before, after] = [logOf(ground, eve), logOf(ground, morrow)]
      expect(before).toContain(`start task ${task} on vaela`)
      expect(after).toContain(`finish task ${task} on vaela`)
      expect(linesOf(before).map((line) => line.slice(0, 11))).toEqual(linesOf(before).map(() => `${eve} 23`))
      expect(linesOf(after).map((line) => line.slice(0, 11))).toEqual(linesOf(after).map(() => `${morrow} 00`))
      expect(before + after).toBe(stderr)
      expect(modeOf(ground.path("state/logs"))).toBe("700")
      expect(modeOf(ground.path(`state/logs/scheduler_${morrow}.log`))).toBe("600")
    }
  )

  it("is never written through a link; that is told once, and again when it can be written", async () => {
    const ground = await makeWorld()
    const clock = makeClock(ground)
    const day = clock.set(12 * 60 * minuteMs)
    mkdirSync(ground.path("state/logs"), { recursive: true, mode: 0o700 })
    const victim = ground.write("victim", "as it was\n")
    symlinkSync(victim, ground.path(`state/logs/scheduler_${day}.log`))
    const first = await ground.tinytask.add({ queue: "dev", description: "[]" })
    const daemon = ground.start(["run", "--daemon", ...ground.endpoint, "--loop-interval", "1"], clock.options)
    await until("a task is done all the same", () => ground.outcomes(first).length === 1)
    expect(ground.outcomes(first)).toEqual(["done"])
    rmSync(ground.path(`state/logs/scheduler_${day}.log`))
    await ground.tinytask.add({ queue: "dev", description: "[]" })
    await daemon.says("can be written again")
    daemon.kill("SIGTERM")
    const { code, stderr } = await daemon.ended
    expect(code).toBe(0)
    expect(ground.read("victim")).toBe("as it was\n")
    const told = linesOf(stderr).filter((line) => line.includes("can't be written: it is a symbolic link"))
    expect(told).toHaveLength(1)
    const missing = linesOf(stderr).findIndex((line) => line.includes("can be written again")) - 2
    expect(logOf(ground, day)).toMatch(new RegExp(`can be written again; ${missing} lines are missing before the last`))
    expect(logOf(ground, day)).toBe(
      `${linesOf(stderr)
        .slice(missing + 1)
        .join("\n")}\n`
    )
  })

  it("is an old one, and the log of an attempt that has ended, after LOG_KEEP_DAYS; never one that may be written", async () => {
    const ground = await makeWorld()
    const ended = await ground.tinytask.add({ queue: "dev", description: "[]" })
    const talks = JSON.stringify([
      ["print", "I work", 1],
      ["await", ground.path("gate")]
    ])
    const running = await ground.tinytask.add({ queue: "qa", description: talks })
    const pass = () => ground.cli(["run", "--once", ...ground.endpoint])
    await pass()
    const files = (task: number) => ground.files(`logs/tasks/${task}`)
    await until("one has ended, one runs", () => {
      return ground.lease(ended)?.phase === "finished" && files(running).includes("1.log")
    })
    await pass()
    const old = ground.write("state/logs/scheduler_20200101.log", "old\n")
    for (const task of [ended, running]) {
      for (const name of files(task)) utimesSync(ground.path(`state/logs/tasks/${task}/${name}`), 1, 1)
    }
    await pass()
    // Passes by themselves look through all logs once an hour only.
    expect(readFileSync(old, "utf8")).toBe("old\n")
    rmSync(ground.path("state/logs/.kept"))
    const { code, stderr } = await pass()
    expect(code).toBe(0)
    expect(stderr).toContain("3 old logs removed")
    expect(ground.files("logs")).not.toContain("scheduler_20200101.log")
    expect(ground.files("logs/tasks")).toEqual([String(running)])
    expect(files(running)).toEqual(["1.log", "1.prompt"])

    // What is gone takes no epoch with it.
    await ground.tinytask.update(ended, { status: "idle" })
    await pass()
    await until("it has run once more", () => ground.lease(ended)?.phase === "finished")
    expect(ground.lease(ended)?.epoch).toBe(2)
  })
})

describe("a line", () => {
  it("has its fields in JSON, so that a task can be followed, in file and stream alike", async () => {
    const ground = await makeWorld()
    const task = await ground.tinytask.add({ queue: "dev", description: "[]" })
    const flags = ["run", "--once", ...ground.endpoint, "--log-format", "json"]
    const first = await ground.cli(flags)
    await until("it has ended", () => ground.lease(task)?.phase === "finished")
    const second = await ground.cli(flags)
    const written = ground.files("logs").filter((name) => name.endsWith(".log"))
    expect(written.map((name) => ground.read(`state/logs/${name}`)).join("")).toBe(first.stderr + second.stderr)
    const lines: ReadonlyArray<Readonly<Record<string, unknown>>> = linesOf(first.stderr + second.stderr).map((line) =>
      JSON.parse(line)
    )
    const about = { task, agent: "vaela", epoch: 1, level: "INFO", time: expect.stringMatching(/^\d{4}-.*Z$/) }
    expect(lines.filter((line) => line["task"] === task)).toEqual([
      { ...about, event: "start", step: 5, message: `5 start task ${task} on vaela (epoch 1, attempt 1)` },
      expect.objectContaining({ ...about, event: "finish", step: 2, outcome: "done" })
    ])
    expect(lines.filter((line) => !("time" in line && "level" in line && "message" in line))).toEqual([])
  })

  it("never bears the token, whatever a server answers", async () => {
    const token = "tok-4f7d2a90b1"
    const url = await serveFake((incoming, outgoing) => {
      outgoing.writeHead(403, { "content-type": "text/plain" })
      outgoing.end(`who are you, ${incoming.headers.authorization}?`)
    })
    const ground = await makeWorld()
    const flags = ["run", "--once", "--mcp-endpoint", url, "--log-level", "DEBUG"]
    const { code, stderr, stdout } = await ground.cli(flags, { env: { TINYSCHEDULER_MCP_TOKEN: token } })
    expect(code).toBe(1)
    expect(stderr).toContain("who are you")
    const written = ground.files("logs").filter((name) => name.endsWith(".log"))
    for (const text of [stderr, stdout, ...written.map((name) => ground.read(`state/logs/${name}`))]) {
      expect(text).not.toContain(token)
    }
  })

  it("colours its level on a terminal, not under NO_COLOR, and never in the file", async () => {
    const ground = await makeWorld()
    const quoted = [process.execPath, "--", program, "run", "--once", ...ground.endpoint].join(" ")
    const onTerminal = (env: Readonly<Record<string, string>>) =>
      ground.cli([], { command: ["script", "-qec", quoted, "/dev/null"], env: { TERM: "xterm", ...env } })
    // oxlint-disable-next-line no-control-regex -- the escape that begins a colour
    const colour = /\u001b\[\d+m/
    expect((await onTerminal({})).stdout).toContain(" \u001b[32mINFO \u001b[39m 1 leases")
    expect((await onTerminal({ NO_COLOR: "1" })).stdout).not.toMatch(colour)
    for (const name of ground.files("logs").filter((file) => file.endsWith(".log"))) {
      expect(ground.read(`state/logs/${name}`)).not.toMatch(colour)
    }
  })

  it("says its priority to systemd's journal", async () => {
    const ground = await makeWorld()
    writeFileSync(ground.path("agent-control.json"), "[]")
    const script = 'JOURNAL_STREAM="$(stat -L -c %d:%i /proc/self/fd/2)" exec "$@"'
    const command = ["/bin/sh", "-c", script, "sh", process.execPath, "--", program]
    const { stderr } = await ground.cli(["run", "--once", ...ground.endpoint], { command })
    expect(linesOf(stderr).filter((line) => !/^<6>\d{8} \d\d:\d\d:\d\d INFO /.test(line))).toEqual([])
    expect(stderr).not.toBe("")
  })
})

it("a daemon whose output nobody reads any more goes on, and so does its file", async () => {
  const ground = await makeWorld()
  const daemon = ground.start(["run", "--daemon", ...ground.endpoint])
  await daemon.says("daemon: a pass every")
  daemon.child.stderr?.destroy()
  daemon.child.stdout?.destroy()
  const task = await ground.tinytask.add({ queue: "dev", description: "[]" })
  daemon.kill("SIGUSR1")
  await until("its task is done", () => ground.outcomes(task).length === 1)
  daemon.kill("SIGTERM")
  expect((await daemon.ended).code).toBe(0)
  const written = ground.files("logs").filter((name) => name.endsWith(".log"))
  expect(written.map((name) => ground.read(`state/logs/${name}`)).join("")).toContain(`finish task ${task} on vaela`)
})
