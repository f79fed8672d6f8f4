/**
 * Everything that stands on disk about one task, with what its processes showed: the observation's unit for the first
 * step of the decision.
 */
import type { Attempts, StopRecord } from "./Attempts.ts"
import type { Epoch, TaskId } from "./identifiers.ts"
import type { Claim, Lease, LegacyLease } from "./Lease.ts"
import type { Liveness } from "./ProcessIdentity.ts"

/** What was seen of an attempt's processes. */
export interface Evidence {
  readonly supervisor: Liveness
  /** Null when no agent is known by identity. */
  readonly agent: Liveness | null
  /** Living pids of the attempt beside its supervisor: group, session, descendants, token carriers. */
  readonly others: ReadonlyArray<number>
  /** Whether `others` was looked for (twice); an unscanned attempt is not proven dead. */
  readonly scanned: boolean
}

/** What stands in the place of a task's lease, with what was seen of its processes. */
export type LeaseSight =
  | { readonly _tag: "Missing" }
  | {
      readonly _tag: "Unreadable"
      readonly path: string
      readonly problem: string
      /** Its agent's name, where it could still be read: that agent's slot stays taken. */
      readonly agentName: string | null
    }
  | { readonly _tag: "Legacy"; readonly path: string; readonly lease: LegacyLease; readonly liveness: Liveness }
  | { readonly _tag: "Read"; readonly lease: Lease; readonly evidence: Evidence }

/** A claim or tombstone, with what was seen of its processes. */
export type ClaimSight =
  | { readonly _tag: "Unreadable"; readonly epoch: Epoch; readonly path: string; readonly problem: string }
  | { readonly _tag: "Read"; readonly epoch: Epoch; readonly claim: Claim; readonly evidence: Evidence }

/** All that the state directory says of one task, with what was seen of its processes. */
export interface TaskRecord {
  readonly taskId: TaskId
  readonly lease: LeaseSight
  /** By epoch, ascending. */
  readonly claims: ReadonlyArray<ClaimSight>
  readonly stop: StopRecord | null
  readonly attempts: Attempts | null
  /** Why the attempts file can't be read; null when it can or is absent. */
  readonly attemptsProblem: string | null
  /** Evidence of an open start that has neither lease nor claim, found by its token. */
  readonly openStart: Evidence | null
  /** The largest epoch seen anywhere for the task: attempts, lease, claims, logs. 0 when none. */
  readonly epochMax: number
}

/** Proven: nothing of the attempt lives. */
export const isProvenDead = (evidence: Evidence): boolean =>
  evidence.supervisor === "dead" &&
  (evidence.agent === null || evidence.agent === "dead") &&
  evidence.others.length === 0 &&
  evidence.scanned

/** The same for a finished attempt, whose supervisor may live for another moment. */
export const nothingLeft = (evidence: Evidence): boolean =>
  (evidence.agent === null || evidence.agent === "dead") && evidence.others.length === 0 && evidence.scanned
