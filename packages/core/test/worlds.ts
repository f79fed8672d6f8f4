/**
 * Whole believable worlds for property tests: what a scheduler could really meet, odd corners often. Each piece of state
 * is drawn by its story (an attempt that runs, one whose lease was torn, a start that was only written down, …), so that
 * files, processes and tasks agree as far as they would on a real machine. Times are seconds from one `now`.
 *
 * Drawn straight from fast-check's random numbers and shrunk by structure (leave out a task, an agent, a limit): a
 * hundred thousand worlds in seconds, and a counterexample that can be read.
 */
import * as fc from "fast-check"
import type { AgentRecord, Attempts, Sighting, StopReason, StopRecord } from "../src/domain/Attempts.ts"
import { policyDefaults } from "../src/domain/DesiredState.ts"
import type { Agent, DesiredState, Policy } from "../src/domain/DesiredState.ts"
import type { Claim, Lease } from "../src/domain/Lease.ts"
import type { RecipeSight, StartFault, TinytaskSight } from "../src/domain/ObservedState.ts"
import type { Outcome } from "../src/domain/Outcome.ts"
import type { HostIdentity, Liveness } from "../src/domain/ProcessIdentity.ts"
import type { Request } from "../src/domain/Request.ts"
import type { Task } from "../src/domain/Task.ts"
import type { ClaimSight, Evidence, TaskRecord } from "../src/domain/TaskRecord.ts"
import {
  agent as agentOf,
  agentPid,
  agentRecord,
  at,
  attempts as attemptsOf,
  claim as claimOf,
  claimSight,
  epoch,
  epochMaxOf,
  evidence,
  exit,
  finishedLease,
  here,
  legacyLease,
  mono,
  monoMs,
  nowMs,
  queueName,
  runningLease,
  startingLease,
  stopRecord,
  supervisorPid,
  task as taskOf,
  taskId,
  stopRequest,
  tokenOf,
  unreadable
} from "./builders.ts"
import type { World } from "./builders.ts"

/** Draws by name what a test wants to read: a chance, a pick, a weighted pick. */
class Dice {
  readonly random: fc.Random
  constructor(random: fc.Random) {
    this.random = random
  }
  int(min: number, max: number): number {
    return this.random.nextInt(min, max)
  }
  /** True so many times in a hundred. */
  chance(percent: number): boolean {
    return this.random.nextInt(0, 99) < percent
  }
  pick<A>(items: ReadonlyArray<A>): A {
    const item = items[this.random.nextInt(0, items.length - 1)]
    if (item === undefined) throw new Error("nothing to pick from")
    return item
  }
  /** One key of a table of weights. */
  weigh<K extends string>(weights: Readonly<Record<K, number>>): K {
    const entries = Object.entries<number>(weights)
    let left = this.random.nextInt(
      1,
      entries.reduce((sum, [, weight]) => sum + weight, 0)
    )
    for (const [key, weight] of entries) {
      left -= weight
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a key of the table it was taken from
      if (left <= 0) return key as K
    }
    throw new Error("no weights")
  }
  shuffle<A>(items: ReadonlyArray<A>): ReadonlyArray<A> {
    const shuffled = [...items]
    for (let from = shuffled.length - 1; from > 0; from -= 1) {
      const to = this.random.nextInt(0, from)
      const moved = shuffled[from]
      const other = shuffled[to]
      if (moved === undefined || other === undefined) continue
      shuffled[from] = other
      shuffled[to] = moved
    }
    return shuffled
  }
}

const queueNames = ["dev", "docs", "ops"]
const agentNames = ["ada", "bo", "cy", "dee", "eva"]
/** Known to nobody's control file: people, and an agent that left it. */
const strangers = ["maria", "zed"]
const tagRecipes = ["fix.yaml", "gone.yaml", "../outside.yaml"]

const drawPolicy = (dice: Dice): Policy => ({
  ...policyDefaults,
  order: dice.chance(75) ? "blockers" : "priority",
  parents: dice.chance(75) ? "wait" : "run",
  disableBlocking: dice.chance(15),
  starts: dice.chance(88) ? "on" : dice.pick(["disabled", "drain", "observe-only"] as const),
  startsMax: dice.chance(80) ? 200 : dice.int(0, 3),
  unknownLostSec: dice.chance(85) ? 300 : 0,
  stopGraceSec: dice.chance(90) ? 10 : 0
})

