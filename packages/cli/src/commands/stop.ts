/** `stop TASK`: stops the attempt at a task by the ladder. Its task goes back and waits its backoff, as after any stop. */
import * as Effect from "effect/Effect"
import * as Command from "effect/cli/Command"
import type { TaskId } from "@tinyscheduler/core/domain/identifiers"
import type { StopRequest } from "@tinyscheduler/core/domain/Request"
import { runOnce } from "@tinyscheduler/core/pass/daemon"
import { makePassMemory } from "@tinyscheduler/core/pass/memory"
import { attemptUnderWay } from "@tinyscheduler/core/pass/takeRequests"
import { AttemptHistory } from "@tinyscheduler/core/ports/AttemptHistory"
import { LeaseStore } from "@tinyscheduler/core/ports/LeaseStore"
import { Requests } from "@tinyscheduler/core/ports/Requests"
import { sayToPerson, standsAnyway } from "../asking/askAndTell.ts"
import type { AskOptions } from "../asking/askAndTell.ts"
import { json, task, waitFlags } from "../asking/askFlags.ts"
import { runAsking } from "../asking/commandProgram.ts"
import { waitFor } from "../asking/deliver.ts"
import { newRequest } from "../asking/newRequest.ts"
import { Refused } from "../asking/Refused.ts"
import { acceptedBy, tellAnswer, tellRefusal } from "../asking/tellAnswer.ts"
import type { Told } from "../asking/tellAnswer.ts"
import { agentOf } from "../asking/underWay.ts"
import { configuration } from "../flags.ts"
import { makeNarrator } from "../output/narration.ts"
import { holdLock, startTroubles } from "../scheduling/lock.ts"
import type { Configuration } from "../settings/Configuration.ts"
import { ConfigurationError } from "../settings/ConfigurationError.ts"

/** The attempt that is meant, or why there is none to stop. */
const attemptAt = Effect.fnUntraced(function* (taskId: TaskId) {
  const leases = yield* LeaseStore
  const history = yield* AttemptHistory
  const stored = yield* leases.read(taskId)
  const { lease } = stored
  if (lease._tag === "Legacy") {
    const reason = `task ${taskId} runs under a lease of the Python version, whose process (pid ${lease.lease.pid}) is never signalled: end it yourself, and the next pass gives the task back`
    return yield* new Refused({ reason })
  }
  const attempt = attemptUnderWay(stored)
  if (attempt !== null) return { ...attempt, agent: agentOf(stored) }
  if (lease._tag === "Unreadable") {
    const reason = `the lease of task ${taskId} can't be read (${lease.path}: ${lease.problem}), so nobody can say what to stop; tinyscheduler repair sets it right`
    return yield* new Refused({ reason })
  }
  const { attempts, logEpochMax, problem } = yield* history.read(taskId)
  if (attempts !== null || logEpochMax > 0 || problem !== null) return null
  const faults = [`nothing runs at task ${taskId}, and none of its attempts is remembered: there is nothing to stop`]
  return yield* new ConfigurationError({ faults })
})

/** Null while the attempt goes on; else how it ended, or why it was not stopped. */
const endingOf = ({ taskId, token, uuid }: StopRequest, about: Told["about"]) =>
  Effect.gen(function* () {
    const leases = yield* LeaseStore
    const history = yield* AttemptHistory
    const requests = yield* Requests
    const { attempts } = yield* history.read(taskId)
    const ending = attempts?.outcomes.find((recorded) => recorded.token === token)
    const isOver = attemptUnderWay(yield* leases.read(taskId))?.token !== token
    if (ending !== undefined && isOver) {
      const { detail, outcome } = ending
      const how = detail.startsWith(outcome) ? detail : `${outcome}, ${detail}`
      const says = `the attempt at task ${taskId} has ended: ${how}`
      return { result: "done", says, about: { ...about, outcome } } satisfies Told
    }
    const answer = yield* requests.answerOf(uuid)
    return answer?.result === "refused" ? ({ result: "refused", says: answer.says, about } satisfies Told) : null
  })

/** Nobody schedules: this process makes the passes that climb the ladder, and starts nothing. */
const stopHere = Effect.fn("stop.here")(function* (config: Configuration, request: StopRequest, timeoutMs: number) {
  const requests = yield* Requests
  const input = yield* holdLock(config, makeNarrator("daemon"), yield* makePassMemory)
  yield* requests.submit(request)
  yield* sayToPerson(
    `nobody schedules, so this command stops the attempt at task ${request.taskId}: a polite signal first, SIGKILL at last; ${timeoutMs / 1000} s at most`
  )
  const troubles = startTroubles(input)
  const only = { ...input, startsOffReason: input.startsOffReason ?? "only what was asked for is stopped" }
  const { errors } = yield* runOnce(only, timeoutMs)
  for (const error of [...troubles, ...errors]) yield* Effect.logError(error)
}, Effect.scoped)

const stop = Effect.fn("stop")(function* (config: Configuration, taskId: TaskId, options: AskOptions) {
  const attempt = yield* attemptAt(taskId)
  const subject = { kind: "stop", task: taskId }
  if (attempt === null) {
    const says = `nothing runs at task ${taskId}: there is nothing to stop`
    return yield* tellAnswer(
      { result: "nothing", says, about: subject },
      { ...options, dryRun: config.settings.dryRun }
    )
  }
  const { agent, epoch, stopping, token } = attempt
  const about = { ...subject, epoch, agent }
  if (config.settings.dryRun) {
    const says = `attempt ${epoch} at task ${taskId} (${agent}) ${stopping === null ? "would be stopped" : `is being stopped already (${stopping})`}`
    return yield* tellAnswer(
      { result: stopping === null ? "done" : "nothing", says, about },
      { ...options, dryRun: true }
    )
  }
  const request: StopRequest = { ...(yield* newRequest), kind: "stop", taskId, epoch, token }
  const named = { ...about, uuid: request.uuid }
  const requests = yield* Requests
  const holder = yield* stopHere(config, request, options.waitTimeout * 1000).pipe(
    standsAnyway("The steps that were begun stand: the next pass goes on with them."),
    Effect.as(null),
    Effect.catchTag("LockHeld", (held) => Effect.as(requests.submit(request), held))
  )
  if (holder !== null && !options.wait) {
    return yield* tellAnswer({ result: "accepted", says: acceptedBy(holder.holder), about: named }, options)
  }
  if (holder !== null) {
    yield* sayToPerson(`${acceptedBy(holder.holder)}; waiting for ${options.waitTimeout} s at most`)
  }
  const ended = yield* waitFor(endingOf(request, named), holder === null ? 0 : options.waitTimeout * 1000).pipe(
    standsAnyway("The request stands: the scheduler stops the attempt.")
  )
  const says = `attempt ${epoch} at task ${taskId} (${agent}) is being stopped; the scheduler's passes go on with it`
  yield* tellAnswer(ended ?? { result: "waiting", says, about: named }, options)
})

export const stopCommand = Command.make(
  "stop",
  { task, json, ...waitFlags("the attempt has ended") },
  Effect.fn("cli.stop")(function* ({ task: taskId, ...options }) {
    const config = yield* configuration
    yield* runAsking(
      config,
      stop(config, taskId, options).pipe(
        Effect.catchTag("Refused", tellRefusal({ kind: "stop", task: taskId }, options))
      )
    )
  })
).pipe(Command.withDescription("Stop the attempt at a task; the task goes back and waits its backoff"))
