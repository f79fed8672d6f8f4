/**
 * Small worlds by hand: the smallest valid value of each noun, and a builder that puts them together. Times are seconds
 * from one `now`; negative is past. `lines` is what a specification compares: each verdict in words, and below it, set
 * in, what is to be done about it (a start's verdict says that itself).
 */
import type { AgentRecord, Attempts, Pause, Sighting, StopRecord } from "../src/domain/Attempts.ts"
import { policyDefaults } from "../src/domain/DesiredState.ts"
import type { Agent, DesiredState, Policy } from "../src/domain/DesiredState.ts"
import { AgentName, Epoch, QueueName, TaskId, Term, Token } from "../src/domain/identifiers.ts"
import type { AgentExit, Claim, FinishedLease, Lease, RunningLease, StartingLease } from "../src/domain/Lease.ts"
import type { RecipeSight, StartFault } from "../src/domain/ObservedState.ts"
import type { Outcome } from "../src/domain/Outcome.ts"
import type { Action, Plan, Verdict } from "../src/domain/Plan.ts"
import type { HostIdentity } from "../src/domain/ProcessIdentity.ts"
import { RequestId } from "../src/domain/Request.ts"
import type { Request, StopRequest } from "../src/domain/Request.ts"
import type { Situation } from "../src/domain/Situation.ts"
import type { Task } from "../src/domain/Task.ts"
import type { ClaimSight, Evidence, LeaseSight, TaskRecord } from "../src/domain/TaskRecord.ts"
import { actionTaskId } from "../src/reconcile/actionTaskId.ts"
import { describeVerdict } from "../src/reconcile/describe.ts"
import { reconcile } from "../src/reconcile/reconcile.ts"

export type World = Situation

/** 2026-03-01T12:00:00Z, some two hours after the machine was started. */
export const nowMs = 1_772_366_400_000
export const monoMs = 8_000_000
export const here: HostIdentity = { host: "calypso/4f2c", bootId: "boot-2", pidNs: 4026531836 }

/** Remembers what a function made: brands are checked once per value, and worlds are made by the hundred thousand. */
const remembered = <K extends string | number, A>(make: (key: K) => A): ((key: K) => A) => {
  const known = new Map<K, A>()
  return (key) => {
    const found = known.get(key) ?? make(key)
    known.set(key, found)
    return found
  }
}

export const taskId = remembered((id: number) => TaskId.make(id))
export const epoch = remembered((value: number) => Epoch.make(value))
export const agentName = remembered((name: string) => AgentName.make(name))
export const queueName = remembered((name: string) => QueueName.make(name))
const term = Term.make(31)

/** The token of an attempt, readable in failures: task 17, epoch 3 → 00000017-0003-4000-8000-000000000000. */
export const tokenOf = (task: number, attempt: number, variant = 0): Token =>
  tokenOfText(`${String(task).padStart(8, "0")}-${String(attempt).padStart(4, "0")}-4000-8000-${variant}00000000000`)
const tokenOfText = remembered((text: string) => Token.make(text))

/** The moment that many seconds from now, as text. */
export const at = remembered((seconds: number) => new Date(nowMs + seconds * 1000).toISOString())
/** The same on the monotonic clock. */
export const mono = (seconds: number): number => monoMs + seconds * 1000

export const task = (id: number, fields: Partial<Task> = {}): Task => ({
  id: taskId(id),
  title: `task ${id}`,
  status: "idle",
  queue: "dev",
  assignee: null,
  priority: 0,
  tags: [],
  parent: null,
  blockedBy: null,
  blocked: false,
  createdAt: at(-7200),
  archived: false,
  ...fields
})

export const agent = (name: string, fields: Partial<Agent> = {}): Agent => ({
  name: agentName(name),
  queues: [queueName("dev")],
  slots: 1,
  enabled: true,
  recipe: null,
  success: "exit",
  maxRuntimeSec: 3600,
  stopGraceSec: 10,
  stopSignal: "SIGINT",
  ...fields
})

