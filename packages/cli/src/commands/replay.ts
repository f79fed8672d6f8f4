/** `replay`: the plans of recorded passes made once more, and compared to the byte, searched, or made under other settings. */
import { makeBisection } from "@tinyscheduler/core/replay/bisect"
import type { Turn } from "@tinyscheduler/core/replay/bisect"
import { holds, parseCondition } from "@tinyscheduler/core/replay/Condition"
import { replay } from "@tinyscheduler/core/replay/replay"
import { makeRerun } from "@tinyscheduler/core/replay/rerun"
import { makeSituationReader } from "@tinyscheduler/core/record/situationOf"
import type { RecordSource } from "@tinyscheduler/adapters-fs/readRecords"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { json } from "../asking/askFlags.ts"
import { exitCodes, ExitWith } from "../exits.ts"
import { layerLogging } from "../output/logging.ts"
import { print, printJson } from "../output/print.ts"
import { bisectionText, replayText, rerunText } from "../output/replayText.ts"
import type { Told } from "../output/replayText.ts"
import { eachRecordOfSome, recordsOf } from "../records/eachRecord.ts"
import type { OddRecord } from "../records/eachRecord.ts"
import { passFlag, selectionOf, spanFlags } from "../records/selection.ts"
import type { Selection } from "../records/selection.ts"
import { makeSupposed } from "../records/supposed.ts"
import { ConfigurationError } from "../settings/ConfigurationError.ts"

/** So many of the plans that would have been others are shown. */
const firstMax = 10

interface Asked {
  readonly source: RecordSource
  readonly selection: Selection
  readonly json: boolean
}

const failWhen = (isFound: boolean) => (isFound ? Effect.fail(new ExitWith(exitCodes.passHadErrors)) : Effect.void)

const compare = Effect.fn("replay.compare")(function* ({ json: asJson, selection, source }: Asked) {
  const read = makeSituationReader()
  const different: Array<Told> = []
  const { count, odd } = yield* eachRecordOfSome(source, selection, (round) => {
    const { at, id, result } = replay(round, read)
    if (result._tag !== "Same") different.push({ id, at, result })
  })
  const same = count - different.length
  yield* asJson
    ? printJson({ version: 1, records: count, same, different, odd })
    : print(replayText(same, different, odd))
  yield* failWhen(different.length > 0 || odd.length > 0)
})

const bisect = Effect.fn("replay.bisect")(function* ({ json: asJson, selection, source }: Asked, text: string) {
  const condition = parseCondition(text)
  if (Result.isFailure(condition)) return yield* new ConfigurationError({ faults: [`--bisect: ${condition.failure}`] })
  const turnOf = makeBisection((plan) => holds(condition.success, plan), makeSituationReader())
  const turns: Array<Turn> = []
  const unread: Array<OddRecord> = []
  const { count, odd } = yield* eachRecordOfSome(source, selection, (round) => {
    const turn = turnOf(round)
    if (Result.isFailure(turn)) unread.push({ path: round.line.id, problem: turn.failure })
    else if (turn.success !== null) turns.push(turn.success)
  })
  const allOdd = [...odd, ...unread]
  yield* asJson
    ? printJson({ version: 1, condition: text, records: count, turns, odd: allOdd })
    : print(bisectionText(text, count, turns, allOdd))
  yield* failWhen(allOdd.length > 0)
})

const rerun = Effect.fn("replay.rerun")(function* (
  { json: asJson, selection, source }: Asked,
  typed: ReadonlyArray<string>
) {
  const read = makeSituationReader()
  const supposed = makeSupposed(typed)
  const { add, result } = makeRerun(supposed.suppose, firstMax)
  const unread: Array<OddRecord> = []
  const { odd } = yield* eachRecordOfSome(source, selection, ({ line, parts }) => {
    const situation = read(parts)
    if (Result.isFailure(situation)) unread.push({ path: line.id, problem: situation.failure.message })
    else add(line, situation.success)
  })
  const allOdd = [...odd, ...unread]
  const faults = supposed.faults()
  if (faults.length > 0) return yield* new ConfigurationError({ faults })
  const made = result()
  yield* asJson ? printJson({ version: 1, with: typed, ...made, odd: allOdd }) : print(rerunText(made, allOdd))
  yield* failWhen(allOdd.length > 0)
})

export const replayCommand = Command.make(
  "replay",
  {
    ...spanFlags,
    pass: passFlag,
    bisect: Flag.String("bisect").pipe(
      Flag.withDescription("Find the records where this begins and ceases to hold, as 'task 42 starts'"),
      Flag.withMetavar("condition"),
      Flag.optional
    ),
    with: Flag.String("with").pipe(
      Flag.withDescription("Make the plans under other settings, as plan --set has them; repeatable"),
      Flag.withMetavar("name=value"),
      Flag.atLeast(0)
    ),
    json,
    file: Argument.String("file").pipe(
      Argument.withDescription("What tinyscheduler record export wrote (default: the records of this scheduler)"),
      Argument.optional
    )
  },
  Effect.fn("cli.replay")(function* ({ bisect: condition, file, json: asJson, with: settings, ...flags }) {
    const { settings: ours, source } = yield* recordsOf(file)
    const asked: Asked = { source, selection: yield* selectionOf(flags), json: asJson }
    if (Option.isSome(condition) && settings.length > 0) {
      const faults = ["--bisect searches history as it was, --with supposes another: give one of them"]
      return yield* new ConfigurationError({ faults })
    }
    const program =
      settings.length > 0
        ? rerun(asked, settings)
        : Option.isSome(condition)
          ? bisect(asked, condition.value)
          : compare(asked)
    yield* program.pipe(Effect.provide(layerLogging(() => ours, null)))
  })
).pipe(Command.withDescription("Make recorded plans once more: compare, search, or suppose other settings"))
