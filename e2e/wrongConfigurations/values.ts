/** Values that are none: numbers, words, limits, addresses, tokens; from flags, the environment and .env. */
import { once } from "./Wrong.ts"
import type { Wrong } from "./Wrong.ts"

const variable = (name: string, value: string) => ({ env: { [`TINYSCHEDULER_${name}`]: value } })
const filed = (name: string, value: string) => ({ files: { ".env": `TINYSCHEDULER_${name}=${value}\n` } })

const numbers: ReadonlyArray<Wrong> = [
  {
    name: "a word for a number, as a flag",
    args: [...once, "--default-slots", "many"],
    says: ['--default-slots (TINYSCHEDULER_DEFAULT_SLOTS): "many" is not a whole number from 0 to 10000']
  },
  {
    name: "a negative number, in the environment",
    ...variable("MAX_LOST", "-1"),
    says: ['TINYSCHEDULER_MAX_LOST: "-1" is not a whole number from 1 to 10000']
  },
  {
    name: "a fraction, in .env",
    ...filed("HEARTBEAT_SEC", "1.5"),
    says: ['TINYSCHEDULER_HEARTBEAT_SEC in {}/.env: "1.5" is not a whole number from 1 to 31536000']
  },
  {
    name: "an exponent",
    ...variable("MAX_ATTEMPTS", "1e3"),
    says: ['TINYSCHEDULER_MAX_ATTEMPTS: "1e3" is not a whole number from 1 to 10000']
  },
  {
    name: "a time with its unit",
    ...variable("MAX_RUNTIME_SEC", "1h"),
    says: ['TINYSCHEDULER_MAX_RUNTIME_SEC: "1h" is not a whole number from 0 to 31536000']
  },
  {
    name: "an interval of nothing",
    args: ["run", "--daemon", "--loop-interval", "0"],
    says: ['--loop-interval (TINYSCHEDULER_LOOP_INTERVAL_SEC): "0" is not a whole number from 1 to 31536000']
  },
  {
    name: "a number without end",
    ...variable("BACKOFF_MAX_SEC", "9".repeat(400)),
    says: [`TINYSCHEDULER_BACKOFF_MAX_SEC: "${"9".repeat(60)}…" is not a whole number from 0 to 31536000`]
  },
  {
    name: "digits of another script",
    ...variable("STOP_GRACE_SEC", "１０"),
    says: ['TINYSCHEDULER_STOP_GRACE_SEC: "１０" is not a whole number from 0 to 31536000']
  },
  {
    name: "an empty flag",
    args: [...once, "--log-keep-days="],
    says: ['--log-keep-days (TINYSCHEDULER_LOG_KEEP_DAYS): "" is not a whole number from 1 to 36500']
  },
  {
    name: "another word for no limit",
    ...variable("MAX_CONCURRENT", "infinite"),
    says: ['TINYSCHEDULER_MAX_CONCURRENT: "infinite" is not a whole number from 0 to 10000, or unlimited']
  },
  {
    name: "0 for no timeout",
    ...variable("IDLE_TIMEOUT_SEC", "0"),
    says: ['TINYSCHEDULER_IDLE_TIMEOUT_SEC: "0" is not a whole number from 1 to 31536000, or off']
  },
  {
    name: "a control character in a value",
    ...variable("MCP_TIMEOUT_SEC", "1\u001b[31m"),
    says: ['TINYSCHEDULER_MCP_TIMEOUT_SEC: "1\\u001b[31m" is not a whole number from 1 to 3600']
  }
]

const words: ReadonlyArray<Wrong> = [
  {
    name: "an order that there is not",
    args: ["status", "--order", "fifo"],
    says: ['--order (TINYSCHEDULER_ORDER): "fifo" is not one of blockers, priority']
  },
  {
    name: "a policy of parents that there is not",
    ...variable("PARENTS", "never"),
    says: ['TINYSCHEDULER_PARENTS: "never" is not one of wait, run']
  },
  {
    name: "a word for true that there is not",
    ...variable("ENABLED", "maybe"),
    says: ['TINYSCHEDULER_ENABLED: "maybe" is not true or false']
  },
  {
    name: "a level that there is not",
    args: ["config", "--log-level", "LOUD"],
    says: ['--log-level (TINYSCHEDULER_LOG_LEVEL): "LOUD" is not one of DEBUG, INFO, WARN, ERROR']
  },
  {
    name: "a format that there is not",
    ...filed("LOG_FORMAT", "xml"),
    says: ['TINYSCHEDULER_LOG_FORMAT in {}/.env: "xml" is not one of text, json']
  },
  {
    name: "several at once, each with its sentence",
    args: [...once, "--order", "x", "--heartbeat", "y"],
    ...variable("PARENTS", "z"),
    says: [
      '--heartbeat (TINYSCHEDULER_HEARTBEAT_SEC): "y" is not a whole number from 1 to 31536000',
      '--order (TINYSCHEDULER_ORDER): "x" is not one of blockers, priority',
      'TINYSCHEDULER_PARENTS: "z" is not one of wait, run'
    ]
  }
]

