/**
 * What the audit of a plan says, predicate by predicate: each row is a plan that does one thing, and the sentences with
 * which its invariant names what is wrong about it; none where it holds. The plans are made by hand, for the decision
 * makes none that breaks one.
 */
import { describe, expect, it } from "vitest"
import type { Action, AttemptReference, Plan, Verdict } from "../../src/domain/Plan.ts"
import type { ClaimSight, Evidence, TaskRecord } from "../../src/domain/TaskRecord.ts"
import { planInvariants, violationsOf } from "../../src/reconcile/invariants/invariants.ts"
import { permutationViolations, settlingViolations } from "../../src/reconcile/invariants/rounds.ts"
import type { InvariantId } from "../../src/reconcile/invariants/Violation.ts"
import {
  agentName,
  agentPid,
  at,
  attempts,
  claim,
  claimSight,
  epoch,
  evidence,
  legacyLease,
  oneAgent,
  queueName,
  recordedOutcome,
  runningLease,
  startingLease,
  stopRecord,
  taskId,
  tokenOf,
  unreadable,
  world
} from "../builders.ts"
import type { WorldBuilder } from "../builders.ts"

type ActionOf<T extends Action["_tag"]> = Extract<Action, { readonly _tag: T }>

const start = (id: number, agent: string, fields: Partial<ActionOf<"Start">> = {}): Action => ({
  _tag: "Start",
  taskId: taskId(id),
  agent: agentName(agent),
  epoch: epoch(1),
  attempt: 1,
  recipe: null,
  queue: "dev",
  prior: { status: "idle", assignee: null },
  taskCreatedAt: at(-7200),
  maxRuntimeSec: 3600,
  ...fields
})

const reference = (id: number, attempt: number, phase: AttemptReference["phase"]): AttemptReference => ({
  taskId: taskId(id),
  epoch: epoch(attempt),
  token: tokenOf(id, attempt),
  agent: agentName("ada"),
  phase
})

const end = (
  attempt: number,
  phase: AttemptReference["phase"] = "running",
  fields: Partial<ActionOf<"End">> = {}
): Action => ({
  _tag: "End",
  attempt: reference(1, attempt, phase),
  outcome: "lost",
  detail: "nobody looked",
  tombstone: false,
  withoutProof: false,
  prior: { status: "idle", assignee: null },
  queue: "dev",
  taskCreatedAt: null,
  judgeBy: null,
  ...fields
})

const sweep = (upTo: number, withoutProof = false): Action => ({
  _tag: "Sweep",
  taskId: taskId(1),
  epoch: epoch(upTo),
  withoutProof
})

const endLegacy = (withoutProof = false): Action => ({
  _tag: "EndLegacy",
  taskId: taskId(1),
  epoch: epoch(5),
  agent: agentName("ada"),
  pid: 4242,
  withoutProof,
  path: "state/running/task_1.json"
})

const rebuild = (attempt: number): Action => ({
  _tag: "Rebuild",
  attempt: reference(1, attempt, "claim-only"),
  setAside: null
})

const note: Action = {
  _tag: "Note",
  attempt: reference(1, 3, "running"),
  sighting: null,
  taskCreatedAt: null
}

const stopping: Action = {
  _tag: "Stop",
  attempt: reference(1, 3, "running"),
  record: stopRecord(1, 3),
  includeSupervisor: false,
  firstSignal: "SIGINT"
}

const waits = (id: number, reasons: Extract<Verdict, { readonly _tag: "Wait" }>["reasons"] = []): Verdict => ({
  _tag: "Wait",
  taskId: taskId(id),
  reasons
})

const planOf = (actions: ReadonlyArray<Action>, verdicts: ReadonlyArray<Verdict> = []): Plan => ({
  ...world().plan(),
  actions,
  verdicts
})

interface Row {
  readonly name: string
  readonly world: WorldBuilder
  readonly actions?: ReadonlyArray<Action>
  readonly verdicts?: ReadonlyArray<Verdict>
  readonly says: ReadonlyArray<string>
}

const audit = (id: InvariantId, rows: ReadonlyArray<Row>): void => {
  const invariant = planInvariants.find((one) => one.id === id)
  it.each(rows)("$name", ({ actions = [], says, verdicts = [], world: made }) => {
    const { desired, observed } = made.build()
    expect(invariant?.check(observed, desired, planOf(actions, verdicts))).toEqual(says)
  })
}

/** What a record says of the latest start, and that its ending is recorded. */
const closed = (last: number) =>
  attempts(1, { epoch: last, agent: "cleo" }, { outcomes: [recordedOutcome(1, last, "failed")] })
const open = (last: number, agent = "cleo") => attempts(1, { epoch: last, agent })
const claimOf = (attempt: number, seen: Evidence = evidence.claimDead, name = "bob") =>
  claimSight(claim(1, attempt, name), seen)
const torn = (attempt: number): ClaimSight => ({
  _tag: "Unreadable",
  epoch: epoch(attempt),
  path: `state/claims/1.${attempt}`,
  problem: "empty"
})
const leaseOf = (
  attempt: number,
  name = "ada",
  queue: string | null = "dev",
  seen: Evidence = evidence.healthy
): TaskRecord["lease"] => ({
  _tag: "Read",
  lease: runningLease(1, attempt, name, { queue }),
  evidence: seen
})

