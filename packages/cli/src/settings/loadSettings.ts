/**
 * Settings from flags, process environment, .env and defaults, in this order of precedence; each value with where it
 * came from and what it stands over. All faults are told at once.
 */
import { existsSync } from "node:fs"
import { join, resolve } from "node:path"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Struct from "effect/Struct"
import { nearestName } from "@tinyscheduler/adapters-fs/didYouMean"
import { readDotEnv } from "@tinyscheduler/adapters-fs/DotEnv"
import type { DotEnv } from "@tinyscheduler/adapters-fs/DotEnv"
import { oneLine } from "@tinyscheduler/adapters-fs/oneLine"
import { parseEndpoint } from "@tinyscheduler/adapters-tinytask/Endpoint"
import { ConfigurationError } from "./ConfigurationError.ts"
import { agentCountPairs } from "./counts.ts"
import { agentVariables, nameOf, prefix, settingKeys, settingTable, unusedVariables } from "./settingTable.ts"
import type { Setting, SettingKey, Settings } from "./settingTable.ts"
import { path as pathReader } from "./values.ts"

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

export interface Source {
  readonly origin: Origin
  /** The flag, or the variable and its file; empty for a default. */
  readonly detail: string
}

export interface ValueSource extends Source {
  /** Who set it too and does not count, nearest first. */
  readonly over: ReadonlyArray<Source>
}

export interface LoadedSettings {
  readonly settings: Settings
  readonly origins: Readonly<Record<SettingKey, ValueSource>>
  readonly notices: ReadonlyArray<string>
  /** The .env file that was read, or would have been if it were there. */
  readonly envFile: string
}

interface Given extends Source {
  readonly text: string
}

interface EnvFile extends DotEnv {
  readonly path: string
  readonly there: boolean
}

const refuse = (fault: string) => Effect.fail(new ConfigurationError({ faults: [fault] }))

const readEnvFile = Effect.fnUntraced(function* ({ flags, workingDirectory }: SettingSources) {
  if (flags.envFile !== null) {
    const unfit = pathReader.read(flags.envFile)
    if (Result.isFailure(unfit)) return yield* refuse(`--env-file: ${unfit.failure}`)
  }
  // Under the working directory and not the base path, which may stand in it.
  const path = resolve(workingDirectory, flags.envFile ?? ".env")
  const read = yield* readDotEnv(path).pipe(
    Effect.map((file): EnvFile => ({ ...file, path, there: true })),
    Effect.catchTags({
      DotEnvMissing: () =>
        flags.envFile === null
          ? Effect.succeed<EnvFile>({ path, there: false, variables: new Map(), notices: [] })
          : refuse(`--env-file ${oneLine(flags.envFile)}: there is no such file`),
      DotEnvInvalid: ({ faults }) => Effect.fail(new ConfigurationError({ faults }))
    })
  )
  return read
})

/** Everybody who gives a setting, whoever counts first. A variable that is empty or blank counts as not set. */
const givenTo = (setting: Setting<unknown>, { environment, flags }: SettingSources, file: EnvFile) => {
  const name = nameOf(setting)
  const all: Array<Given> = []
  const flag = flags.texts.get(setting.flag)
  if (flag !== undefined) all.push({ text: flag, origin: "flag", detail: `--${setting.flag}` })
  const inherited = environment[name] ?? ""
  if (inherited.trim() !== "") all.push({ text: inherited, origin: "environment", detail: name })
  const filed = file.variables.get(name) ?? ""
  if (filed.trim() !== "") {
    all.push({ text: filed, origin: "env file", detail: `${name} in ${oneLine(file.path)}` })
  }
  return all
}

/** What is to be mended, by the name that its writer used. */
export const label = (setting: Setting<unknown>, { detail, origin }: Source): string => {
  if (origin === "flag") return `${detail} (${nameOf(setting)})`
  return detail === "" ? nameOf(setting) : detail
}

const faultOf = (setting: Setting<unknown>, source: Source, problem: string): string =>
  `${label(setting, source)}: ${problem}`

const unset: Source = { origin: "default", detail: "" }

/** Variables with our prefix that are no setting: most often a misspelt one. */
const strangers = (names: Iterable<string>): ReadonlyArray<string> => {
  const variables = settingKeys.map((key) => nameOf(settingTable[key]))
  const known = new Set([...variables, ...[...unusedVariables, ...agentVariables].map((name) => prefix + name)])
  return [...new Set(names)]
    .filter((name) => name.startsWith(prefix) && !known.has(name))
    .sort()
    .map((name) => {
      const near = nearestName(
        name.slice(prefix.length),
        variables.map((variable) => variable.slice(prefix.length))
      )
      return `${oneLine(name, 80)} is no setting of this version${near === null ? "" : `; did you mean ${prefix}${near}?`}`
    })
}

