/** Who a process is and whether it lives; which processes belong to an attempt. */
import { describe, expect, it } from "vitest"
import {
  ancestorsOf,
  cgroupsToKill,
  judgeLiveness,
  processesOfAttempt,
  targetsOfAttempt
} from "../../src/domain/ProcessIdentity.ts"
import type { AttemptTraces, ProcessIdentity, ProcessRow, ProcessSight } from "../../src/domain/ProcessIdentity.ts"
import { isProvenDead, nothingLeft } from "../../src/domain/TaskRecord.ts"
import { evidence, here, tokenOf } from "../builders.ts"

const identity = (fields: Partial<ProcessIdentity> = {}): ProcessIdentity => ({
  ...here,
  pid: 100,
  pidStart: 700,
  ...fields
})
const seen = (fields: Partial<Extract<ProcessSight, { readonly _tag: "Seen" }>> = {}): ProcessSight => ({
  _tag: "Seen",
  pidStart: 700,
  state: "S",
  otherThreadLives: false,
  ...fields
})
const absent: ProcessSight = { _tag: "Absent" }
const unreadable: ProcessSight = { _tag: "Unreadable" }

describe("liveness, in this order", () => {
  it.each([
    {
      name: "another host is unknown, though no such pid is here",
      who: { host: "other/9c1d" },
      sight: absent,
      is: "unknown"
    },
    { name: "a missing host is unknown", who: { host: "" }, sight: absent, is: "unknown" },
    { name: "the host's name alone is not the host", who: { host: "calypso" }, sight: absent, is: "unknown" },
    {
      name: "another host is unknown, of another boot too",
      who: { host: "other/9c1d", bootId: "boot-1" },
      sight: absent,
      is: "unknown"
    },
    { name: "another boot is dead, though its pid is in use", who: { bootId: "boot-1" }, sight: seen(), is: "dead" },
    {
      name: "another boot is dead, in whatever pid namespace",
      who: { bootId: "boot-1", pidNs: 1 },
      sight: seen(),
      is: "dead"
    },
    { name: "another pid namespace is unknown", who: { pidNs: 1 }, sight: absent, is: "unknown" },
    { name: "no such process is dead", who: {}, sight: absent, is: "dead" },
    { name: "a pid that was given to another is dead", who: {}, sight: seen({ pidStart: 900 }), is: "dead" },
    { name: "state X is dead", who: {}, sight: seen({ state: "X" }), is: "dead" },
    { name: "a zombie is dead", who: {}, sight: seen({ state: "Z" }), is: "dead" },
    {
      name: "a zombie leader with a living thread is alive",
      who: {},
      sight: seen({ state: "Z", otherThreadLives: true }),
      is: "alive"
    },
    { name: "a pid that exists and can't be read is unknown", who: {}, sight: unreadable, is: "unknown" },
    { name: "sleeping is alive", who: {}, sight: seen(), is: "alive" },
    { name: "stopped is alive", who: {}, sight: seen({ state: "T" }), is: "alive" },
    { name: "in uninterruptible sleep is alive", who: {}, sight: seen({ state: "D" }), is: "alive" }
  ])("$name", ({ is, sight, who }) => {
    expect(judgeLiveness(identity(who), here, sight)).toBe(is)
  })

  it.each([
    { name: "supervisor, agent and all others dead, and looked for", seen: evidence.dead, dead: true, left: true },
    { name: "not looked for", seen: evidence.deadUnscanned, dead: false, left: false },
    { name: "a grandchild lives", seen: { ...evidence.dead, others: [7] }, dead: false, left: false },
    {
      name: "the agent can't be looked at",
      seen: { ...evidence.dead, agent: "unknown" as const },
      dead: false,
      left: false
    },
    { name: "only the supervisor lives", seen: evidence.agentGone, dead: false, left: true },
    {
      name: "the supervisor can't be looked at",
      seen: { ...evidence.dead, supervisor: "unknown" as const },
      dead: false,
      left: true
    }
  ])("an attempt is proven dead, a finished one gone: $name", ({ dead, left, seen }) => {
    expect([isProvenDead(seen), nothingLeft(seen)]).toEqual([dead, left])
  })
})

