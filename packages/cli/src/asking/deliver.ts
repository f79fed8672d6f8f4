/**
 * Brings a request to whoever holds the lock; when nobody does, this process takes the lock and carries it out by the
 * very step that a pass begins with.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { Request, RequestAnswer } from "@tinyscheduler/core/domain/Request"
import { takeRequests } from "@tinyscheduler/core/pass/takeRequests"
import { Requests } from "@tinyscheduler/core/ports/Requests"
import { SchedulerLock } from "@tinyscheduler/core/ports/SchedulerLock"
import { seeHolder } from "../scheduling/lockHolder.ts"
import type { Configuration } from "../settings/Configuration.ts"
import { Refused } from "./Refused.ts"

export type Delivery =
  | { readonly _tag: "Answered"; readonly answer: RequestAnswer }
  /** Another process holds the lock: its next pass carries the request out. */
  | { readonly _tag: "Accepted"; readonly holder: string | null }

/** How often a command that waits looks. */
const lookEveryMs = 100

/** Takes the lock for as long as the scope is open. Null while another process holds it; then who does. */
export const lockOrHolder = Effect.fnUntraced(function* () {
  const lock = yield* SchedulerLock
  const taken = yield* Effect.result(lock.acquire)
  if (Result.isFailure(taken)) {
    return taken.failure._tag === "LockHeld" ? { holder: taken.failure.holder } : yield* taken.failure
  }
  const { termProblem } = taken.success
  return termProblem === null ? ("held by us" as const) : yield* new Refused({ reason: termProblem })
})

const carryOutHere = Effect.fnUntraced(function* ({ desired }: Configuration, request: Request) {
  const requests = yield* Requests
  const { errors } = yield* takeRequests(desired)
  const answer = yield* requests.answerOf(request.uuid)
  if (answer !== null) return { _tag: "Answered", answer } satisfies Delivery
  const reason = errors.length === 0 ? "it could not be carried out yet; the next pass tries again" : errors.join("; ")
  return yield* new Refused({ reason })
})

/** Asks; answers at once when nobody else schedules. */
export const deliver = Effect.fn("deliver")(function* (configuration: Configuration, request: Request) {
  const requests = yield* Requests
  const lock = yield* lockOrHolder()
  yield* requests.submit(request)
  return lock === "held by us"
    ? yield* carryOutHere(configuration, request)
    : ({ _tag: "Accepted", holder: lock.holder } satisfies Delivery)
}, Effect.scoped)

/** Looks again and again until there is something, or the time is over: then null. */
export const waitFor = Effect.fn("waitFor")(function* <A, E, R>(
  look: Effect.Effect<A | null, E, R>,
  timeoutMs: number
) {
  const endMs = (yield* Clock.currentTimeMillis) + timeoutMs
  for (;;) {
    const seen = yield* look
    if (seen !== null || (yield* Clock.currentTimeMillis) >= endMs) return seen
    yield* Effect.sleep(lookEveryMs)
  }
})

/** Waits for what came of a request. Should its scheduler die meanwhile, this process carries it out. */
export const awaitAnswer = ({ desired, paths }: Configuration, request: Request, timeoutMs: number) =>
  waitFor(
    Effect.gen(function* () {
      const requests = yield* Requests
      const answer = yield* requests.answerOf(request.uuid)
      if (answer !== null || seeHolder(paths.lock) !== "gone") return answer
      if ((yield* lockOrHolder()) === "held by us") yield* takeRequests(desired)
      return yield* requests.answerOf(request.uuid)
    }).pipe(Effect.scoped),
    timeoutMs
  )