describe("(b) one lease per task, one start per task", () => {
  const twice = "task 1 is started twice"
  const underWay = "task 1 is started although an attempt is under way"
  const over = (name: string, fields: Partial<TaskRecord>, isUnderWay: boolean): Row => ({
    name,
    world: oneAgent().addTask(1).addRecord(1, fields),
    actions: [start(1, "ada", { epoch: epoch(9) })],
    says: isUnderWay ? [underWay] : []
  })
  const late = (name: string, seen: Evidence, isUnderWay: boolean, kind: "claim" | "tombstone" = "claim"): Row =>
    over(
      `a late ${kind}: ${name}`,
      { claims: [claimSight(claim(1, 3, "bob", { kind }), seen)], attempts: closed(4) },
      isUnderWay
    )
  audit("b", [
    { name: "one start", world: oneAgent().addTask(1), actions: [start(1, "ada")], says: [] },
    {
      name: "two of two tasks",
      world: oneAgent().addTask(1).addTask(2),
      actions: [start(1, "ada"), start(2, "ada")],
      says: []
    },
    {
      name: "two of one task",
      world: oneAgent().addTask(1),
      actions: [start(1, "ada"), start(2, "ada"), start(1, "bob")],
      says: [twice]
    },
    {
      name: "an attempt at another task is none of its",
      world: oneAgent().addTask(1).addRunning(2, "ada"),
      actions: [start(1, "ada")],
      says: []
    },
    {
      name: "two starts over one lease",
      world: oneAgent().addRunning(1, "ada"),
      actions: [start(1, "ada"), start(1, "ada")],
      says: [underWay, twice, underWay]
    },
    {
      name: "whatever else is done about a task under way is no start",
      world: oneAgent().addRunning(1, "ada"),
      actions: [sweep(3), endLegacy()],
      says: []
    },
    over("memories that can't be read", { attemptsProblem: "not JSON" }, false),
    over(
      "the dead claim of an attempt whose ending alone is remembered",
      { claims: [claimOf(3)], attempts: attempts(1, null, { outcomes: closed(3).outcomes }) },
      false
    ),
    over("a lease", { lease: leaseOf(1) }, true),
    over("a lease that can't be read", { lease: unreadable(1, null) }, true),
    over("a lease of the old form, dead or not", { lease: legacyLease(1, "ada", "dead") }, true),
    over("nothing but memories", { attempts: closed(4) }, false),
    over("nothing was ever started", { attempts: attempts(1, null) }, false),
    over("an open start", { attempts: open(4) }, true),
    over("an open start after one that ended", { attempts: { ...open(4), outcomes: closed(3).outcomes } }, true),
    over("a dead claim of which nothing is remembered", { claims: [claimOf(3)] }, true),
    over("a dead claim later than all endings", { claims: [claimOf(3)], attempts: closed(2) }, true),
    over("the dead claim of the latest start, whose end goes on", { claims: [claimOf(3)], attempts: closed(3) }, true),
    over("a claim that can't be read, of an attempt that ended", { claims: [torn(3)], attempts: closed(4) }, true),
    over("dead claims of attempts that ended", { claims: [claimOf(2), claimOf(3)], attempts: closed(4) }, false),
    late("its supervisor lives", { ...evidence.claimDead, supervisor: "alive" }, true),
    late("nobody knows of its supervisor", { ...evidence.claimDead, supervisor: "unknown" }, true),
    late("its agent lives", { ...evidence.claimDead, agent: "alive" }, true),
    late("nobody knows of its agent", { ...evidence.claimDead, agent: "unknown" }, true),
    late("its agent is dead", { ...evidence.claimDead, agent: "dead" }, false),
    late("something carries its token", { ...evidence.claimDead, others: [agentPid(1)] }, true),
    late("the rest was not looked for", { ...evidence.claimDead, scanned: false }, true),
    late("nobody ever stood behind it", evidence.tombstone, false, "tombstone"),
    over("something is left of a start without files", { attempts: closed(4), openStart: evidence.healthy }, true),
    over("nothing is left of a start without files", { attempts: closed(4), openStart: evidence.claimDead }, false)
  ])
})

