/**
 * Settings from flags, process environment, .env and defaults, in this order of precedence; each value with where it
 * came from. All faults are told at once.
 */
import { resolve } from "node:path"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import { readDotEnv } from "@tinyscheduler/adapters-fs/DotEnv"
import { ConfigurationError } from "./ConfigurationError.ts"
import { agentVariables, prefix, settingKeys, settingTable, unusedVariables } from "./settingTable.ts"
import type { Setting, SettingKey, Settings } from "./settingTable.ts"
import { agentCountPair } from "./values.ts"
import type { Counts } from "./values.ts"

export type Origin = "flag" | "environment" | "env file" | "default"

/** What a person typed before or after the subcommand. */
export interface SettingFlags {
  /** By setting key; absent = not given. */
  readonly texts: Readonly<Partial<Record<SettingKey, string>>>
  /** `--agent-limit a=1`, repeated. */
  readonly agentLimitPairs: ReadonlyArray<string>
  readonly envFile: string | null
}

export interface SettingSources {
  readonly flags: SettingFlags
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly workingDirectory: string
}

export interface LoadedSettings {
  readonly settings: Settings
  readonly origins: Readonly<Record<SettingKey, { readonly origin: Origin; readonly detail: string }>>
  readonly notices: ReadonlyArray<string>
}

interface Found {
  readonly text: string
  readonly origin: Origin
  readonly detail: string
}

const envFileOf = Effect.fnUntraced(function* ({ flags, workingDirectory }: SettingSources) {
  const path = resolve(workingDirectory, flags.envFile ?? ".env")
  const none: ReadonlyMap<string, string> = new Map()
  const variables = yield* readDotEnv(path).pipe(
    Effect.catchTag("DotEnvMissing", () =>
      flags.envFile === null
        ? Effect.succeed(none)
        : Effect.fail(new ConfigurationError({ faults: [`--env-file ${flags.envFile}: there is no such file`] }))
    ),
    Effect.catchTag("DotEnvUnreadable", (error) => Effect.fail(new ConfigurationError({ faults: [error.message] })))
  )
  return { path, variables }
})

const find = (
  key: SettingKey,
  setting: Setting<unknown>,
  sources: SettingSources,
  envFile: { readonly path: string; readonly variables: ReadonlyMap<string, string> }
): Found | null => {
  const name = `${prefix}${setting.variable}`
  const flag = sources.flags.texts[key]
  if (flag !== undefined) return { text: flag, origin: "flag", detail: `--${setting.flag}` }
  // An empty variable counts as not set, as systemd and shells leave them behind.
  const inherited = sources.environment[name]
  if (inherited !== undefined && inherited !== "") return { text: inherited, origin: "environment", detail: name }
  const filed = envFile.variables.get(name)
  if (filed !== undefined && filed !== "")
    return { text: filed, origin: "env file", detail: `${name} in ${envFile.path}` }
  return Option.match(setting.standard, {
    onNone: () => null,
    onSome: (text) => ({ text, origin: "default", detail: "" })
  })
}

const faultOf = (setting: Setting<unknown>, found: Found, problem: string): string => {
  const name = `${prefix}${setting.variable}`
  const where = found.origin === "flag" ? `${found.detail} (${name})` : found.detail === "" ? name : found.detail
  return `${where}: ${setting.kind === "secret" ? "its value can't be used" : problem}`
}

/** Variables with our prefix that are no setting: most often a misspelt one. */
const strangers = (
  environment: SettingSources["environment"],
  filed: ReadonlyMap<string, string>
): ReadonlyArray<string> => {
  const known = new Set([
    ...settingKeys.map((key) => settingTable[key].variable),
    ...unusedVariables,
    ...agentVariables
  ])
  return [...new Set([...Object.keys(environment), ...filed.keys()])]
    .filter((name) => name.startsWith(prefix) && !known.has(name.slice(prefix.length)))
    .sort()
}

const pairsOf = (pairs: ReadonlyArray<string>, faults: Array<string>): Counts => {
  const counts = new Map<string, number>()
  for (const pair of pairs) {
    const read = agentCountPair(pair)
    if (Result.isFailure(read)) faults.push(`--agent-limit: ${read.failure.replace(/^entry 1 /, "")}`)
    else for (const [name, count] of read.success) counts.set(name, count)
  }
  return counts
}

export const loadSettings = Effect.fn("loadSettings")(function* (sources: SettingSources) {
  const envFile = yield* envFileOf(sources)
  const faults: Array<string> = []
  const values: Partial<Record<SettingKey, unknown>> = {}
  const origins: Partial<Record<SettingKey, { readonly origin: Origin; readonly detail: string }>> = {}
  for (const key of settingKeys) {
    const setting: Setting<unknown> = settingTable[key]
    const found = find(key, setting, sources, envFile)
    origins[key] = found ?? { origin: "default", detail: "" }
    const read = found === null ? Result.succeed(null) : setting.read(found.text)
    if (Result.isSuccess(read)) values[key] = read.success
    else if (found !== null) faults.push(faultOf(setting, found, read.failure))
  }
  const pairs = pairsOf(sources.flags.agentLimitPairs, faults)
  if (faults.length > 0) return yield* new ConfigurationError({ faults })
  const settings = asSettings(values)
  const merged: Settings =
    pairs.size === 0 ? settings : { ...settings, agentLimits: new Map([...settings.agentLimits, ...pairs]) }
  if (pairs.size > 0) origins.agentLimits = { origin: "flag", detail: "--agent-limit" }
  const notices = [
    ...unusedVariables
      .filter((name) => sources.environment[prefix + name] !== undefined || envFile.variables.has(prefix + name))
      .map((name) => `${prefix}${name} is accepted for compatibility and not used`),
    ...strangers(sources.environment, envFile.variables).map((name) => `${name} is no setting of this version`)
  ]
  return { settings: merged, origins: asOrigins(origins), notices } satisfies LoadedSettings
})

/** The loop above has read every key with its own reader; the type can't follow it that far. */
const asSettings = (values: Partial<Record<SettingKey, unknown>>): Settings => values as Settings
const asOrigins = (origins: Partial<LoadedSettings["origins"]>): LoadedSettings["origins"] =>
  origins as LoadedSettings["origins"]
