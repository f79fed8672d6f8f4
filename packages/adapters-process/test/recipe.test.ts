/** What speaks against a recipe: each fault with its line and field, and nothing against one that Goose takes. */
import { assert, describe, it } from "@effect/vitest"
import { renderLaunch } from "@tinyscheduler/core/domain/AgentLaunch"
import { onTestFinished } from "vitest"
import { formatRecipe } from "../src/recipe/formatRecipe.ts"
import { inspectRecipe, parametersPassed } from "../src/recipe/inspectRecipe.ts"
import { readTemplate } from "../src/recipe/templateVariables.ts"
import { Scene } from "./harness.ts"

const good = `version: "1.0.0"
title: vaela
description: works
prompt: |
  {{ agent_name }}, do task {{ task_id }}.
parameters:
  - key: task_id
    input_type: number
    requirement: required
  - key: agent_name
    input_type: string
    requirement: required
`

const show = (text: string): ReadonlyArray<string> =>
  inspectRecipe(text).map(({ field, level, line, says }) => `${level} ${line ?? "-"} ${field ?? "-"}: ${says}`)

/** More lines at the end of the good one: its list of parameters goes on. */
const more = (lines: string): string => good + lines

describe("a recipe", () => {
  it("that declares and uses what it is given passes, as YAML and as JSON", () => {
    assert.deepStrictEqual(show(good), [])
    const json = {
      version: "1.0.0",
      title: "a",
      description: "b",
      prompt: "{{ task_id }} {{ agent_name }}",
      parameters: parametersPassed.map((key) => ({ key, input_type: "string", requirement: "required" }))
    }
    assert.deepStrictEqual(show(formatRecipe(json, "a.json")), [])
    assert.deepStrictEqual(show(formatRecipe(json, "a.yaml")), [])
  })

  it.each([
    {
      name: "without a prompt, but with instructions",
      text: good.replace("prompt:", "instructions:"),
      says: ["error 1 prompt: is missing; instructions alone do not start a run that nobody watches"]
    },
    {
      name: "with an empty title",
      text: good.replace("title: vaela", "title: ''"),
      says: ["error 2 title: is missing; Goose refuses a recipe without it"]
    },
    {
      name: "without a version",
      text: good.replace('version: "1.0.0"\n', ""),
      says: ['warning 1 version: is missing; write "1.0.0"']
    },
    {
      name: "whose parameter waits for a person",
      text: good.replace("requirement: required", "requirement: user_prompt"),
      says: ["error 9 parameters.1.requirement: is user_prompt, which waits for a person; make it required or optional"]
    },
    {
      name: "whose optional parameter has no default",
      text: more("  - { key: tone, input_type: string, requirement: optional } # {{ tone }}\n"),
      says: ["error 13 parameters.3.default: is missing; tone is optional and needs one"]
    },
    {
      name: "that requires what nobody passes",
      text: more("  - { key: tone, input_type: string, requirement: required } # {{ tone }}\n"),
      says: [
        "error 13 parameters.3.requirement: is required, but only task_id and agent_name are passed: give tone a default"
      ]
    },
    {
      name: "with a parameter that nobody uses",
      text: more("  - { key: tone, input_type: string, requirement: optional, default: dry }\n"),
      says: ["error 13 parameters.3.key: is tone, which the template never uses; Goose refuses that"]
    },
    {
      name: "with a kind of parameter that there is not",
      text: good.replace("input_type: number", "input_type: integer"),
      says: [
        "error 8 parameters.1.input_type: is integer; expected one of string, number, boolean, date, file, select, object, array"
      ]
    },
    {
      name: "with a parameter twice",
      text: more("  - { key: task_id, input_type: number, requirement: required }\n"),
      says: ["error 13 parameters.3.key: is task_id, which is declared twice"]
    },
    {
      name: "that names what it does not declare",
      text: good.replace("do task", "in {{ tone | upper }} do task"),
      says: ["error 5 -: the template names {{ tone }}, which parameters does not declare"]
    },
    {
      name: "that does not declare what it is given",
      text: good.slice(0, good.indexOf("  - key: agent_name")).replace("{{ agent_name }}", "you"),
      says: ["error 7 parameters: does not declare agent_name, which every run is given"]
    },
    {
      name: "that is a list",
      text: "- a\n- b\n",
      says: ["error - -: holds no mapping of title, description, prompt …"]
    },
    { name: "that is empty", text: "", says: ["error - -: holds no mapping of title, description, prompt …"] }
  ])("$name is found out", ({ says, text }) => {
    assert.deepStrictEqual(show(text), says)
  })

  it("that reports to another Tinytask than the scheduler asks is told, wherever this machine's own name differs not", () => {
    const extensions = (uri: string, type = "streamable_http") =>
      `${good}extensions:\n  - type: ${type}\n    name: tinytask\n    uri: ${uri}\n`
    const said = (text: string) => inspectRecipe(text, "http://localhost:3000").map(({ says }) => says)
    assert.deepStrictEqual(said(extensions("http://localhost:3001/mcp")), [
      "is http://localhost:3001/mcp, and the scheduler asks http://localhost:3000"
    ])
    for (const uri of ["http://127.0.0.1:3000/mcp", '"{{ task_id }}"'])
      assert.deepStrictEqual(said(extensions(uri)), [])
    assert.match(
      said(extensions("http://localhost:3000/mcp", "sse"))[0] ?? "",
      /^is sse; expected one of stdio, builtin/
    )
  })

  it("may say things once and point to them", () => {
    const text = good.replace("title: vaela", "title: &name vaela").replace("description: works", "description: *name")
    assert.deepStrictEqual(show(text), [])
  })

  it("that is no YAML is told with its line, and less surely when its template may make it some", () => {
    const [fault] = inspectRecipe("title: a\nprompt: 'open\n")
    assert.deepInclude(fault, { level: "error", field: null })
    assert.isAtLeast(fault?.line ?? 0, 2)
    assert.deepInclude(inspectRecipe("{% if a %}x{% endif %}: 'open\n")[0], { level: "warning" })
  })

  it("is to declare exactly what the launcher passes", () => {
    const scene = new Scene()
    onTestFinished(() => scene.close())
    const launch = {
      command: null,
      gooseBin: "goose",
      recipesDirectory: scene.recipesDir,
      prompt: null,
      cwd: scene.base,
      env: {}
    }
    const { argv } = renderLaunch(launch, scene.lease(), { title: "x", description: null }, { promptFile: "p" })
    const passed = argv.flatMap((word, index) => (argv[index - 1] === "--params" ? [word.replace(/=.*/, "")] : []))
    assert.deepStrictEqual(passed, parametersPassed)
  })
})