describe("(a) no start exceeds a limit", () => {
  const full = (name: string) => `agent ${name}: 1 held + 1 started > 1`
  const fullQueue = (name: string) => `queue ${name}: 1 held + 1 started > 1`
  /** Three agents with one slot, two limited queues, one start for each: what is said tells whose a held slot is. */
  const holds = (name: string, fields: Partial<TaskRecord>, says: ReadonlyArray<string>): Row => ({
    name,
    world: world()
      .addAgent("ada")
      .addAgent("bob")
      .addAgent("cleo")
      .limitQueue("dev", 1)
      .limitQueue("ops", 2)
      .addRecord(1, fields),
    actions: [start(7, "ada", { queue: null }), start(8, "bob", { queue: "ops" }), start(9, "cleo", { queue: "dev" })],
    says
  })
  const inOps = (last: number) => {
    const { last: begun, ...rest } = open(last)
    return { ...rest, last: begun === null ? null : { ...begun, queue: "dev" } }
  }
  audit("a", [
    holds("nothing is held by what ended", { attempts: closed(3) }, []),
    holds("a lease holds its agent's slot, and counts in its queue", { lease: leaseOf(3) }, [
      full("ada"),
      fullQueue("dev")
    ]),
    holds("a lease without a queue counts in none", { lease: leaseOf(3, "ada", null) }, [full("ada")]),
    holds("an old lease counts in no queue", { lease: legacyLease(1, "ada", "alive") }, [full("ada")]),
    holds(
      "the claim of a higher epoch wins over the lease",
      { lease: leaseOf(2, "ada", null, evidence.dead), claims: [claimOf(3)], attempts: inOps(3) },
      [full("bob"), fullQueue("dev")]
    ),
    holds(
      "it counts in no queue where its start is not remembered",
      { lease: leaseOf(2, "ada", "dev", evidence.dead), claims: [claimOf(3)], attempts: open(2) },
      [full("bob")]
    ),
    holds("and neither where nothing is", { lease: leaseOf(2, "ada", "dev", evidence.dead), claims: [claimOf(3)] }, [
      full("bob")
    ]),
    holds(
      "the lease wins while something of it lives, and nothing of the claim",
      { lease: leaseOf(2, "ada", null), claims: [claimOf(3)], attempts: inOps(3) },
      [full("ada")]
    ),
    holds(
      "the claim of a higher epoch wins where both live",
      { lease: leaseOf(2, "ada", null), claims: [claimOf(3, evidence.claimedOnly)], attempts: inOps(3) },
      [full("bob"), fullQueue("dev")]
    ),
    holds(
      "an agent that was left alone wins over all that is dead",
      {
        lease: leaseOf(3, "ada", null, evidence.dead),
        claims: [claimOf(2, { ...evidence.claimDead, others: [7] })],
        attempts: open(3)
      },
      [full("bob")]
    ),
    holds(
      "the claim of a lower epoch does not",
      { lease: leaseOf(3, "ada", null), claims: [claimOf(2)], attempts: open(3) },
      [full("ada")]
    ),
    holds(
      "a claim of the same epoch and another token wins over the lease",
      {
        lease: leaseOf(3, "ada", null, evidence.dead),
        claims: [claimSight(claim(1, 3, "bob", { token: tokenOf(1, 3, 1) }), evidence.claimDead)],
        attempts: open(3)
      },
      [full("bob"), fullQueue("dev")]
    ),
    holds("its own claim does not", { lease: leaseOf(3, "ada", null), claims: [claimOf(3)], attempts: open(3) }, [
      full("ada")
    ]),
    holds(
      "a claim below one that can't be read wins over no lease",
      { lease: leaseOf(2, "ada", null), claims: [claimOf(3), torn(4)], attempts: open(4) },
      [full("ada")]
    ),
    holds("a claim alone holds a slot, in a queue that nobody knows", { claims: [claimOf(3)] }, [full("bob")]),
    holds(
      "what is left of a start without files holds nobody's",
      { attempts: closed(4), openStart: evidence.healthy },
      []
    ),
    holds("the dead claim of an attempt that ended holds none", { attempts: closed(4), claims: [claimOf(3)] }, []),
    holds("its own claim that can't be read neither", { lease: leaseOf(3, "ada", null), claims: [torn(3)] }, [
      full("ada")
    ]),
    holds(
      "a claim that can't be read wins over no lease",
      { lease: leaseOf(2, "ada", null), claims: [torn(4)], attempts: open(4) },
      [full("ada")]
    ),
    holds("an open start holds the slot of its agent", { attempts: open(4) }, [full("cleo"), fullQueue("dev")]),
    holds("also over the claim of an earlier attempt", { attempts: open(4), claims: [claimOf(3)] }, [
      full("cleo"),
      fullQueue("dev")
    ]),
    holds("a claim of the same epoch holds that of its own", { attempts: open(3), claims: [claimOf(3)] }, [
      full("bob"),
      fullQueue("dev")
    ]),
    holds(
      "a late claim that lives holds a slot, in a queue that is not remembered",
      { attempts: closed(4), claims: [claimOf(3, evidence.healthy)] },
      [full("bob")]
    ),
    holds("a lease that can't be read holds that of whom it names", { lease: unreadable(1, "ada") }, [full("ada")]),
    holds("whatever start is open beside it", { lease: unreadable(1, "ada"), attempts: open(4) }, [full("ada")]),
    holds("its claim is believed before it", { lease: unreadable(1, "ada"), claims: [claimOf(3)], attempts: open(3) }, [
      full("bob"),
      fullQueue("dev")
    ]),
    holds(
      "a claim that can't be read: the slot of whoever was started last",
      { claims: [torn(3)], attempts: open(3) },
      [full("cleo"), fullQueue("dev")]
    ),
    holds("or of nobody, where that is another start", { claims: [torn(3)], attempts: closed(4) }, []),
    {
      name: "two held of two, and nothing started: a limit that was lowered is no start",
      world: oneAgent().limitQueue("dev", 1).limitAll(1).addRunning(1, "ada").addRunning(2, "ada"),
      says: []
    },
    {
      name: "as many as fit",
      world: oneAgent({ slots: 2 }).limitQueue("dev", 2).limitAll(2).addRunning(1, "ada"),
      actions: [start(2, "ada")],
      says: []
    },
    {
      name: "one more than fits, on every count",
      world: oneAgent({ slots: 2 }).limitQueue("dev", 2).limitAll(2).addRunning(1, "ada"),
      actions: [start(2, "ada"), start(3, "ada")],
      says: [
        "agent ada: 1 held + 2 started > 2",
        "queue dev: 1 held + 2 started > 2",
        "all agents: 1 held + 2 started > 2"
      ]
    },
    {
      name: "a slot that nobody is known to hold counts among all",
      world: oneAgent()
        .limitAll(1)
        .addRecord(1, { lease: unreadable(1, null) }),
      actions: [start(2, "ada")],
      says: ["all agents: 1 held + 1 started > 1"]
    },
    {
      name: "what ended counts among none",
      world: oneAgent().limitAll(1).addAttempts(1, closed(3)),
      actions: [start(2, "ada")],
      says: []
    },
    {
      name: "an agent that is not there has no slot",
      world: oneAgent(),
      actions: [start(2, "bob")],
      says: ["agent bob: 0 held + 1 started > 0"]
    }
  ])
})

