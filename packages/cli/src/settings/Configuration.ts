/**
 * The whole configuration of a command: settings, the control file, and what both amount to: the desired state for
 * reconcile, and how each agent is launched.
 */
import { lstatSync } from "node:fs"
import { isAbsolute, relative, resolve } from "node:path"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { readAgentControl } from "@tinyscheduler/adapters-fs/AgentControl"
import type { AgentControl } from "@tinyscheduler/adapters-fs/AgentControl"
import type { AgentEntry } from "@tinyscheduler/adapters-fs/agentEntry"
import { codeOf } from "@tinyscheduler/adapters-fs/errno"
import { oneLine, quoted } from "@tinyscheduler/adapters-fs/oneLine"
import { resolveStatePaths } from "@tinyscheduler/adapters-fs/StatePaths"
import type { StatePaths } from "@tinyscheduler/adapters-fs/StatePaths"
import type { AgentLaunch } from "@tinyscheduler/core/domain/AgentLaunch"
import { policyDefaults } from "@tinyscheduler/core/domain/DesiredState"
import type { Agent, DesiredState, Policy } from "@tinyscheduler/core/domain/DesiredState"
import { AgentName, QueueName } from "@tinyscheduler/core/domain/identifiers"
import { ConfigurationError } from "./ConfigurationError.ts"
import { label } from "./loadSettings.ts"
import type { LoadedSettings } from "./loadSettings.ts"
import { settingTable } from "./settingTable.ts"
import type { Settings } from "./settingTable.ts"

export interface Configuration extends LoadedSettings {
  readonly paths: StatePaths
  readonly recipesDir: string
  readonly temporaryDir: string
  /** Null = there is none: legacy mode. */
  readonly controlFile: string | null
  readonly desired: DesiredState
  readonly launchOf: (agentName: string) => AgentLaunch | null
  readonly slotsOrigin: (agentName: string) => SlotsOrigin
  readonly warnings: ReadonlyArray<string>
}

/** The files that a change of configuration would stand in, whether they are there or not. */
export const configurationFiles = ({ envFile, paths, settings }: Configuration): ReadonlyArray<string> => [
  envFile,
  ...(settings.agentControlFile === null ? controlCandidates : [settings.agentControlFile]).map((path) =>
    under(paths.base, path)
  )
]

const controlCandidates = ["agent-control.json", "docs/technical/agent-control.json"]

const under = (base: string, path: string): string => (isAbsolute(path) ? path : resolve(base, path))

/** Whether anything stands there; a link that leads nowhere does, and so does what may not be looked at. */
const stands = (path: string): boolean =>
  Result.match(
    Result.try(() => lstatSync(path, { throwIfNoEntry: false })),
    { onFailure: (error) => codeOf(error) !== "ENOTDIR", onSuccess: (stat) => stat !== undefined }
  )

/** The control file: the configured one must be there; the conventional ones may be absent. */
export const findControlFile = (settings: Settings, base: string) => {
  if (settings.agentControlFile !== null) return { path: under(base, settings.agentControlFile), required: true }
  return { path: controlCandidates.map((path) => under(base, path)).find(stands) ?? null, required: false }
}

/** As its writer would name it: relative to the base path where it is under it. */
const shownUnder = (base: string, path: string): string => {
  const shown = relative(base, path)
  return shown === "" || shown.startsWith("..") || isAbsolute(shown) ? path : shown
}

const readControl = Effect.fnUntraced(function* ({ origins, settings }: LoadedSettings, base: string) {
  const { path } = findControlFile(settings, base)
  if (path === null) return { path: null, control: null }
  const control = yield* readAgentControl(path, shownUnder(base, path)).pipe(
    Effect.catchTag("AgentControlInvalid", (error) =>
      Effect.fail(new ConfigurationError({ faults: error.faults, files: [path] }))
    )
  )
  if (control === null) {
    return yield* new ConfigurationError({
      faults: [`${label(settingTable.agentControlFile, origins.agentControlFile)}: there is no ${oneLine(path)}`],
      files: [path]
    })
  }
  return { path, control }
})

/** Where the number of an agent's slots comes from. */
export type SlotsOrigin = "entry" | "AGENT_LIMITS" | "DEFAULT_SLOTS"

const slotsOriginOf = (control: AgentControl | null, settings: Settings): ((agentName: string) => SlotsOrigin) => {
  const entries = new Set<string>((control?.entries ?? []).flatMap(({ name, slots }) => (slots === null ? [] : [name])))
  return (agentName) => {
    if (entries.has(agentName)) return "entry"
    return settings.agentLimits.has(agentName) ? "AGENT_LIMITS" : "DEFAULT_SLOTS"
  }
}

/** 0 in an entry = none for this agent, whatever the setting says. */
const idleTimeoutOf = (seconds: number | null): Pick<Agent, "idleTimeoutSec"> =>
  seconds === null || seconds === 0 ? {} : { idleTimeoutSec: seconds }

