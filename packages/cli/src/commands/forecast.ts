/** `forecast`: what will run when, by rolling the plan forward in virtual time. Looks only; works beside a scheduler. */
import { resolve } from "node:path"
import { readHistory } from "@tinyscheduler/adapters-fs/historyFile"
import type { Situation } from "@tinyscheduler/core/domain/Situation"
import { timestampOf } from "@tinyscheduler/core/domain/time"
import { makeDurationModel } from "@tinyscheduler/core/forecast/DurationModel"
import { forecast } from "@tinyscheduler/core/forecast/forecast"
import type { Forecast } from "@tinyscheduler/core/forecast/forecast"
import { sampleRuns } from "@tinyscheduler/core/forecast/sampleRuns"
import { suppose } from "@tinyscheduler/core/whatIf/suppose"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { configuration } from "../flags.ts"
import { comparisonJson } from "../forecasting/comparisonJson.ts"
import { comparisonText } from "../forecasting/comparisonText.ts"
import type { Column } from "../forecasting/comparisonText.ts"
import { givenDurations } from "../forecasting/durationFlags.ts"
import { forecastJson } from "../forecasting/forecastJson.ts"
import { forecastText, sourcesOf, warningsOf } from "../forecasting/forecastText.ts"
import type { Told } from "../forecasting/forecastText.ts"
import { barsOf } from "../forecasting/gantt.ts"
import { ganttSvg } from "../forecasting/ganttSvg.ts"
import { ganttText } from "../forecasting/ganttText.ts"
import { queuesOf, startingPoint, titlesOf } from "../forecasting/startingPoint.ts"
import type { StartingPoint } from "../forecasting/startingPoint.ts"
import { layerLogging } from "../output/logging.ts"
import { writeOutputFile } from "../output/outputFile.ts"
import { print, printJson } from "../output/print.ts"
import { ConfigurationError } from "../settings/ConfigurationError.ts"
import type { Configuration } from "../settings/Configuration.ts"
import { comparedWhatIf, compareFlag } from "../supposing/comparedWhatIf.ts"
import type { SettingPlace } from "../supposing/setting.ts"
import { isSupposing, suppositionsOf, whatIfFlags } from "../supposing/suppositions.ts"
import type { WhatIf } from "../supposing/suppositions.ts"

interface Options {
  readonly compare: ReadonlyArray<string>
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

/** A picture is there to be shown: others may read it. */
const svgFile = { what: "the picture", flag: "--svg", mode: 0o644 }

const writeSvg = Effect.fnUntraced(function* (path: string, made: Forecast, titles: Told["titles"]) {
  const written = writeOutputFile(path, ganttSvg(barsOf(made), titles), svgFile)
  if (Result.isFailure(written)) return yield* new ConfigurationError({ faults: [written.failure] })
})

/** The situation with what is supposed of it; a fault of what was typed is a usage error. */
const supposed = (situation: Situation, typed: WhatIf, place?: SettingPlace) => {
  const suppositions = suppositionsOf(typed, situation, place)
  return Result.isSuccess(suppositions)
    ? Effect.succeed(suppose(situation, suppositions.success))
    : Effect.fail(new ConfigurationError({ faults: suppositions.failure }))
}

const durationModel = Effect.fnUntraced(function* (
  config: Configuration,
  typed: ReadonlyArray<string>,
  { durations, situation }: StartingPoint
) {
  const { lines } = yield* readHistory(config.paths, monthOf(situation.observed.nowMs - historyMs))
  const { faults, given } = givenDurations(typed, durations, queuesOf(situation), situation.desired)
  if (faults.length > 0) return yield* new ConfigurationError({ faults })
  return makeDurationModel(lines, given)
})

const runForecast = Effect.fnUntraced(function* (config: Configuration, options: Options, whatIf: WhatIf) {
  const tasksPath = Option.getOrNull(Option.map(options.tasks, (path) => resolve(path)))
  const start = yield* startingPoint(config, tasksPath, yield* Clock.currentTimeMillis)
  const situation = yield* supposed(start.situation, whatIf)
  const model = yield* durationModel(config, options.duration, { ...start, situation })
  const titles = titlesOf(situation)
  const columnOf = (name: string, of: Situation): Column => {
    const made = forecast(of, model.middle)
    const samples = Option.isSome(options.runs)
      ? sampleRuns(of, model, { runs: options.runs.value, seed: options.seed })
      : null
    return { name, made, samples, warnings: warningsOf(made, model, of.desired) }
  }
  const others = yield* Effect.forEach(options.compare, (text) =>
    Effect.map(supposed(situation, comparedWhatIf(text), compareFlag), (of) => ({ name: text, of }))
  )
  const base = columnOf(isSupposing(whatIf) ? "as supposed" : "as it is", situation)
  if (others.length > 0) {
    const columns = others.map(({ name, of }) => columnOf(name, of))
    return yield* options.json
      ? printJson(comparisonJson([base, ...columns], titles, base.made.nowMs))
      : print(comparisonText(base, columns, titles))
  }
  const told: Told = { ...base, titles }
  if (Option.isSome(options.svg)) yield* writeSvg(resolve(options.svg.value), base.made, titles)
  if (options.json) return yield* printJson(forecastJson(told, sourcesOf(base.made, model)))
  yield* print(forecastText(told))
  if (options.gantt) yield* print(`\n${ganttText(barsOf(base.made), process.stdout.columns ?? 80)}`)
})

const whole = (name: string, minimum: number, maximum: number) =>
  Flag.Int(name).pipe(Flag.withSchema(Schema.Int.check(Schema.isBetween({ minimum, maximum }))))

export const forecastCommand = Command.make(
  "forecast",
  {
    ...whatIfFlags,
    compare: Flag.String("compare").pipe(
      Flag.withDescription(
        "Beside it what would come of other settings: agent.vaela.slots=5,maxConcurrent=20, also pause=oscar, finish=17; repeatable"
      ),
      Flag.withMetavar("name=value,…"),
      Flag.atLeast(0)
    ),
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
  Effect.fn("cli.forecast")(function* ({ compare, duration, gantt, json, runs, seed, svg, tasks, ...whatIf }) {
    const isDrawn = gantt || Option.isSome(svg)
    const faults = [
      ...(compare.length > 0 && isDrawn
        ? ["--compare prints numbers side by side; leave it out, or --gantt and --svg, which draw one forecast"]
        : []),
      ...(Option.isSome(svg) && Option.isSome(tasks) && resolve(svg.value) === resolve(tasks.value)
        ? ["--svg names the file of --tasks, which the picture would replace: name another"]
        : [])
    ]
    if (faults.length > 0) return yield* new ConfigurationError({ faults })
    const config = yield* configuration
    const options = { compare, duration, gantt, json, runs, seed, svg, tasks }
    yield* runForecast(config, options, whatIf).pipe(Effect.provide(layerLogging(() => config.settings, null)))
  })
).pipe(Command.withDescription("Predict what starts and ends when"))
