/**
 * The forecast against reality: the demo, run again and again, beside what was forecast of it before. Needs the build.
 *
 *     node --conditions=source bench/forecast.ts [runs]
 *
 * Three forecasts, each from what the demo's Tinytask and files show before its first pass:
 * - known: every task takes what the stand-ins are told to work, 1 to 2 s; p50 and p90 of draws within that.
 * - learned: by the history of the runs before, as `forecast` goes by it.
 * - hindsight: each task takes what it took in this very run. What is left of the error is not that of durations.
 * No stand-in fails on purpose; a task that took several attempts counts with the time from its first start to its last end.
 */
import { spawnSync } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { loadavg, tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import * as Effect from "effect/Effect"
import { readHistory } from "../packages/adapters-fs/src/historyFile.ts"
import { layerTinytask } from "../packages/adapters-tinytask/src/TinytaskClient.ts"
import { demoConfiguration } from "../packages/cli/src/demo/demo.ts"
import { demoWorkMs, makeDemoFolder } from "../packages/cli/src/demo/demoFolder.ts"
import { addDemoTasks } from "../packages/cli/src/demo/demoTasks.ts"
import { startEmbedded } from "../packages/cli/src/embeddedServer.ts"
import { layerPorts, tinytaskOptions } from "../packages/cli/src/layers.ts"
import type { HistoryLine } from "../packages/core/src/domain/Attempts.ts"
import type { TaskId } from "../packages/core/src/domain/identifiers.ts"
import type { Situation } from "../packages/core/src/domain/Situation.ts"
import { millisOf } from "../packages/core/src/domain/time.ts"
import { makeDurationModel, noDurationsGiven } from "../packages/core/src/forecast/DurationModel.ts"
import type { DurationModel } from "../packages/core/src/forecast/DurationModel.ts"
import type { GivenDuration } from "../packages/core/src/domain/durationText.ts"
import { forecast } from "../packages/core/src/forecast/forecast.ts"
import { sampleRuns } from "../packages/core/src/forecast/sampleRuns.ts"
import { makePassMemory } from "../packages/core/src/pass/memory.ts"
import { plan } from "../packages/core/src/pass/pass.ts"

const runs = Math.max(1, Number(process.argv[2] ?? 10))
const program = join(dirname(dirname(fileURLToPath(import.meta.url))), "packages/cli/dist/tinyscheduler.js")

const nowhere = "http://127.0.0.1:9"

/** What the first pass of a demo will see: its folder and its tasks, and nothing has run. */
const beforeTheDemo = (path: string): Promise<Situation> =>
  Effect.gen(function* () {
    const { goose } = makeDemoFolder(path)
    const { url } = yield* startEmbedded({ databasePath: join(path, "tinytask.db"), port: 0 })
    const config = yield* demoConfiguration(path, goose, url)
    const { desired } = config
    yield* addDemoTasks.pipe(Effect.provide(layerTinytask(tinytaskOptions(config.settings))))
    const { observed } = yield* plan({ desired, memory: yield* makePassMemory, startsOffReason: null }).pipe(
      Effect.provide(layerPorts(config, "looks"))
    )
    return { observed, desired }
  }).pipe(Effect.scoped, Effect.runPromise)

/** Runs a demo to its end; its history. */
const runDemo = async (folder: string): Promise<ReadonlyArray<HistoryLine>> => {
  const { status, stderr, stdout } = spawnSync(process.execPath, ["--", program, "demo", "--keep"], {
    encoding: "utf8",
    env: { ...process.env, TMPDIR: folder }
  })
  const path = /The folder is (.*)/.exec(stdout)?.[1]
  if (status !== 0 || path === undefined) throw new Error(`the demo ended with ${status ?? "a signal"}: ${stderr}`)
  const read = Effect.flatMap(demoConfiguration(path, "goose", nowhere), ({ paths }) => readHistory(paths))
  return (await Effect.runPromise(read)).lines
}

interface Span {
  readonly startMs: number
  readonly endMs: number
}

const spanOf = (lines: ReadonlyArray<HistoryLine>): Span => ({
  startMs: Math.min(...lines.map(({ startedAt }) => millisOf(startedAt))),
  endMs: Math.max(...lines.map(({ endedAt }) => millisOf(endedAt)))
})

const ownDurations = (lines: ReadonlyArray<HistoryLine>): ReadonlyMap<TaskId, GivenDuration> =>
  new Map(
    lines.map(({ taskId }) => {
      const { endMs, startMs } = spanOf(lines.filter((line) => line.taskId === taskId))
      return [taskId, { ms: endMs - startMs, spreadMs: 0 }] as const
    })
  )

const seconds = (ms: number | null): string => (ms === null ? "-" : (ms / 1000).toFixed(1))
const percent = (error: number | null): string =>
  error === null ? "-" : `${error < 0 ? "" : "+"}${(100 * error).toFixed(0)} %`
const mean = (values: ReadonlyArray<number>): number => values.reduce((sum, value) => sum + value, 0) / values.length

const head = [
  "run",
  "known",
  "p50",
  "p90",
  "learned",
  "hindsight",
  "actual",
  "known",
  "learned",
  "hindsight",
  "attempts",
  "load"
]
const print = (cells: ReadonlyArray<string>): void => {
  process.stdout.write(`${cells.map((cell, at) => cell.padStart(Math.max(6, (head[at] ?? "").length))).join("  ")}\n`)
}

const tellErrors = (name: string, all: ReadonlyArray<number | null>): void => {
  const errors = all.filter((error) => error !== null)
  if (errors.length === 0) return
  const sizes = errors.map((error) => Math.abs(error))
  process.stdout.write(
    `${name}: mean error ${percent(mean(errors))}; its size ${percent(mean(sizes))}, at most ${percent(Math.max(...sizes))}\n`
  )
}

const folder = mkdtempSync(join(tmpdir(), "ts-bench-forecast-"))
try {
  const situation = await beforeTheDemo(join(folder, "before"))
  const makespan = (model: DurationModel): number => forecast(situation, model.middle).makespanMs
  const { least, most } = demoWorkMs
  const known = { ms: (least + most) / 2, spreadMs: (most - least) / 2 }
  const knownModel = makeDurationModel([], { ...noDurationsGiven, ofAll: known })
  const knownMs = makespan(knownModel)
  const { p50, p90 } = sampleRuns(situation, knownModel, { runs: 200, seed: 1 }).makespanMs
  process.stdout.write("Seconds from the first start to the last end, then the error of each forecast.\n")
  print(head)
  const history: Array<HistoryLine> = []
  const errors: Array<ReadonlyArray<number | null>> = []
  for (let run = 1; run <= runs; run += 1) {
    const learnedMs = history.length === 0 ? null : makespan(makeDurationModel(history))
    const [load = 0] = loadavg()
    const lines = await runDemo(folder)
    history.push(...lines)
    const { endMs, startMs } = spanOf(lines)
    const actualMs = endMs - startMs
    const hindsightMs = makespan(makeDurationModel([], { ...noDurationsGiven, ofTask: ownDurations(lines) }))
    const error = [knownMs, learnedMs, hindsightMs].map((ms) => (ms === null ? null : (ms - actualMs) / actualMs))
    errors.push(error)
    const lengths = [knownMs, p50, p90, learnedMs, hindsightMs, actualMs].map(seconds)
    print([String(run), ...lengths, ...error.map(percent), String(lines.length), load.toFixed(1)])
  }
  for (const [at, name] of ["known", "learned", "hindsight"].entries()) {
    tellErrors(
      name,
      errors.map((error) => error[at] ?? null)
    )
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}
