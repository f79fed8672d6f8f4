/** `plan`: what a pass would do now, to look at, or to keep for `apply`. Looks only. */
import { resolve } from "node:path"
import { makePassMemory } from "@tinyscheduler/core/pass/memory"
import { plan } from "@tinyscheduler/core/pass/pass"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { Refused } from "../asking/Refused.ts"
import { exitCodes, ExitWith } from "../exits.ts"
import { configuration } from "../flags.ts"
import { layerPorts } from "../layers.ts"
import { layerLogging } from "../output/logging.ts"
import { writeOutputFile } from "../output/outputFile.ts"
import { planText } from "../output/planText.ts"
import { print, printJson } from "../output/print.ts"
import { planFileText } from "../planning/planFile.ts"
import { tellNotices } from "../scheduling/lock.ts"
import { ConfigurationError } from "../settings/ConfigurationError.ts"
import { atFlag, isSupposing, whatIfFlags } from "../supposing/suppositions.ts"
import { tellDifference } from "../supposing/tellDifference.ts"

export const planCommand = Command.make(
  "plan",
  {
    ...whatIfFlags,
    at: atFlag,
    out: Flag.String("out").pipe(
      Flag.withAlias("o"),
      Flag.withDescription("Keep the plan in this file, for tinyscheduler apply"),
      Flag.withMetavar("path"),
      Flag.optional
    ),
    json: Flag.Boolean("json").pipe(Flag.withDescription("Print the plan as JSON"), Flag.withDefault(false)),
    detailed: Flag.Boolean("detailed-exitcode").pipe(
      Flag.withDescription("Exit with 5 when something would be done, or would be otherwise; 0 when nothing would"),
      Flag.withDefault(false)
    )
  },
  Effect.fn("cli.plan")(function* ({ detailed, json, out, ...whatIf }) {
    const isSupposed = isSupposing(whatIf)
    if (isSupposed && Option.isSome(out)) {
      return yield* new ConfigurationError({
        faults: ["-o keeps a plan of what is the case; leave it out, or the flags that suppose something else"]
      })
    }
    const config = yield* configuration
    const program = Effect.gen(function* () {
      yield* tellNotices(config)
      const { observed, plan: made } = yield* plan({
        desired: config.desired,
        memory: yield* makePassMemory,
        startsOffReason: null
      })
      let isNews = made.actions.length > 0
      if (!isSupposed) yield* json ? printJson(made) : print(planText(observed, made))
      else if (made.tinytask._tag === "Read") {
        isNews = yield* tellDifference(whatIf, config, { observed, plan: made }, json)
      }
      if (made.tinytask._tag === "Unread") {
        yield* Effect.logError(made.tinytask.reason)
        return yield* Effect.fail(new ExitWith(exitCodes.passHadErrors))
      }
      if (Option.isSome(out)) {
        const path = resolve(out.value)
        const text = planFileText(observed, config.desired, made)
        const written = writeOutputFile(path, text, { what: "the plan", flag: "-o" })
        if (Result.isFailure(written)) return yield* new Refused({ reason: written.failure })
      }
      if (detailed && isNews) return yield* Effect.fail(new ExitWith(exitCodes.changesPlanned))
    })
    yield* program.pipe(Effect.provide([layerPorts(config, "looks"), layerLogging(() => config.settings, null)]))
  })
).pipe(Command.withDescription("Show what a pass would do, and keep it for apply"))