describe("(c) nothing blocked, parked, paused or backing off starts", () => {
  const ready = (): WorldBuilder => world().addAgent("ada").addTask(1)
  const remembering = (fields: Parameters<typeof attempts>[2]) => ready().addAttempts(1, attempts(1, null, fields))
  const withAgent = (remembered: Parameters<WorldBuilder["addAgent"]>[2]) =>
    world().addAgent("ada", {}, remembered).addTask(1)
  const row = (why: string, made: WorldBuilder): Row => ({
    name: `broken: ${why}`,
    world: made,
    actions: [start(1, "ada")],
    says: [`task 1 is started although ${why}`]
  })
  const fine = (name: string, made: WorldBuilder): Row => ({
    name: `holds: ${name}`,
    world: made,
    actions: [start(1, "ada")],
    says: []
  })
  const notOpen = (name: string, made: WorldBuilder): Row => ({
    name,
    world: made,
    actions: [start(1, "ada")],
    says: ["task 1 is started and is not open"]
  })
  audit("c", [
    fine("nothing stands against it", ready()),
    notOpen("a task that is not there", world().addAgent("ada")),
    notOpen("a task that is complete", world().addAgent("ada").addTask(1, { status: "complete" })),
    notOpen("a task that is archived", world().addAgent("ada").addTask(1, { archived: true })),
    notOpen("any task while Tinytask can't be read", ready().withoutTinytask()),
    row("starts are off", ready().withPolicy({ starts: "drain" })),
    row("starts are off", ready().withStartsOff("boot id unreadable")),
    row("everything is paused", ready().withPause("maria", null)),
    row("everything is paused", ready().withPause("maria", 1)),
    fine("the pause is over", ready().withPause("maria", 0)),
    row("it is working", world().addAgent("ada").addTask(1, { status: "working" })),
    row(
      "it is blocked",
      world()
        .addAgent("ada")
        .addTask(1, { blocked: true, blockedBy: taskId(2) })
    ),
    fine(
      "blocking is disabled",
      world()
        .addAgent("ada")
        .addTask(1, { blocked: true, blockedBy: taskId(2) })
        .withPolicy({ disableBlocking: true })
    ),
    row("it has open subtasks", ready().addTask(2, { parent: taskId(1) })),
    fine(
      "parents don't wait",
      ready()
        .addTask(2, { parent: taskId(1) })
        .withPolicy({ parents: "run" })
    ),
    fine("its subtask is complete", ready().addTask(2, { parent: taskId(1), status: "complete" })),
    fine("the subtask is another's", ready().addTask(2, { parent: taskId(3) })),
    row("it is parked", remembering({ parked: { outcome: "failed", count: 3, since: at(-60) } })),
    fine(
      "what was parked was another task of the same number",
      remembering({ parked: { outcome: "failed", count: 3, since: at(-60) }, taskCreatedAt: at(-9000) })
    ),
    row("it is backing off", remembering({ notBefore: at(1) })),
    fine("it backs off no more", remembering({ notBefore: at(0) })),
    row("it is backing off", remembering({ notBefore: at(3600) })),
    fine("its backoff was written before the clock was set back", remembering({ notBefore: at(3601) })),
    fine(
      "what backs off is another task of the same number",
      remembering({ notBefore: at(1), taskCreatedAt: at(-9000) })
    ),
    row("its agent is unknown", world().addAgent("bob").addTask(1)),
    row("its agent is disabled", world().addAgent("ada", { enabled: false }).addTask(1)),
    row("its agent is paused", withAgent({ pausedBy: "maria" })),
    row("its agent is paused", withAgent({ pausedBy: "maria", pausedUntil: at(1) })),
    fine("its agent is paused no more", withAgent({ pausedBy: "maria", pausedUntil: at(0) })),
    fine("nobody paused its agent", withAgent({ pausedUntil: at(60) })),
    fine("another agent is paused", ready().addAgent("bob", {}, { pausedBy: "maria" })),
    row("its agent is set aside", withAgent({ setAsideUntil: at(1) })),
    fine("its agent is set aside no more", withAgent({ setAsideUntil: at(0) })),
    row("it is assigned to another", world().addAgent("ada").addTask(1, { assignee: "bob" })),
    fine("it is assigned to the agent", world().addAgent("ada").addTask(1, { assignee: "ada" })),
    row("its agent does not serve its queue", world().addAgent("ada").addTask(1, { queue: "ops" })),
    fine("queues don't count in the legacy mode", world().addAgent("ada").addTask(1, { queue: "ops" }).legacy()),
    fine("it has no queue", world().addAgent("ada").addTask(1, { queue: null })),
    fine(
      "its agent serves several queues",
      world()
        .addAgent("ada", { queues: [queueName("dev"), queueName("ops")] })
        .addTask(1, { queue: "ops" })
    )
  ])
})

