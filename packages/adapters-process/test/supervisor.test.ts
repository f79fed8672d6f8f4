import * as fs from "node:fs"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { exitOf, fixture, isLiving, Scene, until } from "./harness.ts"

let scene: Scene
beforeEach(() => {
  scene = new Scene()
})
afterEach(() => scene.close())

const shell = (script: string) => ["sh", "-c", script]
/** An agent that says when it runs and ends when it is told. */
const gated = () => ["sh", fixture("gates.sh"), scene.path("up"), scene.path("go")]
const agentUp = () => until(() => fs.existsSync(scene.path("up")))
const letAgentEnd = () => fs.writeFileSync(scene.path("go"), "")
const temporaries = () =>
  [scene.runningDir, scene.claimsDir].flatMap((directory) =>
    fs.readdirSync(directory).filter((name) => name.startsWith(".tmp-"))
  )

describe("an attempt that goes its way", () => {
  it("claims, runs and records a normal end as the last thing it does", async () => {
    scene.writeLease()
    const supervisor = scene.supervise(gated())
    const running = await scene.running()
    await agentUp()
    expect(running.pid).toBe(supervisor.pid)
    expect(running.agent.group).toBe(running.agent.pid)
    expect(isLiving(running.agent.pid)).toBe(true)
    expect(scene.readClaim()).toMatchObject({ kind: "claim", pid: running.pid, pidStart: running.pidStart, epoch: 7 })
    expect(fs.readdirSync(scene.tmpDir)).toEqual(["42.7"])
    letAgentEnd()
    expect(await exitOf(supervisor)).toEqual({ code: 0, signal: null })
    const finished = scene.readLease()
    expect(finished).toMatchObject({ phase: "finished", exit: { code: 0, signal: null, error: null, tail: "" } })
    expect(finished).toMatchObject({ agent: running.agent, token: scene.token, term: 31, prior: { status: "idle" } })
    expect(fs.readdirSync(scene.tmpDir)).toEqual([])
    expect(temporaries()).toEqual([])
  })

  it("writes the lease's fields in the order of its file, two spaces deep, for its owner only", async () => {
    scene.writeLease()
    const before = Object.keys(JSON.parse(fs.readFileSync(scene.leasePath, "utf8")))
    await exitOf(scene.supervise(["true"]))
    const text = fs.readFileSync(scene.leasePath, "utf8")
    expect(Object.keys(JSON.parse(text)).slice(0, 6)).toEqual([
      "task_id",
      "agent_name",
      "pid",
      "start_time",
      "last_heartbeat",
      "max_runtime_sec"
    ])
    expect(Object.keys(JSON.parse(text)).toSorted()).toEqual([...before, "exit", "silent_ms"].toSorted())
    expect(text.split("\n")[1]).toBe('  "task_id": 42,')
    for (const file of [scene.leasePath, scene.claimPath]) expect(fs.statSync(file).mode & 0o777).toBe(0o600)
  })

  it.each([
    { name: "an exit code", script: "exit 3", exit: { code: 3, signal: null } },
    { name: "a signal", script: "kill -TERM $$", exit: { code: null, signal: "SIGTERM" } }
  ])("records $name", async ({ script, exit }) => {
    scene.writeLease()
    scene.supervise(shell(script))
    expect((await scene.finished()).exit).toMatchObject({ ...exit, error: null })
  })

  it("beats: each beat is a later time on both clocks", async () => {
    scene.writeLease()
    scene.supervise(gated())
    const first = await scene.running()
    await until(() => {
      const lease = scene.readLease()
      return lease?.phase === "running" && lease.beatMonoMs > first.beatMonoMs
    })
    letAgentEnd()
    expect((await scene.finished()).lastHeartbeat > first.lastHeartbeat).toBe(true)
  })

  it("shows in its beats when the agent last said something", async () => {
    scene.writeLease()
    scene.supervise(shell(`echo hello; exec sh ${fixture("gates.sh")} ${scene.path("up")} ${scene.path("go")}`))
    await until(() => (scene.readLease()?.lastOutput ?? null) !== null)
    expect(scene.log()).toBe("hello\n")
    letAgentEnd()
    await scene.finished()
  })
})

