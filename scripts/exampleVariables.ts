/** `.env.tinyscheduler.example`: every setting, commented out, with its default or an example; what most people set first. */
import * as Option from "effect/Option"
import { nameOf, settingGroups, settingTable } from "tinyscheduler/settings/settingTable"
import type { SettingKey } from "tinyscheduler/settings/settingTable"

const mostSet: ReadonlyArray<SettingKey> = [
  "basePath",
  "agentControlFile",
  "agentLimits",
  "gooseBin",
  "mcpEndpoint",
  "loopIntervalSec",
  "heartbeatSec",
  "maxRuntimeSec"
]

/** For settings without a default. */
const examples: Partial<Record<SettingKey, string>> = {
  agentControlFile: "agent-control.json",
  agentLimits: `'{"dispatcher": 1, "architect": 2, "vaela": 3}'`,
  queueLimits: `'{"dev": 4}'`
}

/** An assignment has no blank behind its #, a sentence has one. */
const linesOf = (key: SettingKey): ReadonlyArray<string> => {
  const setting = settingTable[key]
  const standard = Option.getOrElse(setting.standard, () => "")
  const value = examples[key] ?? standard
  return [`# ${setting.description} (${setting.form})`, `#${nameOf(setting)}=${value}`, ""]
}

const section = (title: string, keys: ReadonlyArray<SettingKey>): ReadonlyArray<string> =>
  keys.length === 0 ? [] : [`### ${title}`, "", ...keys.flatMap(linesOf)]

export const exampleVariables = [
  "# Settings of TinyScheduler. Copy this file to .env in the directory that it runs in, and take the # away from what is to",
  "# be another than here: each line without one is what holds anyway, or an example. All about them: docs/configuration.md",
  "",
  ...section("What most people set", mostSet),
  ...settingGroups.flatMap(({ keys, title }) =>
    section(
      title,
      keys.filter((key) => !mostSet.includes(key))
    )
  )
].join("\n")
