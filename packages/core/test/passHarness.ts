/** What the tests of passes share: schedulers over a simulated world, time that passes, and short words for what is there. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import { policyDefaults } from "../src/domain/DesiredState.ts"
import type { Agent, DesiredState, Policy } from "../src/domain/DesiredState.ts"
import { AgentName, QueueName } from "../src/domain/identifiers.ts"
import type { TaskId } from "../src/domain/identifiers.ts"
import type { RunningLease } from "../src/domain/Lease.ts"
import type { ObservedState } from "../src/domain/ObservedState.ts"
import type { Plan } from "../src/domain/Plan.ts"
import type { ActionResult } from "../src/pass/ActionResult.ts"
import type { NeedsApproval } from "../src/pass/approval.ts"
import { runOnce } from "../src/pass/daemon.ts"
import { makePassMemory } from "../src/pass/memory.ts"
import type { PassMemory } from "../src/pass/memory.ts"
import { plan, runPass } from "../src/pass/pass.ts"
import type { PassInput, PassReport } from "../src/pass/pass.ts"
import { SchedulerLock } from "../src/ports/SchedulerLock.ts"
import { describeVerdict } from "../src/reconcile/describe.ts"
import { layerSimulation, noFaults } from "../src/simulation/api.ts"
import type { FaultHook, SchedulerProcess, SimulatedProcess, World } from "../src/simulation/api.ts"

export const agent = (name: string, fields: Partial<Agent> = {}): Agent => ({
  name: AgentName.make(name),
  queues: [QueueName.make("dev")],
  slots: 1,
  enabled: true,
  recipe: null,
  success: "tinytask",
  maxRuntimeSec: 3600,
  stopGraceSec: 10,
  stopSignal: "SIGINT",
  ...fields
})

/** One agent, vaela, with one slot for the queue dev, unless it is said otherwise. */
export const desiredWith = (
  fields: Partial<Omit<DesiredState, "policy">> & { readonly policy?: Partial<Policy> } = {}
): DesiredState => ({
  mode: "queues",
  endpoint: "http://127.0.0.1:3000",
  agents: [agent("vaela")],
  queueLimits: [],
  maxConcurrent: null,
  ...fields,
  policy: { ...policyDefaults, ...fields.policy }
})

export interface SchedulerOptions {
  readonly desired?: DesiredState
  readonly needsApproval?: ReadonlyArray<NeedsApproval>
  readonly faults?: FaultHook
  readonly process?: SchedulerProcess
  /** Told of each plan before it is carried out. */
  readonly onPlan?: (observed: ObservedState, plan: Plan) => void
  readonly onResults?: (results: ReadonlyArray<ActionResult>) => void
}

/** One scheduler process over a world: it took the lock, and makes passes until it ends. */
export const startScheduler = Effect.fnUntraced(function* (world: World, options: SchedulerOptions = {}) {
  const desired = options.desired ?? desiredWith()
  const scope = yield* Scope.make()
  yield* Effect.addFinalizer(() => Scope.close(scope, Exit.void))
  const context = yield* Layer.buildWithScope(
    layerSimulation(world, options.faults ?? noFaults, options.process),
    scope
  )
  const lock = yield* SchedulerLock.use(({ acquire }) => acquire).pipe(
    Effect.provide(context),
    Effect.provideService(Scope.Scope, scope)
  )
  const memory: PassMemory = yield* makePassMemory
  const inputWith = (changed: DesiredState): PassInput => ({
    desired: changed,
    needsApproval: options.needsApproval ?? [],
    memory,
    term: lock.term,
    startsOffReason: null,
    logDirectory: "state/logs",
    onPlan: ({ observed, plan: made }) => Effect.sync(() => options.onPlan?.(observed, made)),
    onResults: (results) => Effect.sync(() => options.onResults?.(results))
  })
  return {
    lock,
    memory,
    context,
    inputWith,
    pass: (changed = desired) => Effect.provide(runPass(inputWith(changed)), context),
    plan: (changed = desired) => Effect.provide(plan(inputWith(changed)), context),
    once: (stopWaitMs: number) => Effect.provide(runOnce(inputWith(desired), stopWaitMs), context),
    /** Its process ends in any way: the system frees the lock. */
    end: Scope.close(scope, Exit.void)
  }
})

