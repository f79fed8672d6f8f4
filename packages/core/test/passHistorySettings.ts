/** What is configured in a history, and the changes that people make to it while everything runs. */
import { policyDefaults } from "../src/domain/DesiredState.ts"
import type { DesiredState, StartsPolicy, TaskOrder } from "../src/domain/DesiredState.ts"
import { QueueName } from "../src/domain/identifiers.ts"
import { agent, desiredWith } from "./passHarness.ts"

export interface Settings {
  readonly slots: number
  readonly agents: ReadonlyArray<"ada" | "both" | "cleo">
  readonly adaServes: "dev" | "ops"
  /** The limit of the queue ops; null = none. */
  readonly opsLimit: number | null
  readonly heartbeatSec: number
  readonly idleTimeoutSec: number | null
  readonly maxRuntimeSec: number
  readonly maxAttempts: number
  readonly starts: StartsPolicy
  readonly order: TaskOrder
  /** Whether each attempt gets a cgroup of its own. */
  readonly isolated: boolean
}

export const settingsAtFirst: Settings = {
  slots: 2,
  agents: ["ada", "both"],
  adaServes: "dev",
  opsLimit: null,
  heartbeatSec: 15,
  idleTimeoutSec: null,
  maxRuntimeSec: 300,
  maxAttempts: 4,
  starts: "on",
  order: "blockers",
  isolated: false
}

/** One edit of the configuration each. */
export const changes = {
  "no slots": { slots: 0 },
  "one slot": { slots: 1 },
  "two slots": { slots: 2 },
  "three slots": { slots: 3 },
  "ada alone": { agents: ["ada"] },
  "both alone": { agents: ["both"] },
  "three agents": { agents: ["ada", "both", "cleo"] },
  "ada serves ops": { adaServes: "ops" },
  "one at ops": { opsLimit: 1 },
  "fast beats": { heartbeatSec: 5 },
  "slow beats": { heartbeatSec: 60 },
  "idle timeout": { idleTimeoutSec: 40 },
  "no idle timeout": { idleTimeoutSec: null },
  "short runs": { maxRuntimeSec: 45 },
  "one attempt": { maxAttempts: 1 },
  drain: { starts: "drain" },
  "starts again": { starts: "on" },
  "by priority": { order: "priority" },
  isolated: { isolated: true },
  "not isolated": { isolated: false },
  "as at first": settingsAtFirst
} satisfies { readonly [name: string]: Partial<Settings> }

export type Change = keyof typeof changes

export const changeNames = Object.keys(changes).filter((name): name is Change => name in changes)

const queues = { dev: QueueName.make("dev"), ops: QueueName.make("ops") }

export const desiredBy = (settings: Settings, unknown: "gives up" | "never gives up"): DesiredState => {
  const { adaServes, idleTimeoutSec, maxRuntimeSec, slots } = settings
  const limits = {
    maxRuntimeSec,
    ...(settings.isolated ? { isolation: "cgroup" as const } : {}),
    ...(idleTimeoutSec === null ? {} : { idleTimeoutSec })
  }
  const entries = {
    ada: agent("ada", { ...limits, slots, queues: [queues[adaServes]] }),
    both: agent("both", { ...limits, slots: Math.min(slots, 1), queues: [queues.dev, queues.ops] }),
    cleo: agent("cleo", { ...limits, slots: 1, queues: [queues.dev] })
  }
  return desiredWith({
    agents: settings.agents.map((name) => entries[name]),
    queueLimits: settings.opsLimit === null ? [] : [{ queue: queues.ops, limit: settings.opsLimit }],
    maxConcurrent: slots + 1,
    policy: {
      backoffMaxSec: 120,
      unknownLostSec: unknown === "gives up" ? policyDefaults.unknownLostSec : 0,
      maxAttempts: settings.maxAttempts,
      heartbeatSec: settings.heartbeatSec,
      starts: settings.starts,
      order: settings.order
    }
  })
}
