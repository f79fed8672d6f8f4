/** `drain [AGENT]`: a pause that tells what still runs, and with --wait returns when nothing does. */
import * as Effect from "effect/Effect"
import * as Command from "effect/cli/Command"
import { ask, sayToPerson, standsAnyway } from "../asking/askAndTell.ts"
import { agent, json, waitFlags } from "../asking/askFlags.ts"
import { runAsking } from "../asking/commandProgram.ts"
import { waitFor } from "../asking/deliver.ts"
import { tellAnswer, tellRefusal } from "../asking/tellAnswer.ts"
import { runsText, tasksUnderWay } from "../asking/underWay.ts"
import { configuration } from "../flags.ts"
import type { Configuration } from "../settings/Configuration.ts"
import { pauseFlags, pauseRequest } from "./pause.ts"
import type { PauseOptions } from "./pause.ts"

const drain = Effect.fn("drain")(function* (config: Configuration, options: PauseOptions) {
  const { expected, request } = yield* pauseRequest(config, options)
  const { agentName, until } = request
  const about = { kind: "drain", agent: agentName, until }
  const { dryRun } = config.settings
  const told =
    dryRun && expected._tag === "Answered" ? { ...expected, about } : yield* ask(config, request, about, options)
  const running = tasksUnderWay(agentName)
  if (!options.wait || dryRun || told.result !== "done") {
    const taskIds = yield* running
    const says = `${told.says}; ${runsText(agentName, taskIds)}`
    return yield* tellAnswer({ ...told, says, about: { ...told.about, running: taskIds } }, { ...options, dryRun })
  }
  const stillRunning = yield* running
  if (stillRunning.length > 0) {
    yield* sayToPerson(`${runsText(agentName, stillRunning)}; waiting for ${options.waitTimeout} s at most`)
  }
  const nothingRuns = Effect.map(running, (taskIds) => (taskIds.length === 0 ? taskIds : null))
  const emptied = yield* waitFor(nothingRuns, options.waitTimeout * 1000).pipe(
    standsAnyway("The pause stands; tinyscheduler resume ends it.")
  )
  const taskIds = emptied ?? (yield* running)
  yield* tellAnswer(
    {
      result: emptied === null ? "waiting" : "done",
      says: runsText(agentName, taskIds),
      about: { ...told.about, running: taskIds }
    },
    options
  )
})

export const drainCommand = Command.make(
  "drain",
  { agent, ...pauseFlags, json, ...waitFlags("nothing runs any more") },
  Effect.fn("cli.drain")(function* (options) {
    const config = yield* configuration
    yield* runAsking(
      config,
      drain(config, options).pipe(Effect.catchTag("Refused", tellRefusal({ kind: "drain" }, options)))
    )
  })
).pipe(Command.withDescription("Pause, and tell what still runs; with --wait return when nothing does"))
