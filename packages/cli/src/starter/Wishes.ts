/** What a person wants of a new base path, from flags; the questions on a terminal come to the same. */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { isLoopbackHost, parseEndpoint } from "@tinyscheduler/adapters-tinytask/Endpoint"
import { ConfigurationError } from "../settings/ConfigurationError.ts"
import type { LoadedSettings } from "../settings/loadSettings.ts"
import type { SettingKey } from "../settings/settingTable.ts"
import { readAgentFlag } from "./agentFlag.ts"
import { defaultAgent } from "./starterFiles.ts"
import type { WantedAgent } from "./starterFiles.ts"

export interface Wishes {
  readonly agents: ReadonlyArray<WantedAgent>
  /** A Tinytask of our own, run by `up`. */
  readonly embedded: boolean
  /** What goes into .env, the endpoint first. */
  readonly values: ReadonlyMap<SettingKey, string>
}

/** Where `up` listens. Not localhost: that may mean another address first. */
const embeddedEndpoint = "http://127.0.0.1:3000"

/** Settings that hold for one command, or stand in the control file as slots. */
const notKept: ReadonlySet<SettingKey> = new Set(["basePath", "agentLimits", "dryRun", "mcpEndpoint"])

export interface GivenFlags {
  readonly agents: ReadonlyArray<string>
  readonly embedded: boolean
  /** Settings as they were typed. */
  readonly typed: ReadonlyMap<SettingKey, string>
  readonly loaded: LoadedSettings
}

/** Why Tinytask can't be asked at this address; null when it can. Of a setting it has been found out already. */
export const endpointProblem = (endpoint: string, allowInsecure: boolean): string | null => {
  const parsed = parseEndpoint(endpoint, { allowInsecure })
  return Result.isSuccess(parsed) ? null : parsed.failure.message
}

/** The typed settings that are kept, after the endpoint. */
export const keptValues = (endpoint: string, typed: GivenFlags["typed"]): ReadonlyMap<SettingKey, string> =>
  new Map([["mcpEndpoint", endpoint], ...[...typed].filter(([key]) => !notKept.has(key))])

/** Whether `up` can listen there: at this machine, without TLS. */
const isOwn = (endpoint: string): boolean => {
  const url = URL.parse(endpoint)
  return url !== null && url.protocol === "http:" && isLoopbackHost(url.hostname)
}

/** The address of a Tinytask of our own: the one that was given, if it can be. */
export const ownEndpoint = ({ origins, settings }: LoadedSettings): string =>
  origins.mcpEndpoint.origin !== "default" && isOwn(settings.mcpEndpoint) ? settings.mcpEndpoint : embeddedEndpoint

const repeated = (names: ReadonlyArray<string>): ReadonlyArray<string> =>
  names.filter((name, index) => names.indexOf(name) !== index)

export const wishesOf = Effect.fn("wishesOf")(function* (flags: GivenFlags) {
  const { agentLimits, defaultSlots, mcpEndpoint } = flags.loaded.settings
  const readings = flags.agents.map(readAgentFlag)
  const named = readings.flatMap((reading) => (Result.isSuccess(reading) ? [reading.success] : []))
  const agents = (flags.agents.length === 0 ? [defaultAgent] : named).map((agent): WantedAgent => ({
    ...agent,
    slots: agentLimits.get(agent.name) ?? defaultSlots
  }))
  const names = agents.map(({ name }) => name)
  const endpoint = flags.embedded ? ownEndpoint(flags.loaded) : mcpEndpoint
  const faults = [
    ...readings.flatMap((reading) => (Result.isFailure(reading) ? [reading.failure] : [])),
    ...repeated(names).map((name) => `--agent ${name} is given twice; give all its queues in one: ${name}=one,other`),
    ...[...agentLimits.keys()]
      .filter((name) => flags.agents.length > 0 && !names.includes(name))
      .map((name) => `an agent limit names ${name}, and no --agent does`),
    ...(flags.embedded && !isOwn(mcpEndpoint)
      ? [
          `--embedded is a Tinytask on this machine, and its address is to be ${mcpEndpoint}; give one like ${embeddedEndpoint}`
        ]
      : [])
  ]
  if (faults.length > 0) return yield* new ConfigurationError({ faults })
  return { agents, embedded: flags.embedded, values: keptValues(endpoint, flags.typed) } satisfies Wishes
})