const drawAgents = (dice: Dice, mode: DesiredState["mode"]): ReadonlyArray<Agent> =>
  agentNames.slice(0, dice.chance(5) ? 0 : dice.int(1, agentNames.length)).map((name) => {
    const goose = dice.chance(50)
    return agentOf(name, {
      queues: mode === "legacy" ? [] : dice.shuffle(queueNames).slice(0, dice.int(1, 3)).map(queueName),
      slots: dice.pick([0, 1, 1, 1, 2, 2, 3, 4]),
      enabled: dice.chance(90),
      recipe: goose ? `${name}.yaml` : null,
      success: goose ? "tinytask" : dice.chance(70) ? "exit" : "json",
      maxRuntimeSec: dice.pick([3600, 3600, 600, 0]),
      stopGraceSec: dice.pick([10, 10, 0])
    })
  })

/** Commands that asked for the stop of what runs, of what ran, and of what never did. */
const drawStopRequests = (dice: Dice, records: ReadonlyArray<TaskRecord>): ReadonlyArray<Request> =>
  records.flatMap(({ lease, taskId: id }) =>
    lease._tag === "Read" && dice.chance(5) ? [stopRequest(id, lease.lease.epoch + dice.pick([0, 0, 0, 1]))] : []
  )

const drawAgentRecords = (dice: Dice): ReadonlyArray<AgentRecord> =>
  [...agentNames, "zed"]
    .filter(() => dice.chance(60))
    .map((name) => {
      const paused = dice.chance(15)
      return agentRecord(name, {
        pausedBy: paused ? dice.pick(["maria", "drain"]) : null,
        pausedUntil: dice.chance(50) ? at(dice.pick([-100, 0, 900])) : null,
        lastStart: dice.chance(60) ? at(-dice.int(0, 5) * 60) : null,
        startFailures: dice.int(0, 4),
        setAsideUntil: dice.chance(20) ? at(dice.pick([-50, 0, 300, 90_000])) : null
      })
    })

const drawRecipes = (dice: Dice, agents: ReadonlyArray<Agent>): ReadonlyArray<RecipeSight> => [
  ...agents.flatMap(({ recipe }): ReadonlyArray<RecipeSight> =>
    recipe === null || dice.chance(10)
      ? []
      : [
          {
            recipe,
            path: `recipes/${recipe}`,
            state: dice.pick(["present", "present", "present", "missing", "outside"])
          }
        ]
  ),
  { recipe: "fix.yaml", path: "recipes/fix.yaml", state: "present" },
  { recipe: "gone.yaml", path: "recipes/gone.yaml", state: "missing" },
  { recipe: "../outside.yaml", path: "outside.yaml", state: "outside" }
]

const drawTags = (dice: Dice): ReadonlyArray<string> => {
  const recipes = dice.chance(80) ? 0 : dice.chance(60) ? 1 : 2
  const named = dice.shuffle(tagRecipes).slice(0, recipes)
  return [...(dice.chance(15) ? ["urgent"] : []), ...named.map((recipe) => `recipe:${recipe}`)]
}

/** A task that nobody has touched yet. */
const drawTask = (dice: Dice, id: number, agents: ReadonlyArray<Agent>): Task =>
  taskOf(id, {
    queue: dice.chance(8) ? null : dice.chance(92) ? dice.pick(queueNames) : "nowhere",
    assignee: dice.chance(72)
      ? null
      : dice.chance(85) && agents.length > 0
        ? dice.pick(agents).name
        : dice.pick(strangers),
    priority: dice.chance(60) ? 0 : dice.pick([-1, 0.5, 1, 1, 5, -0.25]),
    tags: drawTags(dice),
    createdAt: at(-3600 * dice.int(1, 4))
  })

/** Links tasks by blockers and parents: chains, fans, cycles, and blockers that are archived or done. */
const linkTasks = (dice: Dice, tasks: ReadonlyArray<Task>): ReadonlyArray<Task> => {
  const shape = dice.weigh({ none: 35, some: 40, chain: 12, cycle: 13 })
  const order = dice.shuffle(tasks)
  const position = new Map(order.map((task, index) => [task.id, index] as const))
  const cycleLength = Math.min(order.length, dice.int(2, 4))
  const blockerOf = (task: Task): Task | undefined => {
    const index = position.get(task.id) ?? 0
    switch (shape) {
      case "none":
        return undefined
      case "some":
        return index > 0 && dice.chance(35) ? order[dice.int(0, index - 1)] : undefined
      case "chain":
        return order[index - 1]
      case "cycle":
        return index < cycleLength
          ? order[(index + 1) % cycleLength]
          : dice.chance(40)
            ? order[dice.int(0, index - 1)]
            : undefined
    }
  }
  return tasks.map((task) => {
    const blocker = blockerOf(task)
    const outside = dice.chance(6)
    const parent = dice.chance(8) ? dice.pick(tasks).id : null
    return {
      ...task,
      ...(outside
        ? // Archived and unfinished: blocks and is in no list. Complete: is named, and blocks no more.
          { blockedBy: taskId(900 + dice.int(0, 1)), blocked: dice.chance(60) }
        : blocker === undefined || blocker.id === task.id
          ? {}
          : { blockedBy: blocker.id, blocked: true }),
      parent: parent === task.id ? null : parent
    }
  })
}

