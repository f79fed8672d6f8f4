/** `retry TASK`: releases a parked task, ends its backoff, begins its counts anew. */
import * as Effect from "effect/Effect"
import * as Command from "effect/cli/Command"
import type { RetryRequest } from "@tinyscheduler/core/domain/Request"
import type { TaskId } from "@tinyscheduler/core/domain/identifiers"
import { sightOfTask } from "@tinyscheduler/core/pass/takeRequests"
import { carryOut } from "@tinyscheduler/core/requests/carryOut"
import { latestAttempt } from "@tinyscheduler/core/requests/retry"
import * as Clock from "effect/Clock"
import { askAndTell } from "../asking/askAndTell.ts"
import type { AskOptions } from "../asking/askAndTell.ts"
import { json, task, waitFlags } from "../asking/askFlags.ts"
import { runAsking } from "../asking/commandProgram.ts"
import { newRequest } from "../asking/newRequest.ts"
import { Refused } from "../asking/Refused.ts"
import { tellRefusal } from "../asking/tellAnswer.ts"
import { configuration } from "../flags.ts"
import type { Configuration } from "../settings/Configuration.ts"
import { ConfigurationError } from "../settings/ConfigurationError.ts"

const retry = Effect.fn("retry")(function* (config: Configuration, taskId: TaskId, options: AskOptions) {
  const sight = yield* sightOfTask(taskId, yield* Clock.currentTimeMillis)
  const latest = latestAttempt(sight.attempts)
  if (sight.attemptsProblem !== null) {
    const reason = `task ${taskId} can't be released while its attempts file can't be read: ${sight.attemptsProblem}`
    return yield* new Refused({ reason })
  }
  if (latest === null) {
    const faults = [
      `nothing is remembered of task ${taskId}: no attempt at it was made here, so there is nothing to release; tinyscheduler status tells what it waits for`
    ]
    return yield* new ConfigurationError({ faults })
  }
  const { epoch, token } = latest
  const request: RetryRequest = { ...(yield* newRequest), kind: "retry", taskId, epoch, token }
  yield* askAndTell(config, request, carryOut(request, sight), { kind: "retry", task: taskId, epoch }, options)
})

export const retryCommand = Command.make(
  "retry",
  { task, json, ...waitFlags("the scheduler has carried it out") },
  Effect.fn("cli.retry")(function* ({ task: taskId, ...options }) {
    const config = yield* configuration
    yield* runAsking(
      config,
      retry(config, taskId, options).pipe(
        Effect.catchTag("Refused", tellRefusal({ kind: "retry", task: taskId }, options))
      )
    )
  })
).pipe(Command.withDescription("Release a task that is parked or waits after a failure; its counts begin anew"))
