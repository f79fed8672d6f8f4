/** The words and pictures of a forecast, and what people may write for one. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { policyDefaults } from "@tinyscheduler/core/domain/DesiredState"
import { givenDurations } from "../src/forecasting/durationFlags.ts"
import { ganttSvg } from "../src/forecasting/ganttSvg.ts"
import { ganttText } from "../src/forecasting/ganttText.ts"
import { readTasksFile } from "../src/forecasting/tasksFile.ts"
import { blocksOf } from "./documents/markdown.ts"

const minute = 60_000
const bar = (taskId: number, from: number, to: number, found = false) => ({
  taskId,
  agent: "vaela",
  startMs: from * minute,
  endMs: to * minute,
  found
})

describe("the picture", () => {
  it("in characters is as wide as it may be, with one bar per task", () => {
    assert.deepStrictEqual(ganttText([bar(1, 0, 10, true), bar(2, 10, 20)], 30).split("\n"), [
      "1 vaela |▓▓▓▓▓▓▓▓▓▓          |",
      "2 vaela |          ██████████|",
      "         now              20m"
    ])
  })

  it("shows the shortest attempt too, at the very end as well", () => {
    const rows = ganttText([bar(1, 0, 1000), bar(2, 1000, 1000)], 40).split("\n")
    assert.match(rows[1] ?? "", / █\|$/)
  })

  it("is cut after two hundred tasks, and says so; of none it is the scale alone", () => {
    const many = Array.from({ length: 203 }, (_, at) => bar(at + 1, at, at + 1))
    assert.include(ganttText(many, 80), "… and 3 more")
    assert.strictEqual(ganttText([], 80).split("\n").length, 1)
  })

  it("as SVG has round moments on its scale, whatever its length", () => {
    const scale = (minutes: number) =>
      [...ganttSvg([bar(1, 0, minutes)], new Map()).matchAll(/middle">([^<]*)</g)].map(([, label]) => label)
    assert.deepStrictEqual(scale(0.2), ["now", "2s", "4s", "6s", "8s", "10s", "12s"])
    assert.deepStrictEqual(scale(375), ["now", "1h", "2h", "3h", "4h", "5h", "6h"])
    assert.deepStrictEqual(scale(1441), ["now", "6h", "12h", "18h", "1d"])
    assert.deepStrictEqual(scale(366 * 1440), ["now", "49d", "98d", "147d", "196d", "245d", "294d", "343d"])
  })

  it("as SVG names the agent in its bar, else after it, else before it", () => {
    const svg = ganttSvg([bar(1, 0, 60), bar(2, 0, 1), bar(3, 59, 60)], new Map())
    assert.match(svg, /x="264" y="44" fill="#fff">vaela</)
    assert.match(svg, /x="276" y="64">vaela</)
    assert.match(svg, /x="964" y="84" text-anchor="end">vaela</)
  })

  it("as SVG holds no markup and no control character of a title", () => {
    const svg = ganttSvg([bar(1, 0, 10)], new Map([[1, `<script>"&'\u001b[31m`]]))
    assert.include(svg, "&lt;script&gt;&quot;&amp;&#39;\\u001b[31m")
    assert.notInclude(svg, "<script>")
    assert.strictEqual(svg.split("<rect").length, 3)
  })
})

const desired = {
  mode: "queues" as const,
  endpoint: "",
  agents: [],
  queueLimits: [],
  maxConcurrent: null,
  policy: policyDefaults
}

it("--duration is for all, or for a name that is known; a queue's name may hold an =", () => {
  const queues = new Set(["dev", "a=b"])
  const { faults, given } = givenDurations(
    ["5m", "dev=1h", "a=b=2h", "nope=1m", "dev=soon"],
    new Map(),
    queues,
    desired
  )
  assert.deepStrictEqual(
    [given.ofAll?.ms, given.byName.get("dev")?.ms, given.byName.get("a=b")?.ms],
    [5 * minute, 60 * minute, 120 * minute]
  )
  assert.match(faults[0] ?? "", /no agent and no queue has that name; there are: a=b, dev$/)
  assert.match(faults[1] ?? "", /expected a length of time/)
})

const readText = (text: string) =>
  Effect.acquireUseRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "forecast-"))),
    (directory) => {
      writeFileSync(join(directory, "tasks.json"), text, { mode: 0o600 })
      return readTasksFile(join(directory, "tasks.json"), 1_772_366_400_000)
    },
    (directory) =>
      Effect.sync(() => {
        rmSync(directory, { recursive: true })
      })
  )

describe("--tasks", () => {
  it.effect("takes the example of the page", () =>
    Effect.gen(function* () {
      const example = blocksOf("docs/commands.md").find(({ text }) => text.includes('"blockedBy"'))
      const { tasks } = yield* readText(example?.text ?? "")
      assert.deepStrictEqual([tasks.length, tasks.at(-1)?.blockedBy], [13, 12])
    })
  )

  it.effect("stands for as many tasks as its entries count", () =>
    Effect.gen(function* () {
      const entries = [
        { queue: "dev", count: 2, duration: "1h±5m" },
        { queue: "docs", blockedBy: 1, title: "t", priority: 3, assignee: "vaela" }
      ]
      const { durations, tasks } = yield* readText(JSON.stringify({ tasks: entries }))
      assert.deepStrictEqual(
        tasks.map(({ blocked, blockedBy, id, queue, title }) => [id, title, queue, blocked, blockedBy]),
        [
          [1, "dev 1.1", "dev", false, null],
          [2, "dev 1.2", "dev", false, null],
          [3, "t", "docs", true, 2]
        ]
      )
      assert.deepStrictEqual([...durations.keys()], [1, 2])
      assert.isTrue((tasks[0]?.createdAt ?? "") < (tasks[1]?.createdAt ?? ""))
    })
  )

  it.effect.each([
    ["{}", /holds no list of tasks/],
    ["[]", /names no task/],
    ["[", /is not JSON/],
    ['[{"count":1}]', /entry 1: queue/],
    ['[{"queue":"dev"},{"queue":"dev","count":0}]', /entry 2: count/],
    ['[{"queue":"dev","many":2}]', /entry 1: knows no field "many"; there are: queue, title/],
    ['[{"queue":"dev","blockedBy":2}]', /entry 1: blockedBy: 2 is the number of no entry/],
    ['[{"queue":"dev","duration":"soon"}]', /entry 1: duration: expected a length of time/],
    ['[{"queue":"dev","count":20000},{"queue":"dev"}]', /names 20001 tasks/],
    ["[7]", /entry 1: /]
  ] as const)("%s is refused in a sentence", ([text, sentence]) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(readText(text))
      assert.match(error.message, sentence)
    })
  )
})
