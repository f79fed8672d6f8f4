/**
 * What must hold of every blocking graph, tried on whole random worlds and on dense small webs. RUNS (default 500) and SEED
 * come from the environment: the test command sees the same ones each time.
 */
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import type { TaskId } from "../src/domain/identifiers.ts"
import { isOpen } from "../src/domain/Task.ts"
import type { Task } from "../src/domain/Task.ts"
import { blockingGraph } from "../src/graph/blockingGraph.ts"
import type { BlockingGraph } from "../src/graph/Graph.ts"
import { dotText, graphDot } from "../src/graph/graphDot.ts"
import { graphMermaid, mermaidText } from "../src/graph/graphMermaid.ts"
import { graphText, graphTextAround } from "../src/graph/graphText.ts"
import { linkedPart, partAround } from "../src/graph/partOfGraph.ts"
import { blockingWeb } from "../src/reconcile/blocking.ts"
import { reconcile } from "../src/reconcile/reconcile.ts"
import { taskId, world } from "./builders.ts"
import type { World } from "./builders.ts"
import { findUncleanLine, hostileTexts } from "./hostileValues.ts"
import { shuffledWorlds, worlds } from "./worlds.ts"

const parameters = {
  numRuns: Number(process.env["RUNS"] ?? 500),
  seed: Number(process.env["SEED"] ?? 20_261_123)
}

const graphOf = (situation: World, durationOf?: (id: TaskId) => number): BlockingGraph =>
  blockingGraph(situation, reconcile(situation.observed, situation.desired), durationOf)

const openTasks = ({ observed: { tinytask } }: World): ReadonlyArray<Task> =>
  tinytask._tag === "Read" ? tinytask.tasks.filter(isOpen) : []

const texts = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)) }),
  fc.constantFrom(...Object.values(hostileTexts)),
  fc
    .tuple(fc.string(), fc.constantFrom('"', "\\", '\\"', "\n", '"]', "%%{init: {}}%%", "<b>", "`"))
    .map((pair) => pair.join(""))
)

/** Few tasks with many links: fans of subtasks, cycles through blockers, through parents and through both. */
const webs = fc
  .array(
    fc.record({
      blockedBy: fc.option(fc.integer({ min: 1, max: 9 }), { freq: 2 }),
      parent: fc.option(fc.integer({ min: 1, max: 7 }), { freq: 2 }),
      title: texts,
      duration: fc.integer({ min: 0, max: 5 })
    }),
    { maxLength: 7 }
  )
  .map((drawn) => {
    const builder = world()
    for (const [index, { blockedBy, parent, title }] of drawn.entries()) {
      builder.addTask(index + 1, {
        title,
        blockedBy: blockedBy === null ? null : taskId(blockedBy),
        blocked: blockedBy !== null,
        parent: parent === null ? null : taskId(parent)
      })
    }
    return { situation: builder.build(), durationOf: (id: TaskId) => drawn[id - 1]?.duration ?? 1 }
  })

/** All that a task waits for, found without haste. */
const naiveBefore = ({ edges }: BlockingGraph, id: TaskId): ReadonlySet<TaskId> => {
  const found = new Set<TaskId>()
  const visit = (at: TaskId): void => {
    for (const { blocked, blocker } of edges) {
      if (blocked !== at || found.has(blocker)) continue
      found.add(blocker)
      visit(blocker)
    }
  }
  visit(id)
  return found
}

/** The length of the longest chain that ends with a task which waits for no cycle. */
const naiveLongest = (graph: BlockingGraph, durationOf: (id: TaskId) => number): number => {
  const isIn = (id: TaskId): boolean => naiveBefore(graph, id).has(id)
  const ends = (id: TaskId): boolean => !isIn(id) && ![...naiveBefore(graph, id)].some(isIn)
  const upTo = (id: TaskId): number =>
    durationOf(id) +
    Math.max(0, ...graph.edges.filter(({ blocked }) => blocked === id).map(({ blocker }) => upTo(blocker)))
  return Math.max(
    0,
    ...graph.nodes
      .map(({ taskId: id }) => id)
      .filter(ends)
      .map(upTo)
  )
}

