/** Coming from the Python version: its lock, its files, its settings, and the page that tells how. */
import { spawn, spawnSync } from "node:child_process"
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs"
import { describe, expect, it } from "vitest"
import { type Ground, makeGround, treeOf } from "./harness/Ground.ts"
import { followPage } from "./harness/page.ts"
import { linesOf, program, repository } from "./harness/program.ts"
import { deadPid, leaseText, pass, startWrapper, takenOver, writeLease } from "./harness/python.ts"
import { troublesOf } from "./harness/sentences.ts"
import { until } from "./harness/until.ts"

describe("its lock", () => {
  const lock = "state/tinyscheduler.lock"
  const oldLock = (ground: Ground, pid: number): string => {
    const path = ground.write(lock, `${pid}\n`)
    chmodSync(path, 0o644)
    return path
  }

  it("left behind: it is taken, not deleted", async () => {
    const ground = await takenOver(0)
    const path = oldLock(ground, deadPid())
    const { ino } = statSync(path)
    expect((await pass(ground)).code).toBe(0)
    expect(statSync(path).ino).toBe(ino)
  })

  it("held by a living scheduler: exit 3 with one sentence that names it, and nothing is changed", async () => {
    const ground = await takenOver(1)
    writeLease(ground, { task: 1, agent: "vaela", pid: deadPid() })
    // The lock that Python's fcntl.flock takes is the one that flock(1) takes.
    const holder = spawn("flock", ["--no-fork", oldLock(ground, 4711), "sleep", "600"], {
      stdio: "ignore",
      env: ground.environment()
    })
    await until("the lock is held", () => spawnSync("flock", ["-n", ground.path(lock), "true"]).status === 1)
    const before = treeOf(ground.path("state"))
    for (const args of [
      ["run", "--once"],
      ["run", "--daemon"]
    ]) {
      const { code, stderr } = await ground.cli([...args, ...ground.endpoint])
      expect({ code, said: linesOf(stderr) }).toEqual({
        code: 3,
        said: [
          expect.stringMatching(/^another scheduler holds .*tinyscheduler\.lock \(pid 4711\)\. It goes on; stop it/)
        ]
      })
    }
    expect(treeOf(ground.path("state"))).toEqual(before)
    // Looking works beside it.
    expect((await ground.cli(["status", ...ground.endpoint])).stdout).toContain("reclaim task 1 from vaela")

    const ended = new Promise((resolve) => holder.once("close", resolve))
    holder.kill("SIGKILL")
    await ended
    // At its end the Python version deletes the file.
    rmSync(ground.path(lock))
    expect((await pass(ground)).code).toBe(0)
  })

  it("is held against it while we run, even where it has emptied the file before it asked", async () => {
    const ground = await takenOver(0)
    const daemon = ground.start(["run", "--daemon", ...ground.endpoint])
    await daemon.says("daemon: a pass every")
    // Opened for writing as Python's open(path, "w") does, then asked for without waiting.
    const refused = spawnSync("/bin/sh", ["-c", 'exec 9>"$0"; flock -n 9', ground.path(lock)])
    expect(refused.status).toBe(1)
    expect(ground.read(lock)).toBe("")
    expect((await ground.cli(["status", ...ground.endpoint])).stdout).toContain("scheduler: the lock names nobody")
    expect((await pass(ground)).code).toBe(3)
    daemon.kill("SIGTERM")
    expect((await daemon.ended).code).toBe(0)
  })
})