const limits: ReadonlyArray<Wrong> = [
  {
    name: "a word for slots",
    args: [...once, "--agent-limits", "a:1,vaela:many"],
    says: [
      '--agent-limits (TINYSCHEDULER_AGENT_LIMITS): entry 2 ("vaela:many"): found "many", expected a whole number from 0 to 10000'
    ]
  },
  {
    name: "slots without a number",
    ...variable("AGENT_LIMITS", "a:1,b"),
    says: ['TINYSCHEDULER_AGENT_LIMITS: entry 2 ("b"): found no :, expected name:number']
  },
  {
    name: "a comma at the end",
    ...variable("AGENT_LIMITS", "a:1,"),
    says: ['TINYSCHEDULER_AGENT_LIMITS: entry 2 (""): found no :, expected name:number']
  },
  {
    name: "slots of one agent twice",
    ...variable("AGENT_LIMITS", "a:1,a:2"),
    says: ['TINYSCHEDULER_AGENT_LIMITS: entry 2 ("a:2"): "a" stands there twice']
  },
  {
    name: "slots of one agent twice, in JSON, which keeps the last in silence",
    ...variable("AGENT_LIMITS", '{"a": 1, "b": 2, "a": 3}'),
    says: ['TINYSCHEDULER_AGENT_LIMITS: "a" stands there twice']
  },
  {
    name: "slots of a name that no agent can have",
    ...variable("AGENT_LIMITS", '{"-rf": 1}'),
    says: [
      'TINYSCHEDULER_AGENT_LIMITS: entry 1 ("-rf"): found "-rf", expected an agent\'s name (letters, digits, _ and -)'
    ]
  },
  {
    name: "negative slots, in JSON",
    ...variable("AGENT_LIMITS", '{"a": 1, "vaela": -1}'),
    says: ['TINYSCHEDULER_AGENT_LIMITS: entry 2 ("vaela"): found -1, expected a whole number from 0 to 10000']
  },
  {
    name: "slots that are a text, in JSON",
    ...variable("AGENT_LIMITS", '{"vaela": "1"}'),
    says: ['TINYSCHEDULER_AGENT_LIMITS: entry 1 ("vaela"): found "1", expected a whole number from 0 to 10000']
  },
  {
    name: "slots that are nothing, in JSON",
    ...variable("AGENT_LIMITS", '{"vaela": null}'),
    says: ['TINYSCHEDULER_AGENT_LIMITS: entry 1 ("vaela"): found null, expected a whole number from 0 to 10000']
  },
  {
    name: "limits that are cut off",
    ...filed("AGENT_LIMITS", '{"vaela": 1'),
    says: ["TINYSCHEDULER_AGENT_LIMITS in {}/.env: is not JSON: at character 12 found the end, expected }"]
  },
  {
    name: "limits with names in single marks",
    args: [...once, "--queue-limits", "{'dev': 1}"],
    says: [
      '--queue-limits (TINYSCHEDULER_QUEUE_LIMITS): is not JSON: at character 2 found "\'", expected a name in double quotation marks or }'
    ]
  },
  {
    name: "limits that are a list",
    ...variable("QUEUE_LIMITS", '["dev"]'),
    says: ['TINYSCHEDULER_QUEUE_LIMITS: is a list, expected a JSON object like {"a": 1}']
  },
  {
    name: "limits that kept the marks around them",
    ...variable("AGENT_LIMITS", `'{"vaela": 1}'`),
    says: [
      "TINYSCHEDULER_AGENT_LIMITS: begins with the quotation mark ', which a shell or .env drops and this did not; leave it out"
    ]
  },
  {
    name: "a queue with a control character",
    ...variable("QUEUE_LIMITS", '{"de\\u0007v": 1}'),
    says: [
      'TINYSCHEDULER_QUEUE_LIMITS: entry 1 ("de\\u0007v"): found "de\\u0007v", expected a queue\'s name (1 to 128 characters)'
    ]
  },
  {
    name: "one agent's slots with a colon",
    args: [...once, "--agent-limit", "vaela:1"],
    says: ['--agent-limit: entry 1 ("vaela:1"): found no =, expected name=number']
  },
  {
    name: "one agent's slots in two flags",
    args: [...once, "--agent-limit", "vaela=1", "--agent-limit", "vaela=2"],
    says: ['--agent-limit: entry 2 ("vaela=2"): "vaela" stands there twice']
  }
]

