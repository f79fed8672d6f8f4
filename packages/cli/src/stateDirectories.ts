/** The directories of the state: made by whoever holds the lock, and looked at by `validate-config`. */
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

/** Makes those that are missing, for this user alone; answers which. A supervisor makes none: it needs them to be there. */
export const makeDirectories = (config: Configuration): ReadonlyArray<string> =>
  stateDirectories(config).flatMap(makeDirectory)
