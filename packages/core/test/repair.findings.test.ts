/** What a repair finds, world by world: each kind that it mends, each that it must leave, and what is no finding. */
import { describe, expect, it } from "vitest"
import { epochMax } from "../src/domain/identifiers.ts"
import { describeFinding } from "../src/repair/describeFinding.ts"
import { standInToken } from "../src/repair/rebuildAttempts.ts"
import {
  at,
  attempts,
  claim,
  claimSight,
  evidence,
  here,
  nowMs,
  oneAgent,
  recordedOutcome,
  runningLease,
  startingLease,
  stopRecord,
  taskId,
  tokenOf,
  unreadable,
  world
} from "./builders.ts"
import { carrier, ended, found, short, tornLease } from "./repairSight.ts"

const working = { status: "working", assignee: "ada" } as const

describe("a task that is working, and nobody works on it", () => {
  const endedOnce = attempts(1, { epoch: 3, agent: "ada" }, { outcomes: [recordedOutcome(1, 3, "handed-over")] })

  it("is ours by its attempts file: it is set back to what it was", () => {
    const [finding] = found(
      oneAgent()
        .addTask(1, { ...working, queue: "elsewhere" })
        .addAttempts(1, endedOnce)
    )
    expect(finding).toEqual({
      _tag: "ForgottenTask",
      taskId: 1,
      endpoint: "http://localhost:3000",
      agent: "ada",
      epoch: 3,
      token: tokenOf(1, 3),
      taskCreatedAt: at(-7200),
      prior: { status: "idle", assignee: null }
    })
  })

  it.each([
    ["of its last attempt", tokenOf(1, 3)],
    ["of an attempt before", tokenOf(1, 2)]
  ])("is left while a process carries the token %s", (_name, token) => {
    const all = found(
      oneAgent().addTask(1, working).addAttempts(1, endedOnce),
      { carriers: [carrier(77, token)] },
      { history: [ended(1, 2, "ada")] }
    )
    expect(all).toEqual([{ _tag: "LivingTask", taskId: 1, agent: "ada", pids: [77] }])
  })

  it.each([
    ["there", "1", "http://localhost:3000", true],
    ["there, spelled otherwise", "1", "HTTP://Localhost:3000/mcp", true],
    ["at another task", "11", "http://localhost:3000", false],
    ["in another Tinytask", "1", "http://elsewhere:3000", false]
  ])("that another scheduler's agent is at, %s, is left: %s of %s", (_name, stated, endpoint, isLeft) => {
    const stranger = { ...carrier(77, tokenOf(9, 9)), statedTask: { taskId: stated, endpoint } }
    const all = found(oneAgent().addTask(1, working).addAttempts(1, endedOnce), { carriers: [stranger] })
    expect(short(all)).toEqual([isLeft ? "LivingTask 1: person" : "ForgottenTask 1: mend"])
  })

  it.each([
    ["we never started it", null, "never-started"],
    ["its number was another task's", { ...endedOnce, taskCreatedAt: at(-9000) }, "another-task"],
    ["its number is of another Tinytask", { ...endedOnce, endpoint: "http://elsewhere:3000" }, "another-task"],
    [
      "the last attempt was another's",
      attempts(1, { epoch: 3, agent: "bob" }, { outcomes: [recordedOutcome(1, 3, "lost")] }),
      "another-agent"
    ]
  ] as const)("is only told when %s", (_name, remembered, why) => {
    const builder = oneAgent().addTask(1, working)
    const all = found(remembered === null ? builder : builder.addAttempts(1, remembered))
    expect(all).toEqual([{ _tag: "UnprovenTask", taskId: 1, agent: "ada", why }])
  })

  it("is no finding when a person has it, or its subtasks are open, or an attempt at it is under way", () => {
    const builder = oneAgent({ slots: 9 })
      .addTask(1, { status: "working", assignee: "a person" })
      .addTask(2, working)
      .addTask(3, { parent: taskId(2) })
      .addRunning(4, "ada")
    expect(found(builder)).toEqual([])
  })

  it("without attempts file is ours when a comment of ours proves it; else the history alone proves nothing", () => {
    const history = [ended(1, 3, "ada", "lost")]
    const proven = found(
      oneAgent().addTask(1, working),
      { marks: new Map([[taskId(1), new Set([tokenOf(1, 3)])]]) },
      { history }
    )
    expect(short(proven)).toEqual(["LostAttempts 1: mend", "ForgottenTask 1: mend"])
    const guessed = found(oneAgent().addTask(1, working), {}, { history })
    expect(short(guessed)).toEqual(["LostAttempts 1: mend", "UnprovenTask 1: person"])
  })
})