const likeThis = "an http or https address like http://localhost:3000 or http://[::1]:3000"
const noToken = "holds a blank, a line break or a character outside ASCII, which no HTTP header carries"

const tinytask: ReadonlyArray<Wrong> = [
  {
    name: "an address without http",
    args: ["tinytask", "list", "--mcp-endpoint", "localhost:3000"],
    says: [`--mcp-endpoint (TINYSCHEDULER_MCP_ENDPOINT): "localhost:3000" is not ${likeThis}`]
  },
  {
    name: "an address of another kind",
    ...variable("MCP_ENDPOINT", "ftp://localhost"),
    says: [`TINYSCHEDULER_MCP_ENDPOINT: "ftp://localhost" is not ${likeThis}`]
  },
  {
    name: "a port that no address has",
    ...variable("MCP_ENDPOINT", "http://localhost:99999"),
    says: [`TINYSCHEDULER_MCP_ENDPOINT: "http://localhost:99999" is not ${likeThis}`]
  },
  {
    name: "port 0",
    ...variable("MCP_ENDPOINT", "http://localhost:0"),
    says: [`TINYSCHEDULER_MCP_ENDPOINT: "http://localhost:0" is not ${likeThis}`]
  },
  {
    name: "an IPv6 address without brackets",
    ...variable("MCP_ENDPOINT", "http://::1:3000"),
    says: [`TINYSCHEDULER_MCP_ENDPOINT: "http://::1:3000" is not ${likeThis}`]
  },
  {
    name: "an address with a line break, which would be dropped in silence",
    ...variable("MCP_ENDPOINT", "http://local\nhost:3000"),
    says: [`TINYSCHEDULER_MCP_ENDPOINT: "http://local\\u000ahost:3000" is not ${likeThis}`]
  },
  {
    name: "an address with a password",
    ...variable("MCP_ENDPOINT", "http://me:hush@localhost"),
    says: [
      "TINYSCHEDULER_MCP_ENDPOINT: an address must not hold a user or a password; use TINYSCHEDULER_MCP_TOKEN for a token"
    ],
    secret: "hush"
  },
  {
    name: "a misspelt address with a password",
    ...filed("MCP_ENDPOINT", "htp//me:hush@localhost"),
    says: [
      "TINYSCHEDULER_MCP_ENDPOINT in {}/.env: an address must not hold a user or a password; use TINYSCHEDULER_MCP_TOKEN for a token"
    ],
    secret: "hush"
  },
  {
    name: "an address with a query",
    ...variable("MCP_ENDPOINT", "http://localhost:3000/mcp?key=hush"),
    says: ["TINYSCHEDULER_MCP_ENDPOINT: an address must not have a query or a fragment"],
    secret: "hush"
  },
  {
    name: "an address with a fragment",
    ...variable("MCP_ENDPOINT", "http://localhost:3000#x"),
    says: ["TINYSCHEDULER_MCP_ENDPOINT: an address must not have a query or a fragment"]
  },
  {
    name: "plain http to another machine",
    args: [...once, "--mcp-endpoint", "http://192.0.2.1:3000"],
    says: [
      "--mcp-endpoint (TINYSCHEDULER_MCP_ENDPOINT): plain http to 192.0.2.1:3000 is readable on the way; use https, or allow it with TINYSCHEDULER_ALLOW_INSECURE=true"
    ]
  },
  {
    name: "a token over two lines",
    ...filed("MCP_TOKEN", '"hush\nhush"'),
    says: [`TINYSCHEDULER_MCP_TOKEN in {}/.env: ${noToken}`],
    secret: "hush"
  },
  {
    name: "a token outside ASCII",
    ...variable("MCP_TOKEN", "hüsh"),
    says: [`TINYSCHEDULER_MCP_TOKEN: ${noToken}`],
    secret: "sh,"
  },
  {
    name: "a token that the shell did not find",
    args: [...once, "--mcp-token", ""],
    says: ["--mcp-token (TINYSCHEDULER_MCP_TOKEN): is empty; leave it out where no token is needed"]
  }
]

export const wrongValues: ReadonlyArray<Wrong> = [...numbers, ...words, ...limits, ...tinytask]