/** Where the processes of an attempt are. */
const drawPlace = (dice: Dice): HostIdentity =>
  dice.chance(82)
    ? here
    : dice.pick([
        { ...here, bootId: "boot-1" },
        { ...here, host: "other/9c1d" },
        { ...here, host: "" },
        { ...here, pidNs: 4026532999 }
      ])

const livesElsewhere = (place: HostIdentity): boolean => place.host !== here.host || place.pidNs !== here.pidNs

/** What a look at a claimed attempt's processes shows. `looked`: somebody looked at all processes. */
const drawEvidence = (
  dice: Dice,
  id: number,
  options: { readonly place: HostIdentity; readonly agentKnown: boolean; readonly looked: boolean }
): Evidence => {
  const agent = (liveness: Liveness): Liveness | null => (options.agentKnown ? liveness : null)
  if (livesElsewhere(options.place)) {
    return { supervisor: "unknown", agent: agent("unknown"), others: [], scanned: false }
  }
  if (options.place.bootId !== here.bootId) {
    return { supervisor: "dead", agent: agent("dead"), others: [], scanned: true }
  }
  const pid = agentPid(id)
  switch (
    dice.weigh({
      alive: 40,
      dead: 22,
      orphaned: 8,
      leftovers: 6,
      agentGone: 6,
      unreadable: 6,
      unreadableButAlive: 5,
      agentUnreadable: 3,
      notScanned: 6
    })
  ) {
    case "alive":
      return {
        supervisor: "alive",
        agent: agent("alive"),
        others: options.looked ? [pid, ...(dice.chance(30) ? [pid + 1] : [])] : [],
        scanned: options.looked
      }
    case "dead":
      return { supervisor: "dead", agent: agent("dead"), others: [], scanned: true }
    case "orphaned":
      return { supervisor: "dead", agent: agent("alive"), others: [pid], scanned: true }
    case "leftovers":
      return { supervisor: dice.pick(["dead", "alive"]), agent: agent("dead"), others: [pid + 7], scanned: true }
    case "agentGone":
      return { supervisor: "alive", agent: agent("dead"), others: [], scanned: true }
    case "unreadable":
      return { supervisor: "unknown", agent: agent("unknown"), others: [], scanned: options.looked }
    case "unreadableButAlive":
      return { supervisor: "unknown", agent: agent("dead"), others: [pid + 7], scanned: true }
    case "agentUnreadable":
      return { supervisor: "dead", agent: agent("unknown"), others: [], scanned: true }
    case "notScanned":
      return { supervisor: dice.pick(["dead", "alive"]), agent: agent("dead"), others: [], scanned: false }
  }
}

const mayEnd = (seen: Evidence): boolean => seen.others.length === 0 && seen.agent !== "alive"

const drawStop = (dice: Dice, id: number, attempt: number): StopRecord => {
  const rung = dice.pick(["interrupt", "terminate", "kill"] as const)
  const since = dice.pick([-3, -10, -40, -400])
  return stopRecord(id, attempt, {
    reason: dice.pick<StopReason>([
      "max-runtime",
      "idle",
      "hung-supervisor",
      "orphaned-agent",
      "leftovers",
      "task-complete",
      "task-taken-away"
    ]),
    bootId: dice.chance(90) ? here.bootId : "boot-1",
    rung,
    since: at(since),
    sinceMonoMs: mono(since),
    nextMonoMs: mono(dice.pick([-30, -1, 0, 4])),
    aloneSinceMonoMs: dice.chance(50) ? null : mono(dice.pick([-2, -10, -60])),
    targets: dice.chance(50) ? [] : [{ pid: agentPid(id), pidStart: 701 }]
  })
}

