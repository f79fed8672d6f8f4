/**
 * The configuration of a running daemon: read anew before each pass. A broken one keeps the last good one, and so does
 * one that changes what a process can't change while it lives.
 */
import { existsSync } from "node:fs"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { Configuration } from "../settings/Configuration.ts"
import type { ConfigurationError } from "../settings/ConfigurationError.ts"
import { prefix, settingKeys, settingTable } from "../settings/settingTable.ts"
import type { SettingKey } from "../settings/settingTable.ts"

/** What came of reading the configuration once more. */
export type Reload =
  | { readonly _tag: "Same" }
  | { readonly _tag: "Taken"; readonly changes: ReadonlyArray<string> }
  /** `files`: where it may be mended, beside the files of the last good one. */
  | { readonly _tag: "Refused"; readonly faults: ReadonlyArray<string>; readonly files: ReadonlyArray<string> }

export interface LiveConfiguration {
  /** The last good one. */
  readonly current: () => Configuration
  readonly reload: Effect.Effect<Reload>
}

const same: Reload = { _tag: "Same" }

/** For commands that make one pass, or that bring a configuration of their own. */
export const fixedConfiguration = (configuration: Configuration): LiveConfiguration => ({
  current: () => configuration,
  reload: Effect.succeed(same)
})

const textOf = (value: unknown): string => JSON.stringify(value instanceof Map ? [...value] : value)

const nameOf = (key: SettingKey): string => prefix + settingTable[key].variable

const changedKeys = (from: Configuration, to: Configuration): ReadonlyArray<SettingKey> =>
  settingKeys.filter((key) => textOf(from.settings[key]) !== textOf(to.settings[key]))

/** Everything that is decided or launched by an agent's entry, by name. */
const agentTexts = (configuration: Configuration): ReadonlyMap<string, string> =>
  new Map(
    configuration.desired.agents.map((agent) => [agent.name, textOf([agent, configuration.launchOf(agent.name)])])
  )

const agentChanges = (from: Configuration, to: Configuration): ReadonlyArray<string> => {
  const [before, after] = [agentTexts(from), agentTexts(to)]
  const names = (what: string, list: ReadonlyArray<string>): ReadonlyArray<string> =>
    list.length === 0
      ? []
      : [`${what} ${list.slice(0, 12).join(", ")}${list.length > 12 ? ` and ${list.length - 12} more` : ""}`]
  return [
    ...names(
      "new agents",
      [...after.keys()].filter((name) => !before.has(name))
    ),
    ...names(
      "agents gone",
      [...before.keys()].filter((name) => !after.has(name))
    ),
    ...names(
      "agents changed",
      [...after].flatMap(([name, text]) => (before.has(name) && before.get(name) !== text ? [name] : []))
    )
  ]
}

const settingChange = (key: SettingKey, from: Configuration, to: Configuration): string =>
  settingTable[key].kind === "secret"
    ? `${nameOf(key)} is another`
    : `${nameOf(key)} ${textOf(from.settings[key])} -> ${textOf(to.settings[key])}`

const usesEnvFile = ({ origins }: Configuration): boolean =>
  settingKeys.some((key) => origins[key].origin === "env file")

const refusalOf = (from: Configuration, to: Configuration): ReadonlyArray<string> => [
  ...changedKeys(from, to)
    .filter((key) => settingTable[key].fixed)
    .map((key) => `${nameOf(key)} can't change while the scheduler runs; restart it to take the new value`),
  ...(usesEnvFile(from) && !existsSync(to.envFile)
    ? [`${to.envFile} is gone; put it back, or restart the scheduler to run without it`]
    : []),
  ...(from.controlFile !== null && to.controlFile === null
    ? [`${from.controlFile} is gone; put it back, or restart the scheduler to run without agent pools`]
    : [])
]

/** Every `load` reads flags, environment, .env and control file as at the start; it fails with one sentence per fault. */
export const liveConfiguration = (
  initial: Configuration,
  load: Effect.Effect<Configuration, ConfigurationError>
): LiveConfiguration => {
  let current = initial
  const reload = Effect.map(Effect.result(load), (loaded): Reload => {
    if (Result.isFailure(loaded)) {
      const { faults, files } = loaded.failure
      return { _tag: "Refused", faults, files: files ?? [] }
    }
    const next = loaded.success
    const faults = refusalOf(current, next)
    if (faults.length > 0) return { _tag: "Refused", faults, files: [] }
    const changes = [
      ...changedKeys(current, next).map((key) => settingChange(key, current, next)),
      ...agentChanges(current, next)
    ]
    current = next
    return changes.length === 0 ? same : { _tag: "Taken", changes }
  })
  return { current: () => current, reload }
}