describe("an unreadable lease", () => {
  const held = (lastEpoch: number | null = 3) =>
    oneAgent()
      .addTask(1)
      .addRecord(1, {
        lease: unreadable(1, "ada"),
        attempts: lastEpoch === null ? null : attempts(1, { epoch: lastEpoch, agent: "ada" }),
        epochMax: 3
      })

  it("is set aside when no process carries the token of the last start", () => {
    const all = found(held(), {}, { unreadable: [tornLease(1)] })
    expect(all).toMatchObject([{ _tag: "UnreadableLease", taskId: 1, hindrance: null, remember: null }])
  })

  it.each([
    ["the token of the last start", { carriers: [carrier(77, tokenOf(1, 3))] }, {}],
    ["the token in the file", { carriers: [carrier(77, tokenOf(9, 9))] }, { token: tokenOf(9, 9) }],
    ["a process named in the file", { namedAlive: new Set([77]) }, { processes: [{ pid: 77, pidStart: null }] }]
  ])("is held while %s lives", (_name, fields, guess) => {
    const [finding] = found(held(), fields, { unreadable: [tornLease(1, guess)] })
    expect(finding).toMatchObject({ _tag: "UnreadableLease", hindrance: { _tag: "Alive", pids: [77] } })
  })

  it("whose token nothing tells is held while any token is alive that no attempt here accounts for", () => {
    const stray = { carriers: [carrier(77, tokenOf(9, 9))] }
    const hindered = { _tag: "Unaccounted", pids: [77] }
    for (const builder of [held(null), held(2)]) {
      expect(found(builder, stray, { unreadable: [tornLease(1)] })[0]).toMatchObject({ hindrance: hindered })
    }
    // A later epoch in the file than in the attempts file: that one is of an older backup.
    const later = { unreadable: [tornLease(1, { epoch: 4 })] }
    expect(found(held(), stray, later)[0]).toMatchObject({ hindrance: hindered })
    // The tokens of other attempts are accounted for.
    const beside = held(null).addRunning(2, "ada")
    const carriers = [carrier(10_002, tokenOf(2, 1))]
    expect(found(beside, { carriers }, { unreadable: [tornLease(1)] })[0]).toMatchObject({ hindrance: null })
  })

  it("a token that a repair made up is no proof of death", () => {
    const last = attempts(1, { epoch: 3, agent: "ada" }).last
    const builder = oneAgent().addRecord(1, {
      lease: unreadable(1, "ada"),
      attempts: attempts(1, null, { last: last && { ...last, token: standInToken(taskId(1), 3) } })
    })
    const [finding] = found(builder, { carriers: [carrier(77, tokenOf(9, 9))] })
    expect(finding).toMatchObject({ hindrance: { _tag: "Unaccounted" } })
  })

  it("that names another machine is held, and one that others could write is never moved", () => {
    const elsewhere = { unreadable: [tornLease(1, { host: "atlantis/1" })] }
    expect(found(held(), {}, elsewhere)[0]).toMatchObject({ hindrance: { _tag: "OtherHost", host: "atlantis/1" } })
    const path = "state/running/task_1.json"
    const open = { odd: [{ _tag: "Untrusted" as const, path, problem: "can be written by others" }] }
    expect(found(held(), {}, open)).toMatchObject([{ _tag: "UnreadableLease", hindrance: { _tag: "Untrusted" } }])
  })

  it("leaves its epoch behind: what nothing else remembers is written down first", () => {
    const [finding] = found(held(null), {}, { unreadable: [tornLease(1, { epoch: 7 })] })
    expect(finding).toMatchObject({
      remember: { taskCreatedAt: at(-7200), last: null, outcomes: [{ epoch: 7, outcome: "lost" }] }
    })
    const absurd = found(held(null), {}, { unreadable: [tornLease(1, { epoch: epochMax + 1 })] })
    expect(absurd[0]).toMatchObject({ remember: { outcomes: [{ epoch: 3 }] } })
  })

  it("with a readable claim is no finding: a pass rebuilds it, or its supervisor does", () => {
    const own = claimSight(claim(1, 3, "ada"), evidence.claimDead)
    const builder = oneAgent()
      .addTask(1, working)
      .addRecord(1, {
        lease: unreadable(1, "ada"),
        claims: [own],
        attempts: attempts(1, { epoch: 3, agent: "ada" })
      })
    expect(found(builder)).toEqual([])
  })
})

