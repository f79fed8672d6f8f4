/** What is typed wrong: commands, flags, and how often they stand there. */
import { once } from "./Wrong.ts"
import type { Wrong } from "./Wrong.ts"

const oneMode = "run needs exactly one of --once (one pass) and --daemon (passes until asked to end)"

export const commandLine: ReadonlyArray<Wrong> = [
  {
    name: "an unknown flag",
    args: [...once, "--frobnicate"],
    says: ["Unrecognized flag: --frobnicate in command tinyscheduler run. Try: tinyscheduler run --help"]
  },
  {
    name: "an unknown command",
    args: ["frobnicate"],
    says: ['Unknown subcommand "frobnicate" for "tinyscheduler". Try: tinyscheduler --help']
  },
  {
    name: "a misspelt flag",
    args: ["run", "--onec"],
    says: ["Unrecognized flag: --onec in command tinyscheduler run. Did you mean --once? Try: tinyscheduler run --help"]
  },
  {
    name: "a misspelt command",
    args: ["stauts"],
    says: ['Unknown subcommand "stauts" for "tinyscheduler". Did you mean status? Try: tinyscheduler --help']
  },
  {
    name: "a word too many",
    args: ["status", "now"],
    says: ['Unexpected positional argument: "now". Try: tinyscheduler status --help']
  },
  {
    name: "a missing argument",
    args: ["tinytask", "add"],
    says: ["Missing required argument: title. Try: tinyscheduler tinytask add --help"]
  },
  {
    name: "a flag without its value",
    args: [...once, "--heartbeat"],
    says: ["Missing value for flag --heartbeat. Expected: value. Try: tinyscheduler run --help"]
  },
  {
    name: "a flag twice",
    args: ["--heartbeat", "1", ...once, "--heartbeat", "2"],
    says: ["--heartbeat stands there 2 times, expected once. Try: tinyscheduler run --help"]
  },
  { name: "run without a mode", args: ["run"], says: [oneMode] },
  { name: "run with both modes", args: ["run", "--once", "--daemon"], says: [oneMode] },
  {
    name: "up as a dry run",
    args: ["up"],
    env: { TINYSCHEDULER_DRY_RUN: "true" },
    says: ["up has no dry run: it serves tasks and starts agents; run --once --dry-run says what it would do"]
  },
  {
    name: "a port that there is not",
    args: ["up", "--port", "99999"],
    says: [
      'Invalid value for flag --port: "99999". Expected a whole number from 0 to 65535. Try: tinyscheduler up --help'
    ]
  },
  {
    name: "an empty address to listen on, which would be every address of the machine",
    args: ["tinytask", "serve", "--host", ""],
    says: [
      "Missing value for flag --host. Expected a value with a length of at least 1. Try: tinyscheduler tinytask serve --help"
    ]
  },
  {
    name: "a wait that is over before it begins",
    args: [...once, "--stop-wait", "-1"],
    says: [
      'Invalid value for flag --stop-wait: "-1". Expected a whole number from 0 to 86400. Try: tinyscheduler run --help'
    ]
  },
  {
    name: "a flag that is neither true nor false",
    args: [...once, "--enabled=maybe"],
    says: [
      'Invalid value for flag --enabled: "maybe". Expected "true" | "yes" | "on" | "1" | "y" | "false" | "no" | "off" | "0" | "n". Try: tinyscheduler run --help'
    ]
  }
]