describe("(d) no slot is freed while a survivor is not proven dead", () => {
  const may = "task 1: epoch 3 is ended while something of it may live"
  const files = (fields: Partial<TaskRecord>) => oneAgent().addTask(1).addRecord(1, fields)
  const ended = (name: string, fields: Partial<TaskRecord>, action: Action, says: ReadonlyArray<string>): Row => ({
    name,
    world: files(fields),
    actions: [action],
    says
  })
  const leased = (seen: Evidence, attempt = 3): Partial<TaskRecord> => ({
    lease: { _tag: "Read", lease: runningLease(1, attempt, "ada"), evidence: seen }
  })
  const dead = evidence.dead
  const claimed = { claims: [claimOf(3)] }
  const withoutProof = { withoutProof: true }
  const unknownSupervisor: Evidence = { ...dead, supervisor: "unknown" }
  const oldLease = (liveness: "alive" | "dead" | "unknown") => files({ lease: legacyLease(1, "ada", liveness) })
  const old = (name: string, made: WorldBuilder, gaveUp: boolean, isFine: boolean): Row => ({
    name,
    world: made,
    actions: [endLegacy(gaveUp)],
    says: isFine ? [] : ["task 1: an old lease is ended alive"]
  })
  const beside = ["task 1: a lease is rebuilt beside a supervisor that may live"]
  const swept = (upTo: number) => [`task 1: claims up to ${upTo} are swept while something of them may live`]
  audit("d", [
    {
      name: "what frees nothing",
      world: files(leased(evidence.healthy)),
      actions: [note, stopping, start(1, "ada")],
      says: []
    },
    { name: "a task without files", world: oneAgent(), actions: [end(3)], says: ["task 1 is ended and has no files"] },
    ended("a lease and a claim, both dead", { ...leased(dead), ...claimed }, end(3), []),
    ended("its lease shows a living agent", { ...leased({ ...dead, agent: "alive" }), ...claimed }, end(3), [may]),
    ended("its lease shows a living supervisor", { ...leased({ ...dead, supervisor: "alive" }), ...claimed }, end(3), [
      may
    ]),
    ended("the lease of a lower epoch, alive", { ...leased({ ...dead, agent: "alive" }, 2), ...claimed }, end(3), [
      may
    ]),
    ended("the lease of a higher epoch stays", { ...leased({ ...dead, agent: "alive" }, 4), ...claimed }, end(3), []),
    ended(
      "a lease that nobody claimed shows nothing",
      { lease: { _tag: "Read", lease: startingLease(1, 3, "ada"), evidence: evidence.nobody }, ...claimed },
      end(3, "starting"),
      []
    ),
    ended("its claim shows a living supervisor", { claims: [claimOf(3, evidence.claimedOnly)] }, end(3, "claim-only"), [
      may
    ]),
    ended("its claim was not looked for", { claims: [claimOf(3, evidence.deadUnscanned)] }, end(3, "claim-only"), [
      may
    ]),
    ended(
      "a claim of an earlier epoch, alive",
      { claims: [claimOf(2, evidence.claimedOnly), claimOf(3)] },
      end(3, "claim-only"),
      ["task 1: epoch 3 is ended while epoch 2 lives, whose claim goes with it"]
    ),
    ended(
      "a claim of an earlier epoch, of which nobody knows",
      { claims: [claimOf(2, evidence.unknown), torn(1), claimOf(3)] },
      end(3, "claim-only"),
      []
    ),
    ended(
      "a claim of a later epoch, alive",
      { claims: [claimOf(3), claimOf(4, evidence.claimedOnly)] },
      end(3, "claim-only"),
      []
    ),
    ended(
      "a tombstone has nobody behind it",
      { claims: [claimSight(claim(1, 3, "ada", { kind: "tombstone" }), evidence.tombstone)] },
      end(3, "claim-only"),
      []
    ),
    ended("its claim can't be read", { ...leased(dead), claims: [torn(3)] }, end(3), []),
    ended("without a claim", leased(dead), end(3), ["task 1: epoch 3 is ended without shutting a late supervisor out"]),
    ended("with another epoch's claim alone", { ...leased(dead), claims: [claimOf(2)] }, end(3), [
      "task 1: epoch 3 is ended without shutting a late supervisor out"
    ]),
    ended("without a claim, through a tombstone", leased(dead), end(3, "running", { tombstone: true }), []),
    ended(
      "finished: its supervisor may live on for a moment",
      { ...leased({ ...dead, supervisor: "alive" }), claims: [claimOf(3)] },
      end(3, "finished"),
      []
    ),
    ended("finished: its agent may not", { ...leased({ ...dead, agent: "unknown" }), ...claimed }, end(3, "finished"), [
      may
    ]),
    ended("finished: nor what it began", { ...leased({ ...dead, others: [7] }), ...claimed }, end(3, "finished"), [
      may
    ]),
    ended("finished: nobody looked", { ...leased(evidence.deadUnscanned), ...claimed }, end(3, "finished"), [may]),
    ended("an open start that was not looked for", { attempts: open(3) }, end(3, "none", { tombstone: true }), [
      "task 1: epoch 3 is ended and was not looked for"
    ]),
    ended(
      "an open start of which nothing is left",
      { attempts: open(3), openStart: evidence.claimDead },
      end(3, "none", { tombstone: true }),
      []
    ),
    ended(
      "an open start of which something is left",
      { attempts: open(3), openStart: { ...evidence.claimDead, others: [7] } },
      end(3, "none", { tombstone: true }),
      [may]
    ),
    ended(
      "what was found for an open start concerns no other ending",
      { ...leased(dead), ...claimed, openStart: evidence.healthy },
      end(3),
      []
    ),
    ended(
      "by the clock, with nobody to ask",
      { ...leased(unknownSupervisor), ...claimed },
      end(3, "running", withoutProof),
      []
    ),
    ...(
      [
        ["its supervisor", { ...unknownSupervisor, supervisor: "alive" }],
        ["its agent", { ...unknownSupervisor, agent: "alive" }],
        ["something of it", { ...unknownSupervisor, others: [7] }]
      ] as const
    ).map(([what, seen]) =>
      ended(`by the clock, though ${what} lives`, { ...leased(seen), ...claimed }, end(3, "running", withoutProof), [
        "task 1: epoch 3 is given up by the clock although it lives"
      ])
    ),
    ended(
      "by the clock, as anything but lost",
      { ...leased(unknownSupervisor), ...claimed },
      end(3, "running", { ...withoutProof, outcome: "failed" }),
      ["task 1: epoch 3 is given up as failed"]
    ),
    {
      name: "by no clock",
      world: files({ ...leased(unknownSupervisor), ...claimed, attempts: closed(2) }).withPolicy({ unknownLostSec: 0 }),
      actions: [end(3, "running", withoutProof)],
      says: ["task 1: epoch 3 is given up by no clock"]
    },
    {
      name: "its loss was recorded while there was a clock: the end goes on",
      world: files({ ...leased(unknownSupervisor), ...claimed, attempts: closed(3) }).withPolicy({ unknownLostSec: 0 }),
      actions: [end(3, "running", withoutProof)],
      says: []
    },
    old("an old lease that is dead", oldLease("dead"), false, true),
    old("one that lives", oldLease("alive"), false, false),
    old("one of which nobody knows", oldLease("unknown"), false, false),
    old("one of which nobody knows, by the clock", oldLease("unknown"), true, true),
    old("one of which nobody knows, by no clock", oldLease("unknown").withPolicy({ unknownLostSec: 0 }), true, false),
    old("one that lives, by the clock", oldLease("alive"), true, false),
    old("one that is none", files(leased(dead)), false, false),
    old("one without files", oneAgent(), false, false),
    { name: "a lease rebuilt from a dead claim", world: files(claimed), actions: [rebuild(3)], says: [] },
    {
      name: "from one whose supervisor is not known to be dead",
      world: files({ claims: [claimOf(3, evidence.unknown)] }),
      actions: [rebuild(3)],
      says: beside
    },
    { name: "from another epoch's", world: files({ claims: [claimOf(2)] }), actions: [rebuild(3)], says: beside },
    { name: "from one that can't be read", world: files({ claims: [torn(3)] }), actions: [rebuild(3)], says: beside },
    { name: "from nothing", world: oneAgent(), actions: [rebuild(3)], says: beside },
    {
      name: "from a tombstone",
      world: files({ claims: [claimSight(claim(1, 3, "ada", { kind: "tombstone" }), evidence.tombstone)] }),
      actions: [rebuild(3)],
      says: beside
    },
    {
      name: "in the place of a dead one",
      world: files({ ...leased(dead, 2), ...claimed }),
      actions: [rebuild(3)],
      says: []
    },
    {
      name: "in the place of one whose agent may live",
      world: files({ ...leased({ ...dead, agent: "unknown" }, 2), ...claimed }),
      actions: [rebuild(3)],
      says: ["task 1: a lease is set aside of which something may live"]
    },
    { name: "dead claims swept", world: files({ claims: [claimOf(2), claimOf(3)] }), actions: [sweep(3)], says: [] },
    { name: "nothing swept", world: oneAgent(), actions: [sweep(3)], says: [] },
    {
      name: "a living claim above stays",
      world: files({ claims: [claimOf(2), claimOf(3, evidence.claimedOnly)] }),
      actions: [sweep(2)],
      says: []
    },
    {
      name: "a living claim swept among dead ones",
      world: files({ claims: [claimOf(2, evidence.claimedOnly), claimOf(3)] }),
      actions: [sweep(3)],
      says: swept(3)
    },
    {
      name: "a claim that can't be read swept",
      world: files({ claims: [torn(2)] }),
      actions: [sweep(2, true)],
      says: swept(2)
    },
    {
      name: "a tombstone swept",
      world: files({ claims: [claimSight(claim(1, 2, "ada", { kind: "tombstone" }), evidence.tombstone)] }),
      actions: [sweep(2)],
      says: []
    },
    {
      name: "a claim swept of which nobody knows",
      world: files({ claims: [claimOf(2, evidence.nobody)] }),
      actions: [sweep(2)],
      says: swept(2)
    },
    {
      name: "the same by the clock",
      world: files({ claims: [claimOf(2, evidence.nobody)] }),
      actions: [sweep(2, true)],
      says: []
    },
    {
      name: "the same by no clock",
      world: files({ claims: [claimOf(2, evidence.nobody)] }).withPolicy({ unknownLostSec: 0 }),
      actions: [sweep(2, true)],
      says: swept(2)
    },
    {
      name: "a living claim swept by the clock",
      world: files({ claims: [claimOf(2, evidence.claimedOnly)] }),
      actions: [sweep(2, true)],
      says: swept(2)
    }
  ])
})

