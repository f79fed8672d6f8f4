/** The directories of the state: made by whoever holds the lock, and looked at by `validate-config`. */
import { join } from "node:path"
import { expectTrusted } from "@tinyscheduler/adapters-fs/directoryTrust"
import { makeDirectory } from "@tinyscheduler/adapters-fs/makeDirectory"
import type { Configuration } from "./settings/Configuration.ts"

export const stateDirectories = ({ paths }: Configuration): ReadonlyArray<string> => [
  paths.state,
  paths.running,
  paths.claims,
  paths.stops,
  paths.attempts,
  paths.history,
  paths.requests,
  paths.logs
]

/** What comes into being later, below those: in a state that was open to others it may have been put there before. */
const laterDirectories = ({ paths, temporaryDir }: Configuration): ReadonlyArray<string> => [
  paths.answers,
  paths.aside,
  join(paths.logs, "tasks"),
  temporaryDir
]

/**
 * Makes those that are missing, for this user alone; answers which. Throws where one is there that others own or can
 * write. A supervisor makes none: it needs them to be there.
 */
export const makeDirectories = (config: Configuration): ReadonlyArray<string> => {
  const made = stateDirectories(config).flatMap((directory) => {
    expectTrusted(directory)
    return makeDirectory(directory, config.paths.base)
  })
  for (const directory of laterDirectories(config)) expectTrusted(directory)
  return made
}
