/** The port that starts supervisors. It starts one detached and returns; what becomes of it stands in claim and lease. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { StartingLease } from "../domain/Lease.ts"
import type { RecipeSight } from "../domain/ObservedState.ts"

/** No supervisor was started; the reason is one sentence for people. */
export class LaunchFailed extends Schema.TaggedError<LaunchFailed>()("LaunchFailed", { reason: Schema.String }) {
  override get message() {
    return `the launch failed: ${this.reason}`
  }
}

/** The attempt to start, and its task's texts: they go into the prompt file, never into arguments. */
export interface LaunchRequest {
  readonly lease: StartingLease
  readonly title: string
  readonly description: string | null
}

/** Starts the supervisor of an attempt. */
export class AgentLauncher extends Context.Service<
  AgentLauncher,
  {
    /** Starts the supervisor of one attempt, in a session of its own, with the attempt's token in its environment. */
    readonly launch: (request: LaunchRequest) => Effect.Effect<void, LaunchFailed>
    /** Whether each of these recipes is there and inside the recipes directory. */
    readonly lookAtRecipes: (recipes: ReadonlyArray<string>) => Effect.Effect<ReadonlyArray<RecipeSight>>
    /** A new UUID for an attempt. */
    readonly drawToken: Effect.Effect<string>
  }
>()("@tinyscheduler/core/ports/AgentLauncher") {}
