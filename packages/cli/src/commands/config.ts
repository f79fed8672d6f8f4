/** `config --show`: each setting, its value, where it came from, and what all of them amount to. */
import { existsSync } from "node:fs"
import { basename, relative } from "node:path"
import * as Effect from "effect/Effect"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { loadedSettings } from "../flags.ts"
import { escapeText } from "../output/escape.ts"
import { print, printJson } from "../output/print.ts"
import { table } from "../output/table.ts"
import { ConfigurationError } from "../settings/ConfigurationError.ts"
import type { Source } from "../settings/loadSettings.ts"
import { showConfiguration } from "../settings/shownConfiguration.ts"
import type { ShownAgent, ShownConfiguration, ShownSetting } from "../settings/shownConfiguration.ts"

/** A default that is a word for "none", such as unlimited, is shown as this word. */
const valueText = ({ standard, value }: ShownSetting): string => {
  if (value === null) return standard
  return escapeText(typeof value === "string" ? value : JSON.stringify(value))
}

/** Short enough for a column; the whole name of the variable stands in the row already. */
const sourceText = ({ detail, origin }: Source, envFile: string): string => {
  if (origin === "flag") return detail
  return origin === "env file" ? escapeText(basename(envFile)) : origin
}

const settingLine = (setting: ShownSetting, envFile: string): string => {
  const over = setting.over.map((source) => sourceText(source, envFile)).join(", ")
  const from = `${sourceText(setting, envFile)}${over === "" ? "" : `, over ${over}`}`
  return line(setting.variable, valueText(setting), from)
}

/** Within 80 columns as long as a value is; a longer one moves nothing but what is behind it. */
const line = (variable: string, value: string, from: string): string =>
  `${variable.padEnd(32)} ${value.padEnd(24)} ${from}`

/** Where the agents come from: config and status say it alike. */
export const agentsSource = (controlFile: string | null): string =>
  controlFile === null
    ? "legacy mode: there is no agent-control.json; agents are those of TINYSCHEDULER_AGENT_LIMITS, assigned tasks only"
    : `agents: ${escapeText(controlFile)}`

const agentRow = (agent: ShownAgent, base: string): ReadonlyArray<string> => [
  agent.enabled ? agent.name : `${agent.name} (disabled)`,
  agent.queues.map(escapeText).join(" "),
  `${agent.slots} (${agent.slotsFrom})`,
  escapeText(agent.recipe === null ? agent.program : `${agent.program}, ${agent.recipe}`),
  escapeText(relative(base, agent.cwd) || ".")
]

const shownText = ({ agents, mode, paths, settings }: ShownConfiguration): string =>
  [
    line("setting", "value", "from"),
    ...settings.map((setting) => settingLine(setting, paths.envFile)),
    "",
    ...Object.entries({
      "base path": paths.base,
      leases: paths.running,
      logs: paths.logs,
      recipes: paths.recipes,
      lock: paths.lock,
      variables: existsSync(paths.envFile) ? paths.envFile : `${paths.envFile} (there is none)`
    }).map(([what, path]) => `${what.padEnd(9)}  ${escapeText(path)}`),
    "",
    agentsSource(paths.controlFile),
    ...(mode === null || agents.length === 0
      ? []
      : [
          table(
            ["agent", "queues", "slots", "runs", "in"],
            agents.map((agent) => agentRow(agent, paths.base))
          )
        ])
  ].join("\n")

export const configCommand = Command.make(
  "config",
  {
    show: Flag.Boolean("show").pipe(Flag.withDescription("Show it all (as without this flag)"), Flag.withDefault(true)),
    json: Flag.Boolean("json").pipe(Flag.withDescription("Print JSON"), Flag.withDefault(false))
  },
  Effect.fn("cli.config")(function* ({ json }) {
    const shown = yield* showConfiguration(yield* loadedSettings, process.cwd())
    for (const sentence of [...shown.notices, ...shown.warnings]) {
      yield* Effect.sync(() => process.stderr.write(`${escapeText(sentence)}\n`))
    }
    yield* json ? printJson(shown) : print(shownText(shown))
    if (shown.faults.length > 0) return yield* new ConfigurationError({ faults: shown.faults })
  })
).pipe(Command.withDescription("Show the configuration and where each value comes from"))
