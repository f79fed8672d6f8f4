/**
 * The programs of agents: where execvp would find them, and the version of those we know. No other program is run: what
 * an unknown command does when it is asked for its version nobody can say.
 */
import { statSync } from "node:fs"
import { basename } from "node:path"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { questionEnvironment } from "@tinyscheduler/adapters-process/environment"
import { findBinary } from "@tinyscheduler/adapters-process/findBinary"
import { askVersion } from "@tinyscheduler/adapters-process/programVersion"
import type { VersionAnswer } from "@tinyscheduler/adapters-process/programVersion"
import type { Agent } from "@tinyscheduler/core/domain/DesiredState"
import type { AgentLaunch } from "@tinyscheduler/core/domain/AgentLaunch"
import type { Configuration } from "../settings/Configuration.ts"
import { checksOf } from "./Check.ts"
import type { Check } from "./Check.ts"

const { error, ok, warning } = checksOf("programs")

/** Programs that answer `--version` and do nothing else. */
const answering: ReadonlySet<string> = new Set(["goose", "claude", "codex", "gemini", "opencode"])

/** The first Goose whose headless runs are what the launcher expects. */
const gooseMin = [1, 37] as const

/** Goose and its like answer in less than one. */
const versionWaitMs = 5000

/** What an agent is started as, and all agents that are started so. */
interface Program {
  readonly name: string
  readonly launch: AgentLaunch
  readonly environment: Readonly<Record<string, string>>
  readonly agents: ReadonlyArray<Agent>
}

const programsOf = (config: Configuration): ReadonlyArray<Program> => {
  const programs = new Map<string, Program>()
  for (const agent of config.desired.agents) {
    const launch = config.launchOf(agent.name)
    if (launch === null) continue
    const name = launch.command?.[0] ?? launch.gooseBin
    const environment = questionEnvironment(process.env, launch.env)
    const key = JSON.stringify([name, environment["PATH"], name.includes("/") ? launch.cwd : null])
    const agents = [...(programs.get(key)?.agents ?? []), agent]
    programs.set(key, { ...(programs.get(key) ?? { name, launch, environment }), agents })
  }
  return [...programs.values()]
}

const isOld = ([major, minor]: readonly [number, number, number]): boolean =>
  major < gooseMin[0] || (major === gooseMin[0] && minor < gooseMin[1])

/** What a version says about a program; Goose alone has a least one. */
export const judgeVersion = (program: string, path: string, answer: VersionAnswer): Check => {
  if (answer._tag === "Untold") {
    return warning(program, `is ${path}, and ${answer.why} when asked for its version`, `run ${path} --version by hand`)
  }
  return basename(path) === "goose" && isOld(answer.numbers)
    ? warning(
        program,
        `is ${path}, version ${answer.text}; runs that nobody watches need ${gooseMin.join(".")} or newer`,
        "goose update"
      )
    : ok(program, `is ${path}, version ${answer.text}`)
}

const programCheck = Effect.fnUntraced(function* ({ agents, environment, launch, name }: Program) {
  const found = findBinary(name, launch.cwd, environment["PATH"] ?? "")
  if (found._tag === "Absent") {
    const say = agents.some(({ enabled }) => enabled) ? error : warning
    const who = agents.map((agent) => agent.name).join(", ")
    const todo =
      launch.command === null ? "install it, or set TINYSCHEDULER_GOOSE_BIN" : "install it, or correct command"
    return say(name, `${found.problem}; ${who} can't start`, todo)
  }
  if (!answering.has(basename(found.path))) return ok(name, `is ${found.path}`)
  const answer = yield* askVersion({ program: found.path, cwd: "/", environment, waitMs: versionWaitMs })
  return judgeVersion(name, found.path, answer)
})

const isDirectory = (path: string): boolean =>
  Result.getOrElse(
    Result.try(() => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true),
    () => false
  )

/** Agents that would be started in a directory that is not there. */
const placeChecks = (config: Configuration): ReadonlyArray<Check> =>
  config.desired.agents.flatMap((agent) => {
    const cwd = config.launchOf(agent.name)?.cwd
    if (cwd === undefined || cwd === config.paths.base || isDirectory(cwd)) return []
    const say = agent.enabled ? error : warning
    return [say(`cwd of ${agent.name}`, `${cwd} is no directory`, "make it, or correct cwd in the entry")]
  })

export const programChecks = Effect.fn("programChecks")(function* (config: Configuration) {
  const checks = yield* Effect.forEach(programsOf(config), programCheck, { concurrency: 4 })
  return [...placeChecks(config), ...checks] satisfies ReadonlyArray<Check>
})
