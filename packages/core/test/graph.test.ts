/** The texts of the blocking graph, and its bounds. What holds of every graph is in graph.property.ts. */
import { describe, expect, it } from "vitest"
import { TaskId } from "../src/domain/identifiers.ts"
import { blockingGraph } from "../src/graph/blockingGraph.ts"
import { graphDot } from "../src/graph/graphDot.ts"
import { graphMermaid } from "../src/graph/graphMermaid.ts"
import { graphText, graphTextAround } from "../src/graph/graphText.ts"
import { linkedPart, partAround } from "../src/graph/partOfGraph.ts"
import { attempts, oneAgent, task, taskId, world } from "./builders.ts"
import type { WorldBuilder } from "./builders.ts"

const graphOf = (builder: WorldBuilder) => blockingGraph(builder.build(), builder.plan())

const blockedBy = (id: number) => ({ blockedBy: taskId(id), blocked: true })

/** A bit of everything: a chain below what runs, a parked root, a parent, a cycle, an archived blocker, a task alone. */
const mixed = () =>
  oneAgent()
    .addRunning(1, "ada", { title: "Design" })
    .addTask(2, { title: "Build", ...blockedBy(1) })
    .addTask(3, { title: "Test", ...blockedBy(2), parent: taskId(5) })
    .addTask(4, { title: "Paint", parent: taskId(5) })
    .addTask(5, { title: 'Release "one"' })
    .addTask(6, { title: "Hen", ...blockedBy(7) })
    .addTask(7, { title: "Egg", ...blockedBy(6) })
    .addTask(8, { title: "Breakfast", ...blockedBy(7) })
    .addTask(9, { title: "Heir", ...blockedBy(90) })
    .addLookedUp(90, { title: "Ancestor", archived: true })
    .addTask(10, { title: "Alone" })
    .addTask(11, { title: "Mend" })
    .addAttempts(11, attempts(11, null, { parked: { since: "2026-03-01T11:00:00Z", outcome: "failed", count: 3 } }))
    .addTask(12, { title: "Sell", ...blockedBy(11) })

describe("the text", () => {
  it("draws what blocks above what it blocks, with states and reasons, cycles told, loners left out", () => {
    expect(graphText(linkedPart(graphOf(mixed()))).split("\n")).toEqual([
      "12 tasks, 8 of them wait for others",
      "longest chain, 4 tasks: 1 → 2 → 3 → 5",
      "blocking cycle 6 > 7 > 6: each waits for the next",
      "",
      "1 running (ada)  Design  [2 wait for it]",
      "└─ 2 waiting  Build  [1 waits for it]",
      "   └─ 3 waiting  Test",
      '      └─ 5 waiting  Release "one"',
      "4 waiting (no free slot: queue dev 1/1)  Paint",
      '└─ 5 waiting  Release "one"',
      "11 waiting (parked after 3 (failed))  Mend  [1 waits for it]",
      "└─ 12 waiting  Sell",
      "90 unlisted  Ancestor  [1 waits for it]",
      "└─ 9 waiting  Heir",
      "6 waiting  Hen  [2 wait for it]",
      "└─ 7 waiting  Egg  [2 wait for it]",
      "   ├─ 6 waiting  Hen  [2 wait for it]  (see above)",
      "   └─ 8 waiting  Breakfast"
    ])
  })

  it("of all has those too that nobody waits for", () => {
    expect(graphText(graphOf(mixed()))).toContain("\n10 waiting (no free slot: queue dev 1/1)  Alone\n")
  })

  it("around a task says what it waits for and what waits for it", () => {
    const part = partAround(graphOf(mixed()), taskId(3))
    expect(part === null ? [] : graphTextAround(part, taskId(3)).split("\n")).toEqual([
      "4 tasks, 3 of them wait for others",
      "longest chain, 4 tasks: 1 → 2 → 3 → 5",
      "",
      "3 waiting  Test",
      "waits for",
      "└─ 2 waiting  Build  [1 waits for it]",
      "   └─ 1 running (ada)  Design  [2 wait for it]",
      "is waited for by",
      '└─ 5 waiting  Release "one"'
    ])
  })

  it("says so where nothing is to be drawn, and where policy ignores blockers", () => {
    expect(graphText(graphOf(world()))).toBe("0 tasks, 0 of them wait for others")
    const ignoring = oneAgent().addTask(1).addTask(2, blockedBy(1)).withPolicy({ disableBlocking: true })
    expect(graphText(graphOf(ignoring))).toContain("blocking is disabled: no blocker keeps a task from starting")
  })

  it("finds a parent that its own subtask waits for: the verdicts name each wait alone", () => {
    const deadlock = oneAgent()
      .addTask(1)
      .addTask(2, { parent: taskId(1), ...blockedBy(1) })
    expect(graphText(graphOf(deadlock))).toContain("blocking cycle 1 > 2 > 1: each waits for the next")
  })

  it("draws a subtask that is its parent's blocker too once, though it is two edges", () => {
    const twice = graphOf(
      oneAgent()
        .addTask(1, { parent: taskId(2) })
        .addTask(2, blockedBy(1))
    )
    expect(twice.edges.map(({ kind }) => kind)).toEqual(["blocker", "subtask"])
    expect(twice.criticalPath.taskIds).toEqual([1, 2])
    expect(graphText(twice).split("\n").slice(3)).toEqual([
      "1 start (ada)  task 1  [1 waits for it]",
      "└─ 2 waiting  task 2"
    ])
  })

  it("draws no edge from subtasks where parents may run", () => {
    const running = oneAgent()
      .addTask(1)
      .addTask(2, { parent: taskId(1) })
      .withPolicy({ parents: "run" })
    expect(graphOf(running).edges).toEqual([])
  })

  it("cuts long titles between characters, and after them escapes", () => {
    const text = graphText(
      graphOf(
        oneAgent()
          .addTask(1, { title: "👨‍👩‍👧‍👦".repeat(40) })
          .addTask(2, { title: "\u001b".repeat(99) })
      )
    )
    expect(text).toContain("…")
    expect(text).not.toContain("\\ud83d")
    expect(text).toContain("\\u001b")
  })
})

