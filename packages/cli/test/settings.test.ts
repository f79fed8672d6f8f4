import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, assert, beforeEach, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as fc from "fast-check"
import { configurationOf } from "tinyscheduler/settings/Configuration"
import { agentCountPairs, agentCounts, queueCounts } from "tinyscheduler/settings/counts"
import { loadSettings } from "tinyscheduler/settings/loadSettings"
import { nameOf, settingGroups, settingKeys, settingTable } from "tinyscheduler/settings/settingTable"
import type { SettingKey } from "tinyscheduler/settings/settingTable"
import { token } from "tinyscheduler/settings/values"

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

  it.effect("a variable that is empty or blank counts as not set", () =>
    Effect.gen(function* () {
      const { origins, settings } = yield* load({
        environment: { TINYSCHEDULER_DEFAULT_SLOTS: "", TINYSCHEDULER_BASE_PATH: "  " }
      })
      assert.deepStrictEqual(
        [settings.defaultSlots, settings.basePath, origins.basePath],
        [1, ".", { origin: "default", detail: "", over: [] }]
      )
    })
  )

  it.effect("whoever gives a value and does not count is known, nearest first", () =>
    Effect.gen(function* () {
      writeFileSync(join(folder, ".env"), "TINYSCHEDULER_HEARTBEAT_SEC=3\nTINYSCHEDULER_AGENT_LIMITS=a:1\n")
      const { origins } = yield* load({
        flags: { heartbeat: "1" },
        pairs: ["a=2"],
        environment: { TINYSCHEDULER_HEARTBEAT_SEC: "2" }
      })
      assert.deepStrictEqual(origins.heartbeatSec, {
        origin: "flag",
        detail: "--heartbeat",
        over: [
          { origin: "environment", detail: "TINYSCHEDULER_HEARTBEAT_SEC" },
          { origin: "env file", detail: `TINYSCHEDULER_HEARTBEAT_SEC in ${join(folder, ".env")}` }
        ]
      })
      assert.deepStrictEqual(origins.agentLimits, {
        origin: "flag",
        detail: "--agent-limit",
        over: [{ origin: "env file", detail: `TINYSCHEDULER_AGENT_LIMITS in ${join(folder, ".env")}` }]
      })
    })
  )

  it.effect("blanks around a value and the case of a word mean nothing", () =>
    Effect.gen(function* () {
      const { settings } = yield* load({
        environment: {
          TINYSCHEDULER_DEFAULT_SLOTS: " 2\t",
          TINYSCHEDULER_ORDER: "Priority ",
          TINYSCHEDULER_ENABLED: " NO",
          TINYSCHEDULER_MAX_CONCURRENT: "UNLIMITED",
          TINYSCHEDULER_LOG_LEVEL: "warning",
          TINYSCHEDULER_AGENT_LIMITS: " a : 1 , b:2 "
        }
      })
      assert.deepStrictEqual(
        [settings.defaultSlots, settings.order, settings.enabled, settings.maxConcurrent, settings.logLevel],
        [2, "priority", false, null, "WARN"]
      )
      assert.deepStrictEqual(Object.fromEntries(settings.agentLimits), { a: 1, b: 2 })
    })
  )

  it.effect("an address is the same however it is written", () =>
    Effect.gen(function* () {
      for (const [written, read] of [
        ["HTTP://LocalHost:3000/mcp/", "http://localhost:3000"],
        ["http://[::1]:3000", "http://[::1]:3000"],
        ["https://tasks.example/team/mcp", "https://tasks.example/team"]
      ] as const) {
        const { settings } = yield* load({ environment: { TINYSCHEDULER_MCP_ENDPOINT: written } })
        assert.strictEqual(settings.mcpEndpoint, read)
      }
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
    "TINYSCHEDULER_AGENT_LIMITS: is not JSON: at character 8 found the end, expected }"
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

  it("never shows a secret: a token that no header carries is refused without being repeated", () => {
    const characters = fc.constantFrom("a", " ", "\n", "\u0000", "\u007f", "ü", "🔑", "\u2028")
    fc.assert(
      fc.property(fc.string({ unit: characters, minLength: 8, maxLength: 40 }), (text) => {
        const read = token.read(text)
        if (Result.isSuccess(read)) assert.match(text, /^a+$/)
        else assert.notInclude(read.failure, text.slice(0, 8))
      })
    )
  })

  it.effect("does not hide the others", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* faultsOf({ flags: { order: "x", parents: "y", heartbeat: "z" } })).length, 3)
    })
  )
})

describe("limits", () => {
  const counts = fc.dictionary(fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9_-]{0,8}$/), fc.nat({ max: 10_000 }))
  const queueNames = fc
    .string({ unit: "grapheme", minLength: 1, maxLength: 12 })
    .filter((name) => !/[\p{Cc}]/u.test(name))

  it("are read as they are printed, in both forms", () => {
    fc.assert(
      fc.property(counts, (limits) => {
        const entries = Object.entries(limits)
        const pairs = entries.map(([name, count]) => `${name}:${count}`).join(",")
        for (const text of [JSON.stringify(limits), JSON.stringify(limits, null, 2), pairs]) {
          assert.deepStrictEqual(Result.getOrThrow(agentCounts.read(text)), new Map(entries))
        }
        const flags = entries.map(([name, count]) => `${name}=${count}`)
        assert.deepStrictEqual(Result.getOrThrow(agentCountPairs(flags)), new Map(entries))
      })
    )
    fc.assert(
      fc.property(fc.dictionary(queueNames, fc.nat({ max: 10_000 })), (limits) => {
        assert.deepStrictEqual(
          Result.getOrThrow(queueCounts.read(JSON.stringify(limits))),
          new Map(Object.entries(limits))
        )
      })
    )
  })

  it("of any text are read, or refused in one sentence without control characters", () => {
    const near = fc.string({ unit: fc.constantFrom(...'{}[]":,a1-\\ \n'.split("")), maxLength: 12 })
    fc.assert(
      fc.property(fc.oneof(near, fc.string({ unit: "binary" }), fc.json()), (text) => {
        for (const reader of [agentCounts, queueCounts]) {
          const read = reader.read(text)
          if (Result.isSuccess(read)) {
            for (const count of read.success.values()) assert.isTrue(Number.isInteger(count) && count >= 0)
          } else {
            assert.notMatch(read.failure, /[\p{Cc}\u2028\u2029]/u)
            assert.isBelow(read.failure.length, 300)
          }
        }
      })
    )
  })
})

