import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, assert, beforeEach, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { configurationOf } from "tinyscheduler/settings/Configuration"
import { loadSettings } from "tinyscheduler/settings/loadSettings"

let folder = ""
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tinyscheduler-settings-"))
})
afterEach(() => {
  rmSync(folder, { recursive: true, force: true })
})

interface Given {
  readonly flags?: Readonly<Record<string, string>>
  readonly pairs?: ReadonlyArray<string>
  readonly environment?: Readonly<Record<string, string>>
  readonly envFile?: string | null
}

const load = ({ envFile = null, environment = {}, flags = {}, pairs = [] }: Given = {}) =>
  loadSettings({
    flags: { texts: new Map(Object.entries(flags)), agentLimitPairs: pairs, envFile },
    environment,
    workingDirectory: folder
  })

const faultsOf = (given: Given) => Effect.map(Effect.flip(load(given)), (error) => error.faults)

describe("precedence", () => {
  it.effect("is flag, environment, .env, default, and each value knows where it came from", () =>
    Effect.gen(function* () {
      writeFileSync(
        join(folder, ".env"),
        "TINYSCHEDULER_DEFAULT_SLOTS=2\nTINYSCHEDULER_MAX_ATTEMPTS=5\nTINYSCHEDULER_MAX_LOST=6\n"
      )
      const { origins, settings } = yield* load({
        flags: { "max-lost": "9" },
        environment: { TINYSCHEDULER_MAX_ATTEMPTS: "7", TINYSCHEDULER_MAX_LOST: "8" }
      })
      assert.deepStrictEqual(
        [settings.maxLost, settings.maxAttempts, settings.defaultSlots, settings.heartbeatSec],
        [9, 7, 2, 15]
      )
      assert.deepStrictEqual(
        [origins.maxLost, origins.maxAttempts, origins.defaultSlots, origins.heartbeatSec].map(({ origin }) => origin),
        ["flag", "environment", "env file", "default"]
      )
    })
  )

  it.effect("an empty variable counts as not set", () =>
    Effect.gen(function* () {
      const { settings } = yield* load({ environment: { TINYSCHEDULER_DEFAULT_SLOTS: "" } })
      assert.strictEqual(settings.defaultSlots, 1)
    })
  )

  it.effect("--agent-limit wins over the limits of the environment, agent by agent", () =>
    Effect.gen(function* () {
      const { settings } = yield* load({
        environment: { TINYSCHEDULER_AGENT_LIMITS: '{"vaela": 1, "damien": 2}' },
        pairs: ["vaela=3"]
      })
      assert.deepStrictEqual(
        [...settings.agentLimits],
        [
          ["vaela", 3],
          ["damien", 2]
        ]
      )
    })
  )

  it.effect("variables that mean nothing any more, and misspelt ones, are told and stop nothing", () =>
    Effect.gen(function* () {
      const { notices } = yield* load({
        environment: { TINYSCHEDULER_BIN_DIR: "x", TINYSCHEDULER_AGENT_LIMIT: "a:1", TINYSCHEDULER_LEASE: "y" }
      })
      assert.deepStrictEqual(notices, [
        "TINYSCHEDULER_BIN_DIR is accepted for compatibility and not used",
        "TINYSCHEDULER_AGENT_LIMIT is no setting of this version; did you mean TINYSCHEDULER_AGENT_LIMITS?"
      ])
    })
  )
})