const hasEdge = ({ edges }: BlockingGraph, blocker: TaskId | undefined, blocked: TaskId | undefined): boolean =>
  edges.some((edge) => edge.blocker === blocker && edge.blocked === blocked)

describe("the blocking graph of any world", () => {
  it("has an edge for each blocker of an open task and each open subtask of an open parent, and no other", () => {
    fc.assert(
      fc.property(worlds(), (situation) => {
        const tasks = openTasks(situation)
        const expected = tasks.flatMap((task) => [
          ...(task.blocked && task.blockedBy !== null ? [`${task.blockedBy} blocker ${task.id}`] : []),
          ...(situation.desired.policy.parents === "wait" && tasks.some(({ id }) => id === task.parent)
            ? [`${task.id} subtask ${task.parent}`]
            : [])
        ])
        const drawn = graphOf(situation).edges.map(({ blocked, blocker, kind }) => `${blocker} ${kind} ${blocked}`)
        expect([...drawn].sort()).toEqual(expected.sort())
      }),
      parameters
    )
  })

  it("has a node for each open task and for each blocker that is not open, with the counts of the order of starts", () => {
    fc.assert(
      fc.property(worlds(), (situation) => {
        const tasks = openTasks(situation)
        const web = blockingWeb(tasks)
        const { edges, nodes } = graphOf(situation)
        const listed = nodes.filter(({ state }) => state !== "unlisted")
        const ids = tasks.map(({ id }) => id)
        expect(listed.map((node) => node.taskId)).toEqual(ids.toSorted((left, right) => left - right))
        for (const node of listed) expect(node.waitingOn).toBe(web.waitingOn(node.taskId))
        const others = nodes.filter(({ state }) => state === "unlisted").map((node) => node.taskId)
        const named = edges.map(({ blocker }) => blocker).filter((id) => !ids.includes(id))
        expect(others).toEqual([...new Set(named)].toSorted((left, right) => left - right))
      }),
      parameters
    )
  })

  it("shows a cycle for each that keeps a task waiting", () => {
    fc.assert(
      fc.property(worlds(), (situation) => {
        const { cycles, edges } = graphOf(situation)
        for (const verdict of reconcile(situation.observed, situation.desired).verdicts) {
          for (const reason of verdict._tag === "Wait" ? verdict.reasons : []) {
            if (reason._tag !== "BlockingCycle") continue
            const cycle = cycles.find(({ members }) => members.includes(verdict.taskId))
            expect(cycle?.members).toEqual(expect.arrayContaining([...reason.cycle]))
            // A parent may offer a shorter way round.
            const isByBlockersAlone = edges.every(
              ({ blocked, kind }) => kind === "blocker" || !cycle?.members.includes(blocked)
            )
            if (isByBlockersAlone) expect(cycle?.path).toEqual(reason.cycle)
          }
        }
      }),
      parameters
    )
  })

  it("is the same whatever the order of the input, and so is every picture of it", () => {
    fc.assert(
      fc.property(shuffledWorlds(), ([situation, shuffled]) => {
        const [graph, again] = [graphOf(situation), graphOf(shuffled)]
        expect(JSON.stringify(again)).toBe(JSON.stringify(graph))
        for (const draw of [graphText, graphMermaid, graphDot]) expect(draw(again)).toBe(draw(graph))
      }),
      parameters
    )
  })
})

