/** Records of what passes decided, as the settings want them. One that can't be kept is told once, and fails no pass. */
import * as Effect from "effect/Effect"
import { makePassRecords } from "@tinyscheduler/adapters-fs/PassRecords"
import type { Decided } from "@tinyscheduler/core/pass/pass"
import { withFields } from "./output/logLine.ts"
import type { Configuration } from "./settings/Configuration.ts"

/** What of a configuration has a say in it. */
interface RecordingOptions {
  readonly paths: Pick<Configuration["paths"], "base" | "records">
  readonly settings: Pick<Configuration["settings"], "recordKeepDays" | "recordKeepMb">
}

export type Recording = (decided: Decided) => Effect.Effect<void>

export const recordsNothing: Recording = () => Effect.void

/** For whoever holds the lock. The settings are asked for at each record, since a running daemon may have newer ones. */
export const makeRecording = (current: () => RecordingOptions): Recording => {
  let told = false
  const { record } = makePassRecords({
    directory: current().paths.records,
    base: current().paths.base,
    rules: () => {
      const { recordKeepDays, recordKeepMb } = current().settings
      return { keepDays: recordKeepDays, keepBytes: recordKeepMb * 1024 * 1024 }
    }
  })
  return (decided) =>
    record(decided).pipe(
      Effect.tap(() =>
        Effect.sync(() => {
          told = false
        })
      ),
      Effect.catch(({ message }) => {
        if (told) return Effect.void
        told = true
        return Effect.logWarning(`passes are not recorded: ${message}`).pipe(withFields({ event: "not-recorded" }))
      })
    )
}
