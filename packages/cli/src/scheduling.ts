/** What `run`, `up` and `demo` share: one scheduler process that holds the lock, over the real ports. */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import { leaseChanges } from "@tinyscheduler/adapters-fs/LeaseWatch"
import { tidy } from "@tinyscheduler/adapters-fs/tidy"
import { thisMachine } from "@tinyscheduler/adapters-process/thisMachine"
import { makeWakeUps, runDaemon } from "@tinyscheduler/core/pass/daemon"
import { makePassMemory } from "@tinyscheduler/core/pass/memory"
import type { PassMemory } from "@tinyscheduler/core/pass/memory"
import type { PassInput, PassReport } from "@tinyscheduler/core/pass/pass"
import { ProcessTable } from "@tinyscheduler/core/ports/ProcessTable"
import { SchedulerLock } from "@tinyscheduler/core/ports/SchedulerLock"
import { relative } from "node:path"
import { placeSupervisor } from "./supervisorProgram.ts"
import { makeDirectories } from "./stateDirectories.ts"
import type { Configuration } from "./settings/Configuration.ts"
import type { Narrator } from "./output/narration.ts"
import { sweepTemporary } from "./sweepTemporary.ts"

/** Everything that a person should know before the first pass. */
export const tellNotices = Effect.fnUntraced(function* (configuration: Configuration) {
  for (const notice of configuration.notices) yield* Effect.logWarning(notice)
  for (const warning of configuration.warnings) yield* Effect.logWarning(warning)
})

const isDead = (pid: number, pidStart: number): boolean => {
  const sight = thisMachine.look([pid]).get(pid)
  return sight !== undefined && (sight._tag === "Absent" || (sight._tag === "Seen" && sight.pidStart !== pidStart))
}

const reasonIn = (error: unknown): string => (error instanceof Error ? error.message : String(error))

const sweepLeftovers = Effect.fnUntraced(function* (configuration: Configuration) {
  const swept = yield* Effect.result(tidy(configuration.paths, isDead))
  if (Result.isFailure(swept)) yield* Effect.logWarning(`leftovers were not swept: ${swept.failure.message}`)
  const kept = Result.try(() => sweepTemporary(configuration))
  const names = Result.isSuccess(kept) ? kept.success : [reasonIn(kept.failure)]
  if (names.length > 0) {
    yield* Effect.logWarning(
      `${configuration.temporaryDir} holds what can't be removed: ${names.slice(0, 8).join(" ")}`
    )
  }
})

/** Takes the lock, sweeps what crashed writers left, and answers what a pass needs. Held until the scope closes. */
export const holdLock = Effect.fn("holdLock")(function* (
  configuration: Configuration,
  narrator: Narrator,
  memory: PassMemory
) {
  const lock = yield* SchedulerLock
  const { term, termProblem } = yield* lock.acquire
  const { here, pid, pidStart } = yield* Effect.flatMap(ProcessTable, (processes) => processes.ourselves)
  // Without room for these nothing can start; what must be stopped is stopped all the same.
  const placed = Result.try(() => {
    makeDirectories(configuration)
    placeSupervisor(configuration.paths.state, { pid, pidStart, bootId: here.bootId })
  })
  const problem =
    termProblem ??
    (Result.isFailure(placed) ? `${configuration.paths.state} can't be written: ${reasonIn(placed.failure)}` : null)
  if (problem !== null) yield* Effect.logError(`nothing will be started: ${problem}`)
  else yield* sweepLeftovers(configuration)
  return {
    desired: configuration.desired,
    memory,
    term,
    startsOffReason: problem,
    logDirectory: relative(configuration.paths.base, configuration.paths.logs),
    ...narrator
  } satisfies PassInput
})

export interface DaemonOptions {
  readonly intervalMs: number
  readonly narrator: Narrator
  /** Told of every pass; true ends the daemon. */
  readonly onPass: (report: PassReport) => Effect.Effect<boolean>
}

/** A daemon that could write nothing when it took the lock tries to take it anew, at the latest after this long. */
const retakeMs = 10_000

/** Passes until asked to end: at the interval, at due times, and when a lease changes its phase. */
export const daemon = Effect.fn("daemon")(function* (configuration: Configuration, options: DaemonOptions) {
  const memory = yield* makePassMemory
  while (!(yield* Effect.scoped(passesUnderOneLock(configuration, options, memory)))) {
    yield* Effect.sleep(Math.min(options.intervalMs, retakeMs))
  }
})

/** Whether the daemon is over; false = the lock is to be taken anew, since under this one nothing may be started. */
const passesUnderOneLock = Effect.fnUntraced(function* (
  configuration: Configuration,
  options: DaemonOptions,
  memory: PassMemory
) {
  const input = yield* holdLock(configuration, options.narrator, memory)
  yield* Effect.logInfo(`daemon: a pass every ${options.intervalMs / 1000} s, and when a lease changes`)
  const wakeUps = yield* makeWakeUps
  let over = false
  yield* leaseChanges(configuration.paths).pipe(
    Stream.runForEach(() => Queue.offer(wakeUps, undefined)),
    Effect.forkScoped
  )
  yield* runDaemon({
    input: Effect.succeed(input),
    intervalMs: options.intervalMs,
    wakeUps,
    onPass: (report) =>
      Effect.gen(function* () {
        for (const error of report.errors) yield* Effect.logError(error)
        over = yield* options.onPass(report)
        return over || input.startsOffReason !== null
      }),
    onFailure: (message) => Effect.logError(`the pass could not be made: ${message}`)
  })
  return over
})