describe("an unreadable claim", () => {
  const torn = (value: number) => ({
    _tag: "Unreadable" as const,
    epoch: attempts(1, { epoch: value, agent: "ada" }).last!.epoch,
    path: `state/claims/1.${value}`,
    problem: "is empty"
  })

  it("holds its task, and is set aside when nothing of its epoch lives", () => {
    const builder = oneAgent().addRecord(1, { claims: [torn(3)], attempts: attempts(1, { epoch: 3, agent: "ada" }) })
    expect(found(builder)).toMatchObject([{ _tag: "UnreadableClaim", epoch: 3, hindrance: null, remember: null }])
    const carriers = [carrier(77, tokenOf(1, 3))]
    expect(found(builder, { carriers })).toMatchObject([{ hindrance: { _tag: "Alive", pids: [77] } }])
  })

  it("beside the lease of an intent, and among what is left of closed attempts, is one too", () => {
    const lease = { _tag: "Read" as const, lease: startingLease(1, 3, "ada"), evidence: evidence.nobody }
    const closed = attempts(1, { epoch: 4, agent: "ada" }, { outcomes: [recordedOutcome(1, 4, "lost")] })
    const readable = claimSight(claim(1, 4, "ada", { kind: "tombstone" }), evidence.tombstone)
    const later = claimSight(claim(1, 3, "ada"), evidence.claimDead)
    expect(
      short(
        found(oneAgent().addRecord(1, { lease, claims: [torn(3)], attempts: attempts(1, { epoch: 3, agent: "ada" }) }))
      )
    ).toEqual(["UnreadableClaim 1: mend"])
    expect(short(found(oneAgent().addRecord(1, { claims: [torn(2), later], attempts: closed })))).toEqual([
      "UnreadableClaim 1: mend"
    ])
    // An end that goes on removes it by its name.
    expect(found(oneAgent().addRecord(1, { claims: [torn(2), readable], attempts: closed }))).toEqual([])
  })
})

