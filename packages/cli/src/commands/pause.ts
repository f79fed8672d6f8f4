/** `pause [AGENT]`: nothing new is started, what runs goes on. `drain` does the same and tells when nothing runs. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import type { PauseRequest } from "@tinyscheduler/core/domain/Request"
import { sightOfAgents } from "@tinyscheduler/core/pass/takeRequests"
import { carryOut } from "@tinyscheduler/core/requests/carryOut"
import { askAndTell } from "../asking/askAndTell.ts"
import type { AskOptions } from "../asking/askAndTell.ts"
import { agent, json, waitFlags } from "../asking/askFlags.ts"
import { runAsking } from "../asking/commandProgram.ts"
import { namedAgent } from "../asking/namedAgent.ts"
import { newRequest } from "../asking/newRequest.ts"
import { pauseEnd } from "../asking/pauseEnd.ts"
import { tellRefusal } from "../asking/tellAnswer.ts"
import { configuration } from "../flags.ts"
import type { Configuration } from "../settings/Configuration.ts"
import { ConfigurationError } from "../settings/ConfigurationError.ts"

export const pauseFlags = {
  for: Flag.String("for").pipe(Flag.withDescription("For how long: 45m, 2h, 1d12h"), Flag.optional),
  until: Flag.String("until").pipe(
    Flag.withDescription("Until when: 2026-01-20T18:00, or with a Z in UTC"),
    Flag.optional
  ),
  reason: Flag.String("reason").pipe(
    Flag.withSchema(Schema.String.check(Schema.isMaxLength(200))),
    Flag.withDescription("Why, for whoever asks later; shown by status"),
    Flag.optional
  )
}

export interface PauseOptions extends AskOptions {
  readonly agent: Option.Option<string>
  readonly for: Option.Option<string>
  readonly until: Option.Option<string>
  readonly reason: Option.Option<string>
}

/** The request that the flags amount to, and what it would come to. */
export const pauseRequest = Effect.fnUntraced(function* (config: Configuration, options: PauseOptions) {
  const nowMs = yield* Clock.currentTimeMillis
  const until = pauseEnd({ for: Option.getOrNull(options.for), until: Option.getOrNull(options.until) }, nowMs)
  if (Result.isFailure(until)) return yield* new ConfigurationError({ faults: [until.failure] })
  const sight = yield* sightOfAgents(nowMs)
  const request: PauseRequest = {
    ...(yield* newRequest),
    kind: "pause",
    agentName: yield* namedAgent(config, sight.agents, options.agent),
    until: until.success,
    reason: Option.getOrNull(options.reason)
  }
  return { request, expected: carryOut(request, sight) }
})

const pause = Effect.fn("pause")(function* (config: Configuration, options: PauseOptions) {
  const { expected, request } = yield* pauseRequest(config, options)
  const { agentName, until } = request
  yield* askAndTell(config, request, expected, { kind: "pause", agent: agentName, until }, options)
})

export const pauseCommand = Command.make(
  "pause",
  { agent, ...pauseFlags, json, ...waitFlags("the scheduler has carried it out") },
  Effect.fn("cli.pause")(function* (options) {
    const config = yield* configuration
    yield* runAsking(
      config,
      pause(config, options).pipe(Effect.catchTag("Refused", tellRefusal({ kind: "pause" }, options)))
    )
  })
).pipe(Command.withDescription("Start nothing new, for one agent or for all; what runs goes on"))