describe("(g) each task and each lease has one verdict", () => {
  audit("g", [
    { name: "one for a task", world: oneAgent().addTask(1), verdicts: [waits(1)], says: [] },
    { name: "none for a task", world: oneAgent().addTask(1), says: ["task 1 has no verdict"] },
    {
      name: "none for a lease whose task is in no list",
      world: oneAgent().addRecord(1, { lease: leaseOf(3) }),
      says: ["task 1 has no verdict"]
    },
    { name: "none for memories", world: oneAgent().addAttempts(1, closed(3)), says: [] },
    { name: "none for a task that is complete", world: oneAgent().addTask(1, { status: "complete" }), says: [] },
    {
      name: "two for a task",
      world: oneAgent().addTask(1).addTask(2),
      verdicts: [waits(1), waits(2), waits(1)],
      says: ["task 1 has 2 verdicts"]
    },
    {
      name: "an action without one",
      world: oneAgent(),
      actions: [note, start(2, "ada")],
      verdicts: [waits(2)],
      says: ["task 1 is acted on without a verdict"]
    },
    { name: "claims are swept without one", world: oneAgent(), actions: [sweep(3)], says: [] }
  ])
})

describe("(h) a start's epoch exceeds every epoch seen", () => {
  const seen = (name: string, fields: Partial<TaskRecord>, highest: number): ReadonlyArray<Row> =>
    [highest, highest + 1].map((made) => ({
      name: `${name}: epoch ${made}`,
      world: oneAgent()
        .addTask(1)
        .addTask(2)
        .addRecord(2, { epochMax: 40 })
        .addRecord(1, { epochMax: 0, ...fields }),
      actions: [start(1, "ada", { epoch: epoch(made) })],
      says: made > highest ? [] : [`task 1 is started with epoch ${made}, seen ${highest}`]
    }))
  audit("h", [
    { name: "nothing was seen", world: oneAgent().addTask(1), actions: [start(1, "ada")], says: [] },
    ...seen("logs", { epochMax: 6 }, 6),
    ...seen("a lease", { lease: leaseOf(6) }, 6),
    ...seen("the latest start", { attempts: open(6) }, 6),
    ...seen("an ending", { attempts: attempts(1, null, { outcomes: closed(6).outcomes }) }, 6),
    ...seen("claims", { claims: [claimOf(5), torn(6)] }, 6),
    ...seen("an empty memory", { attempts: attempts(1, null), epochMax: 2 }, 2)
  ])
})