/** What earlier looks at an attempt left behind; of this attempt and boot more often than not. */
const drawSighting = (dice: Dice, attempt: number, beatMonoMs: number): Sighting => {
  const since = (): number | null => (dice.chance(35) ? null : mono(dice.pick([-500, -300, -120, -30, -20, -1])))
  return {
    epoch: epoch(dice.chance(90) ? attempt : Math.max(1, attempt - 1)),
    bootId: dice.chance(92) ? here.bootId : "boot-1",
    hungBeatMonoMs: dice.chance(85) ? beatMonoMs : beatMonoMs - 15_000,
    hungSinceMonoMs: since(),
    unknownSinceMonoMs: since(),
    completeSinceMonoMs: since()
  }
}

const countedOutcomes: ReadonlyArray<Outcome> = ["failed", "unreported", "timed-out", "lost", "start-failed", "stopped"]

/** Endings of earlier epochs, and what they amount to. */
const drawPast = (
  dice: Dice,
  id: number,
  below: number
): Pick<Attempts, "outcomes" | "counts" | "notBefore" | "parked"> => {
  const past = dice.chance(50) ? 0 : dice.int(1, 3)
  const parked = past > 0 && dice.chance(25)
  const outcome = dice.pick(countedOutcomes)
  return {
    outcomes: Array.from({ length: Math.min(past, below - 1) }, (_, index) => ({
      epoch: epoch(below - 1 - index),
      token: tokenOf(id, below - 1 - index),
      outcome,
      at: at(-900 * (index + 1)),
      detail: "exit 1"
    })).toReversed(),
    counts: { failures: past, losses: dice.int(0, 2) },
    // A far one was written before the clock was set back.
    notBefore: past > 0 && dice.chance(60) ? at(dice.pick([-10, 0, 45, 3600, 90_000])) : null,
    parked: parked ? { since: at(-600), outcome, count: past } : null
  }
}

/** The stories of which the files of one task can tell. */
const stories = {
  remembered: 10,
  forgotten: 3,
  intent: 9,
  claimed: 6,
  undo: 5,
  running: 26,
  finished: 14,
  leaseMissing: 5,
  leaseUnreadable: 6,
  contradicting: 5,
  claimUnreadable: 3,
  openStart: 6,
  openStartOverClaims: 2,
  remains: 6,
  legacy: 4
}

interface Told {
  readonly record: TaskRecord
  /** Whose attempt it is; null when no task fields show it. */
  readonly worker: string | null
  readonly fault: StartFault | null
}

