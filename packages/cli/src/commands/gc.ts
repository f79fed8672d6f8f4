/** `gc`: removes what nobody needs any more: what is remembered of tasks that are archived or gone, and old answers. */
import * as Effect from "effect/Effect"
import * as Command from "effect/cli/Command"
import type { TaskId } from "@tinyscheduler/core/domain/identifiers"
import { gcTasksMax } from "@tinyscheduler/core/domain/Request"
import type { GcRequest } from "@tinyscheduler/core/domain/Request"
import { AttemptHistory } from "@tinyscheduler/core/ports/AttemptHistory"
import { LeaseStore } from "@tinyscheduler/core/ports/LeaseStore"
import { TaskQueue } from "@tinyscheduler/core/ports/TaskQueue"
import { isForgettable, mayForget } from "@tinyscheduler/core/requests/forget"
import { ask } from "../asking/askAndTell.ts"
import type { AskOptions } from "../asking/askAndTell.ts"
import { json, waitFlags } from "../asking/askFlags.ts"
import { runAsking } from "../asking/commandProgram.ts"
import { newRequest } from "../asking/newRequest.ts"
import { tellAnswer, tellRefusal } from "../asking/tellAnswer.ts"
import type { Told } from "../asking/tellAnswer.ts"
import { configuration } from "../flags.ts"
import type { Configuration } from "../settings/Configuration.ts"

/** How many tasks Tinytask is asked about at once. */
const asksAtOnce = 4

/** The tasks of which something is remembered for nothing. Asks Tinytask of each that is not open; writes nothing. */
const forgettable = Effect.fn("gc.forgettable")(function* ({ desired: { endpoint } }: Configuration) {
  const history = yield* AttemptHistory
  const leases = yield* LeaseStore
  const queue = yield* TaskQueue
  const open = new Set((yield* queue.listOpen).map(({ id }) => id))
  const stored = new Map((yield* leases.scan).map((entry) => [entry.taskId, entry] as const))
  const quiet = (taskId: TaskId) =>
    stored.get(taskId) ?? { taskId, lease: { _tag: "Missing" as const }, claims: [], stops: [] }
  const candidates = (yield* history.scan)
    .filter(({ taskId }) => !open.has(taskId))
    .map((remembered) => ({ remembered, stored: quiet(remembered.taskId), endpoint }))
    .filter(isForgettable)
  const found = yield* Effect.forEach(
    candidates,
    (sight) =>
      Effect.map(queue.get(sight.remembered.taskId), (details) =>
        mayForget({ ...sight, task: details?.task ?? null }) ? [sight.remembered.taskId] : []
      ),
    { concurrency: asksAtOnce }
  )
  return found.flat()
})

const chunksOf = (taskIds: ReadonlyArray<TaskId>): ReadonlyArray<ReadonlyArray<TaskId>> =>
  taskIds.length === 0
    ? [[]]
    : Array.from({ length: Math.ceil(taskIds.length / gcTasksMax) }, (_, at) =>
        taskIds.slice(at * gcTasksMax, (at + 1) * gcTasksMax)
      )

const found = (taskIds: ReadonlyArray<TaskId>): string =>
  taskIds.length === 0
    ? "no task is archived or gone of which something is remembered"
    : `${taskIds.length} task${taskIds.length === 1 ? " is" : "s are"} archived or gone (${taskIds.slice(0, 12).join(", ")}${taskIds.length > 12 ? ", …" : ""}): what is remembered of them would be removed`

const gc = Effect.fn("gc")(function* (config: Configuration, options: AskOptions) {
  const taskIds = yield* forgettable(config)
  const about = { kind: "gc", tasks: taskIds }
  if (config.settings.dryRun) {
    const result = taskIds.length === 0 ? "nothing" : "done"
    return yield* tellAnswer({ result, says: found(taskIds), about }, { ...options, dryRun: true })
  }
  const told: Array<Told> = []
  // An empty request too: whoever carries it out forgets old answers.
  for (const chunk of chunksOf(taskIds)) {
    const request: GcRequest = { ...(yield* newRequest), kind: "gc", taskIds: chunk }
    told.push(yield* ask(config, request, about, options))
  }
  // All of them are carried out by the same process; the one that came to less tells it.
  const last = told.find(({ result }) => result === "refused" || result === "waiting") ?? told.at(-1)
  if (last !== undefined) yield* tellAnswer(last, options)
})

export const gcCommand = Command.make(
  "gc",
  {
    json,
    ...waitFlags("the scheduler has carried it out")
  },
  Effect.fn("cli.gc")(function* (options) {
    const config = yield* configuration
    yield* runAsking(config, gc(config, options).pipe(Effect.catchTag("Refused", tellRefusal({ kind: "gc" }, options))))
  })
).pipe(Command.withDescription("Forget tasks that are archived or gone; --dry-run tells which"))
