/**
 * The ports over a simulated world. Each call lets first happen what is due, then asks the fault hook, then acts: the
 * hook can make any single call fail.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Epoch, TaskId } from "../domain/identifiers.ts"
import { Epoch as EpochSchema, Term } from "../domain/identifiers.ts"
import { isOpen } from "../domain/Task.ts"
import type { ProcessRow, ProcessSight } from "../domain/ProcessIdentity.ts"
import { AgentLauncher, LaunchFailed } from "../ports/AgentLauncher.ts"
import { AttemptHistory } from "../ports/AttemptHistory.ts"
import type { StoredAttempts } from "../ports/AttemptHistory.ts"
import { LeaseStore, LeaseTaken } from "../ports/LeaseStore.ts"
import type { StoredTask } from "../ports/LeaseStore.ts"
import { ProcessTable } from "../ports/ProcessTable.ts"
import { LockHeld, SchedulerLock } from "../ports/SchedulerLock.ts"
import { LockLost, StateUnreadable, StateUnwritable } from "../ports/StateError.ts"
import type { StateWriteError } from "../ports/StateError.ts"
import { TaskQueue, TaskQueueRejected, TaskQueueUnreachable } from "../ports/TaskQueue.ts"
import type { TaskQueueError } from "../ports/TaskQueue.ts"
import type { World } from "./World.ts"

/** Asked before each call, by its name ("LeaseStore.create"); a sentence makes the call fail with it. */
export type FaultHook = (call: string) => string | null

export const noFaults: FaultHook = () => null

const settled = (world: World): Effect.Effect<void> =>
  Effect.map(Clock.currentTimeMillis, (nowMs) => {
    world.settle(nowMs)
  })

const storedTask = (world: World, taskId: TaskId): StoredTask => {
  const epochsIn = <A>(files: ReadonlyMap<string, A>): ReadonlyArray<readonly [Epoch, A]> =>
    [...files]
      .filter(([key]) => key.startsWith(`${taskId}.`))
      .map(([key, value]) => [EpochSchema.make(Number(key.split(".")[1])), value] as const)
      .sort(([left], [right]) => left - right)
  return {
    taskId,
    lease: world.leases.get(taskId) ?? { _tag: "Missing" },
    claims: epochsIn(world.claims).map(([epoch, claim]) => ({ _tag: "Read", epoch, claim })),
    stops: epochsIn(world.stops).map(([, stop]) => stop)
  }
}

const taskIdsOf = (world: World): ReadonlyArray<TaskId> =>
  [
    ...new Set<TaskId>([
      ...world.leases.keys(),
      ...[...world.claims.values()].map(({ taskId }) => taskId),
      ...[...world.stops.values()].map(({ taskId }) => taskId)
    ])
  ].sort((left, right) => left - right)

