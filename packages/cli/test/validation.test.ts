/** The checks of `validate-config` by themselves: what each finds, in which words, and how bad it is. */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { onTestFinished } from "vitest"
import { parseVersion } from "@tinyscheduler/adapters-process/programVersion"
import type { CgroupPlace } from "@tinyscheduler/core/ports/Cgroups"
import { formatRecipe } from "@tinyscheduler/adapters-process/recipe/formatRecipe"
import { loadSettings } from "../src/settings/loadSettings.ts"
import { mend } from "../src/starter/mend.ts"
import { starterRecipe } from "../src/starter/starterRecipe.ts"
import { capacityChecks } from "../src/validation/capacityChecks.ts"
import type { Check } from "../src/validation/Check.ts"
import { clockChecks, judgeClock } from "../src/validation/clockChecks.ts"
import { controlChecks } from "../src/validation/controlChecks.ts"
import { directoryChecks } from "../src/validation/directoryChecks.ts"
import { isolationChecks } from "../src/validation/isolationChecks.ts"
import { examine } from "../src/validation/examine.ts"
import type { Examined } from "../src/validation/examine.ts"
import { judgeRoom, networkFileSystem } from "../src/validation/fileSystemChecks.ts"
import { judgeVersion, programChecks } from "../src/validation/programChecks.ts"
import { recipeChecks } from "../src/validation/recipeChecks.ts"
import { settingsChecks } from "../src/validation/settingsChecks.ts"

class Folder {
  readonly path = mkdtempSync(join(tmpdir(), "tinyscheduler-validation-"))
  constructor() {
    onTestFinished(() => rmSync(this.path, { recursive: true, force: true }))
  }
  at(name: string): string {
    return join(this.path, name)
  }
  write(name: string, text: string, mode = 0o644): string {
    mkdirSync(dirname(this.at(name)), { recursive: true, mode: 0o700 })
    writeFileSync(this.at(name), text)
    chmodSync(this.at(name), mode)
    return this.at(name)
  }
  control(entries: ReadonlyArray<object>): string {
    return this.write("agent-control.json", JSON.stringify(entries))
  }
  recipe(name: string, change: (text: string) => string = (text) => text): string {
    const text = formatRecipe(starterRecipe("vaela", { mcpEndpoint: "http://localhost:3000" }), name)
    return this.write(`recipes/${name}`, change(text))
  }
}

const examined = (folder: Folder, environment: Readonly<Record<string, string>> = {}): Effect.Effect<Examined> =>
  loadSettings({
    flags: { texts: new Map(), agentLimitPairs: [], envFile: null },
    environment: Object.fromEntries(
      Object.entries(environment).map(([name, value]) => [`TINYSCHEDULER_${name}`, value])
    ),
    workingDirectory: folder.path
  }).pipe(
    Effect.flatMap((loaded) => examine(loaded, folder.path)),
    Effect.orDie
  )

/** What is not as it should be, without the folder's path. */
const troubles = (folder: Folder, checks: ReadonlyArray<Check>): ReadonlyArray<string> =>
  checks
    .filter(({ level }) => level !== "ok")
    .map(({ level, says, what }) => `${level} ${what}: ${says}`.replaceAll(folder.path, "BASE"))

describe("cgroups", () => {
  const saidOf = Effect.fnUntraced(function* (isolation: ReadonlyArray<string>, place: CgroupPlace) {
    const folder = new Folder()
    folder.control(isolation.map((value, index) => ({ agentName: `a${index}`, agentType: "dev", isolation: value })))
    const { config } = yield* examined(folder)
    return isolationChecks(config, place).map(({ level, says, what }) => `${level} ${what}: ${says}`)
  })

  it.effect("are looked for where an agent asks for one", () =>
    Effect.gen(function* () {
      const place: CgroupPlace = { _tag: "Place", directory: "/sys/fs/cgroup/system.slice/tinyscheduler.service" }
      assert.deepStrictEqual(yield* saidOf(["none"], place), [])
      assert.deepStrictEqual(yield* saidOf(["cgroup", "none", "cgroup"], place), [
        "ok cgroups: of attempts can be made in /sys/fs/cgroup/system.slice/tinyscheduler.service, for a0, a2"
      ])
    })
  )

  it.effect("that none can be made is a warning, which says what is done without", () =>
    Effect.gen(function* () {
      const place: CgroupPlace = { _tag: "NoPlace", why: "there is no cgroup v2 here" }
      assert.deepStrictEqual(yield* saidOf(["cgroup"], place), [
        "warning cgroups: can't be made here, though a0 asks for them: there is no cgroup v2 here; attempts run without, and what they start is found by looking through all processes"
      ])
    })
  )
})

