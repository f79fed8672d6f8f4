import { execFileSync } from "node:child_process"
import { chmodSync, symlinkSync, truncateSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "fast-check"
import { decodeAgentControl, parseAgentControl, readAgentControl } from "../src/AgentControl.ts"
import { makePaths, put } from "./fixture.ts"

const decode = (value: unknown) => decodeAgentControl("agent-control.json", value)
const oscar = { agentName: "oscar", agentType: "qa" }

describe("the control file", () => {
  it("the four agents of the first README need nothing more", () => {
    const control = decode([
      { agentName: "vaela", agentType: "dev" },
      { agentName: "damien", agentType: "dev" },
      oscar,
      { agentName: "sage", agentType: ["product", "qa", "product"] }
    ])
    assert.deepStrictEqual(
      control.entries.map((entry) => [
        String(entry.name),
        entry.queues.join(),
        entry.slots,
        entry.enabled,
        entry.isolation
      ]),
      [
        ["vaela", "dev", null, true, "none"],
        ["damien", "dev", null, true, "none"],
        ["oscar", "qa", null, true, "none"],
        ["sage", "product,qa", null, true, "none"]
      ]
    )
    assert.deepStrictEqual([control.faults, control.warnings], [[], []])
  })

  it("an entry may say everything about its agent", () => {
    const { entries, faults, warnings } = decode([
      {
        ...oscar,
        slots: 3,
        recipe: "qa.v2.yaml",
        command: ["claude", "-p", "--task={{taskId}}", "{{promptFile}}"],
        prompt: "You are {{agent}} on {{queue}}.",
        cwd: "work",
        env: { A: "1", _b2: "" },
        success: "exit",
        maxRuntimeSec: 60,
        idleTimeoutSec: 0,
        stopSignal: "SIGTERM",
        stopGraceSec: 5,
        isolation: "cgroup",
        enabled: false,
        comment: "the night shift"
      }
    ])
    assert.deepStrictEqual([faults, warnings], [[], []])
    assert.deepStrictEqual(entries[0], {
      name: entries[0]!.name,
      queues: entries[0]!.queues,
      slots: 3,
      recipe: "qa.v2.yaml",
      command: ["claude", "-p", "--task={{taskId}}", "{{promptFile}}"],
      prompt: "You are {{agent}} on {{queue}}.",
      cwd: "work",
      env: { A: "1", _b2: "" },
      success: "exit",
      maxRuntimeSec: 60,
      idleTimeoutSec: 0,
      stopSignal: "SIGTERM",
      stopGraceSec: 5,
      isolation: "cgroup",
      enabled: false,
      comment: "the night shift"
    })
  })

  it("tells all faults at once, each in one line with entry, agent and field", () => {
    const { entries, faults } = decode([
      { agentName: "vaela", agentType: "dev" },
      5,
      { agentName: "oscar" },
      { agentType: "qa", slots: -1 },
      { agentName: "-rf", agentType: [], recipe: "../x.yaml" },
      { ...oscar, command: ["run", "{{task}}"], prompt: "{{}}", env: { "A=B": "1" }, success: "maybe", enabled: "yes" }
    ])
    assert.strictEqual(entries.length, 1)
    assert.deepStrictEqual(faults, [
      "agent-control.json: entry 2: is 5; expected an object",
      'agent-control.json: entry 3 ("oscar"): agentType is missing; expected a queue name or a list of them (1 to 128 characters, no control characters)',
      "agent-control.json: entry 4: agentName is missing; expected a name of letters, digits, _ and -, not beginning with -, at most 64 characters",
      "agent-control.json: entry 4: slots is -1; expected a whole number from 0 to 10000",
      'agent-control.json: entry 5 ("-rf"): agentName is "-rf"; expected a name of letters, digits, _ and -, not beginning with -, at most 64 characters',
      'agent-control.json: entry 5 ("-rf"): agentType is an empty list; expected a queue name or a list of them (1 to 128 characters, no control characters)',
      'agent-control.json: entry 5 ("-rf"): recipe is "../x.yaml"; expected the name of a .yaml or .json file in the recipes directory, without slashes',
      'agent-control.json: entry 6 ("oscar"): success is "maybe"; expected "tinytask", "exit" or "json"',
      'agent-control.json: entry 6 ("oscar"): enabled is "yes"; expected true or false',
      'agent-control.json: entry 6 ("oscar"): env names the variable "A=B"; expected letters, digits and _, not beginning with a digit',
      'agent-control.json: entry 6 ("oscar"): command names the placeholder {{task}}, which is not known; known are taskId, agent, queue, attempt, recipe, promptFile, endpoint',
      'agent-control.json: entry 6 ("oscar"): prompt names the placeholder {{}}, which is not known; known are taskId, agent, queue, attempt, recipe, promptFile, endpoint'
    ])
  })

  it.each([
    ["a newline after the name", { ...oscar, agentName: "oscar\n" }],
    ["a control character in the queue", { ...oscar, agentType: "q\u0000a" }],
    ["a recipe with a path", { ...oscar, recipe: "a/b.yaml" }],
    ["a recipe that is hidden", { ...oscar, recipe: ".yaml" }],
    ["a recipe of another kind", { ...oscar, recipe: "a.yml" }],
    ["a recipe with a newline", { ...oscar, recipe: "a.yaml\n" }],
    ["no program", { ...oscar, command: [] }],
    ["an empty program", { ...oscar, command: [""] }],
    ["a command line instead of a list", { ...oscar, command: "rm -rf /" }],
    ["a null character in an argument", { ...oscar, command: ["a", "b\u0000"] }],
    ["a prototype as a variable", { ...oscar, env: JSON.parse('{"__proto__": "x"}') as unknown }],
    ["a number as a variable", { ...oscar, env: { A: 1 } }],
    ["half a slot", { ...oscar, slots: 0.5 }],
    ["a signal that nothing survives", { ...oscar, stopSignal: "SIGKILL" }],
    ["a negative time", { ...oscar, maxRuntimeSec: -1 }]
  ])("refuses %s", (_name, entry) => {
    const { entries, faults } = decode([entry])
    assert.strictEqual(entries.length, 0)
    assert.strictEqual(faults.length, 1)
    assert.notMatch(faults[0]!, /\p{Cc}/u)
  })

  it("warns of unknown fields, of prototype keys too, and of names that are the scheduler's", () => {
    const entry: unknown = JSON.parse(
      '{"agentName": "oscar", "agentType": "qa", "slot": 3, "__proto__": {"slots": 5}, "constructor": 1, "env": {"TINYSCHEDULER_LEASE": "x"}}'
    )
    const { entries, warnings } = decode([entry])
    assert.strictEqual(entries[0]!.slots, null)
    assert.deepStrictEqual(warnings, [
      'agent-control.json: entry 1 ("oscar"): "slot" is not a known field and is ignored; did you mean slots?',
      'agent-control.json: entry 1 ("oscar"): "__proto__" is not a known field and is ignored',
      'agent-control.json: entry 1 ("oscar"): "constructor" is not a known field and is ignored',
      'agent-control.json: entry 1 ("oscar"): env sets TINYSCHEDULER_LEASE, a name that belongs to the scheduler'
    ])
    // What would be inherited is no field.
    assert.strictEqual(
      decode([JSON.parse('{"__proto__": {"agentName": "oscar", "agentType": "qa"}}')]).faults.length,
      2
    )
  })

  it("entries of one agent add their queues when all else agrees, and are an error when not", () => {
    const merged = decode([
      { ...oscar, slots: 2, env: { A: "1", B: "2" } },
      { ...oscar, agentType: ["dev", "qa"], slots: 2, env: { B: "2", A: "1" }, comment: "dev too" },
      { ...oscar, slots: 2, env: { A: "1", B: "2" } }
    ])
    assert.deepStrictEqual(merged.faults, [])
    assert.deepStrictEqual(
      merged.entries.map((entry) => `${entry.name} ${entry.queues.join()}`),
      ["oscar qa,dev"]
    )
    assert.deepStrictEqual(merged.warnings, ['agent-control.json: entry 3 ("oscar"): repeats entry 1'])
    const conflicting = decode([oscar, { ...oscar, slots: 3, recipe: "b.yaml" }])
    assert.deepStrictEqual(conflicting.faults, [
      'agent-control.json: entry 2 ("oscar"): slots, recipe: differs from entry 1, the same agent\'s'
    ])
  })

  it("of a list or of variables it names the one to blame, and repeats no value that may be a secret", () => {
    const { faults } = decode([
      { ...oscar, agentType: ["qa", ""], command: ["run", 7], env: { API_KEY: 4711, OK: "x", LIST: ["hush"] } },
      { ...oscar, command: ["run", "--key=hush\u0000"], env: "hush" }
    ])
    assert.deepStrictEqual(faults, [
      'agent-control.json: entry 1 ("oscar"): item 2 of agentType is ""; expected a queue name (1 to 128 characters, no control characters)',
      'agent-control.json: entry 1 ("oscar"): item 2 of command is a number; expected a text',
      'agent-control.json: entry 1 ("oscar"): env.API_KEY is a number; expected a text',
      'agent-control.json: entry 1 ("oscar"): env.LIST is a list; expected a text',
      'agent-control.json: entry 2 ("oscar"): item 2 of command is a text with a null character; expected a text',
      'agent-control.json: entry 2 ("oscar"): env is a text; expected an object of variable names and texts'
    ])
  })

  it("warns of a prompt that reaches nobody", () => {
    const { faults, warnings } = decode([
      { ...oscar, prompt: "Hello." },
      { ...oscar, agentName: "sage", prompt: "Hello.", command: ["run", "{{taskId}}"] },
      { ...oscar, agentName: "vaela", prompt: "Hello.", command: ["run", "--file={{promptFile}}"] }
    ])
    assert.deepStrictEqual(faults, [])
    assert.deepStrictEqual(warnings, [
      'agent-control.json: entry 1 ("oscar"): prompt reaches nobody: Goose takes its recipe\'s',
      'agent-control.json: entry 2 ("sage"): prompt reaches nobody: no argument of command names {{promptFile}}'
    ])
  })

  it("refuses a field that stands twice, of which the last one would win in silence", () => {
    const text = `[
      { "agentName": "oscar", "agentType": "qa", "slots": 1, "slots": 2, "env": { "A": "1", "A": "2" } }
    ]`
    assert.deepStrictEqual(parseAgentControl("agent-control.json", text).faults, [
      'agent-control.json: entry 1 ("oscar"): slots stands there twice, again in line 2',
      'agent-control.json: entry 1 ("oscar"): env.A stands there twice, again in line 2'
    ])
  })

  it("says what else than a list it is", () => {
    assert.deepStrictEqual(decode({ agents: [] }).faults, [
      "agent-control.json: is an object; expected a list of entries"
    ])
    assert.deepStrictEqual(decode(null).faults, ["agent-control.json: is null; expected a list of entries"])
    assert.deepStrictEqual(decode([]), { entries: [], warnings: [], faults: [] })
  })

  it("any JSON is either understood or told, never thrown at", () => {
    const value = fc.oneof(
      fc.jsonValue(),
      fc.record({
        agentName: fc.constant("a"),
        agentType: fc.jsonValue(),
        env: fc.jsonValue(),
        command: fc.jsonValue()
      })
    )
    fc.assert(
      fc.property(fc.array(value, { maxLength: 5 }), (entries) => {
        const control = decode(JSON.parse(JSON.stringify(entries)))
        assert.isTrue(control.faults.length > 0 || control.entries.length > 0 || entries.length === 0)
        for (const line of [...control.faults, ...control.warnings]) assert.notMatch(line, /[\p{Cc}\u2028]/u)
      })
    )
  })

  it.live("is read from its file: none is null, and whatever is no file is one sentence", () =>
    Effect.gen(function* () {
      const { base } = yield* makePaths
      const path = join(base, "agent-control.json")
      const fault = Effect.map(Effect.flip(readAgentControl(path)), (error) => error.message)
      assert.strictEqual(yield* readAgentControl(path), null)
      put(path, `\ufeff${JSON.stringify([oscar])}`, 0o664)
      assert.strictEqual((yield* readAgentControl(path))?.entries.length, 1)
      put(path, JSON.stringify([oscar, 1, 2]))
      assert.strictEqual(yield* fault, "agent-control.json: entry 2: is 1; expected an object (and 1 more)")
      put(path, '[{ "agentName": "oscar",\n  agentType: "qa" }]')
      assert.strictEqual(
        yield* fault,
        'agent-control.json: is not JSON: line 2, column 3: found "a", expected a name in double quotation marks'
      )
      put(path, "")
      assert.strictEqual(yield* fault, "agent-control.json: is empty; expected a list of entries, [] if there are none")
      truncateSync(path, 1024 ** 3)
      assert.strictEqual(yield* fault, "agent-control.json: is larger than 1 MiB")
      chmodSync(put(path, "[]"), 0o666)
      assert.strictEqual(
        yield* fault,
        "agent-control.json: can be written by everybody, who could run anything by it; chmod o-w it"
      )
      execFileSync("sh", ["-c", 'rm "$0" && mkfifo "$0"', path])
      assert.strictEqual(yield* fault, "agent-control.json: is a named pipe, not a file")
      execFileSync("rm", [path])
      symlinkSync(put(join(base, "elsewhere"), "[]"), path)
      assert.strictEqual(
        yield* fault,
        "agent-control.json: is a symbolic link, which is not followed; put the file itself there, or name it by TINYSCHEDULER_AGENT_CONTROL_FILE"
      )
    })
  )
})