/** What a person should know who gave these settings, though they can be used. */
const noticesOf = (sources: SettingSources, file: EnvFile, settings: Settings): ReadonlyArray<string> => {
  const names = [...Object.keys(sources.environment), ...file.variables.keys()]
  const unread = join(resolve(sources.workingDirectory, settings.basePath), ".env")
  return [
    ...file.notices,
    ...unusedVariables
      .filter((name) => names.includes(prefix + name))
      .map((name) => `${prefix}${name} is accepted for compatibility and not used`),
    ...strangers(names),
    ...(!file.there && unread !== file.path && existsSync(unread)
      ? [`${oneLine(unread)} is not read: .env is looked for in the working directory; name it with --env-file`]
      : [])
  ]
}

/** What is wrong with values that are each right by themselves. */
const combinationFaults = (settings: Settings, origins: LoadedSettings["origins"]): ReadonlyArray<string> =>
  Result.isSuccess(parseEndpoint(settings.mcpEndpoint, settings))
    ? []
    : [
        faultOf(
          settingTable.mcpEndpoint,
          origins.mcpEndpoint,
          `plain http to ${new URL(settings.mcpEndpoint).host} is readable on the way; use https, or allow it with TINYSCHEDULER_ALLOW_INSECURE=true`
        )
      ]

/** From a setting to where its value came from, and to its value. */
interface ToOrigin extends Struct.Lambda {
  (setting: Setting<unknown>): ValueSource
  readonly "~lambda.out": ValueSource
}
interface ToValue extends Struct.Lambda {
  <A>(setting: Setting<A>): Effect.Effect<A, string>
  readonly "~lambda.out": this["~lambda.in"] extends Setting<infer A> ? Effect.Effect<A, string> : never
}

const readValue = <A>(setting: Setting<A>, given: Given | undefined): Effect.Effect<A, string> => {
  const read = setting.read(given === undefined ? Option.getOrNull(setting.standard) : given.text)
  return Result.isSuccess(read)
    ? Effect.succeed(read.success)
    : Effect.fail(faultOf(setting, given ?? unset, read.failure))
}

const sourcesOf = ([first, ...others]: ReadonlyArray<Given>): ValueSource => {
  const plain = ({ detail, origin }: Given): Source => ({ origin, detail })
  return { ...(first === undefined ? unset : plain(first)), over: others.map(plain) }
}

/** Agent by agent, over whoever gives the limits as a whole. */
const ofPairs: Given = { text: "", origin: "flag", detail: "--agent-limit" }

export const loadSettings = Effect.fn("loadSettings")(function* (sources: SettingSources) {
  const file = yield* readEnvFile(sources)
  const readings = Struct.map(
    settingTable,
    Struct.lambda<ToValue>(<A>(setting: Setting<A>) => readValue(setting, givenTo(setting, sources, file)[0]))
  )
  const results: ReadonlyArray<Result.Result<unknown, string>> = Object.values(
    yield* Effect.all(readings, { mode: "result" })
  )
  const faults = results.flatMap((result) => (Result.isFailure(result) ? [result.failure] : []))
  const pairs = agentCountPairs(sources.flags.agentLimitPairs)
  if (Result.isFailure(pairs)) faults.push(`--agent-limit: ${pairs.failure}`)
  if (faults.length > 0 || Result.isFailure(pairs)) return yield* new ConfigurationError({ faults })
  const read: Settings = yield* Effect.orDie(Effect.all(readings))
  const origins = Struct.map(
    settingTable,
    Struct.lambda<ToOrigin>((setting: Setting<unknown>) => sourcesOf(givenTo(setting, sources, file)))
  )
  const limitsGiven = givenTo(settingTable.agentLimits, sources, file)
  const settings = { ...read, agentLimits: new Map([...read.agentLimits, ...pairs.success]) }
  const loaded: LoadedSettings = {
    settings,
    origins: pairs.success.size === 0 ? origins : { ...origins, agentLimits: sourcesOf([ofPairs, ...limitsGiven]) },
    notices: noticesOf(sources, file, settings),
    envFile: file.path
  }
  const together = combinationFaults(settings, loaded.origins)
  if (together.length > 0) return yield* new ConfigurationError({ faults: together })
  return loaded
})
