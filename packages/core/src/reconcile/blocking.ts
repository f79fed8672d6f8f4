/**
 * Who blocks whom among the open tasks. One blocker per task, so the graph is a forest of trees, some of whose roots are
 * cycles. Counting happens over all open tasks before any filter. Everything here is linear in the number of tasks.
 */
import type { TaskId } from "../domain/identifiers.ts"
import type { Task } from "../domain/Task.ts"

export interface BlockingWeb {
  /** How many unfinished tasks wait for this one, directly or through others. */
  readonly waitingOn: (taskId: TaskId) => number
  /** The open task at the root of what blocks this one; the cycle, where its root is one. */
  readonly rootOf: (
    task: Task
  ) =>
    | { readonly _tag: "Root"; readonly root: TaskId }
    | { readonly _tag: "Cycle"; readonly cycle: ReadonlyArray<TaskId> }
}

/** A blocker counts while it is the server's word that the task is blocked. */
export const blockerOf = (task: Task): TaskId | null => (task.blocked ? task.blockedBy : null)

export const blockingWeb = (tasks: ReadonlyArray<Task>): BlockingWeb => {
  const byId = new Map(tasks.map((task) => [task.id, task] as const))
  const openBlockerOf = (task: Task): Task | undefined => {
    const blocker = blockerOf(task)
    return blocker === null ? undefined : byId.get(blocker)
  }
  const directly = new Map<TaskId, number>()
  for (const task of tasks) {
    const blocker = openBlockerOf(task)
    if (blocker !== undefined) directly.set(blocker.id, (directly.get(blocker.id) ?? 0) + 1)
  }
  const counts = new Map<TaskId, number>()
  const leaves = tasks.filter((task) => openBlockerOf(task) !== undefined && !directly.has(task.id))
  const peeled = new Set<TaskId>()
  for (let task = leaves.pop(); task !== undefined; task = leaves.pop()) {
    peeled.add(task.id)
    const blocker = openBlockerOf(task)
    if (blocker === undefined) continue
    counts.set(blocker.id, (counts.get(blocker.id) ?? 0) + (counts.get(task.id) ?? 0) + 1)
    const left = (directly.get(blocker.id) ?? 1) - 1
    directly.set(blocker.id, left)
    if (left === 0) leaves.push(blocker)
  }
  const cycles = cyclesAmong(tasks, (task) => (peeled.has(task.id) ? undefined : openBlockerOf(task)))
  countCycles(cycles, counts)
  const roots = new Map<TaskId, ReturnType<BlockingWeb["rootOf"]>>()
  return {
    waitingOn: (taskId) => counts.get(taskId) ?? 0,
    rootOf: (task) => findRoot(task, openBlockerOf, cycles, roots)
  }
}

/** Cycles by member; each begins with its smallest id. */
const cyclesAmong = (
  tasks: ReadonlyArray<Task>,
  next: (task: Task) => Task | undefined
): ReadonlyMap<TaskId, ReadonlyArray<TaskId>> => {
  const cycles = new Map<TaskId, ReadonlyArray<TaskId>>()
  const seen = new Set<TaskId>()
  for (const start of tasks) {
    const path: Array<TaskId> = []
    const onPath = new Set<TaskId>()
    let task: Task | undefined = start
    while (task !== undefined && !seen.has(task.id)) {
      seen.add(task.id)
      path.push(task.id)
      onPath.add(task.id)
      task = next(task)
    }
    if (task === undefined || !onPath.has(task.id)) continue
    const members = path.slice(path.indexOf(task.id))
    const smallest = members.reduce((least, id) => (id < least ? id : least))
    const from = members.indexOf(smallest)
    const cycle = [...members.slice(from), ...members.slice(0, from)]
    for (const member of cycle) cycles.set(member, cycle)
  }
  return cycles
}

/** Every member of a cycle is waited for by all other members and by what hangs on them. */
const countCycles = (cycles: ReadonlyMap<TaskId, ReadonlyArray<TaskId>>, counts: Map<TaskId, number>): void => {
  for (const cycle of new Set(cycles.values())) {
    const total = cycle.reduce((sum, member) => sum + 1 + (counts.get(member) ?? 0), 0)
    for (const member of cycle) counts.set(member, total - 1)
  }
}

const findRoot = (
  task: Task,
  openBlockerOf: (task: Task) => Task | undefined,
  cycles: ReadonlyMap<TaskId, ReadonlyArray<TaskId>>,
  roots: Map<TaskId, ReturnType<BlockingWeb["rootOf"]>>
): ReturnType<BlockingWeb["rootOf"]> => {
  const path: Array<TaskId> = []
  let at: Task = task
  for (;;) {
    const known = roots.get(at.id)
    const cycle = cycles.get(at.id)
    const blocker = openBlockerOf(at)
    const found =
      known ??
      (cycle !== undefined
        ? { _tag: "Cycle" as const, cycle }
        : blocker === undefined
          ? // An archived blocker is in no list: it is the root itself.
            { _tag: "Root" as const, root: blockerOf(at) ?? at.id }
          : undefined)
    if (found !== undefined) {
      for (const id of path) roots.set(id, found)
      return found
    }
    path.push(at.id)
    if (blocker === undefined) return { _tag: "Root", root: at.id }
    at = blocker
  }
}
