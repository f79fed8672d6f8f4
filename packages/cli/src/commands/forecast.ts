/** `forecast`: what will run when, by rolling the plan forward in virtual time. Looks only; works beside a scheduler. */
import { writeFileSync } from "node:fs"
import { resolve } from "node:path"
import { readHistory } from "@tinyscheduler/adapters-fs/historyFile"
import type { Situation } from "@tinyscheduler/core/domain/Situation"
import { timestampOf } from "@tinyscheduler/core/domain/time"
import { makeDurationModel, noDurationsGiven } from "@tinyscheduler/core/forecast/DurationModel"
import { forecast } from "@tinyscheduler/core/forecast/forecast"
import type { Forecast } from "@tinyscheduler/core/forecast/forecast"
import { sampleRuns } from "@tinyscheduler/core/forecast/sampleRuns"
import { makePassMemory } from "@tinyscheduler/core/pass/memory"
import { plan } from "@tinyscheduler/core/pass/pass"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { exitCodes, ExitWith } from "../exits.ts"
import { configuration } from "../flags.ts"
import { givenDurations } from "../forecasting/durationFlags.ts"
import { forecastText, sourcesOf, warningsOf } from "../forecasting/forecastText.ts"
import type { Told } from "../forecasting/forecastText.ts"
import { barsOf } from "../forecasting/gantt.ts"
import { ganttSvg } from "../forecasting/ganttSvg.ts"
import { ganttText } from "../forecasting/ganttText.ts"
import { readTasksFile } from "../forecasting/tasksFile.ts"
import type { PlannedTasks } from "../forecasting/tasksFile.ts"
import { layerPorts } from "../layers.ts"
import { layerLogging } from "../output/logging.ts"
import { print, printJson } from "../output/print.ts"
import { ConfigurationError } from "../settings/ConfigurationError.ts"
import type { Configuration } from "../settings/Configuration.ts"

interface Options {
  readonly duration: ReadonlyArray<string>
  readonly runs: Option.Option<number>
  readonly seed: number
  readonly tasks: Option.Option<string>
  readonly gantt: boolean
  readonly svg: Option.Option<string>
  readonly json: boolean
}

/** What took its time longer ago says little of today; it also bounds what is read. */
const historyMs = 92 * 86_400_000

/** As files of the history are named: 202611. */
const monthOf = (millis: number): string => timestampOf(millis).slice(0, 7).replace("-", "")

