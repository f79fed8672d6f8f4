/**
 * A round as parts: a flat map from a key to a part's JSON text. What a plan was made of and the plan itself change little
 * from one round to the next, so a record tells only the parts that did; and a part is the unit in which a cause is told:
 * "task/17", "agent/ada", "policy".
 */
import type { Plan } from "../domain/Plan.ts"
import type { Situation } from "../domain/Situation.ts"
import type { TaskRecord } from "../domain/TaskRecord.ts"

/** A round as parts: what each is about, and its JSON text. */
export type Parts = ReadonlyMap<string, string>

/** The kinds of parts of which there are several, each keyed by what follows the slash. */
export type ListedPart =
  | "task"
  | "lookedUp"
  | "record"
  | "beat"
  | "agentRecord"
  | "recipe"
  | "startFault"
  | "agent"
  | "verdict"
  | "action"
  | "agentUsage"
  | "queueUsage"

/** Those of which there is one. */
export type SolePart =
  | "clock"
  | "here"
  | "tinytask"
  | "paused"
  | "requests"
  | "starts"
  | "server"
  | "limits"
  | "policy"
  | "plan"

const planKinds: ReadonlySet<string> = new Set(["plan", "verdict", "action", "agentUsage", "queueUsage"])

/** The kind of a part, from its key. */
export const kindOf = (key: string): string => {
  const slash = key.indexOf("/")
  return slash < 0 ? key : key.slice(0, slash)
}

/** Whether a part belongs to the plan, and not to what the plan was made of. */
export const isOfPlan = (key: string): boolean => planKinds.has(kindOf(key))

/** A place in an order, as a key: four digits do for what people read, and more come after them. */
export const placeOf = (index: number): string => String(index).padStart(6, "0")

class Gathering {
  readonly parts = new Map<string, string>()
  sole(key: SolePart, value: object): void {
    this.parts.set(key, JSON.stringify(value))
  }
  listed<A extends object>(
    kind: ListedPart,
    items: ReadonlyArray<A>,
    nameOf: (item: A, index: number) => string
  ): void {
    for (const [index, item] of items.entries()) {
      const name = `${kind}/${nameOf(item, index)}`
      // Two of one name are for reconcile to judge, not for the record to lose.
      const key = this.parts.has(name) ? `${name}~${index}` : name
      this.parts.set(key, JSON.stringify(item))
    }
  }
}

/** What a beat of a supervisor changes, every few seconds, in a lease that stays the same otherwise. */
const beatFields = ["lastHeartbeat", "beatMonoMs", "lastOutput", "silentMs"] as const

interface Halves {
  readonly record: object
  readonly beat: object | null
}

/** A record without the beat of its lease, and the beat by itself. The fields stay where they stand, as null. */
const halvesOf = (record: TaskRecord): Halves => {
  if (record.lease._tag !== "Read" || record.lease.lease.phase === "starting") return { record, beat: null }
  const { lease } = record.lease
  const beat: Record<string, unknown> = {}
  const rest: Record<string, unknown> = { ...lease }
  for (const field of beatFields) {
    if (!(field in lease)) continue
    beat[field] = lease[field]
    rest[field] = null
  }
  return { record: { ...record, lease: { ...record.lease, lease: rest } }, beat: { taskId: record.taskId, beat } }
}

const byTask = ({ taskId }: { readonly taskId: number }): string => String(taskId)

/** The parts of what a plan was made of. */
export const situationParts = ({ desired, observed }: Situation): Parts => {
  const gathering = new Gathering()
  const { tinytask } = observed
  gathering.sole("clock", { nowMs: observed.nowMs, monoMs: observed.monoMs })
  gathering.sole("here", observed.here)
  gathering.sole("tinytask", tinytask._tag === "Unread" ? tinytask : { _tag: "Read" })
  gathering.sole("paused", { paused: observed.paused })
  gathering.sole("requests", { requests: observed.requests })
  gathering.sole("starts", { startsOffReason: observed.startsOffReason })
  gathering.sole("server", { mode: desired.mode, endpoint: desired.endpoint })
  gathering.sole("limits", { maxConcurrent: desired.maxConcurrent, queueLimits: desired.queueLimits })
  gathering.sole("policy", desired.policy)
  if (tinytask._tag === "Read") {
    gathering.listed("task", tinytask.tasks, ({ id }) => String(id))
    gathering.listed("lookedUp", tinytask.lookedUp, byTask)
  }
  const halves = observed.records.map((record) => ({ taskId: record.taskId, ...halvesOf(record) }))
  for (const { beat, record, taskId } of halves) {
    gathering.listed("record", [record], () => String(taskId))
    if (beat !== null) gathering.listed("beat", [beat], () => String(taskId))
  }
  gathering.listed("agentRecord", observed.agents, ({ agentName }) => agentName)
  gathering.listed("recipe", observed.recipes, ({ recipe }) => recipe)
  gathering.listed("startFault", observed.startFaults, ({ token }) => token)
  gathering.listed("agent", desired.agents, ({ name }) => name)
  return gathering.parts
}

/** The parts of a plan. Actions and usage stand in their order: it belongs to the plan. Verdicts go by task. */
export const planParts = ({ actions, usage, verdicts, ...head }: Plan): Parts => {
  const gathering = new Gathering()
  gathering.sole("plan", { ...head, total: usage.total })
  gathering.listed("verdict", verdicts, byTask)
  gathering.listed("action", actions, (_action, index) => placeOf(index))
  gathering.listed("agentUsage", usage.agents, (_usage, index) => placeOf(index))
  gathering.listed("queueUsage", usage.queues, (_usage, index) => placeOf(index))
  return gathering.parts
}

export const partsOf = (situation: Situation, plan: Plan): Parts =>
  new Map([...situationParts(situation), ...planParts(plan)])