describe("an attempts file that can't be read", () => {
  const problem = "state/attempts/task_1.json is not JSON"

  it("is rebuilt from the history: no epoch is used twice, counts and parking stand", () => {
    const history = [ended(1, 2, "ada"), ended(1, 3, "ada"), ended(1, 4, "ada")]
    const [finding] = found(
      oneAgent().addTask(1).addRecord(1, { attemptsProblem: problem, epochMax: 6 }),
      {},
      { history }
    )
    expect(finding).toMatchObject({
      _tag: "UnreadableAttempts",
      hindrance: null,
      rebuilt: {
        taskCreatedAt: at(-7200),
        last: null,
        counts: { failures: 3, losses: 0 },
        parked: { count: 3 },
        // One later than all that are known: the file may have told of a start that nothing else tells of.
        outcomes: [{ epoch: 2 }, { epoch: 3 }, { epoch: 4 }, { epoch: 7, outcome: "lost" }]
      }
    })
  })

  it("tells again which start is open, from the lease, else from the claim", () => {
    const lease = runningLease(1, 5, "ada", { queue: "dev" })
    const own = claimSight(claim(1, 5, "ada"), evidence.healthy)
    const running = oneAgent()
      .addTask(1, working)
      .addLease(lease, evidence.healthy, { attempts: null, attemptsProblem: problem })
    expect(found(running)).toMatchObject([
      { rebuilt: { last: { epoch: 5, token: lease.token, startMonoMs: lease.startMonoMs }, outcomes: [] } }
    ])
    const claimed = oneAgent()
      .addTask(1, working)
      .addRecord(1, { claims: [own], attemptsProblem: problem })
    expect(found(claimed)[0]).toMatchObject({ rebuilt: { last: { epoch: 5, token: tokenOf(1, 5), agentName: "ada" } } })
    // The history tells its end.
    expect(found(claimed, {}, { history: [ended(1, 5, "ada", "done", -60)] })[0]).toMatchObject({
      rebuilt: {
        last: null,
        outcomes: [
          { epoch: 5, outcome: "done" },
          { epoch: 6, outcome: "lost" }
        ]
      }
    })
  })

  it("counts only attempts at this very task, and keeps the epochs of all", () => {
    const history = [ended(1, 2, "ada", "failed", -9000), ended(1, 3, "ada")]
    const [finding] = found(oneAgent().addTask(1).addRecord(1, { attemptsProblem: problem }), {}, { history })
    expect(finding).toMatchObject({
      rebuilt: { counts: { failures: 1 }, outcomes: [{ epoch: 2 }, { epoch: 3 }, { epoch: 4 }] }
    })
  })

  it("waits while Tinytask can't be read, or while something lives that may be an open start of it", () => {
    const torn = () => oneAgent().addTask(1).addRecord(1, { attemptsProblem: problem })
    expect(short(found(torn().withoutTinytask()))).toEqual(["UnreadableAttempts 1: person"])
    const carriers = [carrier(77, tokenOf(9, 9))]
    expect(short(found(torn(), { carriers }))).toEqual(["UnreadableAttempts 1: person"])
    // What can be made out in it: the history tells of that start, else whether its token is alive.
    const guess = (epochOf: number, token: string | null) => ({
      unreadable: [{ ...tornLease(1, { epoch: epochOf, token }), path: "state/attempts/task_1.json" }]
    })
    const told = { history: [ended(1, 4, "ada")], ...guess(4, null) }
    expect(found(torn(), { carriers }, told)).toMatchObject([
      { hindrance: null, rebuilt: { outcomes: [{ epoch: 4 }] } }
    ])
    const dead = found(torn(), { carriers }, guess(4, tokenOf(1, 4)))
    expect(dead).toMatchObject([{ hindrance: null, rebuilt: { outcomes: [{ epoch: 4, outcome: "lost" }] } }])
    const alive = found(torn(), { carriers }, guess(4, tokenOf(9, 9)))
    expect(alive).toMatchObject([{ hindrance: { _tag: "Alive", pids: [77] } }])
  })

  it("is not rebuilt from half of the history", () => {
    const torn = oneAgent().addTask(1).addRecord(1, { attemptsProblem: problem })
    expect(short(found(torn, {}, { historyProblem: "state/history/202603.jsonl can't be read" }))).toEqual([
      "UnreadableAttempts 1: person",
      "UnreadableHistory: person"
    ])
  })

  it.each(["state", "/srv/my agents/state"])("is never replaced while others may write it: below %s", (state) => {
    const path = `${state}/attempts/task_1.json`
    const all = found(
      oneAgent()
        .addTask(1)
        .addRecord(1, { attemptsProblem: `${path} is open` }),
      {},
      { odd: [{ _tag: "Untrusted" as const, path, problem: "is open" }], unreadable: [{ ...tornLease(1), path }] }
    )
    // It may be as good as it was, and is told of once.
    expect(all).toMatchObject([{ _tag: "UnreadableAttempts", path, hindrance: { _tag: "Untrusted" } }])
  })
})

