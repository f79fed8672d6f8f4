/** The step that carries a `gc` out: each task is looked at once more, under the lock, before it is forgotten. */
import * as Effect from "effect/Effect"
import type { DesiredState } from "../domain/DesiredState.ts"
import type { TaskId } from "../domain/identifiers.ts"
import { AttemptHistory } from "../ports/AttemptHistory.ts"
import { LeaseStore } from "../ports/LeaseStore.ts"
import { TaskQueue } from "../ports/TaskQueue.ts"
import { done, nothing, refused } from "../requests/answers.ts"
import { mayForget } from "../requests/forget.ts"

const counted = (count: number): string => `${count} task${count === 1 ? "" : "s"}`

const forgetOne = Effect.fnUntraced(function* (taskId: TaskId, { endpoint }: DesiredState) {
  const leases = yield* LeaseStore
  const history = yield* AttemptHistory
  const queue = yield* TaskQueue
  const remembered = yield* history.read(taskId)
  const stored = yield* leases.read(taskId)
  if (!mayForget({ stored, remembered, endpoint, task: (yield* queue.get(taskId))?.task ?? null })) return false
  yield* history.forget(taskId)
  return true
})

/** What came of it. Tinytask out of reach: whatever was not asked about stays. */
export const forgetTasks = Effect.fn("pass.forgetTasks")(function* (
  taskIds: ReadonlyArray<TaskId>,
  desired: DesiredState
) {
  let forgotten = 0
  const all = Effect.forEach(taskIds, (taskId) =>
    Effect.map(forgetOne(taskId, desired), (gone) => {
      if (gone) forgotten += 1
    })
  )
  return yield* all.pipe(
    Effect.map(() =>
      forgotten === 0
        ? nothing("no task is archived or gone of which something is remembered")
        : done(`what was remembered of ${counted(forgotten)} is removed: archived or gone in Tinytask`)
    ),
    Effect.catchTags({
      TaskQueueUnreachable: ({ message }) => Effect.succeed(refused(`${message}; ${counted(forgotten)} forgotten`)),
      TaskQueueRejected: ({ message }) => Effect.succeed(refused(`${message}; ${counted(forgotten)} forgotten`))
    })
  )
})