const wrongValues: ReadonlyArray<readonly [string, Given, string]> = [
  [
    "no number",
    { flags: { "default-slots": "x" } },
    '--default-slots (TINYSCHEDULER_DEFAULT_SLOTS): "x" is not a whole number from 0 to 10000'
  ],
  [
    "a negative number",
    { environment: { TINYSCHEDULER_DEFAULT_SLOTS: "-1" } },
    'TINYSCHEDULER_DEFAULT_SLOTS: "-1" is not a whole number from 0 to 10000'
  ],
  [
    "a fraction",
    { environment: { TINYSCHEDULER_DEFAULT_SLOTS: "1.5" } },
    'TINYSCHEDULER_DEFAULT_SLOTS: "1.5" is not a whole number from 0 to 10000'
  ],
  [
    "an exponent",
    { environment: { TINYSCHEDULER_MAX_ATTEMPTS: "1e3" } },
    'TINYSCHEDULER_MAX_ATTEMPTS: "1e3" is not a whole number from 1 to 10000'
  ],
  [
    "an interval of nothing",
    { environment: { TINYSCHEDULER_LOOP_INTERVAL_SEC: "0" } },
    'TINYSCHEDULER_LOOP_INTERVAL_SEC: "0" is not a whole number from 1 to 31536000'
  ],
  [
    "a word that is no choice",
    { flags: { order: "fifo" } },
    '--order (TINYSCHEDULER_ORDER): "fifo" is not one of blockers, priority'
  ],
  [
    "no truth",
    { environment: { TINYSCHEDULER_ENABLED: "maybe" } },
    'TINYSCHEDULER_ENABLED: "maybe" is not true or false'
  ],
  [
    "no address",
    { environment: { TINYSCHEDULER_MCP_ENDPOINT: "localhost:3000" } },
    'TINYSCHEDULER_MCP_ENDPOINT: "localhost:3000" is not an http or https address like http://localhost:3000'
  ],
  [
    "an address with a password",
    { environment: { TINYSCHEDULER_MCP_ENDPOINT: "http://a:b@localhost" } },
    "TINYSCHEDULER_MCP_ENDPOINT: an address must not hold a user or a password; use TINYSCHEDULER_MCP_TOKEN"
  ],
  [
    "limits that are cut off",
    { environment: { TINYSCHEDULER_AGENT_LIMITS: '{"a": 1' } },
    "TINYSCHEDULER_AGENT_LIMITS: is not JSON: at character 8 found the end, expected a comma or }"
  ],
  [
    "limits without a number",
    { environment: { TINYSCHEDULER_AGENT_LIMITS: "a:1,b" } },
    'TINYSCHEDULER_AGENT_LIMITS: entry 2 ("b"): found no :, expected name:number'
  ],
  [
    "limits with a word",
    { environment: { TINYSCHEDULER_AGENT_LIMITS: '{"a": 1, "b": "2"}' } },
    'TINYSCHEDULER_AGENT_LIMITS: entry 2 ("b"): found "2", expected a whole number from 0 to 10000'
  ],
  [
    "limits of a name that is none",
    { environment: { TINYSCHEDULER_AGENT_LIMITS: "-a:1" } },
    'TINYSCHEDULER_AGENT_LIMITS: entry 1 ("-a:1"): found "-a", expected an agent\'s name'
  ],
  [
    "limits of one name twice",
    { environment: { TINYSCHEDULER_AGENT_LIMITS: "a:1,a:2" } },
    'TINYSCHEDULER_AGENT_LIMITS: entry 2 ("a:2"): "a" stands there twice'
  ],
  ["a pair without =", { pairs: ["a:1"] }, '--agent-limit: entry 1 ("a:1"): found no =, expected name=number'],
  ["a file that is not there", { envFile: "nope.env" }, "--env-file nope.env: there is no such file"]
]

describe("a wrong value", () => {
  it.effect.each(wrongValues)("%s is one sentence that names the setting", ([, given, sentence]) =>
    Effect.gen(function* () {
      const faults = yield* faultsOf(given)
      assert.strictEqual(faults.length, 1)
      assert.isTrue(faults[0]!.startsWith(sentence), faults[0])
      assert.notInclude(faults[0], "\n")
    })
  )

  it.effect("never shows a secret", () =>
    Effect.gen(function* () {
      const { settings } = yield* load({ environment: { TINYSCHEDULER_MCP_TOKEN: "hush" } })
      assert.strictEqual(settings.mcpToken, "hush")
    })
  )

  it.effect("does not hide the others", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* faultsOf({ flags: { order: "x", parents: "y", heartbeat: "z" } })).length, 3)
    })
  )
})

const configure = (given: Given = {}) => Effect.flatMap(load(given), (loaded) => configurationOf(loaded, folder))

describe("the desired state", () => {
  it.effect("without a control file is legacy mode: the agents of AGENT_LIMITS", () =>
    Effect.gen(function* () {
      const { desired } = yield* configure({ environment: { TINYSCHEDULER_AGENT_LIMITS: "vaela:3" } })
      assert.strictEqual(desired.mode, "legacy")
      assert.deepStrictEqual(
        desired.agents.map(({ name, recipe, slots, success }) => [name, slots, recipe, success]),
        [["vaela", 3, "vaela.yaml", "tinytask"]]
      )
    })
  )

  it.effect("takes slots from the entry, else AGENT_LIMITS, else the default", () =>
    Effect.gen(function* () {
      writeFileSync(
        join(folder, "agent-control.json"),
        JSON.stringify([
          { agentName: "a", agentType: "dev", slots: 4 },
          { agentName: "b", agentType: ["dev", "qa"] },
          { agentName: "c", agentType: "qa", command: ["true"] }
        ])
      )
      const { desired } = yield* configure({
        environment: { TINYSCHEDULER_AGENT_LIMITS: "a:1,b:2", TINYSCHEDULER_DEFAULT_SLOTS: "7" }
      })
      assert.deepStrictEqual(
        desired.agents.map(({ name, recipe, slots, success }) => [name, slots, recipe, success]),
        [
          ["a", 4, "a.yaml", "tinytask"],
          ["b", 2, "b.yaml", "tinytask"],
          ["c", 7, null, "exit"]
        ]
      )
    })
  )

  it.effect("a control file that was named and is not there is an error, not legacy mode", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(configure({ environment: { TINYSCHEDULER_AGENT_CONTROL_FILE: "team.json" } }))
      assert.deepStrictEqual(error.faults, [
        `TINYSCHEDULER_AGENT_CONTROL_FILE: there is no ${join(folder, "team.json")}`
      ])
    })
  )

  it.effect("every relative path moves with --base-path", () =>
    Effect.gen(function* () {
      const { paths, recipesDir } = yield* configure({ flags: { "base-path": "deep" } })
      assert.deepStrictEqual(
        [paths.running, paths.lock, paths.logs, recipesDir],
        ["state/running", "state/tinyscheduler.lock", "state/logs", "recipes"].map((path) => join(folder, "deep", path))
      )
    })
  )
})
