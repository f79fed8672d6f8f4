/**
 * The port to cgroups of attempts. Where none are at hand (another system, nothing delegated) its default stands: no
 * attempt gets one, and the scan alone finds what belongs to it. So hosts supply it only where they have them.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type { AttemptName } from "../domain/attemptCgroup.ts"

/** Where an attempt's cgroup would be made; or, in a clause for people, why none can be. */
export type CgroupPlace =
  | { readonly _tag: "Place"; readonly directory: string }
  | { readonly _tag: "NoPlace"; readonly why: string }

/** What cgroups are asked for. Directories are absolute paths. */
export interface CgroupsShape {
  /** Nothing is made: the attempt's supervisor does that. */
  readonly placeFor: (attempt: AttemptName) => Effect.Effect<CgroupPlace>
  /** The attempts' cgroups that stand where ours would be made, other schedulers' too. */
  readonly list: Effect.Effect<ReadonlyArray<string>>
  /** The pids in an attempt's cgroup and those below it, at one moment; none when it is gone. */
  readonly members: (directory: string) => Effect.Effect<ReadonlyArray<number>>
  /** Kills all processes of an attempt's cgroup at once, also those that are being forked; false where that can't be done. */
  readonly kill: (directory: string) => Effect.Effect<boolean>
  /** Removes an attempt's cgroup and those below it; what still has a process stays. */
  readonly remove: (directory: string) => Effect.Effect<void>
}

/** Cgroups of attempts. It has a default (there are none), so that only hosts that have them supply it. */
export const Cgroups = Context.Reference<CgroupsShape>("@tinyscheduler/core/ports/Cgroups", {
  defaultValue: () => ({
    placeFor: () => Effect.succeed({ _tag: "NoPlace", why: "cgroups are not used here" }),
    list: Effect.succeed([]),
    members: () => Effect.succeed([]),
    kill: () => Effect.succeed(false),
    remove: () => Effect.void
  })
})
