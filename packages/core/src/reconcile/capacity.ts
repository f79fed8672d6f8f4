/**
 * Step 4, capacity: what is held now, and how much each agent, queue and the whole may still start. Held alone may exceed
 * a limit that was lowered: then nothing is free, never less than nothing.
 */
import type { DesiredState } from "../domain/DesiredState.ts"
import type { Usage } from "../domain/Plan.ts"

export interface Hold {
  readonly agent: string | null
  readonly queue: string | null
}

/** Counts of what is held and started, and the limits over them. The assignment step adds its starts here. */
export interface Ledger {
  readonly freeOfAgent: (agent: string) => number
  readonly agentUsage: (agent: string) => { readonly used: number; readonly slots: number }
  /** The first limit that leaves no room for one more start in this queue. */
  readonly fullLimits: (
    queue: string | null
  ) => ReadonlyArray<
    | { readonly _tag: "GlobalLimit"; readonly used: number; readonly limit: number }
    | { readonly _tag: "QueueLimit"; readonly queue: string; readonly used: number; readonly limit: number }
  >
  readonly start: (agent: string, queue: string | null) => void
  readonly usage: () => {
    readonly agents: ReadonlyArray<Usage>
    readonly queues: ReadonlyArray<Usage>
    readonly total: Usage
  }
}

interface Counter {
  readonly limit: number | null
  held: number
  started: number
}

const used = (counter: Counter): number => counter.held + counter.started

const counterIn = (counters: Map<string, Counter>, name: string, limit: number | null): Counter => {
  const known = counters.get(name)
  if (known !== undefined) return known
  const counter: Counter = { limit, held: 0, started: 0 }
  counters.set(name, counter)
  return counter
}

const listed = (counters: ReadonlyMap<string, Counter>): ReadonlyArray<Usage> =>
  [...counters]
    .map(([name, { held, limit, started }]) => ({ name, held, started, limit }))
    .sort((left, right) => (left.name < right.name ? -1 : 1))

export const ledgerOf = (holds: ReadonlyArray<Hold>, desired: DesiredState): Ledger => {
  const agents = new Map<string, Counter>(
    desired.agents.map((agent) => [agent.name, { limit: agent.slots, held: 0, started: 0 }])
  )
  const queues = new Map<string, Counter>(
    desired.queueLimits.map(({ limit, queue }) => [queue, { limit, held: 0, started: 0 }])
  )
  const total: Counter = { limit: desired.maxConcurrent, held: holds.length, started: 0 }
  for (const hold of holds) {
    // An agent that left the control file has no slots, and still holds what it runs.
    if (hold.agent !== null) counterIn(agents, hold.agent, 0).held += 1
    if (hold.queue !== null) counterIn(queues, hold.queue, null).held += 1
  }
  return {
    freeOfAgent: (agent) => {
      const counter = agents.get(agent)
      return counter === undefined ? 0 : Math.max(0, (counter.limit ?? 0) - used(counter))
    },
    agentUsage: (agent) => {
      const counter = agents.get(agent)
      return counter === undefined ? { used: 0, slots: 0 } : { used: used(counter), slots: counter.limit ?? 0 }
    },
    fullLimits: (queue) => {
      const counter = queue === null ? undefined : queues.get(queue)
      return [
        ...(total.limit !== null && used(total) >= total.limit
          ? [{ _tag: "GlobalLimit" as const, used: used(total), limit: total.limit }]
          : []),
        ...(queue !== null && counter !== undefined && counter.limit !== null && used(counter) >= counter.limit
          ? [{ _tag: "QueueLimit" as const, queue, used: used(counter), limit: counter.limit }]
          : [])
      ]
    },
    start: (agent, queue) => {
      counterIn(agents, agent, 0).started += 1
      if (queue !== null) counterIn(queues, queue, null).started += 1
      total.started += 1
    },
    usage: () => ({
      agents: listed(agents),
      queues: listed(queues),
      total: { name: "total", held: total.held, started: total.started, limit: total.limit }
    })
  }
}