describe("the control file", () => {
  const findings = Effect.fnUntraced(function* (folder: Folder, environment: Readonly<Record<string, string>> = {}) {
    const found = yield* examined(folder, environment)
    return troubles(folder, [...controlChecks(found), ...capacityChecks(found)])
  })

  it.effect("that is not there is a warning; one that a setting names and that is not there is an error", () =>
    Effect.gen(function* () {
      const folder = new Folder()
      assert.deepStrictEqual(yield* findings(folder), [
        "warning agent-control.json: is not there, and TINYSCHEDULER_AGENT_LIMITS names no agent: nothing can start"
      ])
      assert.deepStrictEqual(yield* findings(folder, { AGENT_LIMITS: "vaela:1" }), [
        "warning agent-control.json: is not there: legacy mode, tasks are taken only by the agent they are assigned to"
      ])
      assert.deepStrictEqual(yield* findings(folder, { AGENT_CONTROL_FILE: "mine.json" }), [
        "error TINYSCHEDULER_AGENT_CONTROL_FILE: there is no BASE/mine.json"
      ])
    })
  )

  it.effect("with agents that repeat, have no slots or serve nobody is told in one line each", () =>
    Effect.gen(function* () {
      const folder = new Folder()
      folder.control([
        { agentName: "vaela", agentType: "dev" },
        { agentName: "vaela", agentType: "dev" },
        { agentName: "damien", agentType: "dev" },
        { agentName: "oscar", agentType: "qa", slots: 0 },
        { agentName: "remy", agentType: "qa", slots: 3 }
      ])
      const environment = {
        AGENT_LIMITS: "vaela:2,max:1",
        QUEUE_LIMITS: "dev:0,docs:3",
        MAX_CONCURRENT: "4"
      }
      const found = yield* examined(folder, environment)
      assert.deepStrictEqual(troubles(folder, capacityChecks(found)), [
        "warning slots: no start for oscar: 0 slots",
        "warning TINYSCHEDULER_MAX_CONCURRENT: lets 4 run at once, while the agents' slots add up to 6",
        "warning slots: none given for damien: 1 task at once each",
        "warning TINYSCHEDULER_QUEUE_LIMITS: lets nothing of queue dev start"
      ])
      const said = troubles(folder, controlChecks(found)).join("\n")
      for (const odd of [/entry 2 \("vaela"\).* entry 1/, /AGENT_LIMITS names "?max/, /QUEUE_LIMITS names "?docs/]) {
        assert.match(said, odd)
      }
      assert.notInclude((yield* findings(folder, { DEFAULT_SLOTS: "2" })).join("\n"), "damien")
    })
  )

  it.effect("that its group may write is a warning; one that everybody may write is refused", () =>
    Effect.gen(function* () {
      const folder = new Folder()
      const path = folder.control([{ agentName: "vaela", agentType: "dev", slots: 1 }])
      chmodSync(path, 0o664)
      assert.deepStrictEqual(yield* findings(folder), [
        "warning BASE/agent-control.json: can be written by its group: it names commands that run as this user"
      ])
      chmodSync(path, 0o666)
      assert.match((yield* findings(folder)).join("\n"), /^error agent-control\.json: can be written by everybody/)
    })
  )

  it.effect("of disabled agents alone starts nothing", () =>
    Effect.gen(function* () {
      const folder = new Folder()
      folder.control([{ agentName: "vaela", agentType: "dev", slots: 1, enabled: false }])
      assert.deepStrictEqual(yield* findings(folder), ["warning slots: every agent is disabled: nothing starts"])
    })
  )
})