describe("what an agent gets", () => {
  it("is a session of its own, no input, nothing of ours in its environment, and a private TMPDIR", async () => {
    scene.writeLease()
    const script =
      'ps -o sid= -p $$; ls -l /proc/self/fd/0; env | grep ^TINYSCHEDULER_ | sort; echo "$TMPDIR"; stat -c %a "$TMPDIR"; pwd'
    scene.supervise(shell(script), { env: { TINYSCHEDULER_LEASE: scene.token, TINYSCHEDULER_TASK_ID: "42" } })
    const { agent } = await scene.finished()
    const lines = scene.log().trimEnd().split("\n")
    expect(Number(lines[0])).toBe(agent?.pid)
    expect(lines[1]).toContain("/dev/null")
    expect(lines.slice(2)).toEqual([
      `TINYSCHEDULER_LEASE=${scene.token}`,
      "TINYSCHEDULER_TASK_ID=42",
      `${scene.tmpDir}/42.7`,
      "700",
      fs.realpathSync(scene.base)
    ])
  })

  it("is an output that can be opened by name", async () => {
    scene.writeLease()
    scene.supervise(shell("echo out > /dev/stdout; echo err > /dev/stderr; echo again >> /proc/self/fd/1"))
    const { exit } = await scene.finished()
    expect(exit).toMatchObject({ code: 0, tail: "out\nerr\nagain\n" })
    expect(scene.log()).toBe("out\nerr\nagain\n")
  })

  it("is none of its supervisor's descriptors", async () => {
    scene.writeLease()
    scene.supervise(shell("echo; for fd in /proc/$$/fd/*; do readlink $fd; done"))
    await scene.finished()
    expect(scene.log()).toMatch(/output/)
    expect(scene.log()).not.toMatch(/anon_inode|socket:|\.log|running|claims/)
  })
})

describe("the claim decides", () => {
  it.each([
    { name: "another supervisor's claim", kind: "claim" },
    { name: "a tombstone", kind: "tombstone" }
  ])("nothing starts over $name", async ({ kind }) => {
    scene.writeLease()
    fs.writeFileSync(scene.claimPath, JSON.stringify({ kind }))
    const before = fs.readFileSync(scene.leasePath, "utf8")
    await exitOf(scene.supervise(gated()))
    expect(fs.existsSync(scene.path("up"))).toBe(false)
    expect(fs.readFileSync(scene.claimPath, "utf8")).toBe(JSON.stringify({ kind }))
    expect(fs.readFileSync(scene.leasePath, "utf8")).toBe(before)
    expect(temporaries()).toEqual([])
  })

  it.each([
    { name: "bears another token", change: { token: "22222222-2222-4222-8222-222222222222" } },
    { name: "is of another epoch", change: { epoch: 8 } },
    { name: "is not in starting", change: { phase: "running" } },
    { name: "is gone", change: null },
    { name: "is torn", change: "torn" }
  ])("nothing starts, and nothing is touched, where the lease $name", async ({ change }) => {
    scene.writeLease()
    const lease = JSON.parse(fs.readFileSync(scene.leasePath, "utf8"))
    if (change === null) fs.unlinkSync(scene.leasePath)
    else
      fs.writeFileSync(
        scene.leasePath,
        change === "torn" ? '{ "task_id": 4' : JSON.stringify({ ...lease, ...Object(change) })
      )
    const before = change === null ? null : fs.readFileSync(scene.leasePath, "utf8")
    await exitOf(scene.supervise(gated()))
    expect(fs.existsSync(scene.path("up"))).toBe(false)
    expect(fs.existsSync(scene.leasePath) ? fs.readFileSync(scene.leasePath, "utf8") : null).toBe(before)
    expect(scene.readClaim().kind).toBe("claim")
  })

  it("a tombstone that comes before the link wins, also over a supervisor that slept", async () => {
    scene.writeLease()
    const hold = { at: "claim", until: scene.path("claim-now") } as const
    const supervisor = scene.supervise(gated(), { hold })
    await until(() => fs.existsSync(`${hold.until}.reached`))
    fs.writeFileSync(scene.claimPath, JSON.stringify({ kind: "tombstone" }))
    fs.writeFileSync(hold.until, "")
    await exitOf(supervisor)
    expect(fs.existsSync(scene.path("up"))).toBe(false)
    expect(scene.readLease()?.phase).toBe("starting")
  })

  it("of two supervisors of one epoch exactly one starts the agent, twenty times", async () => {
    const agent = shell(`echo started >> ${scene.path("starts")}`)
    for (let round = 1; round <= 20; round++) {
      scene.writeLease()
      const rivals = [scene.supervise(agent), scene.supervise(agent)]
      await Promise.all(rivals.map(exitOf))
      expect(fs.readFileSync(scene.path("starts"), "utf8")).toBe("started\n".repeat(round))
      expect(scene.readLease()?.phase).toBe("finished")
      fs.unlinkSync(scene.claimPath)
    }
  })

  it("an order that is cut off starts nothing and claims nothing", async () => {
    scene.writeLease()
    const order = JSON.stringify(scene.order(gated()))
    await exitOf(scene.superviseWith(order.slice(0, order.length / 2)))
    expect(fs.existsSync(scene.path("up"))).toBe(false)
    expect(fs.readdirSync(scene.claimsDir)).toEqual([])
  })
})

