/** Whether the settings can be read, what is odd about them, and whether a token in a file is for us alone. */
import { statSync } from "node:fs"
import * as Result from "effect/Result"
import type { LoadedSettings } from "../settings/loadSettings.ts"
import { checksOf } from "./Check.ts"
import type { Check } from "./Check.ts"
import type { Examined } from "./examine.ts"

const { error, ok, warning } = checksOf("settings")

/** Settings that can't be read end the checks: nobody knows where to look. */
export const brokenSettings = (faults: ReadonlyArray<string>): ReadonlyArray<Check> =>
  faults.map((fault) => error("settings", fault, "correct it, then the other checks are made"))

const tokenChecks = ({ envFile, origins }: LoadedSettings): ReadonlyArray<Check> => {
  if (origins.mcpToken.origin !== "env file") return []
  const stat = Result.getOrNull(Result.try(() => statSync(envFile)))
  if (stat === null || (stat.mode & 0o077) === 0) return []
  const mode = (stat.mode & 0o777).toString(8)
  return [warning(envFile, `holds a token and is open to others (mode ${mode})`, `chmod 600 ${envFile}`)]
}

export const settingsChecks = ({ config, placeFaults }: Examined): ReadonlyArray<Check> => [
  ok("settings", "can all be read"),
  ...placeFaults.map((fault) => error("settings", fault, "correct it, or what stands there")),
  ...config.notices.map((notice) => warning("settings", notice, "correct its name or remove it")),
  ...tokenChecks(config)
]