describe("its files", () => {
  const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8)

  it("directories open to others and a log readable by all: they are warned of, and closed by --fix", async () => {
    const ground = await takenOver(0)
    for (const name of ["state", "state/running", "state/logs"]) {
      mkdirSync(ground.path(name))
      chmodSync(ground.path(name), 0o755)
    }
    const warned = await ground.cli(["validate-config", ...ground.endpoint])
    expect(warned.stdout).toMatch(/warning .*state: is open to others \(mode 755\)/)
    expect((await pass(ground)).code).toBe(0)
    await ground.cli(["validate-config", "--fix", ...ground.endpoint])
    expect(["state", "state/running", "state/logs"].map((name) => modeOf(ground.path(name)))).toEqual([
      "700",
      "700",
      "700"
    ])
  })

  it("directories that a group may write, as a umask of 002 makes them: refused in one sentence until --fix", async () => {
    const ground = await takenOver(0)
    for (const name of ["state", "state/running", "state/logs"]) {
      mkdirSync(ground.path(name))
      chmodSync(ground.path(name), 0o775)
    }
    const { code, stderr } = await pass(ground)
    expect(code).not.toBe(0)
    expect(troublesOf(stderr)).toEqual([
      expect.stringMatching(/can be written by its group or by others: chmod 700 it$/)
    ])
    const checked = await ground.cli(["validate-config", ...ground.endpoint])
    expect({
      code: checked.code,
      says: /error .*state: can be written by its group/.test(checked.stdout)
    }).toEqual({
      code: 2,
      says: true
    })
    expect((await ground.cli(["validate-config", "--fix", ...ground.endpoint])).code).toBe(0)
    expect((await pass(ground)).code).toBe(0)
  })

  it("logs of the same names are gone on with, and older ones left as they are", async () => {
    const ground = await takenOver(0)
    const now = new Date()
    const day = (date: Date) =>
      `${date.getFullYear()}${`${date.getMonth() + 101}${date.getDate() + 100}`.replace(/^1(..)1/, "$1")}`
    const today = `state/logs/scheduler_${day(now)}.log`
    const yesterday = `state/logs/scheduler_${day(new Date(now.getTime() - 86_400_000))}.log`
    const line = "2026-01-20 04:00:00,123 - tinyscheduler - INFO - Starting reconciliation pass\n"
    for (const name of [today, yesterday]) chmodSync(ground.write(name, line), 0o644)
    expect((await pass(ground)).code).toBe(0)
    expect(ground.read(yesterday)).toBe(line)
    expect(ground.read(today).startsWith(line)).toBe(true)
    expect(linesOf(ground.read(today)).length).toBeGreaterThan(1)
  })
})

describe("its settings", () => {
  const variables: Readonly<Record<string, string>> = {
    BASE_PATH: "/srv/agents",
    RUNNING_DIR: "state/running",
    LOG_DIR: "state/logs",
    RECIPES_DIR: "recipes",
    LOCK_FILE: "state/tinyscheduler.lock",
    AGENT_CONTROL_FILE: "docs/technical/agent-control.json",
    AGENT_LIMITS: '\'{"dispatcher": 1, "architect": 2}\'',
    GOOSE_BIN: "/root/.local/bin/goose",
    MCP_ENDPOINT: "http://localhost:3000",
    LOOP_INTERVAL_SEC: "60",
    HEARTBEAT_SEC: "15",
    MAX_RUNTIME_SEC: "3600",
    LOG_LEVEL: "WARNING",
    DRY_RUN: "false",
    ENABLED: "true",
    DISABLE_BLOCKING: "false"
  }
  const unused = { BIN_DIR: "scripts", TASK_CACHE_DIR: "state/tasks" }

  it("each variable of its .env is understood, or said to be unused", async () => {
    const ground = await makeGround()
    const lines = Object.entries({ ...variables, BASE_PATH: ground.base, ...unused }).map(
      ([name, value]) => `TINYSCHEDULER_${name}=${value}\n`
    )
    ground.write("old.env", lines.join(""))
    const agents = ["dispatcher", "architect"].map((agentName) => ({ agentName, agentType: "dev" }))
    ground.write(variables["AGENT_CONTROL_FILE"] ?? "", JSON.stringify(agents))
    const { code, stderr, stdout } = await ground.cli(["--env-file", "old.env", "config", "--show", "--json"])
    expect(code).toBe(0)
    expect(linesOf(stderr).toSorted()).toEqual(
      Object.keys(unused).map((name) => `TINYSCHEDULER_${name} is accepted for compatibility and not used`)
    )
    const shown: { readonly settings: ReadonlyArray<{ readonly variable: string; readonly origin: string }> } =
      JSON.parse(stdout)
    const filed = shown.settings.filter(({ origin }) => origin === "env file").map(({ variable }) => variable)
    expect(filed.sort()).toEqual(
      Object.keys(variables)
        .map((name) => `TINYSCHEDULER_${name}`)
        .sort()
    )
  })

  it("a variable within a path, which the Python version filled in, is an error", async () => {
    const ground = await makeGround()
    ground.write("old.env", `TINYSCHEDULER_LOG_DIR=\${TINYSCHEDULER_BASE_PATH}/logs\n`)
    const { code, stderr } = await ground.cli(["--env-file", "old.env", "config"])
    expect(code).toBe(2)
    expect(stderr).toMatch(/^TINYSCHEDULER_LOG_DIR in .*old\.env: .* write the whole path$/m)
  })

  it("a control file that is named and missing is an error, where the Python version fell back to legacy mode", async () => {
    const ground = await makeGround()
    ground.write(".env", `TINYSCHEDULER_AGENT_CONTROL_FILE=${variables["AGENT_CONTROL_FILE"] ?? ""}\n`)
    const { code, stderr } = await pass(ground)
    expect(code).toBe(2)
    expect(stderr).toContain(ground.path("docs/technical/agent-control.json"))
  })

  it("ENABLED=false, which the Python version never looked at, starts nothing, and status says so", async () => {
    const ground = await takenOver(0)
    await ground.tinytask.add({ queue: "dev" })
    ground.write(".env", "TINYSCHEDULER_ENABLED=false\n")
    expect((await pass(ground)).stderr).toContain("wait task 1: starts are off: disabled")
    const { stdout } = await ground.cli(["status", ...ground.endpoint])
    expect(stdout).toContain("starts are off: TINYSCHEDULER_ENABLED is false")
  })
})

