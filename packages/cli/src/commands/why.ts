/** `why TASK`: why a task runs or waits, and what would start it. Looks only; works beside a scheduler and without one. */
import type { TaskId } from "@tinyscheduler/core/domain/identifiers"
import type { Plan } from "@tinyscheduler/core/domain/Plan"
import type { Situation } from "@tinyscheduler/core/domain/Situation"
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
import { configuration } from "../flags.ts"
import { layerPorts } from "../layers.ts"
import { layerLogging } from "../output/logging.ts"
import { print, printJson } from "../output/print.ts"
import { whyAllText, whyText } from "../output/whyText.ts"
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

const answerOf = Effect.fnUntraced(function* (situation: Situation, made: Plan, taskId: TaskId) {
  const answer = why(situation, made, taskId, { triesMax: triesMaxOf(made) })
  return answer._tag === "Judged" ? answer : yield* lookUp(answer)
})

export const whyCommand = Command.make(
  "why",
  {
    task: task.pipe(Argument.optional),
    all: Flag.Boolean("all").pipe(
      Flag.withDescription("All waiting tasks, by the reasons for which they wait"),
      Flag.withDefault(false)
    ),
    json
  },
  Effect.fn("cli.why")(function* ({ all, json: asJson, task: named }) {
    const config = yield* configuration
    if (all === Option.isSome(named)) {
      const faults = [
        all ? "--all tells of all tasks: leave the number out" : "name a task by its number, or say --all"
      ]
      return yield* new ConfigurationError({ faults })
    }
    const program = Effect.gen(function* () {
      const { observed, plan: made } = yield* plan({
        desired: config.desired,
        memory: yield* makePassMemory,
        startsOffReason: null
      })
      if (Option.isSome(named)) {
        const answer = yield* answerOf({ observed, desired: config.desired }, made, named.value)
        yield* asJson ? printJson({ version: 1, ...answer }) : print(whyText(answer, observed.nowMs, config.paths.logs))
      } else {
        const groups = whyAll(made)
        yield* asJson ? printJson({ version: 1, groups }) : print(whyAllText(groups))
      }
      if (made.tinytask._tag === "Unread") {
        yield* Effect.logError(made.tinytask.reason)
        return yield* Effect.fail(new ExitWith(exitCodes.passHadErrors))
      }
    })
    yield* program.pipe(Effect.provide([layerPorts(config, "looks"), layerLogging(() => config.settings, null)]))
  })
).pipe(Command.withDescription("Tell why a task runs or waits, and what would start it"))
