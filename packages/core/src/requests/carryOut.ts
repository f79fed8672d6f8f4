/**
 * What a request comes to, decided from what is known, without touching anything: what is to be written, and one
 * sentence for whoever asked. The dry run shows a pending request by these same lines.
 */
import type { AgentRecords, Attempts, StopReason } from "../domain/Attempts.ts"
import type { Epoch, Token } from "../domain/identifiers.ts"
import type { Request, RequestResult } from "../domain/Request.ts"
import { carryOutPause, carryOutResume } from "./pause.ts"
import { carryOutRetry } from "./retry.ts"
import { carryOutStop } from "./stop.ts"

/** What of the state a request can be about; fields that its kind does not ask for may be empty. */
export interface RequestSight {
  readonly nowMs: number
  /** What is remembered of its task. */
  readonly attempts: Attempts | null
  readonly attemptsProblem: string | null
  /** The attempt that the task's lease or claims are about. */
  readonly underWay: AttemptName | null
  readonly agents: AgentRecords
}

export interface AttemptName {
  readonly epoch: Epoch
  readonly token: Token
  /** Why it is being stopped by what stands on disk; null when it is not. */
  readonly stopping: StopReason | null
}

export type RequestEffect =
  | { readonly _tag: "None" }
  | { readonly _tag: "WriteAttempts"; readonly attempts: Attempts }
  | { readonly _tag: "WriteAgents"; readonly agents: AgentRecords }

export type CarriedOut =
  | {
      readonly _tag: "Answered"
      readonly result: RequestResult
      readonly says: string
      readonly effect: RequestEffect
    }
  /** What it asks for is the plan's to do: it stays until that has happened. */
  | { readonly _tag: "Pending" }

export const carryOut = (
  request: Exclude<Request, { readonly kind: "repair" | "gc" | "apply" }>,
  sight: RequestSight
): CarriedOut => {
  switch (request.kind) {
    case "retry":
      return carryOutRetry(request, sight)
    case "stop":
      return carryOutStop(request, sight)
    case "pause":
      return carryOutPause(request, sight)
    case "resume":
      return carryOutResume(request, sight)
  }
}
