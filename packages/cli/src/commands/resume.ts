/** `resume [AGENT]`: ends a pause or a drain; of an agent also its being set aside. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import * as Command from "effect/cli/Command"
import type { ResumeRequest } from "@tinyscheduler/core/domain/Request"
import { sightOfAgents } from "@tinyscheduler/core/pass/takeRequests"
import { carryOut } from "@tinyscheduler/core/requests/carryOut"
import { askAndTell } from "../asking/askAndTell.ts"
import type { AskOptions } from "../asking/askAndTell.ts"
import { agent, json, waitFlags } from "../asking/askFlags.ts"
import { runAsking } from "../asking/commandProgram.ts"
import { namedAgent } from "../asking/namedAgent.ts"
import { newRequest } from "../asking/newRequest.ts"
import { tellRefusal } from "../asking/tellAnswer.ts"
import { configuration } from "../flags.ts"
import type { Configuration } from "../settings/Configuration.ts"

const resume = Effect.fn("resume")(function* (
  config: Configuration,
  typed: Option.Option<string>,
  options: AskOptions
) {
  const sight = yield* sightOfAgents(yield* Clock.currentTimeMillis)
  const agentName = yield* namedAgent(config, sight.agents, typed)
  const request: ResumeRequest = { ...(yield* newRequest), kind: "resume", agentName }
  yield* askAndTell(config, request, carryOut(request, sight), { kind: "resume", agent: agentName }, options)
})

export const resumeCommand = Command.make(
  "resume",
  { agent, json, ...waitFlags("the scheduler has carried it out") },
  Effect.fn("cli.resume")(function* ({ agent: typed, ...options }) {
    const config = yield* configuration
    yield* runAsking(
      config,
      resume(config, typed, options).pipe(Effect.catchTag("Refused", tellRefusal({ kind: "resume" }, options)))
    )
  })
).pipe(Command.withDescription("End a pause or a drain, of one agent or of all together"))
