/** Which records a command is about: one by its id, or those of a span of time. */
import { millisOf } from "@tinyscheduler/core/domain/time"
import { compactTime, RecordId } from "@tinyscheduler/core/record/RecordLine"
import { lastRecord, readRecords } from "@tinyscheduler/adapters-fs/readRecords"
import type { FoundRecord, RecordSource } from "@tinyscheduler/adapters-fs/readRecords"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Flag from "effect/cli/Flag"
import { lengthMs, momentMs } from "../asking/pauseEnd.ts"
import { escapeShort } from "../output/escape.ts"
import { ConfigurationError } from "../settings/ConfigurationError.ts"

const moment = (name: string, about: string) =>
  Flag.String(name).pipe(
    Flag.withDescription(`${about}: 2026-01-20T18:00 (this machine's time), with Z or a zone, or so long ago: 2h`),
    Flag.withMetavar("time"),
    Flag.optional
  )

export const passFlag = Flag.String("pass").pipe(
  Flag.withDescription("The record with this id, or the last one"),
  Flag.withMetavar("id|last"),
  Flag.optional
)

export const spanFlags = { from: moment("from", "From this time on"), to: moment("to", "Up to this time") }

type Typed = Option.Option<string>

export type Selection =
  | { readonly _tag: "Between"; readonly fromMs: number | null; readonly toMs: number | null }
  | { readonly _tag: "Pass"; readonly id: RecordId }
  | { readonly _tag: "Last" }

const isRecordId = Schema.is(RecordId)

const refuse = (fault: string) => Effect.fail(new ConfigurationError({ faults: [fault] }))

/** What `--pass` names. */
export const passOf = Effect.fnUntraced(function* (typed: string) {
  if (typed === "last") return { _tag: "Last" } satisfies Selection
  if (isRecordId(typed)) return { _tag: "Pass", id: typed } satisfies Selection
  return yield* refuse(
    `--pass is "${escapeShort(typed, 80)}", expected last, or an id like 20260120T180000000-0000: tinyscheduler record list shows them`
  )
})

const timeOf = Effect.fnUntraced(function* (name: string, typed: Typed) {
  if (Option.isNone(typed)) return null
  const ago = lengthMs(typed.value)
  const ms = ago === null ? momentMs(typed.value) : (yield* Clock.currentTimeMillis) - ago
  if (ms !== null) return ms
  return yield* refuse(
    `--${name} is "${escapeShort(typed.value, 80)}", expected a time like 2026-01-20T18:00, or a length of time ago like 2h`
  )
})

export const selectionOf = Effect.fnUntraced(function* (typed: {
  readonly from: Typed
  readonly to: Typed
  readonly pass: Typed
}) {
  const fromMs = yield* timeOf("from", typed.from)
  const toMs = yield* timeOf("to", typed.to)
  if (Option.isSome(typed.pass)) {
    if (fromMs !== null || toMs !== null) {
      return yield* refuse("--pass names one record, --from and --to a span of time: give one or the other")
    }
    return yield* passOf(typed.pass.value)
  }
  if (fromMs !== null && toMs !== null && fromMs > toMs) return yield* refuse("--from is later than --to")
  return { _tag: "Between", fromMs, toMs } satisfies Selection
})

/** The records of a selection; odd ones too, where the one that is meant is not found before them. */
export function* selected(source: RecordSource, selection: Selection): Generator<FoundRecord> {
  switch (selection._tag) {
    case "Last": {
      const last = lastRecord(source)
      if (last !== null) yield last
      return
    }
    case "Pass": {
      const odd: Array<FoundRecord> = []
      for (const found of readRecords(source, selection.id)) {
        if (found._tag === "Odd") odd.push(found)
        else if (found.round.line.id === selection.id) return yield found
      }
      return yield* odd
    }
    case "Between": {
      const { fromMs, toMs } = selection
      for (const found of readRecords(source, fromMs === null ? "" : compactTime(fromMs))) {
        const atMs = found._tag === "Odd" ? null : millisOf(found.round.line.at)
        if (atMs === null || ((fromMs === null || atMs >= fromMs) && (toMs === null || atMs <= toMs))) yield found
      }
    }
  }
}