describe("recipes", () => {
  const findings = Effect.fnUntraced(function* (folder: Folder) {
    return troubles(folder, yield* recipeChecks(yield* examined(folder)))
  })

  it.effect("an entry's is needed, one by an agent's name may be missing, a command's is not read", () =>
    Effect.gen(function* () {
      const folder = new Folder()
      folder.control([
        { agentName: "vaela", agentType: "dev" },
        { agentName: "damien", agentType: "dev", recipe: "damien-2.yaml" },
        { agentName: "oscar", agentType: "dev", recipe: "oscar.yaml", command: ["true", "{{recipe}}"] },
        { agentName: "remy", agentType: "dev", recipe: "gone.yaml", enabled: false }
      ])
      folder.write("recipes/oscar.yaml", "just words")
      assert.deepStrictEqual(yield* findings(folder), [
        "warning recipe of vaela: is not there: BASE/recipes/vaela.yaml; only tasks with a tag recipe:<file> can start",
        "error recipe of damien: is not there: BASE/recipes/damien-2.yaml",
        "warning recipe of remy: is not there: BASE/recipes/gone.yaml"
      ])
    })
  )

  it.effect("a directory or a link to nothing in its place is not called missing: --fix fills neither", () =>
    Effect.gen(function* () {
      const folder = new Folder()
      folder.control([
        { agentName: "vaela", agentType: "dev" },
        { agentName: "damien", agentType: "dev", recipe: "damien-2.yaml" }
      ])
      mkdirSync(folder.at("recipes/vaela.yaml"), { recursive: true })
      symlinkSync("gone.yaml", folder.at("recipes/damien-2.yaml"))
      assert.deepStrictEqual(yield* findings(folder), [
        "warning recipe of vaela: is no file that can be read: BASE/recipes/vaela.yaml",
        "error recipe of damien: is no file that can be read: BASE/recipes/damien-2.yaml"
      ])
    })
  )

  it.effect("a fault names file, line and field; in a recipe that no agent names it is a warning", () =>
    Effect.gen(function* () {
      const folder = new Folder()
      folder.control([{ agentName: "vaela", agentType: "dev" }])
      const prompting = (text: string) => text.replace("requirement: required", "requirement: user_prompt")
      folder.recipe("vaela.yaml", prompting)
      folder.recipe("other.yaml", prompting)
      folder.recipe("good.yaml")
      folder.write("recipes/old.yml", "x: y")
      folder.write("recipes/README.md", "no recipe")
      symlinkSync(folder.write("secret", "x"), folder.at("recipes/out.yaml"))
      const fault = "parameters.1.requirement is user_prompt, which waits for a person; make it required or optional"
      assert.deepStrictEqual(yield* findings(folder), [
        `error recipe of vaela: BASE/recipes/vaela.yaml:16 ${fault}`,
        `warning recipe other.yaml: BASE/recipes/other.yaml:16 ${fault}`,
        "warning recipe out.yaml: leads out of the recipes directory: BASE/recipes/out.yaml",
        "warning recipe old.yml: BASE/recipes/old.yml is never read: Goose takes .yaml and .json"
      ])
    })
  )

  it.effect("that anybody can change, or that are too large, are not read", () =>
    Effect.gen(function* () {
      const folder = new Folder()
      folder.control([{ agentName: "vaela", agentType: "dev" }])
      chmodSync(folder.recipe("vaela.yaml"), 0o666)
      assert.deepStrictEqual(yield* findings(folder), [
        "error recipe of vaela: BASE/recipes/vaela.yaml can be written by everybody"
      ])
      folder.write("recipes/vaela.yaml", "#".repeat(256 * 1024 + 1))
      assert.deepStrictEqual(yield* findings(folder), [
        "error recipe of vaela: BASE/recipes/vaela.yaml is larger than 256 KiB"
      ])
    })
  )
})

