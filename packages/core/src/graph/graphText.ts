/**
 * The graph for a terminal: what blocks stands above what it blocks, one task a line. A task that waits for several stands
 * in full where it comes first. Bounded in depth and in width; what is left out is said.
 */
import { escapeText } from "../domain/plainText.ts"
import type { TaskId } from "../domain/identifiers.ts"
import type { BlockingGraph, CriticalPath, GraphCycle, GraphNode } from "./Graph.ts"
import { linksOf } from "./links.ts"
import { shownTitle } from "./shownTitle.ts"

const depthMax = 12
const widthMax = 30
const listMax = 12

type Next = (taskId: TaskId) => ReadonlyArray<TaskId>
type LineOf = (taskId: TaskId) => string

const counted = (count: number, one: string, more: string): string => `${count} ${count === 1 ? one : more}`

const lineOfNode = ({ detail, state, taskId, title, waitingOn }: GraphNode): string =>
  [
    `${taskId} ${state}`,
    ...(detail === null ? [] : [` (${escapeText(detail)})`]),
    ...(title === "" ? [] : [`  ${shownTitle(title)}`]),
    ...(waitingOn === 0 ? [] : [`  [${waitingOn} ${waitingOn === 1 ? "waits" : "wait"} for it]`])
  ].join("")

interface Branch {
  readonly text: string
  /** Null: a line that says what is left out. */
  readonly taskId: TaskId | null
  readonly stem: string
  readonly depth: number
}

/** The branches below a task, the last drawn as the last. */
const branchesBelow = (taskId: TaskId, stem: string, depth: number, next: Next, lineOf: LineOf): Array<Branch> => {
  const below = next(taskId)
  const shown = depth < depthMax ? below.slice(0, widthMax) : []
  const left = below.length - shown.length
  const items: ReadonlyArray<readonly [string, TaskId | null]> = [
    ...shown.map((child) => [lineOf(child), child] as const),
    ...(left === 0 ? [] : [[`… ${left} more, see: tinyscheduler graph ${taskId}`, null] as const])
  ]
  return items.map(([line, child], index) => {
    const isLast = index === items.length - 1
    return {
      text: `${stem}${isLast ? "└─ " : "├─ "}${line}`,
      taskId: child,
      stem: `${stem}${isLast ? "   " : "│  "}`,
      depth: depth + 1
    }
  })
}

/** The tree below one task, without the task itself; what was drawn before is named and not drawn again. */
const treeBelow = (root: TaskId, next: Next, lineOf: LineOf, drawn: Set<TaskId>): ReadonlyArray<string> => {
  drawn.add(root)
  const lines: Array<string> = []
  const rest = branchesBelow(root, "", 0, next, lineOf).toReversed()
  for (let branch = rest.pop(); branch !== undefined; branch = rest.pop()) {
    const isAgain = branch.taskId !== null && drawn.has(branch.taskId)
    const isLeaf = branch.taskId === null || next(branch.taskId).length === 0
    lines.push(isAgain && !isLeaf ? `${branch.text}  (see above)` : branch.text)
    if (branch.taskId === null || isAgain) continue
    drawn.add(branch.taskId)
    rest.push(...branchesBelow(branch.taskId, branch.stem, branch.depth, next, lineOf).toReversed())
  }
  return lines
}

const cycleLine = ({ members, path }: GraphCycle): string => {
  const shown = path.length <= listMax ? [...path, path[0] ?? ""] : [...path.slice(0, listMax), "…", path[0] ?? ""]
  const more = members.length > path.length ? `, among ${members.length} tasks that wait for each other` : ""
  return `blocking cycle ${shown.join(" > ")}${more}: each waits for the next`
}

const chainLine = ({ taskIds }: CriticalPath): string => {
  const half = listMax / 2
  const shown = taskIds.length <= listMax ? taskIds : [...taskIds.slice(0, half), "…", ...taskIds.slice(-half)]
  return `longest chain, ${counted(taskIds.length, "task", "tasks")}: ${shown.join(" → ")}`
}

const headOf = (graph: BlockingGraph): ReadonlyArray<string> => {
  const waiting = new Set(graph.edges.map(({ blocked }) => blocked)).size
  return [
    `${counted(graph.nodes.length, "task", "tasks")}, ${waiting} of them ${waiting === 1 ? "waits" : "wait"} for others`,
    ...(graph.criticalPath.taskIds.length < 2 ? [] : [chainLine(graph.criticalPath)]),
    ...graph.cycles.slice(0, listMax).map(cycleLine),
    ...(graph.cycles.length <= listMax ? [] : [`… ${graph.cycles.length - listMax} more blocking cycles`]),
    ...(graph.blockingIgnored ? ["blocking is disabled: no blocker keeps a task from starting"] : [])
  ]
}

const linesByTask = (graph: BlockingGraph): LineOf => {
  const nodes = new Map(graph.nodes.map((node) => [node.taskId, node] as const))
  return (taskId) => {
    const node = nodes.get(taskId)
    return node === undefined ? `${taskId}` : lineOfNode(node)
  }
}

/** The whole graph: a tree from each task that waits for none, then one from each cycle that hangs on nothing drawn yet. */
export const graphText = (graph: BlockingGraph): string => {
  const links = linksOf(graph.edges)
  const lineOf = linesByTask(graph)
  const drawn = new Set<TaskId>()
  const roots = graph.nodes.map(({ taskId }) => taskId).filter((taskId) => links.blockersOf(taskId).length === 0)
  const trees = roots.map((root) => [lineOf(root), ...treeBelow(root, links.waitersOf, lineOf, drawn)])
  for (const { path } of graph.cycles) {
    const [first] = path
    if (first === undefined || drawn.has(first)) continue
    trees.push([lineOf(first), ...treeBelow(first, links.waitersOf, lineOf, drawn)])
  }
  return [...headOf(graph), ...(trees.length === 0 ? [] : ["", ...trees.flat()])].join("\n")
}

/** What one task waits for, and what waits for it: of the part of the graph around it. */
export const graphTextAround = (graph: BlockingGraph, taskId: TaskId): string => {
  const links = linksOf(graph.edges)
  const lineOf = linesByTask(graph)
  const before = treeBelow(taskId, links.blockersOf, lineOf, new Set())
  const after = treeBelow(taskId, links.waitersOf, lineOf, new Set())
  return [
    ...headOf(graph),
    "",
    lineOf(taskId),
    ...(before.length === 0 ? ["waits for no other task"] : ["waits for", ...before]),
    ...(after.length === 0 ? ["no other task waits for it"] : ["is waited for by", ...after])
  ].join("\n")
}