describe("(i) no task waits for a slot that is free", () => {
  const full = [{ _tag: "NoFreeSlot" as const, agents: "queue dev", used: 1, slots: 1 }]
  const idle = (name: string) => [`task 1 waits for a slot while ${name} has a free one`]
  const waiting = (name: string, made: WorldBuilder, says: ReadonlyArray<string>, more: Partial<Row> = {}): Row => ({
    name,
    world: made,
    verdicts: [waits(1, full)],
    says,
    ...more
  })
  const withAgent = (
    fields: Parameters<WorldBuilder["addAgent"]>[1],
    remembered: Parameters<WorldBuilder["addAgent"]>[2] = null
  ) => world().addAgent("ada", fields, remembered).addTask(1)
  const withRecipe = (state: "present" | "missing" | "outside" | null, tags: ReadonlyArray<string> = []) => {
    const made = world().addAgent("ada", { recipe: "plan.yaml" }).addTask(1, { tags })
    return state === null ? made : made.addRecipe("plan.yaml", state)
  }
  audit("i", [
    waiting("an agent is free", withAgent({}), idle("ada")),
    waiting("it has no slots", withAgent({ slots: 0 }), []),
    waiting("it is disabled", withAgent({ enabled: false }), []),
    waiting("it is paused", withAgent({}, { pausedBy: "maria" }), []),
    waiting("it is paused until later", withAgent({}, { pausedBy: "maria", pausedUntil: at(1) }), []),
    waiting("it is paused no more", withAgent({}, { pausedBy: "maria", pausedUntil: at(0) }), idle("ada")),
    waiting("it is set aside", withAgent({}, { setAsideUntil: at(1) }), []),
    waiting("nothing is against it", withAgent({}, {}), idle("ada")),
    waiting("its slot is held", withAgent({}).addRunning(2, "ada"), []),
    waiting("one of its slots is held", withAgent({ slots: 2 }).addRunning(2, "ada"), idle("ada")),
    waiting(
      "its slot was held",
      withAgent({}).addRecord(2, { claims: [claimOf(3, evidence.claimDead, "ada")], attempts: closed(4) }),
      idle("ada")
    ),
    waiting("its slot is given to another task", withAgent({}).addTask(2), [], { actions: [start(2, "ada")] }),
    waiting("one of its slots is", withAgent({ slots: 2 }).addTask(2), idle("ada"), { actions: [start(2, "ada")] }),
    waiting("it serves another queue", withAgent({ queues: [queueName("ops")] }), []),
    waiting(
      "it serves the queue among others, and comes second",
      world()
        .addAgent("bob", { queues: [queueName("ops")] })
        .addAgent("ada", { queues: [queueName("ops"), queueName("dev")] })
        .addTask(1),
      idle("ada")
    ),
    waiting("the task is another's", world().addAgent("ada").addTask(1, { assignee: "bob" }), []),
    waiting("the task is its own", world().addAgent("ada").addTask(1, { assignee: "ada", queue: "ops" }), idle("ada")),
    waiting("its recipe is there", withRecipe("present"), idle("ada")),
    waiting("its recipe was not looked for", withRecipe(null), idle("ada")),
    waiting("its recipe is missing", withRecipe("missing"), []),
    waiting("its recipe is outside", withRecipe("outside"), []),
    waiting("its recipe is missing, and the task names another", withRecipe("missing", ["x", "recipe:b"]), idle("ada")),
    waiting("its recipe is missing, and the task names none", withRecipe("missing", ["x"]), []),
    waiting("the task is in no list", world().addAgent("ada"), []),
    waiting("the task waits for something else first", withAgent({}), [], {
      verdicts: [waits(1, [{ _tag: "NoQueue" }, ...full])]
    }),
    waiting("the task waits for nothing that is told", withAgent({}), [], { verdicts: [waits(1)] }),
    waiting("the task is left to others", withAgent({}), [], {
      verdicts: [{ _tag: "Ignore", taskId: taskId(1), reason: "worked-on-outside" }]
    })
  ])
})

