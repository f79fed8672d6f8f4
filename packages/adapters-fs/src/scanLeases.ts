/** One reading of the three directories of the running attempts, put together by task. Reading only. */
import { join } from "node:path"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { StopRecord } from "@tinyscheduler/core/domain/Attempts"
import { Epoch, TaskId } from "@tinyscheduler/core/domain/identifiers"
import type { StoredClaim, StoredLease, StoredTask } from "@tinyscheduler/core/ports/LeaseStore"
import {
  parseClaimFileName,
  parseStopFileName,
  parseTaskFileName,
  taskFileName
} from "@tinyscheduler/core/protocol/layout"
import { unreadable } from "./errno.ts"
import { makeFileCache } from "./fileCache.ts"
import { readClaimFile, readLeaseFile, readStopFile } from "./leaseFiles.ts"
import { listDirectory } from "./safeFile.ts"
import type { StatePaths } from "./StatePaths.ts"

/** Whether a number from a file name is a task's. */
export const isTaskId = Schema.is(TaskId)
const isEpoch = Schema.is(Epoch)

/** The names of a directory; a missing one is empty. */
export const namesIn = Effect.fnUntraced(function* (directory: string) {
  return yield* Effect.try({ try: () => listDirectory(directory), catch: (error) => unreadable(directory, error) })
})

/** The tasks that files like `task_<id>.json` in a directory belong to. */
export const taskIdsOf = (names: ReadonlyArray<string>): ReadonlyArray<TaskId> =>
  names.map(parseTaskFileName).filter((id) => isTaskId(id))

interface EpochName {
  readonly name: string
  readonly taskId: TaskId
  readonly epoch: Epoch
}

const epochNamesOf = (
  names: ReadonlyArray<string>,
  parse: (name: string) => { readonly taskId: number; readonly epoch: number } | null,
  only: TaskId | null
): ReadonlyArray<EpochName> =>
  names.flatMap((name) => {
    const parsed = parse(name)
    if (parsed === null || !isTaskId(parsed.taskId) || !isEpoch(parsed.epoch)) return []
    return only === null || only === parsed.taskId ? [{ name, taskId: parsed.taskId, epoch: parsed.epoch }] : []
  })

/** File names of claims, of all tasks or of one. */
export const claimNamesOf = (names: ReadonlyArray<string>, only: TaskId | null = null): ReadonlyArray<EpochName> =>
  epochNamesOf(names, parseClaimFileName, only)

/** File names of stop records, of all tasks or of one. */
export const stopNamesOf = (names: ReadonlyArray<string>, only: TaskId | null = null): ReadonlyArray<EpochName> =>
  epochNamesOf(names, parseStopFileName, only)

interface TaskFiles {
  lease: StoredLease
  readonly claims: Array<StoredClaim>
  readonly stops: Array<StopRecord>
}

const assemble = (
  leases: ReadonlyArray<readonly [TaskId, StoredLease]>,
  claims: ReadonlyArray<readonly [TaskId, StoredClaim | null]>,
  stops: ReadonlyArray<readonly [TaskId, StopRecord | null]>
): ReadonlyArray<StoredTask> => {
  const tasks = new Map<TaskId, TaskFiles>()
  const filesOf = (taskId: TaskId): TaskFiles => {
    const files = tasks.get(taskId) ?? { lease: { _tag: "Missing" }, claims: [], stops: [] }
    tasks.set(taskId, files)
    return files
  }
  // What was listed and is gone when it is read was deleted in between, by the only one who may.
  for (const [taskId, lease] of leases) if (lease._tag !== "Missing") filesOf(taskId).lease = lease
  for (const [taskId, claim] of claims) if (claim !== null) filesOf(taskId).claims.push(claim)
  for (const [taskId, stop] of stops) if (stop !== null) filesOf(taskId).stops.push(stop)
  const byEpoch = (left: { readonly epoch: number }, right: { readonly epoch: number }) => left.epoch - right.epoch
  return [...tasks]
    .sort(([left], [right]) => left - right)
    .map(([taskId, files]) => ({
      taskId,
      lease: files.lease,
      claims: files.claims.sort(byEpoch),
      stops: files.stops.sort(byEpoch)
    }))
}

const zip = <A>(owners: ReadonlyArray<TaskId>, values: ReadonlyArray<A>): ReadonlyArray<readonly [TaskId, A]> =>
  owners.flatMap((owner, index) => {
    const value = values[index]
    return value === undefined ? [] : [[owner, value] as const]
  })

/** A scanner of everything that leases, claims and stop records say, by task id; unchanged files are not read again. */
export const makeLeaseScan = (paths: StatePaths) => {
  const scanLeases = makeFileCache<StoredLease>()
  const scanClaims = makeFileCache<StoredClaim | null>()
  const scanStops = makeFileCache<StopRecord | null>()
  return Effect.gen(function* () {
    const listed = taskIdsOf(yield* namesIn(paths.running))
    const claimed = claimNamesOf(yield* namesIn(paths.claims))
    // Beats replace leases while their names are listed, and some file systems then leave a replaced name out. Whoever
    // beats has a claim: the lease of every claim is looked for by its name.
    const leased = [...new Set([...listed, ...claimed.map((name) => name.taskId)])]
    const leases = yield* scanLeases(
      leased.map((id) => ({
        path: join(paths.running, taskFileName(id)),
        readNow: () => readLeaseFile(paths.running, id)
      }))
    )
    const claims = yield* scanClaims(
      claimed.map(({ epoch, name, taskId }) => ({
        path: join(paths.claims, name),
        readNow: () => readClaimFile(paths.claims, taskId, epoch)
      }))
    )
    const stopped = stopNamesOf(yield* namesIn(paths.stops))
    const stops = yield* scanStops(
      stopped.map(({ epoch, name, taskId }) => ({
        path: join(paths.stops, name),
        readNow: () => readStopFile(paths.stops, taskId, epoch)
      }))
    )
    const ids = (list: ReadonlyArray<EpochName>) => list.map((name) => name.taskId)
    return assemble(zip(leased, leases), zip(ids(claimed), claims), zip(ids(stopped), stops))
  })
}

/** Everything of one task, read now, whatever a scan remembers. */
export const readTask = Effect.fnUntraced(function* (paths: StatePaths, taskId: TaskId) {
  const lease = yield* Effect.sync(() => readLeaseFile(paths.running, taskId).value)
  const claimed = claimNamesOf(yield* namesIn(paths.claims), taskId)
  const stopped = stopNamesOf(yield* namesIn(paths.stops), taskId)
  return yield* Effect.sync((): StoredTask => {
    const claims = claimed.map(({ epoch }) => readClaimFile(paths.claims, taskId, epoch).value)
    const stops = stopped.map(({ epoch }) => readStopFile(paths.stops, taskId, epoch).value)
    const [task] = assemble(
      [[taskId, lease]],
      claims.map((claim) => [taskId, claim] as const),
      stops.map((stop) => [taskId, stop] as const)
    )
    return task ?? { taskId, lease, claims: [], stops: [] }
  })
})
