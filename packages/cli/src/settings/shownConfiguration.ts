/**
 * A configuration as `config --show` tells it, and as programs may rely on it (`version: 1`): settings with their origins,
 * the paths they lead to, the agents as they will be used, and what is wrong. No secret is in it: tokens are redacted, of an
 * agent's variables there are only names, and of its command only the program.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { AgentName } from "@tinyscheduler/core/domain/identifiers"
import type { Agent } from "@tinyscheduler/core/domain/DesiredState"
import { assemble, configurationOf, findControlFile } from "./Configuration.ts"
import type { Configuration, SlotsOrigin } from "./Configuration.ts"
import type { LoadedSettings, ValueSource } from "./loadSettings.ts"
import { basePathOf, placeFaults } from "./places.ts"
import { nameOf, settingGroups, settingTable } from "./settingTable.ts"
import type { SettingKey } from "./settingTable.ts"

export interface ShownSetting extends ValueSource {
  readonly variable: string
  readonly flag: string
  readonly group: string
  /** A text, number, truth, object of numbers by name, or null; "(set, not shown)" for a secret. */
  readonly value: unknown
  /** The text of its default; empty = it has none. */
  readonly standard: string
  /** Whether a running daemon refuses to change it. */
  readonly fixed: boolean
}

export interface ShownAgent {
  readonly name: AgentName
  readonly queues: ReadonlyArray<string>
  readonly slots: number
  readonly slotsFrom: SlotsOrigin
  readonly enabled: boolean
  /** What is executed: Goose, or the first item of the entry's command. */
  readonly program: string
  /** In the recipes directory; null for a command of its own. */
  readonly recipe: string | null
  readonly cwd: string
  /** Names of the variables that its entry sets. */
  readonly env: ReadonlyArray<string>
  readonly success: Agent["success"]
  readonly maxRuntimeSec: number
  readonly stopSignal: Agent["stopSignal"]
  readonly stopGraceSec: number
}

export interface ShownConfiguration {
  readonly version: 1
  /** Null while the control file can't be used. */
  readonly mode: "queues" | "legacy" | null
  readonly settings: ReadonlyArray<ShownSetting>
  /** Absolute. */
  readonly paths: {
    readonly base: string
    readonly state: string
    readonly running: string
    readonly logs: string
    readonly recipes: string
    readonly lock: string
    /** Null = there is none. */
    readonly controlFile: string | null
    /** The file that was read, or would have been. */
    readonly envFile: string
  }
  readonly agents: ReadonlyArray<ShownAgent>
  /** About variables and files of variables. */
  readonly notices: ReadonlyArray<string>
  /** About agents. */
  readonly warnings: ReadonlyArray<string>
  /** Why nothing can run with it; empty when everything is well. */
  readonly faults: ReadonlyArray<string>
}

const shownValue = (key: SettingKey, { settings }: LoadedSettings): unknown => {
  const value: unknown = settings[key]
  if (settingTable[key].kind === "secret") return value === null ? null : "(set, not shown)"
  return value instanceof Map ? Object.fromEntries(value) : value
}

const shownSettings = (loaded: LoadedSettings): ReadonlyArray<ShownSetting> =>
  settingGroups.flatMap(({ keys, title }) =>
    keys.map((key) => ({
      variable: nameOf(settingTable[key]),
      flag: `--${settingTable[key].flag}`,
      group: title,
      value: shownValue(key, loaded),
      standard: Option.getOrElse(settingTable[key].standard, () => ""),
      ...loaded.origins[key],
      fixed: settingTable[key].fixed
    }))
  )

const shownAgents = ({ desired, launchOf, slotsOrigin }: Configuration): ReadonlyArray<ShownAgent> =>
  desired.agents.flatMap((agent) => {
    const launch = launchOf(agent.name)
    if (launch === null) return []
    return [
      {
        name: agent.name,
        queues: agent.queues,
        slots: agent.slots,
        slotsFrom: slotsOrigin(agent.name),
        enabled: agent.enabled,
        program: launch.command?.[0] ?? launch.gooseBin,
        recipe: agent.recipe,
        cwd: launch.cwd,
        env: Object.keys(launch.env),
        success: agent.success,
        maxRuntimeSec: agent.maxRuntimeSec,
        stopSignal: agent.stopSignal,
        stopGraceSec: agent.stopGraceSec
      }
    ]
  })

/** Everything that can be said of a configuration, whatever is wrong with its files. */
export const showConfiguration = Effect.fn("showConfiguration")(function* (
  loaded: LoadedSettings,
  workingDirectory: string
) {
  const base = basePathOf(loaded, workingDirectory)
  const bare = assemble(loaded, base, { control: null, path: findControlFile(loaded.settings, base).path })
  const { config, faults } = yield* configurationOf(loaded, workingDirectory).pipe(
    Effect.map((whole) => ({ config: whole, faults: [] })),
    Effect.catchTag("ConfigurationError", (error) => Effect.succeed({ config: null, faults: error.faults }))
  )
  const { controlFile, paths, recipesDir } = config ?? bare
  const shown: ShownConfiguration = {
    version: 1,
    mode: config?.desired.mode ?? null,
    settings: shownSettings(loaded),
    paths: {
      base: paths.base,
      state: paths.state,
      running: paths.running,
      logs: paths.logs,
      recipes: recipesDir,
      lock: paths.lock,
      controlFile,
      envFile: loaded.envFile
    },
    agents: config === null ? [] : shownAgents(config),
    notices: loaded.notices,
    warnings: config?.warnings ?? [],
    faults: [...placeFaults(loaded, workingDirectory), ...faults]
  }
  return shown
})
