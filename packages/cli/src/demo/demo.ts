/**
 * The demo: the whole scheduler at work, in a folder of its own and with a Tinytask of its own; agents are stand-ins that
 * take Goose's arguments. Nothing of the person's own configuration is read.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import { layerTinytask, Tinytask } from "@tinyscheduler/adapters-tinytask/TinytaskClient"
import type { PassReport } from "@tinyscheduler/core/pass/pass"
import { addDemoTasks } from "./demoTasks.ts"
import { makeDemoFolder } from "./demoFolder.ts"
import { demoReport, readRuns } from "./demoReport.ts"
import { plainScreen, terminalScreen } from "./demoScreen.ts"
import { startEmbedded } from "../embeddedServer.ts"
import { endAgents } from "../endAgents.ts"
import { exitCodes, ExitWith } from "../exits.ts"
import { layerPorts, tinytaskOptions } from "../layers.ts"
import { layerLogging } from "../output/logging.ts"
import { print } from "../output/print.ts"
import { daemon } from "../scheduling/daemon.ts"
import { fixedConfiguration } from "../scheduling/liveConfiguration.ts"
import { configurationOf } from "../settings/Configuration.ts"
import { loadSettings } from "../settings/loadSettings.ts"

/** More than the demo ever took; past it something is wrong, and it says so instead of running on. */
const longestMs = 120_000

/** Nothing is open, and nothing of ours is left. */
const isOver = (report: PassReport): boolean => {
  const last = report.rounds.at(-1)
  return (
    last !== undefined &&
    last.observed.tinytask._tag === "Read" &&
    last.observed.tinytask.tasks.length === 0 &&
    last.observed.records.every(({ claims, lease }) => lease._tag === "Missing" && claims.length === 0)
  )
}

/** The configuration of a demo in its folder. */
export const demoConfiguration = Effect.fnUntraced(function* (path: string, goose: string, url: string) {
  const loaded = yield* loadSettings({
    flags: {
      texts: new Map([
        ["base-path", path],
        ["goose-bin", goose],
        ["mcp-endpoint", url],
        ["heartbeat", "2"],
        ["log-level", "WARN"]
      ]),
      agentLimitPairs: [],
      envFile: null
    },
    environment: {},
    workingDirectory: path
  })
  return yield* configurationOf(loaded, path)
})

const inFolder = Effect.fn("demo")(function* (path: string) {
  const folder = makeDemoFolder(path)
  const server = yield* startEmbedded({ databasePath: join(path, "tinytask.db"), port: 0 })
  const config = yield* demoConfiguration(path, folder.goose, server.url)
  return yield* Effect.gen(function* () {
    const numbers = yield* addDemoTasks
    const titles = new Map([...numbers].map(([title, id]) => [id as number, title]))
    yield* print(
      `${numbers.size} tasks in dev, qa and product; 5 agents; Tinytask at ${server.url}; files in ${path}\n`
    )
    const screen = process.stdout.isTTY ? terminalScreen(titles, numbers.size) : plainScreen(titles)
    yield* daemon({
      live: fixedConfiguration(config),
      intervalMs: 500,
      narrator: screen,
      onPass: (report) => Effect.succeed(isOver(report))
    }).pipe(
      Effect.provide(layerPorts(config, "writes")),
      Effect.onExit(() => endAgents(config.paths)),
      Effect.timeoutOrElse({ duration: longestMs, orElse: () => Effect.void })
    )
    yield* screen.close
    const tinytask = yield* Tinytask
    return demoReport(readRuns(folder.record), yield* tinytask.listAll)
  }).pipe(
    Effect.provide([layerTinytask(tinytaskOptions(config.settings)), layerLogging(() => config.settings, config.paths)])
  )
})

/** Runs the demo in a fresh folder; fails with exit code 1 when a promise was broken. */
export const runDemo = Effect.fn("cli.demo")(function* (keep: boolean) {
  const path = yield* Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "tinyscheduler-demo-"))),
    (made) =>
      Effect.sync(() => {
        if (!keep) rmSync(made, { recursive: true, force: true })
      })
  )
  const { lines, ok } = yield* inFolder(path)
  yield* print(["", ...lines, ...(keep ? ["", `The folder is ${path}`] : [])].join("\n"))
  if (!ok) return yield* Effect.fail(new ExitWith(exitCodes.passHadErrors))
}, Effect.scoped)
