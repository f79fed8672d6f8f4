/** For each language of a code block: what speaks against such a block. A language without a row is itself a fault. */
import { spawnSync } from "node:child_process"
import { readdirSync } from "node:fs"
import * as Cron from "effect/Cron"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Ini from "effect/encoding/Ini"
import * as Yaml from "effect/encoding/Yaml"
import { decodeAgentControl } from "@tinyscheduler/adapters-fs/AgentControl"
import { parseDotEnv } from "@tinyscheduler/adapters-fs/dotEnvText"
import { decodeLegacyLease } from "@tinyscheduler/adapters-fs/legacyLease"
import { LeaseFile } from "@tinyscheduler/core/domain/Lease"
import { loadSettings } from "../../src/settings/loadSettings.ts"
import { faultsOf } from "./commandLine.ts"
import type { Block } from "./markdown.ts"
import { inRoot, read } from "./markdown.ts"
import { commandsOf, isKnown, isOurs } from "./shell.ts"

type Check = (block: Block, next: Block | undefined) => ReadonlyArray<string> | Promise<ReadonlyArray<string>>

const scripts: Readonly<Record<string, string>> = JSON.parse(read("package.json")).scripts

/** Commands that exist, with flags that they have; those of others are only known by name. */
export const commandFaults = (text: string): ReadonlyArray<string> =>
  commandsOf(text).flatMap((command) => {
    if (isOurs(command)) return faultsOf(command.args)
    const script = command.program === "npx" && command.args[1] === "pnpm@12" ? (command.args[2] ?? "") : null
    if (script !== null) return Object.hasOwn(scripts, script) ? [] : [`there is no script ${script}`]
    return isKnown(command) ? [] : [`${command.program} is no command that our pages use`]
  })

const shell: Check = ({ text }) => {
  const parsed = spawnSync("sh", ["-n"], { input: text, encoding: "utf8" })
  return parsed.status === 0 ? commandFaults(text) : [parsed.stderr]
}

const settings: Check = async ({ text }) => {
  const { faults, notices, variables } = parseDotEnv(text)
  const loaded = await Effect.runPromise(
    Effect.result(
      loadSettings({
        flags: { texts: new Map(), agentLimitPairs: [], envFile: null },
        environment: Object.fromEntries(variables),
        workingDirectory: "/"
      })
    )
  )
  return [...faults, ...notices, ...(Result.isSuccess(loaded) ? loaded.success.notices : loaded.failure.faults)]
}

const schedule: Check = ({ text }) =>
  text
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#") && !/^\w+=/.test(line))
    .flatMap((line) => {
      const [, times = "", command = ""] = /^((?:\S+ +){5})(.*)$/.exec(line) ?? []
      if (line.startsWith("@reboot ")) return commandFaults(line.slice(8))
      return [
        ...(Result.isSuccess(Cron.parse(times.trim())) ? [] : [`not a schedule: ${times}`]),
        ...commandFaults(command)
      ]
    })

const json: Check = ({ page, text }) => {
  const value: unknown = JSON.parse(text)
  if (Array.isArray(value)) {
    const { faults, warnings } = decodeAgentControl(page, value)
    return [...faults, ...warnings]
  }
  if (typeof value !== "object" || value === null || !("task_id" in value)) return []
  const isLease = Result.isSuccess(Schema.decodeUnknownResult(LeaseFile)(value))
  return isLease || decodeLegacyLease({ ...value }).ok ? [] : ["it is no lease"]
}

const parses =
  (parse: (text: string) => unknown): Check =>
  ({ text }) => {
    parse(text)
    return []
  }

const exampleCode = readdirSync(inRoot("examples"), { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".ts"))
  .map((name) => read(`examples/${name}`))

/** An excerpt of an example, perhaps set in less: those are compiled and run. */
const typescript: Check = ({ text }) =>
  exampleCode.some((code) => flush(code).includes(flush(text))) ? [] : ["it stands in no file of examples/"]

const flush = (code: string): string => code.replace(/^ +/gm, "")

const checks: Readonly<Record<string, Check>> = {
  sh: shell,
  ts: typescript,
  json,
  cron: schedule,
  dotenv: settings,
  ini: parses(Ini.parse),
  yaml: parses(Yaml.parse),
  // What a command of the page prints: the e2e tests compare it.
  mermaid: () => [],
  text: () => []
}

const markers: Readonly<Record<string, ReadonlyArray<string>>> = {
  sh: ["", "run", "until", "terminal", "terminal-again"],
  text: [""]
}

/** What is wrong with one block of a page. */
export const blockFaults = async (block: Block, previous: Block | undefined): Promise<ReadonlyArray<string>> => {
  const check = checks[block.language]
  if (check === undefined)
    return [`no checker for ${block.language === "" ? "a block without a language" : block.language}`]
  if (!(markers[block.language] ?? [""]).includes(block.marker)) return [`unknown marker ${block.marker}`]
  if (["text", "mermaid"].includes(block.language) && (previous === undefined || previous.marker === "")) {
    return ["an output has to follow the command that prints it, and that has to be marked to be run"]
  }
  return check(block, previous)
}