const tell = (dice: Dice, task: Task, workers: ReadonlyArray<string>): Told => {
  const id: number = task.id
  const story = dice.weigh(stories)
  const name = dice.pick(workers)
  const attempt = dice.int(1, 6)
  const place = drawPlace(dice)
  const past = drawPast(dice, id, attempt)
  const createdAt = dice.chance(93) ? task.createdAt : at(-90_000)
  const prior = { status: "idle" as const, assignee: dice.chance(70) ? null : name }
  const startedSec = -dice.pick([1, 12, 31, 60, 700, 3601])
  const beatSec = Math.max(startedSec, -dice.pick([2, 5, 14, 44, 46, 400]))
  const tombstoned = story === "undo" || (story === "remains" && dice.chance(30))

  const common = {
    startTime: at(startedSec),
    startMonoMs: place.bootId === here.bootId ? mono(startedSec) : 500_000,
    maxRuntimeSec: dice.pick([3600, 3600, 600, 0]),
    queue: task.queue,
    taskCreatedAt: createdAt,
    prior,
    recipe: dice.chance(50) ? `${name}.yaml` : null,
    ...(dice.chance(20) ? { idleTimeoutSec: 600 } : {}),
    attempt: past.counts.failures + 1
  }
  const beatMonoMs = place.bootId === here.bootId ? mono(beatSec) : 900_000
  const silentMs = dice.pick([0, 10_000, 599_999, 600_000, 3_000_000])
  const alive = { ...common, beatMonoMs, silentMs, lastHeartbeat: at(beatSec) }
  const stop = dice.chance(25) ? drawStop(dice, id, attempt) : null
  const looked = stop?.epoch === attempt || story === "finished"

  const started = (fields: Partial<Attempts> = {}): Attempts => {
    const begun = attemptsOf(id, { epoch: attempt, agent: name }, { taskCreatedAt: createdAt, ...past })
    return {
      ...begun,
      last:
        begun.last === null
          ? null
          : { ...begun.last, queue: task.queue, prior, startMonoMs: common.startMonoMs, bootId: place.bootId },
      observed: dice.chance(45)
        ? drawSighting(dice, attempt, story === "running" || story === "finished" ? beatMonoMs : common.startMonoMs)
        : null,
      ...fields
    }
  }
  /** The attempts file with the ending of this attempt in it. */
  const ended = (outcome: Outcome): Attempts =>
    started({
      outcomes: [
        ...past.outcomes,
        { epoch: epoch(attempt), token: tokenOf(id, attempt), outcome, at: at(-3), detail: "recorded" }
      ],
      observed: null
    })
  const record = (fields: Partial<TaskRecord>): TaskRecord => ({
    taskId: task.id,
    lease: { _tag: "Missing" },
    claims: [],
    stop: null,
    attempts: null,
    attemptsProblem: null,
    openStart: null,
    ...fields,
    epochMax: Math.max(
      epochMaxOf(fields),
      fields.attempts?.last === null || story === "legacy" ? 0 : attempt,
      // Logs remember epochs that nothing else shows any more.
      dice.chance(10) ? attempt + dice.int(1, 3) : 0
    )
  })
  const claimFields: Partial<Claim> = { kind: tombstoned ? "tombstone" : "claim" }
  const ownClaim = claimOf(id, attempt, name, claimFields, place)
  /** Claims of earlier attempts that were not deleted yet. */
  const earlier = (): ReadonlyArray<ClaimSight> =>
    attempt === 1 || dice.chance(85)
      ? []
      : [
          dice.chance(85)
            ? claimSight(
                claimOf(id, attempt - 1, name, { kind: dice.pick(["claim", "tombstone"]) }),
                dice.pick([evidence.claimDead, evidence.claimDead, evidence.deadUnscanned, evidence.claimedOnly])
              )
            : {
                _tag: "Unreadable",
                epoch: epoch(attempt - 1),
                path: `state/claims/${id}.${attempt - 1}`,
                problem: "empty"
              }
        ]
  /** The attempts file beside a lease: as it should be, or lost, or torn; sometimes with this ending recorded. */
  const beside = (seen: Evidence): Pick<TaskRecord, "attempts" | "attemptsProblem"> => {
    if (dice.chance(5)) return { attempts: null, attemptsProblem: dice.chance(50) ? "not JSON" : null }
    const over = tombstoned || (mayEnd(seen) && (seen.supervisor !== "alive" || story === "finished"))
    const outcome: Outcome =
      seen.supervisor === "unknown" && !tombstoned
        ? "lost"
        : dice.pick(["failed", "lost", "done", "void", "start-failed"] as const)
    return { attempts: over && dice.chance(15) ? ended(outcome) : started(), attemptsProblem: null }
  }
  const read = (lease: Lease, seen: Evidence, claims: ReadonlyArray<ClaimSight>): TaskRecord =>
    record({
      lease: { _tag: "Read", lease, evidence: seen },
      claims,
      stop,
      ...beside(claims.at(-1)?._tag === "Read" && lease.phase === "starting" ? ownEvidence : seen)
    })

  const ownEvidence = tombstoned
    ? evidence.tombstone
    : drawEvidence(dice, id, {
        place,
        agentKnown: story === "running" || (story === "finished" && dice.chance(85)),
        looked
      })
  const unclaimedIntent = (): TaskRecord => {
    const lease = startingLease(id, attempt, name, common, place)
    return record({
      lease: { _tag: "Read", lease, evidence: evidence.nobody },
      claims: earlier(),
      ...beside(evidence.healthy)
    })
  }
  const openEvidence = (): Evidence =>
    dice.pick<Evidence>([
      evidence.claimDead,
      evidence.claimDead,
      { ...evidence.claimDead, others: [agentPid(id)] },
      { ...evidence.claimDead, scanned: false }
    ])

  const told = (made: TaskRecord, worker: string | null = name): Told => ({
    record: made,
    worker,
    fault:
      story === "intent" && dice.chance(25)
        ? {
            taskId: task.id,
            token: tokenOf(id, attempt),
            kind: dice.pick(["void", "failed"]),
            reason: "the task was taken by somebody else"
          }
        : null
  })

  switch (story) {
    case "remembered":
      return told(
        record({ attempts: attempt === 1 ? attemptsOf(id, null, past) : ended(dice.pick(countedOutcomes)) }),
        null
      )
    case "forgotten":
      return told(record({ attemptsProblem: "not JSON" }), null)
    case "intent":
      return told(unclaimedIntent(), dice.chance(50) ? name : null)
    case "claimed":
    case "undo": {
      const lease = startingLease(id, attempt, name, common, place)
      return told(read(lease, evidence.nobody, [...earlier(), claimSight(ownClaim, ownEvidence)]))
    }
    case "running": {
      const lease = runningLease(id, attempt, name, alive, place)
      const claims = dice.chance(92) ? [claimSight(ownClaim, ownEvidence)] : []
      return told(read(lease, ownEvidence, [...earlier(), ...claims]))
    }
    case "finished": {
      const agentKnown = ownEvidence.agent !== null
      const lease = finishedLease(
        id,
        attempt,
        name,
        {
          ...alive,
          ...(agentKnown ? {} : { agent: null }),
          exit: exit({
            code: agentKnown ? dice.pick([0, 0, 1, null]) : null,
            signal: null,
            error: agentKnown ? null : "ENOENT",
            tail: dice.pick(["", '{"status":"done"}', '{"status":"rate-limited"}', '{"status":"auth"}', "bye"])
          })
        },
        place
      )
      return told(read(lease, ownEvidence, [...earlier(), claimSight(ownClaim, ownEvidence)]))
    }
    case "leaseMissing":
      return told(
        record({ claims: [...earlier(), claimSight(ownClaim, ownEvidence)], stop, ...beside(evidence.healthy) })
      )
    case "leaseUnreadable": {
      const claims = dice.chance(65) ? [claimSight(ownClaim, ownEvidence)] : []
      return told(
        record({
          lease: unreadable(id, dice.chance(60) ? name : null),
          claims: [...earlier(), ...claims],
          stop,
          ...beside(evidence.healthy)
        })
      )
    }
    case "contradicting": {
      // The lease is of the attempt before, or of the same epoch and another token.
      const lower = attempt > 1 && dice.chance(50)
      const lease = runningLease(
        id,
        lower ? attempt - 1 : attempt,
        dice.pick(workers),
        { ...alive, token: tokenOf(id, lower ? attempt - 1 : attempt, lower ? 0 : 1), pid: supervisorPid(id) + 500 },
        place
      )
      const seen = drawEvidence(dice, id, { place, agentKnown: true, looked })
      return told(read(lease, seen, [claimSight(ownClaim, ownEvidence)]))
    }
    case "claimUnreadable": {
      const torn: ClaimSight = {
        _tag: "Unreadable",
        epoch: epoch(attempt),
        path: `state/claims/${id}.${attempt}`,
        problem: "empty"
      }
      const lease = dice.pick<Lease>([
        startingLease(id, attempt, name, common, place),
        runningLease(id, attempt, name, alive, place)
      ])
      return told(
        dice.chance(40)
          ? record({ claims: [torn], attempts: dice.chance(85) ? started() : null })
          : read(
              lease,
              lease.phase === "starting"
                ? evidence.nobody
                : drawEvidence(dice, id, { place, agentKnown: true, looked }),
              [torn]
            )
      )
    }
    case "openStart":
      return told(record({ attempts: started(), openStart: openEvidence() }), dice.chance(50) ? name : null)
    case "openStartOverClaims":
      return told(
        record({
          attempts: started(),
          claims:
            attempt === 1
              ? []
              : [claimSight(claimOf(id, attempt - 1, name), dice.pick([evidence.claimDead, evidence.claimedOnly]))],
          openStart: attempt === 1 ? openEvidence() : null
        }),
        dice.chance(50) ? name : null
      )
    case "remains":
      return told(
        record({
          claims: [
            ...earlier(),
            claimSight(ownClaim, tombstoned ? evidence.tombstone : { ...ownEvidence, agent: null })
          ],
          attempts: ended(dice.pick(countedOutcomes))
        }),
        null
      )
    case "legacy":
      return told(
        record({
          lease: legacyLease(id, name, dice.pick(["alive", "dead", "unknown"])),
          attempts: dice.chance(80) ? null : attemptsOf(id, null, past)
        })
      )
  }
}