export const agentRecord = (name: string, fields: Partial<AgentRecord> = {}): AgentRecord => ({
  agentName: agentName(name),
  pausedBy: null,
  pausedUntil: null,
  lastStart: null,
  startFailures: 0,
  setAsideUntil: null,
  ...fields
})

/** What all three phases of a lease share, for attempt `attempt` of task `id`, begun a minute ago. */
const leaseBase = (id: number, attempt: number, name: string, place: HostIdentity) => ({
  ...place,
  taskId: taskId(id),
  agentName: agentName(name),
  startTime: at(-60),
  maxRuntimeSec: 3600,
  token: tokenOf(id, attempt),
  epoch: epoch(attempt),
  term,
  attempt: 1,
  recipe: null,
  queue: "dev",
  endpoint: "http://localhost:3000",
  taskCreatedAt: at(-7200),
  prior: { status: "idle" as const, assignee: null },
  startMonoMs: mono(-60),
  log: `state/logs/tasks/${id}/${attempt}.log`,
  version: 1 as const
})

const unclaimed = { pid: null, pidStart: null, lastHeartbeat: null, beatMonoMs: null, agent: null, lastOutput: null }

export const supervisorPid = (id: number): number => 10_000 + id
export const agentPid = (id: number): number => 20_000 + id

const claimedFields = (id: number) => ({
  pid: supervisorPid(id),
  pidStart: 700,
  lastHeartbeat: at(-5),
  beatMonoMs: mono(-5),
  lastOutput: null
})
export const agentProcess = (id: number) => ({ pid: agentPid(id), pidStart: 701, group: agentPid(id) })

export const startingLease = (
  id: number,
  attempt: number,
  name: string,
  fields: Partial<StartingLease> = {},
  place = here
): StartingLease => ({ ...leaseBase(id, attempt, name, place), ...unclaimed, phase: "starting", ...fields })

export const runningLease = (
  id: number,
  attempt: number,
  name: string,
  fields: Partial<RunningLease> = {},
  place = here
): RunningLease => ({
  ...leaseBase(id, attempt, name, place),
  ...claimedFields(id),
  agent: agentProcess(id),
  phase: "running",
  ...fields
})

export const exit = (fields: Partial<AgentExit> = {}): AgentExit => ({
  code: 0,
  signal: null,
  error: null,
  at: at(-2),
  tail: "",
  ...fields
})

export const finishedLease = (
  id: number,
  attempt: number,
  name: string,
  fields: Partial<FinishedLease> = {},
  place = here
): FinishedLease => ({
  ...leaseBase(id, attempt, name, place),
  ...claimedFields(id),
  agent: agentProcess(id),
  exit: exit(),
  phase: "finished",
  ...fields
})

export const claim = (id: number, attempt: number, name: string, fields: Partial<Claim> = {}, place = here): Claim => ({
  ...place,
  kind: "claim",
  taskId: taskId(id),
  epoch: epoch(attempt),
  token: tokenOf(id, attempt),
  agentName: agentName(name),
  pid: supervisorPid(id),
  pidStart: 700,
  log: `state/logs/tasks/${id}/${attempt}.log`,
  version: 1,
  ...fields
})

/** A command's request to stop an attempt. */
export const stopRequest = (task: number, attempt: number): StopRequest => ({
  version: 1,
  uuid: RequestId.make(tokenOf(task, attempt, 7)),
  at: at(-1),
  by: "maria",
  kind: "stop",
  taskId: taskId(task),
  epoch: epoch(attempt),
  token: tokenOf(task, attempt)
})

/** An attempts file whose latest start is `attempt` of the named agent; without a name nothing was started yet. */
export const attempts = (
  id: number,
  start: { readonly epoch: number; readonly agent: string } | null,
  fields: Partial<Attempts> = {}
): Attempts => ({
  version: 1,
  taskId: taskId(id),
  endpoint: "http://localhost:3000",
  taskCreatedAt: at(-7200),
  last:
    start === null
      ? null
      : {
          epoch: epoch(start.epoch),
          token: tokenOf(id, start.epoch),
          agentName: agentName(start.agent),
          queue: "dev",
          prior: { status: "idle", assignee: null },
          startedAt: at(-60),
          startMonoMs: mono(-60),
          bootId: here.bootId
        },
  outcomes: [],
  counts: { failures: 0, losses: 0 },
  notBefore: null,
  parked: null,
  observed: null,
  ...fields
})

