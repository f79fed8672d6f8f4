/** Cgroups of attempts: where they are, on real cgroups where this user has a delegated one; whom they never touch. */
import { randomUUID } from "node:crypto"
import * as fs from "node:fs"
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from "vitest"
import * as Effect from "effect/Effect"
import { attemptCgroupAbove, attemptOfCgroup, cgroupName, ownerOf } from "@tinyscheduler/core/domain/attemptCgroup"
import { Cgroups } from "@tinyscheduler/core/ports/Cgroups"
import { delegation, layer } from "../src/Cgroups.ts"
import { directoryOf, ownCgroup, parseMounts, parseUnified } from "../src/cgroup2.ts"
import { thisMachine } from "../src/thisMachine.ts"
import { exitOf, fixture, isLiving, Scene, until } from "./harness.ts"

const token = "11111111-1111-4111-8111-111111111111"
const other = "22222222-2222-4222-8222-222222222222"
const name = cgroupName({ taskId: 42, epoch: 7, token })

describe("the name of an attempt's cgroup", () => {
  it("says whose it is, and is the only one that does", () => {
    expect(name).toBe(`tinyscheduler-42.7-${token}`)
    expect(attemptOfCgroup(`/sys/fs/cgroup/${name}`)).toEqual({ taskId: 42, epoch: 7, token })
  })

  it.each([
    ["a service of somebody else", "/sys/fs/cgroup/system.slice/ssh.service"],
    ["the unit of the scheduler itself", "/sys/fs/cgroup/system.slice/tinyscheduler.service"],
    ["a cgroup below it", `/sys/fs/cgroup/${name}/inner`],
    ["a way back up", `/sys/fs/cgroup/${name}/../${name}`],
    ["a relative path", name],
    ["an empty part", `/sys/fs//${name}`],
    ["another ending", `/sys/fs/cgroup/${name}x`],
    ["a second line", `/sys/fs/cgroup/${name}\n`],
    ["a task of 0", `/sys/fs/cgroup/tinyscheduler-0.7-${token}`],
    ["no token", "/sys/fs/cgroup/tinyscheduler-42.7-x"],
    ["nothing", ""]
  ])("%s is no attempt's", (_, path) => expect(attemptOfCgroup(path)).toBeNull())

  it("is looked for upwards, the innermost first", () => {
    const inner = cgroupName({ taskId: 1, epoch: 1, token: other })
    expect(attemptCgroupAbove(`/a/${name}/b/c`)).toBe(`/a/${name}`)
    expect(attemptCgroupAbove(`/a/${name}/${inner}/c`)).toBe(`/a/${name}/${inner}`)
    expect(attemptCgroupAbove("/a/b")).toBeNull()
  })

  it("owns a process that carries no token; one that carries another's is that one's", () => {
    const cgroup = `/sys/fs/cgroup/${name}`
    expect(ownerOf({ token: null, cgroup })).toBe(token)
    expect(ownerOf({ token: other, cgroup })).toBe(other)
    expect(ownerOf({ token: other, cgroup: null })).toBe(other)
    expect(ownerOf({ token: null, cgroup: null })).toBeNull()
  })
})

describe("where a cgroup is seen", () => {
  const hybrid = [
    "31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755",
    "40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,name=systemd",
    "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime shared:4 master:1 - cgroup2 cgroup2 rw"
  ].join("\n")
  const pure = "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate"
  const part = "30 23 0:26 /docker/4f /sys/fs/cgroup ro - cgroup2 cgroup rw"

  it.each([
    ["on a hybrid hierarchy", hybrid, "/a/b", "/sys/fs/cgroup/unified/a/b"],
    ["at the root", hybrid, "/", "/sys/fs/cgroup/unified"],
    ["on a pure one", pure, "/system.slice/x.service", "/sys/fs/cgroup/system.slice/x.service"],
    ["where a part of the tree is mounted", part, "/docker/4f/agent", "/sys/fs/cgroup/agent"],
    ["at the root of that part", part, "/docker/4f", "/sys/fs/cgroup"],
    ["outside of that part", part, "/docker/4fe", null],
    ["outside of the namespace", pure, "/../other", null],
    ["without cgroup v2", "31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw", "/a", null],
    ["below a name with a space", "1 2 0:26 / /mnt/c\\040g rw - cgroup2 none rw", "/a", "/mnt/c g/a"]
  ])("%s", (_, mountinfo, cgroup, directory) => expect(directoryOf(parseMounts(mountinfo), cgroup)).toBe(directory))

  it("is read from the line of hierarchy 0", () => {
    expect(parseUnified("9:name=systemd:/x\n1:cpu:/y\n0::/a b/c:d\n")).toBe("/a b/c:d")
    expect(parseUnified("1:cpu:/y\n")).toBeNull()
  })
})