/** A task whose attempt is under way, as Tinytask then shows it: at work more often than not. */
const underWay = (dice: Dice, task: Task, worker: string): Task | null => {
  switch (
    dice.weigh({
      working: 60,
      idle: 8,
      complete: 10,
      gone: 4,
      archived: 4,
      handedBack: 4,
      taken: 5,
      moved: 3,
      reborn: 2
    })
  ) {
    case "working":
      return { ...task, status: "working", assignee: worker }
    case "idle":
      return { ...task, assignee: worker }
    case "complete":
      return { ...task, status: "complete", assignee: worker, archived: dice.chance(30) }
    case "gone":
      return null
    case "archived":
      return { ...task, status: "working", assignee: worker, archived: true }
    case "handedBack":
      return { ...task, assignee: null }
    case "taken":
      return { ...task, status: dice.pick(["idle", "working"]), assignee: dice.pick(strangers) }
    case "moved":
      return { ...task, status: "working", assignee: worker, queue: dice.pick([...queueNames, null]) }
    case "reborn":
      return { ...task, createdAt: at(-60) }
  }
}

const drawWorld = (dice: Dice): World => {
  const mode = dice.chance(12) ? "legacy" : "queues"
  const agents = drawAgents(dice, mode)
  const workers = [...agents.map(({ name }) => name), ...(dice.chance(20) || agents.length === 0 ? ["zed"] : [])]
  const count = dice.chance(5) ? 0 : dice.int(1, dice.chance(85) ? 9 : 24)
  const drawn = linkTasks(
    dice,
    Array.from({ length: count }, (_, index) => drawTask(dice, index + 1, agents))
  )
  const busy = dice.pick([0, 25, 50, 75])
  const listed: Array<Task> = []
  const lookedUp: Array<{ readonly taskId: Task["id"]; readonly task: Task | null }> = []
  const records: Array<TaskRecord> = []
  const faults: Array<StartFault> = []
  for (const fresh of drawn) {
    const told = dice.chance(busy) ? tell(dice, fresh, workers) : null
    if (told === null) {
      listed.push(
        dice.chance(93) ? fresh : { ...fresh, status: "working", assignee: dice.pick(["maria", "ada", null]) }
      )
      continue
    }
    records.push(told.record)
    if (told.fault !== null) faults.push(told.fault)
    const shown = told.worker === null ? fresh : underWay(dice, fresh, told.worker)
    if (shown !== null && shown.status !== "complete" && !shown.archived) listed.push(shown)
    else if (dice.chance(96)) lookedUp.push({ taskId: fresh.id, task: shown })
  }
  if (dice.chance(5)) faults.push({ taskId: taskId(99), token: tokenOf(99, 1), kind: "failed", reason: "stale" })
  const openIds = new Set(listed.map(({ id }) => id))
  // A blocker that is complete or archived by now: Tinytask says whether it still blocks.
  const tasks = listed.map((task) =>
    task.blockedBy === null || task.blockedBy >= 900 || openIds.has(task.blockedBy)
      ? task
      : {
          ...task,
          blocked: lookedUp.some((entry) => entry.taskId === task.blockedBy && entry.task?.status === "working")
        }
  )
  const tinytask: TinytaskSight = dice.chance(92)
    ? { _tag: "Read", tasks: dice.shuffle(tasks), lookedUp: dice.shuffle(lookedUp) }
    : { _tag: "Unread", reason: "connection refused" }
  return {
    observed: {
      nowMs,
      monoMs,
      here,
      tinytask,
      records: dice.shuffle(records),
      agents: dice.shuffle(drawAgentRecords(dice)),
      paused: dice.chance(96) ? null : { by: "maria", until: dice.pick([null, at(-60), at(600)]) },
      requests: dice.shuffle(drawStopRequests(dice, records)),
      recipes: drawRecipes(dice, agents),
      startFaults: faults,
      startsOffReason: dice.chance(96) ? null : "boot id unreadable"
    },
    desired: {
      mode,
      endpoint: "http://localhost:3000",
      agents: dice.shuffle(agents),
      queueLimits: queueNames
        .filter(() => dice.chance(20))
        .map((queue) => ({ queue: queueName(queue), limit: dice.int(0, 3) })),
      maxConcurrent: dice.chance(75) ? null : dice.int(0, 6),
      policy: drawPolicy(dice)
    }
  }
}