const leaseStore = (world: World, faults: FaultHook) =>
  Effect.gen(function* () {
    const lock = yield* SchedulerLock
    const reading = <A>(call: string, read: () => A) =>
      settled(world).pipe(
        Effect.andThen(
          Effect.suspend((): Effect.Effect<A, StateUnreadable> => {
            const reason = faults(`LeaseStore.${call}`)
            return reason === null ? Effect.sync(read) : Effect.fail(new StateUnreadable({ path: "running", reason }))
          })
        )
      )
    const writing = <A, E = never>(call: string, write: () => Effect.Effect<A, E>) =>
      settled(world).pipe(
        Effect.andThen(lock.confirm),
        Effect.andThen(
          Effect.suspend((): Effect.Effect<A, E | StateUnwritable> => {
            const reason = faults(`LeaseStore.${call}`)
            return reason === null ? write() : Effect.fail(new StateUnwritable({ path: "running", reason }))
          })
        )
      )
    return LeaseStore.of({
      scan: reading("scan", () => taskIdsOf(world).map((taskId) => storedTask(world, taskId))),
      read: (taskId) => reading("read", () => storedTask(world, taskId)),
      create: (lease) =>
        writing("create", () =>
          world.leases.has(lease.taskId)
            ? Effect.fail(new LeaseTaken({ taskId: lease.taskId }))
            : Effect.sync(() => {
                world.leases.set(lease.taskId, { _tag: "Read", lease })
              })
        ),
      setLeaseAside: (taskId) => writing("setLeaseAside", () => Effect.sync(() => void world.leases.delete(taskId))),
      tombstone: (claim) =>
        writing("tombstone", () =>
          Effect.sync(() => {
            const key = `${claim.taskId}.${claim.epoch}`
            if (world.claims.has(key)) return "exists" as const
            world.claims.set(key, claim)
            return "won" as const
          })
        ),
      writeStop: (record) =>
        writing("writeStop", () => Effect.sync(() => void world.stops.set(`${record.taskId}.${record.epoch}`, record))),
      removeLease: (taskId, token) =>
        writing("removeLease", () =>
          Effect.sync(() => {
            if (!world.leases.has(taskId)) return true
            if (world.leaseToken(taskId) !== token) return false
            return world.leases.delete(taskId)
          })
        ),
      removeLegacyLease: (taskId) =>
        writing("removeLegacyLease", () => Effect.sync(() => void world.leases.delete(taskId))),
      removeClaims: (taskId, upTo) =>
        writing("removeClaims", () =>
          Effect.sync(() => {
            world.removeUpTo(world.stops, taskId, upTo)
            world.removeUpTo(world.claims, taskId, upTo)
          })
        ),
      setClaimAside: (taskId, epoch) =>
        writing("setClaimAside", () => Effect.sync(() => void world.claims.delete(`${taskId}.${epoch}`)))
    })
  })

const attemptHistory = (world: World, faults: FaultHook) =>
  Effect.gen(function* () {
    const lock = yield* SchedulerLock
    const stored = (taskId: TaskId): StoredAttempts => ({
      taskId,
      attempts: world.attempts.get(taskId) ?? null,
      problem: null,
      logEpochMax: 0
    })
    const writing = (call: string, write: () => void): Effect.Effect<void, StateWriteError> =>
      settled(world).pipe(
        Effect.andThen(lock.confirm),
        Effect.andThen(
          Effect.suspend((): Effect.Effect<void, StateUnwritable> => {
            const reason = faults(`AttemptHistory.${call}`)
            return reason === null ? Effect.sync(write) : Effect.fail(new StateUnwritable({ path: "attempts", reason }))
          })
        )
      )
    return AttemptHistory.of({
      scan: Effect.sync(() => [...world.attempts.keys()].sort((left, right) => left - right).map(stored)),
      read: (taskId) => Effect.sync(() => stored(taskId)),
      write: (attempts) => writing("write", () => void world.attempts.set(attempts.taskId, attempts)),
      readAgents: Effect.sync(() => world.agents),
      writeAgents: (agents) =>
        writing("writeAgents", () => {
          world.agents = agents
        }),
      append: (line) => writing("append", () => void world.history.push(line))
    })
  })

const taskQueue = (world: World, faults: FaultHook) => {
  const calling = <A>(call: string, answer: () => A): Effect.Effect<A, TaskQueueError> =>
    settled(world).pipe(
      Effect.andThen(
        Effect.suspend((): Effect.Effect<A, TaskQueueError> => {
          const reason = world.tinytaskDown ?? faults(`TaskQueue.${call}`)
          return reason === null
            ? Effect.sync(answer)
            : Effect.fail(new TaskQueueUnreachable({ endpoint: "simulated", reason }))
        })
      )
    )
  const existing = (call: string, id: TaskId) =>
    Effect.suspend(() =>
      world.tasks.has(id) ? Effect.void : Effect.fail(new TaskQueueRejected({ call, reason: `Task not found: ${id}` }))
    )
  return TaskQueue.of({
    listOpen: calling("listOpen", () =>
      [...world.tasks.keys()].flatMap((id) => {
        const task = world.read(id)
        return task !== null && isOpen(task) ? [task] : []
      })
    ),
    get: (id) =>
      calling("get", () => {
        const task = world.read(id)
        const entry = world.tasks.get(id)
        return task === null || entry === undefined
          ? null
          : { task, description: entry.description, comments: [...entry.comments] }
      }),
    update: (id, fields) =>
      Effect.andThen(
        existing("update_task", id),
        calling("update", () => {
          world.change(id, fields)
          return world.read(id)
        })
      ).pipe(
        Effect.flatMap((task) =>
          task === null
            ? Effect.fail(new TaskQueueRejected({ call: "update_task", reason: `Task not found: ${id}` }))
            : Effect.succeed(task)
        )
      ),
    comment: (id, text) =>
      Effect.andThen(
        existing("add_comment", id),
        calling("comment", () => void world.tasks.get(id)?.comments.push(text))
      )
  })
}

