/**
 * The port to what commands ask of the scheduler that holds the lock. Asking needs no lock; answering and removing do.
 * An answer, once kept, is what makes a request a thing of the past: its file may come back after a power cut.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { Request, RequestAnswer, RequestId } from "../domain/Request.ts"
import type { StateUnreadable, StateUnwritable, StateWriteError } from "./StateError.ts"

/** A request file as it was read. */
export type StoredRequest =
  | { readonly _tag: "Read"; readonly request: Request }
  /** Something else in a request's place; `name` is its file's. */
  | { readonly _tag: "Odd"; readonly name: string; readonly problem: string }

/** What commands ask of the scheduler, and what became of it. */
export class Requests extends Context.Service<
  Requests,
  {
    /** What stands there, the oldest first; at most a thousand, the rest later. */
    readonly pending: Effect.Effect<ReadonlyArray<StoredRequest>, StateUnreadable>
    /** Puts a request there, durably: from here on some scheduler will see it. */
    readonly submit: (request: Request) => Effect.Effect<void, StateUnwritable>
    /** Null while it has none, and once it is forgotten. One that can't be read may well have been given. */
    readonly answerOf: (uuid: RequestId) => Effect.Effect<RequestAnswer | null, StateUnreadable>
    /** Keeps what came of a request, durably; the first answer stands. */
    readonly answer: (answer: RequestAnswer) => Effect.Effect<void, StateWriteError>
    /** Removes a request that has been answered, or is too old. */
    readonly remove: (request: Request) => Effect.Effect<void, StateWriteError>
    /** Renames what is no request out of the way; it is kept for people. */
    readonly setAside: (name: string) => Effect.Effect<void, StateWriteError>
    /** Forgets answers from before this moment (wall clock); answers how many. */
    readonly forgetAnswers: (beforeMs: number) => Effect.Effect<number, StateWriteError>
  }
>()("@tinyscheduler/core/ports/Requests") {}