/** The same world with one task, and all that stands about it, left out. */
const withoutTask = ({ desired, observed }: World, id: number): World => {
  const { tinytask } = observed
  return {
    desired,
    observed: {
      ...observed,
      tinytask:
        tinytask._tag === "Unread"
          ? tinytask
          : {
              ...tinytask,
              tasks: tinytask.tasks.filter((task) => task.id !== id),
              lookedUp: tinytask.lookedUp.filter((entry) => entry.taskId !== id)
            },
      records: observed.records.filter((record) => record.taskId !== id),
      startFaults: observed.startFaults.filter((fault) => fault.taskId !== id)
    }
  }
}

function* smallerWorlds(world: World): Generator<World> {
  const { desired, observed } = world
  const ids = new Set<number>([
    ...(observed.tinytask._tag === "Read" ? observed.tinytask.tasks.map(({ id }) => id) : []),
    ...observed.records.map(({ taskId }) => taskId)
  ])
  for (const id of ids) yield withoutTask(world, id)
  for (const { taskId } of observed.records) {
    yield { desired, observed: { ...observed, records: observed.records.filter((record) => record.taskId !== taskId) } }
  }
  for (const { name } of desired.agents) {
    yield { observed, desired: { ...desired, agents: desired.agents.filter((agent) => agent.name !== name) } }
  }
  if (observed.agents.length > 0) yield { desired, observed: { ...observed, agents: [] } }
  if (observed.recipes.length > 0) yield { desired, observed: { ...observed, recipes: [] } }
  if (observed.startFaults.length > 0) yield { desired, observed: { ...observed, startFaults: [] } }
  if (desired.queueLimits.length > 0) yield { observed, desired: { ...desired, queueLimits: [] } }
  if (desired.maxConcurrent !== null) yield { observed, desired: { ...desired, maxConcurrent: null } }
  if (JSON.stringify(desired.policy) !== JSON.stringify(policyDefaults)) {
    yield { observed, desired: { ...desired, policy: policyDefaults } }
  }
}

