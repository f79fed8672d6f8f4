/** Where a forecast begins: what a pass would see now, or a machine on which nothing has ever run with the tasks of a file. */
import type { DesiredState } from "@tinyscheduler/core/domain/DesiredState"
import type { TaskId } from "@tinyscheduler/core/domain/identifiers"
import type { Situation } from "@tinyscheduler/core/domain/Situation"
import { noDurationsGiven } from "@tinyscheduler/core/forecast/DurationModel"
import type { GivenDuration } from "@tinyscheduler/core/domain/durationText"
import { makePassMemory } from "@tinyscheduler/core/pass/memory"
import { plan } from "@tinyscheduler/core/pass/pass"
import * as Effect from "effect/Effect"
import { exitCodes, ExitWith } from "../exits.ts"
import { layerPorts } from "../layers.ts"
import type { Configuration } from "../settings/Configuration.ts"
import { readTasksFile } from "./tasksFile.ts"
import type { PlannedTasks } from "./tasksFile.ts"

export interface StartingPoint {
  readonly situation: Situation
  /** What the file says of its tasks' durations. */
  readonly durations: ReadonlyMap<TaskId, GivenDuration>
}

const plannedSituation = (desired: DesiredState, { tasks }: PlannedTasks, nowMs: number): Situation => ({
  desired,
  observed: {
    nowMs,
    monoMs: 0,
    here: { host: "planned", bootId: "planned", pidNs: 0 },
    tinytask: { _tag: "Read", tasks, lookedUp: [] },
    records: [],
    agents: [],
    paused: null,
    requests: [],
    recipes: [],
    startFaults: [],
    startsOffReason: null
  }
})

const observedSituation = Effect.fnUntraced(function* (config: Configuration) {
  const { desired } = config
  const look = Effect.flatMap(makePassMemory, (memory) => plan({ desired, memory, startsOffReason: null }))
  const { observed } = yield* look.pipe(Effect.provide(layerPorts(config, "looks")))
  if (observed.tinytask._tag === "Unread") {
    yield* Effect.logError(observed.tinytask.reason)
    return yield* Effect.fail(new ExitWith(exitCodes.passHadErrors))
  }
  return { desired, observed }
})

export const startingPoint = Effect.fnUntraced(function* (
  config: Configuration,
  tasksPath: string | null,
  nowMs: number
) {
  if (tasksPath === null) {
    return { situation: yield* observedSituation(config), durations: noDurationsGiven.ofTask } satisfies StartingPoint
  }
  const planned = yield* readTasksFile(tasksPath, nowMs)
  return {
    situation: plannedSituation(config.desired, planned, nowMs),
    durations: planned.durations
  } satisfies StartingPoint
})

export const titlesOf = ({ observed }: Situation): ReadonlyMap<number, string> =>
  new Map(observed.tinytask._tag === "Read" ? observed.tinytask.tasks.map(({ id, title }) => [id, title]) : [])

export const queuesOf = ({ observed }: Situation): ReadonlySet<string> =>
  new Set(observed.tinytask._tag === "Read" ? observed.tinytask.tasks.flatMap(({ queue }) => queue ?? []) : [])
