/** The keeper of records: one of each round that decided something, so that it can be replayed and asked about later. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { Plan } from "../domain/Plan.ts"
import type { Situation } from "../domain/Situation.ts"
import type { StateUnreadable, StateUnwritable } from "./StateError.ts"

export class PassRecords extends Context.Service<
  PassRecords,
  {
    /** Records a round, where it decided something. What fails loses a record and no task: no pass fails with it. */
    readonly record: (situation: Situation, plan: Plan) => Effect.Effect<void, StateUnreadable | StateUnwritable>
  }
>()("@tinyscheduler/core/ports/PassRecords") {}