it("docs/migration.md leads through it, command by command, and back", async () => {
  const ground = await makeGround()
  const base = "calypso"
  const recipe = readFileSync(`${repository}examples/recipes/developer.yaml`, "utf8")
  for (const agent of ["vaela", "oscar"]) ground.write(`${base}/recipes/${agent}.yaml`, recipe)
  const agents = [
    { agentName: "vaela", agentType: "dev" },
    { agentName: "oscar", agentType: "qa", comment: "tests" }
  ]
  ground.write(`${base}/docs/technical/agent-control.json`, JSON.stringify(agents))
  ground.write(
    `${base}/.env`,
    Object.entries({
      BASE_PATH: ground.path(base),
      AGENT_CONTROL_FILE: "docs/technical/agent-control.json",
      AGENT_LIMITS: `'{"vaela": 1, "oscar": 1}'`,
      GOOSE_BIN: ground.installGoose(),
      MCP_ENDPOINT: ground.tinytask.url,
      BIN_DIR: "scripts",
      TASK_CACHE_DIR: "state/tasks"
    })
      .map(([name, value]) => `TINYSCHEDULER_${name}=${value}\n`)
      .join("")
  )
  ground.write("bin/tinyscheduler", `#!/bin/sh\nexec '${process.execPath}' '${program}' "$@"\n`)
  chmodSync(ground.path("bin/tinyscheduler"), 0o755)
  mkdirSync(ground.path("notes"))

  const wrapper = await startWrapper(ground)
  for (const [task, assignee, queue, pid] of [
    [1, "vaela", "dev", wrapper.pid],
    [2, "oscar", "qa", deadPid()]
  ] as const) {
    await ground.tinytask.add({ queue, assignee })
    await ground.tinytask.update(task, { status: "working" })
    ground.write(`${base}/state/running/task_${task}.json`, leaseText({ task, agent: assignee, pid }))
    chmodSync(ground.path(`${base}/state/running/task_${task}.json`), 0o600)
  }
  ground.write(`${base}/state/logs/scheduler_20260120.log`, "")
  for (const name of ["state", "state/running", "state/logs"]) chmodSync(ground.path(`${base}/${name}`), 0o755)

  // The old agent ends after the pass of the last step: that is the second one that raises the term.
  const endOfOld = until("the second pass has been made", () => {
    const term = ground.path(`${base}/state/term`)
    return existsSync(term) && readFileSync(term, "utf8").includes("2")
  }).then(async () => {
    await ground.tinytask.update(1, { status: "complete" })
    rmSync(ground.path(`${base}/state/running/task_1.json`))
    await wrapper.kill()
  })
  await followPage("docs/migration.md", {
    cwd: ground.base,
    env: { ...ground.environment(), PATH: `${ground.path("bin")}:${process.env["PATH"] ?? ""}` },
    notes: ground.path("notes"),
    typed: (text) => text.replaceAll("/srv/calypso", ground.path(base))
  })
  await endOfOld
  expect(wrapper.wasSignalled()).toBe(false)
  expect(readdirSync(ground.path(`${base}/state/running`))).toEqual([])
  expect(readdirSync(ground.path(`${base}/state.python/running`))).toEqual(["task_1.json", "task_2.json"])
  expect((statSync(ground.path(`${base}/state/running`)).mode & 0o777).toString(8)).toBe("700")
})
