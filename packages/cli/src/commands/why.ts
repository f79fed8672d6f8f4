/**
 * `why TASK`: why a task runs or waits, and what would start it: now, or in a recorded pass. Looks only; works beside a
 * scheduler and without one.
 */
import type { TaskId } from "@tinyscheduler/core/domain/identifiers"
import type { Plan } from "@tinyscheduler/core/domain/Plan"
import { makePassMemory } from "@tinyscheduler/core/pass/memory"
import { plan } from "@tinyscheduler/core/pass/pass"
import { TaskQueue } from "@tinyscheduler/core/ports/TaskQueue"
import { why } from "@tinyscheduler/core/why/why"
import { whyAll } from "@tinyscheduler/core/why/whyAll"
import type { WhyAnswer } from "@tinyscheduler/core/why/WhyAnswer"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { json, task } from "../asking/askFlags.ts"
import { exitCodes, ExitWith } from "../exits.ts"
import { configuration, loadedSettings } from "../flags.ts"
import { layerPorts } from "../layers.ts"
import { layerLogging } from "../output/logging.ts"
import { print, printJson } from "../output/print.ts"
import { whyAllText, whyText } from "../output/whyText.ts"
import { recordedSituation } from "../records/recordedSituation.ts"
import { passFlag } from "../records/selection.ts"
import type { Configuration } from "../settings/Configuration.ts"
import { approvalHint, awaitingApproval } from "../planning/awaitingApproval.ts"
import { ConfigurationError } from "../settings/ConfigurationError.ts"

/** Each change that is tried costs a plan: of a hundred thousand tasks fewer are tried, so that the answer comes in seconds. */
const triesMaxOf = ({ verdicts }: Plan): number =>
  Math.min(200, Math.max(10, Math.floor(2_000_000 / Math.max(1, verdicts.length))))

/** A task in no list: Tinytask is asked what became of it; one that nobody knows is a mistake of whoever typed it. */
const lookUp = Effect.fnUntraced(function* (answer: Extract<WhyAnswer, { readonly _tag: "NotJudged" }>) {
  if (answer.where !== "not listed" && answer.where !== "gone") return answer
  const found = yield* (yield* TaskQueue).get(answer.taskId)
  if (found !== null) {
    const where = found.task.status === "complete" ? "complete" : found.task.archived ? "archived" : "not listed"
    return { ...answer, where } satisfies WhyAnswer
  }
  if (answer.attempts !== null) return { ...answer, where: "gone" } satisfies WhyAnswer
  const faults = [`there is no task ${answer.taskId}; tinyscheduler tinytask list shows the open ones`]
  return yield* new ConfigurationError({ faults })
})

type Named = Option.Option<TaskId>

const whyNow = Effect.fn("why.now")(function* (config: Configuration, named: Named, asJson: boolean) {
  const { desired } = config
  const { observed, plan: made } = yield* plan({ desired, memory: yield* makePassMemory, startsOffReason: null })
  if (Option.isSome(named)) {
    const found = why({ observed, desired }, made, named.value, { triesMax: triesMaxOf(made) })
    const answer = found._tag === "Judged" ? found : yield* lookUp(found)
    const awaits = awaitingApproval(config, observed, made).includes(named.value)
    const text = whyText(answer, observed.nowMs, config.paths.logs)
    yield* asJson
      ? printJson({ version: 1, ...answer, awaitingApproval: awaits })
      : print(awaits ? `${text}\nit waits for approval: ${approvalHint}` : text)
  } else {
    const groups = whyAll(made)
    yield* asJson ? printJson({ version: 1, groups }) : print(whyAllText(groups))
  }
  if (made.tinytask._tag === "Unread") {
    yield* Effect.logError(made.tinytask.reason)
    return yield* Effect.fail(new ExitWith(exitCodes.passHadErrors))
  }
})

/** Nobody is asked anything: what is not in the record stays open. */
const whyThen = Effect.fn("why.then")(function* (
  pass: string,
  file: Option.Option<string>,
  named: Named,
  asJson: boolean
) {
  const { awaitingApproval: awaiting, logs, plan: made, record, situation } = yield* recordedSituation(pass, file)
  const head = `as recorded at ${record.at} (${record.id}), without logs, outputs and descriptions`
  if (Option.isSome(named)) {
    const answer = why(situation, made, named.value, { triesMax: triesMaxOf(made) })
    const awaited = awaiting.includes(named.value)
    const text = `${head}\n${whyText(answer, situation.observed.nowMs, logs)}`
    return yield* asJson
      ? printJson({ version: 1, record, ...answer, awaitingApproval: awaited })
      : print(awaited ? `${text}\nit waited for approval` : text)
  }
  const groups = whyAll(made)
  yield* asJson ? printJson({ version: 1, record, groups }) : print(`${head}\n${whyAllText(groups)}`)
})

const refuse = (fault: string) => Effect.fail(new ConfigurationError({ faults: [fault] }))

export const whyCommand = Command.make(
  "why",
  {
    task: task.pipe(Argument.optional),
    all: Flag.Boolean("all").pipe(
      Flag.withDescription("All waiting tasks, by the reasons for which they wait"),
      Flag.withDefault(false)
    ),
    pass: passFlag,
    records: Flag.String("records").pipe(
      Flag.withDescription(
        "With --pass: what tinyscheduler record export wrote (default: the records of this scheduler)"
      ),
      Flag.withMetavar("path"),
      Flag.optional
    ),
    json
  },
  Effect.fn("cli.why")(function* ({ all, json: asJson, pass, records, task: named }) {
    if (all === Option.isSome(named)) {
      return yield* refuse(
        all ? "--all tells of all tasks: leave the number out" : "name a task by its number, or say --all"
      )
    }
    if (Option.isSome(pass)) {
      const { settings } = yield* loadedSettings
      return yield* whyThen(pass.value, records, named, asJson).pipe(Effect.provide(layerLogging(() => settings, null)))
    }
    if (Option.isSome(records)) return yield* refuse("--records names where a record is: say which with --pass")
    const config = yield* configuration
    yield* whyNow(config, named, asJson).pipe(
      Effect.provide([layerPorts(config, "looks"), layerLogging(() => config.settings, null)])
    )
  })
).pipe(Command.withDescription("Tell why a task runs or waits, and what would start it"))
