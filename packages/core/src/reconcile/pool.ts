/**
 * The agents of one pool in the order in which they are chosen: fewest queues served, then most free slots, then least
 * recently used, then name. A binary heap whose keys only ever get worse while a plan is made: an entry whose key is
 * out of date is pushed back with its present one, so choosing costs O(log agents).
 */
import type { Agent } from "../domain/DesiredState.ts"

export interface Candidate {
  readonly agent: Agent
  /** When it last started anything; 0 = never. */
  readonly lastStartMs: number
}

interface Entry extends Candidate {
  readonly free: number
  readonly usedInPlan: number
}

/** What changes about an agent while a plan is made. */
export interface AgentProgress {
  readonly free: (agent: string) => number
  /** Counts its starts in this plan: each makes it the most recently used. */
  readonly startedInPlan: (agent: string) => number
}

const before = (left: Entry, right: Entry): boolean => {
  // 1 fewest queues
  if (left.agent.queues.length !== right.agent.queues.length) {
    return left.agent.queues.length < right.agent.queues.length
  }
  // 2 most free slots
  if (left.free !== right.free) return left.free > right.free
  // 3 least recently used
  if (left.usedInPlan !== right.usedInPlan) return left.usedInPlan < right.usedInPlan
  if (left.lastStartMs !== right.lastStartMs) return left.lastStartMs < right.lastStartMs
  // 4 name
  return left.agent.name < right.agent.name
}

export interface AgentPool {
  readonly agents: ReadonlyArray<Agent>
  /** The agent that takes the next task; undefined when none has a free slot. */
  readonly choose: () => Agent | undefined
}

export const agentPool = (candidates: ReadonlyArray<Candidate>, progress: AgentProgress): AgentPool => {
  const heap: Array<Entry> = []
  const current = (candidate: Candidate): Entry => ({
    agent: candidate.agent,
    lastStartMs: candidate.lastStartMs,
    free: progress.free(candidate.agent.name),
    usedInPlan: progress.startedInPlan(candidate.agent.name)
  })
  for (const candidate of candidates) push(heap, current(candidate))
  return {
    agents: candidates.map(({ agent }) => agent),
    choose: () => {
      for (let top = heap[0]; top !== undefined; top = heap[0]) {
        const now = current(top)
        if (now.free === top.free && now.usedInPlan === top.usedInPlan && now.free > 0) return top.agent
        pop(heap)
        if (now.free > 0) push(heap, now)
      }
      return undefined
    }
  }
}

const push = (heap: Array<Entry>, entry: Entry): void => {
  let at = heap.length
  heap.push(entry)
  while (at > 0) {
    const parentAt = (at - 1) >> 1
    const parent = heap[parentAt]
    if (parent === undefined || !before(entry, parent)) break
    heap[at] = parent
    at = parentAt
  }
  heap[at] = entry
}

const pop = (heap: Array<Entry>): void => {
  const last = heap.pop()
  if (last === undefined || heap.length === 0) return
  let at = 0
  for (;;) {
    const leftAt = 2 * at + 1
    const left = heap[leftAt]
    const right = heap[leftAt + 1]
    const least = right !== undefined && left !== undefined && before(right, left) ? right : left
    if (least === undefined || !before(least, last)) break
    heap[at] = least
    at = least === left ? leftAt : leftAt + 1
  }
  heap[at] = last
}
