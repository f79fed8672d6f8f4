/**
 * The step of a pass before it observes: what commands have asked for is carried out. For each request: the effect, durably;
 * its answer, durably; its removal. A crash in between begins again: an effect that is repeated finds itself done, and an
 * answered request is carried out no second time. No request stops a pass: what is odd is set aside, what fails is told
 * and stays for the next pass, as does whatever was asked after it about the same: what was asked last is to hold.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { DesiredState } from "../domain/DesiredState.ts"
import type { TaskId } from "../domain/identifiers.ts"
import { requestKeptMs } from "../domain/Request.ts"
import type { Request, RequestAnswer } from "../domain/Request.ts"
import { millisOf, timestampOf } from "../domain/time.ts"
import { AttemptHistory } from "../ports/AttemptHistory.ts"
import { LeaseStore } from "../ports/LeaseStore.ts"
import type { StoredTask } from "../ports/LeaseStore.ts"
import { Requests } from "../ports/Requests.ts"
import type { StoredRequest } from "../ports/Requests.ts"
import { repairAsAsked } from "../repair/repairAsAsked.ts"
import { carryOut } from "../requests/carryOut.ts"
import type { AttemptName, CarriedOut, RequestEffect, RequestSight } from "../requests/carryOut.ts"
import { forgetTasks } from "./forgetTasks.ts"

export interface TakenRequests {
  /** What the plan is to do: stops that it is to begin, and a kept plan that it is to be. */
  readonly left: ReadonlyArray<Request>
  readonly errors: ReadonlyArray<string>
}

/** What is asked for and can still be meant. Nothing is written; what can't be read asks for nothing. */
export const requestsNow = Effect.fn("requests.now")(function* () {
  const requests = yield* Requests
  const nowMs = yield* Clock.currentTimeMillis
  const stored = yield* Effect.result(requests.pending)
  if (Result.isFailure(stored)) return []
  const recent = stored.success.flatMap((sight) =>
    sight._tag === "Read" && !isTooOld(sight.request, nowMs) ? [sight.request] : []
  )
  return yield* Effect.filter(recent, ({ uuid }) =>
    requests.answerOf(uuid).pipe(
      Effect.map((answer) => answer === null),
      Effect.orElseSucceed(() => false)
    )
  )
})

/** Carries out what is there. The caller holds the lock and has a term. */
export const takeRequests = Effect.fn("pass.takeRequests")(function* (desired: DesiredState) {
  const requests = yield* Requests
  const left: Array<Request> = []
  const errors: Array<string> = []
  const failed = new Set<string>()
  let gone = 0
  const stored = yield* Effect.result(requests.pending)
  if (Result.isFailure(stored)) return { left, errors: [stored.failure.message] } satisfies TakenRequests
  for (const sight of stored.success) {
    const subject = subjectOf(sight)
    if (failed.has(subject)) {
      errors.push(`${nameOf(sight)} waits for an earlier one about the same`)
      continue
    }
    const taken = yield* takeOne(sight, desired).pipe(Effect.uninterruptible, Effect.result)
    if (Result.isSuccess(taken)) {
      if (taken.success === "gone") gone += 1
      else if (sight._tag === "Read") left.push(sight.request)
    } else {
      if (taken.failure._tag === "LockLost") return yield* taken.failure
      failed.add(subject)
      errors.push(`${nameOf(sight)} could not be carried out: ${taken.failure.message}`)
    }
  }
  // Once for all of them: it looks through every answer of a day.
  if (gone > 0) {
    const nowMs = yield* Clock.currentTimeMillis
    const forgotten = yield* Effect.result(requests.forgetAnswers(nowMs - requestKeptMs))
    if (Result.isFailure(forgotten)) {
      if (forgotten.failure._tag === "LockLost") return yield* forgotten.failure
      errors.push(`old answers could not be forgotten: ${forgotten.failure.message}`)
    }
  }
  return { left, errors } satisfies TakenRequests
})

/** What a request changes. The pauses of one agent and of all stand in one file. */
const subjectOf = (sight: StoredRequest): string => {
  if (sight._tag === "Odd") return sight.name
  const { request } = sight
  if ("taskId" in request) return `task ${request.taskId}`
  return "agentName" in request ? "agents" : request.kind
}

const nameOf = (sight: StoredRequest): string =>
  sight._tag === "Odd" ? `the request ${sight.name}` : `the request "${describeRequest(sight.request)}"`

