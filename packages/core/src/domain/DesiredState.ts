/** The desired state: agent pools, limits and policy, all defaults filled in. What configuration decodes to, and all that reconcile knows of it. */
import * as Schema from "effect/Schema"
import { AgentName, QueueName, Seconds } from "./identifiers.ts"

/** By what an attempt's ending is judged: Tinytask's word, the exit code, or a result object in the output. */
export const SuccessPolicy = Schema.Literals(["tinytask", "exit", "json"])
export type SuccessPolicy = typeof SuccessPolicy.Type

const Slots = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 10_000 }))

/** An agent as its entry says, with all defaults filled in. Times in whole seconds. */
export const Agent = Schema.Struct({
  name: AgentName,
  /** The queues it serves; empty in legacy mode. */
  queues: Schema.Array(QueueName),
  /** How many tasks it may run at once; 0 = never. */
  slots: Slots,
  enabled: Schema.Boolean,
  /** The recipe of its entry, else `<name>.yaml`; null for an agent with a command of its own. */
  recipe: Schema.NullOr(Schema.String),
  success: SuccessPolicy,
  maxRuntimeSec: Seconds,
  /** The longest silence of its output; absent = any. */
  idleTimeoutSec: Schema.optionalKey(Seconds),
  stopGraceSec: Seconds,
  /** The signal of the first rung: what the agent ends its work well on. */
  stopSignal: Schema.Literals(["SIGINT", "SIGTERM"]),
  /** Whether each of its attempts is to have a cgroup of its own, where one can be made; absent = no. */
  isolation: Schema.optionalKey(Schema.Literal("cgroup"))
})
export type Agent = typeof Agent.Type

/**
 * Which tasks go first: those that block others, then by priority; or by priority alone. Then the older, then the lower
 * number.
 */
export const TaskOrder = Schema.Literals(["blockers", "priority"])
export type TaskOrder = typeof TaskOrder.Type

/** Whether starts are allowed, and if not, why not. */
export const StartsPolicy = Schema.Literals(["on", "disabled", "drain", "observe-only"])
export type StartsPolicy = typeof StartsPolicy.Type

/** The rules of the decision. Times in whole seconds; see `policyDefaults`. */
export const Policy = Schema.Struct({
  order: TaskOrder,
  parents: Schema.Literals(["wait", "run"]),
  /** Ignore blocking and keep the server's order. */
  disableBlocking: Schema.Boolean,
  starts: StartsPolicy,
  /** At most this many starts in one plan; reaching it is a fact of the plan. */
  startsMax: Schema.Int,
  heartbeatSec: Seconds,
  /** 0 = never give up an attempt whose liveness is unknown. */
  unknownLostSec: Seconds,
  /** How long a lease may stay without a claim. */
  startGraceSec: Seconds,
  /** How long an agent may go on after its task is complete. */
  completeGraceSec: Seconds,
  stopGraceSec: Seconds,
  maxAttempts: Schema.Int,
  maxLost: Schema.Int,
  backoffBaseSec: Seconds,
  backoffMaxSec: Seconds
})
export type Policy = typeof Policy.Type

/** What is wanted: agents, limits and policy, all defaults filled in. All that reconcile knows of configuration. */
export const DesiredState = Schema.Struct({
  /** "queues": agent pools from the control file. "legacy": no control file; assigned tasks only. */
  mode: Schema.Literals(["queues", "legacy"]),
  endpoint: Schema.String,
  agents: Schema.Array(Agent),
  queueLimits: Schema.Array(Schema.Struct({ queue: QueueName, limit: Slots })),
  /** Null = unlimited. */
  maxConcurrent: Schema.NullOr(Slots),
  policy: Policy
})
export type DesiredState = typeof DesiredState.Type

/** The policy where nothing is configured. */
export const policyDefaults: Policy = {
  order: "blockers",
  parents: "wait",
  disableBlocking: false,
  starts: "on",
  startsMax: 200,
  heartbeatSec: 15,
  unknownLostSec: 300,
  startGraceSec: 30,
  completeGraceSec: 120,
  stopGraceSec: 10,
  maxAttempts: 3,
  maxLost: 10,
  backoffBaseSec: 30,
  backoffMaxSec: 3600
}
