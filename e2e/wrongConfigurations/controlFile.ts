/** A control file that can't be used: the file, its JSON, each field of an entry. */
import { chmodSync, mkdirSync, symlinkSync, truncateSync } from "node:fs"
import { join } from "node:path"
import type { Wrong } from "./Wrong.ts"

const file = "agent-control.json"
const control = (text: string | Uint8Array) => ({ files: { [file]: text } })

const files: ReadonlyArray<Wrong> = [
  {
    name: "a control file that is named and missing",
    args: ["run", "--once", "--agent-control-file", "team.json"],
    says: ["--agent-control-file (TINYSCHEDULER_AGENT_CONTROL_FILE): there is no {}/team.json"]
  },
  {
    name: "a control file in .env that is missing",
    files: { ".env": "TINYSCHEDULER_AGENT_CONTROL_FILE=team.json\n" },
    says: ["TINYSCHEDULER_AGENT_CONTROL_FILE in {}/.env: there is no {}/team.json"]
  },
  {
    name: "a directory for a control file",
    prepare: (folder) => mkdirSync(join(folder, file)),
    says: ["agent-control.json: is a directory, not a file"]
  },
  {
    name: "a link for a control file",
    prepare: (folder) => symlinkSync(join(folder, "elsewhere.json"), join(folder, file)),
    files: { "elsewhere.json": "[]" },
    says: [
      "agent-control.json: is a symbolic link, which is not followed; put the file itself there, or name it by TINYSCHEDULER_AGENT_CONTROL_FILE"
    ]
  },
  {
    name: "a link to nowhere, which is not legacy mode",
    args: ["status"],
    prepare: (folder) => symlinkSync("nowhere", join(folder, file)),
    says: [
      "agent-control.json: is a symbolic link, which is not followed; put the file itself there, or name it by TINYSCHEDULER_AGENT_CONTROL_FILE"
    ]
  },
  {
    name: "a control file that everybody may write",
    ...control("[]"),
    prepare: (folder) => chmodSync(join(folder, file), 0o666),
    says: ["agent-control.json: can be written by everybody, who could run anything by it; chmod o-w it"]
  },
  {
    name: "a control file of others",
    asNobody: true,
    ...control("[]"),
    prepare: (folder) => chmodSync(join(folder, file), 0o600),
    says: ["agent-control.json: can't be opened: permission denied (EACCES)"]
  },
  {
    name: "a control file without measure",
    ...control(""),
    prepare: (folder) => truncateSync(join(folder, file), 2 * 1024 ** 2),
    says: ["agent-control.json: is larger than 1 MiB"]
  },
  {
    name: "a control file in another encoding",
    ...control(Buffer.from('[{ "agentName": "a", "agentType": "d\u00e9v" }]', "latin1")),
    says: ["agent-control.json: is not UTF-8 text"]
  },
  {
    name: "an empty control file",
    ...control(" \n"),
    says: ["agent-control.json: is empty; expected a list of entries, [] if there are none"]
  },
  {
    name: "a control file at its other place",
    files: { "docs/technical/agent-control.json": "{}" },
    says: ["docs/technical/agent-control.json: is an object; expected a list of entries"]
  }
]

const json: ReadonlyArray<Wrong> = [
  {
    name: "a comma too many",
    ...control('[\n  { "agentName": "a", "agentType": "dev", }\n]'),
    says: ['agent-control.json: is not JSON: line 2, column 43: found "}", expected a name in double quotation marks']
  },
  {
    name: "a comma too few",
    ...control('[\n  { "agentName": "a" "agentType": "dev" }\n]'),
    says: ['agent-control.json: is not JSON: line 2, column 22: found """, expected a comma or }']
  },
  {
    name: "a comment",
    ...control("// the team\n[]"),
    says: ['agent-control.json: is not JSON: line 1, column 1: found "/", expected a value']
  },
  {
    name: "a value without marks, which may be a secret",
    ...control('[{ "agentName": "a", "agentType": "dev", "env": { "API_KEY": shush } }]'),
    says: ['agent-control.json: is not JSON: line 1, column 62: found "s", expected a value'],
    secret: "shush"
  },
  {
    name: "a file that is cut off",
    ...control('[{ "agentName": "a'),
    says: ["agent-control.json: is not JSON: line 1, column 19: found the end, expected a closing quotation mark"]
  },
  {
    name: "a path of Windows",
    ...control('[{ "agentName": "a", "agentType": "dev", "cwd": "C:\\work" }]'),
    says: [
      'agent-control.json: is not JSON: line 1, column 49: found a text with a wrong escape, expected an escape like \\n, \\" or \\\\'
    ]
  },
  {
    name: "lists without an end",
    ...control("[".repeat(100_000)),
    says: ['agent-control.json: is nested too deeply: line 1, column 101: found "[", expected at most 100 levels']
  },
  {
    name: "a hundred thousand lists in one another",
    ...control("[".repeat(100_000) + "]".repeat(100_000)),
    says: ['agent-control.json: is nested too deeply: line 1, column 101: found "[", expected at most 100 levels']
  },
  { name: "no list", ...control("{}"), says: ["agent-control.json: is an object; expected a list of entries"] },
  {
    name: "an entry that is none",
    ...control('[{ "agentName": "a", "agentType": "dev" }, "vaela"]'),
    says: ['agent-control.json: entry 2: is "vaela"; expected an object']
  },
  {
    name: "a field that stands twice",
    ...control('[{ "agentName": "a", "agentType": "dev", "slots": 1,\n"slots": 2 }]'),
    says: ['agent-control.json: entry 1 ("a"): slots stands there twice, again in line 2']
  },
  {
    name: "entries of one agent that differ",
    ...control('[{ "agentName": "a", "agentType": "dev", "slots": 1 }, { "agentName": "a", "agentType": "qa" }]'),
    says: ['agent-control.json: entry 2 ("a"): slots: differs from entry 1, the same agent\'s']
  }
]