describe("what a pass can only hold and tell of", () => {
  it("a survivor of SIGKILL, but none of a ladder that is still at its work", () => {
    const lease = runningLease(1, 3, "ada")
    const seen = { supervisor: "dead", agent: "dead", others: [77], scanned: true } as const
    const stopping = (rung: "terminate" | "kill") =>
      oneAgent()
        .addTask(1, working)
        .addLease(lease, seen, { stop: stopRecord(1, 3, { rung }) })
    expect(found(stopping("kill"))).toEqual([
      { _tag: "Survivors", taskId: 1, epoch: 3, pids: [77], why: "killed-and-alive" }
    ])
    expect(found(stopping("terminate"))).toEqual([])
  })

  it("processes of an earlier attempt", () => {
    const closed = attempts(1, { epoch: 4, agent: "ada" }, { outcomes: [recordedOutcome(1, 4, "lost")] })
    const alive = { supervisor: "alive", agent: null, others: [78], scanned: true } as const
    const builder = oneAgent()
      .addTask(1)
      .addRecord(1, { claims: [claimSight(claim(1, 3, "ada"), alive)], attempts: closed })
    expect(found(builder)).toEqual([
      { _tag: "Survivors", taskId: 1, epoch: 3, pids: [78, 10_001], why: "earlier-attempt" }
    ])
  })

  it("an odd lease beside a living supervisor", () => {
    const own = claimSight(claim(1, 3, "ada"), evidence.claimedOnly)
    const builder = oneAgent()
      .addTask(1, working)
      .addRecord(1, { lease: unreadable(1, "ada"), claims: [own], attempts: attempts(1, { epoch: 3, agent: "ada" }) })
    expect(found(builder)).toEqual([{ _tag: "OddLease", taskId: 1, epoch: 3, oddity: "unreadable", pid: 10_001 }])
  })

  it("a lease that contradicts its claim: the supervisor that lives is named, not the dead one", () => {
    const lease = runningLease(1, 3, "ada", { token: tokenOf(1, 3, 1), pid: 10_501 })
    const builder = oneAgent()
      .addTask(1, working)
      .addRecord(1, {
        lease: { _tag: "Read", lease, evidence: evidence.healthy },
        claims: [claimSight(claim(1, 3, "ada"), evidence.claimDead)],
        attempts: attempts(1, { epoch: 3, agent: "ada" })
      })
    expect(found(builder)).toEqual([
      { _tag: "OddLease", taskId: 1, epoch: 3, oddity: "contradicts-claim", pid: 10_501 }
    ])
  })

  it("an attempt on another machine, where no clock gives it up", () => {
    const elsewhere = { ...here, host: "atlantis/1" }
    const builder = () =>
      oneAgent()
        .addTask(1, working)
        .addLease(runningLease(1, 3, "ada", {}, elsewhere), evidence.unknown)
    expect(found(builder())).toEqual([])
    expect(found(builder().withPolicy({ unknownLostSec: 0 }))).toEqual([
      { _tag: "UnknownLiveness", taskId: 1, epoch: 3, host: "atlantis/1" }
    ])
  })

  it("an attempt at a task of another Tinytask", () => {
    const lease = runningLease(1, 3, "ada", { endpoint: "http://elsewhere:3000", taskCreatedAt: at(-9000) })
    expect(found(oneAgent().addTask(1).addLease(lease, evidence.dead))).toEqual([
      { _tag: "OtherEndpoint", taskId: 1, endpoint: "http://elsewhere:3000" }
    ])
  })

  it("a task whose number or creation has changed is no finding: a pass ends its attempt", () => {
    const another = runningLease(1, 3, "ada", { taskCreatedAt: at(-9000) })
    expect(found(oneAgent().addTask(1).addLease(another, evidence.dead))).toEqual([])
    expect(
      found(
        oneAgent()
          .addLookedUp(2, null)
          .addLease(runningLease(2, 3, "ada"), evidence.dead)
      )
    ).toEqual([])
  })

  it("epochs that somebody used up, and a stop record of nothing", () => {
    expect(
      short(
        found(
          oneAgent()
            .addTask(1)
            .addRecord(1, { epochMax: epochMax + 1 })
        )
      )
    ).toEqual(["EpochsUsedUp 1: person"])
    expect(found(oneAgent().addRecord(1, { stop: stopRecord(1, 3) }))).toEqual([
      { _tag: "OrphanedStop", taskId: 1, epoch: 3, path: null }
    ])
  })
})

