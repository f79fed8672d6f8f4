/**
 * Leases, claims and stop records as files. Every write first confirms the lock, then happens within one synchronous
 * call: nothing of this process comes between its steps. What may be written when is the core's to decide.
 */
import { lstatSync } from "node:fs"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { StopFile, type StopRecord } from "@tinyscheduler/core/domain/Attempts"
import type { Epoch, TaskId, Token } from "@tinyscheduler/core/domain/identifiers"
import { ClaimFile, LeaseFile, leaseMaxBytes, type Claim, type StartingLease } from "@tinyscheduler/core/domain/Lease"
import { LeaseStore, LeaseTaken } from "@tinyscheduler/core/ports/LeaseStore"
import { SchedulerLock } from "@tinyscheduler/core/ports/SchedulerLock"
import type { FileCalls } from "@tinyscheduler/core/protocol/durableWrite"
import { claimFileName, stopFileName, taskFileName } from "@tinyscheduler/core/protocol/layout"
import { makeDurableFiles, type DurableFiles, type Writer } from "./DurableFiles.ts"
import { encodeFile } from "./encodeFile.ts"
import { codeOf, unwritable } from "./errno.ts"
import { freePath } from "./freePath.ts"
import { listDirectory, sizeText } from "./safeFile.ts"
import { claimNamesOf, makeLeaseScan, readTask, stopNamesOf } from "./scanLeases.ts"
import type { StatePaths } from "./StatePaths.ts"
import { isMeantLease, removalMark, type Meant } from "./tidy.ts"

export interface StateOptions {
  readonly paths: StatePaths
  readonly writer: Writer
  /** For tests that break the disk. */
  readonly calls?: FileCalls
}

const encodeLease = encodeFile(LeaseFile)
const encodeClaim = encodeFile(ClaimFile)
const encodeStop = encodeFile(StopFile)

const isThere = (path: string): boolean => lstatSync(path, { throwIfNoEntry: false }) !== undefined

/** False when the file exists already. */
const createNew = (files: DurableFiles, path: string, text: string): boolean => {
  try {
    files.create(path, text)
    return true
  } catch (error) {
    // Of the steps before the link some can report the same of something else.
    if (codeOf(error) === "EEXIST" && isThere(path)) return false
    throw error
  }
}

/** True when nothing stands at the path any more, false when something else than what is meant does. */
const removeMeant = (files: DurableFiles, path: string, name: string, meant: Meant): boolean => {
  if (!isThere(path)) return true
  // Looked at before it is renamed aside: another lease is not even moved. The look after decides.
  if (!isMeantLease(path, meant)) return false
  try {
    return files.remove(path, removalMark(meant, name), (aside) => isMeantLease(aside, meant))
  } catch (error) {
    if (codeOf(error) === "ENOENT") return true
    throw error
  }
}

const asideClaimPattern = /^claim_([1-9][0-9]*)\.([1-9][0-9]*)\.[1-9][0-9]*$/

const asideClaimsOf = (aside: string, taskId: TaskId, upTo: Epoch): ReadonlyArray<string> =>
  listDirectory(aside).filter((name) => {
    const [, id, epoch] = asideClaimPattern.exec(name) ?? []
    return Number(id) === taskId && Number(epoch) <= upTo
  })

const make = Effect.fnUntraced(function* (options: StateOptions) {
  const { paths } = options
  const lock = yield* SchedulerLock
  const files = makeDurableFiles(options.writer, options.paths.base, options.calls)
  const leasePath = (taskId: TaskId): string => join(paths.running, taskFileName(taskId))
  const write = <A>(path: string, body: () => A) =>
    lock.confirm.pipe(Effect.andThen(Effect.try({ try: body, catch: (error) => unwritable(path, error) })))

  const create = Effect.fn("LeaseStore.create")(function* (lease: StartingLease) {
    const path = leasePath(lease.taskId)
    const text = yield* Effect.sync(() => encodeLease(lease))
    const created = yield* write(path, () => {
      if (Buffer.byteLength(text) > leaseMaxBytes) throw new Error(`it would be larger than ${sizeText(leaseMaxBytes)}`)
      return createNew(files, path, text)
    })
    if (!created) return yield* new LeaseTaken({ taskId: lease.taskId })
  })

  const setLeaseAside = Effect.fn("LeaseStore.setLeaseAside")(function* (taskId: TaskId) {
    const path = leasePath(taskId)
    yield* write(path, () => files.move(path, freePath(paths.aside, `task_${taskId}`, ".json")))
  })

  const tombstone = Effect.fn("LeaseStore.tombstone")(function* (claim: Claim) {
    const path = join(paths.claims, claimFileName(claim.taskId, claim.epoch))
    const text = yield* Effect.sync(() => encodeClaim({ ...claim, kind: "tombstone" }))
    return (yield* write(path, () => createNew(files, path, text))) ? ("won" as const) : ("exists" as const)
  })

  const writeStop = Effect.fn("LeaseStore.writeStop")(function* (record: StopRecord) {
    const path = join(paths.stops, stopFileName(record.taskId, record.epoch))
    const text = yield* Effect.sync(() => encodeStop(record))
    yield* write(path, () => files.replace(path, text))
  })

  const removeLease = Effect.fn("LeaseStore.removeLease")(function* (taskId: TaskId, token: Token) {
    const path = leasePath(taskId)
    return yield* write(path, () => removeMeant(files, path, taskFileName(taskId), { token }))
  })

  const removeLegacyLease = Effect.fn("LeaseStore.removeLegacyLease")(function* (taskId: TaskId) {
    const path = leasePath(taskId)
    yield* write(path, () => {
      if (!removeMeant(files, path, taskFileName(taskId), "legacy")) throw new Error("it is no lease of an old form")
    })
  })

  const removeClaims = Effect.fn("LeaseStore.removeClaims")(function* (taskId: TaskId, upTo: Epoch) {
    yield* write(paths.claims, () => {
      const namesUpTo = (names: ReadonlyArray<{ readonly name: string; readonly epoch: Epoch }>) =>
        names
          .filter(({ epoch }) => epoch <= upTo)
          .sort((left, right) => left.epoch - right.epoch)
          .map(({ name }) => name)
      files.unlinkAll(paths.stops, namesUpTo(stopNamesOf(listDirectory(paths.stops), taskId)))
      files.unlinkAll(paths.claims, namesUpTo(claimNamesOf(listDirectory(paths.claims), taskId)))
      files.unlinkAll(paths.aside, asideClaimsOf(paths.aside, taskId, upTo))
    })
  })

  const setClaimAside = Effect.fn("LeaseStore.setClaimAside")(function* (taskId: TaskId, epoch: Epoch) {
    const path = join(paths.claims, claimFileName(taskId, epoch))
    yield* write(path, () => files.move(path, freePath(paths.aside, `claim_${taskId}.${epoch}`, "")))
  })

  return LeaseStore.of({
    scan: makeLeaseScan(paths).pipe(Effect.withSpan("LeaseStore.scan")),
    read: Effect.fn("LeaseStore.read")(function* (taskId: TaskId) {
      return yield* readTask(paths, taskId)
    }),
    create,
    setLeaseAside,
    tombstone,
    writeStop,
    removeLease,
    removeLegacyLease,
    removeClaims,
    setClaimAside
  })
})

/** The store over a state directory; its writes need the lock that the scheduler holds. */
export const layer = (options: StateOptions): Layer.Layer<LeaseStore, never, SchedulerLock> =>
  Layer.effect(LeaseStore, make(options))