/** A machine on which nothing has ever run, with these tasks. */
const plannedSituation = ({ desired }: Configuration, { tasks }: PlannedTasks, nowMs: number): Situation => ({
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

const titlesOf = ({ observed }: Situation): ReadonlyMap<number, string> =>
  new Map(observed.tinytask._tag === "Read" ? observed.tinytask.tasks.map(({ id, title }) => [id, title]) : [])

const queuesOf = ({ observed }: Situation): ReadonlySet<string> =>
  new Set(observed.tinytask._tag === "Read" ? observed.tinytask.tasks.flatMap(({ queue }) => queue ?? []) : [])

const shown = ({ made, samples, titles, warnings }: Told, sources: ReturnType<typeof sourcesOf>) => ({
  version: 1,
  now: timestampOf(made.nowMs),
  makespanMs: made.makespanMs,
  tasks: made.attempts.map(({ agent, end, endMs, found, overdue, queue, startMs, taskId }) => ({
    task: taskId,
    title: titles.get(taskId) ?? null,
    agent,
    queue,
    start: timestampOf(startMs),
    end: timestampOf(endMs),
    running: found,
    stopping: end === "stopped",
    overdue
  })),
  parents: made.parents.map(({ endMs, taskId }) => ({ task: taskId, end: timestampOf(endMs) })),
  never: made.never.map(({ reasons, taskId }) => ({ task: taskId, reasons })),
  outside: made.outside,
  agents: made.agents,
  starving: made.starving,
  durations: Object.fromEntries(sources),
  samples,
  warnings
})

const writeSvg = (path: string, made: Forecast, titles: Told["titles"]) =>
  Effect.try({
    try: () => {
      writeFileSync(path, ganttSvg(barsOf(made), titles))
    },
    catch: (error) =>
      new ConfigurationError({
        faults: [`--svg: ${path} can't be written: ${error instanceof Error ? error.message : "unknown"}`]
      })
  })

/** `suppose` changes the situation before anything is forecast: what settings and what-if flags make of it. */
const runForecast = Effect.fnUntraced(function* (
  config: Configuration,
  options: Options,
  suppose: (situation: Situation) => Situation
) {
  const nowMs = yield* Clock.currentTimeMillis
  const planned = Option.isSome(options.tasks) ? yield* readTasksFile(resolve(options.tasks.value), nowMs) : null
  const situation = suppose(
    planned === null ? yield* observedSituation(config) : plannedSituation(config, planned, nowMs)
  )
  const { lines } = yield* readHistory(config.paths, monthOf(nowMs - historyMs))
  const ofTask = planned?.durations ?? noDurationsGiven.ofTask
  const { faults, given } = givenDurations(options.duration, ofTask, queuesOf(situation), situation.desired)
  if (faults.length > 0) return yield* new ConfigurationError({ faults })
  const model = makeDurationModel(lines, given)
  const made = forecast(situation, model.middle)
  const samples = Option.isSome(options.runs)
    ? sampleRuns(situation, model, { runs: options.runs.value, seed: options.seed })
    : null
  const titles = titlesOf(situation)
  const told: Told = { made, samples, titles, warnings: warningsOf(made, model, situation.desired) }
  if (Option.isSome(options.svg)) yield* writeSvg(resolve(options.svg.value), made, titles)
  if (options.json) return yield* printJson(shown(told, sourcesOf(made, model)))
  yield* print(forecastText(told))
  if (options.gantt) yield* print(`\n${ganttText(barsOf(made), process.stdout.columns ?? 80)}`)
})

const whole = (name: string, minimum: number, maximum: number) =>
  Flag.Int(name).pipe(Flag.withSchema(Schema.Int.check(Schema.isBetween({ minimum, maximum }))))

export const forecastCommand = Command.make(
  "forecast",
  {
    duration: Flag.String("duration").pipe(
      Flag.withDescription("How long tasks take: 10m, or name=10m±5m of an agent or a queue; repeatable"),
      Flag.withMetavar("[name=]length"),
      Flag.atLeast(0)
    ),
    runs: whole("runs", 1, 1000).pipe(
      Flag.withDescription("So many forecasts with durations by chance, for p50 and p90"),
      Flag.optional
    ),
    seed: whole("seed", 0, 2 ** 31 - 1).pipe(
      Flag.withDescription("What chance begins with (default 1)"),
      Flag.withDefault(1)
    ),
    tasks: Flag.String("tasks").pipe(
      Flag.withDescription("Forecast the tasks of this file; Tinytask is not asked"),
      Flag.withMetavar("path"),
      Flag.optional
    ),
    gantt: Flag.Boolean("gantt").pipe(Flag.withDescription("Draw a picture too"), Flag.withDefault(false)),
    svg: Flag.String("svg").pipe(
      Flag.withDescription("Write the picture to this file, as SVG"),
      Flag.withMetavar("path"),
      Flag.optional
    ),
    json: Flag.Boolean("json").pipe(Flag.withDescription("Print JSON"), Flag.withDefault(false))
  },
  Effect.fn("cli.forecast")(function* (options) {
    const config = yield* configuration
    const asItIs = (situation: Situation): Situation => situation
    yield* runForecast(config, options, asItIs).pipe(Effect.provide(layerLogging(() => config.settings, null)))
  })
).pipe(Command.withDescription("Predict what starts and ends when"))
