/**
 * Writes docs/configuration.md and .env.tinyscheduler.example from the table of settings; `--check` only says whether one of
 * them differs.
 */
import { readFileSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import * as Option from "effect/Option"
import { AgentName } from "@tinyscheduler/core/domain/identifiers"
import type { ShownConfiguration } from "tinyscheduler/settings/shownConfiguration"
import {
  nameOf,
  settingGroups,
  settingKeys,
  settingTable,
  unusedVariables,
  prefix
} from "tinyscheduler/settings/settingTable"
import type { SettingKey } from "tinyscheduler/settings/settingTable"
import { exampleVariables } from "./exampleVariables.ts"

const cell = (text: string): string => text.replaceAll("|", "\\|")
const code = (text: string): string => (text === "" ? "" : `\`${text}\``)

const row = (key: SettingKey): string => {
  const setting = settingTable[key]
  const standard = Option.getOrElse(setting.standard, () => "")
  return `| ${[
    code(nameOf(setting)),
    code(`--${setting.flag}`),
    code(standard),
    cell(setting.form),
    cell(setting.description),
    setting.fixed ? "restart" : "reload"
  ].join(" | ")} |`
}

const groups = settingGroups
  .map(
    ({ keys, title }) => `### ${title}

| variable | flag | default | expected | meaning | change |
|---|---|---|---|---|---|
${keys.map(row).join("\n")}`
  )
  .join("\n\n")

const fixedNames = settingKeys
  .filter((key) => settingTable[key].fixed)
  .map((key) => code(settingTable[key].variable))
  .join(", ")

/** Held to its type, so that the page can't show what the command doesn't print. */
const shown: ShownConfiguration = {
  version: 1,
  mode: "queues",
  settings: [
    {
      variable: "TINYSCHEDULER_HEARTBEAT_SEC",
      flag: "--heartbeat",
      group: "Timing",
      value: 20,
      standard: "15",
      origin: "environment",
      detail: "TINYSCHEDULER_HEARTBEAT_SEC",
      over: [{ origin: "env file", detail: "TINYSCHEDULER_HEARTBEAT_SEC in /srv/agents/.env" }],
      fixed: false
    }
  ],
  paths: {
    base: "/srv/agents",
    state: "/srv/agents/state",
    running: "/srv/agents/state/running",
    logs: "/srv/agents/state/logs",
    recipes: "/srv/agents/recipes",
    lock: "/srv/agents/state/tinyscheduler.lock",
    controlFile: "/srv/agents/agent-control.json",
    envFile: "/srv/agents/.env"
  },
  agents: [
    {
      name: AgentName.make("vaela"),
      queues: ["dev"],
      slots: 2,
      slotsFrom: "entry",
      enabled: true,
      program: "goose",
      recipe: "vaela.yaml",
      cwd: "/srv/agents",
      env: ["OPENAI_API_KEY"],
      success: "tinytask",
      maxRuntimeSec: 3600,
      stopSignal: "SIGINT",
      stopGraceSec: 10
    }
  ],
  notices: [],
  warnings: [],
  faults: []
}

export const configurationPage = `# Configuration

Written by \`npx -y pnpm@12 docs\` from the table of settings, which is also where flags and \`--help\` come from.

## Where a value comes from

Flag, then environment, then \`.env\`, then default: the first that gives one. A variable that is empty or blank counts as
not set; an empty flag is an error. Every flag may stand before or after the subcommand, once. A truth takes \`true\`, \`yes\`,
\`on\`, \`1\`, \`y\` and their opposites, as a flag also \`--enabled\` and \`--no-enabled\`; words are taken in capital and small
letters, and blanks around a value mean nothing, except in a path.

\`tinyscheduler config --show\` prints every value, where it came from and what it stands over, and what all of them amount
to. A value that can't be used is told in one sentence that names the flag, the variable or the file, with exit code 2; all
faults are told at once, and a secret is repeated in none.

### Relative paths

Every relative path is under \`${prefix}BASE_PATH\`, which is itself relative to the working directory, also when it stands in
\`.env\`. It has to be there: nothing makes it but \`tinyscheduler init\`. A \`~\` or a \`$\` that no shell replaced is an error.

### The .env file

\`.env\` is read from the working directory, or the file that \`--env-file\` names; one that is named has to be there. It is not
looked for under the base path, which may stand in it; a \`.env\` there that is not read is told. Copy
[.env.tinyscheduler.example](../.env.tinyscheduler.example) to begin with: it has every setting.

\`\`\`dotenv
# a comment; blanks around = and export before a name are allowed
TINYSCHEDULER_BASE_PATH=/srv/agents   # a comment after a blank
export TINYSCHEDULER_AGENT_LIMITS='{"dispatcher": 1, "vaela": 3}'
TINYSCHEDULER_QUEUE_LIMITS='{
  "dev": 4
}'
\`\`\`

It is read as the package [dotenv](https://github.com/motdotla/dotenv) reads it. Values stand bare, up to the first \`#\`, or in
\`'\`, \`"\` or \`\` \` \`\`, then over several lines if need be. Within \`"\`, \`\\n\` and \`\\r\` are line breaks; no mark can be escaped,
so JSON stands in \`'\`. Nothing is expanded. A mark that is never closed, or is followed by more, is an error with its line.
Told, and no error, are a line that is no assignment, a variable that is set twice (the last one holds), and a bare value that
a \`#\` within a word cuts off. The file is UTF-8, at most 1 MiB, may be a symbolic link, and may not be writable by everybody.

### Limits

\`${prefix}AGENT_LIMITS\` and \`${prefix}QUEUE_LIMITS\` take pairs (\`vaela:3,damien:2\`) or a JSON object
(\`{"vaela": 3, "damien": 2}\`); queue names with a comma need JSON. \`--agent-limit vaela=3\` may be repeated and wins over
\`AGENT_LIMITS\`, agent by agent. An agent's slots are its entry's \`slots\`, else its \`AGENT_LIMITS\`, else
\`${prefix}DEFAULT_SLOTS\`. A fault names the entry and what was found, and in broken JSON the character.

### Changing a value under a running daemon

A daemon reads \`.env\` and the control file anew when one of them changes, and on SIGHUP; \`reload\` in the tables says what it
takes then. What says \`restart\` holds for a process's life, and a reload that changes it is refused:
${fixedNames}.

## Settings

${groups}

${unusedVariables.map((name) => code(prefix + name)).join(" and ")} of the Python version are accepted, told, and not used. Any other
variable that begins with \`${prefix}\` is told as most likely misspelt.

## What config --show --json prints

\`version\` grows when a field changes its meaning or goes; new fields may come at any time. With \`faults\` the exit code is 2,
each fault is on stderr too, and \`mode\` is null if the control file is one of them. A secret's value is
\`"(set, not shown)"\`; of an agent's variables there are only names, of its command only the program.

\`\`\`json
${JSON.stringify(shown, null, 2)}
\`\`\`

| field | meaning |
|---|---|
| \`mode\` | \`queues\`: agents of the control file; \`legacy\`: those of \`AGENT_LIMITS\`, for want of a control file |
| \`settings[].value\` | text, number, truth, an object of numbers by name, or null: not set, unlimited, off |
| \`settings[].origin\`, \`detail\` | \`flag\`, \`environment\`, \`env file\` or \`default\`; the flag, or the variable and its file |
| \`settings[].over\` | who gives the setting too and does not count |
| \`settings[].fixed\` | whether a running daemon refuses to change it |
| \`paths\` | absolute; \`controlFile\` is null where there is none, \`envFile\` is where one is looked for |
| \`agents[].slotsFrom\` | \`entry\`, \`AGENT_LIMITS\` or \`DEFAULT_SLOTS\` |
| \`notices\`, \`warnings\`, \`faults\` | about variables and their file; about agents; why nothing can run with it |
`

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const written: ReadonlyArray<readonly [string, string]> = [
  ["docs/configuration.md", configurationPage],
  [".env.tinyscheduler.example", exampleVariables]
]

if (import.meta.main) {
  for (const [name, text] of written) {
    const path = join(root, name)
    if (!process.argv.includes("--check")) writeFileSync(path, text)
    else if (readFileSync(path, "utf8") !== text) {
      process.stderr.write(`${name} is not what the settings say; run: npx -y pnpm@12 docs\n`)
      process.exitCode = 1
    }
  }
}