describe("files", () => {
  const aside = {
    _tag: "Aside" as const,
    path: "state/aside/task_1.1.json",
    name: "task_1.1.json",
    taskId: taskId(1),
    holds: "a lease of task 1",
    modifiedMs: nowMs - 7_200_000
  }

  it("what was set aside is kept, and goes only when asked and when no attempt may still ask for it", () => {
    const odd = [aside]
    expect(short(found(oneAgent(), {}, { odd }))).toEqual(["AsideFile: nobody"])
    expect(short(found(oneAgent(), { purge: true }, { odd }))).toEqual(["AsideFile: mend"])
    expect(short(found(oneAgent().addRunning(1, "ada"), { purge: true }, { odd }))).toEqual(["AsideFile: nobody"])
  })

  it("each other kind is told, and mended where nobody can miss it", () => {
    const all = found(
      world(),
      { agentsProblem: "it is not JSON", litter: ["state/.tmp-1-1-x"] },
      {
        historySkipped: 2,
        termProblem: "state/term is a directory, not a file",
        odd: [
          { _tag: "Strange", path: "state/running/notes.txt", what: "a file" },
          { _tag: "Untrusted", path: "state/agents.json", problem: "can be written by others" },
          { _tag: "TemporaryDirectory", path: "/tmp/x/1.1" },
          { _tag: "UnreadableStop", path: "state/stops/1.1.json", taskId: taskId(1), problem: "is empty" },
          { _tag: "Temporary", path: "state/.tmp-2-2-y", pid: 2, pidStart: 2 }
        ]
      }
    )
    expect(short(all)).toEqual([
      "UnreadableAgents: mend",
      "UnreadableTerm: person",
      "Litter: mend",
      "StrangeFile: nobody",
      "UntrustedFile: person",
      "OrphanedStop 1: mend",
      "TornHistory: nobody"
    ])
    expect(all).toContainEqual({ _tag: "Litter", paths: ["state/.tmp-1-1-x", "/tmp/x/1.1"] })
  })
})

it("every finding says what, why and what next, each in one line", () => {
  const builder = oneAgent({ slots: 9 })
    .addTask(1, working)
    .addAttempts(1, attempts(1, { epoch: 3, agent: "ada" }, { outcomes: [recordedOutcome(1, 3, "lost")] }))
    .addTask(2, working)
    .addTask(3)
    .addRecord(3, { lease: unreadable(3, null) })
    .addTask(4)
    .addRecord(4, { attemptsProblem: "is empty" })
  const all = found(builder, { carriers: [carrier(77, tokenOf(9, 9))] }, { historySkipped: 1 })
  expect(all).toHaveLength(5)
  for (const finding of all) {
    const { because, found: what, todo } = describeFinding(finding)
    for (const text of [because, what, todo]) expect(text).toMatch(/^[^\n]{5,400}[^.\n]$/)
  }
})

it("no command signals 0, as which the kernel shows a process of another pid namespace", () => {
  const survivors = { _tag: "Survivors", taskId: taskId(1), epoch: 3, why: "killed-and-alive" } as const
  expect(describeFinding({ ...survivors, pids: [0] }).todo).not.toMatch(/kill|ps -/)
  expect(describeFinding({ ...survivors, pids: [0, 77] }).todo).toMatch(/\(ps -fp 77\).*: kill -KILL 77$/)
})

it("a command that it tells can be copied, whatever the path", () => {
  const path = "/srv/it's mine/state/agents.json"
  const { todo } = describeFinding({ _tag: "UntrustedFile", path, problem: "can be written by others" })
  expect(todo).toContain(`chmod go-w '/srv/it'\\''s mine/state/agents.json'`)
})
