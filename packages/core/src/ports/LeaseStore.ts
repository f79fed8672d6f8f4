/**
 * The port to leases, claims and stop records. Leases of a living attempt belong to its supervisor; the scheduler writes
 * one only as an intent, or under its own tombstone, or when the attempt is proven dead. Every write first confirms
 * that the scheduler still holds its lock.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { StopRecord } from "../domain/Attempts.ts"
import type { Epoch, TaskId, Token } from "../domain/identifiers.ts"
import type { Claim, Lease, LegacyLease, StartingLease } from "../domain/Lease.ts"
import type { StateUnreadable, StateWriteError } from "./StateError.ts"

/** There is a lease of this task already: nothing was written. */
export class LeaseTaken extends Schema.TaggedError<LeaseTaken>()("LeaseTaken", { taskId: Schema.Int }) {
  override get message() {
    return `task ${this.taskId} has a lease already`
  }
}

/** A lease file as it was read: odd ones are told, never dropped. */
export type StoredLease =
  | { readonly _tag: "Missing" }
  | {
      readonly _tag: "Unreadable"
      readonly path: string
      readonly problem: string
      readonly agentName: string | null
    }
  | { readonly _tag: "Legacy"; readonly path: string; readonly lease: LegacyLease }
  | { readonly _tag: "Read"; readonly lease: Lease }

/** A claim file as it was read. */
export type StoredClaim =
  | { readonly _tag: "Unreadable"; readonly epoch: Epoch; readonly path: string; readonly problem: string }
  | { readonly _tag: "Read"; readonly epoch: Epoch; readonly claim: Claim }

/** Everything that leases, claims and stops say of one task. */
export interface StoredTask {
  readonly taskId: TaskId
  readonly lease: StoredLease
  /** By epoch, ascending. */
  readonly claims: ReadonlyArray<StoredClaim>
  /** By epoch, ascending. An unreadable stop record is left out: the ladder then begins anew. */
  readonly stops: ReadonlyArray<StopRecord>
}

/**
 * Keeps leases, claims and stop records, durably. A directory entry that can be made once decides between two writers.
 */
export class LeaseStore extends Context.Service<
  LeaseStore,
  {
    /** Every task that has a lease, a claim or a stop record, by task id. One reading of each directory. */
    readonly scan: Effect.Effect<ReadonlyArray<StoredTask>, StateUnreadable>
    /** One task, read again: before acting, and after a probe that found its processes dead. */
    readonly read: (taskId: TaskId) => Effect.Effect<StoredTask, StateUnreadable>
    /** Creates the intent. link(2) decides: never over an existing lease. */
    readonly create: (lease: StartingLease) => Effect.Effect<void, LeaseTaken | StateWriteError>
    /** Renames what stands at a lease's path aside (never deleted), so that the lease can be made anew. */
    readonly setLeaseAside: (taskId: TaskId) => Effect.Effect<void, StateWriteError>
    /** Links a tombstone. "exists": a claim or tombstone of this epoch was there first. */
    readonly tombstone: (claim: Claim) => Effect.Effect<"won" | "exists", StateWriteError>
    readonly writeStop: (record: StopRecord) => Effect.Effect<void, StateWriteError>
    /** Deletes the lease only while it bears this token; false when it bears another. True when there is none. */
    readonly removeLease: (taskId: TaskId, token: Token) => Effect.Effect<boolean, StateWriteError>
    /** Deletes an old lease form, after its ending is recorded. */
    readonly removeLegacyLease: (taskId: TaskId) => Effect.Effect<void, StateWriteError>
    /** Deletes the stop records, then the claims and tombstones, of epochs up to this one. */
    readonly removeClaims: (taskId: TaskId, upTo: Epoch) => Effect.Effect<void, StateWriteError>
    /** Renames a claim out of the claims (never deleted before the lease): its supervisor may write no more. */
    readonly setClaimAside: (taskId: TaskId, epoch: Epoch) => Effect.Effect<void, StateWriteError>
  }
>()("@tinyscheduler/core/ports/LeaseStore") {}