export const recordedOutcome = (id: number, attempt: number, outcome: Outcome) => ({
  epoch: epoch(attempt),
  token: tokenOf(id, attempt),
  outcome,
  at: at(-30),
  detail: `recorded as ${outcome}`
})

export const sighting = (attempt: number, fields: Partial<Sighting> = {}): Sighting => ({
  epoch: epoch(attempt),
  bootId: here.bootId,
  hungBeatMonoMs: null,
  hungSinceMonoMs: null,
  unknownSinceMonoMs: null,
  completeSinceMonoMs: null,
  ...fields
})

export const stopRecord = (id: number, attempt: number, fields: Partial<StopRecord> = {}): StopRecord => ({
  version: 1,
  taskId: taskId(id),
  epoch: epoch(attempt),
  token: tokenOf(id, attempt),
  reason: "max-runtime",
  since: at(-12),
  bootId: here.bootId,
  rung: "interrupt",
  sinceMonoMs: mono(-12),
  nextMonoMs: mono(-2),
  aloneSinceMonoMs: null,
  targets: [],
  ...fields
})

/** What observing an attempt's processes can show, by name. */
export const evidence = {
  /** Alive, and so nobody looked for more. */
  healthy: { supervisor: "alive", agent: "alive", others: [], scanned: false },
  claimedOnly: { supervisor: "alive", agent: null, others: [], scanned: false },
  dead: { supervisor: "dead", agent: "dead", others: [], scanned: true },
  deadUnscanned: { supervisor: "dead", agent: "dead", others: [], scanned: false },
  claimDead: { supervisor: "dead", agent: null, others: [], scanned: true },
  unknown: { supervisor: "unknown", agent: "unknown", others: [], scanned: false },
  /** An intent that nobody has claimed: there is nobody to look at. */
  nobody: { supervisor: "unknown", agent: null, others: [], scanned: false },
  agentGone: { supervisor: "alive", agent: "dead", others: [], scanned: true },
  tombstone: { supervisor: "dead", agent: null, others: [], scanned: false }
} satisfies { readonly [name: string]: Evidence }

export const orphaned = (id: number): Evidence => ({
  supervisor: "dead",
  agent: "alive",
  others: [agentPid(id)],
  scanned: true
})

export const record = (id: number, fields: Partial<TaskRecord>): TaskRecord => ({
  taskId: taskId(id),
  lease: { _tag: "Missing" },
  claims: [],
  stop: null,
  attempts: null,
  attemptsProblem: null,
  openStart: null,
  epochMax: 0,
  ...fields
})

export const claimSight = (made: Claim, seen: Evidence): ClaimSight => ({
  _tag: "Read",
  epoch: made.epoch,
  claim: made,
  evidence: seen
})

/** The largest epoch that a record shows anywhere. */
export const epochMaxOf = (fields: Partial<TaskRecord>): number =>
  Math.max(
    0,
    fields.lease?._tag === "Read" ? fields.lease.lease.epoch : 0,
    fields.stop?.epoch ?? 0,
    fields.attempts?.last?.epoch ?? 0,
    ...(fields.claims ?? []).map((sight) => sight.epoch),
    ...(fields.attempts?.outcomes ?? []).map((recorded) => recorded.epoch)
  )