describe("while the agent runs", () => {
  it.each([
    { name: "deleted", spoil: () => fs.unlinkSync(scene.leasePath) },
    { name: "torn", spoil: () => fs.writeFileSync(scene.leasePath, '{ "task_id": 42, "tok') },
    { name: "replaced by a link", spoil: () => replaceByLink() }
  ])("a lease that is $name is written whole from memory", async ({ spoil }) => {
    scene.writeLease()
    const supervisor = scene.supervise(gated())
    const before = await scene.running()
    spoil()
    await until(() => fs.lstatSync(scene.leasePath, { throwIfNoEntry: false })?.isFile() === true && isReadable())
    expect(await scene.running()).toMatchObject({
      ...before,
      lastHeartbeat: expect.anything(),
      beatMonoMs: expect.anything(),
      silentMs: expect.anything()
    })
    letAgentEnd()
    await exitOf(supervisor)
    expect(scene.readLease()?.phase).toBe("finished")
  })

  it.each([
    { name: "its claim is gone", spoil: () => fs.unlinkSync(scene.claimPath) },
    { name: "its claim is another's", spoil: () => fs.writeFileSync(scene.claimPath, '{ "kind": "tombstone" }') },
    { name: "its lease bears another token", spoil: () => stealLease() }
  ])("a supervisor writes nothing more and ends its agent when $name", async ({ spoil }) => {
    scene.writeLease()
    const supervisor = scene.supervise(shell(`sleep 1000 & exec sleep 1000`))
    const { agent } = await scene.running()
    // Held still, so that what stands after the theft is known byte for byte.
    process.kill(supervisor.pid ?? 0, "SIGSTOP")
    spoil()
    const before = fs.readFileSync(scene.leasePath, "utf8")
    process.kill(supervisor.pid ?? 0, "SIGCONT")
    expect(await exitOf(supervisor)).toEqual({ code: 0, signal: null })
    expect(isLiving(agent.pid)).toBe(false)
    await until(() => scene.carriers().length === 0)
    expect(fs.readFileSync(scene.leasePath, "utf8")).toBe(before)
    expect(temporaries()).toEqual([])
  })

  it("a lost agent that ignores SIGINT is killed after the grace", async () => {
    scene.writeLease()
    const argv = ["sh", fixture("ignores-int.sh"), scene.path("up"), scene.path("asked")]
    const supervisor = scene.supervise(argv, { stopGraceSec: 0.5 })
    const { agent } = await scene.running()
    await agentUp()
    fs.unlinkSync(scene.claimPath)
    await exitOf(supervisor)
    expect(fs.existsSync(scene.path("asked"))).toBe(true)
    expect(isLiving(agent.pid)).toBe(false)
  })

  it("a claim that is stolen before `running` is written is respected", async () => {
    scene.writeLease()
    const hold = { at: "started", until: scene.path("write-now") } as const
    const supervisor = scene.supervise(["sleep", "1000"], { hold })
    await until(() => fs.existsSync(`${hold.until}.reached`))
    fs.unlinkSync(scene.claimPath)
    fs.writeFileSync(hold.until, "")
    await exitOf(supervisor)
    expect(scene.readLease()?.phase).toBe("starting")
    expect(scene.carriers()).toEqual([])
  })

  it("a claim that is stolen before `finished` is written is respected", async () => {
    scene.writeLease()
    const hold = { at: "finish", until: scene.path("write-now") } as const
    const supervisor = scene.supervise(["true"], { hold })
    await until(() => fs.existsSync(`${hold.until}.reached`))
    fs.unlinkSync(scene.claimPath)
    fs.writeFileSync(hold.until, "")
    await exitOf(supervisor)
    expect(scene.readLease()?.phase).toBe("running")
  })

  it("SIGINT and SIGHUP change nothing; SIGTERM ends the agent and is recorded as its end", async () => {
    scene.writeLease()
    const supervisor = scene.supervise(["sleep", "1000"])
    const before = await scene.running()
    for (const signal of ["SIGINT", "SIGHUP"] as const) process.kill(supervisor.pid ?? 0, signal)
    await until(() => {
      const lease = scene.readLease()
      return lease?.phase === "running" && lease.beatMonoMs > before.beatMonoMs
    })
    process.kill(supervisor.pid ?? 0, "SIGTERM")
    expect(await exitOf(supervisor)).toEqual({ code: 0, signal: null })
    expect(scene.readLease()).toMatchObject({ phase: "finished", exit: { code: null, signal: "SIGINT" } })
  })

  it("a supervisor that is killed leaves an agent that a scan finds by its token", async () => {
    scene.writeLease()
    const supervisor = scene.supervise(["sleep", "1000"])
    const { agent } = await scene.running()
    process.kill(supervisor.pid ?? 0, "SIGKILL")
    await exitOf(supervisor)
    expect(scene.carriers().map(({ pid }) => pid)).toEqual([agent.pid])
  })
})

