/**
 * Draws the blocking graph of a situation and of the plan that reconcile made of it. It decides nothing: who blocks whom
 * and how many wait is `blocking`'s word, a task's state is its verdict's. The order of the input's arrays changes nothing.
 */
import type { TaskId } from "../domain/identifiers.ts"
import type { Plan, Verdict, WaitReason } from "../domain/Plan.ts"
import type { Situation } from "../domain/Situation.ts"
import { isOpen } from "../domain/Task.ts"
import type { Task } from "../domain/Task.ts"
import { blockerOf, blockingWeb } from "../reconcile/blocking.ts"
import type { BlockingWeb } from "../reconcile/blocking.ts"
import { describeReason } from "../reconcile/describe.ts"
import type { BlockingGraph, GraphEdge, GraphNode, GraphState } from "./Graph.ts"
import { findCriticalPath } from "./findCriticalPath.ts"
import type { TaskWeight } from "./findCriticalPath.ts"
import { findCycles } from "./findCycles.ts"
import { linksOf } from "./links.ts"

const stateWords: { readonly [K in Verdict["_tag"]]: GraphState } = {
  Start: "start",
  Running: "running",
  Finish: "finish",
  Stop: "stop",
  Reclaim: "reclaim",
  Wait: "waiting",
  Ignore: "ignored"
}

/** Edges tell these already. */
const isDrawn = ({ _tag }: WaitReason): boolean =>
  _tag === "Blocked" || _tag === "BlockingCycle" || _tag === "OpenSubtasks"

const detailOf = (verdict: Verdict): string | null => {
  if (verdict._tag === "Ignore") return "worked on outside"
  if (verdict._tag !== "Wait") return verdict.agent
  const reasons = verdict.reasons.filter((reason) => !isDrawn(reason))
  return reasons.length === 0 ? null : reasons.map(describeReason).join("; ")
}

const edgesOf = (tasks: ReadonlyArray<Task>, parents: "wait" | "run"): ReadonlyArray<GraphEdge> => {
  const open = new Set(tasks.map(({ id }) => id))
  return tasks
    .flatMap((task): ReadonlyArray<GraphEdge> => {
      const blocker = blockerOf(task)
      const parent = parents === "wait" && task.parent !== null && open.has(task.parent) ? task.parent : null
      return [
        ...(blocker === null ? [] : [{ blocker, blocked: task.id, kind: "blocker" as const }]),
        ...(parent === null ? [] : [{ blocker: task.id, blocked: parent, kind: "subtask" as const }])
      ]
    })
    .sort(
      (left, right) =>
        left.blocker - right.blocker ||
        left.blocked - right.blocked ||
        (left.kind === right.kind ? 0 : left.kind < right.kind ? -1 : 1)
    )
}

/** Blockers that are not open: the server says that they block, and no list of open tasks has them. */
const unlistedNodes = (
  edges: ReadonlyArray<GraphEdge>,
  open: ReadonlyMap<TaskId, Task>,
  web: BlockingWeb,
  titles: ReadonlyMap<TaskId, string>
): ReadonlyArray<GraphNode> => {
  const waiting = new Map<TaskId, number>()
  for (const { blocked, blocker } of edges) {
    // Each such task is the root of a tree of its own, so that nothing is counted twice.
    if (!open.has(blocker)) waiting.set(blocker, (waiting.get(blocker) ?? 0) + 1 + web.waitingOn(blocked))
  }
  return [...waiting].map(([taskId, waitingOn]) => ({
    taskId,
    title: titles.get(taskId) ?? "",
    state: "unlisted",
    detail: null,
    waitingOn
  }))
}

/** Titles of tasks that are in no list of open ones, as far as somebody looked them up. */
const titlesOf = ({ observed: { tinytask } }: Situation): ReadonlyMap<TaskId, string> =>
  new Map(
    tinytask._tag === "Unread"
      ? []
      : [...tinytask.lookedUp.flatMap(({ task }) => task ?? []), ...tinytask.tasks].map(({ id, title }) => [id, title])
  )

/** With its cycles and its longest chain. */
export const drawnOf = (
  base: Pick<BlockingGraph, "version" | "tinytask" | "blockingIgnored" | "nodes" | "edges">,
  durationOf: TaskWeight = () => 1
): BlockingGraph => {
  const taskIds = base.nodes.map(({ taskId }) => taskId)
  const links = linksOf(base.edges)
  return {
    ...base,
    cycles: findCycles(taskIds, links),
    criticalPath: findCriticalPath(taskIds, links, durationOf)
  }
}

/** The graph of all open tasks and of whatever blocks one; durations weigh the critical path, else each task counts 1. */
export const blockingGraph = (situation: Situation, plan: Plan, durationOf?: TaskWeight): BlockingGraph => {
  const { desired, observed } = situation
  const tasks = observed.tinytask._tag === "Read" ? observed.tinytask.tasks.filter(isOpen) : []
  const open = new Map(tasks.map((task) => [task.id, task] as const))
  const web = blockingWeb(tasks)
  const verdicts = new Map(plan.verdicts.map((verdict) => [verdict.taskId, verdict] as const))
  const edges = edgesOf(tasks, desired.policy.parents)
  const nodes = tasks.map((task): GraphNode => {
    const verdict = verdicts.get(task.id)
    return {
      taskId: task.id,
      title: task.title,
      state: verdict === undefined ? "waiting" : stateWords[verdict._tag],
      detail: verdict === undefined ? null : detailOf(verdict),
      waitingOn: web.waitingOn(task.id)
    }
  })
  return drawnOf(
    {
      version: 1,
      tinytask: plan.tinytask,
      blockingIgnored: desired.policy.disableBlocking,
      nodes: [...nodes, ...unlistedNodes(edges, open, web, titlesOf(situation))].sort(
        (left, right) => left.taskId - right.taskId
      ),
      edges
    },
    durationOf
  )
}