class Worlds extends fc.Arbitrary<World> {
  override generate(random: fc.Random): fc.Value<World> {
    return new fc.Value(drawWorld(new Dice(random)), undefined)
  }
  override canShrinkWithoutContext(value: unknown): value is World {
    return typeof value === "object" && value !== null && "observed" in value && "desired" in value
  }
  override shrink(world: World): fc.Stream<fc.Value<World>> {
    return fc.stream(smallerWorlds(world)).map((smaller) => new fc.Value(smaller, undefined))
  }
}

/** Believable worlds. */
export const worlds = (): fc.Arbitrary<World> => new Worlds()

/** The same world with every array shuffled whose order means nothing. */
export const shuffledWorld = ({ desired, observed }: World, random: fc.Random): World => {
  const dice = new Dice(random)
  const { tinytask } = observed
  return {
    observed: {
      ...observed,
      tinytask:
        tinytask._tag === "Unread"
          ? tinytask
          : {
              ...tinytask,
              tasks: dice.shuffle(tinytask.tasks).map((task) => ({ ...task, tags: dice.shuffle(task.tags) })),
              lookedUp: dice.shuffle(tinytask.lookedUp)
            },
      records: dice.shuffle(observed.records),
      agents: dice.shuffle(observed.agents),
      recipes: dice.shuffle(observed.recipes),
      startFaults: dice.shuffle(observed.startFaults)
    },
    desired: {
      ...desired,
      agents: dice.shuffle(desired.agents).map((agent) => ({ ...agent, queues: dice.shuffle(agent.queues) })),
      queueLimits: dice.shuffle(desired.queueLimits)
    }
  }
}

/** A world, and the same world in another order. */
class ShuffledWorlds extends fc.Arbitrary<readonly [World, World]> {
  override generate(random: fc.Random): fc.Value<readonly [World, World]> {
    const world = drawWorld(new Dice(random))
    return new fc.Value([world, shuffledWorld(world, random)] as const, undefined)
  }
  override canShrinkWithoutContext(_value: unknown): _value is readonly [World, World] {
    return false
  }
  override shrink([world]: readonly [World, World]): fc.Stream<fc.Value<readonly [World, World]>> {
    return fc
      .stream(smallerWorlds(world))
      .map((smaller) => new fc.Value([smaller, reversedWorld(smaller)] as const, undefined))
  }
}

/** Every array whose order means nothing, backwards: the simplest other order. */
const reversedWorld = ({ desired, observed }: World): World => ({
  observed: {
    ...observed,
    tinytask:
      observed.tinytask._tag === "Unread"
        ? observed.tinytask
        : {
            ...observed.tinytask,
            tasks: observed.tinytask.tasks.toReversed(),
            lookedUp: observed.tinytask.lookedUp.toReversed()
          },
    records: observed.records.toReversed(),
    agents: observed.agents.toReversed(),
    recipes: observed.recipes.toReversed(),
    startFaults: observed.startFaults.toReversed()
  },
  desired: { ...desired, agents: desired.agents.toReversed(), queueLimits: desired.queueLimits.toReversed() }
})

export const shuffledWorlds = (): fc.Arbitrary<readonly [World, World]> => new ShuffledWorlds()