/** A request in the words of the command that made it. */
export const describeRequest = (request: Request): string => {
  const subject =
    "taskId" in request ? ` ${request.taskId}` : "agentName" in request ? ` ${request.agentName ?? ""}` : ""
  return `${request.kind}${subject}`.trimEnd()
}

/** Answers are kept for a day: what is older might have one that is forgotten. A clock that was set makes old what lies ahead too. */
const isTooOld = (request: Request, nowMs: number): boolean => Math.abs(nowMs - millisOf(request.at)) > requestKeptMs

const takeOne = Effect.fnUntraced(function* (sight: StoredRequest, desired: DesiredState) {
  const requests = yield* Requests
  if (sight._tag === "Odd") {
    yield* requests.setAside(sight.name)
    yield* Effect.logWarning(`the request ${sight.name} was set aside: it ${sight.problem}`)
    return "gone" as const
  }
  const { request } = sight
  const nowMs = yield* Clock.currentTimeMillis
  const isOld = isTooOld(request, nowMs)
  const known = requests.answerOf(request.uuid)
  // What is too old is carried out in no case, whatever its answer was.
  const answer = yield* isOld ? Effect.orElseSucceed(known, () => null) : known
  if (answer === null && isOld) {
    yield* Effect.logWarning(
      `"${describeRequest(request)}" was asked at ${request.at}, which is too long ago: forgotten`
    )
  } else if (answer === null) {
    const carried = yield* carriedOut(request, desired, nowMs)
    if (carried._tag === "Pending") return "left" as const
    yield* write(carried.effect)
    yield* requests.answer(answerTo(request, carried, nowMs))
    yield* Effect.logInfo(`${carried.says} (asked by ${request.by})`)
  }
  yield* requests.remove(request)
  return "gone" as const
})

const answerTo = (
  { uuid }: Request,
  { result, says }: Extract<CarriedOut, { readonly _tag: "Answered" }>,
  nowMs: number
): RequestAnswer => ({ version: 1, uuid, at: timestampOf(nowMs), result, says: says.slice(0, saysMax) })

const saysMax = 1000

/** What a request comes to now. A repair mends as it goes: begun again it finds what it mended mended. */
const carriedOut = Effect.fnUntraced(function* (request: Request, desired: DesiredState, nowMs: number) {
  switch (request.kind) {
    case "retry":
    case "stop":
      return carryOut(request, yield* sightOfTask(request.taskId, nowMs))
    case "pause":
    case "resume":
      return carryOut(request, yield* sightOfAgents(nowMs))
    case "repair":
      return yield* repairAsAsked(desired, request.purge === true)
    case "gc":
      return yield* forgetTasks(request.taskIds, desired)
    case "apply":
      return { _tag: "Pending" } satisfies CarriedOut
  }
})

const write = Effect.fnUntraced(function* (effect: RequestEffect) {
  const history = yield* AttemptHistory
  if (effect._tag === "WriteAttempts") yield* history.write(effect.attempts)
  if (effect._tag === "WriteAgents") yield* history.writeAgents(effect.agents)
})

/** What of the state a request about a task is decided by. */
export const sightOfTask = Effect.fnUntraced(function* (taskId: TaskId, nowMs: number) {
  const leases = yield* LeaseStore
  const history = yield* AttemptHistory
  const { attempts, problem } = yield* history.read(taskId)
  const underWay = attemptUnderWay(yield* leases.read(taskId))
  return { nowMs, attempts, attemptsProblem: problem, underWay, agents: noAgents } satisfies RequestSight
})

/** The same for a request about agents. */
export const sightOfAgents = Effect.fnUntraced(function* (nowMs: number) {
  const history = yield* AttemptHistory
  const agents = yield* history.readAgents
  return { nowMs, attempts: null, attemptsProblem: null, underWay: null, agents } satisfies RequestSight
})

const noAgents = { agents: [], paused: null }

/** The attempt that a task's files are about; the claim of a higher epoch wins over the lease. */
export const attemptUnderWay = (stored: StoredTask): AttemptName | null => {
  const lease = stored.lease._tag === "Read" ? stored.lease.lease : null
  const top = stored.claims.at(-1)
  const claim = top?._tag === "Read" && top.claim.kind === "claim" ? top.claim : null
  const named = claim !== null && claim.epoch > (lease?.epoch ?? 0) ? claim : (lease ?? claim)
  if (named === null) return null
  const stop = stored.stops.find(({ token }) => token === named.token)
  return { epoch: named.epoch, token: named.token, stopping: stop?.reason ?? null }
}
