/** The port to what a repair has to know of the state directory, over a simulated one. */
import * as Effect from "effect/Effect"
import type { OddFile, UnreadableFile } from "../ports/StateInventory.ts"
import { StateInventory } from "../ports/StateInventory.ts"
import type { SchedulerLock } from "../ports/SchedulerLock.ts"
import { StateUnreadable, StateUnwritable } from "../ports/StateError.ts"
import type { Call } from "./memoryCalls.ts"
import type { SimulatedFiles } from "./SimulatedFiles.ts"

const unwritable = (reason: string) => new StateUnwritable({ path: "state", reason })

/** Nothing can be made out in what a simulation tears. */
const torn = (path: string, problem: string): UnreadableFile => ({
  path,
  problem,
  modifiedMs: 0,
  guess: { token: null, host: null, processes: [], epoch: null }
})

const unreadableOf = (files: SimulatedFiles): ReadonlyArray<UnreadableFile> =>
  files
    .taskIds()
    .map((taskId) => files.task(taskId))
    .flatMap(({ claims, lease }) => [
      ...(lease._tag === "Unreadable" ? [torn(lease.path, lease.problem)] : []),
      ...claims.flatMap((claim) => (claim._tag === "Unreadable" ? [torn(claim.path, claim.problem)] : []))
    ])

const asideOf = (files: SimulatedFiles): ReadonlyArray<OddFile> =>
  [...new Set(files.aside)].map((name) => ({
    _tag: "Aside",
    path: `state/aside/${name}`,
    name,
    taskId: null,
    holds: name,
    modifiedMs: 0
  }))

export const stateInventory = (files: SimulatedFiles, lock: SchedulerLock["Service"], call: Call) => {
  const write = (name: string, act: () => void) =>
    call(name, unwritable, () =>
      Effect.andThen(
        lock.confirm,
        Effect.suspend(() => (files.unwritable === null ? Effect.sync(act) : Effect.fail(unwritable(files.unwritable))))
      )
    )
  const keep = (name: string) => () => {
    if (!files.aside.includes(name)) files.aside.push(name)
  }
  return StateInventory.of({
    take: call(
      "StateInventory.take",
      (reason) => new StateUnreadable({ path: "state", reason }),
      () =>
        Effect.sync(() => ({
          history: [...files.history],
          historyProblem: null,
          historySkipped: 0,
          termProblem: null,
          unreadable: unreadableOf(files),
          odd: asideOf(files)
        }))
    ),
    keepAttempts: (taskId) => write("StateInventory.keepAttempts", keep(`attempts_${taskId}`)),
    keepAgents: write("StateInventory.keepAgents", keep("agents")),
    removeAside: (name) =>
      write("StateInventory.removeAside", () => {
        const left = files.aside.filter((other) => other !== name)
        files.aside.splice(0, files.aside.length, ...left)
      }),
    // A simulated stop record can always be read.
    removeUnreadableStops: () => write("StateInventory.removeUnreadableStops", () => undefined)
  })
}