describe("a graph without end", () => {
  const size = 100_000
  /** Each with a blocker of its own; the plan is another test's matter. */
  const huge = (blockerOf: (id: number) => number | null) => {
    const numbers = Array.from({ length: size }, (_, index) => TaskId.make(index + 1))
    const tasks = numbers.map((id) => {
      const number = blockerOf(id)
      const blockedBy = number === null ? null : (numbers[number - 1] ?? null)
      return { ...task(1), id, blockedBy, blocked: blockedBy !== null }
    })
    const { desired, observed } = world().build()
    return blockingGraph(
      { observed: { ...observed, tinytask: { _tag: "Read", tasks, lookedUp: [] } }, desired },
      world().plan()
    )
  }

  it("is drawn in bounds: a chain of a hundred thousand", () => {
    const graph = huge((id) => (id === 1 ? null : id - 1))
    expect(graph.criticalPath.length).toBe(size)
    const lines = graphText(graph).split("\n")
    expect(lines[1]).toBe(
      "longest chain, 100000 tasks: 1 → 2 → 3 → 4 → 5 → 6 → … → 99995 → 99996 → 99997 → 99998 → 99999 → 100000"
    )
    expect(lines.length).toBe(17)
    expect(lines.at(-1)).toBe(`${" ".repeat(36)}└─ … 1 more, see: tinyscheduler graph 13`)
  })

  it("is drawn in bounds: a ring of a hundred thousand", () => {
    const graph = huge((id) => (id === 1 ? size : id - 1))
    expect(graph.cycles.map(({ members, path }) => [members.length, path.length])).toEqual([[size, size]])
    expect(graph.criticalPath).toEqual({ taskIds: [], length: 0 })
    expect(graphText(graph).split("\n").length).toBe(17)
  })

  it("is drawn in bounds: a hundred thousand that wait for one", () => {
    const graph = huge((id) => (id === 1 ? null : 1))
    expect(graphText(graph).split("\n").at(-1)).toBe("└─ … 99969 more, see: tinyscheduler graph 1")
  })
})

describe("pictures", () => {
  const small = () =>
    linkedPart(
      graphOf(
        oneAgent()
          .addRunning(1, "ada", { title: 'Say "hi" & <go>' })
          .addTask(2, { title: "a\\b", ...blockedBy(1), parent: taskId(3) })
          .addTask(3)
          .addTask(6, blockedBy(7))
          .addTask(7, blockedBy(6))
      )
    )

  it("Mermaid: a class for each state, thick arrows for the longest chain, a border for cycles", () => {
    expect(graphMermaid(small()).split("\n")).toEqual([
      "graph LR",
      '  t1["1 Say #34;hi#34; #38; #60;go#62;"]:::running',
      '  t2["2 a#92;b"]:::waiting',
      '  t3["3 task 3"]:::waiting',
      '  t6["6 task 6"]:::waiting',
      '  t7["7 task 7"]:::waiting',
      "  t1 ==> t2",
      "  t2 ==> t3",
      "  t6 --> t7",
      "  t7 --> t6",
      "  classDef running fill:#c8e6c9,stroke:#555,color:#222",
      "  classDef waiting fill:#f5f5f5,stroke:#555,color:#222",
      "  classDef cycle stroke:#c62828,stroke-width:3px",
      "  class t6 cycle",
      "  class t7 cycle"
    ])
  })

  it("DOT: the same for Graphviz", () => {
    expect(graphDot(small()).split("\n")).toEqual([
      "digraph blocking {",
      "  rankdir=LR",
      '  node [shape=box, style="rounded,filled", fontname="Helvetica"]',
      '  1 [label="1 Say &quot;hi&quot; &amp; &lt;go&gt;\\nrunning", fillcolor="#c8e6c9"]',
      '  2 [label="2 a\\\\b\\nwaiting", fillcolor="#f5f5f5"]',
      '  3 [label="3 task 3\\nwaiting", fillcolor="#f5f5f5"]',
      '  6 [label="6 task 6\\nwaiting", fillcolor="#f5f5f5", color="#c62828", penwidth=3]',
      '  7 [label="7 task 7\\nwaiting", fillcolor="#f5f5f5", color="#c62828", penwidth=3]',
      "  1 -> 2 [penwidth=3]",
      "  2 -> 3 [style=dashed, penwidth=3]",
      "  6 -> 7",
      "  7 -> 6",
      "}"
    ])
  })
})