const processTable = (world: World) =>
  ProcessTable.of({
    ourselves: Effect.sync(() => ({ here: world.here, pid: world.self.pid, pidStart: world.self.pidStart })),
    monotonicMs: Effect.map(settled(world), () => world.monoMs()),
    look: (pids) =>
      Effect.map(
        settled(world),
        () =>
          new Map(
            pids.map((pid): readonly [number, ProcessSight] => {
              const process = world.processes.get(pid)
              return [
                pid,
                process === undefined
                  ? { _tag: "Absent" }
                  : { _tag: "Seen", pidStart: process.pidStart, state: process.state, otherThreadLives: false }
              ]
            })
          )
      ),
    startedAtMs: () => Effect.succeed(null),
    scan: Effect.map(settled(world), () =>
      [...world.processes.values()].map(({ group, parent, pid, pidStart, session, state, token }): ProcessRow => ({
        pid,
        parent,
        group,
        session,
        pidStart,
        state,
        token
      }))
    ),
    signal: (target, signal) => Effect.map(settled(world), () => world.signal(target, signal))
  })

const agentLauncher = (world: World, faults: FaultHook) =>
  AgentLauncher.of({
    launch: ({ lease }) =>
      Effect.andThen(
        settled(world),
        Effect.suspend(() => {
          const reason = faults("AgentLauncher.launch")
          return reason === null
            ? Effect.sync(() => {
                world.launch(lease)
              })
            : Effect.fail(new LaunchFailed({ reason }))
        })
      ),
    lookAtRecipes: (recipes) => Effect.sync(() => world.recipes.filter(({ recipe }) => recipes.includes(recipe))),
    drawToken: Effect.sync(() => world.drawToken())
  })

const schedulerLock = (world: World) => {
  let term: number | null = null
  return SchedulerLock.of({
    acquire: Effect.acquireRelease(
      Effect.suspend(() => {
        if (world.lockHolder !== null) {
          return Effect.fail(new LockHeld({ path: "simulated", holder: `term ${world.lockHolder}` }))
        }
        world.term += 1
        term = world.term
        world.lockHolder = world.term
        return Effect.succeed({ term: Term.make(world.term), termProblem: null })
      }),
      () =>
        Effect.sync(() => {
          if (world.lockHolder === term) world.lockHolder = null
          term = null
        })
    ),
    confirm: Effect.suspend(() =>
      term !== null && world.lockHolder === term
        ? Effect.void
        : Effect.fail(new LockLost({ path: "simulated", reason: "it is held by another" }))
    )
  })
}

/** All ports over one world. */
export const layerSimulation = (world: World, faults: FaultHook = noFaults) => {
  const lock = Layer.effect(
    SchedulerLock,
    Effect.sync(() => schedulerLock(world))
  )
  return Layer.mergeAll(
    Layer.effect(LeaseStore, leaseStore(world, faults)),
    Layer.effect(AttemptHistory, attemptHistory(world, faults)),
    Layer.succeed(TaskQueue, taskQueue(world, faults)),
    Layer.succeed(ProcessTable, processTable(world)),
    Layer.succeed(AgentLauncher, agentLauncher(world, faults))
  ).pipe(Layer.provideMerge(lock))
}
