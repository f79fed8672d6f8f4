/**
 * Settings from flags, process environment, .env and defaults, in this order of precedence; each value with where it
 * came from. All faults are told at once.
 */
import { resolve } from "node:path"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Struct from "effect/Struct"
import { readDotEnv } from "@tinyscheduler/adapters-fs/DotEnv"
import type { DotEnv } from "@tinyscheduler/adapters-fs/DotEnv"
import { ConfigurationError } from "./ConfigurationError.ts"
import { agentVariables, prefix, settingKeys, settingTable, unusedVariables } from "./settingTable.ts"
import type { Setting, SettingKey, Settings } from "./settingTable.ts"
import { agentCountPair } from "./values.ts"
import type { Counts } from "./values.ts"

export type Origin = "flag" | "environment" | "env file" | "default"

/** What a person typed before or after the subcommand. */
export interface SettingFlags {
  /** By the setting's flag, without dashes. */
  readonly texts: ReadonlyMap<string, string>
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
  /** The .env file that was read, or would have been if it were there. */
  readonly envFile: string
}

interface Found {
  readonly text: string
  readonly origin: Origin
  readonly detail: string
}

const envFileOf = Effect.fnUntraced(function* ({ flags, workingDirectory }: SettingSources) {
  const path = resolve(workingDirectory, flags.envFile ?? ".env")
  const none: DotEnv = { variables: new Map(), notices: [] }
  const { notices, variables } = yield* readDotEnv(path).pipe(
    Effect.catchTags({
      DotEnvMissing: () =>
        flags.envFile === null
          ? Effect.succeed(none)
          : Effect.fail(new ConfigurationError({ faults: [`--env-file ${flags.envFile}: there is no such file`] })),
      DotEnvInvalid: ({ faults }) => Effect.fail(new ConfigurationError({ faults }))
    })
  )
  return { path, variables, notices }
})

interface EnvFile {
  readonly path: string
  readonly variables: ReadonlyMap<string, string>
  readonly notices: ReadonlyArray<string>
}

const find = (setting: Setting<unknown>, sources: SettingSources, envFile: EnvFile): Found | null => {
  const name = `${prefix}${setting.variable}`
  const flag = sources.flags.texts.get(setting.flag)
  if (flag !== undefined) return { text: flag, origin: "flag", detail: `--${setting.flag}` }
  // An empty variable counts as not set, as systemd and shells leave them behind.
  const inherited = sources.environment[name]
  if (inherited !== undefined && inherited !== "") return { text: inherited, origin: "environment", detail: name }
  const filed = envFile.variables.get(name)
  if (filed !== undefined && filed !== "") {
    return { text: filed, origin: "env file", detail: `${name} in ${envFile.path}` }
  }
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

/** From a setting to where its value came from, and to its value. */
interface ToOrigin extends Struct.Lambda {
  (setting: Setting<unknown>): { readonly origin: Origin; readonly detail: string }
  readonly "~lambda.out": { readonly origin: Origin; readonly detail: string }
}
interface ToValue extends Struct.Lambda {
  <A>(setting: Setting<A>): Effect.Effect<A, string>
  readonly "~lambda.out": this["~lambda.in"] extends Setting<infer A> ? Effect.Effect<A, string> : never
}

export const loadSettings = Effect.fn("loadSettings")(function* (sources: SettingSources) {
  const envFile = yield* envFileOf(sources)
  const readings = Struct.map(
    settingTable,
    Struct.lambda<ToValue>(<A>(setting: Setting<A>) => readingOf(setting, find(setting, sources, envFile)))
  )
  const results: ReadonlyArray<Result.Result<unknown, string>> = Object.values(
    yield* Effect.all(readings, { mode: "result" })
  )
  const faults = results.flatMap((result) => (Result.isFailure(result) ? [result.failure] : []))
  const pairs = pairsOf(sources.flags.agentLimitPairs, faults)
  if (faults.length > 0) return yield* new ConfigurationError({ faults })
  const settings: Settings = yield* Effect.orDie(Effect.all(readings))
  const origins = Struct.map(
    settingTable,
    Struct.lambda<ToOrigin>((setting: Setting<unknown>) => {
      const found = find(setting, sources, envFile)
      return { origin: found?.origin ?? "default", detail: found?.detail ?? "" }
    })
  )
  const notices = [
    ...envFile.notices,
    ...unusedVariables
      .filter((name) => sources.environment[prefix + name] !== undefined || envFile.variables.has(prefix + name))
      .map((name) => `${prefix}${name} is accepted for compatibility and not used`),
    ...strangers(sources.environment, envFile.variables).map((name) => `${name} is no setting of this version`)
  ]
  if (pairs.size === 0) return { settings, origins, notices, envFile: envFile.path } satisfies LoadedSettings
  return {
    settings: { ...settings, agentLimits: new Map([...settings.agentLimits, ...pairs]) },
    origins: { ...origins, agentLimits: { origin: "flag", detail: "--agent-limit" } },
    notices,
    envFile: envFile.path
  } satisfies LoadedSettings
})

/** A setting that nobody gave and that has no default is null by its own reader's type. */
const readingOf = <A>(setting: Setting<A>, found: Found | null): Effect.Effect<A, string> => {
  const read = setting.read(found === null ? null : found.text)
  return Result.isSuccess(read)
    ? Effect.succeed(read.success)
    : Effect.fail(faultOf(setting, found ?? { text: "", origin: "default", detail: "" }, read.failure))
}
