/** Looks at everything that a repair judges by. It takes no lock and writes nothing. */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { HistoryLine } from "../domain/Attempts.ts"
import { ownerOf } from "../domain/attemptCgroup.ts"
import type { DesiredState } from "../domain/DesiredState.ts"
import type { TaskId } from "../domain/identifiers.ts"
import type { ObservedState } from "../domain/ObservedState.ts"
import { isDeadState } from "../domain/ProcessIdentity.ts"
import type { ProcessSight } from "../domain/ProcessIdentity.ts"
import { observe } from "../pass/observe.ts"
import { AttemptHistory } from "../ports/AttemptHistory.ts"
import { ProcessTable } from "../ports/ProcessTable.ts"
import { StateInventory } from "../ports/StateInventory.ts"
import type { Inventory } from "../ports/StateInventory.ts"
import { TaskQueue } from "../ports/TaskQueue.ts"
import type { Carrier, RepairSight } from "./RepairSight.ts"

export interface LookInput {
  readonly desired: DesiredState
  readonly purge: boolean
}

/**
 * Twice: a process may be born while the table is read. Nobody but ourselves is left out: a repair that is started from
 * an agent's shell descends from the very attempt that it may have to do with.
 */
export const lookForCarriers = Effect.fn("repair.lookForCarriers")(function* () {
  const processes = yield* ProcessTable
  const { pid: self } = yield* processes.ourselves
  const carriers = new Map<string, Pick<Carrier, "pid" | "token">>()
  for (const rows of [yield* processes.scan, yield* processes.scan]) {
    for (const row of rows) {
      const { pid, state } = row
      const token = ownerOf(row)
      if (token !== null && !isDeadState(state) && pid !== self) carriers.set(`${pid} ${token}`, { pid, token })
    }
  }
  const sorted = [...carriers.values()].sort((left, right) => left.pid - right.pid)
  return yield* Effect.forEach(sorted, (carrier) =>
    Effect.map(processes.statedTask(carrier.pid), (statedTask): Carrier => ({ ...carrier, statedTask }))
  )
})

const isSame = (sight: ProcessSight | undefined, pidStart: number): boolean =>
  sight !== undefined &&
  sight._tag !== "Absent" &&
  (sight._tag === "Unreadable" || (sight.pidStart === pidStart && !isDeadState(sight.state)))

/** A process that began after the file was written last is another one that was given the number. */
const lookAtNamed = Effect.fnUntraced(function* ({ unreadable }: Inventory) {
  const processes = yield* ProcessTable
  const named = unreadable.flatMap(({ guess, modifiedMs }) =>
    guess.processes.map((named) => ({ ...named, modifiedMs }))
  )
  if (named.length === 0) return new Set<number>()
  const sights = yield* processes.look([...new Set(named.map(({ pid }) => pid))])
  const alive = new Set<number>()
  for (const { modifiedMs, pid, pidStart } of named) {
    const sight = sights.get(pid)
    if (sight === undefined || sight._tag === "Absent" || (sight._tag === "Seen" && isDeadState(sight.state))) continue
    if (pidStart !== null) {
      if (isSame(sight, pidStart)) alive.add(pid)
      continue
    }
    const startedMs = yield* processes.startedAtMs(pid)
    if (startedMs === null || startedMs <= modifiedMs) alive.add(pid)
  }
  return alive
})

const lookForLitter = Effect.fnUntraced(function* ({ odd }: Inventory) {
  const processes = yield* ProcessTable
  const temporary = odd.flatMap((file) => (file._tag === "Temporary" ? [file] : []))
  if (temporary.length === 0) return []
  const sights = yield* processes.look([...new Set(temporary.map(({ pid }) => pid))])
  return temporary.filter(({ pid, pidStart }) => !isSame(sights.get(pid), pidStart)).map(({ path }) => path)
})

const markPattern = /\[tinyscheduler ([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\]/g

/** Only of tasks whose attempts file can't say that an attempt was at this very task, and the history may. */
const readMarks = Effect.fnUntraced(function* (
  { records, tinytask }: ObservedState,
  history: ReadonlyArray<HistoryLine>
) {
  const queue = yield* TaskQueue
  const marks = new Map<TaskId, ReadonlySet<string>>()
  if (tinytask._tag === "Unread" || history.length === 0) return marks
  const ended = new Set(history.map(({ taskId }) => taskId))
  const told = new Set(records.flatMap(({ attempts, taskId }) => (attempts === null ? [] : [taskId])))
  const wanted = tinytask.tasks.filter(
    ({ assignee, id, status }) => status === "working" && assignee !== null && ended.has(id) && !told.has(id)
  )
  for (const { id } of wanted) {
    const details = yield* queue.get(id)
    const comments = details?.comments ?? []
    marks.set(id, new Set(comments.flatMap((text) => [...text.matchAll(markPattern)].map(([, token]) => token ?? ""))))
  }
  return marks
})

export const look = Effect.fn("repair.look")(function* ({ desired, purge }: LookInput) {
  const history = yield* AttemptHistory
  const observed = yield* observe({ desired, startFaults: [], startsOffReason: null, stops: new Map(), requests: [] })
  const inventory = yield* Effect.flatMap(StateInventory, ({ take }) => take)
  const agents = yield* Effect.result(history.readAgents)
  const marks = yield* Effect.result(readMarks(observed, inventory.history))
  return {
    observed: Result.isSuccess(marks)
      ? observed
      : { ...observed, tinytask: { _tag: "Unread", reason: marks.failure.message } },
    inventory,
    agentsProblem: Result.isSuccess(agents) ? null : agents.failure.message,
    carriers: yield* lookForCarriers(),
    namedAlive: yield* lookAtNamed(inventory),
    marks: Result.isSuccess(marks) ? marks.success : new Map<TaskId, ReadonlySet<string>>(),
    litter: yield* lookForLitter(inventory),
    purge
  } satisfies RepairSight
})
