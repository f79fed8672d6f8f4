/**
 * Writes attempts one after another with the real adapters, for ever, as scheduler and supervisor do: each step told
 * before and after. It is stopped and its disk is cut off. Its leases are of an earlier boot, since after a power cut
 * every lease is.
 */
import { randomUUID } from "node:crypto"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as AttemptHistoryFiles from "../../packages/adapters-fs/src/AttemptHistory.ts"
import { makeDurableFiles } from "../../packages/adapters-fs/src/DurableFiles.ts"
import * as LeaseStoreFiles from "../../packages/adapters-fs/src/LeaseStore.ts"
import * as SchedulerLockFile from "../../packages/adapters-fs/src/SchedulerLock.ts"
import { resolveStatePaths, stateDefaults } from "../../packages/adapters-fs/src/StatePaths.ts"
import {
  attempts,
  claim,
  historyLine,
  leaseText,
  runningLease,
  startingLease,
  stopRecord
} from "../../packages/adapters-fs/test/fixture.ts"
import { ClaimFile } from "../../packages/core/src/domain/Lease.ts"
import { Epoch, TaskId, Token } from "../../packages/core/src/domain/identifiers.ts"
import { AttemptHistory } from "../../packages/core/src/ports/AttemptHistory.ts"
import { LeaseStore } from "../../packages/core/src/ports/LeaseStore.ts"
import { SchedulerLock } from "../../packages/core/src/ports/SchedulerLock.ts"
import { randomOf } from "../harness/crowd.ts"
import { tellStep } from "./steps.ts"
import type { Contents } from "./steps.ts"

export interface WriterOrder {
  readonly base: string
  readonly steps: string
  readonly seed: number
  readonly host: string
  readonly endpoint: string
  /** By task. */
  readonly createdAt: Readonly<Record<string, string>>
}

const order: WriterOrder = JSON.parse(process.argv[2] ?? "")
const paths = resolveStatePaths({ basePath: order.base, ...stateDefaults })
const random = randomOf(order.seed)
const encodeClaim = Schema.encodeSync(ClaimFile)
const identity = { pid: process.pid, pidStart: 1, bootId: "an earlier boot" }
/** The supervisor's writes, which are the same calls in the same order. */
const files = makeDurableFiles(identity, null)

const step = <E>(sets: Contents, write: Effect.Effect<unknown, E>) =>
  Effect.gen(function* () {
    tellStep(order.steps, { sets, done: false })
    yield* write
    tellStep(order.steps, { sets, done: true })
    // Many cuts are to come right after an acknowledgement, and none is to be held back by what is written next.
    if (random() < 0.5) yield* Effect.sleep(random() * 8)
  })

const attempt = Effect.fnUntraced(function* (id: number, number: number) {
  const store = yield* LeaseStore
  const history = yield* AttemptHistory
  const taskId = TaskId.make(id)
  const epoch = Epoch.make(number)
  const token = Token.make(randomUUID())
  const place = { host: order.host, bootId: "an earlier boot" }
  const name = { taskId, epoch, token, ...place }
  const task = { endpoint: order.endpoint, taskCreatedAt: order.createdAt[id] ?? "" }
  const queue = { queue: "dev", log: `state/logs/tasks/${id}/${number}.log`, recipe: null }
  const { prior, startMonoMs, startTime: startedAt, agentName } = startingLease()
  const last = { epoch, token, agentName, queue: "dev", prior, startedAt, startMonoMs, bootId: place.bootId }
  const claimed = `${JSON.stringify(encodeClaim(claim({ ...name, kind: "claim" })), null, 2)}\n`
  const outcome = { epoch, token, outcome: "lost" as const, detail: "by chance", at: "2026-01-20T04:06:00Z" }

  yield* step({ [`attempts ${id}`]: `${number} begun` }, history.write(attempts({ taskId, ...task, last })))
  yield* step({ [`lease ${id}`]: `starting ${token}` }, store.create(startingLease({ ...name, ...task, ...queue })))
  const link = Effect.sync(() => files.create(`${paths.claims}/${id}.${number}`, claimed))
  yield* step({ [`claim ${id}.${number}`]: token }, link)
  const running = leaseText(runningLease({ ...name, ...task, ...queue }))
  const beat = Effect.sync(() => files.replace(`${paths.running}/task_${id}.json`, running))
  yield* step({ [`lease ${id}`]: `running ${token}` }, beat)
  yield* step({ [`stop ${id}.${number}`]: token }, store.writeStop(stopRecord({ ...name })))
  const ended = attempts({ taskId, ...task, last, outcomes: [outcome] })
  yield* step({ [`attempts ${id}`]: `${number} ended` }, history.write(ended))
  yield* step({ [`history ${token}`]: "lost" }, history.append(historyLine({ taskId, epoch, token, outcome: "lost" })))
  yield* step({ [`lease ${id}`]: null }, store.removeLease(taskId, token))
  yield* step({ [`stop ${id}.${number}`]: null, [`claim ${id}.${number}`]: null }, store.removeClaims(taskId, epoch))
})

const program = Effect.gen(function* () {
  const lock = SchedulerLockFile.layer({ paths, writer: identity })
  const stores = Layer.mergeAll(
    LeaseStoreFiles.layer({ paths, writer: identity }),
    AttemptHistoryFiles.layer({ paths, writer: identity })
  )
  const forever = Effect.gen(function* () {
    yield* SchedulerLock.use(({ acquire }) => acquire)
    const ids = Object.keys(order.createdAt).map(Number)
    const epochs = new Map<number, number>()
    for (;;) {
      const id = ids[Math.floor(random() * ids.length)] ?? 1
      epochs.set(id, (epochs.get(id) ?? 0) + 1)
      yield* attempt(id, epochs.get(id) ?? 1)
    }
  })
  return yield* forever.pipe(Effect.provide(Layer.provideMerge(stores, lock)), Effect.scoped)
})

await Effect.runPromise(program)
