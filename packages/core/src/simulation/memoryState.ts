/** The ports to the state directory, over a simulated one: leases, what is remembered of attempts, the lock. */
import * as Effect from "effect/Effect"
import type { TaskId } from "../domain/identifiers.ts"
import { Term } from "../domain/identifiers.ts"
import { AttemptHistory } from "../ports/AttemptHistory.ts"
import type { StoredAttempts } from "../ports/AttemptHistory.ts"
import { LeaseStore, LeaseTaken } from "../ports/LeaseStore.ts"
import { LockHeld, SchedulerLock } from "../ports/SchedulerLock.ts"
import { LockLost, StateUnreadable, StateUnwritable } from "../ports/StateError.ts"
import type { Call } from "./memoryCalls.ts"
import type { SimulatedFiles } from "./SimulatedFiles.ts"

type Lock = SchedulerLock["Service"]

export const unreadable = (reason: string) => new StateUnreadable({ path: "state", reason })
export const unwritable = (reason: string) => new StateUnwritable({ path: "state", reason })

/** A write: the lock is confirmed first, then the disk is asked, then it happens. */
export const makeWrite =
  (files: SimulatedFiles, lock: Lock, call: Call) =>
  <A, E = never>(name: string, act: () => Effect.Effect<A, E>) =>
    call(name, unwritable, () =>
      Effect.andThen(
        lock.confirm,
        Effect.suspend((): Effect.Effect<A, E | StateUnwritable> =>
          files.unwritable === null ? act() : Effect.fail(unwritable(files.unwritable))
        )
      )
    )

export const leaseStore = (files: SimulatedFiles, lock: Lock, call: Call) => {
  const write = makeWrite(files, lock, call)
  const done = (act: () => void) => () => Effect.sync(act)
  return LeaseStore.of({
    scan: call("LeaseStore.scan", unreadable, () =>
      Effect.succeed(files.taskIds().map((taskId) => files.task(taskId)))
    ),
    read: (taskId) => call("LeaseStore.read", unreadable, () => Effect.succeed(files.task(taskId))),
    create: (lease) =>
      write("LeaseStore.create", () => {
        if (files.leases.has(lease.taskId)) return Effect.fail(new LeaseTaken({ taskId: lease.taskId }))
        files.leases.set(lease.taskId, { _tag: "Read", lease })
        return Effect.void
      }),
    setLeaseAside: (taskId) =>
      write(
        "LeaseStore.setLeaseAside",
        done(() => {
          if (files.leases.delete(taskId)) files.aside.push(`task_${taskId}`)
        })
      ),
    tombstone: (claim) =>
      write("LeaseStore.tombstone", () => {
        if (files.claims.get(claim.taskId, claim.epoch) !== undefined) return Effect.succeed("exists" as const)
        files.claims.set(claim.taskId, claim.epoch, { ...claim, kind: "tombstone" })
        return Effect.succeed("won" as const)
      }),
    writeStop: (record) =>
      write(
        "LeaseStore.writeStop",
        done(() => {
          files.stops.set(record.taskId, record.epoch, record)
        })
      ),
    removeLease: (taskId, token) =>
      write("LeaseStore.removeLease", () => {
        if (!files.leases.has(taskId)) return Effect.succeed(true)
        return Effect.succeed(files.leaseToken(taskId) === token && files.leases.delete(taskId))
      }),
    removeLegacyLease: (taskId) =>
      write("LeaseStore.removeLegacyLease", () => {
        const stored = files.leases.get(taskId)
        if (stored !== undefined && stored._tag !== "Legacy") {
          return Effect.fail(unwritable("it is no lease of an old form"))
        }
        files.leases.delete(taskId)
        return Effect.void
      }),
    removeClaims: (taskId, upTo) =>
      write(
        "LeaseStore.removeClaims",
        done(() => {
          files.stops.removeUpTo(taskId, upTo)
          files.claims.removeUpTo(taskId, upTo)
        })
      ),
    setClaimAside: (taskId, epoch) =>
      write(
        "LeaseStore.setClaimAside",
        done(() => {
          if (files.claims.get(taskId, epoch) !== undefined) files.aside.push(`claim_${taskId}.${epoch}`)
          files.claims.delete(taskId, epoch)
        })
      )
  })
}

export const attemptHistory = (files: SimulatedFiles, lock: Lock, call: Call) => {
  const write = makeWrite(files, lock, call)
  const stored = (taskId: TaskId): StoredAttempts => {
    const problem = files.attemptsProblems.get(taskId) ?? null
    const attempts = problem === null ? (files.attempts.get(taskId) ?? null) : null
    return { taskId, attempts, problem, logEpochMax: attempts === null ? (files.logs.get(taskId) ?? 0) : 0 }
  }
  return AttemptHistory.of({
    scan: call("AttemptHistory.scan", unreadable, () => {
      const ids = new Set<TaskId>([...files.attempts.keys(), ...files.attemptsProblems.keys(), ...files.logs.keys()])
      return Effect.succeed([...ids].sort((left, right) => left - right).map(stored))
    }),
    read: (taskId) => call("AttemptHistory.read", unreadable, () => Effect.succeed(stored(taskId))),
    write: (attempts) =>
      write("AttemptHistory.write", () => {
        files.attempts.set(attempts.taskId, attempts)
        files.attemptsProblems.delete(attempts.taskId)
        return Effect.void
      }),
    forget: (taskId) =>
      write("AttemptHistory.forget", () => {
        files.attempts.delete(taskId)
        return Effect.void
      }),
    readAgents: call("AttemptHistory.readAgents", unreadable, () =>
      Effect.succeed({ agents: files.agents, paused: files.paused })
    ),
    writeAgents: ({ agents, paused }) =>
      write("AttemptHistory.writeAgents", () => {
        files.agents = agents
        files.paused = paused
        return Effect.void
      }),
    append: (line) =>
      write("AttemptHistory.append", () => {
        files.history.push(line)
        return Effect.void
      })
  })
}

/** The lock as its port shows it: each look at it is a call. */
export const confirmedBy = (lock: Lock, call: Call): Lock =>
  SchedulerLock.of({
    acquire: lock.acquire,
    confirm: call(
      "SchedulerLock.confirm",
      (reason) => new LockLost({ path: lockPath, reason }),
      () => lock.confirm
    )
  })

const lockPath = "state/tinyscheduler.lock"

/** The lock as one scheduler process sees it. */
export const schedulerLock = (files: SimulatedFiles) => {
  let held: { readonly holder: number; readonly term: Term | null } | null = null
  const loss = (): string | null => {
    if (held === null || files.lockHolder !== held.holder) return "this process does not hold it"
    if (held.term === null) return files.termProblem
    return files.term === held.term ? null : `term ${files.term} has begun after ours, ${held.term}`
  }
  return SchedulerLock.of({
    acquire: Effect.acquireRelease(
      Effect.suspend(() => {
        if (files.lockHolder !== null)
          return Effect.fail(new LockHeld({ path: lockPath, holder: `term ${files.term}` }))
        if (files.termProblem === null) files.term += 1
        const term = files.termProblem === null ? Term.make(files.term) : null
        files.lockTakings += 1
        held = { holder: files.lockTakings, term }
        files.lockHolder = files.lockTakings
        return Effect.succeed({ term, termProblem: files.termProblem })
      }),
      () =>
        Effect.sync(() => {
          if (held !== null && files.lockHolder === held.holder) files.lockHolder = null
          held = null
        })
    ),
    confirm: Effect.suspend(() => {
      const reason = loss()
      return reason === null ? Effect.void : Effect.fail(new LockLost({ path: lockPath, reason }))
    })
  })
}