describe("an agent that can't be started", () => {
  it.each([
    { name: "a missing program", argv: ["/no/such/agent"], cwd: null, error: /^\/no\/such\/agent was not found/ },
    {
      name: "a missing directory",
      argv: ["true"],
      cwd: "/no/such/dir",
      error: /^the working directory \/no\/such\/dir/
    },
    { name: "a file that is no program", argv: [fixture("gates.sh")], cwd: null, error: /may not be executed/ },
    { name: "an argument with a NUL", argv: ["true", "a\0b"], cwd: null, error: /can't be started/ }
  ])("ends as finished, with the reason: $name", async ({ argv, cwd, error }) => {
    scene.writeLease()
    const supervisor = scene.supervise(argv, cwd === null ? {} : { cwd })
    const finished = await scene.finished()
    expect(finished.agent).toBeNull()
    expect(finished.exit).toMatchObject({ code: null, signal: null, error: expect.stringMatching(error) })
    expect(await exitOf(supervisor)).toEqual({ code: 0, signal: null })
    expect(fs.readdirSync(scene.tmpDir)).toEqual([])
  })
})

describe("the end", () => {
  it("does not wait for a grandchild that holds the output", async () => {
    scene.writeLease()
    const supervisor = scene.supervise(shell(`echo before; setsid sleep 1000 & echo $! > ${scene.path("pid")}`))
    await exitOf(supervisor)
    expect(scene.readLease()).toMatchObject({ phase: "finished", exit: { code: 0, tail: "before\n" } })
    expect(isLiving(Number(fs.readFileSync(scene.path("pid"), "utf8")))).toBe(true)
  })

  it("has everything that the agent wrote before it ended", async () => {
    scene.writeLease()
    scene.supervise(shell("seq 1 20000"))
    await scene.finished()
    const lines = scene.log().trimEnd().split("\n")
    expect(lines.length).toBe(20_000)
    expect(lines.at(-1)).toBe("20000")
  })

  it("is not left unrecorded when the lease can't be written for a while", async () => {
    scene.writeLease()
    const supervisor = scene.supervise(gated(), { heartbeatSec: 1000 })
    await scene.running()
    await agentUp()
    // A directory in its place: every replacement fails, for root too, and each try is seen as a temporary file.
    fs.unlinkSync(scene.leasePath)
    fs.mkdirSync(scene.leasePath)
    const tries = new Set<string>()
    const watcher = fs.watch(scene.runningDir, (_, name) => {
      if (name?.startsWith(".tmp-") === true) tries.add(name)
    })
    letAgentEnd()
    await until(() => tries.size >= 3)
    watcher.close()
    expect(isLiving(supervisor.pid ?? 0)).toBe(true)
    fs.rmdirSync(scene.leasePath)
    expect(await exitOf(supervisor)).toEqual({ code: 0, signal: null })
    expect(scene.readLease()?.phase).toBe("finished")
    expect(temporaries()).toEqual([])
  })
})

const isReadable = (): boolean => {
  try {
    return scene.readLease() !== null
  } catch {
    return false
  }
}

const replaceByLink = (): void => {
  fs.renameSync(scene.leasePath, scene.path("elsewhere"))
  fs.symlinkSync(scene.path("elsewhere"), scene.leasePath)
}

const stealLease = (): void => {
  const lease = JSON.parse(fs.readFileSync(scene.leasePath, "utf8"))
  fs.writeFileSync(scene.leasePath, JSON.stringify({ ...lease, token: "22222222-2222-4222-8222-222222222222" }))
}