describe("programs", () => {
  const findings = Effect.fnUntraced(function* (folder: Folder, environment: Readonly<Record<string, string>> = {}) {
    return troubles(folder, yield* programChecks((yield* examined(folder, environment)).config))
  })

  it.live("are looked for on the agent's own PATH and from its own directory, and none unknown is run", () =>
    Effect.gen(function* () {
      const folder = new Folder()
      const marked = `#!/bin/sh\ntouch ${folder.at("was-run")}\n`
      folder.write("tools/worker", marked, 0o755)
      folder.write("place/bin/worker", marked, 0o755)
      folder.write("tools/flat", "no program", 0o644)
      mkdirSync(folder.at("tools/folder"), { mode: 0o755 })
      const env = { PATH: folder.at("tools") }
      folder.control([
        { agentName: "one", agentType: "dev", command: ["worker"], env },
        { agentName: "two", agentType: "dev", command: ["bin/worker"], cwd: "place" },
        { agentName: "three", agentType: "dev", command: ["worker"], env: { PATH: "/nowhere" } },
        { agentName: "four", agentType: "dev", command: ["flat"], env },
        { agentName: "five", agentType: "dev", command: ["folder"], env },
        { agentName: "six", agentType: "dev", command: ["worker"], env, cwd: "elsewhere" },
        { agentName: "seven", agentType: "dev", command: ["gone"], env, enabled: false }
      ])
      const none = (name: string, path: string) => `${name}: ${name} was not found on PATH (${path})`
      assert.deepStrictEqual(yield* findings(folder), [
        "error cwd of six: BASE/elsewhere is no directory",
        `error ${none("worker", "/nowhere")}; three can't start`,
        `error ${none("flat", "BASE/tools")}; four can't start`,
        `error ${none("folder", "BASE/tools")}; five can't start`,
        `warning ${none("gone", "BASE/tools")}; seven can't start`
      ])
      assert.isFalse(existsSync(folder.at("was-run")))
    })
  )

  it.live("the version of one that is known is asked for, without our settings in its environment", () =>
    Effect.gen(function* () {
      const folder = new Folder()
      const script = `#!/bin/sh\nenv > ${folder.at("environment")}\necho " 1.36.9"\n`
      folder.write("bin/goose", script, 0o755)
      folder.control([{ agentName: "vaela", agentType: "dev", slots: 1 }])
      assert.deepStrictEqual(yield* findings(folder, { GOOSE_BIN: folder.at("bin/goose"), MCP_TOKEN: "s3cret" }), [
        "warning BASE/bin/goose: is BASE/bin/goose, version 1.36.9; runs that nobody watches need 1.37 or newer"
      ])
      assert.notInclude(readFileSync(folder.at("environment"), "utf8"), "TINYSCHEDULER_")
    })
  )

  it.each([
    { said: " 1.37.0", level: "ok" },
    { said: "2.0", level: "ok" },
    { said: "goose 1.36.99", level: "warning" },
    { said: "0.9.1", level: "warning" },
    { said: "hello", level: "warning" }
  ])("Goose that says $said: $level", ({ level, said }) => {
    assert.strictEqual(judgeVersion("goose", "/bin/goose", parseVersion(said)).level, level)
  })

  it("of another program any version will do", () => {
    assert.strictEqual(judgeVersion("claude", "/bin/claude", parseVersion("0.1.0")).level, "ok")
  })
})

describe("directories", () => {
  const findings = Effect.fnUntraced(function* (folder: Folder) {
    return troubles(folder, directoryChecks((yield* examined(folder)).config))
  })

  it.effect("of missing ones the uppermost alone is told; open ones and a base path for everybody are warnings", () =>
    Effect.gen(function* () {
      const folder = new Folder()
      mkdirSync(folder.at("state/running"), { recursive: true, mode: 0o700 })
      chmodSync(folder.at("state/running"), 0o750)
      for (const name of ["claims", "stops", "attempts", "history", "requests"])
        mkdirSync(folder.at(`state/${name}`), 0o700)
      chmodSync(folder.path, 0o777)
      assert.deepStrictEqual(yield* findings(folder), [
        "warning BASE: can be written by everybody (mode 777): anybody can put agents and recipes there",
        "warning BASE/state/running: is open to others (mode 750)",
        "warning BASE/state/logs: is not there yet"
      ])
    })
  )

  it.effect(
    "one for records that can't be used keeps no pass from anything: a warning; without any nothing is said",
    () =>
      Effect.gen(function* () {
        const folder = new Folder()
        for (const name of ["", "running", "claims", "stops", "attempts", "history", "requests", "logs"])
          mkdirSync(folder.at(`state/${name}`), { recursive: true, mode: 0o700 })
        assert.deepStrictEqual(yield* findings(folder), [])
        writeFileSync(folder.at("state/records"), "in its place")
        assert.deepStrictEqual(yield* findings(folder), [
          "warning BASE/state/records: is no directory; passes are not recorded"
        ])
        rmSync(folder.at("state/records"))
        mkdirSync(folder.at("state/records"), 0o700)
        assert.deepStrictEqual(yield* findings(folder), [])
      })
  )

  it.effect("one above the base path in which anybody can replace it is a warning, unless it is sticky", () =>
    Effect.gen(function* () {
      const folder = new Folder()
      mkdirSync(folder.at("shared/base"), { recursive: true })
      const loaded = yield* examined(folder, { BASE_PATH: "shared/base" })
      const said = () => troubles(folder, directoryChecks(loaded.config))
      chmodSync(folder.at("shared"), 0o777)
      assert.deepStrictEqual(
        said()[0],
        "warning BASE/shared: can be written by everybody (mode 777): anybody can replace BASE/shared/base"
      )
      chmodSync(folder.at("shared"), 0o1777)
      assert.deepStrictEqual(said(), ["warning BASE/shared/base/state: is not there yet"])
    })
  )

  it.effect("a lock that is no file is an error, and one that is there tells who had it last", () =>
    Effect.gen(function* () {
      const folder = new Folder()
      folder.write("state/tinyscheduler.lock", '{ "pid": 77, "term": 3 }', 0o600)
      const { config } = yield* examined(folder)
      const said = directoryChecks(config).map(({ says }) => says)
      assert.include(said, "is the lock, last taken by pid 77, term 3")
      rmSync(config.paths.lock)
      symlinkSync("/dev/null", config.paths.lock)
      assert.include(troubles(folder, directoryChecks(config)).join("\n"), "lock: is no file, so it can't be locked")
    })
  )

  it.each([
    { room: { bytes: 1e12, files: 1e6 }, level: "ok" },
    { room: { bytes: 1e12, files: null }, level: "ok" },
    { room: { bytes: 63 * 1024 * 1024, files: 1e6 }, level: "warning" },
    { room: { bytes: 1e12, files: 999 }, level: "warning" },
    { room: { bytes: 1000, files: 1e6 }, level: "error" },
    { room: { bytes: 1e12, files: 0 }, level: "error" }
  ])("room of $room.bytes bytes and $room.files files: $level", ({ level, room }) => {
    assert.strictEqual(judgeRoom("/x", room).level, level)
  })

  it("another machine's file system is known by its number, as Node may sign it", () => {
    assert.strictEqual(networkFileSystem(0x6969), "NFS")
    assert.strictEqual(networkFileSystem(0xff534d42 | 0), "CIFS")
    assert.isNull(networkFileSystem(0xef53))
  })
})

