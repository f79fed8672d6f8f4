/**
 * The form of each part of a recorded situation: our own field names, so that writing a record encodes nothing. What stands
 * in files already has a Schema; here are those of what was only ever seen.
 */
import * as Schema from "effect/Schema"
import { AgentRecord, Attempts, Pause, StopRecord } from "../domain/Attempts.ts"
import { Agent, DesiredState } from "../domain/DesiredState.ts"
import { Epoch, TaskId, Token } from "../domain/identifiers.ts"
import { Claim, LeaseFile, LegacyLease } from "../domain/Lease.ts"
import { HostIdentity, Liveness } from "../domain/ProcessIdentity.ts"
import { RequestFile } from "../domain/Request.ts"
import { Task } from "../domain/Task.ts"

export const ClockPart = Schema.Struct({ nowMs: Schema.Finite, monoMs: Schema.Finite })

export const TinytaskPart = Schema.Union([
  Schema.Struct({ _tag: Schema.Literal("Unread"), reason: Schema.String }),
  Schema.Struct({ _tag: Schema.Literal("Read") })
])

export const TaskPart = Task

export const LookedUpPart = Schema.Struct({ taskId: TaskId, task: Schema.NullOr(Task) })

const Evidence = Schema.Struct({
  supervisor: Liveness,
  agent: Schema.NullOr(Liveness),
  others: Schema.Array(Schema.Int),
  scanned: Schema.Boolean
})

const Lease = Schema.toType(LeaseFile)

const LeaseSight = Schema.Union([
  Schema.Struct({ _tag: Schema.Literal("Missing") }),
  Schema.Struct({
    _tag: Schema.Literal("Unreadable"),
    path: Schema.String,
    problem: Schema.String,
    agentName: Schema.NullOr(Schema.String)
  }),
  Schema.Struct({ _tag: Schema.Literal("Legacy"), path: Schema.String, lease: LegacyLease, liveness: Liveness }),
  Schema.Struct({ _tag: Schema.Literal("Read"), lease: Lease, evidence: Evidence })
])

const ClaimSight = Schema.Union([
  Schema.Struct({
    _tag: Schema.Literal("Unreadable"),
    epoch: Epoch,
    path: Schema.String,
    problem: Schema.String
  }),
  Schema.Struct({ _tag: Schema.Literal("Read"), epoch: Epoch, claim: Claim, evidence: Evidence })
])

export const RecordPart = Schema.Struct({
  taskId: TaskId,
  lease: LeaseSight,
  claims: Schema.Array(ClaimSight),
  stop: Schema.NullOr(StopRecord),
  attempts: Schema.NullOr(Schema.toType(Attempts)),
  attemptsProblem: Schema.NullOr(Schema.String),
  openStart: Schema.NullOr(Evidence),
  epochMax: Schema.Finite
})

export const AgentRecordPart = AgentRecord

export const PausedPart = Schema.Struct({ paused: Schema.NullOr(Pause) })

export const RequestsPart = Schema.Struct({ requests: Schema.Array(Schema.toType(RequestFile)) })

export const RecipePart = Schema.Struct({
  recipe: Schema.String,
  path: Schema.String,
  state: Schema.Literals(["present", "missing", "outside"])
})

export const StartFaultPart = Schema.Struct({
  taskId: TaskId,
  token: Token,
  kind: Schema.Literals(["void", "failed"]),
  reason: Schema.String
})

export const StartsPart = Schema.Struct({ startsOffReason: Schema.NullOr(Schema.String) })

export const HerePart = HostIdentity

const { endpoint, maxConcurrent, mode, policy, queueLimits } = DesiredState.fields

export const AgentPart = Agent

export const ServerPart = Schema.Struct({ mode, endpoint })

export const LimitsPart = Schema.Struct({ maxConcurrent, queueLimits })

export const PolicyPart = policy
