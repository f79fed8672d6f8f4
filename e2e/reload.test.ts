/** A running daemon takes what changed in its configuration, keeps the last good one, and does what signals ask for. */
import { spawnSync } from "node:child_process"
import {
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  openSync,
  renameSync,
  rmdirSync,
  unlinkSync,
  writeSync
} from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import type { AgentEntry, Ground } from "./harness/Ground.ts"
import { makeGround } from "./harness/Ground.ts"
import { linesOf, program } from "./harness/program.ts"
import { until } from "./harness/until.ts"

const quick = (ground: Ground, agentName: string, queue: string): AgentEntry =>
  ground.worker(agentName, queue, { env: { WORK_MS: "1-2" } })

/** A daemon that passes only when something wakes it. */
const startDaemon = async (ground: Ground, flags: ReadonlyArray<string> = []) => {
  const daemon = ground.start(["run", "--daemon", ...ground.endpoint, "--loop-interval", "86400", ...flags])
  await daemon.says("daemon: a pass every")
  return daemon
}

const isComplete = (ground: Ground, task: number) => () => ground.tinytask.database.task(task)?.status === "complete"

describe("a daemon whose agent-control.json is broken and then mended", () => {
  it("goes on with the last good one, says so once, and takes the new one without a restart", async () => {
    const ground = await makeGround()
    ground.agents([quick(ground, "vaela", "dev")])
    const daemon = await startDaemon(ground)
    ground.write("agent-control.json", '[{ "agentName": "vaela", "agentType": ')
    await daemon.says(/ERROR agent-control\.json: is not JSON/)
    await daemon.says("ERROR configuration: the last good one is kept")
    const first = await ground.tinytask.add({ queue: "dev" })
    daemon.kill("SIGUSR1")
    await until("the last good one still serves dev", isComplete(ground, first))
    const second = await ground.tinytask.add({ queue: "qa" })
    ground.agents([quick(ground, "vaela", "dev"), quick(ground, "oscar", "qa")])
    await daemon.says("INFO  configuration taken: new agents oscar")
    await until("the new one serves qa", isComplete(ground, second))
    daemon.kill("SIGTERM")
    const { code, stderr } = await daemon.ended
    expect(code).toBe(0)
    expect(linesOf(stderr).filter((line) => line.includes(" ERROR "))).toHaveLength(2)
  })

  it("does not fall back to legacy mode when the file is gone", async () => {
    const ground = await makeGround()
    ground.agents([quick(ground, "vaela", "dev")])
    const daemon = await startDaemon(ground)
    unlinkSync(ground.path("agent-control.json"))
    await daemon.says(/ERROR .*agent-control\.json is gone; put it back, or restart the scheduler/)
    const task = await ground.tinytask.add({ queue: "dev" })
    daemon.kill("SIGUSR1")
    await until("the last good one still serves dev", isComplete(ground, task))
    ground.agents([quick(ground, "vaela", "dev")])
    await daemon.says("configuration: it can be read again; nothing in it has changed")
    daemon.kill("SIGTERM")
    expect((await daemon.ended).code).toBe(0)
  })

  it("lets what runs go on when its agent is taken out, and starts nothing more with it", async () => {
    const ground = await makeGround()
    const gate = JSON.stringify([["await", ground.path("gate")]])
    ground.agents([ground.scripted("vaela", "dev"), quick(ground, "oscar", "qa")])
    const task = await ground.tinytask.add({ queue: "dev", description: gate })
    const daemon = await startDaemon(ground)
    await until("it runs", () => ground.lease(task)?.phase === "running" && ground.runs().length === 1)
    ground.agents([quick(ground, "oscar", "qa")])
    await daemon.says("configuration taken: agents gone vaela")
    const next = await ground.tinytask.add({ queue: "dev" })
    daemon.kill("SIGUSR1")
    await daemon.says(`task ${next}: no agent serves queue dev`)
    ground.write("gate", "")
    await until("its end is handled", () => ground.outcomes(task).length === 1)
    expect(ground.outcomes(task)).toEqual(["done"])
    expect(ground.lines().filter(({ what }) => what === "start")).toHaveLength(1)
    daemon.kill("SIGTERM")
    expect((await daemon.ended).code).toBe(0)
  })
})

