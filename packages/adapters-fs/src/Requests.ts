/**
 * What commands ask for, as files: `requests/<time>-<uuid>.json`, and below it `answers/<uuid>.json`. Whoever may write
 * here is the state's owner; all the same each file is read as if somebody else had put it there.
 */
import { join } from "node:path"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import {
  RequestAnswer,
  RequestFile,
  RequestId,
  requestMaxBytes,
  type Request
} from "@tinyscheduler/core/domain/Request"
import { millisOf } from "@tinyscheduler/core/domain/time"
import { Requests, type StoredRequest } from "@tinyscheduler/core/ports/Requests"
import { SchedulerLock } from "@tinyscheduler/core/ports/SchedulerLock"
import { StateUnreadable } from "@tinyscheduler/core/ports/StateError"
import {
  answerFileName,
  parseAnswerFileName,
  parseRequestFileName,
  parseTemporaryName,
  requestFileName
} from "@tinyscheduler/core/protocol/layout"
import { directoryProblem } from "./directoryTrust.ts"
import { makeDurableFiles } from "./DurableFiles.ts"
import { encodeFile } from "./encodeFile.ts"
import { codeOf, unreadable, unwritable } from "./errno.ts"
import { freePath } from "./freePath.ts"
import { makeDecoder, readJson, type Decoded } from "./jsonFile.ts"
import type { StateOptions } from "./LeaseStore.ts"
import { sizeText, type ReadRules } from "./safeFile.ts"
import { namesIn } from "./scanLeases.ts"

const rules: ReadRules = { maxBytes: requestMaxBytes, trust: "state" }

/** More than these are not read in one go: what somebody heaps up there must not hold a pass up. */
const pendingMax = 1000

const encodeRequest = encodeFile(RequestFile)
const encodeAnswer = encodeFile(RequestAnswer)
const decodeRequest = makeDecoder(RequestFile)
const isRequestId = Schema.is(RequestId)
const decodeAnswer = makeDecoder(RequestAnswer)

/** Null when it is gone meanwhile. */
const readRequest = (directory: string, name: string): Request | { readonly problem: string } | null => {
  const uuid = parseRequestFileName(name)
  if (uuid === null) return { problem: "is not named as a request is" }
  const file = readJson(join(directory, name), rules)
  if (file._tag === "Missing") return null
  if (file._tag === "Problem") return { problem: file.problem }
  const decoded = decodeRequest(file.value)
  if (!decoded.ok) return { problem: decoded.problem }
  return decoded.value.uuid === uuid ? decoded.value : { problem: "contradicts its file name" }
}

/** Null when there is none. */
const readAnswer = (path: string, uuid: RequestId): Decoded<RequestAnswer> | null => {
  const file = readJson(path, rules)
  if (file._tag === "Missing") return null
  if (file._tag === "Problem") return { ok: false, problem: file.problem }
  const decoded = decodeAnswer(file.value)
  return !decoded.ok || decoded.value.uuid === uuid ? decoded : { ok: false, problem: "contradicts its file name" }
}

const make = Effect.fnUntraced(function* (options: StateOptions) {
  const { paths } = options
  const lock = yield* SchedulerLock
  const files = makeDurableFiles(options.writer, options.paths.base, options.calls)
  const answerPath = (uuid: string): string => join(paths.answers, answerFileName(uuid))
  const requestPath = (request: Request): string => join(paths.requests, requestFileName(request))
  const attempt = <A>(path: string, body: () => A) =>
    Effect.try({ try: body, catch: (error) => unwritable(path, error) })
  const write = <A>(path: string, body: () => A) => Effect.andThen(lock.confirm, attempt(path, body))
  const fitting = (text: string): string => {
    if (Buffer.byteLength(text) <= requestMaxBytes) return text
    throw new Error(`it would be larger than ${sizeText(requestMaxBytes)}`)
  }

  const pending = Effect.gen(function* () {
    // In another's directory anything may be called a request. Whoever takes the lock says whose it is.
    const problem = yield* Effect.try({
      try: () => directoryProblem(paths.requests),
      catch: (error) => unreadable(paths.requests, error)
    })
    if (problem !== null) return []
    const names = (yield* namesIn(paths.requests)).filter(
      (name) => parseTemporaryName(name) === null && join(paths.requests, name) !== paths.answers
    )
    return yield* Effect.try({
      try: () =>
        names
          .sort()
          .slice(0, pendingMax)
          .flatMap((name): ReadonlyArray<StoredRequest> => {
            const request = readRequest(paths.requests, name)
            if (request === null) return []
            if ("problem" in request) return [{ _tag: "Odd", name, problem: request.problem }]
            return [{ _tag: "Read", request }]
          }),
      catch: (error) => unreadable(paths.requests, error)
    })
  })

  return Requests.of({
    pending: pending.pipe(Effect.withSpan("Requests.pending")),
    submit: Effect.fn("Requests.submit")(function* (request: Request) {
      const path = requestPath(request)
      yield* attempt(path, () => files.create(path, fitting(encodeRequest(request))))
    }),
    answerOf: Effect.fn("Requests.answerOf")(function* (uuid: RequestId) {
      const path = answerPath(uuid)
      const answer = yield* Effect.sync(() => readAnswer(path, uuid))
      if (answer === null) return null
      return answer.ok ? answer.value : yield* new StateUnreadable({ path, reason: `it ${answer.problem}` })
    }),
    answer: Effect.fn("Requests.answer")(function* (answer: RequestAnswer) {
      const path = answerPath(answer.uuid)
      yield* write(path, () => {
        try {
          files.create(path, fitting(encodeAnswer(answer)))
        } catch (error) {
          if (codeOf(error) !== "EEXIST") throw error
        }
      })
    }),
    remove: Effect.fn("Requests.remove")(function* (request: Request) {
      yield* write(requestPath(request), () => files.unlinkAll(paths.requests, [requestFileName(request)]))
    }),
    setAside: Effect.fn("Requests.setAside")(function* (name: string) {
      const path = join(paths.requests, name)
      yield* write(path, () => files.move(path, freePath(paths.aside, "request", ".json")))
    }),
    forgetAnswers: Effect.fn("Requests.forgetAnswers")(function* (beforeMs: number) {
      const names = yield* namesIn(paths.answers).pipe(
        Effect.mapError(({ path, reason }) => unwritable(path, new Error(reason)))
      )
      return yield* write(paths.answers, () => {
        const old = names.filter((name) => {
          const uuid = parseAnswerFileName(name)
          const answer = isRequestId(uuid) ? readAnswer(join(paths.answers, name), uuid) : null
          return answer?.ok === true && millisOf(answer.value.at) < beforeMs
        })
        files.unlinkAll(paths.answers, old)
        return old.length
      })
    })
  })
})

/** The requests of a state directory; carrying one out needs the lock that the scheduler holds, asking does not. */
export const layer = (options: StateOptions): Layer.Layer<Requests, never, SchedulerLock> =>
  Layer.effect(Requests, make(options))