describe("the clock", () => {
  const day = 86_400_000
  const facts = { releasedMs: 10 * day, newestMs: 0, zone: "UTC" }
  it.each([
    { name: "after all that happened", facts: { ...facts, nowMs: 12 * day, newestMs: 11 * day }, level: "ok" },
    { name: "a little before a write", facts: { ...facts, nowMs: 12 * day, newestMs: 12 * day + 900 }, level: "ok" },
    { name: "before this version was made", facts: { ...facts, nowMs: 9 * day }, level: "warning" },
    { name: "before a lease was written", facts: { ...facts, nowMs: 12 * day, newestMs: 13 * day }, level: "warning" }
  ])("that shows a time $name: $level", ({ facts: given, level }) => {
    assert.strictEqual(judgeClock(given).level, level)
  })

  it.effect("is compared with what was written into the state", () =>
    Effect.gen(function* () {
      const folder = new Folder()
      const later = Date.now() / 1000 + 7200
      utimesSync(folder.write("state/running/task_1.json", "{}"), later, later)
      const { config } = yield* examined(folder)
      const [check] = clockChecks(config, Date.now())
      assert.match(check?.says ?? "", /state was written at .*, which is later/)
    })
  )
})

describe("settings", () => {
  it.effect("a token in a file that others can read is a warning", () =>
    Effect.gen(function* () {
      const folder = new Folder()
      folder.write(".env", "TINYSCHEDULER_MCP_TOKEN=x\n", 0o640)
      const found = yield* examined(folder)
      assert.deepStrictEqual(troubles(folder, settingsChecks(found)), [
        "warning BASE/.env: holds a token and is open to others (mode 640)"
      ])
      chmodSync(folder.at(".env"), 0o600)
      assert.deepStrictEqual(troubles(folder, settingsChecks(found)), [])
    })
  )
})

describe("--fix", () => {
  it.effect("closes directories under the base path alone: another may serve others too", () =>
    Effect.gen(function* () {
      const folder = new Folder()
      folder.write("base/agent-control.json", "[]")
      for (const name of ["logs", "run", "base/state"]) {
        mkdirSync(folder.at(name))
        chmodSync(folder.at(name), 0o755)
      }
      const places = { BASE_PATH: "base", LOG_DIR: folder.at("logs"), LOCK_FILE: folder.at("run/lock") }
      const { closed, failed } = yield* mend(yield* examined(folder, places))
      assert.deepStrictEqual([closed, failed], [[folder.at("base/state")], []])
    })
  )

  it.effect("makes nothing where something else stands in a place of ours, or the base path is not there", () =>
    Effect.gen(function* () {
      const folder = new Folder()
      folder.write("file", "x")
      for (const places of [{ RUNNING_DIR: "file" }, { RUNNING_DIR: "/running" }, { BASE_PATH: "gone" }]) {
        const found = yield* examined(folder, places)
        assert.deepStrictEqual(yield* mend(found), { made: [], closed: [], failed: [] })
        assert.strictEqual(settingsChecks(found).filter(({ level }) => level === "error").length, 1)
      }
      assert.deepStrictEqual(readdirSync(folder.path), ["file"])
    })
  )
})