const token = tokenOf(1, 3)
const row = (pid: number, parent: number, fields: Partial<ProcessRow> = {}): ProcessRow => ({
  pid,
  parent,
  group: pid,
  session: pid,
  pidStart: 701,
  state: "S",
  cgroup: null,
  token: null,
  ...fields
})
/** Supervisor 100 and its agent 200, leader of its session and group. */
const supervisor = row(100, 1, { pidStart: 700 })
const agent = row(200, 100)
const traces: AttemptTraces = {
  token,
  supervisor: { pid: 100, pidStart: 700 },
  agent: { pid: 200, pidStart: 701, group: 200 },
  known: []
}
const pids = (
  rows: ReadonlyArray<ProcessRow>,
  changed: Partial<AttemptTraces> = {},
  spared: ReadonlyArray<number> = []
) => processesOfAttempt(rows, { ...traces, ...changed }, new Set(spared)).map(({ pid }) => pid)

describe("the processes of an attempt", () => {
  it.each([
    { name: "the agent; never its supervisor", rows: [supervisor, agent], is: [200] },
    {
      name: "children of the agent, in its group or not",
      rows: [supervisor, agent, row(201, 200), row(202, 200, { group: 200, session: 200 })],
      is: [200, 201, 202]
    },
    {
      name: "grandchildren that made a session of their own (setsid)",
      rows: [supervisor, agent, row(201, 200), row(202, 201)],
      is: [200, 201, 202]
    },
    {
      name: "the orphans of a dead agent's session, adopted by init",
      rows: [supervisor, row(201, 1, { group: 200, session: 200 })],
      is: [201]
    },
    {
      name: "a daemon that left group, session and parents but carries the token",
      rows: [supervisor, agent, row(201, 1, { token })],
      is: [200, 201]
    },
    {
      name: "what a token carrier started, though it dropped the token",
      rows: [supervisor, row(201, 1, { token }), row(202, 201)],
      is: [201, 202]
    },
    {
      name: "another attempt's token is another attempt",
      rows: [supervisor, row(201, 1, { token: tokenOf(1, 2) })],
      is: []
    },
    { name: "children of the supervisor beside the agent", rows: [supervisor, row(201, 100)], is: [201] },
    {
      name: "zombies don't live",
      rows: [supervisor, row(200, 100, { state: "Z" }), row(201, 200, { state: "Z" })],
      is: []
    },
    { name: "what a zombie started does", rows: [supervisor, row(200, 100, { state: "Z" }), row(201, 200)], is: [201] },
    {
      name: "a reused pid of the agent, and what hangs on it, is somebody else's",
      rows: [supervisor, row(200, 1, { pidStart: 9000 }), row(201, 200, { pidStart: 9001, group: 200, session: 200 })],
      is: []
    },
    {
      name: "a reused pid of the supervisor has children of its own",
      rows: [row(100, 1, { pidStart: 9000 }), row(201, 100, { pidStart: 9001 })],
      is: []
    },
    {
      name: "a process older than the agent is not of its session",
      rows: [row(201, 1, { pidStart: 500, group: 200, session: 200 })],
      is: []
    },
    { name: "pid 1 is never a target, whatever it carries", rows: [row(1, 0, { token }), agent], is: [200] },
    { name: "sorted by pid", rows: [row(300, 200), agent, row(150, 200)], is: [150, 200, 300] }
  ])("$name", ({ is, rows }) => {
    expect(pids(rows)).toEqual(is)
  })

  it("a session whose leader is gone holds its slot and is no target: its number may be another's by now", () => {
    const rows = [supervisor, row(201, 1, { group: 200, session: 200, pidStart: 9000 })]
    expect(pids(rows)).toEqual([201])
    expect(targetsOfAttempt(rows, traces, new Set())).toEqual([])
  })

  it("members of such a session are targets when they carry the token, or were listed while the leader lived", () => {
    const rows = [
      supervisor,
      row(201, 1, { group: 200, session: 200, token }),
      row(202, 1, { group: 200, session: 200, pidStart: 702 }),
      row(203, 201, { group: 200, session: 200 })
    ]
    const known = [{ pid: 202, pidStart: 702 }]
    expect(targetsOfAttempt(rows, { ...traces, known }, new Set()).map(({ pid }) => pid)).toEqual([201, 202, 203])
  })

  it("a scheduler that an agent started has attempts of its own: they are nobody else's descendants", () => {
    const other = tokenOf(2, 1)
    const rows = [
      supervisor,
      agent,
      row(250, 200),
      row(300, 250, { token: other }),
      row(400, 300, { token: other }),
      row(401, 400, { token: other })
    ]
    expect(pids(rows)).toEqual([200, 250])
    expect(targetsOfAttempt(rows, traces, new Set()).map(({ pid }) => pid)).toEqual([200, 250])
  })

  it("what an earlier scan listed still counts after it lost its parent, while its start is the same", () => {
    const rows = [row(201, 1), row(202, 1, { pidStart: 9000 })]
    const known = [
      { pid: 201, pidStart: 701 },
      { pid: 202, pidStart: 701 }
    ]
    expect(pids(rows, { known })).toEqual([201])
  })

  it("a scheduler that was started from an agent's shell spares itself and its ancestors", () => {
    const rows = [row(1, 0), supervisor, agent, row(201, 200, { token }), row(202, 201, { token }), row(203, 200)]
    const spared = ancestorsOf(rows, 202)
    expect([...spared].sort((left, right) => left - right)).toEqual([1, 100, 200, 201, 202])
    expect(pids(rows, {}, [...spared])).toEqual([203])
  })

  it("an attempt that nobody has claimed is found by its token alone", () => {
    expect(pids([supervisor, agent, row(201, 1, { token })], { supervisor: null, agent: null })).toEqual([201])
  })

  const cgroup = `/sys/fs/cgroup/tinyscheduler-1.3-${token}`

  it("whatever is in its cgroup belongs to it and is a target, with no other trace left", () => {
    const rows = [supervisor, row(201, 1, { cgroup })]
    expect(pids(rows)).toEqual([201])
    expect(targetsOfAttempt(rows, traces, new Set()).map(({ pid }) => pid)).toEqual([201])
  })

  it("a supervisor that is still inside is none of them, nor is what carries another attempt's token", () => {
    const rows = [
      { ...supervisor, cgroup, token },
      row(201, 1, { cgroup }),
      row(202, 1, { cgroup, token: tokenOf(2, 1) })
    ]
    expect(pids(rows)).toEqual([201])
  })

  it("another attempt's cgroup is another attempt, a descendant's too", () => {
    const inner = `${cgroup}/tinyscheduler-2.1-${tokenOf(2, 1)}`
    expect(pids([supervisor, agent, row(201, 200, { cgroup: inner }), row(202, 201)])).toEqual([200])
  })

  it.each([
    { name: "everything in it is a target", rows: [row(201, 1, { cgroup })], is: [cgroup] },
    { name: "a scan found nobody in it, and the lease names it", rows: [], is: [cgroup] },
    {
      name: "its supervisor is still inside: signals alone",
      rows: [{ ...supervisor, cgroup }, row(201, 1, { cgroup })],
      is: []
    },
    {
      name: "another attempt's process is inside",
      rows: [row(201, 1, { cgroup }), row(202, 1, { cgroup, token: tokenOf(2, 1) })],
      is: []
    },
    {
      name: "another attempt's cgroup is inside",
      rows: [row(201, 1, { cgroup }), row(202, 1, { cgroup: `${cgroup}/tinyscheduler-2.1-${tokenOf(2, 1)}` })],
      is: []
    },
    {
      name: "somebody's zombie is inside",
      rows: [row(201, 1, { cgroup }), row(202, 1, { cgroup, token: tokenOf(2, 1), state: "Z" })],
      is: [cgroup]
    },
    {
      name: "another one's name begins alike",
      rows: [row(201, 1, { cgroup }), row(202, 1, { cgroup: `${cgroup}0` })],
      is: [cgroup]
    },
    { name: "a pass that the agent started is inside", rows: [row(201, 1, { cgroup })], spared: [201], is: [] }
  ])("is killed in one piece only while nobody else lives in its cgroup: $name", ({ is, rows, spared = [] }) => {
    const targets = targetsOfAttempt(rows, traces, new Set(spared))
    expect(cgroupsToKill(rows, targets, { token, cgroup })).toEqual(is)
  })

  it("never kills a cgroup whose name bears another's token, whatever a lease says", () => {
    expect(cgroupsToKill([], [], { token: tokenOf(2, 1), cgroup })).toEqual([])
    expect(cgroupsToKill([], [], { token, cgroup: "/sys/fs/cgroup/system.slice/ssh.service" })).toEqual([])
    expect(cgroupsToKill([], [], { token, cgroup: null })).toEqual([])
  })

  it("a loop of parents in a torn listing ends", () => {
    expect([...ancestorsOf([row(5, 6), row(6, 5)], 5)].sort((left, right) => left - right)).toEqual([1, 5, 6])
  })
})
