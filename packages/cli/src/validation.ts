/** The checks of `validate-config`: each looks at one thing and says in one line whether the scheduler can work with it. */
import { accessSync, constants, statSync } from "node:fs"
import { delimiter, join } from "node:path"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { recipeSight } from "@tinyscheduler/adapters-process/recipeSight"
import { thisMachine } from "@tinyscheduler/adapters-process/thisMachine"
import { Tinytask } from "@tinyscheduler/adapters-tinytask/TinytaskClient"
import { stateDirectories } from "./stateDirectories.ts"
import type { Configuration } from "./settings/Configuration.ts"

export interface Check {
  readonly level: "ok" | "warning" | "error"
  readonly what: string
  readonly says: string
}

const check = (level: Check["level"], what: string, says: string): Check => ({ level, what, says })

const directoryCheck = (path: string): Check => {
  const found = Result.try(() => statSync(path, { throwIfNoEntry: false }))
  if (Result.isFailure(found)) return check("error", path, "can't be looked at by this user")
  const stat = found.success
  if (stat === undefined) return check("warning", path, "is not there yet; the first pass makes it, or --fix does")
  if (!stat.isDirectory()) return check("error", path, "is no directory")
  if ((stat.mode & 0o077) !== 0)
    return check("warning", path, `is open to others (mode ${(stat.mode & 0o777).toString(8)}); chmod 700 it`)
  return isAllowed(path, constants.W_OK | constants.X_OK)
    ? check("ok", path, "is there, and ours alone")
    : check("error", path, "can't be written by this user")
}

const isAllowed = (path: string, mode: number): boolean => Result.isSuccess(Result.try(() => accessSync(path, mode)))

/** Where a program would be found, as execvp looks for it. */
const findProgram = (name: string): string | null => {
  if (name.includes("/")) return isAllowed(name, constants.X_OK) ? name : null
  const places = (process.env["PATH"] ?? "").split(delimiter).filter((place) => place !== "")
  return places.map((place) => join(place, name)).find((path) => isAllowed(path, constants.X_OK)) ?? null
}

const programChecks = (config: Configuration): ReadonlyArray<Check> => {
  const programs = new Set(
    config.desired.agents.flatMap((agent) => {
      const launch = config.launchOf(agent.name)
      return launch === null ? [] : [launch.command?.[0] ?? launch.gooseBin]
    })
  )
  return [...programs].map((program) => {
    const path = findProgram(program)
    return path === null
      ? check("error", program, "is not on PATH or not executable; install it, or set TINYSCHEDULER_GOOSE_BIN")
      : check("ok", program, `is ${path}`)
  })
}

const recipeChecks = (config: Configuration): ReadonlyArray<Check> =>
  config.desired.agents.flatMap((agent) => {
    if (agent.recipe === null) return []
    const sight = recipeSight(config.recipesDir, agent.recipe)
    switch (sight.state) {
      case "present":
        return [check("ok", `recipe of ${agent.name}`, `is ${sight.path}`)]
      case "missing":
        return [check("error", `recipe of ${agent.name}`, `is not there: ${sight.path}`)]
      case "outside":
        return [check("error", `recipe of ${agent.name}`, `leads out of the recipes directory: ${sight.path}`)]
    }
  })

const agentChecks = (config: Configuration): ReadonlyArray<Check> => [
  config.controlFile === null
    ? check("warning", "agent-control.json", "is not there: legacy mode, assigned tasks only")
    : check("ok", "agent-control.json", `is ${config.controlFile}, ${config.desired.agents.length} agents`),
  ...config.warnings.map((warning) => check("warning", "agents", warning))
]

const machineChecks = (): ReadonlyArray<Check> => {
  const identity = Result.try(() => thisMachine.identify())
  const flock = process.platform === "linux" && findProgram("flock") === null
  return [
    Result.isSuccess(identity)
      ? check("ok", "this machine", "can be identified, and its processes too")
      : check("error", "this machine", String(identity.failure)),
    ...(flock ? [check("error", "flock", "is not on PATH; install util-linux")] : [])
  ]
}

const tinytaskCheck = (config: Configuration) =>
  Effect.gen(function* () {
    const tinytask = yield* Tinytask
    const probed = yield* Effect.result(tinytask.probe)
    if (Result.isFailure(probed)) return check("error", "Tinytask", probed.failure.message)
    const { name, toolsMissing, transport, version } = probed.success
    return toolsMissing.length === 0
      ? check("ok", "Tinytask", `${name} ${version} answers at ${config.settings.mcpEndpoint} (${transport})`)
      : check("error", "Tinytask", `lacks the tools ${toolsMissing.join(", ")}`)
  })

/** All checks, in the order in which a person would mend things. */
export const validate = Effect.fn("validate")(function* (config: Configuration) {
  return [
    check("ok", "settings", "can all be read"),
    ...config.notices.map((notice) => check("warning", "settings", notice)),
    ...machineChecks(),
    ...stateDirectories(config).map(directoryCheck),
    ...agentChecks(config),
    ...recipeChecks(config),
    ...programChecks(config),
    yield* tinytaskCheck(config)
  ] satisfies ReadonlyArray<Check>
})