/** One world, put together piece by piece. Nothing is there that was not added. */
export class WorldBuilder {
  private readonly tasks: Array<Task> = []
  private readonly lookedUp: Array<{ readonly taskId: TaskId; readonly task: Task | null }> = []
  private readonly agents: Array<Agent> = []
  private readonly agentRecords: Array<AgentRecord> = []
  private readonly records: Array<TaskRecord> = []
  private readonly recipes: Array<RecipeSight> = []
  private readonly faults: Array<StartFault> = []
  private readonly queueLimits: Array<{ readonly queue: QueueName; readonly limit: number }> = []
  private maxConcurrent: number | null = null
  private policy: Policy = policyDefaults
  private mode: DesiredState["mode"] = "queues"
  private tinytaskDown = false
  private startsOffReason: string | null = null
  private paused: Pause | null = null
  private requests: Array<Request> = []
  private now = 0

  addAgent(name: string, fields: Partial<Agent> = {}, remembered: Partial<AgentRecord> | null = null): this {
    this.agents.push(agent(name, fields))
    if (remembered !== null) this.agentRecords.push(agentRecord(name, remembered))
    return this
  }
  addTask(id: number, fields: Partial<Task> = {}): this {
    this.tasks.push(task(id, fields))
    return this
  }
  /** A task that is in no list, as it was looked up by itself; null = gone. */
  addLookedUp(id: number, fields: Partial<Task> | null): this {
    this.lookedUp.push({ taskId: taskId(id), task: fields === null ? null : task(id, fields) })
    return this
  }
  addRecord(id: number, fields: Partial<TaskRecord>): this {
    this.records.push(record(id, { epochMax: epochMaxOf(fields), ...fields }))
    return this
  }
  /** A lease with its claim and attempts file, as an undisturbed start leaves them. */
  addLease(lease: Lease, seen: Evidence, fields: Partial<TaskRecord> = {}): this {
    const id = lease.taskId
    const own = claim(id, lease.epoch, lease.agentName, {
      host: lease.host,
      bootId: lease.bootId,
      pidNs: lease.pidNs,
      token: lease.token
    })
    return this.addRecord(id, {
      lease: { _tag: "Read", lease, evidence: lease.phase === "starting" ? evidence.nobody : seen },
      claims: [claimSight(own, seen)],
      attempts: attempts(id, { epoch: lease.epoch, agent: lease.agentName }),
      ...fields
    })
  }
  /** A task at work under a healthy supervisor: what takes a slot. */
  addRunning(id: number, name: string, fields: Partial<Task> = {}): this {
    const queue = fields.queue === undefined ? "dev" : fields.queue
    return this.addTask(id, { status: "working", assignee: name, ...fields }).addLease(
      runningLease(id, 1, name, { queue }),
      evidence.healthy
    )
  }
  /** A task of which only the attempts file is there. */
  addAttempts(id: number, remembered: Attempts): this {
    return this.addRecord(id, { attempts: remembered })
  }
  addRecipe(recipe: string, state: RecipeSight["state"]): this {
    this.recipes.push({ recipe, path: `recipes/${recipe}`, state })
    return this
  }
  addFault(id: number, attempt: number, kind: StartFault["kind"], reason: string): this {
    this.faults.push({ taskId: taskId(id), token: tokenOf(id, attempt), kind, reason })
    return this
  }
  limitQueue(queue: string, limit: number): this {
    this.queueLimits.push({ queue: queueName(queue), limit })
    return this
  }
  limitAll(limit: number): this {
    this.maxConcurrent = limit
    return this
  }
  withPolicy(fields: Partial<Policy>): this {
    this.policy = { ...this.policy, ...fields }
    return this
  }
  legacy(): this {
    this.mode = "legacy"
    return this
  }
  withoutTinytask(): this {
    this.tinytaskDown = true
    return this
  }
  /** Somebody paused all agents together. */
  withPause(by: string, untilSec: number | null): this {
    this.paused = { by, until: untilSec === null ? null : at(untilSec) }
    return this
  }
  addRequest(request: Request): this {
    this.requests.push(request)
    return this
  }
  withStartsOff(reason: string): this {
    this.startsOffReason = reason
    return this
  }
  /** Lets both clocks run on. */
  later(seconds: number): this {
    this.now += seconds
    return this
  }