const agentName = "a name of letters, digits, _ and -, not beginning with -, at most 64 characters"
const seconds = "a whole number of seconds from 0 to 31536000"
const oneQueue = "a queue name (1 to 128 characters, no control characters)"
const known = "which is not known; known are taskId, agent, queue, attempt, recipe, promptFile, endpoint"

/** A field of the entry of agent a, its value as JSON, and what is said of it. */
const fields: ReadonlyArray<readonly [string, string, string]> = [
  ["agentName", '"-rf"', `agentName is "-rf"; expected ${agentName}`],
  ["agentName", "7", `agentName is 7; expected ${agentName}`],
  ["agentName", '"a\\n"', `agentName is "a\\u000a"; expected ${agentName}`],
  [
    "agentType",
    "7",
    "agentType is 7; expected a queue name or a list of them (1 to 128 characters, no control characters)"
  ],
  [
    "agentType",
    "[]",
    "agentType is an empty list; expected a queue name or a list of them (1 to 128 characters, no control characters)"
  ],
  ["agentType", '["dev", ""]', `item 2 of agentType is ""; expected ${oneQueue}`],
  ["slots", '"2"', 'slots is "2"; expected a whole number from 0 to 10000'],
  ["slots", "1.5", "slots is 1.5; expected a whole number from 0 to 10000"],
  [
    "recipe",
    '"../../etc/passwd.yaml"',
    'recipe is "../../etc/passwd.yaml"; expected the name of a .yaml or .json file in the recipes directory, without slashes'
  ],
  ["command", '"rm -rf /"', 'command is "rm -rf /"; expected a list of texts: a program and its arguments'],
  ["command", "[]", "command is an empty list; expected a list of texts: a program and its arguments"],
  ["command", '["sleep", 5]', "item 2 of command is a number; expected a text"],
  ["command", '["x", "{{title}}"]', `command names the placeholder {{title}}, ${known}`],
  ["prompt", "[]", "prompt is an empty list; expected a text"],
  ["prompt", '"{{task}}"', `prompt names the placeholder {{task}}, ${known}`],
  ["cwd", '""', 'cwd is ""; expected the path of a directory'],
  ["env", '"A=1"', "env is a text; expected an object of variable names and texts"],
  ["env", '{ "API_KEY": 4711 }', "env.API_KEY is a number; expected a text"],
  ["env", '{ "A=B": "x" }', 'env names the variable "A=B"; expected letters, digits and _, not beginning with a digit'],
  ["success", '"maybe"', 'success is "maybe"; expected "tinytask", "exit" or "json"'],
  ["maxRuntimeSec", '"1h"', `maxRuntimeSec is "1h"; expected ${seconds}`],
  ["idleTimeoutSec", "-1", `idleTimeoutSec is -1; expected ${seconds}`],
  ["stopSignal", '"SIGKILL"', 'stopSignal is "SIGKILL"; expected "SIGINT" or "SIGTERM"'],
  ["stopGraceSec", "0.5", `stopGraceSec is 0.5; expected ${seconds}`],
  ["isolation", '"docker"', 'isolation is "docker"; expected "none" or "cgroup"'],
  ["enabled", '"yes"', 'enabled is "yes"; expected true or false'],
  ["comment", "null", "comment is null; expected a text"]
]

/** The n-th entry, whose agent has a name of its own unless that is what is wrong. */
const entryOf = (field: string, value: string, number: number): string => {
  const others = { agentName: `"a${number}"`, agentType: '"dev"', [field]: value }
  return `{ ${Object.entries(others)
    .map(([name, text]) => `"${name}": ${text}`)
    .join(", ")} }`
}

const nameShown = (field: string, value: string, number: number): string => {
  if (field !== "agentName") return ` ("a${number}")`
  return value.startsWith('"') ? ` (${value.replace("\\n", "\\u000a")})` : ""
}

/** In one file, since all its faults are told at once. */
const everyField: Wrong = {
  name: `${fields.length} entries, each wrong in one field, each with its sentence`,
  ...control(`[${fields.map(([field, value], index) => entryOf(field, value, index + 1)).join(",\n")}]`),
  says: fields.map(
    ([field, value, says], index) =>
      `agent-control.json: entry ${index + 1}${nameShown(field, value, index + 1)}: ${says}`
  )
}

export const wrongControlFiles: ReadonlyArray<Wrong> = [...files, ...json, everyField]