const agentOf = (entry: AgentEntry, settings: Settings): Agent => ({
  name: entry.name,
  queues: entry.queues,
  slots: entry.slots ?? settings.agentLimits.get(entry.name) ?? settings.defaultSlots,
  enabled: entry.enabled,
  recipe: entry.recipe ?? (entry.command === null ? `${entry.name}.yaml` : null),
  success: entry.success ?? (entry.command === null ? "tinytask" : "exit"),
  maxRuntimeSec: entry.maxRuntimeSec ?? settings.maxRuntimeSec,
  ...idleTimeoutOf(entry.idleTimeoutSec ?? settings.idleTimeoutSec),
  stopGraceSec: entry.stopGraceSec ?? settings.stopGraceSec,
  stopSignal: entry.stopSignal ?? "SIGINT",
  ...(entry.isolation === "cgroup" ? { isolation: entry.isolation } : {})
})

/** Without a control file the agents are those of AGENT_LIMITS, and take what is assigned to them. */
const legacyAgents = (settings: Settings): ReadonlyArray<Agent> =>
  [...settings.agentLimits].map(([name, slots]) => ({
    name: AgentName.make(name),
    queues: [],
    slots,
    enabled: true,
    recipe: `${name}.yaml`,
    success: "tinytask",
    maxRuntimeSec: settings.maxRuntimeSec,
    ...idleTimeoutOf(settings.idleTimeoutSec),
    stopGraceSec: settings.stopGraceSec,
    stopSignal: "SIGINT"
  }))

const policyOf = (settings: Settings): Policy => ({
  ...policyDefaults,
  order: settings.order,
  parents: settings.parents,
  disableBlocking: settings.disableBlocking,
  starts: settings.enabled ? "on" : "disabled",
  heartbeatSec: settings.heartbeatSec,
  unknownLostSec: settings.unknownLostSec,
  stopGraceSec: settings.stopGraceSec,
  maxAttempts: settings.maxAttempts,
  maxLost: settings.maxLost,
  backoffBaseSec: settings.backoffBaseSec,
  backoffMaxSec: settings.backoffMaxSec
})

const warningsOf = (control: AgentControl | null, settings: Settings): ReadonlyArray<string> => {
  if (control === null) {
    return settings.agentLimits.size === 0
      ? ["there is no agent-control.json and TINYSCHEDULER_AGENT_LIMITS names no agent: nothing can start"]
      : []
  }
  const names = new Set<string>(control.entries.map(({ name }) => name))
  const served = new Set<string>(control.entries.flatMap(({ queues }) => queues))
  return [
    ...control.warnings,
    ...[...settings.agentLimits.keys()]
      .filter((name) => !names.has(name))
      .map((name) => `TINYSCHEDULER_AGENT_LIMITS names ${name}, which the control file does not have`),
    ...[...settings.queueLimits.keys()]
      .filter((queue) => !served.has(queue))
      .map((queue) => `TINYSCHEDULER_QUEUE_LIMITS names ${quoted(queue)}, a queue that no agent serves`)
  ]
}

const launchesOf = (
  control: AgentControl | null,
  settings: Settings,
  base: string
): ((agentName: string) => AgentLaunch | null) => {
  const entries = new Map((control?.entries ?? []).map((entry) => [entry.name as string, entry]))
  // Without a slash it is looked up on PATH; a path holds wherever the agent runs.
  const gooseBin = settings.gooseBin.includes("/") ? under(base, settings.gooseBin) : settings.gooseBin
  const common = { gooseBin, recipesDirectory: under(base, settings.recipesDir) }
  return (agentName) => {
    const entry = entries.get(agentName)
    if (entry !== undefined) {
      const { command, cwd, env, prompt } = entry
      return { ...common, command, prompt, cwd: under(base, cwd ?? "."), env }
    }
    return control === null && settings.agentLimits.has(agentName)
      ? { ...common, command: null, prompt: null, cwd: base, env: {} }
      : null
  }
}

/** Everything a command needs to know before it begins; a fault in it is the user's, with exit code 2. */
export const configurationOf = Effect.fn("configurationOf")(function* (
  loaded: LoadedSettings,
  workingDirectory: string
) {
  const base = resolve(workingDirectory, loaded.settings.basePath)
  return assemble(loaded, base, yield* readControl(loaded, base))
})

/** The same of a control file that is known already; null = there is none. */
export const assemble = (
  loaded: LoadedSettings,
  base: string,
  { control, path }: { readonly control: AgentControl | null; readonly path: string | null }
): Configuration => {
  const { settings } = loaded
  const paths = resolveStatePaths({
    basePath: base,
    runningDir: settings.runningDir,
    lockFile: settings.lockFile,
    logDir: settings.logDir
  })
  const desired: DesiredState = {
    mode: control === null ? "legacy" : "queues",
    endpoint: settings.mcpEndpoint,
    agents: control === null ? legacyAgents(settings) : control.entries.map((entry) => agentOf(entry, settings)),
    queueLimits: [...settings.queueLimits].map(([queue, limit]) => ({ queue: QueueName.make(queue), limit })),
    maxConcurrent: settings.maxConcurrent,
    policy: policyOf(settings)
  }
  return {
    ...loaded,
    paths,
    recipesDir: under(base, settings.recipesDir),
    temporaryDir: resolve(paths.state, "tmp"),
    controlFile: path,
    desired,
    launchOf: launchesOf(control, settings, base),
    slotsOrigin: slotsOriginOf(control, settings),
    warnings: warningsOf(control, settings)
  }
}
