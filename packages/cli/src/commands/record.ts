/** `record list|export`: which passes were recorded, and one of them, or a span of them, as a file to pass on. */
import { resolve } from "node:path"
import { exportAnonymous, exportRounds } from "@tinyscheduler/core/record/exportRounds"
import { makeSituationReader } from "@tinyscheduler/core/record/situationOf"
import { tallyOf } from "@tinyscheduler/core/record/tally"
import type { Tally } from "@tinyscheduler/core/record/tally"
import type { RecordedRound } from "@tinyscheduler/core/replay/walk"
import { escapeJsonText } from "@tinyscheduler/core/domain/plainText"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { json } from "../asking/askFlags.ts"
import { Refused } from "../asking/Refused.ts"
import { exitCodes, ExitWith } from "../exits.ts"
import { escapeText } from "../output/escape.ts"
import { layerLogging } from "../output/logging.ts"
import { writeOutputFile } from "../output/outputFile.ts"
import { print, printJson } from "../output/print.ts"
import { table } from "../output/table.ts"
import { eachRecord, eachRecordOfSome, recordsOf } from "../records/eachRecord.ts"
import type { OddRecord } from "../records/eachRecord.ts"
import { passFlag, selectionOf, spanFlags } from "../records/selection.ts"
import { ConfigurationError } from "../settings/ConfigurationError.ts"

interface Listed extends Tally {
  readonly id: string
  readonly at: string
  /** What it takes in its file. */
  readonly bytes: number
}

const tellOdd = Effect.fnUntraced(function* (odd: ReadonlyArray<OddRecord>) {
  if (odd.length === 0) return
  for (const { path, problem } of odd) yield* Effect.logError(`${path} holds what is no record: ${problem}`)
  return yield* Effect.fail(new ExitWith(exitCodes.passHadErrors))
})

const list = Command.make(
  "list",
  {
    ...spanFlags,
    json,
    file: Argument.String("file").pipe(
      Argument.withDescription("What tinyscheduler record export wrote (default: the records of this scheduler)"),
      Argument.optional
    )
  },
  Effect.fn("cli.record.list")(function* ({ file, json: asJson, ...flags }) {
    const { settings, source } = yield* recordsOf(file)
    const selection = yield* selectionOf({ ...flags, pass: Option.none() })
    const program = Effect.gen(function* () {
      const records: Array<Listed> = []
      const odd = yield* eachRecord(source, selection, ({ line: { at, id, withheld }, parts }, bytes) => {
        records.push({ id, at, ...tallyOf(parts, withheld), bytes })
      })
      if (asJson) yield* printJson({ version: 1, records, odd })
      else if (records.length === 0) yield* print("no records")
      else {
        const rows = records.map(({ at, bytes, finishes, id, recovers, starts, stops }) =>
          [id, at, starts, finishes, stops, recovers, bytes].map(String)
        )
        yield* print(table(["id", "time", "starts", "finishes", "stops", "recovers", "bytes"], rows))
      }
      yield* tellOdd(odd)
    })
    yield* program.pipe(Effect.provide(layerLogging(() => settings, null)))
  })
).pipe(Command.withDescription("List the passes that were recorded, and what each did"))

const linesOf = Effect.fnUntraced(function* (rounds: ReadonlyArray<RecordedRound>, anonymous: boolean) {
  if (!anonymous) return exportRounds(rounds)
  const lines = exportAnonymous(rounds, makeSituationReader())
  if (Result.isSuccess(lines)) return lines.success
  return yield* new Refused({ reason: `${lines.failure.message}: it can't be made anonymous` })
})

const write = Command.make(
  "export",
  {
    ...spanFlags,
    pass: passFlag,
    out: Flag.String("out").pipe(
      Flag.withAlias("o"),
      Flag.withDescription("Write them to this file (default: stdout)"),
      Flag.withMetavar("path"),
      Flag.optional
    ),
    anonymous: Flag.Boolean("anonymous").pipe(
      Flag.withDescription("Put stand-ins in the place of titles, names, queues, paths and hosts; leave words out"),
      Flag.withDefault(false)
    ),
    json
  },
  Effect.fn("cli.record.export")(function* ({ anonymous, json: asJson, out, ...flags }) {
    const isNamed = [flags.from, flags.to, flags.pass].some(Option.isSome)
    if (!isNamed || (asJson && Option.isNone(out))) {
      const faults = [
        isNamed
          ? "--json tells of a file that was written: name one with -o"
          : "say which: --pass ID, --pass last, or --from and --to; tinyscheduler record list shows what there is"
      ]
      return yield* new ConfigurationError({ faults })
    }
    const { settings, source } = yield* recordsOf(Option.none())
    const selection = yield* selectionOf(flags)
    const program = Effect.gen(function* () {
      const rounds: Array<RecordedRound> = []
      const { odd } = yield* eachRecordOfSome(source, selection, (round) => void rounds.push(round))
      if (rounds.length === 0) return yield* tellOdd(odd)
      const lines = yield* linesOf(rounds, anonymous)
      const text = lines.map((line) => `${line}\n`).join("")
      if (Option.isNone(out)) yield* print(escapeJsonText(text.trimEnd()))
      else {
        const written = writeOutputFile(resolve(out.value), text, { what: "the record", flag: "-o" })
        if (Result.isFailure(written)) return yield* new Refused({ reason: written.failure })
        const bytes = Buffer.byteLength(text)
        const told = `${rounds.length === 1 ? "1 record" : `${rounds.length} records`}, ${bytes} bytes, in ${out.value}`
        yield* asJson
          ? printJson({ version: 1, file: resolve(out.value), records: rounds.length, bytes, anonymous })
          : print(escapeText(told))
      }
      yield* tellOdd(odd)
    })
    yield* program.pipe(Effect.provide(layerLogging(() => settings, null)))
  })
).pipe(Command.withDescription("Write recorded passes to a file that replay reads on any machine"))

export const recordCommand = Command.make("record").pipe(
  Command.withDescription("Records of passes: list them, or pass them on"),
  Command.withSubcommands([list, write])
)