const place = delegation()
const needsCgroup = place._tag === "Place" ? "" : ` (needs a delegated cgroup: ${place.why})`
const home = place._tag === "Place" ? place.directory : ""

describe.skipIf(place._tag === "NoPlace")(`a supervisor whose lease names a cgroup${needsCgroup}`, () => {
  let scene: Scene
  let directory: string
  beforeEach(() => {
    scene = new Scene()
    directory = `${home}/${cgroupName({ taskId: 42, epoch: 7, token: scene.token })}`
  })
  afterEach(async () => {
    if (fs.existsSync(directory)) await act((cgroups) => cgroups.kill(directory))
    await scene.close()
    await until(() => {
      void act((cgroups) => cgroups.remove(directory))
      return !fs.existsSync(directory)
    })
  })

  const act = <A>(use: (cgroups: typeof Cgroups.Service) => Effect.Effect<A>): Promise<A> =>
    Effect.runPromise(Effect.flatMap(Cgroups, use).pipe(Effect.provide(layer)))
  const supervise = (argv: ReadonlyArray<string>) => {
    scene.writeLease(scene.lease({ cgroup: directory }))
    const order = scene.order(argv)
    return scene.supervise(argv, { lease: { ...order.lease, cgroup: directory } })
  }
  const members = () => thisMachine.scan().filter(({ cgroup }) => cgroup === directory)
  const shell = (script: string) => ["sh", "-c", script]

  it("starts its agent in it and is outside itself", async () => {
    const supervisor = supervise(["sh", fixture("gates.sh"), scene.path("up"), scene.path("go")])
    const { agent, cgroup } = await scene.running()
    await until(() => fs.existsSync(scene.path("up")))
    expect(cgroup).toBe(directory)
    expect(members().map(({ pid }) => pid)).toContain(agent.pid)
    expect(members().map(({ pid }) => pid)).not.toContain(supervisor.pid)
    expect(parseUnified(fs.readFileSync(`/proc/${supervisor.pid}/cgroup`, "utf8"))).toBe(
      parseUnified(fs.readFileSync("/proc/self/cgroup", "utf8"))
    )
    fs.writeFileSync(scene.path("go"), "")
    expect(await exitOf(supervisor)).toEqual({ code: 0, signal: null })
    expect(scene.readLease()).toMatchObject({ phase: "finished", cgroup: directory, exit: { code: 0 } })
  })

  it("holds what cleaned its environment, took a session of its own and lost its parent", async () => {
    const daemon = `setsid env -i PATH="$PATH" sh -c 'echo $$ > ${scene.path("pid")}; exec sleep 600' & exit 0`
    await exitOf(supervise(shell(daemon)))
    await until(() => fs.existsSync(scene.path("pid")) && fs.readFileSync(scene.path("pid"), "utf8") !== "")
    const pid = Number(fs.readFileSync(scene.path("pid"), "utf8"))
    expect(members()).toMatchObject([{ pid, token: null }])
    expect(isLiving(pid)).toBe(true)
    expect(await act((cgroups) => cgroups.kill(directory))).toBe(true)
    await until(() => !isLiving(pid))
    await act((cgroups) => cgroups.remove(directory))
    expect(fs.existsSync(directory)).toBe(false)
  })

  it("is removed with the cgroups that the agent made in it, and not while something lives in one", async () => {
    const inner = `${directory}/inner`
    const script = `mkdir -p ${inner}/deep; (echo 0 > ${inner}/deep/cgroup.procs; exec setsid env -i sleep 600) & exit 0`
    await exitOf(supervise(shell(script)))
    await until(() => fs.readFileSync(`${inner}/deep/cgroup.procs`, "utf8") !== "")
    expect(members()).toHaveLength(1)
    await act((cgroups) => cgroups.remove(directory))
    expect(fs.existsSync(`${inner}/deep`)).toBe(true)
    await act((cgroups) => cgroups.kill(directory))
    await until(() => members().length === 0)
    await act((cgroups) => cgroups.remove(directory))
    expect(fs.existsSync(directory)).toBe(false)
  })

  it("tells its members although a cgroup that the agent made in it can't be asked", async () => {
    const script = `mkdir ${directory}/threads && echo threaded > ${directory}/threads/cgroup.type; (exec setsid env -i sleep 600) & exit 0`
    await exitOf(supervise(shell(script)))
    await until(() => members().length === 1)
    expect(() => fs.readFileSync(`${directory}/threads/cgroup.procs`)).toThrow()
    expect(await act((cgroups) => cgroups.members(directory))).toEqual(members().map(({ pid }) => pid))
  })

  it("ends what is in it, too, when the attempt became another's", async () => {
    const daemon = `setsid env -i PATH="$PATH" sh -c 'echo $$ > ${scene.path("pid")}; exec sleep 600' & exec sleep 600`
    const supervisor = supervise(shell(daemon))
    await scene.running()
    await until(() => members().some(({ token: carried }) => carried === null))
    fs.rmSync(scene.claimPath)
    await exitOf(supervisor)
    await until(() => members().length === 0)
    expect(scene.readLease()).toMatchObject({ phase: "running" })
  })

  it("says in one sentence that it can't be made, and starts nothing", async () => {
    scene.writeLease()
    const order = scene.order(["touch", scene.path("ran")])
    const missing = `${home}/not-there/${cgroupName({ taskId: 42, epoch: 7, token: scene.token })}`
    scene.supervise(order.argv, { lease: { ...order.lease, cgroup: missing } })
    const { exit } = await scene.finished()
    expect(exit.error).toMatch(/^touch can't be started: its cgroup can't be made: ENOENT/)
    expect(fs.existsSync(scene.path("ran"))).toBe(false)
  })

  it("takes no order whose cgroup is another's", async () => {
    scene.writeLease()
    const order = scene.order(["touch", scene.path("ran")])
    const foreign = `${home}/${cgroupName({ taskId: 42, epoch: 7, token: randomUUID() })}`
    await exitOf(scene.supervise(order.argv, { lease: { ...order.lease, cgroup: foreign } }))
    expect(scene.readLease()).toMatchObject({ phase: "starting" })
    expect(fs.existsSync(foreign)).toBe(false)
  })

  it("is listed among the attempts' cgroups; what bears another name is neither killed nor removed", async () => {
    const foreign = `${home}/somebody-elses-${randomUUID()}`
    fs.mkdirSync(foreign)
    onTestFinished(() => fs.rmdirSync(foreign))
    fs.mkdirSync(directory)
    expect(await act((cgroups) => cgroups.list)).toContain(directory)
    expect(await act((cgroups) => cgroups.list)).not.toContain(foreign)
    expect(await act((cgroups) => cgroups.kill(foreign))).toBe(false)
    await act((cgroups) => cgroups.remove(foreign))
    expect(fs.existsSync(foreign)).toBe(true)
    // A directory of that name elsewhere is none of cgroup v2.
    const elsewhere = scene.path(cgroupName({ taskId: 42, epoch: 7, token: scene.token }))
    fs.mkdirSync(elsewhere)
    await act((cgroups) => cgroups.remove(elsewhere))
    expect(fs.existsSync(elsewhere)).toBe(true)
    expect(ownCgroup()).toBe(home)
  })
})
