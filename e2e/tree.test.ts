/**
 * An agent is what it started, too: children, groups, sessions, who lost its parent, who gave up its environment. What of
 * it can be known is stopped with it; what can't be told from anybody else's is never signalled.
 */
import { readFileSync } from "node:fs"
import { describe, expect, it } from "vitest"
import { startBystander } from "./harness/bystanders.ts"
import { type Ground, makeGround } from "./harness/Ground.ts"
import { isLiving, signal, startOf } from "./harness/processes.ts"
import { fixture, program } from "./harness/program.ts"
import { canTrace, signalsSent, tracingKills } from "./harness/tracing.ts"
import { until } from "./harness/until.ts"

const treeSize = 50

interface Member {
  readonly pid: number
  readonly start: string
  readonly kind: string
  readonly group: string
  readonly session: string
}

const memberOf = (line: string): Member => {
  const [pid = "", kind = ""] = line.split(" ")
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8")
  const [, , group = "", session = ""] = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
  return { pid: Number(pid), start: startOf(Number(pid)) ?? "", kind, group, session }
}

const linesIn = (ground: Ground, name: string): ReadonlyArray<string> => {
  try {
    return ground.read(name).trimEnd().split("\n")
  } catch {
    return []
  }
}

/** Members without the ground's mark are ended by their pids, whatever becomes of the test. */
const withMembers = async (members: ReadonlyArray<Member>, work: () => Promise<void>): Promise<void> => {
  try {
    await work()
  } finally {
    for (const member of members) signal(member, "SIGKILL")
  }
}

const lives = ({ pid, start }: Member): boolean => startOf(pid) === start

const distinct = (values: ReadonlyArray<string>): number => new Set(values).size

describe("a tree of 50 processes over three sessions that ignores SIGINT and SIGTERM", () => {
  it("is gone after one climb of the ladder, whoever lost his parent or cleaned his environment, and nobody else is signalled", async () => {
    const ground = await makeGround()
    const command = ["bash", fixture("tree.sh"), ground.path("members")]
    ground.agents([{ agentName: "vaela", agentType: "dev", command, maxRuntimeSec: 1, stopGraceSec: 1 }])
    const task = await ground.tinytask.add({ queue: "dev" })
    const strangers = [
      await startBystander(ground, { name: "beside" }),
      await startBystander(ground, { name: "leader", session: true }),
      await startBystander(ground, { name: "token", session: true, env: { TINYSCHEDULER_LEASE: crypto.randomUUID() } })
    ]
    await ground.cli(["run", "--once", ...ground.endpoint])
    await until("the tree has grown", () => linesIn(ground, "members").length === treeSize)
    const members = linesIn(ground, "members").map(memberOf)
    const agent = members.find(({ kind }) => kind === "agent")
    expect(members.filter(lives)).toHaveLength(treeSize)
    expect(distinct(members.map(({ session }) => session))).toBe(3)
    expect(distinct(members.map(({ group }) => group))).toBe(13)

    const trace = ground.path("kills")
    const traced = canTrace ? { command: [...tracingKills(trace), process.execPath, "--", program] } : {}
    await withMembers(members, async () => {
      const begun = performance.now()
      await until("it has run for too long, and ended", async () => {
        return (await ground.cli(["run", "--once", ...ground.endpoint], traced)).stdout.includes("1 ended")
      })
      console.log(`gone after ${((performance.now() - begun) / 1000).toFixed(1)} s, with a grace of 1 s`)
      expect(members.filter(lives)).toEqual([])
    })
    expect(ground.outcomes(task)).toEqual(["timed-out"])
    expect({ lease: ground.lease(task), stops: ground.files("stops") }).toEqual({ lease: null, stops: [] })
    expect(strangers.map(({ harm }) => harm())).toEqual([[], [], []])
    expect(ground.processes().filter(({ environment }) => environment["E2E_BYSTANDER"] === undefined)).toEqual([])
    if (!canTrace) return console.log("strace may not trace here: who was signalled is known from the bystanders alone")
    const pidsThatGot = (name: string) =>
      signalsSent(trace)
        .filter((sent) => sent.signal === name)
        .map(({ pid }) => pid)
        .sort((a, b) => a - b)
    const all = members.map(({ pid }) => pid).sort((a, b) => a - b)
    // Each rung once: the first asks the agent, the last reaches everyone.
    expect({
      SIGINT: pidsThatGot("SIGINT"),
      SIGTERM: pidsThatGot("SIGTERM"),
      SIGKILL: pidsThatGot("SIGKILL")
    }).toEqual({ SIGINT: [agent?.pid], SIGTERM: all, SIGKILL: all })
    expect(signalsSent(trace).filter(({ pid }) => !all.includes(pid))).toEqual([])
  })
})

describe("who leaves an agent that then ends", () => {
  /** An agent that leaves one process behind, by this line of sh, and ends well. */
  const leaving = async (line: string): Promise<{ readonly ground: Ground; readonly left: Member }> => {
    const ground = await makeGround()
    const stay = `echo "$$ left" >>"${ground.path("members")}"; exec sleep 100000`
    ground.agents([
      { agentName: "vaela", agentType: "dev", command: ["sh", "-c", line, "leaving", stay], stopGraceSec: 1 }
    ])
    await ground.tinytask.add({ queue: "dev" })
    await ground.cli(["run", "--once", ...ground.endpoint])
    await until("its agent has ended", () => ground.lease(1)?.phase === "finished")
    await until("it has left somebody behind", () => linesIn(ground, "members").length === 1)
    const [left] = linesIn(ground, "members").map(memberOf)
    if (left === undefined) throw new Error("nobody was left behind")
    return { ground, left }
  }
  const pass = (ground: Ground) => ground.cli(["run", "--once", ...ground.endpoint, "--stop-wait", "4"])

  it("with its token: is ended before the slot is free, in whatever session", async () => {
    const { ground, left } = await leaving('(setsid sh -c "$1" &)')
    await withMembers([left], async () => {
      expect((await pass(ground)).stdout).toContain("1 ended")
      expect(lives(left)).toBe(false)
    })
    expect(ground.outcomes(1)).toEqual(["done"])
  })

  it("with no token, in the agent's session: may be the agent's and can't be proven to be, so it gets no signal and the slot stays taken, which every pass says", async () => {
    const { ground, left } = await leaving('(env -i sh -c "$1" &)')
    const next = await ground.tinytask.add({ queue: "dev" })
    await withMembers([left], async () => {
      for (let number = 0; number < 2; number += 1) {
        const { stderr, stdout } = await pass(ground)
        expect(stdout).toContain("0 started, 0 ended, 1 stopping")
        expect(stderr).toContain(String(left.pid))
      }
      expect(lives(left)).toBe(true)
      expect(ground.tinytask.database.task(next).status).toBe("idle")
      const status = await ground.cli(["status", ...ground.endpoint])
      expect(status.stdout).toMatch(new RegExp(`stop task 1 on vaela \\(epoch 1\\): leftovers, .*alive: ${left.pid}`))
    })
    await until("it is gone", () => !isLiving(left.pid))
    expect((await pass(ground)).stdout).toContain("1 started, 1 ended")
    expect(ground.outcomes(1)).toEqual(["done"])
  })

  it("with no token, in a session of its own, without a parent: nothing ties it to the attempt, so it is neither waited for nor signalled", async () => {
    const { ground, left } = await leaving('(setsid env -i sh -c "$1" &)')
    await withMembers([left], async () => {
      expect((await pass(ground)).stdout).toContain("1 ended")
      expect(lives(left)).toBe(true)
    })
    expect(ground.outcomes(1)).toEqual(["done"])
  })
})
