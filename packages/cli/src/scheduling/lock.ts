/** Taking the lock, and what has to stand before the first pass under it. */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { reasonOf } from "@tinyscheduler/adapters-fs/errno"
import { tidy } from "@tinyscheduler/adapters-fs/tidy"
import { thisMachine } from "@tinyscheduler/adapters-process/thisMachine"
import type { PassMemory } from "@tinyscheduler/core/pass/memory"
import type { PassInput } from "@tinyscheduler/core/pass/pass"
import { ProcessTable } from "@tinyscheduler/core/ports/ProcessTable"
import { SchedulerLock } from "@tinyscheduler/core/ports/SchedulerLock"
import { relative } from "node:path"
import { makeRecording, recordsNothing } from "../recording.ts"
import { placeSupervisor } from "../supervisorProgram.ts"
import { makeDirectories } from "../stateDirectories.ts"
import type { Configuration } from "../settings/Configuration.ts"
import type { Narrator } from "../output/narration.ts"
import { sweepTemporary } from "../sweepTemporary.ts"

/** Everything that a person should know before the first pass. */
export const tellNotices = Effect.fnUntraced(function* (configuration: Configuration) {
  for (const notice of configuration.notices) yield* Effect.logWarning(notice)
  for (const warning of configuration.warnings) yield* Effect.logWarning(warning)
})

const isDead = (pid: number, pidStart: number): boolean => {
  const sight = thisMachine.look([pid]).get(pid)
  return sight !== undefined && (sight._tag === "Absent" || (sight._tag === "Seen" && sight.pidStart !== pidStart))
}

const sweepLeftovers = Effect.fnUntraced(function* (configuration: Configuration) {
  const swept = yield* Effect.result(tidy(configuration.paths, isDead))
  if (Result.isFailure(swept)) yield* Effect.logWarning(`leftovers were not swept: ${swept.failure.message}`)
  const kept = Result.try(() => sweepTemporary(configuration))
  const names = Result.isSuccess(kept) ? kept.success : [reasonOf(kept.failure)]
  if (names.length > 0) {
    yield* Effect.logWarning(
      `${configuration.temporaryDir} holds what can't be removed: ${names.slice(0, 8).join(" ")}`
    )
  }
})

/** What is wrong when nothing may be started under a lock that was taken; none = all is well. */
export const startTroubles = ({ startsOffReason }: PassInput): ReadonlyArray<string> =>
  startsOffReason === null
    ? []
    : [`nothing will be started: ${startsOffReason}; make room there or give this user the right to write`]

/** Takes the lock, sweeps what crashed writers left, and answers what a pass needs. Held until the scope closes. */
export const holdLock = Effect.fn("holdLock")(function* (
  configuration: Configuration,
  narrator: Narrator,
  memory: PassMemory,
  current: () => Configuration = () => configuration
) {
  const lock = yield* SchedulerLock
  const { term, termProblem } = yield* lock.acquire
  const { here, pid, pidStart } = yield* Effect.flatMap(ProcessTable, (processes) => processes.ourselves)
  // Without room for these nothing can start; what must be stopped is stopped all the same.
  const placed = Result.try(() => {
    makeDirectories(configuration)
    placeSupervisor(configuration.paths, { pid, pidStart, bootId: here.bootId })
  })
  const problem =
    termProblem ??
    (Result.isFailure(placed) ? `${configuration.paths.state} can't be made ready: ${reasonOf(placed.failure)}` : null)
  if (problem === null) yield* sweepLeftovers(configuration)
  const record = problem === null ? makeRecording(current) : recordsNothing
  return {
    desired: configuration.desired,
    memory,
    term,
    startsOffReason: problem,
    needsApproval: configuration.settings.requireApproval,
    logDirectory: relative(configuration.paths.base, configuration.paths.logs),
    ...narrator,
    onPlan: (decided) => Effect.andThen(record(decided), narrator.onPlan(decided))
  } satisfies PassInput
})