describe("the blocking graph of a dense web", () => {
  it("has in its cycles exactly the tasks that wait for themselves, and each cycle is one", () => {
    fc.assert(
      fc.property(webs, ({ situation }) => {
        const graph = graphOf(situation)
        const inCycles = graph.cycles.flatMap(({ members }) => members)
        const naive = graph.nodes.map((node) => node.taskId).filter((id) => naiveBefore(graph, id).has(id))
        expect(inCycles.toSorted((left, right) => left - right)).toEqual(naive)
        for (const { members, path } of graph.cycles) {
          expect(path[0]).toBe(members[0])
          expect(new Set(path).size).toBe(path.length)
          for (const [index, id] of path.entries()) {
            expect(members).toContain(id)
            expect(hasEdge(graph, path[(index + 1) % path.length], id)).toBe(true)
          }
        }
      }),
      parameters
    )
  })

  it("has a critical path that is a chain, and none is longer, by number and by duration", () => {
    fc.assert(
      fc.property(webs, ({ durationOf, situation }) => {
        for (const weigh of [undefined, durationOf]) {
          const graph = graphOf(situation, weigh)
          const { length, taskIds } = graph.criticalPath
          for (const [index, id] of taskIds.slice(1).entries()) expect(hasEdge(graph, taskIds[index], id)).toBe(true)
          expect(length).toBe(taskIds.reduce((sum, id) => sum + (weigh?.(id) ?? 1), 0))
          expect(length).toBe(naiveLongest(graph, weigh ?? (() => 1)))
        }
      }),
      parameters
    )
  })

  it("around one task is what it waits for and what waits for it", () => {
    fc.assert(
      fc.property(webs, ({ situation }) => {
        const graph = graphOf(situation)
        for (const { taskId: id } of graph.nodes) {
          const part = partAround(graph, id)
          const expected = graph.nodes
            .map((node) => node.taskId)
            .filter((other) => other === id || naiveBefore(graph, id).has(other) || naiveBefore(graph, other).has(id))
          expect(part?.nodes.map((node) => node.taskId)).toEqual(expected)
        }
        expect(partAround(graph, taskId(77))).toBeNull()
      }),
      parameters
    )
  })
})

describe("a picture of any titles", () => {
  it("has on each line what belongs there and nothing else", () => {
    fc.assert(
      fc.property(webs, ({ situation }) => {
        const graph = graphOf(situation)
        const [first] = graph.nodes
        const drawn = [graphText(graph), graphMermaid(graph), graphDot(graph)]
        if (first !== undefined) drawn.push(graphTextAround(graph, first.taskId))
        for (const text of drawn) expect(findUncleanLine(text)).toBeNull()
        for (const line of graphMermaid(graph).split("\n").slice(1)) {
          expect(line).toMatch(
            /^ {2}(?:t\d+\["(?:[\p{L}\p{M}\p{N} .,_()…-]|#\d+;)*"\]:::[a-z]+|t\d+ (?:-->|-\.->|==>) t\d+|classDef [a-z]+ [a-z:#0-9,-]+|class t\d+ cycle)$/u
          )
        }
        for (const line of graphDot(graph).split("\n").slice(3, -1)) {
          expect(line).toMatch(
            /^ {2}(?:\d+ \[label="(?:[^"\\]|\\\\)*\\n[a-z]+", fillcolor="#[0-9a-f]+"(?:, color="#c62828", penwidth=3)?\]|\d+ -> \d+(?: \[[a-z0-9=, ]+\])?)$/
          )
        }
      }),
      parameters
    )
  })

  it("shows each title as it was: what was escaped is read back", () => {
    fc.assert(
      fc.property(texts, (title) => {
        const fromMermaid = mermaidText(title).replace(/#(\d+);/g, (_, code: string) =>
          String.fromCodePoint(Number(code))
        )
        expect(fromMermaid).toBe(title)
        const fromDot = dotText(title)
          .replaceAll("\\\\", "\\")
          .replaceAll("&gt;", ">")
          .replaceAll("&lt;", "<")
          .replaceAll("&quot;", '"')
          .replaceAll("&amp;", "&")
        expect(fromDot).toBe(title)
      }),
      parameters
    )
  })

  it("of the linked part leaves out exactly what neither blocks nor is blocked", () => {
    fc.assert(
      fc.property(worlds(), (situation) => {
        const graph = graphOf(situation)
        const linked = new Set(graph.edges.flatMap(({ blocked, blocker }) => [blocked, blocker]))
        expect(linkedPart(graph).nodes).toEqual(graph.nodes.filter((node) => linked.has(node.taskId)))
        expect(linkedPart(graph).edges).toEqual(graph.edges)
      }),
      parameters
    )
  })
})