/** A pass of a scheduler that the fault hook kills somewhere, and the end of its process. */
export const passThatCrashes = Effect.fnUntraced(function* (world: World, options: SchedulerOptions) {
  const scheduler = yield* startScheduler(world, options)
  const exit = yield* Effect.exit(scheduler.pass())
  yield* scheduler.end
  return Exit.isFailure(exit)
})

/** Time passes, and what is due happens. */
export const later = Effect.fnUntraced(function* (world: World, seconds: number) {
  yield* TestClock.adjust(seconds * 1000)
  world.settle(yield* Clock.currentTimeMillis)
})

/** Somebody sets the wall clock. */
export const setWall = Effect.fnUntraced(function* (world: World, bySeconds: number) {
  world.machine.setWall(bySeconds * 1000)
  yield* TestClock.setTime((yield* Clock.currentTimeMillis) + bySeconds * 1000)
  world.settle(yield* Clock.currentTimeMillis)
})

/** The machine is paused: its clocks go on, its processes do not. */
export const pause = Effect.fnUntraced(function* (world: World, seconds: number) {
  world.machine.pause(seconds * 1000)
  yield* later(world, seconds)
})

/** Passes with some time before each. */
export const passes = Effect.fnUntraced(function* (
  world: World,
  scheduler: { readonly pass: () => Effect.Effect<PassReport, unknown> },
  count: number,
  everySeconds: number
) {
  for (let made = 0; made < count; made += 1) {
    yield* later(world, everySeconds)
    yield* scheduler.pass()
  }
})

export const statuses = (world: World): ReadonlyArray<string> =>
  [...world.tinytask.tasks.values()].map(({ task }) => task.status)

export const outcomes = (world: World): ReadonlyArray<string> => world.files.history.map(({ outcome }) => outcome)

export const taskOf = (world: World, id: TaskId) => {
  const entry = world.tinytask.tasks.get(id)
  if (entry === undefined) throw new Error(`there is no task ${id}`)
  const { assignee, status } = entry.task
  return { status, assignee, comments: entry.comments, transitions: entry.transitions }
}

/** How many leases, claims and stop records there are. */
export const filesLeft = ({ files }: World): number => files.leases.size + files.claims.size + files.stops.size

/** The lease of a task, which is running. */
export const runningLease = (world: World, id: TaskId): RunningLease => {
  const stored = world.files.leases.get(id)
  if (stored?._tag !== "Read" || stored.lease.phase !== "running") throw new Error(`task ${id} does not run`)
  return stored.lease
}

export const processOf = (world: World, id: TaskId, role: "supervisor" | "agent" | "leftover"): SimulatedProcess => {
  const found = [...world.machine.processes.values()].find(
    ({ attempt }) => attempt?.taskId === id && attempt.role === role
  )
  if (found === undefined) throw new Error(`task ${id} has no ${role}`)
  return found
}

/** How many living processes of attempts there are. */
export const processesLeft = ({ machine }: World): number =>
  [...machine.processes.values()].filter(({ attempt, state }) => attempt !== null && state !== "Z").length

/** The verdicts of a pass's last round, in words. */
export const verdictsOf = (report: PassReport): ReadonlyArray<string> =>
  report.rounds.at(-1)?.plan.verdicts.map(describeVerdict) ?? []

export const actionsOf = (report: PassReport): ReadonlyArray<ReadonlyArray<string>> =>
  report.rounds.map(({ plan }) => plan.actions.map(({ _tag }) => _tag))

/** Everything of a world that a pass may change, as text. */
export const snapshot = ({ files, machine, tinytask }: World): string =>
  JSON.stringify({
    leases: [...files.leases],
    claims: files.taskIds().map((id) => [id, files.claims.of(id), files.stops.of(id)]),
    attempts: [...files.attempts],
    history: files.history,
    agents: files.agents,
    aside: files.aside,
    lock: [files.lockHolder, files.term],
    tasks: [...tinytask.tasks],
    processes: [...machine.processes.values()],
    signals: machine.signals
  })

/** A fault hook that answers the n-th call of a name at a moment, once. */
export const atCall = (
  name: string,
  moment: "before" | "after",
  act: () => ReturnType<FaultHook>,
  nth = 1
): FaultHook => {
  let seen = 0
  return (call, when) => {
    if (call !== name || when !== moment) return null
    seen += 1
    return seen === nth ? act() : null
  }
}