describe("a daemon whose .env changes", () => {
  it("takes limits and interval, refuses what a process can't change, and tells no secret", async () => {
    const ground = await makeGround()
    ground.agents([ground.worker("vaela", "dev")])
    ground.write(".env", "TINYSCHEDULER_MAX_CONCURRENT=1\n")
    const daemon = await startDaemon(ground)
    ground.write(".env", "TINYSCHEDULER_MAX_CONCURRENT=2\nTINYSCHEDULER_MCP_TOKEN=hunter2\n")
    await daemon.says("configuration taken: TINYSCHEDULER_MAX_CONCURRENT 1 -> 2; TINYSCHEDULER_MCP_TOKEN is another")
    ground.write(".env", "TINYSCHEDULER_MAX_CONCURRENT=3\nTINYSCHEDULER_RUNNING_DIR=elsewhere\n")
    await daemon.says(
      "TINYSCHEDULER_RUNNING_DIR can't change while the scheduler runs; restart it to take the new value"
    )
    ground.write(".env", "TINYSCHEDULER_MAX_CONCURRENT=lots\n")
    await daemon.says(/ERROR TINYSCHEDULER_MAX_CONCURRENT in .*\.env: "lots" is not/)
    unlinkSync(ground.path(".env"))
    await daemon.says(/ERROR .*\.env is gone; put it back/)
    ground.write(".env", "TINYSCHEDULER_MAX_CONCURRENT=4\n")
    await daemon.says("TINYSCHEDULER_MAX_CONCURRENT 2 -> 4")
    daemon.kill("SIGTERM")
    const { code, stderr, stdout } = await daemon.ended
    expect(code).toBe(0)
    expect(stderr + stdout).not.toContain("hunter2")
    expect(ground.files("../elsewhere")).toEqual([])
  })

  it("tells of a misspelt variable, which changes no setting", async () => {
    const ground = await makeGround()
    ground.agents([ground.worker("vaela", "dev")])
    const daemon = await startDaemon(ground)
    ground.write(".env", "TINYSCHEDULER_MAX_CONCURENT=2\n")
    await daemon.says("TINYSCHEDULER_MAX_CONCURENT is no setting of this version; did you mean")
    daemon.kill("SIGTERM")
    expect((await daemon.ended).code).toBe(0)
  })

  it("waits for a control file that it names before the file is there", async () => {
    const ground = await makeGround()
    ground.agents([ground.worker("vaela", "dev")])
    mkdirSync(ground.path("team"))
    const daemon = await startDaemon(ground)
    ground.write(".env", "TINYSCHEDULER_AGENT_CONTROL_FILE=team/agents.json\n")
    await daemon.says(/ERROR TINYSCHEDULER_AGENT_CONTROL_FILE in .*: there is no .*team\/agents\.json/)
    ground.write("team/agents.json", JSON.stringify([ground.worker("oscar", "qa")]))
    await daemon.says("new agents oscar; agents gone vaela")
    daemon.kill("SIGTERM")
    expect((await daemon.ended).code).toBe(0)
  })

  it("takes it in `up` too, whose endpoint is its own", async () => {
    const ground = await makeGround()
    ground.agents([ground.worker("vaela", "dev")])
    const up = ground.start(["up", "--port", "0"])
    await up.says("daemon: a pass every 60 s")
    ground.write(".env", "TINYSCHEDULER_MAX_CONCURRENT=3\n")
    await up.says("configuration taken: TINYSCHEDULER_MAX_CONCURRENT null -> 3")
    up.kill("SIGTERM")
    expect((await up.ended).code).toBe(0)
  })
})

describe("a daemon obeys", () => {
  it("SIGHUP by an answer, also when nothing has changed", async () => {
    const ground = await makeGround()
    ground.agents([ground.worker("vaela", "dev")])
    const daemon = await startDaemon(ground)
    daemon.kill("SIGHUP")
    await daemon.says("configuration: read anew; nothing in it has changed")
    daemon.kill("SIGTERM")
    expect((await daemon.ended).code).toBe(0)
  })

  it("SIGUSR1 by a pass at once", async () => {
    const ground = await makeGround()
    ground.agents([quick(ground, "vaela", "dev")])
    const daemon = await startDaemon(ground)
    const task = await ground.tinytask.add({ queue: "dev" })
    daemon.kill("SIGUSR1")
    await until("it is complete", isComplete(ground, task))
    daemon.kill("SIGTERM")
    const { code, stderr } = await daemon.ended
    expect(code).toBe(0)
    expect(stderr).not.toContain("Debugger")
  })
})

describe("a daemon that has only begun", () => {
  it("outlives requests that come before it can listen, and opens no debugger", async () => {
    const ground = await makeGround()
    ground.agents([ground.worker("vaela", "dev")])
    // Signals itself as soon as the program's own file has run, before anything else of it is loaded.
    const signals = ground.write(
      "signals.cjs",
      'process.nextTick(() => { for (const signal of ["SIGHUP", "SIGUSR1"]) process.kill(process.pid, signal) })\n'
    )
    const daemon = ground.start(["run", "--daemon", ...ground.endpoint], {
      env: { NODE_OPTIONS: `--require=${signals}` }
    })
    await daemon.says("daemon: a pass every")
    daemon.kill("SIGTERM")
    const { code, stderr } = await daemon.ended
    expect(code).toBe(0)
    expect(stderr).not.toContain("Debugger")
  })
})