describe("the audit", () => {
  it("names each invariant that a plan breaks", () => {
    const { desired, observed } = oneAgent().addTask(1).build()
    const twice = planOf([start(1, "ada"), start(1, "ada")], [waits(1)])
    expect(violationsOf(observed, desired, twice)).toEqual([
      { invariant: "a", message: "agent ada: 0 held + 2 started > 1" },
      { invariant: "b", message: "task 1 is started twice" }
    ])
  })

  it("(f) tells two plans apart that differ in order alone", () => {
    const plan = planOf([start(1, "ada"), start(2, "ada")])
    expect(permutationViolations(plan, planOf([start(1, "ada"), start(2, "ada")]))).toEqual([])
    expect(permutationViolations(plan, planOf([start(2, "ada"), start(1, "ada")]))).toEqual([
      { invariant: "f", message: "the order of the input's arrays changed the plan" }
    ])
  })
})

describe("(e) the plans of successive rounds come to rest", () => {
  const rest = planOf([])
  const settle = (rounds: ReadonlyArray<ReadonlyArray<Action>>) =>
    settlingViolations([...rounds.map((actions) => planOf(actions)), rest]).map(({ message }) => message)
  it.each<{
    readonly name: string
    readonly rounds: ReadonlyArray<ReadonlyArray<Action>>
    readonly says: ReadonlyArray<string>
  }>([
    { name: "two rounds with actions", rounds: [[start(1, "ada")], [start(2, "ada")]], says: [] },
    {
      name: "a third",
      rounds: [[start(1, "ada")], [start(2, "ada")], [start(3, "ada"), start(4, "ada")]],
      says: ["round 3 still has 2 actions"]
    },
    {
      name: "a third and a fourth",
      rounds: [[start(1, "ada")], [start(2, "ada")], [start(3, "ada")], [start(4, "ada")]],
      says: ["round 3 still has 1 actions", "round 4 still has 1 actions"]
    },
    { name: "a third after something ended", rounds: [[end(3)], [note], [start(3, "ada")]], says: [] },
    { name: "a third after an old lease ended", rounds: [[endLegacy()], [note], [start(3, "ada")]], says: [] },
    { name: "a third after a lease was rebuilt", rounds: [[rebuild(3)], [note], [start(3, "ada")]], says: [] },
    {
      name: "a fourth after one task ended twice",
      rounds: [[end(3)], [end(4)], [note], [start(3, "ada")]],
      says: ["round 4 still has 1 actions"]
    },
    {
      name: "a fifth after a lease was rebuilt and ended",
      rounds: [[rebuild(3)], [stopping], [end(3)], [start(3, "ada")], [start(4, "ada")]],
      says: ["round 5 still has 1 actions"]
    },
    {
      name: "an action of an earlier round",
      rounds: [[start(1, "ada")], [note, start(1, "ada")]],
      says: ["round 2 repeats Start of task 1"]
    }
  ])("$name", ({ rounds, says }) => {
    expect(settle(rounds)).toEqual(says)
  })

  it("breaks are told under its letter", () => {
    expect(settlingViolations([planOf([note]), planOf([note])])).toEqual([
      { invariant: "e", message: "round 2 repeats Note of task 1" }
    ])
  })
})