describe("the YAML of a recipe", () => {
  it("may use an anchor again: an alias stands for the last one before it", () => {
    const parameter = (key: string) => `&p { key: ${key}, input_type: string, requirement: required }`
    const text = `${good.split("parameters:")[0]}parameters:
  - ${parameter("task_id")}
  - ${parameter("agent_name")}
x: &p { key: none }
`
    assert.deepStrictEqual(show(text), [])
    assert.deepStrictEqual(show(text.replace("x: &p", "extensions: [*p]\nx: &p")), [
      "warning 8 extensions.1.type: is missing; expected one of stdio, builtin, platform, streamable_http, frontend, inline_python"
    ])
  })

  it("has no key twice, at any depth", () => {
    assert.deepStrictEqual(show(more("title: again\n")), ["error 13 -: is not YAML: title stands there twice"])
    assert.deepStrictEqual(show(more("settings:\n  a: 1\n  a: 2\n")), ["error 15 -: is not YAML: a stands there twice"])
  })

  it("lists no more than somebody may have written", () => {
    const many = "  - { type: builtin, name: developer }\n".repeat(101)
    assert.deepStrictEqual(show(more(`extensions:\n${many}`)), ["error 14 extensions: has more than 100 items"])
  })
})

describe("a template", () => {
  it.each([
    ["{{ a }} and {{b|default('c')}}", ["a", "b"]],
    ["{{ a.b.c }} {{ a['d'] }}", ["a"]],
    ["{% for item in items %}{{ item.name }} {{ loop.index }}{% endfor %}", ["items"]],
    ["{% if ready and not done == true %}x{% endif %}", ["ready", "done"]],
    ["{% set x = y %}{{ x }}", ["y"]],
    ["{# {{ hidden }} #}", []],
    ["{{ f(width=3) }} {{ recipe_dir }}", ["f"]],
    ["plain { a } {}", []]
  ] as const)("%s names what it asks for", (text, names) => {
    assert.deepStrictEqual([...readTemplate(text).named.keys()], [...names])
  })

  it("may be anything without taking long, and without an exception", () => {
    const texts = [
      "{{ ".repeat(80_000),
      "{% a %}".repeat(5000),
      "{%%}".repeat(60_000),
      `{% for ${" ".repeat(200_000)} %}`,
      `{{${'"\\'.repeat(100_000)}}}`,
      `x: ${"[".repeat(20_000)}`,
      "a: &a [*a]\n",
      `title: &a { key: x }\nparameters:\n${"- *a\n".repeat(10_000)}`,
      Array.from({ length: 10_000 }, (_, index) => `k${index}: 1`).join("\n")
    ]
    for (const text of texts) {
      assert.isAbove(inspectRecipe(text).length, 0)
    }
  }, 30_000)

  it("leaves lines where they are", () => {
    const text = "a: {{ b }}\n{% if c %}\nd: 'x{{\ne }}'\n{% endif %}\nf: g\n"
    assert.strictEqual(readTemplate(text).plain.split("\n").indexOf("f: g"), text.split("\n").indexOf("f: g"))
    assert.match(readTemplate(text).plain, /^#/m)
  })
})