describe("a daemon whose log nobody reads", () => {
  it("goes on, and still ends when it is asked to", async () => {
    const ground = await makeGround()
    ground.agents([quick(ground, "vaela", "dev")])
    const pipe = ground.path("pipe")
    expect(spawnSync("mkfifo", [pipe]).status).toBe(0)
    // The test holds the reading end open, and fills the pipe.
    const descriptor = openSync(pipe, constants.O_RDWR | constants.O_NONBLOCK)
    try {
      expect(() => {
        for (;;) writeSync(descriptor, Buffer.alloc(4096))
      }).toThrow("EAGAIN")
      const command = ["/bin/sh", "-c", `exec "$@" 2>"${pipe}"`, "sh", process.execPath, program]
      const daemon = ground.start(["run", "--daemon", ...ground.endpoint], { command })
      const task = await ground.tinytask.add({ queue: "dev" })
      await until("it works", isComplete(ground, task))
      daemon.kill("SIGTERM")
      expect((await daemon.ended).code).toBe(0)
    } finally {
      closeSync(descriptor)
    }
  })
})

describe("a daemon whose base path is moved away", () => {
  it("makes nothing in its place, says so once, and goes on when it is back", async () => {
    const ground = await makeGround()
    const base = join(ground.base, "base")
    mkdirSync(base)
    ground.write("base/agent-control.json", JSON.stringify([quick(ground, "vaela", "dev")]))
    const daemon = ground.start(["run", "--daemon", ...ground.endpoint, "--loop-interval", "1", "--base-path", base])
    await daemon.says("daemon: a pass every")
    renameSync(base, `${base}.away`)
    await daemon.says(/ERROR the scheduler lock .* can't be taken: there is no directory .*base/)
    expect(existsSync(base)).toBe(false)
    renameSync(`${base}.away`, base)
    await daemon.says("the scheduler lock is held again, as term 2")
    const task = await ground.tinytask.add({ queue: "dev" })
    await until("it is complete", isComplete(ground, task))
    daemon.kill("SIGTERM")
    const { code, stderr } = await daemon.ended
    expect(code).toBe(0)
    expect(linesOf(stderr).filter((line) => line.includes("can't be taken"))).toHaveLength(1)
  })
})

describe("a daemon that may start nothing", () => {
  it("says so once, however often it tries, and when it is over", async () => {
    const ground = await makeGround()
    ground.agents([quick(ground, "vaela", "dev")])
    mkdirSync(ground.path("state/term"), { recursive: true })
    const flags = ["--loop-interval", "1", "--log-level", "DEBUG"]
    const daemon = ground.start(["run", "--daemon", ...ground.endpoint, ...flags])
    await daemon.says(/DEBUG nothing will be started: .* \(3 passes in a row had errors\)/)
    rmdirSync(ground.path("state/term"))
    await daemon.says("the passes have no errors any more")
    daemon.kill("SIGTERM")
    const { code, stderr } = await daemon.ended
    expect(code).toBe(0)
    expect(linesOf(stderr).filter((line) => line.includes(" ERROR nothing will be started"))).toHaveLength(1)
    expect(linesOf(stderr).filter((line) => line.includes("daemon: a pass every"))).toHaveLength(1)
  })
})

describe("a daemon whose lock file is deleted", () => {
  it("takes the lock anew before it does anything else, and still excludes another scheduler", async () => {
    const ground = await makeGround()
    ground.agents([quick(ground, "vaela", "dev")])
    const daemon = ground.start(["run", "--daemon", ...ground.endpoint, "--loop-interval", "1"])
    await daemon.says("daemon: a pass every")
    const term = (): number => Number(ground.read("state/term"))
    const before = term()
    unlinkSync(ground.path("state/tinyscheduler.lock"))
    await daemon.says(/WARN .*the scheduler lock .* is lost: its file was deleted; taking it anew/)
    await until("it holds the lock again", () => term() > before)
    expect((await ground.cli(["run", "--once", ...ground.endpoint])).code).toBe(3)
    const task = await ground.tinytask.add({ queue: "dev" })
    await until("it is complete", isComplete(ground, task))
    daemon.kill("SIGTERM")
    expect((await daemon.ended).code).toBe(0)
  })
})

describe("a daemon whose passes fail", () => {
  it("tells an error when it appears and when it is over, not at every pass", async () => {
    const ground = await makeGround()
    ground.agents([quick(ground, "vaela", "dev")])
    const daemon = await startDaemon(ground, ["--log-level", "DEBUG"])
    await ground.tinytask.down()
    daemon.kill("SIGUSR1")
    await daemon.says(/ERROR Tinytask at .* nothing listens there/)
    // Asked again soon at first, by itself: no signal is needed.
    await daemon.says(/DEBUG Tinytask at .* \(2 passes in a row had errors\)/)
    await ground.tinytask.up()
    await daemon.says("INFO  the passes have no errors any more")
    daemon.kill("SIGTERM")
    const { stderr } = await daemon.ended
    expect(linesOf(stderr).filter((line) => line.includes(" ERROR "))).toHaveLength(1)
  })
})
