/** Tries each write of the state once, as a user who may not, and prints what it is told. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { RequestId } from "@tinyscheduler/core/domain/Request"
import { AttemptHistory } from "@tinyscheduler/core/ports/AttemptHistory"
import { LeaseStore } from "@tinyscheduler/core/ports/LeaseStore"
import { Requests } from "@tinyscheduler/core/ports/Requests"
import * as AttemptHistoryFiles from "../../src/AttemptHistory.ts"
import * as LeaseStoreFiles from "../../src/LeaseStore.ts"
import * as RequestFiles from "../../src/Requests.ts"
import { resolveStatePaths, stateDefaults } from "../../src/StatePaths.ts"
import { attempts, claim, heldLock, historyLine, startingLease, stopRecord, taskId, token } from "../fixture.ts"

const paths = resolveStatePaths({ basePath: process.argv[2] ?? "", ...stateDefaults })
const options = { paths, writer: { pid: process.pid, pidStart: 1, bootId: "b" } }
const layers = Layer.mergeAll(
  LeaseStoreFiles.layer(options),
  AttemptHistoryFiles.layer(options),
  RequestFiles.layer(options)
)

const say = (text: string) => Effect.sync(() => process.stdout.write(`${text}\n`))

const program = Effect.gen(function* () {
  const store = yield* LeaseStore
  const history = yield* AttemptHistory
  const requests = yield* Requests
  const [task] = yield* store.scan
  yield* say(`scan ${task?.lease._tag}`)
  const writes = {
    create: store.create(startingLease()),
    tombstone: store.tombstone(claim()),
    writeStop: store.writeStop(stopRecord()),
    removeLease: store.removeLease(taskId(1001), token("1")),
    setLeaseAside: store.setLeaseAside(taskId(1001)),
    writeAttempts: history.write(attempts()),
    writeAgents: history.writeAgents({ agents: [], paused: null }),
    append: history.append(historyLine()),
    submit: requests.submit({
      version: 1,
      uuid: RequestId.make(token("1")),
      at: "2026-01-20T04:00:00.000Z",
      by: "maria",
      kind: "repair"
    })
  }
  for (const [name, write] of Object.entries(writes)) {
    const error = yield* Effect.flip(write)
    yield* say(`${name} ${error._tag === "StateUnwritable" ? error.reason : error._tag}`)
  }
})

await Effect.runPromise(program.pipe(Effect.provide(layers.pipe(Layer.provide(heldLock)))))
