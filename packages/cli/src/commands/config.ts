/** `config --show`: each setting, its value, and where it came from; secrets are never printed. */
import { resolve } from "node:path"
import * as Effect from "effect/Effect"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { loadedSettings } from "../flags.ts"
import { escapeText } from "../output/escape.ts"
import { print, printJson } from "../output/print.ts"
import { table } from "../output/table.ts"
import { findControlFile } from "../settings/Configuration.ts"
import type { LoadedSettings } from "../settings/loadSettings.ts"
import { prefix, settingKeys, settingTable } from "../settings/settingTable.ts"
import type { SettingKey } from "../settings/settingTable.ts"

const redacted = "(set, not shown)"

const shown = (key: SettingKey, loaded: LoadedSettings): unknown => {
  const value: unknown = loaded.settings[key]
  if (settingTable[key].kind === "secret") return value === null ? null : redacted
  if (value instanceof Map) return Object.fromEntries(value)
  return value
}

const asText = (value: unknown): string =>
  value === null ? "" : typeof value === "string" ? escapeText(value) : JSON.stringify(value)

/** Where the agents come from: config and status say it alike. */
export const agentsSource = (controlFile: string | null): string =>
  controlFile === null
    ? "legacy mode: there is no agent-control.json; agents are those of TINYSCHEDULER_AGENT_LIMITS, assigned tasks only"
    : `agents: ${escapeText(controlFile)}`

export const configCommand = Command.make(
  "config",
  {
    show: Flag.Boolean("show").pipe(Flag.withDescription("Show every setting (as without it)"), Flag.withDefault(true)),
    json: Flag.Boolean("json").pipe(Flag.withDescription("Print JSON"), Flag.withDefault(false))
  },
  Effect.fn("cli.config")(function* ({ json }) {
    const loaded = yield* loadedSettings
    for (const notice of loaded.notices) yield* Effect.sync(() => process.stderr.write(`${notice}\n`))
    const rows = settingKeys.map((key) => ({
      variable: `${prefix}${settingTable[key].variable}`,
      flag: `--${settingTable[key].flag}`,
      value: shown(key, loaded),
      origin: loaded.origins[key].origin,
      detail: loaded.origins[key].detail
    }))
    const controlFile = findControlFile(loaded.settings, resolve(loaded.settings.basePath)).path
    const mode = controlFile === null ? "legacy" : "queues"
    if (json) return yield* printJson({ version: 1, mode, controlFile, settings: rows })
    yield* print(
      table(
        ["setting", "value", "from"],
        rows.map((row) => [row.variable, asText(row.value), row.detail === "" ? row.origin : escapeText(row.detail)])
      )
    )
    yield* print(`\n${agentsSource(controlFile)}`)
  })
).pipe(Command.withDescription("Show the configuration and where each value comes from"))