describe("the example of all variables", () => {
  const example = readFileSync(new URL("../../../.env.tinyscheduler.example", import.meta.url), "utf8")
  const uncommented = example.replace(/^#(?=TINYSCHEDULER_)/gm, "")

  it.effect("says nothing as it stands, and every default or an example when its lines are taken in", () =>
    Effect.gen(function* () {
      writeFileSync(join(folder, ".env"), example)
      const asItStands = yield* load()
      assert.deepStrictEqual(asItStands.notices, [])
      assert.deepStrictEqual(
        new Set(Object.values(asItStands.origins).map(({ origin }) => origin)),
        new Set(["default"])
      )
      writeFileSync(join(folder, ".env"), uncommented)
      const { notices, origins, settings } = yield* load()
      assert.deepStrictEqual(notices, [])
      const examples = new Set<SettingKey>(["agentControlFile", "agentLimits", "queueLimits"])
      for (const key of settingKeys) {
        if (key !== "mcpToken") assert.strictEqual(origins[key].origin, "env file", key)
        if (!examples.has(key)) assert.deepStrictEqual(settings[key], asItStands.settings[key], key)
      }
    })
  )

  it("has every variable once, what most people set first", () => {
    const names = [...uncommented.matchAll(/^(TINYSCHEDULER_[A-Z_]+)=/gm)].map(([, name]) => name)
    assert.sameMembers(
      names,
      settingKeys.map((key) => nameOf(settingTable[key]))
    )
    assert.deepStrictEqual(names.slice(0, 3), [
      "TINYSCHEDULER_BASE_PATH",
      "TINYSCHEDULER_AGENT_CONTROL_FILE",
      "TINYSCHEDULER_AGENT_LIMITS"
    ])
  })
})

describe("the table of settings", () => {
  it("has each setting in one group, and no variable or flag twice", () => {
    assert.deepStrictEqual(
      settingGroups.flatMap(({ keys }) => keys),
      [...settingKeys]
    )
    const settings = settingKeys.map((key) => settingTable[key])
    assert.strictEqual(new Set(settings.map(({ variable }) => variable)).size, settings.length)
    assert.strictEqual(new Set(settings.map(({ flag }) => flag)).size, settings.length)
  })

  it("holds for a process's life what its state stands by", () => {
    assert.deepStrictEqual(
      settingKeys.filter((key) => settingTable[key].fixed),
      ["basePath", "runningDir", "logDir", "lockFile", "mcpEndpoint", "dryRun"]
    )
  })
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

  it.effect("every relative path moves with the base path, whoever gives it; absolute ones stay", () =>
    Effect.gen(function* () {
      mkdirSync(join(folder, "deep"))
      writeFileSync(join(folder, "deep/team.json"), '[{ "agentName": "a", "agentType": "dev" }]')
      const wanted = ["state/running", "state/tinyscheduler.lock", "state/logs", "recipes", "team.json"]
      const given = { TINYSCHEDULER_AGENT_CONTROL_FILE: "team.json", TINYSCHEDULER_GOOSE_BIN: "bin/goose" }
      writeFileSync(join(folder, ".env"), "TINYSCHEDULER_BASE_PATH=deep\n")
      writeFileSync(join(folder, "none.env"), "")
      for (const source of [{ flags: { "base-path": "deep" }, envFile: "none.env" }, {}]) {
        const { controlFile, launchOf, paths, recipesDir } = yield* configure({ ...source, environment: given })
        assert.deepStrictEqual(
          [paths.running, paths.lock, paths.logs, recipesDir, controlFile],
          wanted.map((path) => join(folder, "deep", path))
        )
        assert.strictEqual(launchOf("a")?.gooseBin, join(folder, "deep/bin/goose"))
      }
      const { recipesDir } = yield* configure({ environment: { ...given, TINYSCHEDULER_RECIPES_DIR: "/srv/recipes" } })
      assert.strictEqual(recipesDir, "/srv/recipes")
    })
  )

  it.effect("a control file that is a link to nowhere is an error, not legacy mode", () =>
    Effect.gen(function* () {
      symlinkSync(join(folder, "nowhere"), join(folder, "agent-control.json"))
      const error = yield* Effect.flip(configure({ environment: { TINYSCHEDULER_AGENT_LIMITS: "a:1" } }))
      assert.match(error.message, /^agent-control\.json: is a symbolic link/)
    })
  )

  it.effect("a file in the place of a directory above the control file means that there is none", () =>
    Effect.gen(function* () {
      writeFileSync(join(folder, "docs"), "")
      assert.strictEqual(
        (yield* configure({ environment: { TINYSCHEDULER_AGENT_LIMITS: "a:1" } })).desired.mode,
        "legacy"
      )
    })
  )
})
