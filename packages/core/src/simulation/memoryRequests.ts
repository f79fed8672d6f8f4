/** The port to what commands ask for, over a simulated state directory. */
import * as Effect from "effect/Effect"
import { millisOf } from "../domain/time.ts"
import { Requests } from "../ports/Requests.ts"
import type { StoredRequest } from "../ports/Requests.ts"
import type { SchedulerLock } from "../ports/SchedulerLock.ts"
import type { Call } from "./memoryCalls.ts"
import { makeWrite, unreadable, unwritable } from "./memoryState.ts"
import type { SimulatedFiles } from "./SimulatedFiles.ts"

export const requestBox = (files: SimulatedFiles, lock: SchedulerLock["Service"], call: Call) => {
  const write = makeWrite(files, lock, call)
  const stored = (): ReadonlyArray<StoredRequest> =>
    [...files.requests]
      .sort(([left], [right]) => (left < right ? -1 : 1))
      .map(([name, request]) =>
        request === null ? { _tag: "Odd", name, problem: "is not JSON" } : { _tag: "Read", request }
      )
  return Requests.of({
    // A look into an empty directory is no step at which anything could be lost: histories without requests have none.
    pending: Effect.suspend(() =>
      files.requests.size === 0
        ? Effect.succeed([])
        : call("Requests.pending", unreadable, () => Effect.succeed(stored()))
    ),
    submit: (request) =>
      call("Requests.submit", unwritable, () => {
        if (files.unwritable !== null) return Effect.fail(unwritable(files.unwritable))
        files.requests.set(`${request.at}-${request.uuid}`, request)
        return Effect.void
      }),
    answerOf: (uuid) => call("Requests.answerOf", unreadable, () => Effect.succeed(files.answers.get(uuid) ?? null)),
    answer: (answer) =>
      write("Requests.answer", () => {
        if (!files.answers.has(answer.uuid)) files.answers.set(answer.uuid, answer)
        return Effect.void
      }),
    remove: (request) =>
      write("Requests.remove", () => {
        for (const [name, known] of files.requests) if (known?.uuid === request.uuid) files.requests.delete(name)
        return Effect.void
      }),
    setAside: (name) =>
      write("Requests.setAside", () => {
        if (files.requests.delete(name)) files.aside.push(name)
        return Effect.void
      }),
    forgetAnswers: (beforeMs) =>
      write("Requests.forgetAnswers", () => {
        const old = [...files.answers.values()].filter(({ at }) => millisOf(at) < beforeMs)
        for (const { uuid } of old) files.answers.delete(uuid)
        return Effect.succeed(old.length)
      })
  })
}