  build(): World {
    return {
      observed: {
        nowMs: nowMs + this.now * 1000,
        monoMs: monoMs + this.now * 1000,
        here,
        tinytask: this.tinytaskDown
          ? { _tag: "Unread", reason: "connection refused" }
          : { _tag: "Read", tasks: this.tasks, lookedUp: this.lookedUp },
        records: this.records,
        agents: this.agentRecords,
        paused: this.paused,
        requests: this.requests,
        recipes: this.recipes,
        startFaults: this.faults,
        startsOffReason: this.startsOffReason
      },
      desired: {
        mode: this.mode,
        endpoint: "http://localhost:3000",
        agents: this.agents,
        queueLimits: this.queueLimits,
        maxConcurrent: this.maxConcurrent,
        policy: this.policy
      }
    }
  }
  plan(): Plan {
    const { desired, observed } = this.build()
    return reconcile(observed, desired)
  }
  lines(): ReadonlyArray<string> {
    return show(this.plan())
  }
}

export const world = (): WorldBuilder => new WorldBuilder()

/** A world in which one agent with one slot serves the queue dev. */
export const oneAgent = (fields: Partial<Agent> = {}): WorldBuilder => world().addAgent("ada", fields)

const seconds = (time: number | null): string => (time === null ? "-" : `${(time - monoMs) / 1000} s`)

/** One action in short; a start is told by its verdict. */
export const showAction = (action: Action): string => {
  switch (action._tag) {
    case "Note":
      return action.sighting === null
        ? "  note: nothing out of the ordinary"
        : `  note: ${[
            ["hung since", action.sighting.hungSinceMonoMs] as const,
            ["unknown since", action.sighting.unknownSinceMonoMs] as const,
            ["complete since", action.sighting.completeSinceMonoMs] as const
          ]
            .filter(([, since]) => since !== null)
            .map(([what, since]) => `${what} ${seconds(since)}`)
            .join(", ")}`
    case "Rebuild":
      return `  rebuild its lease from its claim${action.setAside === null ? "" : `, set aside: ${action.setAside}`}`
    case "Stop":
      return `  ${action.record.rung}${action.includeSupervisor ? " with its supervisor" : ""}, next at ${seconds(action.record.nextMonoMs)}`
    case "End":
      return `  end as ${action.outcome}${action.tombstone ? " through a tombstone" : ""}${action.withoutProof ? " without proof" : ""}`
    case "EndLegacy":
      return `  end the old lease as epoch ${action.epoch}${action.withoutProof ? " without proof" : ""}`
    case "Sweep":
      return `  sweep claims up to epoch ${action.epoch}${action.withoutProof ? " without proof" : ""}`
    case "Start":
      return `  start on ${action.agent}`
  }
}

/** A plan as a specification shows it: verdicts in the order of tasks, each followed by its actions. */
export const show = (plan: Plan): ReadonlyArray<string> => {
  const rest = plan.actions.filter((action) => action._tag !== "Start")
  const told = new Set<number>(plan.verdicts.map((verdict: Verdict) => verdict.taskId))
  return [
    ...plan.verdicts.flatMap((verdict) => [
      describeVerdict(verdict),
      ...rest.filter((action) => actionTaskId(action) === verdict.taskId).map(showAction)
    ]),
    ...rest
      .filter((action) => !told.has(actionTaskId(action)))
      .map((action) => `task ${actionTaskId(action)}:${showAction(action)}`)
  ]
}

/** A lease sight of each odd kind. */
export const unreadable = (id: number, name: string | null): LeaseSight => ({
  _tag: "Unreadable",
  path: `state/running/task_${id}.json`,
  problem: "not JSON",
  agentName: name
})
export const legacyLease = (id: number, name: string, liveness: "alive" | "dead" | "unknown"): LeaseSight => ({
  _tag: "Legacy",
  path: `state/running/task_${id}.json`,
  lease: {
    taskId: taskId(id),
    agentName: agentName(name),
    pid: 4242,
    startTime: at(-600),
    lastHeartbeat: null,
    host: null
  },
  liveness
})
